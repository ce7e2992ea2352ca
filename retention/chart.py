"""A person's calendar as components/calendar.html draws it: bars on one axis, states in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from customers.dates import FAR, add_years
from customers.personal_data import Category
from customers.words import figures, full_day, in_words
from retention.rules import CalendarEntry

# An axis of at least this many years reads as time; beyond the last it would only be empty.
SHORTEST_AXIS, LONGEST_AXIS = 2, 40
MOST_LABELS = 8
LAST_LABEL = 0.96
# The label of the chosen day is centred on its line unless it would leave the chart.
EDGES = (0.12, 0.88)


# What goes, as a thing in a sentence; a kind that is not here is called by its name.
WHOLE: dict[Category, str | Promise] = {
    Category.IDENTITY: gettext_lazy("ditt namn"),
    Category.CONTACT: gettext_lazy("din e-post och ditt telefonnummer"),
    Category.ADDRESS: gettext_lazy("din adress"),
    Category.NATIONAL_ID: gettext_lazy("ditt personnummer"),
    Category.ACCOUNT: gettext_lazy("din inloggning"),
    Category.PROOF: gettext_lazy("bevisen på dina val"),
    Category.SHELL: gettext_lazy("ditt kundnummer"),
}
NOTES: dict[Category, str | Promise] = {
    Category.IDENTITY: gettext_lazy("vem du är"),
    Category.CONTACT: gettext_lazy("hur vi når dig"),
    Category.ADDRESS: gettext_lazy("vart paketen går"),
    Category.NATIONAL_ID: gettext_lazy("för köp mot faktura"),
    Category.ACCOUNT: gettext_lazy("konto och inloggade enheter"),
    Category.HISTORY: gettext_lazy("vad som stod förut"),
    Category.PURCHASES: gettext_lazy("vad du har beställt"),
    Category.INVOICES: gettext_lazy("bokföringen kräver dem"),
    Category.SUPPORT: gettext_lazy("vad du frågade och vårt svar"),
    Category.PROOF: gettext_lazy("vad du sa ja och nej till"),
    Category.MESSAGES: gettext_lazy("vad och när, inte texten"),
    Category.CASES: gettext_lazy("vad du bad om och vårt svar"),
    Category.SHELL: gettext_lazy("håller ihop det som står kvar"),
}
COUNTED: dict[Category, Any] = {
    Category.HISTORY: ngettext_lazy(
        "en notering om en ändring", "%(n)s noteringar om ändringar", "count"
    ),
    Category.PURCHASES: ngettext_lazy("ett köp", "%(n)s köp", "count"),
    Category.INVOICES: ngettext_lazy("en faktura", "%(n)s fakturor", "count"),
    Category.SUPPORT: ngettext_lazy(
        "en fråga till kundservice", "%(n)s frågor till kundservice", "count"
    ),
    Category.MESSAGES: ngettext_lazy(
        "en notering om ett meddelande", "%(n)s noteringar om meddelanden", "count"
    ),
    Category.CASES: ngettext_lazy("ett ärende", "%(n)s ärenden", "count"),
}


def thing(category: Category, count: int) -> str:
    """Say what goes: en faktura, tre fakturor."""
    if category in COUNTED:
        return str(COUNTED[category] % {"count": count, "n": in_words(count)})
    return str(WHOLE.get(category, str(category.label).lower()))


@dataclass(frozen=True)
class Axis:
    """From today to the end of the year in which the last known thing goes."""

    start: date
    end: date
    day: date

    def share(self, day: date) -> float:
        whole = (self.end - self.start).days
        return min(max((day - self.start).days / whole, 0.0), 1.0)

    def x(self, day: date) -> str:
        return percent(self.share(day))

    @property
    def years(self) -> list[dict[str, str]]:
        firsts = [date(year, 1, 1) for year in range(self.start.year + 1, self.end.year + 1)]
        step = -(-len(firsts) // MOST_LABELS) or 1
        return [
            {
                "x": self.x(first),
                "label": str(first.year)
                if n % step == 0 and self.share(first) < LAST_LABEL
                else "",
            }
            for n, first in enumerate(firsts)
        ]

    @property
    def day_x(self) -> str:
        return self.x(self.day)

    @property
    def day_label(self) -> str:
        return _("I dag") if self.day == self.start else full_day(self.day)

    @property
    def anchor(self) -> str:
        share = self.share(self.day)
        return "start" if share < EDGES[0] else "end" if share > EDGES[1] else "middle"


@dataclass(frozen=True)
class Bar:
    """A piece of a row's time."""

    x: str
    width: str
    kind: str


@dataclass(frozen=True)
class Row:
    """One category."""

    name: str
    note: str
    state: str
    state_note: str
    over: bool
    open_end: bool
    bars: list[Bar] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Chart:
    """All of it."""

    day_title: str
    axis: Axis
    rows: list[Row]


def percent(share: float) -> str:
    return f"{share * 100:.2f}%"


def draw(entries: Sequence[CalendarEntry], today: date, day: date) -> Chart | None:
    """Draw the calendar with a day to look at; None when there is nothing to draw."""
    if not entries:
        return None
    known = [last for entry in entries for last in entry.last_days if today <= last < FAR]
    latest = min(max([day, *known]), add_years(today, LONGEST_AXIS))
    end = max(latest + timedelta(days=1), add_years(today, SHORTEST_AXIS))
    axis = Axis(start=today, end=end, day=min(day, end))
    ordered = sorted(entries, key=lambda entry: (entry.left_on(day) == 0, entry.category.value))
    title = _("I dag") if day == today else _("Den %(day)s") % {"day": full_day(day)}
    return Chart(title, axis, [_row(entry, axis, day) for entry in ordered])


def _row(entry: CalendarEntry, axis: Axis, day: date) -> Row:
    left = entry.left_on(day)
    last = max(entry.last_days)
    open_end = entry.until is None
    end = axis.end if open_end else last
    if left == 0:
        bars = [_bar(axis, axis.start, end, "gone")]
    else:
        bars = [_bar(axis, axis.start, axis.day, "is"), _bar(axis, axis.day, end, "still")]
    gaps = [axis.x(d) for d in sorted(entry.last_days) if axis.start < d < min(end, last)]
    return Row(
        name=str(entry.category.label),
        note=_note(entry),
        state=_state(entry, left),
        state_note=_state_note(entry, left, axis.start),
        over=left == 0,
        open_end=open_end,
        bars=[bar for bar in bars if bar.width != percent(0)],
        gaps=gaps,
    )


def _note(entry: CalendarEntry) -> str:
    if entry.category in COUNTED and len(entry.last_days) > 1:
        return _("raderas en i taget")
    return str(NOTES.get(entry.category, entry.period.lasts))


def _bar(axis: Axis, start: date, end: date, kind: str) -> Bar:
    return Bar(axis.x(start), percent(max(axis.share(end) - axis.share(start), 0.0)), kind)


def _state(entry: CalendarEntry, left: int) -> str:
    if left == 0:
        return _("Borta")
    if left < entry.rows:
        return _("%(left)s av %(all)s kvar") % {"left": figures(left), "all": figures(entry.rows)}
    return _("Kvar") if entry.rows == 1 else _("Alla kvar")


def _state_note(entry: CalendarEntry, left: int, today: date) -> str:
    if entry.held or entry.waits:
        return _("tills ett öppet ärende är klart")
    if entry.until is None:
        return _("så länge du är kund")
    if entry.until < today:
        return _("raderas i natt")
    if left == 0 and entry.goes_on is not None:
        return _("sedan %(day)s") % {"day": full_day(entry.goes_on)}
    return _("till %(day)s") % {"day": full_day(entry.until)}


def counted(entries: Sequence[CalendarEntry], day: date) -> tuple[int, int]:
    """Return how many kinds are left on a day, and how many are gone by then."""
    left = sum(1 for entry in entries if entry.left_on(day))
    return left, len(entries) - left


def waits(entries: Sequence[CalendarEntry]) -> bool:
    """Say whether something open, and no relation, keeps what has no end."""
    return any(entry.waits for entry in entries)


def last_of_all(entries: Sequence[CalendarEntry]) -> date | None:
    """Return the last day of the very last thing; None while something has no end."""
    ends = [entry.until for entry in entries]
    if not ends or None in ends:
        return None
    return max(end for end in ends if end is not None)


@dataclass(frozen=True)
class Next:
    """What is deleted next."""

    category: Category
    rows: int
    last_day: date


def following(entries: Sequence[CalendarEntry], today: date) -> Next | None:
    """Return what goes next; None when no day is known."""
    due = [
        (last, entry.category.value, count, entry.category)
        for entry in entries
        if not entry.held
        for last, count in entry.last_days.items()
        if last < FAR
    ]
    if not due:
        return None
    last, _value, count, category = min(due)
    return Next(category, count, max(last, today - timedelta(days=1)))
