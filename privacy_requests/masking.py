"""What is about others in the notes we keep for ourselves: left out of what is handed out (E03).

What the person wrote and what was sent to them they know already. Notes of staff may name a
colleague or somebody else: addresses, numbers and names of staff are replaced before anything is
set, packed or counted, so that no layer of any file has them (E14).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from customers.models import Change, Customer, User
from customers.rules import national_id
from customers.words import controller

# Running text that staff write or a program notes, by table. The other running texts of the map
# come from the person or went to them.
NOTES: dict[str, frozenset[str]] = {
    "admin.logentry": frozenset({"object_repr"}),
    "consent.eventdetail": frozenset({"evidence"}),
    "customers.accesslog": frozenset({"words"}),
    "customers.debtinterruption": frozenset({"words"}),
    "disclosures.recipientnotice": frozenset({"reason"}),
    "privacy_requests.case": frozenset({"reasons"}),
    "privacy_requests.caseevent": frozenset({"words"}),
    "retention.hold": frozenset({"reason"}),
    "retention.holdreview": frozenset({"reason"}),
}
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
PHONE = re.compile(r"(?<![\w-])(?:\+|0)\d(?:[ -]?\d){6,12}(?![\w-])")
NATIONAL_ID = re.compile(r"(?<![\w+-])(?:\d{2})?\d{6}[-+ ]?\d{4}(?![\w-])")
NAME_IN_ADDRESS = re.compile(r"^[a-zåäöéü]{2,}(?:[._-][a-zåäöéü]{2,})+$")


@dataclass(frozen=True)
class Mask:
    """What may be said in a note about one person, and what of staff may not."""

    theirs: frozenset[str]
    staff_names: re.Pattern[str] | None

    def over(self, note: str) -> str:
        """Return a note without what is about others."""
        for pattern in (EMAIL, NATIONAL_ID, PHONE):
            note = pattern.sub(lambda found: self._kept(found[0]), note)
        return self.staff_names.sub(left_out(), note) if self.staff_names else note

    def _kept(self, found: str) -> str:
        return found if _bare(found) in self.theirs else left_out()


def left_out() -> str:
    """Return what stands where something about somebody else stood."""
    return _("[om någon annan]")


def mask_for(customer: Customer) -> Mask:
    """Return the mask over notes about one person: their own and our own addresses stay."""
    ours = controller()
    number = national_id(customer)
    earlier = Change.objects.filter(customer=customer, field__in=("email", "phone"))
    known = [
        *(customer.email, customer.phone, number, number[2:], ours["email"], ours["phone"]),
        *(value for pair in earlier.values_list("old", "new") for value in pair),
    ]
    mine = {word.casefold() for word in f"{customer.given_name} {customer.family_name}".split()}
    staff = User.objects.filter(is_staff=True)
    return Mask(frozenset(_bare(value) for value in known if value), _names(staff, mine))


def _names(staff: QuerySet[User], mine: set[str]) -> re.Pattern[str] | None:
    """Return a pattern of the names that addresses of staff tell, but for the person's own."""
    parts: set[str] = set()
    for local in (email.partition("@")[0] for email in staff.values_list("email", flat=True)):
        if NAME_IN_ADDRESS.match(local):
            parts.update(re.split(r"[._-]", local))
    wanted = _alternatives(part.capitalize() for part in parts - mine)
    return re.compile(rf"\b(?:{wanted})(?:\s+(?:{wanted}))*\b") if wanted else None


def _alternatives(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


def _bare(value: Any) -> str:
    """Return an address or a number as it is compared: +46 70-174 and 070174 are one."""
    text = str(value).strip().casefold()
    if "@" in text:
        return text
    digits = re.sub(r"\D", "", text)
    return re.sub(r"^(?:0046|46|0)(?=[1-9]\d{6})", "", digits) if len(digits) < 12 else digits
