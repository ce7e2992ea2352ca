"""Dates, numbers and places in time as people read them, in Swedish and English."""

import re
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import dateformat, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from customers.dates import FAR, STOCKHOLM, stockholm_date
from customers.dates import today as stockholm_today

HARD_SPACE = "\N{NO-BREAK SPACE}"
_WORDS = {
    "sv": "noll ett två tre fyra fem sex sju åtta nio tio elva tolv",
    "en": "no one two three four five six seven eight nine ten eleven twelve",
}
_MONTHS = {
    name: number
    for names in (
        "januari februari mars april maj juni juli augusti september oktober november december",
        "january february march april may june july august september october november december",
    )
    for number, name in enumerate(names.split(), start=1)
}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_SPELT = re.compile(r"(?:den )?(\d{1,2}) ([a-zåäö]+) (\d{4})", re.ASCII | re.IGNORECASE)


def _language() -> str:
    return "en" if (translation.get_language() or "sv").startswith("en") else "sv"


def controller() -> dict[str, str]:
    """Tell who answers for the personal data, with the hours in words of the language (P32)."""
    said: dict[str, str] = dict(settings.CONTROLLER)
    if _language() == "en":
        said["phone_hours"] = settings.PHONE_HOURS_EN
    return said


def _as_date(moment: date | datetime) -> date:
    return stockholm_date(moment) if isinstance(moment, datetime) else moment


def full_day(moment: date | datetime) -> str:
    """Say a day with its year: 31 december 2029."""
    return dateformat.format(_as_date(moment), "j F Y")


def day(moment: date | datetime, today: date | None = None) -> str:
    """Say a day: with the weekday when it comes within a month, the year only when it is another.

    onsdag 9 december, 18 november, 1 februari 2027.
    """
    said = _as_date(moment)
    today = today or stockholm_today()
    near = 0 <= (said - today).days <= 31
    form = "l j F" if near else "j F"
    return dateformat.format(said, form if said.year == today.year else f"{form} Y")


def night(last_day: date | datetime, today: date | None = None) -> str:
    """Say the night in which something goes that is kept to and including a day."""
    after = _as_date(last_day) + timedelta(days=1)
    return _("natten till %(day)s") % {"day": day(after, today)}


def until(last_day: date | datetime) -> str:
    """Say how long something is kept, with the year; what has no end yet is said so."""
    said = _as_date(last_day)
    return _("Så länge du är kund") if said >= FAR else full_day(said)


def clock(moment: datetime) -> str:
    """Say the Stockholm time of a moment: kl. 14.02."""
    local = timezone.localtime(moment, STOCKHOLM)
    return pgettext("time of day", "kl. %(time)s") % {"time": f"{local:%H.%M}"}


def moment(at: datetime, today: date | None = None) -> str:
    """Say a day and a time: 20 november kl. 14.02."""
    return f"{day(at, today)} {clock(at)}"


def figures(number: int) -> str:
    """Write a number with a hard space between thousands."""
    return f"{number:,}".replace(",", HARD_SPACE)


def amount(ore: int) -> str:
    """Say an amount of money: 1 249,00 kr."""
    kronor, rest = divmod(abs(ore), 100)
    sign, point = "−" if ore < 0 else "", "," if _language() == "sv" else "."
    return f"{sign}{figures(kronor)}{point}{rest:02d}{HARD_SPACE}kr"


def in_words(number: int, one: str = "ett") -> str:
    """Write numbers up to twelve as words, larger ones in figures; `one` is en or ett."""
    words = _WORDS[_language()].split()
    if not 0 <= number < len(words):
        return figures(number)
    if number == 1 and _language() == "sv":
        return one
    return words[number]


def listed(things: list[str]) -> str:
    """Join things as in a sentence: e-post, sms och post."""
    if len(things) < 2:
        return "".join(things)
    return _("%(first)s och %(last)s") % {"first": ", ".join(things[:-1]), "last": things[-1]}


def file_size(size: int) -> str:
    """Say how large a file is: 1,4 MB."""
    unit, by = ("MB", 1_000_000) if size >= 1_000_000 else ("kB", 1_000)
    said = f"{max(size / by, 0.1):.1f}".removesuffix(".0")
    return f"{said.replace('.', ',') if _language() == 'sv' else said}{HARD_SPACE}{unit}"


def read_day(text: str) -> date:
    """Read a day as people write it, 2029-03-15 or 15 mars 2029; raise ValueError otherwise."""
    tidy = " ".join(text.split())
    if found := _ISO.fullmatch(tidy):
        year, month, number = (int(part) for part in found.groups())
        return date(year, month, number)
    if (found := _SPELT.fullmatch(tidy)) and found[2].lower() in _MONTHS:
        return date(int(found[3]), _MONTHS[found[2].lower()], int(found[1]))
    raise ValueError(_("Skriv dagen som 2029-03-15 eller 15 mars 2029."))
