"""The rows of Vad vet ni om mig in words: one way for each model known by name, and a plain one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from consent.choice_words import holds
from consent.choice_words import said as said_event
from consent.choices import name as use_name
from consent.models import Event, Standing
from consent.overruled import overruled
from consent.purposes import Use
from customers.dates import FAR, NEVER, stockholm_date
from customers.models import Address, Customer
from customers.personal_data import Category, column_label
from customers.rules import masked_national_id, shown_phone
from customers.words import full_day, in_words, listed, moment, until
from dentalclean.everything import Holding
from dentalclean.my_data.facts import Fact, Page, reasons, source_of, until_of

Held = Standing.Permission

# Columns that say where a row comes from and stand in that column instead.
PROVENANCE = ("source", "collected")
FROM_ELSEWHERE = {
    "nix_phone": gettext_lazy("Spärregistret NIX"),
    "nix_post": gettext_lazy("Spärregistret NIX"),
    "protection": gettext_lazy("Folkbokföringen"),
    "deceased_on": gettext_lazy("Folkbokföringen"),
}
CONTACT = ("email", "phone")
EDITABLE = {"name": "namn", "email": "e-post", "phone": "mobil", "language": "sprak"}


def _person(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    customer = page.customer
    row = holding.rows[0]
    yield Category.IDENTITY, _detail(page, holding, "name", _("Namn"), customer.name)
    yield Category.CONTACT, _detail(page, holding, "email", _("E-post"), customer.email)
    phone = shown_phone(customer.phone)
    yield Category.CONTACT, _detail(page, holding, "phone", _("Mobil"), phone)
    shown = {"given_name", "family_name", "email", "phone", "user", *PROVENANCE}
    # Said as notes beside the values.
    shown |= {f"{what}_{fact}_on" for what in CONTACT for fact in ("returned", "suppressed")}
    for category, columns in holding.data.columns.items():
        for column in columns:
            if column in row and column not in shown and row.said(column):
                label = column_label(Customer, column)
                if column in EDITABLE:
                    yield category, _detail(page, holding, column, label, row.said(column))
                else:
                    fact = _plain_value(page, holding, category, label, row.said(column))
                    source = FROM_ELSEWHERE.get(column, fact.source)
                    yield category, replace(fact, source=str(source))
    if customer.national_id_sealed is not None:
        label, number = _("Personnummer"), masked_national_id(customer)
        yield Category.NATIONAL_ID, _plain_value(page, holding, Category.NATIONAL_ID, label, number)


def _detail(page: Page, holding: Holding, what: str, label: str, value: str) -> Fact:
    """Return the row of something the person can change in place."""
    columns = ("given_name", "family_name") if what == "name" else (what,)
    changes = page.changes_of(*columns)
    category = holding.data.category_of(columns[0]) or holding.category
    customer = page.customer
    source = source_of(holding.rows[0], stockholm_date(customer.created_at))
    if changes:
        source = source_of(changes[0], changes[0]["at"])
    return Fact(
        label=label,
        value=value,
        source=source if value else "",
        until=until_of(page, holding, category) if value else "",
        reasons=reasons(page, category, earlier=changes) if value else [],
        change_url=reverse("edit_field", args=[EDITABLE[what]]),
        change_name=label.lower(),
        first=what != "language",
        note=_note(
            what,
            getattr(customer, f"{what}_returned_on", None),
            getattr(customer, f"{what}_suppressed_on", None),
        ),
    )


CAME_BACK = {
    "email": gettext_lazy("Vårt senaste mejl kom tillbaka %(day)s. Stämmer adressen?"),
    "phone": gettext_lazy("Vi nådde dig inte på numret %(day)s. Stämmer det?"),
    "address": gettext_lazy("Vårt senaste brev kom tillbaka %(day)s. Stämmer adressen?"),
}
SAID_NO = gettext_lazy(
    "Någon sa nej till reklam hit %(day)s. Det gäller tills du själv säger ja under Mina val."
)


def _note(what: str, returned_on: date | None, suppressed_on: date | None) -> str:
    """Ask kindly about a value that did not reach the person, and tell of a no that it carries.

    RUL-28, ERA-06.
    """
    notes = []
    if returned_on:
        notes.append(CAME_BACK[what] % {"day": full_day(returned_on)})
    if suppressed_on:
        notes.append(SAID_NO % {"day": full_day(suppressed_on)})
    return " ".join(notes)


def _plain_value(page: Page, holding: Holding, category: Category, label: str, value: str) -> Fact:
    ours = category in (Category.SHELL, Category.NATIONAL_ID)
    return Fact(
        label=label,
        value=value,
        source=_("Oss") if ours else source_of(holding.rows[0]),
        until=until_of(page, holding, category),
        reasons=reasons(page, category),
    )


def _addresses(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    earlier = page.changes_of("street", "postcode", "city")
    kinds = {row["kind"] for row in holding.rows}
    for row in holding.rows:
        home = row["kind"] == Address.Kind.HOME
        given = {c: row[c] for c in ("street", "postcode", "city", "country")}
        yield (
            Category.ADDRESS,
            Fact(
                label=row.said("kind"),
                value=Address(**given).line,
                source=source_of(row, row["given_on"]),
                until=until_of(page, holding, Category.ADDRESS),
                reasons=reasons(page, Category.ADDRESS, earlier=earlier if home else ()),
                change_url=reverse("edit_field", args=["adress"]) if home else "",
                change_name=_("adress"),
                first=home,
                note=_note("address", row["returned_on"], row["suppressed_on"]),
            ),
        )
    if Address.Kind.HOME not in kinds:
        url = reverse("edit_field", args=["adress"])
        name = _("adress")
        yield (
            Category.ADDRESS,
            Fact(capfirst(name), "", change_url=url, change_name=name, first=True),
        )


def _listed(
    page: Page,
    holding: Holding,
    value: str,
    items: list[str],
    *,
    label: str = "",
    source: str = "",
) -> Iterator[tuple[Category, Fact]]:
    """Yield one row for all rows of a model: a single one is said, more are opened in place."""
    if not items:
        return
    category = holding.category
    if len(items) == 1:
        value, items = items[0], []
    yield (
        category,
        Fact(
            label=label or str(holding.data.name),
            value=value or _pieces(items),
            items=items,
            items_name=_("Visa alla"),
            source=source or source_of(holding.rows[-1]),
            until=until_of(page, holding, category),
            reasons=reasons(page, category),
        ),
    )


def _pieces(items: list[str]) -> str:
    return _("%(n)s stycken") % {"n": capfirst(in_words(len(items)))}


def _subscriptions(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    items = []
    for row in holding.rows:
        said = {
            "what": page.products.get(row.values["product"], ""),
            "from": full_day(row["started_on"]),
            "to": full_day(row["ended_on"]) if row["ended_on"] else "",
        }
        items.append(
            _("%(what)s, från %(from)s till %(to)s.") % said
            if said["to"]
            else _("%(what)s, sedan %(from)s.") % said
        )
    yield from _listed(page, holding, "", items)


def _orders(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    items = []
    for row in reversed(holding.rows):
        parts = [
            f"{row['quantity']} × {page.products.get(row.values['product'], '')}",
            _("beställd %(day)s") % {"day": full_day(row["ordered_on"])},
        ]
        for column, words in (
            ("delivered_on", _("levererad %(day)s")),
            ("withdrawn_on", _("ångrad %(day)s")),
            ("cancelled_on", _("avbeställd %(day)s")),
        ):
            if row[column]:
                parts.append(words % {"day": full_day(row[column])})
        items.append(f"{', '.join(parts)} ({row['number']}).")
    yield from _listed(page, holding, "", items)


def _invoices(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    items = []
    for row in reversed(holding.rows):
        day, kind = full_day(row["issued_on"]), row.said("kind")
        parts = [f"{kind} {row['number']}", day, row.said("total_ore")]
        if row["paid_on"]:
            parts.append(_("betald %(day)s") % {"day": full_day(row["paid_on"])})
        printed = _("Utställd till %(name)s, %(address)s.") % {
            "name": row["buyer_name"],
            "address": row["buyer_address"],
        }
        items.append(f"{', '.join(parts)}. {row.said('lines')}. {printed}")
    yield from _listed(page, holding, "", items, source=_("Oss, vid varje köp"))


def _questions(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    items = []
    for row in reversed(holding.rows):
        parts = [f"{full_day(row['opened_at'])}: {row['subject']}.", row["body"]]
        if row["answer"]:
            parts.append(_("Vårt svar: %(answer)s") % {"answer": row["answer"]})
        items.append(" ".join(part for part in parts if part))
    yield from _listed(page, holding, "", items)


def _changes(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    items = [
        _("%(what)s: från ”%(old)s” till ”%(new)s”, %(day)s.")
        % {
            "what": row.said("field"),
            "old": row["old"],
            "new": row["new"],
            "day": full_day(row["at"]),
        }
        for row in reversed(holding.rows)
    ]
    yield from _listed(page, holding, "", items)


def _standings(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    items, yes, no, unproven = [], 0, 0, 0
    for row in holding.rows:
        permission, declined = row["permission"], row["declined"]
        no += declined
        yes += permission == Held.CONSENT and not declined
        unproven += permission == Held.NONE and not declined
        use = Use(row["purpose"], row["channel"], row["third_party"])
        about = f"{use_name(use)}, {use.third_party}" if use.third_party else use_name(use)
        items.append(f"{about}: {holds(permission, row['since'], declined=declined)}.")
    value = _answers(yes, no, unproven, len(items) - yes - no - unproven)
    source = _("Dig, på Min sida och vid köp")
    yield from _listed(page, holding, value, items, label=_("Dina val"), source=source)


def _answers(yes: int, no: int, unproven: int, until_a_no: int) -> str:
    """Count what the person has said, and apart from it what we may until they say no."""
    parts = [_("Ja till %(n)s") % {"n": in_words(yes)}] if yes else []
    parts += [_("nej till %(n)s") % {"n": in_words(no)}] if no else []
    said = [_("%(answers)s val.") % {"answers": capfirst(listed(parts))}] if parts else []
    if unproven:
        without = ngettext(
            "%(n)s äldre ja saknar bevis och gäller inte.",
            "%(n)s äldre ja saknar bevis och gäller inte.",
            unproven,
        )
        said.append(without % {"n": capfirst(in_words(unproven))})
    if until_a_no:
        allowed = ngettext(
            "%(n)s sak får vi tills du säger nej.",
            "%(n)s saker får vi tills du säger nej.",
            until_a_no,
        )
        said.append(allowed % {"n": capfirst(in_words(until_a_no, "en"))})
    return " ".join(said)


def _events(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    ledger = list(Event.objects.filter(customer=page.customer).order_by("pk"))
    yields = overruled(ledger)
    items = []
    for event in reversed(ledger):
        about = event.kind, event.purpose, event.channel, event.third_party
        said = said_event(*about, counts=event.pk not in yields)
        how = _inside(str(event.get_collected_display()))
        items.append(f"{full_day(event.at)}: {said}, {how}.")
    source = _("Dig, när du valde")
    yield from _listed(page, holding, "", items, source=source)


def _messages(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    items = []
    for row in reversed(holding.rows):
        kind, what = capfirst(row.said("kind")), row.said("template")
        state = _inside(row.said("status"))
        items.append(f"{kind}, {full_day(row['created_at'])}: {what}, {state}.")
    source = _("Oss, vid varje utskick")
    yield from _listed(page, holding, "", items, source=source)


def _records(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    # Those that have ended are kept as proof; they are in the extract.
    live = [row for row in holding.rows if row["ended_on"] is None and row["retain_until"] > NEVER]
    waits = any(entry.waits for entry in page.entries.values())
    still = _("tills ett öppet ärende är klart")
    items = [
        f"{row.said('purpose')}: "
        f"{still if waits and row['retain_until'] >= FAR else _inside(until(row['retain_until']))}."
        for row in live
    ]
    value = _("%(n)s skäl som gäller nu") % {"n": capfirst(in_words(len(live)))}
    source = _("Oss, av vad du har köpt och valt")
    yield from _listed(page, holding, value, items, source=source)


def _inside(said: str) -> str:
    """Return words as they stand inside a sentence; names of months keep their capitals."""
    return said[:1].lower() + said[1:]


def _account(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    for row in holding.rows:
        parts = [row["email"], _("konto sedan %(day)s") % {"day": full_day(row["created_at"])}]
        if row["last_login"]:
            parts.append(_("senast inloggad %(day)s") % {"day": moment(row["last_login"])})
        yield from _listed(page, holding, "", [f"{', '.join(parts)}."], source=_("Dig"))


def _sessions(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    items = [
        _("Inloggad sedan %(day)s.") % {"day": moment(row["created_at"])}
        for row in reversed(holding.rows)
    ]
    for category, fact in _listed(page, holding, "", items, source=_("Dig, när du loggade in")):
        yield category, replace(fact, until=_("När du loggar ut, senast samma dag"))


def plain(page: Page, holding: Holding) -> Iterator[tuple[Category, Fact]]:
    """Show a model that nobody has written a row for: every column of every row, by its name."""
    for category, columns in holding.data.columns.items():
        items = []
        for row in reversed(holding.rows):
            said = [
                f"{column_label(holding.model, column)}: {row.said(column)}"
                for column in columns
                if column in row and column not in PROVENANCE and row.said(column)
            ]
            if said:
                items.append(f"{'. '.join(said)}.")
        for _category, fact in _listed(page, holding, "", items):
            until_then = until_of(page, holding, category)
            yield category, replace(fact, until=until_then, reasons=reasons(page, category))


Presenter = Callable[[Page, Holding], Iterator[tuple[Category, Fact]]]

PRESENTERS: dict[str, Presenter] = {
    "customers.Customer": _person,
    "customers.User": _account,
    "customers.Session": _sessions,
    "customers.Address": _addresses,
    "customers.Subscription": _subscriptions,
    "customers.Order": _orders,
    "customers.Invoice": _invoices,
    "customers.SupportCase": _questions,
    "customers.Change": _changes,
    "consent.Standing": _standings,
    "consent.Event": _events,
    "consent.ProcessingRecord": _records,
    "disclosures.Outbox": _messages,
}
