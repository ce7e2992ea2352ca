"""When may a recipient get data: law.md PRO-01, TRF-01 and TRF-02 read again, by itself.

Written from the rules and not from the code: plain values in, yes or no out.
"""

from dataclasses import dataclass, field
from datetime import date

UNION = (
    "Austria AT, Belgium BE, Bulgaria BG, Croatia HR, Cyprus CY, Czechia CZ, Denmark DK, "
    "Estonia EE, Finland FI, France FR, Germany DE, Greece GR, Hungary HU, Ireland IE, Italy IT, "
    "Latvia LV, Lithuania LT, Luxembourg LU, Malta MT, Netherlands NL, Poland PL, Portugal PT, "
    "Romania RO, Slovakia SK, Slovenia SI, Spain ES, Sweden SE, Iceland IS, Liechtenstein LI, "
    "Norway NO"
)
INSIDE = {entry.split()[-1] for entry in UNION.split(", ")}
# TRF-02, with the day each began; to whom, and until when, where that is said.
SINCE = {
    "AD": "2010-10-19", "AR": "2003-06-30", "BR": "2026-01-26", "CA": "2001-12-20",
    "CH": "2000-07-26", "FO": "2010-03-05", "GB": "2021-06-28", "GG": "2003-11-21",
    "IL": "2011-01-31", "IM": "2004-04-28", "JE": "2008-05-08", "JP": "2019-01-23",
    "KR": "2021-12-17", "NZ": "2012-12-19", "US": "2023-07-10", "UY": "2012-08-21",
}  # fmt: skip
UNTIL = {"GB": "2031-12-27"}


@dataclass(frozen=True)
class Signed:
    """An agreement in plain values."""

    first: date
    last: date | None = None
    points: int = 9  # of the nine of Article 28(3)
    also_in: tuple[str, ...] = ()
    clauses: int = 0  # the module that was signed, 0 for none
    assessed: date | None = None


@dataclass(frozen=True)
class Case:
    """Who asks, where they are, what they have signed."""

    kind: str
    country: str
    certified: bool = False
    first: date = date(2020, 1, 1)
    last: date | None = None
    agreements: tuple[Signed, ...] = field(default=())


def _within(day: date, first: date, last: date | None) -> bool:
    return first <= day and (last is None or day <= last)


def _adequate(case: Case, country: str, day: date) -> bool:
    if country not in SINCE or day < date.fromisoformat(SINCE[country]):
        return False
    if country in UNTIL and day > date.fromisoformat(UNTIL[country]):
        return False
    if country == "US":
        return case.certified
    return country != "CA" or case.kind != "authority"


def may_get(case: Case, day: date) -> bool:
    """Say whether data may go to the recipient at all on a day."""
    if not _within(day, case.first, case.last):
        return False
    usable = [one for one in case.agreements if _within(day, one.first, one.last)]
    if case.kind == "authority" and not usable:
        return case.country in INSIDE or _adequate(case, case.country, day)
    for one in usable:
        if case.kind == "processor" and one.points < 9:
            continue
        # The clauses between those who decide themselves are module 1, to a processor module 2.
        fits = {"processor": 2, "partner": 1, "controller": 1}.get(case.kind, -1)
        claused = one.clauses == fits and one.assessed is not None and one.assessed <= day
        if all(
            country in INSIDE or _adequate(case, country, day) or claused
            for country in (case.country, *one.also_in)
        ):
            return True
    return False
