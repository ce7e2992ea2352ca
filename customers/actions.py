"""What happens when a person's details change: the new value, and the change beside it (REC-01).

A contact point is written with what it carries: the day of a no (ERA-06), and nothing of mail that
came back from the value before it (RUL-28).
"""

from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from customers import contact_points, crypto, rules
from customers.dates import add_years, today
from customers.models import AccessLog, Address, Change, Customer, Suppression, User
from customers.models.channels import Collected, Source

OF_THE_PERSON = ("given_name", "family_name", "email", "phone", "language")
OF_THE_ADDRESS = ("street", "postcode", "city")


class StaleError(Exception):
    """Somebody changed the person in between; show both and ask again (B07)."""


@transaction.atomic
def change_details(
    customer: Customer,
    values: dict[str, str],
    *,
    source: str = Source.PERSON,
    collected: str = Collected.PORTAL,
    actor: User | None = None,
    expected_version: int | None = None,
) -> list[Change]:
    """Change a person's details at once and keep what was; return the changes made.

    Keys are those of OF_THE_PERSON and OF_THE_ADDRESS, values already cleaned. Raises StaleError
    when the person is no longer at `expected_version` or erased, KeyError for any other key. Of
    somebody with a protected identity nothing old is kept (RUL-24).
    """
    unknown = set(values) - set(OF_THE_PERSON) - set(OF_THE_ADDRESS)
    if unknown:
        raise KeyError(", ".join(sorted(unknown)))
    locked = Customer.objects.select_for_update().get(pk=customer.pk)
    if not locked.name:
        raise StaleError(_("Uppgifterna har raderats, så det finns inget att ändra."))
    if expected_version is not None and locked.version != expected_version:
        raise StaleError(
            _("Uppgiften ändrades av någon annan medan du skrev. Titta och spara igen.")
        )
    address = locked.addresses.filter(kind=Address.Kind.HOME).first()
    address = address or Address(customer=locked, kind=Address.Kind.HOME)
    owners = dict.fromkeys(OF_THE_PERSON, locked) | dict.fromkeys(OF_THE_ADDRESS, address)
    changes = [
        Change(
            customer=locked,
            field=name,
            old=getattr(owners[name], name),
            new=value,
            source=source,
            collected=collected,
            actor=actor,
        )
        for name, value in values.items()
        if value != getattr(owners[name], name)
    ]
    if not changes:
        return []
    for change in changes:
        setattr(owners[change.field], change.field, change.new)
    _renew_contact_points(locked, address, {change.field for change in changes})
    locked.version += 1
    if source == Source.PERSON:
        locked.last_contact_on = max(locked.last_contact_on, today())
    locked.save()
    if any(change.field in OF_THE_ADDRESS for change in changes):
        address.source, address.collected, address.given_on = source, collected, today()
        address.save()
    elif address.pk is not None:
        address.save(update_fields=["suppressed_on"])
    if not locked.protection:
        Change.objects.bulk_create(changes)
    customer.refresh_from_db()
    return changes


def _renew_contact_points(customer: Customer, home: Address, changed: set[str]) -> None:
    """Let what the old values carried go, and look up the new ones; the caller saves.

    Whether a new number or address is in NIX is unknown until the next wash (NIX-01).
    """
    moved = not changed.isdisjoint(OF_THE_ADDRESS)
    if not (moved or changed & {"email", "phone", "family_name"}):
        return
    before = (customer.email_suppressed_on, customer.phone_suppressed_on, home.suppressed_on)
    contact_points.mark_suppressed(customer, [home])
    if "email" in changed:
        customer.email_returned_on = None
    else:
        customer.email_suppressed_on = before[0]
    if "phone" in changed:
        customer.phone_returned_on = customer.nix_phone = None
    else:
        customer.phone_suppressed_on = before[1]
    if moved or "family_name" in changed:
        customer.nix_post = None
    if moved:
        home.returned_on = None
    elif before[2] is not None:
        # A new name at the same address is no yes (OBJ-06).
        home.suppressed_on = before[2]


@transaction.atomic
def mark_returned(customer: Customer, kind: str, on: date, *, value: str = "") -> bool:
    """Remember that what we sent by a way came back, until a new value is given (RUL-28).

    `kind` is one of Suppression.Kind, an address the home address. `value` is where it was sent,
    as it is stored, an address as its line: what comes back from a value that has been replaced is
    not about the new one. Return whether it was marked; raises ValueError for a day ahead.
    """
    if on > today():
        raise ValueError("Nothing has come back on a day that lies ahead; give today or earlier.")
    locked = Customer.objects.select_for_update().get(pk=customer.pk)
    if kind == Suppression.Kind.ADDRESS:
        home = locked.addresses.filter(kind=Address.Kind.HOME).first()
        if home is None or home.returned_on or on < home.given_on:
            return False
        if value and value != home.line:
            return False
        home.returned_on = on
        home.save(update_fields=["returned_on"])
        return True
    column = {"email": "email_returned_on", "phone": "phone_returned_on"}[kind]
    known = getattr(locked, kind)
    if not known or getattr(locked, column) or (value and value.casefold() != known):
        return False
    setattr(locked, column, on)
    locked.save(update_fields=[column])
    customer.refresh_from_db(fields=[column])
    return True


@transaction.atomic
def set_national_id(customer: Customer, number: str, used_on: date | None = None) -> None:
    """Keep a national identity number of twelve digits, sealed and with its look-up hash (PNR-02).

    The day it is set is the day it was last used, unless another is given (RUL-16). A number that
    tells of a minor wins over what was said, and is remembered as the birth date when it goes
    (RUL-03).
    """
    customer.national_id_sealed = crypto.seal(
        number.encode(),
        ring=settings.FIELD_KEYS,
        bound_to=f"national_id:{customer.pseudonym}",
    )
    customer.national_id_hash = crypto.lookup_hash(number)
    customer.national_id_used_on = used_on or today()
    born = rules.born(number)
    if today() < add_years(born, 18):
        customer.birth_date = born
    customer.save(
        update_fields=[
            "national_id_sealed",
            "national_id_hash",
            "national_id_used_on",
            "birth_date",
        ]
    )


def record_reading(customer: Customer, actor: User, reason: str, words: str = "") -> AccessLog:
    """Leave a trace that one of staff looks at a person, before it is shown (ACC-05)."""
    return AccessLog.objects.create(customer=customer, actor=actor, reason=reason, words=words)
