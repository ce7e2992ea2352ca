"""How a person is reached, and whether the way itself carries a no (ERA-06, OBJ-06, F16).

The e-mail address, the phone number and the postal address of somebody who said no to all
advertising, or who said no and is gone, are kept as keyed hashes. The key is in the settings and
never reaches the database, so nobody reads an address out of the list. Whoever writes a contact
point asks here, in the same transaction, and keeps the day of the no beside the value; a yes that
the person gives from that day on is the newer word. A postal address is hashed together with the
family name: the next people to live there are not its subject.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection

from customers.models import Address, Customer, Suppression
from customers.rules import clean_phone

Kind = Suppression.Kind
# A kind and a value of it, as digest() takes them.
Point = tuple[str, str]

_INTERNATIONAL = re.compile(r"\+[0-9]+")
_FLAT = re.compile(r"\b(?:lgh|lght|lägenhet)\b\W*\w*")
AT_A_TIME = 5000


def digest(kind: str, value: str) -> bytes:
    """Return the keyed hash of a contact point, of a postal address as `postal` writes it."""
    text = value.strip().casefold()
    if kind == Kind.PHONE and not _INTERNATIONAL.fullmatch(text):
        text = _phone(text)
    return hmac.digest(settings.SUPPRESSION_KEY, f"{kind}:{text}".encode(), hashlib.sha256)


def postal(family_name: str, street: str, postcode: str) -> str:
    """Return what of a postal address stays the same however it is typed; "" if a part is missing.

    Letters and digits only, in one case, without the number of a flat.
    """
    parts = [_signs(family_name), _signs(_FLAT.sub("", _folded(street))), _signs(postcode)]
    return "|".join(parts) if all(parts) else ""


def _phone(text: str) -> str:
    try:
        return clean_phone(text)
    except ValidationError:
        return text


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _signs(text: str) -> str:
    return "".join(sign for sign in _folded(text) if sign.isalnum())


def suppressed_on(kind: str, value: str) -> date | None:
    """Return the day of the no that a contact point carries; None when it carries none."""
    return suppressed([(kind, value)]).get((kind, value))


def suppressed(points: Iterable[Point]) -> dict[Point, date]:
    """Return the day of the no for those of many contact points that carry one."""
    asked = {(kind, value): digest(kind, value) for kind, value in points if value}
    if not asked:
        return {}
    found = Suppression.objects.filter(
        kind__in={kind for kind, _ in asked}, digest__in=set(asked.values())
    )
    days = {
        (kind, bytes(hashed)): added_on
        for kind, hashed, added_on in found.values_list("kind", "digest", "added_on")
    }
    return {
        (kind, value): days[kind, hashed]
        for (kind, value), hashed in asked.items()
        if (kind, hashed) in days
    }


def mark_suppressed(customer: Customer, addresses: Sequence[Address] = ()) -> None:
    """Put the day of the no beside each contact point, before the caller saves them."""
    homes = {id(a): postal(customer.family_name, a.street, a.postcode) for a in addresses}
    found = suppressed(
        [
            (Kind.EMAIL, customer.email),
            (Kind.PHONE, customer.phone),
            *((Kind.ADDRESS, home) for home in homes.values()),
        ]
    )
    customer.email_suppressed_on = found.get((Kind.EMAIL, customer.email))
    customer.phone_suppressed_on = found.get((Kind.PHONE, customer.phone))
    for address in addresses:
        address.suppressed_on = found.get((Kind.ADDRESS, homes[id(address)]))


ADD = """
    INSERT INTO customers_suppression AS s (id, kind, digest, added_on)
    SELECT gen_random_uuid(), kind, digest, on_day
      FROM unnest(%s, %s::bytea[], %s::date[]) AS x (kind, digest, on_day)
    ON CONFLICT (kind, digest) DO UPDATE SET added_on = EXCLUDED.added_on
     WHERE s.added_on < EXCLUDED.added_on
"""


def add(points: Iterable[tuple[Point, date]]) -> None:
    """Put contact points on the list, each with the day of a no; the latest stays."""
    days: dict[tuple[str, bytes], date] = {}
    for (kind, value), day in points:
        if value:
            key = kind, digest(kind, value)
            days[key] = max(day, days.get(key, day))
    if not days:
        return
    # In one order for everybody, so that two nights' workers that meet here do not deadlock.
    rows = [(*key, days[key]) for key in sorted(days)]
    with connection.cursor() as cursor:
        cursor.execute(ADD, [*map(list, zip(*rows, strict=True))])


def points(
    email: str, phone: str, family_name: str, street: str, postcode: str
) -> tuple[Point, Point, Point]:
    """Return a person's contact points; empty ones are nobody's."""
    home = postal(family_name, street, postcode)
    return (Kind.EMAIL.value, email), (Kind.PHONE.value, phone), (Kind.ADDRESS.value, home)


# One row per address, or one for somebody without.
OF_PEOPLE = """
    SELECT c.id, c.email, c.phone, c.family_name, COALESCE(a.street, ''), COALESCE(a.postcode, '')
      FROM customers_customer c LEFT JOIN customers_address a ON a.customer_id = c.id
     WHERE c.id = ANY(%s)
"""


def suppress(said_no: Mapping[int, date]) -> None:
    """Remember every way to these people as hashes, so that nothing reopens what they closed.

    Takes the day of the no by the person's key.
    """
    ids = list(said_no)
    with connection.cursor() as cursor:
        for start in range(0, len(ids), AT_A_TIME):
            cursor.execute(OF_PEOPLE, [ids[start : start + AT_A_TIME]])
            ways = [(said_no[key], points(*row)) for key, *row in cursor.fetchall()]
            add((point, day) for day, found in ways for point in found)
