"""Cases: one right asked for by one person, what became of it and when."""

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any

import pgtrigger
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.dates import Plus
from customers.models import Customer, User
from customers.models.channels import Collected
from customers.personal_data import Category, Clock, OnErasure, PersonalData
from customers.triggers import not_emptied, only_unnamed

LONGEST_WORDING = 5_000
# A case that is written to again and again holds so much; the rest stands in its events.
MOST_WORDS = 4 * LONGEST_WORDING
# From which state to which; a final state has no way out.
TRANSITIONS: Mapping[str, tuple[str, ...]] = {
    "received": ("identifying", "working", "answered", "taken_back"),
    "identifying": ("working", "not_identified", "taken_back"),
    "working": ("identifying", "answered", "taken_back"),
    "answered": (),
    "not_identified": (),
    "taken_back": (),
}
_WAYS = ", ".join(f"('{was}', '{is_now}')" for was, ways in TRANSITIONS.items() for is_now in ways)
_SAID = (
    *("outcome", "reasons", "rule", "answer", "answered_at", "closed_on", "wording"),
    *("received_at", "received_on", "decided_by_id", "approved_by_id", "fee_ore"),
    "carried_out_at",
)


def _member_of_staff(label: Any) -> Any:
    """Point at who acted, without a constraint: the case outlasts the account."""
    return models.ForeignKey(
        User,
        models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=label,
    )


class CaseQuerySet(models.QuerySet["Case"]):
    def unanswered(self) -> "CaseQuerySet":
        """Keep the cases that wait for an answer."""
        return self.filter(closed_on__isnull=True)

    def running(self) -> "CaseQuerySet":
        """Keep the open cases whose clock does not stand still (TIM-04)."""
        return self.unanswered().filter(stands_since__isnull=True)

    def late(self, on: date) -> "CaseQuerySet":
        """Keep the cases whose last day by law has passed without an answer (E16)."""
        return self.running().filter(latest_on__lt=on)

    def past_target(self, on: date) -> "CaseQuerySet":
        """Keep the cases that passed our own aim without an answer (TIM-08)."""
        return self.running().filter(target_on__lt=on)


class Case(models.Model):
    """One right asked for by one person, with the day it must be answered (TIM-02, DSR-06)."""

    class Right(models.TextChoices):
        ACCESS = "access", _("Ta ut allt")
        RECTIFICATION = "rectification", _("Rätta uppgifter")
        ERASURE = "erasure", _("Radera uppgifter")
        RESTRICTION = "restriction", _("Begränsa användningen")
        PORTABILITY = "portability", _("Flytta uppgifter")
        OBJECTION = "objection", _("Säga nej till en användning")
        WITHDRAWAL = "withdrawal", _("Ta tillbaka ett ja")
        CREDIT_REVIEW = "credit_review", _("Få ett kreditbeslut omprövat")

    class Status(models.TextChoices):
        RECEIVED = "received", _("mottaget")
        IDENTIFYING = "identifying", _("väntar på identitet")
        WORKING = "working", _("pågår")
        ANSWERED = "answered", _("besvarat")
        NOT_IDENTIFIED = "not_identified", _("avslutat utan identitet")
        TAKEN_BACK = "taken_back", _("tillbakataget")

    class Outcome(models.TextChoices):
        GRANTED = "granted", _("ja, helt")
        PARTLY = "partly", _("ja, delvis")
        REFUSED = "refused", _("nej")
        NO_DATA = "no_data", _("vi har inga uppgifter")

    class Identity(models.TextChoices):
        """How we know who asks (DSR-03)."""

        NONE = "none", _("behövs inte")
        SESSION = "session", _("inloggad med stark identitet")
        EID = "eid", _("e-legitimation")
        LETTER = "letter", _("kod i brev")
        STAFF = "staff", _("kontroll av personal")

    class Extension(models.TextChoices):
        """Why an answer may take three months (TIM-03)."""

        COMPLEXITY = "complexity", _("det är komplicerat")
        NUMBER = "number", _("det är många på en gång")

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    # The message it came with: several rights in one become several cases (DSR-05).
    message_id = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="cases")
    right = models.CharField(_("rätt"), max_length=16, choices=Right)
    collected = models.CharField(_("kanal"), max_length=8, choices=Collected)
    # The person's own words; what came later is added below.
    wording = models.TextField(_("med egna ord"), blank=True, db_default="")
    registered_by = _member_of_staff(_("inskrivet av"))
    identity_method = models.CharField(
        _("så vet vi vem det är"), max_length=8, choices=Identity, blank=True, db_default=""
    )
    status = models.CharField(_("läge"), max_length=16, choices=Status, default=Status.RECEIVED)
    received_at = models.DateTimeField(_("kom in"), default=timezone.now)
    received_on = models.DateField(_("mottagningsdag"))
    nominal_on = models.DateField(_("en månad"))
    latest_on = models.DateField(_("senaste svarsdag"))
    target_on = models.DateField(_("vårt mål"))
    # TIM-04: the question of identity, and the clock that stands while it waits.
    asked_on = models.DateField(_("vi frågade vem det är"), null=True, blank=True)
    reminded_on = models.DateField(_("vi frågade igen"), null=True, blank=True)
    stands_since = models.DateField(_("klockan står sedan"), null=True, blank=True)
    suspended_days = models.PositiveSmallIntegerField(_("dagar klockan stod"), db_default=0)
    # TIM-03: the day the person was told of it, and why.
    extended_on = models.DateField(_("förlängt"), null=True, blank=True)
    extension_reason = models.CharField(
        _("skäl att förlänga"), max_length=10, choices=Extension, blank=True, db_default=""
    )
    # What a named human has decided; a no and a fee wait for a second one (DSR-02).
    outcome = models.CharField(
        _("beslut"), max_length=8, choices=Outcome, blank=True, db_default=""
    )
    reasons = models.TextField(_("skäl"), blank=True, db_default="")
    rule = models.CharField(_("regel"), max_length=60, blank=True, db_default="")
    fee_ore = models.PositiveIntegerField(_("avgift"), db_default=0)
    fee_told_on = models.DateField(_("avgiften meddelad"), null=True, blank=True)
    decided_by = _member_of_staff(_("beslutat av"))
    decided_at = models.DateTimeField(_("beslutat"), null=True, blank=True)
    approved_by = _member_of_staff(_("godkänt av"))
    approved_at = models.DateTimeField(_("godkänt"), null=True, blank=True)
    # When the engine had done what the right asks for; a yes to erasure is given by nobody else.
    carried_out_at = models.DateTimeField(_("utfört"), null=True, blank=True)
    answered_at = models.DateTimeField(_("besvarat"), null=True, blank=True)
    # In the person's language; empty where the answer is a file.
    answer = models.TextField(_("svar"), blank=True)
    closed_on = models.DateField(_("avslutat"), null=True, blank=True)
    # DSR-06: five years from the day it is closed.
    retain_until = models.GeneratedField(
        expression=Plus(F("closed_on"), months=60),
        output_field=models.DateField(null=True),
        db_persist=True,
    )

    objects = CaseQuerySet.as_manager()

    personal_data = PersonalData(
        name=_("Dina ärenden"),
        columns={
            Category.CASES: (
                "right",
                "collected",
                "wording",
                "identity_method",
                "status",
                "received_at",
                "received_on",
                "nominal_on",
                "latest_on",
                "asked_on",
                "reminded_on",
                "stands_since",
                "suspended_days",
                "extended_on",
                "extension_reason",
                "outcome",
                "reasons",
                "rule",
                "fee_ore",
                "fee_told_on",
                "decided_at",
                "approved_at",
                "carried_out_at",
                "answered_at",
                "answer",
                "closed_on",
            )
        },
        impersonal=(
            *("public_id", "message_id", "target_on", "retain_until"),
            *("registered_by", "decided_by", "approved_by"),
        ),
        clock=Clock.OWN,
        on_erasure=OnErasure.UNNAMED,
        words={"wording": "", "answer": "", "reasons": "–"},
    )

    class Meta:
        verbose_name = _("ärende")
        verbose_name_plural = _("ärenden")
        permissions = [
            ("answer_case", "Can answer cases"),
            ("approve_case", "Can approve refusals and fees"),
            ("lift_restriction", "Can announce the end of restrictions and lift them"),
        ]
        constraints = [
            # A second of the same kind folds into the open one (RUL-20).
            models.UniqueConstraint(
                name="one_open_case_per_right",
                fields=["customer", "right"],
                condition=Q(closed_on__isnull=True),
            ),
            # A form that is posted again finds what it made (B06).
            models.UniqueConstraint(
                name="one_case_per_message_and_right", fields=["message_id", "right"]
            ),
            models.CheckConstraint(
                name="case_closed_when_answered",
                condition=Q(closed_on__isnull=True) | Q(answered_at__isnull=False),
            ),
            models.CheckConstraint(
                name="case_closed_in_a_final_state",
                condition=Q(
                    closed_on__isnull=True, status__in=("received", "identifying", "working")
                )
                | Q(
                    closed_on__isnull=False,
                    status__in=("answered", "not_identified", "taken_back"),
                ),
            ),
            models.CheckConstraint(
                name="case_answered_has_an_outcome",
                condition=~Q(status="answered") | ~Q(outcome=""),
            ),
            # DSR-02: a named human, a second one, and reasons in writing.
            models.CheckConstraint(
                name="case_refusal_has_two_people_and_reasons",
                condition=Q(closed_on__isnull=True)
                | ~Q(outcome__in=("partly", "refused"))
                | Q(decided_by__isnull=False, approved_by__isnull=False) & ~Q(reasons="")
                # What a law holds stays, record by record; that needs its reasons, not a judge.
                | Q(right="erasure", outcome="partly", carried_out_at__isnull=False)
                & ~Q(reasons="")
                & ~Q(rule=""),
            ),
            models.CheckConstraint(
                name="case_erasure_yes_is_carried_out",
                condition=~Q(right="erasure", status="answered", outcome__in=("granted", "partly"))
                | Q(carried_out_at__isnull=False),
            ),
            models.CheckConstraint(
                name="case_fee_has_two_people_and_reasons",
                condition=Q(fee_told_on__isnull=True)
                | Q(fee_ore__gt=0, decided_by__isnull=False, approved_by__isnull=False)
                & ~Q(reasons=""),
            ),
            models.CheckConstraint(
                name="case_no_fee_untold",
                condition=Q(fee_ore=0) | ~Q(status="answered") | Q(fee_told_on__isnull=False),
            ),
            models.CheckConstraint(
                name="case_approved_by_another",
                condition=Q(approved_by__isnull=True)
                | Q(decided_by__isnull=False) & ~Q(approved_by=F("decided_by")),
            ),
            models.CheckConstraint(
                name="case_identifying_was_asked",
                condition=~Q(status="identifying") | Q(asked_on__isnull=False),
            ),
            models.CheckConstraint(
                name="case_stands_while_identifying",
                condition=Q(stands_since__isnull=True) | Q(status="identifying"),
            ),
            models.CheckConstraint(
                name="case_extended_for_a_reason",
                condition=Q(extended_on__isnull=True, extension_reason="")
                | Q(extended_on__isnull=False, extension_reason__in=("complexity", "number")),
            ),
            models.CheckConstraint(
                name="case_wording_is_not_endless",
                condition=LessThanOrEqual(Length("wording"), MOST_WORDS),
            ),
        ]
        indexes = [
            models.Index(fields=["latest_on"], name="case_open", condition=Q(closed_on=None)),
            models.Index(
                fields=["retain_until", "customer"],
                name="case_retain_until",
                condition=Q(retain_until__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="case_walks_its_states",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=f"""
                    IF OLD.status <> NEW.status
                       AND (OLD.status, NEW.status) NOT IN ({_WAYS}) THEN
                        RAISE EXCEPTION 'A case does not go from % to %.', OLD.status, NEW.status;
                    END IF;
                    IF OLD.closed_on IS NOT NULL AND
                        NOT ((NEW.wording, NEW.answer) = ('', '') AND EXISTS (
                            SELECT FROM customers_customer c WHERE c.id = NEW.customer_id
                               AND c.given_name = '' AND c.family_name = '')) AND
                        ({", ".join(f"OLD.{name}" for name in _SAID)}) IS DISTINCT FROM
                        ({", ".join(f"NEW.{name}" for name in _SAID)}) THEN
                        RAISE EXCEPTION 'A closed case stays as it was answered.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # Also a yes: a machine does not review a machine (ADM-02).
            pgtrigger.Trigger(
                name="case_credit_review_by_a_human",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(
                    new__right="credit_review", new__status="answered", new__decided_by__isnull=True
                )
                & ~pgtrigger.Q(old__status="answered"),
                func="RAISE EXCEPTION 'A credit decision is reviewed by a named human (ADM-02).';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.closed_on is None


class CaseEvent(models.Model):
    """Something that happened to a case, and who did it; never changed."""

    class Kind(models.TextChoices):
        RECEIVED = "received", _("Du bad om det")
        ADDED = "added", _("Du skrev mer")
        ASKED = "asked", _("Vi frågade vem du är")
        REMINDED = "reminded", _("Vi frågade en gång till")
        IDENTIFIED = "identified", _("Vi vet att det är du")
        STARTED = "started", _("Vi började arbeta med det")
        EXTENDED = "extended", _("Vi behövde mer tid")
        ESCALATED = "escalated", _("Vi påminde oss själva")
        DECIDED = "decided", _("Ett beslut föreslogs")
        SENT_BACK = "sent_back", _("Förslaget gick tillbaka")
        APPROVED = "approved", _("En andra person godkände beslutet")
        FEE_TOLD = "fee_told", _("Vi berättade om en avgift")
        BUILT = "built", _("Utdraget är klart")
        FAILED = "failed", _("Ett försök gick fel")
        ANSWERED = "answered", _("Vi svarade")
        NOT_IDENTIFIED = "not_identified", _("Vi avslutade utan att veta vem du är")
        TAKEN_BACK = "taken_back", _("Du tog tillbaka det")
        CONFIRMED = "confirmed", _("Du bekräftade att det ska raderas")
        RELEASED = "released", _("Tiden att ångra sig är slut")
        DOWNLOADED = "downloaded", _("Du hämtade filen")
        EXPIRED = "expired", _("Filen raderades")

    case = models.ForeignKey(Case, models.CASCADE, related_name="events")
    kind = models.CharField(_("vad"), max_length=16, choices=Kind)
    at = models.DateTimeField(_("när"), default=timezone.now)
    # No constraint: what was done outlasts the account of whoever did it.
    actor = _member_of_staff(_("av"))
    # Words of the person or for the person, such as why it takes longer.
    words = models.TextField(_("med ord"), blank=True, db_default="")
    # Where a day moved: the last day before and after.
    before_on = models.DateField(_("sista dag före"), null=True, blank=True)
    after_on = models.DateField(_("sista dag efter"), null=True, blank=True)
    # Which warning it is, so that none is given twice.
    step = models.CharField(max_length=12, blank=True, db_default="")

    personal_data = PersonalData(
        name=_("Vad som hänt i dina ärenden"),
        path="case__customer",
        columns={Category.CASES: ("kind", "at", "words", "before_on", "after_on")},
        impersonal=("actor", "step"),
        clock=Clock.OWN,
        clock_of="case",
        on_erasure=OnErasure.UNNAMED,
        words={"words": ""},
    )

    class Meta:
        verbose_name = _("händelse")
        verbose_name_plural = _("händelser")
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_warning_per_step",
                fields=["case", "step"],
                condition=~Q(step=""),
            ),
        ]
        triggers = [
            only_unnamed(
                "case_event",
                "words",
                ("id", "case_id", "kind", "at", "actor_id", "before_on", "after_on", "step"),
                "(SELECT k.customer_id FROM privacy_requests_case k WHERE k.id = NEW.case_id)",
            ),
            not_emptied("case_event"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
