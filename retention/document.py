"""`docs/retention.md`: everything that has a period, on one page, from what the program obeys.

The tables are read off the schedule, the map and the catalogue; only section 9 of `law.md` is
written here, line by line, with where each of its kinds of data is.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import translation

from consent.purposes import CATALOGUE, Ends
from customers.personal_data import AtEnd, Category, Clock, PersonalData
from retention.schedule import SCHEDULE
from retention.statements import mapped

WHERE = Path("docs/retention.md")

ENDS = {
    Ends.RELATION: "när relationen slutar: sista prenumerationen är slut och allt är levererat",
    Ends.RELATION_OR_CASE: "när relationen slutar och egna frågor är besvarade",
    Ends.RELATION_OR_YES: "när relationen slutar, eller med ett eget ja vid reklamtidens slut",
    Ends.SUBSCRIPTION: "sista prenumerationens sista dag",
    Ends.WINDOW: "tre år efter slutet, samma datum; aldrig kund: 12 månader efter egen kontakt",
    Ends.CONSENT: "när ett ja tas tillbaka, senast när reklamtiden slutar",
    Ends.CREDIT: "30 dagar efter senaste köpet mot faktura",
    Ends.DEBT: "när fakturan är betald eller fordran preskriberad",
    Ends.BOOKKEEPING: "31 december det sjunde året efter räkenskapsårets slut",
    Ends.PROOF: "fem år efter att det slutade gälla",
}
CLOCKS = {
    Clock.SCHEDULE: "ändamålen",
    Clock.OWN: "radens egen sista dag",
    Clock.EARLIER: "den som kommer först av ändamålen och radens egen sista dag",
}
AFTER = {
    AtEnd.DELETE: "raderas",
    AtEnd.BLANK: "töms, kategori för kategori; raden går när inget är kvar",
    AtEnd.UNLINK: "står kvar under pseudonym, som inte leder till någon",
}


@dataclass(frozen=True)
class LawLine:
    """A row of section 9 of `law.md`, and where its data is."""

    name: str
    starts: str
    lasts: str
    rule: str
    after: str
    categories: tuple[Category, ...] = ()


C = Category
SECTION_9: tuple[LawLine, ...] = (
    LawLine(
        "Namn, e-post, telefon, adress",
        "sista prenumerationens slut",
        "medan kund; därefter högst tre år, inte efter ett nej",
        "RET-02, CLM-01, RUL-01",
        "töms; nej till reklam står kvar som nycklad hash",
        (C.IDENTITY, C.CONTACT, C.ADDRESS, C.ACCOUNT, C.STAFF_LOG),
    ),
    LawLine(
        "E-post, telefon eller adress som något kommit tillbaka från",
        "dagen det kom tillbaka",
        "till natten därpå; medan kund, öppen skuld, fråga, ärende eller spärr",
        "RUL-28, RET-05",
        "töms, med inloggningen som hör till e-posten och ändringar som talar om den",
        (C.RETURNED_EMAIL, C.RETURNED_PHONE, C.RETURNED_HOME),
    ),
    LawLine(
        "Personnummer",
        "senaste kreditprövning eller reglerad skuld",
        "30 dagar; krypterat medan skuld finns",
        "PNR-01, RUL-16",
        "töms",
        (C.NATIONAL_ID,),
    ),
    LawLine(
        "Beställningar och prenumerationer",
        "leverans eller slut",
        "tre år",
        "CLM-02",
        "raderas",
        (C.PURCHASES,),
    ),
    LawLine(
        "Fakturor, kreditfakturor, betalningar",
        "räkenskapsårets slut",
        "till och med 31 december det sjunde året efter det kalenderår då räkenskapsåret slutade; "
        "den som hänvisar till en annan tar det senare av de två datumen (RUL-19)",
        "BFL-01",
        "raderas natten till 1 januari",
        (C.INVOICES,),
    ),
    LawLine(
        "Obetalda skulder",
        "förfallodagen",
        "till betalning eller tre år",
        "CLM-01",
        "ändamålet L2 upphör och släpper namn, kontakt och personnummer",
    ),
    LawLine(
        "Kreditprövningens resultat",
        "–",
        "lagras inte; svaret stannar hos fakturapartnern",
        "KUL-02",
        "–",
    ),
    LawLine(
        "Frågor till kundservice",
        "avslutad",
        "12 månader; en reklamation tre år från leveransen",
        "RUL-23, CLM-02",
        "raderas",
        (C.SUPPORT,),
    ),
    LawLine(
        "Bevis på val, ja och erhållen information",
        "när det slutar gälla",
        "fem år",
        "RUL-25, RUL-27",
        "orden raderas; liggarens rad står kvar under pseudonym",
        (C.PROOF,),
    ),
    LawLine(
        "Nej till reklam",
        "nejet",
        "så länge företaget gör reklam; enda raden utan slut",
        "OBJ-06, RUL-15",
        "bara nycklad hash av e-post, telefon och adress",
    ),
    LawLine(
        "Ärenden om rättigheter",
        "avslutat",
        "fem år; utdragets fil 14 dagar eller fem hämtningar",
        "DSR-06, RUL-05",
        "raderas",
        (C.CASES,),
    ),
    LawLine(
        "Skickade meddelanden",
        "skickat eller uppgivet",
        "texten töms genast (uppgivna efter 90 dagar), noteringen 24 månader",
        "RUL-26",
        "raderas",
        (C.MESSAGES,),
    ),
    LawLine(
        "Ändringar av uppgifter",
        "ändringen",
        "24 månader, aldrig längre än uppgiften; skyddad identitet sparas inte",
        "RUL-24",
        "raderas",
        (C.HISTORY,),
    ),
    LawLine(
        "Vem som har tittat",
        "läsningen",
        "24 månader",
        "ACC-05",
        "raderas",
        (C.ACCESS_LOG,),
    ),
    LawLine(
        "Vilka som har fått uppgifter, och meddelanden till dem",
        "utlämnandet",
        "tre år, och så länge kontaktuppgifterna finns kvar",
        "RUL-21",
        "raderas",
        (C.DISCLOSURES,),
    ),
    LawLine(
        "Raderingskvitton",
        "raderingen",
        "fem år",
        "ERA-08",
        "raderas",
        (C.RECEIPTS,),
    ),
    LawLine(
        "Kundnumret, det som håller ihop resten",
        "när allt annat är raderat",
        "samma natt",
        "RUL-01",
        "raderas",
        (C.SHELL,),
    ),
    LawLine(
        "Besök på webben, segment, poäng, enkätsvar, svar från register, inspelade samtal",
        "–",
        "lagras inte; tips räknas ut när sidan visas (RUL-22)",
        "RET-01",
        "–",
    ),
    LawLine("Säkerhetskopior", "kopian", "högst 35 dagar", "ERA-05", "förfaller"),
    LawLine("Säkerhetsloggar", "händelsen", "12 månader", "RUL-09", "roteras av driften"),
)


def text() -> str:
    """Return the whole page, in Swedish."""
    with translation.override("sv"):
        return "\n".join(_lines()) + "\n"


def path() -> Path:
    """Return where the page is kept."""
    return Path(settings.BASE_DIR) / WHERE


def _lines() -> Iterator[str]:
    yield "# Hur länge vi sparar"
    yield ""
    yield (
        "Skriven av `manage.py retention_schedule --write` ur det som programmet följer: "
        "`retention/schedule.py`, ändamålen i `consent/purposes.py` och kartan över "
        "personuppgifter. Ändra där och skriv om sidan; ett test blir rött när de skiljer sig."
    )
    yield ""
    yield (
        "En uppgift raderas första natten efter sin sista dag, om inte något annat ändamål eller "
        "en spärr håller just den uppgiften. Sista dagen räknas med. Perioder är "
        "kalenderperioder: tre år från den 29 februari slutar den 28 februari. Datum är dagar i "
        "Stockholm."
    )
    yield ""
    yield "## Kategorier"
    yield ""
    yield from _table(
        ("kategori", "klockan börjar", "hur länge", "regel", "policyn", "varför"),
        ((p.category.label, p.starts, p.lasts, p.rule, p.clause, p.why) for p in SCHEDULE),
    )
    yield ""
    yield "## Ändamål som håller kvar"
    yield ""
    yield (
        "Kategorier utan egen sista dag lever så länge minst ett ändamål som håller dem lever. "
        "Ändamål som inte håller något får använda uppgifterna men förlänger inget."
    )
    yield ""
    yield from _table(
        ("ändamål", "slutar", "håller", "policyn"),
        (
            (
                f"{p.code} {p.name}",
                ENDS[p.ends],
                ", ".join(str(category.label) for category in p.keeps) or "inget",
                p.clause,
            )
            for p in CATALOGUE
        ),
    )
    yield ""
    yield "## Tabeller"
    yield ""
    yield from _table(
        ("innehåll", "tabell", "kategorier", "klocka", "efter slutet"),
        (
            (
                table.data.name,
                f"`{table.model._meta.db_table}`",
                ", ".join(str(category.label) for category in table.data.columns),
                CLOCKS[table.data.clock] + (" (ärendets)" if table.data.clock_of == "case" else ""),
                _after(table.data),
            )
            for table in mapped()
        ),
    )
    yield ""
    yield "## Avsnitt 9 i `law.md`, rad för rad"
    yield ""
    yield from _table(
        ("uppgift", "klockan börjar", "hur länge", "regel", "efter slutet"),
        ((line.name, line.starts, line.lasts, line.rule, line.after) for line in SECTION_9),
    )


def _after(data: PersonalData) -> str:
    if data.at_end is AtEnd.UNLINK and data.clock is Clock.OWN:
        return "raderas; pekar hela tiden bara på en pseudonym"
    return AFTER[data.at_end]


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    for row in rows:
        yield _row(row)


def _row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
