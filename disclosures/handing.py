"""The one door out: what of whom may be handed to a recipient, with a row for each of them.

Refused as a whole where the recipient may get nothing, person by person where the gate says no.
Only what is returned may leave, and it has its row in the same transaction (PAR-01, PNR-01).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from consent.decisions import Decision
from consent.models import Standing
from consent.purposes import BY_CODE, Basis, Purpose, Use
from consent.rules import may_process_many
from customers.dates import stockholm_date
from customers.models import Address, Customer
from customers.models.channels import Channel
from customers.models.people import Protection
from customers.personal_data import Category
from customers.rules import national_id
from disclosures.agreements import Kind, cover
from disclosures.models import Disclosure, Recipient

# What leaves of each kind; nothing else on the map ever does by this door.
FIELDS: dict[Category, tuple[str, ...]] = {
    Category.IDENTITY: ("given_name", "family_name"),
    Category.CONTACT: ("email", "phone"),
    Category.ADDRESS: ("street", "postcode", "city", "country"),
    Category.NATIONAL_ID: ("national_id",),
}
# PNR-01: the only purpose for which the number leaves; never to a partner (PAR-02).
BY_NUMBER = "A2"
# A yes to a partner is to one way, and opens what that way needs (PAR-01).
BY_CHANNEL: dict[str, tuple[str, ...]] = {
    Channel.EMAIL: ("email",),
    Channel.SMS: ("phone",),
    Channel.PHONE: ("phone",),
    Channel.POST: FIELDS[Category.ADDRESS],
}
QUIET = (Channel.INTERNAL, Channel.PORTAL, Channel.POST, Channel.EMAIL)


class NotDisclosedError(ValueError):
    """Nothing was handed over; the message says in one sentence why."""


@dataclass(frozen=True)
class Handed:
    """What of one person may leave: the number they are known by there, and the fields."""

    number: str
    fields: dict[str, str]


@dataclass
class Outcome:
    """Who was handed over and who was not, with the reasons by which the gate said no."""

    handed: list[Handed] = field(default_factory=list)
    left_out: dict[int, list[str]] = field(default_factory=dict)


@transaction.atomic
def disclose(
    customers: Iterable[Customer],
    recipient: Recipient,
    purpose: str,
    *,
    channel: str = "",
    at: datetime | None = None,
) -> Outcome:
    """Hand people to a recipient for a purpose and write a row for each.

    `channel` is the way a partner was said yes to; other purposes ask no way. Raises
    NoAgreementError and NotDisclosedError, and then nothing is written.
    """
    at = at or timezone.now()
    on = stockholm_date(at)
    recipient = Recipient.objects.get(pk=recipient.pk)
    if purpose not in BY_CODE or purpose not in recipient.purposes:
        raise NotDisclosedError(
            _("%(who)s får inga uppgifter för det ändamålet.") % {"who": recipient}
        )
    use = _use(BY_CODE[purpose], recipient, channel)
    allowed_fields = _allowed(BY_CODE[purpose], recipient, channel)
    covered = cover(recipient, on)
    wanted = sorted({customer.pk for customer in customers})
    # Who says no meanwhile waits, so that nothing leaves after it (OBJ-01).
    people = Customer.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    found = {person.pk: person for person in people}
    decisions = may_process_many(wanted, use) if use else {}
    homes = _homes(found) if Category.ADDRESS in allowed_fields else {}
    proofs = _proofs(found, use) if use and use.third_party else {}
    outcome, rows = Outcome(), []
    for key in wanted:
        person = found.get(key)
        refused = _refused(person, recipient, decisions.get(key), use, on)
        if person is None or refused:
            outcome.left_out[key] = refused
            continue
        values, categories = _values(person, homes.get(key), allowed_fields)
        if not values:
            outcome.left_out[key] = [_("Vi har inga sådana uppgifter.")]
            continue
        basis = decisions[key].basis if use else BY_CODE[purpose].basis
        rows.append(
            Disclosure(
                customer=person,
                recipient=recipient,
                agreement=covered.agreement,
                at=at,
                purpose=purpose,
                basis=basis.value,
                event_id=proofs.get(key),
                channel=channel,
                categories=categories,
                fields=list(values),
                country=recipient.country,
                safeguard=covered.safeguard,
            )
        )
        outcome.handed.append(Handed(person.number, values))
    Disclosure.objects.bulk_create(rows)
    return outcome


def _use(purpose: Purpose, recipient: Recipient, channel: str) -> Use | None:
    """Return what the gate is asked; None for what the law alone demands (LAW-01)."""
    if purpose.named_third_party:
        if channel not in BY_CHANNEL:
            raise NotDisclosedError(_("Säg vilken väg personen har sagt ja till."))
        return Use(purpose.code, channel, recipient.name)
    if not purpose.channels:
        if purpose.basis is not Basis.LEGAL_OBLIGATION:
            raise NotDisclosedError(_("Det ändamålet lämnar inget ifrån sig."))
        return None
    way = next(way for way in (*QUIET, *purpose.channels) if way in purpose.channels)
    return Use(purpose.code, way)


def _allowed(
    purpose: Purpose, recipient: Recipient, channel: str
) -> dict[Category, tuple[str, ...]]:
    """Return the fields that may leave: of the purpose, of the recipient, and of the way."""
    # Where the law alone demands it, it says what; the recipient's row holds that.
    of_purpose = {*purpose.keeps, *purpose.uses} if purpose.channels else set(FIELDS)
    found = {}
    for category in recipient.may_get():
        names = FIELDS.get(category, ())
        if category is Category.NATIONAL_ID and purpose.code != BY_NUMBER:
            continue
        if purpose.named_third_party and category is not Category.IDENTITY:
            names = tuple(name for name in names if name in BY_CHANNEL[channel])
        if names and category in of_purpose:
            found[category] = names
    if not found:
        raise NotDisclosedError(
            _("%(who)s får inga av de uppgifter som ändamålet behöver.") % {"who": recipient}
        )
    return found


def _refused(
    person: Customer | None,
    recipient: Recipient,
    decision: Decision | None,
    use: Use | None,
    on: date,
) -> list[str]:
    """Return why a person is left out; nothing where they are not."""
    if person is None or not person.name:
        return [_("Vi har inga uppgifter om personen.")]
    # By hand, and never in a file, but where an authority asks by law (SKY-01, PAR-02).
    if person.protection != Protection.NONE and recipient.kind != Kind.AUTHORITY:
        return [_("Personen har skyddade personuppgifter.")]
    if use is None or decision is None:
        return []
    return [answer.told("sv") for answer in decision.refusals(on)]


def _values(
    person: Customer, home: Address | None, allowed: dict[Category, tuple[str, ...]]
) -> tuple[dict[str, str], int]:
    """Return the fields of a person that say something, and the mask of their kinds."""
    values: dict[str, str] = {}
    categories = 0
    for category, names in allowed.items():
        if category is Category.NATIONAL_ID:
            found = {"national_id": national_id(person)}
        else:
            source = home if category is Category.ADDRESS else person
            found = {name: str(getattr(source, name, "") or "") for name in names}
        said = {name: value for name, value in found.items() if value}
        if said:
            values |= said
            categories |= category.value
    return values, categories


def _homes(people: Iterable[int]) -> dict[int, Address]:
    found = Address.objects.filter(customer__in=list(people), kind=Address.Kind.HOME)
    return {home.customer_id: home for home in found}


def _proofs(people: Iterable[int], use: Use) -> dict[int, int]:
    """Return the entry of the ledger that each yes rests on."""
    found = Standing.objects.filter(
        customer__in=list(people),
        purpose=use.purpose,
        channel=use.channel,
        third_party=use.third_party,
    )
    return dict(found.values_list("customer_id", "event_id"))
