"""The extract for people: headings as questions, plain sentences, tables that can be read."""

from collections.abc import Iterable
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent.models import ProcessingRecord
from consent.purposes import BY_CODE
from customers import words
from customers.dates import stockholm_date
from customers.personal_data import Category
from privacy_requests import telling
from privacy_requests.extract import Column, Content, TableCopy, Why, filled
from privacy_requests.saying import ARTICLE, BASIS, said
from retention.schedule import PERIOD

Block = dict[str, Any]

# Rows become a table if no word in it is longer than a column of so many is wide, in letters.
LONGEST_WORD = {1: 60, 2: 40, 3: 26, 4: 20, 5: 16, 6: 13}
LONGEST_CELL = 90
CODES = list(BY_CODE)
# Told in a section of their own.
TOLD_ELSEWHERE = {"consent.event", "consent.processingrecord"}


def as_pages(content: Content) -> dict[str, Any]:
    """Return everything the typesetter needs, in the person's language."""
    with translation.override(content.language):
        company = words.controller()
        taken = f"{words.full_day(content.taken_at)} {words.clock(content.taken_at)}"
        return {
            "lang": content.language,
            "title": _("Allt vi har om dig"),
            "author": company["name"],
            "answer": _(
                "Ja, vi har uppgifter om dig. Här står vilka, varifrån de kommer, varför vi har "
                "dem, vem som har fått dem och när de raderas."
            ),
            "footer": _("%(company)s, uppgifterna som de var %(taken)s")
            % {"company": company["name"], "taken": taken},
            "page": _("Sida {page} av {pages}"),
            "facts": [
                [_("Kundnummer"), content.customer.number],
                [_("Uppgifterna som de var"), taken],
                [
                    _("Ansvarig"),
                    f"{company['name']}, {company['organisation_number']}, {company['address']}",
                ],
                [_("Kontakt"), f"{company['phone']}, {company['email']}"],
                [_("Version av policyn"), content.policy_version],
            ],
            "sections": list(_sections(content)),
        }


def _section(heading: str, *blocks: Block) -> Block:
    return {"heading": heading, "blocks": list(blocks)}


def _text(text: str) -> Block:
    return {"kind": "text", "text": text}


def _quiet(text: str) -> Block:
    return {"kind": "quiet", "text": text}


def _heading(text: str) -> Block:
    return {"kind": "heading", "text": text}


def _pairs(rows: list[list[str]]) -> Block:
    return {"kind": "pairs", "rows": rows}


def _table(columns: list[str], widths: list[int], rows: Iterable[list[str]]) -> Block:
    return {"kind": "table", "columns": columns, "widths": widths, "rows": list(rows)}


def _sections(content: Content) -> Iterable[Block]:
    yield _section(_("Varför har vi dina uppgifter?"), *_purposes(content))
    yield _section(_("Vad har vi, och när raderas det?"), _categories(content))
    yield _section(_("Vem har fått dem?"), *_recipients(content))
    yield _section(
        _("Varifrån kommer de?"),
        _table(
            [_("Uppgift"), _("Från"), _("Sätt"), _("När")],
            [6, 3, 4, 4],
            (
                [what, who, how, words.full_day(on)]
                for what, who, how, on in telling.sources(content)
            ),
        ),
    )
    yield _section(
        _("Bestämmer en dator något om dig?"), _text(telling.automated_decisions(content))
    )
    yield _section(_("Räknar vi ut något om dig?"), *_profiling(content))
    yield _section(_("Vad har du sagt ja och nej till?"), *_choices(content))
    yield _section(
        _("Vad kan du göra?"),
        {"kind": "list", "items": [list(right) for right in telling.rights()]},
        _text(telling.complaint()),
    )
    yield _section(_("Vad står det i varje rad?"), *_rows(content))


def _recipients(content: Content) -> Iterable[Block]:
    got = telling.received(content)
    yield _text(telling.recipients(got))
    for one in got:
        yield _heading(one.name)
        yield _quiet(f"{one.legal_name}: {one.task}. {one.role}")
        if one.handed:
            yield _table(
                [_("När"), _("Varför"), _("Vad")],
                [4, 5, 8],
                ([words.full_day(line.day), line.why, _upper(line.what)] for line in one.handed),
            )
        for line in one.told:
            yield _text(
                _("%(day)s fick de veta %(what)s. %(state)s")
                % {"day": words.full_day(line.day), "what": line.what, "state": line.state}
            )
    yield _text(telling.transfers(got))


def _purposes(content: Content) -> Iterable[Block]:
    held = {kept.category for kept in content.kept}
    yield _table(
        [_("Vad vi gör"), _("Grund"), _("Sedan"), _("Till och med")],
        [7, 4, 3, 4],
        (
            [
                _purpose(record, held),
                f"{_upper(str(BASIS[record.basis]))}, {_article(record.basis)}",
                words.full_day(record.since),
                _upper(telling.end_in_words(content, record)),
            ]
            for record in sorted(content.records, key=lambda r: CODES.index(r.purpose))
        ),
    )
    yield _quiet(_("Artiklarna är de i EU:s dataskyddsförordning, GDPR."))


def _purpose(record: ProcessingRecord, held: set[Category]) -> str:
    purpose, used = BY_CODE[record.purpose], telling.used_for(record, held)
    said = f"{purpose.name}. {purpose.why}"
    return f"{said} {_('Av det vi har: %(what)s.') % {'what': _listed(used)}}" if used else said


def _listed(labels: list[str]) -> str:
    return words.listed([label[:1].lower() + label[1:] for label in labels])


def _article(basis: str) -> str:
    return f"art. {ARTICLE[basis]}".replace(" ", words.HARD_SPACE)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _profiling(content: Content) -> Iterable[Block]:
    yield _text(telling.profiling_note())
    for entry in telling.profiling(content):
        yield _heading(entry.name)
        yield _pairs(
            [
                [_("Gör vi det?"), entry.done],
                [_("Av vad"), entry.data],
                [_("Hur"), entry.logic],
                [_("Vad det betyder"), entry.means],
            ]
        )


def _categories(content: Content) -> Block:
    return _table(
        [_("Slag av uppgifter"), _("Rader"), _("Sista dag"), _("Varför så länge")],
        [4, 1, 4, 5],
        (
            [
                str(kept.category.label),
                words.figures(kept.rows),
                _upper(telling.last_day_in_words(content, kept)),
                str(PERIOD[kept.category].why),
            ]
            for kept in content.kept
        ),
    )


def _choices(content: Content) -> Iterable[Block]:
    if not content.events:
        yield _text(_("Vi har inte antecknat något val."))
        return
    numbers = {notice.pk: n for n, notice in enumerate(content.wordings, start=1)}
    yield _table(
        [_("När"), _("Vad"), _("Om"), _("Sätt"), _("Ord")],
        [4, 5, 5, 3, 1],
        (
            [
                words.full_day(stockholm_date(event.at)),
                said(event._meta.get_field("kind"), event.kind),
                telling.about(event),
                said(event._meta.get_field("collected"), event.collected),
                str(numbers[event.notice_id]) if event.notice_id else "",
            ]
            for event in content.events
        ),
    )
    for notice in content.wordings:
        yield _heading(_("Ord %(number)s: så stod det") % {"number": numbers[notice.pk]})
        yield _text(notice.text)


def _rows(content: Content) -> Iterable[Block]:
    yield _quiet(
        _(
            "Varje rad vi har om dig, så som den är sparad. Tomma uppgifter är utelämnade här men "
            "står i JSON-filen. Ett tecken som inte går att trycka står som ett frågetecken."
        )
    )
    for copy in content.tables:
        if copy.rows and copy.key not in TOLD_ELSEWHERE:
            yield from _copy(copy)
    empty = [copy.name for copy in content.tables if not copy.rows]
    if empty:
        yield _heading(_("Det här har vi inte"))
        yield _text(words.listed(sorted(set(empty))) + ".")
    if content.withheld:
        yield _heading(_("Det här visar vi inte"))
        for why in Why:
            names = [entry.label for entry in content.withheld if entry.why == why]
            if names:
                yield _text(f"{words.listed(names)}. {telling.withheld(why)}")


def _copy(copy: TableCopy) -> Iterable[Block]:
    columns = list(filled(copy))
    count = ngettext("%(n)s rad", "%(n)s rader", len(copy.rows)) % {
        "n": words.figures(len(copy.rows))
    }
    yield _heading(f"{copy.name}, {count}" if len(copy.rows) > 1 else copy.name)
    if not columns:
        yield _quiet(_("Raden är tom."))
    elif len(copy.rows) > 1 and _fits(copy, [column.key for column in columns]):
        yield _table(
            [_label(column) for column in columns],
            [_width(copy, column.key, column.label) for column in columns],
            ([row[column.key] for column in columns] for row in copy.said),
        )
    else:
        for row in copy.said:
            pairs = [[_label(c), row[c.key]] for c in columns if row[c.key]]
            if pairs:
                yield _pairs(pairs)


def _label(column: Column) -> str:
    """Return the name of a column, without the unit that its words do not use."""
    return column.label.removesuffix(_(" i öre")).removesuffix(_(" i byte"))


def _fits(copy: TableCopy, keys: list[str]) -> bool:
    cells = [row[key] for row in copy.said for key in keys]
    longest = max(len(word) for cell in cells for word in (cell.split() or [""]))
    return longest <= LONGEST_WORD.get(len(keys), 0) and max(map(len, cells)) <= LONGEST_CELL


def _width(copy: TableCopy, key: str, label: str) -> int:
    """Return a share of the line by what stands in the column, within reason, whole words kept."""
    cells = [label, *(row[key] for row in copy.said)]
    longest = max(map(len, cells))
    longest_word = max((len(word) for cell in cells for word in cell.split()), default=0)
    return max(9, min(22, longest), longest_word * 4 // 3) + 4
