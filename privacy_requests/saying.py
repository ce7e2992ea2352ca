"""Stored values in words: what a code, a date, an amount or a list says to a person (ACC-03)."""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.purposes import BY_CODE, Basis
from customers import words
from customers.dates import FAR, NEVER
from customers.models import Address, Customer, Invoice, Order
from customers.personal_data import Category, column_label
from disclosures.telling import fields_in_words

BASIS: dict[str, str | Promise] = {
    Basis.CONTRACT.value: gettext_lazy("vårt avtal med dig"),
    Basis.LEGAL_OBLIGATION.value: gettext_lazy("en lag vi måste följa"),
    Basis.LEGITIMATE_INTEREST.value: gettext_lazy("vårt intresse, vägt mot ditt"),
    Basis.CONSENT.value: gettext_lazy("ditt ja"),
}
ARTICLE = {
    Basis.CONTRACT.value: "6.1 b",
    Basis.LEGAL_OBLIGATION.value: "6.1 c",
    Basis.LEGITIMATE_INTEREST.value: "6.1 f",
    Basis.CONSENT.value: "6.1 a",
}
MESSAGES: dict[str, str | Promise] = {
    "login_code": gettext_lazy("kod för att logga in"),
    "email_changed": gettext_lazy("besked om att din e-postadress är ändrad"),
    "email_code": gettext_lazy("kod för att byta e-postadress"),
    "email_taken": gettext_lazy("besked om att någon ville byta till din e-postadress"),
    "identity_code": gettext_lazy("kod i brev för att visa att det är du"),
    "extract_ready": gettext_lazy("besked om att ditt utdrag är klart"),
    "portable_ready": gettext_lazy("besked om att filen att ta med är klar"),
    "campaign": gettext_lazy("reklam från oss"),
    "extract_code": gettext_lazy("kod för att hämta ditt utdrag"),
    "objection_granted": gettext_lazy("besked om att vi har slutat med det du sa nej till"),
    "case_received": gettext_lazy("besked om att vi har fått det du bad om"),
    "case_identity": gettext_lazy("fråga om vem du är"),
    "case_identity_again": gettext_lazy("påminnelse om frågan vem du är"),
    "case_extended": gettext_lazy("besked om att ett svar tar längre tid"),
    "case_fee": gettext_lazy("besked om en avgift"),
    "case_answered": gettext_lazy("svar på det du bad om"),
    "case_taken_back": gettext_lazy("besked om att du tog tillbaka det du bad om"),
    "restriction_ends_a": gettext_lazy("besked om att begränsningen snart upphör"),
    "restriction_ends_b": gettext_lazy("besked om att begränsningen snart upphör"),
    "restriction_ends_c": gettext_lazy("besked om att begränsningen snart upphör"),
    "restriction_ends_d": gettext_lazy("besked om att begränsningen snart upphör"),
    "restriction_granted": gettext_lazy("besked om att användningen är begränsad"),
}
RULE = re.compile(r" \([A-Z]{3}-\d+\)$")
LANGUAGES: dict[str, str | Promise] = {
    "sv": gettext_lazy("svenska"),
    "en": gettext_lazy("engelska"),
}


def _basis(value: str) -> str:
    return str(BASIS.get(value, value))


def _purpose(value: str) -> str:
    return str(BY_CODE[value].name) if value in BY_CODE else value


def _changed_field(value: str) -> str:
    if value == "invoice":
        return chosen(str(Invoice._meta.verbose_name))
    for model in (Customer, Address, Order):
        try:
            return column_label(model, value)
        except FieldDoesNotExist:
            continue
    return value


def _changes(value: str) -> str:
    """Say what the admin log says, which keeps it as JSON in the words of fields."""
    try:
        entries = json.loads(value)
    except ValueError:
        return value
    named: list[str] = []
    for entry in entries if isinstance(entries, list) else []:
        for details in entry.values() if isinstance(entry, dict) else []:
            named += [_changed_field(name) for name in details.get("fields", [])]
    return words.listed(named) if named else value


# By column name; these names mean the same in every table.
SAID: dict[str, Callable[[Any], str]] = {
    "basis": _basis,
    "purpose": _purpose,
    "field": _changed_field,
    "template": lambda value: str(MESSAGES.get(value, value)),
    "language": lambda value: str(LANGUAGES.get(value, value)),
    "categories": lambda value: words.listed([str(c.label) for c in Category if value & c.value]),
    "fields": fields_in_words,
    "country": lambda value: _("Sverige") if value == "SE" else str(value),
    "change_message": _changes,
    "size": lambda value: words.file_size(value) if value else "",
}


def said(column: Any, value: Any) -> str:
    """Return a value of a model's column in words; nothing is an empty text."""
    if value is None or value == "":
        return ""
    if column.name in SAID:
        return SAID[column.name](value)
    if column.name.endswith("_ore"):
        return words.amount(value)
    label = dict(column.flatchoices).get(value) if column.choices else None
    return chosen(str(label)) if label is not None else _by_type(value)


def chosen(label: str) -> str:
    """Return the name of a choice as it stands alone, without the rule that staff see."""
    bare = RULE.sub("", label)
    return bare[:1].upper() + bare[1:]


def _by_type(value: Any) -> str:
    if isinstance(value, bool):
        return _("Ja") if value else _("Nej")
    if isinstance(value, datetime):
        return f"{words.full_day(value)} {words.clock(value)}"
    if isinstance(value, date):
        return day(value)
    if isinstance(value, list):
        return "; ".join(_by_type(entry) for entry in value)
    if isinstance(value, dict):
        return _line(value)
    return str(value)


def day(value: date) -> str:
    """Say a day; one without end or before all time is said so."""
    if value >= FAR:
        return _("tills vidare")
    return _("nu") if value <= NEVER else words.full_day(value)


def _line(value: dict[str, Any]) -> str:
    """Say a line of an invoice: 2 × Borsthuvud, 198,00 kr; anything else as it stands."""
    if value.keys() >= {"text", "quantity", "ore"}:
        return f"{value['quantity']} × {value['text']}, {words.amount(value['ore'])}"
    return ", ".join(f"{key}: {_by_type(entry)}" for key, entry in value.items())
