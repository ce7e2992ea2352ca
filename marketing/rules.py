"""Who gets it: the audience of a use, counted, and why the others are not in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from consent.purposes import Use
from consent.rules import tally
from customers import words

# Why people are left out, as staff read it: "8 002 har sagt nej". One line for each condition.
WHY: dict[str, str | Promise] = {
    "alive": gettext_lazy("är avlidna"),
    "not_declined": pgettext_lazy("people", "har sagt nej"),
    "informed": gettext_lazy("har inte fått den första informationen"),
    "purpose": gettext_lazy("är utanför tidsfönstret"),
    "former_customer": gettext_lazy("är inte kunder längre"),
    "permission": gettext_lazy("har inte sagt ja"),
    "device": gettext_lazy("har inte sagt ja till att vi läser av enheten"),
    "fresh_yes": gettext_lazy("har ett ja som är äldre än två år"),
    "soft_opt_in": gettext_lazy("slutade vara kunder för mer än tolv månader sedan"),
    "nix_phone": gettext_lazy("står i NIX-Telefon"),
    "nix_post": gettext_lazy("står i NIX adresserat"),
    "nix_current": gettext_lazy("väntar på att vi stämmer av mot NIX på nytt"),
    "balanced": gettext_lazy("omfattas av en intresseavvägning som saknas eller är för gammal"),
    "old_enough": gettext_lazy("är för unga, eller så vet vi inte åldern"),
    "not_restricted": gettext_lazy("har begränsat användningen"),
    "not_protected": gettext_lazy("har skyddade personuppgifter"),
    "reachable": gettext_lazy("har ingen adress för den vägen"),
    "not_returned": gettext_lazy("har en adress som posten kommit tillbaka från"),
    "not_suppressed": gettext_lazy("har sagt nej tidigare, på samma adress"),
}


@dataclass(frozen=True)
class Share:
    """One line of an audience: how many people, and their part of everybody in percent."""

    name: str
    people: int
    percent: float

    @property
    def part(self) -> str:
        """Say its part of everybody: 12 %."""
        if 0 < self.percent < 1:
            return _("under 1 %")
        return f"{self.percent:.0f}{words.HARD_SPACE}%"

    @property
    def width(self) -> str:
        """Return the width of its bar."""
        return f"{self.percent:.2f}%"


@dataclass(frozen=True)
class Audience:
    """How many get it and how many do not, by the first reason."""

    reached: int
    left_out: Mapping[str, int]

    @property
    def outside(self) -> int:
        return sum(self.left_out.values())

    @property
    def everybody(self) -> int:
        return self.reached + self.outside

    @property
    def sentence(self) -> str:
        """Say how many are reached, and why the others are not, the most common reasons first."""
        if not self.everybody:
            return _("Registret är tomt.")
        said = ngettext(
            "%(n)s person av %(all)s nås.", "%(n)s personer av %(all)s nås.", self.reached
        ) % {"n": words.figures(self.reached), "all": words.figures(self.everybody)}
        if not self.left_out:
            return said + " " + _("Ingen utelämnas.")
        reasons = [f"{words.figures(share.people)} {share.name}" for share in self._reasons()]
        left = ngettext("%(n)s utelämnad: %(why)s.", "%(n)s utelämnade: %(why)s.", self.outside)
        return said + " " + left % {"n": words.figures(self.outside), "why": ", ".join(reasons)}

    def shares(self) -> list[Share]:
        """Return the lines of the picture: those reached, then each reason."""
        if not self.everybody:
            return []
        return [self._share(_("Nås"), self.reached)] + [
            Share(capfirst(share.name), share.people, share.percent) for share in self._reasons()
        ]

    def _reasons(self) -> list[Share]:
        ordered = sorted(self.left_out.items(), key=lambda pair: -pair[1])
        return [self._share(str(WHY.get(name, name)), people) for name, people in ordered]

    def _share(self, name: str, people: int) -> Share:
        return Share(name, people, 100 * people / self.everybody)


def count_audience(use: Use, on: date) -> Audience:
    """Count everybody once: those the gate lets through and those it does not."""
    return Audience(*tally(use, on))


@dataclass(frozen=True)
class Progress:
    """How far a campaign has come: its messages by status, of those it reaches."""

    reached: int
    messages: Mapping[str, int]

    @property
    def sent(self) -> int:
        return self.messages.get("sent", 0)

    @property
    def width(self) -> str:
        """Return the width of the bar: what is done with, of everybody it reaches."""
        over = sum(self.messages.values()) - self.messages.get("queued", 0)
        return f"{100 * min(over / self.reached, 1) if self.reached else 0:.2f}%"

    @property
    def sentence(self) -> str:
        """Say how many have got it."""
        said = ngettext(
            "%(n)s meddelande av %(all)s har skickats.",
            "%(n)s meddelanden av %(all)s har skickats.",
            self.sent,
        )
        return said % {"n": words.figures(self.sent), "all": words.figures(self.reached)}

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Return each status in words with its count."""
        named = (
            ("sent", _("Skickade")),
            ("queued", _("I kö")),
            ("stopped", _("Stoppade innan de gick, av ett nej eller av oss")),
            ("dead", _("Kunde inte skickas")),
        )
        return [(name, words.figures(self.messages.get(status, 0))) for status, name in named]
