"""What the gate answers about one person: allowed, why, since when and until when.

A decision is the intersection of the stretches of its conditions, so "allowed", "until when" and
"show me 2029-03-15" follow from two dates. It is one packed value, taken apart when asked.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.conditions import Condition, conditions_for
from consent.models import Standing
from consent.purposes import Basis, Use
from customers.dates import FAR, NEVER

Held = Standing.Permission


@dataclass(frozen=True)
class Answer:
    """One condition for one person: open from `since` to `until`, both days included."""

    name: str
    reason: str | Promise
    rules: tuple[str, ...]
    since: date
    until: date

    def holds(self, on: date) -> bool:
        return self.since <= on <= self.until

    def told(self, language: str) -> str:
        """Return the reason in a language, "sv" or "en"."""
        with translation.override(language):
            return str(self.reason)


# What we mend and the person cannot: they are not told of it as of something that they must do.
OURS = {"balanced", "nix_current"}
# What any contact with us puts off.
PUT_OFF = {"fresh_yes"}
# What is mended without answering anew.
WAITED_FOR = OURS | {"reachable", "not_returned", "not_restricted"}


class Decision(NamedTuple):
    """May we, with every reason."""

    customer_id: int
    held: str
    # What the database said of each condition that differs between people, as PostgreSQL writes a
    # row; None for somebody it does not know.
    said: str | None
    asked: "Compiled"

    @property
    def use(self) -> Use:
        return self.asked.use

    @property
    def opens(self) -> date:
        """Return the first day on which every condition holds."""
        return date.fromisoformat(self._stretch()[0])

    @property
    def closes(self) -> date:
        """Return the last day on which every condition holds."""
        return date.fromisoformat(self._stretch()[1])

    def _stretch(self) -> tuple[str, str]:
        return _NO_DAYS if self.said is None else self.asked.stretch(self.said)

    @property
    def basis(self) -> Basis:
        """Return the legal basis: the person's own yes where there is one."""
        return Basis.CONSENT if self.held == Held.CONSENT else self.use.of.basis

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Return every condition with its stretch."""
        if self.said is None:
            unknown = _("Vi har inga uppgifter om personen.")
            return (Answer("known", unknown, ("LAW-01",), FAR, NEVER),)
        return self.asked.answers(self.said)

    def allowed(self, on: date) -> bool:
        return self.said is not None and self.asked.holds(self.said, on.isoformat())

    def changes_on(self, on: date) -> date | None:
        """Return the next day after `on` when the answer changes by itself; None if it never does.

        The stretch is unbroken, so it can only begin, or end the day after its last day.
        """
        opens, closes = self.opens, self.closes
        if on < opens <= closes and opens < FAR:
            return opens
        if opens <= on <= closes < FAR:
            return closes + timedelta(days=1)
        return None

    def refusals(self, on: date) -> list[Answer]:
        return [answer for answer in self.answers if not answer.holds(on)]

    def answered_yes(self, on: date) -> bool:
        """Say whether the answer is yes, even where it waits for a number or an own limitation."""
        return {answer.name for answer in self.refusals(on)} <= WAITED_FOR

    def lasts_until(self) -> date:
        """Return the last day as the person is told of it: without what is renewed in passing."""
        return min((a.until for a in self.answers if a.name not in OURS | PUT_OFF), default=FAR)


@dataclass(frozen=True)
class Compiled:
    """The gate's SQL for one use, with room for a key; compiling anew costs ten times the query."""

    use: Use
    one: str = field(repr=False)
    many: str = field(repr=False)
    # The columns that differ between people, in the order they are packed.
    facts: tuple[str, ...] = field(repr=False)
    since: tuple[str, ...] = field(repr=False)
    until: tuple[str, ...] = field(repr=False)

    def holds(self, said: str, day: str) -> bool:
        """Say whether everything holds on a day; what the database did not know refuses.

        Days of four-digit years come in the order of their letters, and an empty one before all.
        """
        if not said.startswith(self._facts_hold):
            return False
        days = said[self._first_day : -1].split(",")
        since = days[: self._since]
        return "" not in since and max(since) <= day <= min(days[self._since :])

    def stretch(self, said: str) -> tuple[str, str]:
        """Return the first and the last day on which everything holds, as they are written."""
        days = said[1:-1].split(",")[len(self.facts) :]
        since, until = days[: self._since], days[self._since :]
        opens = _FAR if "" in since else max(since)
        return opens, min(until) if said.startswith(self._facts_hold) and all(until) else _NEVER

    @cached_property
    def _facts_hold(self) -> str:
        return "(" + "t," * len(self.facts)

    @cached_property
    def _first_day(self) -> int:
        return len(self._facts_hold)

    @cached_property
    def _since(self) -> int:
        return len(self.since)

    def answers(self, said: str) -> tuple[Answer, ...]:
        """Take apart what the database said of one person."""
        columns = (*self.facts, *self.since, *self.until)
        found = dict(zip(columns, said[1:-1].split(","), strict=True))
        return tuple(_answer(condition, found) for condition in conditions_for(self.use))


_FAR, _NEVER = FAR.isoformat(), NEVER.isoformat()
_NO_DAYS = (_FAR, _NEVER)


def _answer(condition: Condition, found: dict[str, str]) -> Answer:
    name = condition.name
    opens, closes = found.get(f"{name}_since", _NEVER), found.get(f"{name}_until", _FAR)
    if found.get(f"{name}_fact", "t") != "t":
        closes = _NEVER
    return Answer(
        name,
        condition.reason,
        condition.rules,
        date.fromisoformat(opens or _FAR),
        date.fromisoformat(closes or _NEVER),
    )
