"""Saying no without signing in: links that only say no, for each person and way of reaching them.

A link never ends, since neither does the right to say no (OBJ-01, CON-03). It carries the person's
public id and the way, signed, and says nothing to whoever reads it; all it can do is end
advertising. Paper cannot carry a link, so a letter has a short code to type instead.
"""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from consent.choice_words import BY
from customers.models import Customer
from customers.models.channels import Channel

SALT = "consent.unsubscribe"
# The ways by which advertising reaches people, in the order that links number them: never changed.
WAYS = (
    Channel.EMAIL,
    Channel.SMS,
    Channel.PHONE,
    Channel.POST,
    Channel.SOCIAL,
    Channel.PUSH,
)
EVERY_WAY = 0
# What a mail program posts when its reader presses "unsubscribe" (RFC 8058).
ONE_CLICK = ("List-Unsubscribe", "One-Click")

# A code: 40 bits of the public id and 20 of a keyed hash, in letters that are not mistaken.
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MISREAD = str.maketrans("OIL", "011")
ID_LETTERS, CHECK_LETTERS, GROUP = 8, 4, 4
BITS = 5  # of one letter
ID_BITS = ID_LETTERS * BITS


class NoSuchLinkError(Exception):
    """The link or the code is not one of ours, or not whole."""


@dataclass(frozen=True)
class Link:
    """What a link says: whom it is about and which way to end; no way is all of them."""

    public_id: uuid.UUID
    channel: str = ""

    def token(self) -> str:
        """Return the signed part of the address."""
        way = WAYS.index(Channel(self.channel)) + 1 if self.channel else EVERY_WAY
        packed = self.public_id.bytes + bytes([way])
        return _signer().sign(base64.urlsafe_b64encode(packed).decode().rstrip("="))

    @classmethod
    def read(cls, token: str) -> "Link":
        """Read the signed part of an address; raises NoSuchLinkError."""
        try:
            signed = _signer().unsign(token)
        except BadSignature as forged:
            raise NoSuchLinkError from forged
        packed = base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4))
        way = packed[-1]
        return cls(uuid.UUID(bytes=packed[:-1]), WAYS[way - 1].value if way else "")


def _key() -> bytes:
    """Derive from a key that is never changed: mails lie in people's boxes for years."""
    return hmac.digest(settings.LOOKUP_KEY, SALT.encode(), hashlib.sha256)


def _signer() -> Signer:
    return Signer(key=_key(), salt=SALT, sep=".", fallback_keys=[])


def link(customer: Customer, channel: str, language: str = "sv") -> str:
    """Return the address that ends advertising by one way."""
    return _address(Link(customer.public_id, channel), language)


def preference_link(customer: Customer, language: str = "sv") -> str:
    """Return the address where a person sees by which ways ads come, and says no (INF-02)."""
    return _address(Link(customer.public_id), language)


def _address(to: Link, language: str) -> str:
    path = reverse("unsubscribe:stop", args=[to.token()])
    return f"{settings.SITE_URL}{path}{'?lang=en' if language == 'en' else ''}"


def headers(customer: Customer) -> dict[str, str]:
    """Return what tells a mail program how to end advertising with one click (RFC 8058)."""
    name, value = ONE_CLICK
    return {name: f"<{link(customer, Channel.EMAIL)}>", f"{name}-Post": f"{name}={value}"}


def footer(customer: Customer, channel: str, language: str) -> str:
    """Return the last lines of an advertisement: how to say no to more of them (MFL-03)."""
    with translation.override(language):
        if channel == Channel.POST:
            said = _(
                "Vill du inte ha reklam %(how)s? Gå till %(address)s och skriv koden %(code)s. Du "
                "behöver inte logga in, och det gäller direkt. Du kan också ringa %(phone)s."
            )
        else:
            said = _(
                "Vill du inte ha reklam %(how)s? Säg nej här, utan att logga in. Det gäller "
                "direkt.\n%(link)s"
            )
        return said % {
            "how": BY[Channel(channel)],
            "link": link(customer, channel, language),
            "address": settings.SITE_URL + reverse("unsubscribe:type_code"),
            "code": code(customer),
            "phone": settings.CONTROLLER["phone"],
        }


# Codes for letters


def code(customer: Customer) -> str:
    """Return the code a person types to end advertising by post: 4K7M-0QTC-9XWA."""
    head = customer.public_id.int >> (128 - ID_BITS)
    written = "".join(_letters(head, ID_LETTERS)) + _check(customer.public_id)
    return "-".join(written[at : at + GROUP] for at in range(0, len(written), GROUP))


def find_by_code(typed: str) -> Customer:
    """Return the person a code belongs to, however it was spaced; raises NoSuchLinkError."""
    written = "".join(typed.split()).replace("-", "").upper().translate(MISREAD)
    if len(written) != ID_LETTERS + CHECK_LETTERS or set(written) - set(LETTERS):
        raise NoSuchLinkError
    head = 0
    for letter in written[:ID_LETTERS]:
        head = head << BITS | LETTERS.index(letter)
    first = head << (128 - ID_BITS)
    last = first | (1 << (128 - ID_BITS)) - 1
    within = (uuid.UUID(int=first), uuid.UUID(int=last))
    for customer in Customer.objects.filter(public_id__range=within):
        if hmac.compare_digest(_check(customer.public_id), written[ID_LETTERS:]):
            return customer
    raise NoSuchLinkError


def _check(public_id: uuid.UUID) -> str:
    digest = hmac.digest(_key(), b"code" + public_id.bytes, hashlib.sha256)
    return "".join(_letters(int.from_bytes(digest) >> (256 - CHECK_LETTERS * BITS), CHECK_LETTERS))


def _letters(number: int, count: int) -> Iterator[str]:
    for place in reversed(range(count)):
        yield LETTERS[number >> place * BITS & len(LETTERS) - 1]
