"""What staff write down that a person has said: by phone, on a slip, in a mail or a letter.

The word is the person's own and needs proof of it; staff have no verb that lifts a no (OBJ-06). The
act, its trace and a message that tells the person of it are one transaction.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent import actions, choices
from consent.choice_words import said as in_words
from consent.decisions import OURS
from consent.models import Event, Notice, Standing
from consent.overruled import overruled_by, why_not
from consent.purposes import BY_CODE, Use
from consent.rules import may_process
from consent.unsubscribe import preference_link
from customers import words
from customers.models import Customer, User
from customers.models.channels import Collected
from disclosures.actions import queue_message
from disclosures.models import Outbox
from disclosures.notices import by_code
from privacy_requests.objections import limit, object_to

Kind = Event.Kind

TEMPLATE = "choice_recorded"
WAYS = (Collected.PHONE, Collected.SLIP, Collected.EMAIL, Collected.POST, Collected.SOCIAL)


class Verb(models.TextChoices):
    """What a person can say; the first is what an unclear no means (OBJ-02, RUL-37)."""

    NO_TO_ALL = "no-to-all", gettext_lazy("Nej till all reklam, eller ett oklart nej")
    NO = "no", gettext_lazy("Nej till en sak")
    YES = "yes", gettext_lazy("Ja till en sak")
    OBJECTION = "objection", gettext_lazy("Invändning mot ett helt ändamål")
    LIMIT = "limit", gettext_lazy("Begränsa till det nödvändiga")
    TOLD = "told", gettext_lazy("Fick höra informationen i telefon")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The entries of the ledger it may become."""
        return {
            Verb.NO_TO_ALL: (Kind.OBJECTED, Kind.CONSENT_WITHDRAWN),
            Verb.NO: (Kind.OBJECTED, Kind.CONSENT_WITHDRAWN),
            Verb.YES: (Kind.CONSENT_GIVEN,),
            Verb.OBJECTION: (Kind.OBJECTED_TO_USE,),
            Verb.LIMIT: (Kind.RESTRICTED,),
            Verb.TOLD: (Kind.NOTICE_SERVED,),
        }[self]


@dataclass(frozen=True)
class Statement:
    """What a person said, of what, by which way."""

    verb: Verb
    collected: str
    use: Use | None = None
    purpose: str = ""

    @property
    def is_read_out(self) -> bool:
        """Whether staff read words to the person, which are then part of the proof (CON-02)."""
        spoken = self.collected == Collected.PHONE
        return spoken and self.verb in (Verb.YES, Verb.TOLD)

    def in_words(self) -> str:
        """Say what will be written, as the person reads it."""
        about = (self.use.purpose, self.use.channel) if self.use else (self.purpose, "")
        return in_words(self.verb.kinds[0], *about)


def script(customer: Customer, said: Statement, on: date) -> tuple[Notice, str] | None:
    """Return the wording that is read to the person, and all the words; None when none is."""
    if not said.is_read_out:
        return None
    notice = actions.current_notice(Collected.PHONE, customer.language or "sv")
    lines = [notice.text]
    if said.use:
        with translation.override(customer.language or "sv"):
            lines += [
                choices.wording(customer, said.use, on)[0],
                _(
                    "Du kan ta tillbaka ditt ja när du vill, genom att ringa oss eller på Min "
                    "sida. Vi sparar vad du sa ja till och när. Säger du ja till det?"
                ),
            ]
    return notice, "\n\n".join(lines)


def no_since(customer: Customer, said: Statement) -> date | None:
    """Return the day of the person's own no that a yes would end (OBJ-06)."""
    if said.verb is not Verb.YES or said.use is None:
        return None
    found = Standing.objects.filter(
        customer=customer, purpose=said.use.purpose, channel=said.use.channel, declined=True
    )
    return found.values_list("since", flat=True).first()


@dataclass(frozen=True)
class Recorded:
    """What became of a statement: its entry, and the message that tells the person of it."""

    event: Event
    message: Outbox | None
    # The no that a yes yields to, so that it changed nothing.
    overruled_by: Event | None = None


@transaction.atomic
def record(
    customer: Customer, said: Statement, *, at: datetime, evidence: str, actor: User, on: date
) -> Recorded | None:
    """Write down what a person said and tell them; None when it stands already (B06).

    Raises ActError for what nobody can say.
    """
    Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
    read = script(customer, said, on)
    proof = f"{read[1]}\n\n{evidence}" if read else evidence
    if _is_written(customer, said, at, proof):
        return None
    with translation.override(customer.language or "sv"):
        notice = read[0] if read else None
        if _act(customer, said, at, proof, actor, notice) is None:
            return None
    found = Event.objects.filter(customer=customer, kind__in=said.verb.kinds)
    event = found.latest("pk")
    no = overruled_by(event)
    return Recorded(event, _tell(customer, said, event, no, on), no)


def _is_written(customer: Customer, said: Statement, at: datetime, evidence: str) -> bool:
    return Event.objects.filter(
        customer=customer,
        kind__in=said.verb.kinds,
        purpose=said.use.purpose if said.use else said.purpose,
        channel=said.use.channel if said.use else "",
        collected=said.collected,
        at=at,
        detail__evidence=evidence,
    ).exists()


def _act(
    customer: Customer,
    said: Statement,
    at: datetime,
    evidence: str,
    actor: User,
    notice: Notice | None,
) -> Any:
    how: dict[str, Any] = {
        "collected": said.collected,
        "evidence": evidence,
        "actor": actor,
        "at": at,
    }
    match said.verb:
        case Verb.YES if said.use:
            return actions.say_yes(customer, said.use, notice=notice, **how)
        case Verb.NO if said.use:
            return actions.say_no(customer, said.use, **how)
        case Verb.NO_TO_ALL:
            return actions.say_no(customer, **how)
        case Verb.OBJECTION:
            how["reason"] = how.pop("evidence")
            return object_to(customer, [said.purpose], confirm=False, **how)
        case Verb.LIMIT:
            return limit(customer, confirm=False, **how)
        case Verb.TOLD:
            return actions.serve_notice(customer, notice=notice, **how)
    raise actions.ActError(f"Say what the {said.verb.value} is about.")


def _tell(
    customer: Customer, said: Statement, event: Event, no: Event | None, on: date
) -> Outbox | None:
    """Tell the person what was written in their name and how to undo it, with no advertising.

    A yes is told as what it is: one that counts, one that waits, or one that a no stands above.
    """
    language = customer.language or "sv"
    page = "privacy_requests:restriction" if said.verb is Verb.LIMIT else "consent:choices"
    is_marketing = said.use is not None and BY_CODE[said.use.purpose].is_marketing
    with translation.override(language):
        about = {
            "what": in_words(
                event.kind, event.purpose, event.channel, event.third_party, counts=no is None
            ),
            "counts": _counts(customer, said, event, no, on),
            "how": str(event.get_collected_display()),
            "when": f"{words.full_day(event.at)} {words.clock(event.at)}",
            "page": settings.SITE_URL + reverse(page),
            "can_be_stopped": said.verb is Verb.YES and is_marketing and no is None,
            "link": preference_link(customer, language),
            **by_code(customer),
        }
    return queue_message(customer, TEMPLATE, about)


def _counts(customer: Customer, said: Statement, event: Event, no: Event | None, on: date) -> str:
    """Say what becomes of what was written, in one or two sentences."""
    if no is not None:
        return why_not(event, no)
    if said.verb is Verb.YES and said.use is not None:
        decision = may_process(customer.pk, said.use)
        if not decision.allowed(on):
            waits = [str(a.reason) for a in decision.refusals(on) if a.name not in OURS]
            return " ".join([_("Det är sparat, men ändrar inget än."), *waits])
    return _("Det gäller redan.")
