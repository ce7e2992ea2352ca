"""One cell of a file: from what was typed to what may be stored, or a sentence why not.

The rules are those of `customers.rules`; here they get short cuts for the forms that nearly every
cell has, and sentences for operators. No sentence repeats the value: reports hold no personal data.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import lru_cache

from django.core.exceptions import ValidationError

from customers.rules import clean_email, clean_line, clean_national_id, clean_phone, clean_postcode

# Takes the stripped cell, never empty, and the day of the import; returns what PostgreSQL reads.
Clean = Callable[[str, date], str]

EARLIEST = "1900-01-01"
LATEST_AHEAD = timedelta(days=2 * 366)

# Only forms of which `customers.rules` says the same (tests/intake/test_values.py).
PLAIN_EMAIL = re.compile(
    r"[a-z0-9](?:[a-z0-9_+-]|\.(?=[a-z0-9_+-])){0,50}"
    r"@(?:[a-z0-9](?:-?[a-z0-9]){0,30}\.){1,3}(?:se|com|nu|net|org|eu|no|fi|dk)"
)
PLAIN_MOBILE = re.compile(r"(?:\+46 ?|0)7([02369])[ -]{0,2}([0-9])((?:[ -]?[0-9]){6})")
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
BOOLEANS = dict.fromkeys(("1", "ja", "yes", "true"), "t") | dict.fromkeys(
    ("0", "nej", "no", "false"), "f"
)


class RefusedError(Exception):
    """A row is not loaded; the message says in one sentence what to do, `column` where."""

    def __init__(self, reason: str, column: str = "") -> None:
        super().__init__(reason)
        self.column = column


def line(longest: int) -> Clean:
    """Make the rule for one line of text."""
    sentence = f"Write at most {longest} signs on one line, without control signs."

    def clean(text: str, on: date) -> str:
        if text.isprintable() and len(text) <= longest:
            return text if text.isascii() else unicodedata.normalize("NFC", text)
        return _by(lambda value: clean_line(value, longest), text, sentence)

    return clean


def lines(longest: int) -> Clean:
    """Make the rule for text that may have line breaks."""
    one = line(longest)

    def clean(text: str, on: date) -> str:
        return "\n".join(one(part.strip(), on) for part in text.splitlines())[:longest]

    return clean


def code(longest: int) -> Clean:
    """Make the rule for numbers and codes that other rows refer to."""
    pattern = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{longest - 1}}}")

    def clean(text: str, on: date) -> str:
        if not pattern.fullmatch(text):
            raise RefusedError(
                f"Write at most {longest} letters (A to Z), digits, hyphens and underscores."
            )
        return text

    return clean


def one_of(values: Iterable[str]) -> Clean:
    """Make the rule for a value out of a list."""
    allowed = {value.casefold(): value for value in values}
    sentence = f"Write one of {', '.join(sorted(allowed))}."

    def clean(text: str, on: date) -> str:
        try:
            return allowed[text.casefold()]
        except KeyError:
            raise RefusedError(sentence) from None

    return clean


def whole(lowest: int, highest: int) -> Clean:
    """Make the rule for a whole number."""
    sentence = f"Write a whole number from {lowest} to {highest}, digits only."

    def clean(text: str, on: date) -> str:
        digits = text.removeprefix("-")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 19:
            raise RefusedError(sentence)
        number = int(text)
        if not lowest <= number <= highest:
            raise RefusedError(sentence)
        return str(number)

    return clean


def yes_or_no(text: str, on: date) -> str:
    """Read a switch."""
    try:
        return BOOLEANS[text.casefold()]
    except KeyError:
        raise RefusedError("Write 1 for yes or 0 for no.") from None


@lru_cache(maxsize=50_000)
def day(text: str, on: date) -> str:
    """Read a day that has come."""
    found = _day(text)
    if found > on:
        raise RefusedError("The day lies in the future; write a day that has come.")
    return text


@lru_cache(maxsize=50_000)
def planned_day(text: str, on: date) -> str:
    """Read a day that may lie ahead: a due date, the last day of a subscription."""
    if _day(text) > on + LATEST_AHEAD:
        raise RefusedError("The day lies more than two years ahead; write a nearer one.")
    return text


def _day(text: str) -> date:
    sentence = "Write a day that exists as YYYY-MM-DD, from 1900 on."
    if not ISO_DAY.fullmatch(text) or text < EARLIEST:
        raise RefusedError(sentence)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RefusedError(sentence) from None


def email(text: str, on: date) -> str:
    """Read an e-mail address."""
    folded = text.casefold()
    if PLAIN_EMAIL.fullmatch(folded) and "--" not in folded:
        return folded
    sentence = "Write an e-mail address such as name@example.se."
    cleaned = _by(clean_email, text, sentence)
    if cleaned != cleaned.lower():  # letters that fold upwards; the register wants small ones
        raise RefusedError(sentence)
    return cleaned


def phone(text: str, on: date) -> str:
    """Read a phone number into its international form."""
    plain = PLAIN_MOBILE.fullmatch(text)
    if plain:
        operator, first, rest = plain.groups()
        return f"+467{operator}{first}{rest.replace(' ', '').replace('-', '')}"
    return _by(clean_phone, text, "Write a phone number such as 070-174 06 35, or with +46 first.")


def postcode(text: str, on: date) -> str:
    """Read a Swedish postcode."""
    if len(text) == 5 and text.isascii() and text.isdigit() and text[0] != "0":
        return text
    return _by(clean_postcode, text, "Write the postcode with five digits, such as 582 22.")


def national_id(text: str, on: date) -> str:
    """Read a national identity or coordination number into twelve digits."""
    sentence = "Write the national identity number with twelve digits, YYYYMMDDNNNN."
    return _by(lambda value: clean_national_id(value, on), text, sentence)


def _by(rule: Callable[[str], str], text: str, sentence: str) -> str:
    try:
        return rule(text)
    except ValidationError:
        raise RefusedError(sentence) from None
