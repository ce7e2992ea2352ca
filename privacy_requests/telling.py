"""What Article 15 asks to be told beside the data itself, about this one person (ACC-02)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from consent.models import Event, ProcessingRecord
from consent.purposes import BY_CODE
from customers import words
from customers.dates import FAR, NEVER, stockholm_date
from customers.models.channels import Channel
from customers.personal_data import Category
from disclosures import telling as disclosures
from disclosures.telling import Received
from privacy_requests.extract import Content, Kept, Why
from privacy_requests.saying import said
from retention.schedule import PERIOD


def end_of(record: ProcessingRecord) -> str | None:
    """Return the last day of a purpose, None as long as none is known."""
    return record.retain_until.isoformat() if NEVER < record.retain_until < FAR else None


def is_customer(content: Content) -> bool:
    """Say whether the relation goes on, by the purpose that lives as long as it does."""
    return any(r.purpose == "A" and r.retain_until >= FAR for r in content.records)


def end_in_words(content: Content, record: ProcessingRecord) -> str:
    """Say until when a purpose lives."""
    if record.ended_on is not None:
        return _("avslutat %(day)s") % {"day": words.full_day(record.ended_on)}
    if record.retain_until >= FAR:
        return _("så länge du är kund") if is_customer(content) else until_closed()
    if record.retain_until <= NEVER:
        return _("gäller inte längre")
    return words.full_day(record.retain_until)


def until_closed() -> str:
    """Say that something open holds it."""
    return _("tills det som är öppet är avslutat")


def last_day(content: Content, kept: Kept) -> str | None:
    """Return the last day of a category, the day of the extract when its time is already up."""
    if kept.last_day is None or kept.held:
        return None
    return max(kept.last_day, stockholm_date(content.taken_at)).isoformat()


def last_day_in_words(content: Content, kept: Kept) -> str:
    """Say when a category goes."""
    if kept.held:
        return until_closed()
    if kept.last_day is not None:
        if kept.last_day < stockholm_date(content.taken_at):
            return _("natten efter att vi har svarat dig")
        return words.full_day(kept.last_day)
    if kept.category in (Category.RECEIPTS, Category.MESSAGES, Category.CASES, Category.SUPPORT):
        period = PERIOD[kept.category]
        return _("%(lasts)s, räknat från %(starts)s") % {
            "lasts": period.lasts,
            "starts": period.starts,
        }
    if not is_customer(content):
        return until_closed()
    return _("så länge du är kund, och sedan: %(lasts)s") % {"lasts": PERIOD[kept.category].lasts}


def sources(content: Content) -> Iterator[tuple[str, str, str, date]]:
    """Yield where the person's data comes from: what, from whom, how, when."""
    customer = content.customer
    yield (
        _("Namn och kontaktuppgifter"),
        said(customer._meta.get_field("source"), customer.source),
        said(customer._meta.get_field("collected"), customer.collected),
        stockholm_date(customer.created_at),
    )
    for copy in content.tables:
        columns = {column.key for column in copy.columns}
        day_key = next((key for key in ("given_on", "at") if key in columns), None)
        if {"source", "collected"} <= columns and day_key:
            for row, words_of_row in zip(copy.rows, copy.said, strict=True):
                what = words_of_row.get("field") or words_of_row.get("kind") or copy.name
                yield (
                    what,
                    words_of_row["source"],
                    words_of_row["collected"],
                    date.fromisoformat(row[day_key][:10]),
                )


def about(event: Event) -> str:
    """Say what an entry of the ledger speaks of: the purpose and the way."""
    if event.kind in (Event.Kind.NOTICE_SERVED, Event.Kind.SOFT_OPT_IN):
        return ""
    purpose = said(event._meta.get_field("purpose"), event.purpose) or _("all reklam")
    channel = Channel(event.channel).label if event.channel else _("alla vägar")
    parts = [purpose, str(channel), *([event.third_party] if event.third_party else [])]
    return ", ".join(parts)


def received(content: Content) -> list[Received]:
    """Return who has got the data, by name, from the rows of the snapshot (Article 15(1)(c))."""
    rows = {copy.key: copy.rows for copy in content.tables}
    return disclosures.received(
        rows.get("disclosures.disclosure", ()), rows.get("disclosures.recipientnotice", ())
    )


def recipients(received: list[Received]) -> str:
    """Say how many have got the data, and who."""
    names = [one.name for one in received if one.handed]
    if not names:
        return _(
            "Ingen. Vi har inte lämnat dina uppgifter till någon. Vilka som skulle få något, och "
            "för vad, står på Min sida under Vem har fått dem?"
        )
    return _("De här har fått uppgifter om dig av oss: %(names)s.") % {"names": words.listed(names)}


def transfers(received: list[Received]) -> str:
    """Say whether data left the EU and the EEA, and by which safeguard (Article 15(2))."""
    found = [
        _("%(name)s, %(country)s. %(tool)s") % {"name": one.name, "country": where, "tool": tool}
        for one in received
        for where, tool in one.transfers
    ]
    if not found:
        return _("Vi har inte fört över dina uppgifter till något land utanför EU och EES.")
    return " ".join([_("De här uppgifterna har lämnat EU och EES:"), *found])


def automated_decisions(content: Content) -> str:
    """Say whether a computer decides alone, and what a check of credit means (ADM-01, ADM-02)."""
    alone = _("Nej. Inga beslut om dig fattas av en dator utan att en människa är med.")
    if not any(record.purpose == "A2" for record in content.records):
        return alone
    said = [
        alone,
        _(
            "När du har valt att betala mot faktura har vår fakturapartner prövat köpet, med ditt "
            "namn, din adress och ditt personnummer. Blir det nej kan du betala direkt, och en "
            "människa hos oss prövar det igen om du ber om det."
        ),
    ]
    if content.customer.national_id_used_on:
        last = words.full_day(content.customer.national_id_used_on)
        said.append(_("Senast var det %(day)s.") % {"day": last})
    return " ".join(said)


@dataclass(frozen=True)
class Profiling:
    """How a person is put in a group or worked out something for, and whether it is done."""

    code: str
    name: str
    done: str
    data: str
    logic: str
    means: str


def profiling(content: Content) -> Iterator[Profiling]:
    """Yield what is worked out about the person, from what, how, and what it means (PRF-01)."""
    on = stockholm_date(content.taken_at)
    logic = {
        "F": _(
            "Vi ser vilka slags varor du har köpt av oss och när. Har du köpt samma slag som "
            "andra hör du till samma grupp. Köper du något annat byter du grupp."
        ),
        "I": _(
            "Vi ser vad du har köpt, och vad andra som har köpt samma varor har valt. Det som "
            "många har valt och du inte har blir ett tips. Köper du något annat blir tipsen andra."
        ),
    }
    means = {
        "F": _("Gruppen avgör vilka erbjudanden du kan få, inget annat."),
        "I": _("Tipsen syns bara för dig, på Min sida. De avgör inget."),
    }
    live = {r.purpose for r in content.records if r.ended_on is None and r.retain_until >= on}
    for code in ("F", "I"):
        purpose = BY_CODE[code]
        yield Profiling(
            code=code,
            name=str(purpose.name),
            done=_("Det får vi göra nu. Du stoppar det under Mina val.")
            if code in live
            else _("Det gör vi inte med dina uppgifter."),
            data=words.listed([str(Category(c).label) for c in purpose.uses]),
            logic=logic[code],
            means=means[code],
        )


def profiling_note() -> str:
    """Say what is kept of it, and what never goes in."""
    return _(
        "Vi sparar varken grupp eller tips om dig. De räknas ut när de behövs, bara av det du har "
        "köpt: aldrig av hur du surfar, av register eller av kreditprövningar."
    )


def used_for(record: ProcessingRecord, held: set[Category]) -> list[str]:
    """Return the kinds of data we have that a purpose keeps or uses (Article 15(1)(a))."""
    purpose = BY_CODE[record.purpose]
    return [str(c.label) for c in Category if c in {*purpose.keeps, *purpose.uses} & held]


def withheld(why: Why) -> str:
    """Say why something is not shown (ACC-07)."""
    if why == Why.OTHERS:
        return _(
            "Det som handlar om någon annan, eller om den hos oss som skrev, är utelämnat i våra "
            "anteckningar. Det du har rätt till får inte ta ifrån andra deras rätt."
        )
    return _(
        "Sparas bara som en kontrollsumma, som vi söker med. Den säger inget som inte redan står "
        "här, och den som har den skulle kunna gissa sig fram till uppgiften."
    )


def rights() -> list[tuple[str, str]]:
    """Return what the person can ask for, and how."""
    company = words.controller()
    where = {
        "phone": company["phone"],
        "hours": company["phone_hours"],
        "email": company["email"],
    }
    return [
        (
            _("Rätta."),
            _("Stämmer något inte ändrar du det under Mina uppgifter på Min sida."),
        ),
        (
            _("Radera."),
            _(
                "Be oss radera. Det som en lag kräver att vi sparar står kvar till sin sista dag, "
                "som du ser här."
            ),
        ),
        (
            _("Begränsa."),
            _("Be oss bara förvara uppgifterna, till exempel medan vi kontrollerar dem."),
        ),
        (
            _("Säga nej."),
            _(
                "Säg nej till reklam under Mina val, utan att säga varför. Det gäller direkt. Du "
                "kan också invända mot annat som vilar på vårt intresse."
            ),
        ),
        (
            _("Ta tillbaka ett ja."),
            _("Under Mina val, när du vill. Det vi gjorde innan påverkas inte."),
        ),
        (
            _("Ta med dig."),
            _("JSON-filen bredvid den här kan du lämna till ett annat företag."),
        ),
        (
            _("Fråga en människa."),
            _("Ring %(phone)s, %(hours)s, eller mejla %(email)s.") % where,
        ),
    ]


def complaint() -> str:
    """Say where to complain (Article 15(1)(f))."""
    return _(
        "Är du inte nöjd kan du klaga hos Integritetsskyddsmyndigheten, IMY: imy.se, "
        "imy@imy.se, 08-657 61 00, Box 8114, 104 20 Stockholm. Du kan också gå till domstol."
    )
