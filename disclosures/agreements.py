"""May this recipient get anything on a day: in use, with an agreement that holds, in a safe place.

Answers and writes nothing. Who may be handed over, and what of them, is `disclosures.handing`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import phonenumbers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from disclosures.models import Adequacy, Agreement, Recipient

Kind = Recipient.Kind
Safeguard = Agreement.Safeguard
# The 27 of the EU, and Iceland, Liechtenstein and Norway (TRF-01).
EEA = {
    *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT"),
    *("LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO"),
}
COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)
# The clauses that fit who they are: they decide themselves, or work for us.
MODULES = {
    Kind.PROCESSOR: Agreement.Module.CONTROLLER_PROCESSOR,
    Kind.PARTNER: Agreement.Module.CONTROLLER_CONTROLLER,
    Kind.CONTROLLER: Agreement.Module.CONTROLLER_CONTROLLER,
}
FLAWS: dict[str, str | Promise] = {
    "inactive": _("Mottagaren används inte den dagen."),
    "no agreement": _("Det finns inget avtal som gäller den dagen."),
    "incomplete": _("Avtalet saknar punkter i artikel 28.3."),
    "unknown country": _("Landet finns inte."),
    "unsafe country": _("Ett land utanför EU och EES saknar skydd som gäller den dagen."),
}


class NoAgreementError(ValueError):
    """Nothing may go to the recipient; the message says why, in one sentence each."""

    def __init__(self, recipient: Recipient, flaws: Iterable[str]) -> None:
        self.flaws = tuple(flaws)
        super().__init__(" ".join([f"{recipient}:", *(str(FLAWS[flaw]) for flaw in self.flaws)]))


@dataclass(frozen=True)
class Place:
    """A country where the data is handled, by whom."""

    country: str
    is_certified: bool


@dataclass(frozen=True)
class Cover:
    """By what a recipient may get data on a day; authorities ask by law and sign nothing."""

    agreement: Agreement | None
    safeguard: str


def cover(recipient: Recipient, on: date) -> Cover:
    """Return what covers a disclosure on a day; raises NoAgreementError (PRO-01, TRF-01)."""
    if not Recipient.objects.active(on).filter(pk=recipient.pk).exists():
        raise NoAgreementError(recipient, ["inactive"])
    adequate = list(Adequacy.objects.all())
    found: list[Agreement | None] = list(
        recipient.agreements.in_force(on).prefetch_related("sub_processors")
    )
    if recipient.kind == Kind.AUTHORITY:
        found = found or [None]
    if not found:
        raise NoAgreementError(recipient, ["no agreement"])
    for agreement in found:
        if not (flawed := flaws(recipient, agreement, on, adequate)):
            return Cover(agreement, safeguard(recipient, agreement, on, adequate))
    raise NoAgreementError(recipient, flawed)


def flaws(
    recipient: Recipient, agreement: Agreement | None, on: date, adequate: list[Adequacy]
) -> list[str]:
    """Return what is wrong with an agreement that is in force, as keys of FLAWS."""
    found = []
    if recipient.kind == Kind.PROCESSOR and (agreement is None or agreement.missing):
        found.append("incomplete")
    places = list(_places(recipient, agreement))
    if any(place.country not in COUNTRIES for place in places):
        found.append("unknown country")
    elif any(_protected_by(place, recipient, agreement, on, adequate) is None for place in places):
        found.append("unsafe country")
    return found


def safeguard(
    recipient: Recipient, agreement: Agreement | None, on: date, adequate: list[Adequacy]
) -> str:
    """Return what a transfer rests on: nothing inside the EEA, the weakest of two."""
    found = {
        _protected_by(place, recipient, agreement, on, adequate)
        for place in _places(recipient, agreement)
    }
    for weakest in (Safeguard.SCC, Safeguard.ADEQUACY):
        if weakest in found:
            return weakest.value
    return Safeguard.NONE.value


def outside(recipient: Recipient, agreement: Agreement | None) -> list[str]:
    """Return the countries outside the EU and EEA where the data is handled."""
    return sorted({place.country for place in _places(recipient, agreement)} - EEA)


def _places(recipient: Recipient, agreement: Agreement | None) -> Iterator[Place]:
    yield Place(recipient.country, recipient.is_certified)
    if agreement is not None:
        for country in agreement.countries:
            yield Place(country, recipient.is_certified)
        for sub in agreement.sub_processors.all():
            yield Place(sub.country, sub.is_certified)


def _protected_by(
    place: Place,
    recipient: Recipient,
    agreement: Agreement | None,
    on: date,
    adequate: list[Adequacy],
) -> str | None:
    """Return the safeguard of a place, "" where none is needed, None where one is missing."""
    if place.country in EEA:
        return Safeguard.NONE.value
    if any(
        row.country == place.country
        and row.covers(on, kind=recipient.kind, is_certified=place.is_certified)
        for row in adequate
    ):
        return Safeguard.ADEQUACY.value
    return Safeguard.SCC.value if _is_claused(recipient, agreement, on) else None


def _is_claused(recipient: Recipient, agreement: Agreement | None, on: date) -> bool:
    """Say whether the standard clauses are signed, in the module that fits, and assessed."""
    return (
        agreement is not None
        and agreement.safeguard == Safeguard.SCC
        and agreement.scc_module == MODULES.get(Kind(recipient.kind))
        and agreement.transfer_assessment.strip() != ""
        and agreement.assessed_on is not None
        and agreement.assessed_on <= on
    )
