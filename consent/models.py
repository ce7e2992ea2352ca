"""Why: notices, the ledger of what people said, their current standing and the live purposes."""

import pgtrigger
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent.groundwork import BalancingRecord, NixSnapshot
from consent.purposes import CODES, Basis
from customers.dates import FAR, NEVER
from customers.models import Customer, User
from customers.models.channels import Channel, Collected
from customers.personal_data import AtEnd, Category, Clock, Impersonal, PersonalData
from customers.triggers import never_changes, not_emptied

__all__ = [
    "Authority",
    "BalancingRecord",
    "Event",
    "EventDetail",
    "NixSnapshot",
    "Notice",
    "PolicyVersion",
    "ProcessingRecord",
    "Seal",
    "Standing",
]


class PolicyVersion(models.Model):
    """A published wording of the policy and the hash of the catalogue it tells of (INF-05)."""

    version = models.CharField(_("version"), max_length=20, unique=True)
    effective_on = models.DateField(_("gäller från"))
    catalogue_hash = models.CharField(max_length=64)
    published_at = models.DateTimeField(default=timezone.now)

    personal_data = Impersonal(
        columns=("version", "effective_on", "catalogue_hash", "published_at")
    )

    class Meta:
        verbose_name = _("policyversion")
        verbose_name_plural = _("policyversioner")
        triggers = never_changes("policy_version")

    def __str__(self) -> str:
        return self.version


class Notice(models.Model):
    """A wording people were shown, per collection channel and language (INF-01)."""

    policy_version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="notices")
    collected = models.CharField(_("kanal"), max_length=8, choices=Collected)
    language = models.CharField(_("språk"), max_length=2)
    text = models.TextField(_("text"))
    content_hash = models.CharField(max_length=64)

    personal_data = Impersonal(
        columns=("policy_version", "collected", "language", "text", "content_hash")
    )

    class Meta:
        verbose_name = _("information")
        verbose_name_plural = _("informationstexter")
        constraints = [
            models.UniqueConstraint(
                name="one_notice_per_channel_and_language",
                fields=["policy_version", "collected", "language"],
            )
        ]
        triggers = never_changes("notice")

    def __str__(self) -> str:
        return f"{self.policy_version_id} {self.collected} {self.language}"


class Authority(models.IntegerChoices):
    """Whose word stands: nobody lifts what a higher one decided."""

    SYSTEM = 1, _("systemet")
    STAFF = 2, _("vi")
    LAW = 3, _("lagen")
    PERSON = 4, _("du")


# What the digest of an entry covers, in an order that never changes: what has a fixed size, the
# lengths of the words in a byte each (the longest has 40 letters), the words, and last the hash; so
# no two entries can read alike. Every function here is immutable, which a generated column asks
# for; `convert_to` and JSON are not.
WORDS = ("kind", "purpose", "channel", "ground", "collected", "third_party")
LENGTHS = " | ".join(f"(length({word})::bigint << {8 * place})" for place, word in enumerate(WORDS))
DIGEST_SQL = (
    "sha256(int8send(id) || timestamptz_send(at) || uuid_send(subject) || "
    "int8send(COALESCE(notice_id, 0)) || "
    f"int8send((authority::bigint << 48) | {LENGTHS}) || "
    rf"replace({' || '.join(WORDS)}, '\', '\\')::bytea || evidence_hash)"
)


class Event(models.Model):
    """One entry of the ledger; the database refuses to change, delete or empty it."""

    class Kind(models.TextChoices):
        NOTICE_SERVED = "notice", _("fick information")
        SOFT_OPT_IN = "soft", _("fick veta att reklam kan komma, vid köp")
        CONSENT_GIVEN = "yes", _("sa ja")
        CONSENT_WITHDRAWN = "withdrawn", _("tog tillbaka sitt ja")
        OBJECTED = "no", _("sa nej")
        UNSUBSCRIBED = "unsubscribed", _("stoppade reklam med en länk")
        OBJECTED_TO_USE = "objection", _("invände mot en användning")
        UNPROVEN = "unproven", _("äldre ja utan bevis")
        RESTRICTED = "restricted", _("begränsade användningen")
        UNRESTRICTED = "unrestricted", _("begränsningen hävdes")

    at = models.DateTimeField(_("när"), default=timezone.now)
    # By the pseudonym and without a constraint: the entry stays when the person is gone.
    customer = models.ForeignKey(
        Customer,
        models.DO_NOTHING,
        to_field="pseudonym",
        db_column="subject",
        db_constraint=False,
        related_name="events",
        db_index=False,  # the one below
    )
    kind = models.CharField(_("vad"), max_length=12, choices=Kind)
    # Empty purpose: every marketing purpose. Empty channel: every channel.
    purpose = models.CharField(_("ändamål"), max_length=2, blank=True, choices=CODES)
    channel = models.CharField(_("kanal"), max_length=8, blank=True, choices=Channel)
    third_party = models.CharField(_("företag"), max_length=40, blank=True)
    ground = models.CharField(_("grund"), max_length=1, blank=True)
    notice = models.ForeignKey(
        Notice, models.PROTECT, null=True, blank=True, db_index=False, verbose_name=_("ordalydelse")
    )
    collected = models.CharField(_("på vilket sätt"), max_length=8, choices=Collected)
    authority = models.PositiveSmallIntegerField(_("vems ord"), choices=Authority)
    # SHA-256 over the salt and the words of EventDetail; what is left when the person is erased.
    evidence_hash = models.BinaryField(max_length=32, editable=False, default=b"", db_default=b"")
    # Made by the database, so that one insert, a bulk load and a clumsy forger get the same.
    digest = models.GeneratedField(
        expression=Func(template=DIGEST_SQL, output_field=models.BinaryField()),
        output_field=models.BinaryField(max_length=32),
        db_persist=True,
    )

    personal_data = PersonalData(
        name=_("Dina val och när du gjorde dem"),
        columns={
            Category.PROOF: (
                "at",
                "kind",
                "purpose",
                "channel",
                "third_party",
                "ground",
                "notice",
                "collected",
                "authority",
            )
        },
        impersonal=("evidence_hash", "digest"),
        at_end=AtEnd.UNLINK,
    )

    class Meta:
        verbose_name = _("post i liggaren")
        verbose_name_plural = _("liggaren")
        ordering = ["pk"]
        triggers = never_changes("event")
        indexes = [models.Index(name="entries_of_a_person", fields=["customer", "at"])]
        constraints = [
            # CON-01, CON-02: a yes has its proof. It is the person's word, or that of an older
            # register, which lifts nothing; neither the law nor a program says yes for anybody.
            models.CheckConstraint(
                name="yes_is_proven",
                condition=~Q(kind="yes")
                | (Q(authority__in=[Authority.STAFF, Authority.PERSON]) & ~Q(evidence_hash=b"")),
            ),
            # MFL-02: the sale and the no that was offered are on record, or nothing opens by it.
            models.CheckConstraint(
                name="soft_opt_in_is_proven",
                condition=~Q(kind="soft") | ~Q(evidence_hash=b""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class EventDetail(models.Model):
    """The personal words behind an entry: evidence, and who of staff wrote it down (CON-02)."""

    event = models.OneToOneField(Event, models.PROTECT, primary_key=True, related_name="detail")
    evidence = models.TextField(_("underlag"), blank=True)
    # Goes with the words, and without it nobody can guess them from the hash.
    evidence_salt = models.BinaryField(max_length=16, editable=False, default=b"", db_default=b"")
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    # RUL-27: five years after the entry stopped applying, written by the act that ended it; FAR
    # while something rests on it. The first notice is proof as long as the person is known.
    retain_until = models.DateField(_("till och med"), default=FAR, db_default=FAR)

    personal_data = PersonalData(
        name=_("Underlag till dina val"),
        path="event__customer",
        columns={Category.PROOF: ("evidence",)},
        impersonal=("evidence_salt", "actor", "retain_until"),
        clock=Clock.EARLIER,
    )

    class Meta:
        verbose_name = _("underlag")
        verbose_name_plural = _("underlag")
        indexes = [
            # The night finds here whose words are past their own day.
            models.Index(
                name="detail_retain_until",
                fields=["retain_until", "event"],
                condition=Q(retain_until__lt=FAR),
            ),
        ]
        triggers = [
            # They are never written anew; who wrote may only be forgotten, and a last day is set
            # once.
            pgtrigger.Trigger(
                name="event_detail_stays_as_written",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                # In its condition and not in its body: an allowed change calls no function.
                condition=pgtrigger.Condition(
                    "((NEW.event_id, NEW.evidence, NEW.evidence_salt) IS DISTINCT FROM "
                    "(OLD.event_id, OLD.evidence, OLD.evidence_salt) OR (NEW.actor_id IS NOT NULL "
                    "AND NEW.actor_id IS DISTINCT FROM OLD.actor_id) OR (OLD.retain_until < "
                    "DATE '9000-01-01' AND NEW.retain_until <> OLD.retain_until))"
                ),
                func="RAISE EXCEPTION 'The words behind an entry are never rewritten.';",
            ),
            not_emptied("event_detail"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class Seal(models.Model):
    """A stretch of the ledger under one Merkle root, chained to the seal before it.

    The root and the leaves are also kept outside the database (`consent.seals`).
    """

    number = models.PositiveBigIntegerField(_("nummer"), primary_key=True)
    first_event = models.PositiveBigIntegerField(_("första posten"))
    last_event = models.PositiveBigIntegerField(_("sista posten"))
    entry_count = models.PositiveIntegerField(_("antal poster"))
    root = models.BinaryField(max_length=32, editable=False)
    # The digest of the seal before it; 32 zeros before the first.
    previous = models.BinaryField(max_length=32, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)
    sealed_at = models.DateTimeField(_("förseglad"), default=timezone.now)

    personal_data = Impersonal(
        columns=(
            "number",
            "first_event",
            "last_event",
            "entry_count",
            "root",
            "previous",
            "digest",
            "sealed_at",
        )
    )

    class Meta:
        verbose_name = _("sigill")
        verbose_name_plural = _("sigill")
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(
                name="seal_covers_entries",
                condition=Q(first_event__lte=F("last_event")) & Q(entry_count__gte=1),
            ),
        ]
        triggers = never_changes("seal")

    def __str__(self) -> str:
        return f"{self.pk}"


class Standing(models.Model):
    """What holds now for one use of one person's data; replaying the ledger gives the same.

    No date is NULL: `opens` FAR and `closes` NEVER mean shut. A missing row is a refusal.
    """

    class Permission(models.TextChoices):
        NONE = "none", _("inget")
        OPT_OUT = "opt_out", _("tills du säger nej")
        SOFT = "soft", _("efter köp")
        CONSENT = "consent", _("du har sagt ja")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="standings", db_index=False)
    purpose = models.CharField(_("ändamål"), max_length=2, choices=CODES)
    channel = models.CharField(_("kanal"), max_length=8, choices=Channel)
    third_party = models.CharField(_("företag"), max_length=40, blank=True)
    permission = models.CharField(_("grund"), max_length=8, choices=Permission)
    declined = models.BooleanField(_("har sagt nej"), default=False)
    opens = models.DateField(default=FAR)
    closes = models.DateField(default=NEVER)
    since = models.DateField(_("sedan"))
    authority = models.PositiveSmallIntegerField(_("vems ord"), choices=Authority)
    # No constraint: an entry of the ledger is never deleted, and asking costs a fourth of a load.
    event = models.ForeignKey(
        Event, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )

    personal_data = PersonalData(
        name=_("Vad som gäller nu"),
        columns={
            Category.PROOF: (
                "purpose",
                "channel",
                "third_party",
                "permission",
                "declined",
                "since",
                "authority",
            )
        },
        impersonal=("opens", "closes", "event"),
    )

    class Meta:
        verbose_name = _("gällande val")
        verbose_name_plural = _("gällande val")
        constraints = [
            models.UniqueConstraint(
                name="one_standing_per_use",
                fields=["customer", "purpose", "channel", "third_party"],
            ),
            models.CheckConstraint(
                name="declined_is_shut", condition=Q(declined=False) | Q(closes__lt=FAR)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class ProcessingRecord(models.Model):
    """This person, this purpose, from when until when: a projection of facts (idea 5)."""

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="processing_records", db_index=False
    )
    purpose = models.CharField(_("ändamål"), max_length=2, choices=CODES)
    basis = models.CharField(
        _("rättslig grund"), max_length=1, choices=[(b.value, b.name) for b in Basis]
    )
    since = models.DateField(_("sedan"))
    retain_until = models.DateField(_("till och med"))
    # The last day of the relation that starts the windows of MFL-06; FAR while it lives.
    relation_ended_on = models.DateField(default=FAR)
    ended_on = models.DateField(_("avslutat"), null=True, blank=True)

    personal_data = PersonalData(
        name=_("Varför vi har dina uppgifter"),
        columns={
            Category.SHELL: (
                "purpose",
                "basis",
                "since",
                "retain_until",
                "relation_ended_on",
                "ended_on",
            )
        },
    )

    class Meta:
        verbose_name = _("pågående ändamål")
        verbose_name_plural = _("pågående ändamål")
        constraints = [
            models.UniqueConstraint(name="one_record_per_purpose", fields=["customer", "purpose"]),
            # LAW-02: legitimate interest only for the purposes the policy lists.
            models.CheckConstraint(
                name="legitimate_interest_is_listed",
                condition=~Q(basis=Basis.LEGITIMATE_INTEREST.value)
                | Q(purpose__in=["A2", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K"]),
            ),
        ]
        indexes = [
            # The nightly purge finds what is due here; a record without an end is never due.
            models.Index(
                F("retain_until"),
                F("customer"),
                name="record_due",
                condition=Q(ended_on__isnull=True) & Q(retain_until__lt=FAR),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
