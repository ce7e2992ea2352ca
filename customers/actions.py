"""What happens when a person's details change: the new value, and the change beside it (REC-01)."""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from customers import crypto, rules
from customers.dates import add_years, today
from customers.models import AccessLog, Address, Change, Customer, User
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
    locked.version += 1
    if source == Source.PERSON:
        locked.last_contact_on = max(locked.last_contact_on, today())
    locked.save()
    if any(change.field in OF_THE_ADDRESS for change in changes):
        address.source, address.collected, address.given_on = source, collected, today()
        address.save()
    if not locked.protection:
        Change.objects.bulk_create(changes)
    customer.refresh_from_db()
    return changes


@transaction.atomic
def set_national_id(customer: Customer, number: str) -> None:
    """Keep a national identity number of twelve digits, sealed and with its look-up hash (PNR-02).

    The day it is set is the day it was last used (RUL-16). A number that tells of a minor wins over
    what was said, and is remembered as the birth date when it goes (RUL-03).
    """
    customer.national_id_sealed = crypto.seal(
        number.encode(),
        ring=settings.FIELD_KEYS,
        bound_to=f"national_id:{customer.pseudonym}",
    )
    customer.national_id_hash = crypto.lookup_hash(number)
    customer.national_id_used_on = today()
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
