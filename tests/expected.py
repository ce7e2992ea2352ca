"""What must be left of generated histories after a night, by the law alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from tests.histories import EVERYTHING, Life, Row
from tests.history_tables import World
from tests.oracles import retention as law

# The bits of a hold, in the words of the law.
BITS = {
    1: "identity",
    2: "contact",
    4: "address",
    8: "number",
    16: "account",
    32: "history",
    64: "purchases",
    128: "invoices",
    256: "support",
    512: "proof",
    1024: "messages",
    2048: "cases",
    8192: "staff log",
    32768: "looks",
    65536: "disclosures",
}
SAID = {"notice": "notice", "soft": "soft", "yes": "yes"}
# The tables whose rows go with the master, and what they hold.
MASTER = {
    "customers_address": "address",
    "customers_user": "account",
    "account_emailaddress": "account",
    "customers_session": "account",
    "django_admin_log": "staff log",
}


def facts(life: Life, world: World, on: date) -> law.Facts:
    """Return a person's facts as they are known on a day, written or erased meanwhile."""
    rows = [(row, row.known(on)) for row in life.rows if row.born <= on and row.key in world.ever]
    person = rows[0][1]
    of: dict[str, list[dict[str, Any]]] = {}
    for row, known in rows:
        of.setdefault(row.table, []).append(known)
    held = 0
    for hold in of.get("retention_hold", ()):
        if hold["lifted_at"] is None and law.holds(hold["ground"], hold["placed_at"], on):
            held |= hold["categories"]
    homes = [
        known
        for row, known in rows
        if row.table == "customers_address" and row.key in world.written[row.table]
    ]
    return law.Facts(
        last_contact=person["last_contact_on"],
        subscriptions=[
            (s["started_on"], s["ended_on"]) for s in of.get("customers_subscription", ())
        ],
        orders=[
            (o["delivered_on"], o["cancelled_on"], o["withdrawn_on"])
            for o in of.get("customers_order", ())
        ],
        debts=list(_debts(life, world, on)),
        questions=[
            (law.stockholm_day(q["opened_at"]), q["closed_on"])
            for q in of.get("customers_supportcase", ())
        ],
        said=[
            law.Said(
                day,
                SAID.get(act.kind, "no"),
                act.purpose,
                act.channel,
                act.third_party,
                own=act.authority == 4,
            )
            for act, day in zip(life.script[: len(life.entries)], life.said_on, strict=False)
        ],
        deceased=person["deceased_on"],
        back={
            way: day
            for way, is_there, day in (
                # Only of what is still there: the one that gave way tells of nothing any more.
                *(
                    (way, life.person in world.left[way], person[f"{way}_returned_on"])
                    for way in ("email", "phone")
                    if person[way]
                ),
                *(("address", True, home["returned_on"]) for home in homes),
            )
            if is_there and day
        },
        ways=[
            *(person[f"{way}_returned_on"] for way in ("email", "phone") if person[way]),
            *(home["returned_on"] for home in of.get("customers_address", ())),
        ],
        number_used=person["national_id_used_on"],
        restricted=person["restriction"],
        held=law.WHOLLY
        if held == EVERYTHING
        else frozenset(word for bit, word in BITS.items() if held & bit),
    )


def _debts(life: Life, world: World, on: date) -> Iterator[date]:
    for row in life.of("customers_invoice"):
        if row.born <= on and row.key in world.ever:
            runs_from = _owed_from(row, world, on)
            if runs_from is not None:
                yield runs_from


def _owed_from(invoice: Row, world: World, on: date) -> date | None:
    """Return the day from which an invoice's debt runs; None when nothing is owed (CLM-01)."""
    known = invoice.known(on)
    referring = [row.known(on) for row in world.referring[invoice.key]]
    settled = sum(abs(other["total_ore"]) for other in referring)
    if known["kind"] != "invoice" or known["paid_on"] is not None:
        return None
    if settled >= known["total_ore"]:
        return None
    payments = [other["issued_on"] for other in referring if other["kind"] == "payment"]
    others = [row.columns["happened_on"] for row in world.interruptions[invoice.key]]
    return law.claim_runs_from(known["due_on"] or known["issued_on"], [*payments, *others])


def left(world: World, on: date) -> dict[str, set[Any]]:
    """Return the keys of what must be left after the night to `on`, of what is there before it."""
    people = {
        person: law.Person(facts(life, world, on))
        for person, (life, _) in world.written["customers_customer"].items()
    }
    found: dict[str, set[Any]] = {name: set() for name in (*world.written, *world.left)}
    kept = {person for person, of in people.items() if of.is_held_wholly}
    for table, rows in world.written.items():
        if table in ("customers_customer", "retention_hold"):
            continue
        for key, (life, row) in rows.items():
            of = people[life.person]
            category, last = _clock(table, row, of, on, world, life)
            if last >= on or of.is_held(category):
                found[table].add(key)
                kept.add(life.person)
    for name, before in world.left.items():
        for person in before:
            of = people[person]
            life = world.written["customers_customer"][person][0]
            category, last = {
                "consent_standing": ("proof", of.proof),
                "number": ("number", of.national_id),
                "email": ("contact", min(of.master, of.returned("email"))),
                "phone": ("contact", min(of.master, of.returned("phone"))),
                "account": ("account", min(of.master, _account(life, of, on))),
            }.get(name, (name, of.master))
            if last >= on or of.is_held(category):
                found[name].add(person)
                kept.add(person)
    found["customers_customer"] = kept
    holds = world.written["retention_hold"].items()
    found["retention_hold"] = {key for key, (life, _) in holds if life.person in kept}
    return found


@dataclass(frozen=True)
class _Seen:
    """A row as it is known on a day, of somebody, among others."""

    row: Row
    known: dict[str, Any]
    of: law.Person
    world: World
    on: date
    life: Life


def _clock(
    table: str, row: Row, of: law.Person, on: date, world: World, life: Life
) -> tuple[str, date]:
    """Return what a row is, and its last day."""
    if table == "customers_address":
        return "address", min(of.master, of.returned("address"))
    if MASTER.get(table) == "account":
        return "account", min(of.master, _account(life, of, on))
    if table in MASTER:
        return MASTER[table], of.master
    category, last = CLOCKS[table]
    return category, last(_Seen(row, row.known(on), of, world, on, life))


def _account(life: Life, of: law.Person, on: date) -> date:
    """Return the day an account goes with the e-mail it signs in with (RUL-28)."""
    accounts = {row.columns["email"] for row in life.of("customers_user")}
    return of.returned("email") if life.customer.known(on)["email"] in accounts else law.OPEN


def _order(seen: _Seen) -> date:
    known = seen.known
    return law.purchase(known["delivered_on"] or known["cancelled_on"] or known["withdrawn_on"])


def _question(seen: _Seen) -> date:
    delivered = seen.row.parent if seen.known["complaint_until"] else None
    return law.question(seen.known["closed_on"], delivered)


def _event_of_a_case(seen: _Seen) -> date:
    _, case = seen.world.written["privacy_requests_case"][seen.row.parent]
    return law.case(case.known(seen.on)["closed_on"])


def _verification(seen: _Seen) -> date:
    """Reckon with its own fiscal year, those of what it is linked to (RUL-19), and its debt."""
    years = [other.columns["fiscal_year_id"] for other in seen.world.referring[seen.row.key]]
    referred = seen.known["refers_to_id"]
    if referred is not None:
        years.append(seen.world.invoices[referred].columns["fiscal_year_id"])
    last = law.verification(seen.known["fiscal_year_id"], *years)
    runs_from = _owed_from(seen.row, seen.world, seen.on)
    return last if runs_from is None else law.owed(runs_from, last)


def _interruption(seen: _Seen) -> date:
    """Go with its invoice."""
    invoice = seen.world.invoices[seen.row.parent]
    return _verification(replace(seen, row=invoice, known=invoice.known(seen.on)))


def _words(seen: _Seen) -> date:
    return seen.of.words(seen.life.entries.index(seen.row.key))


# What a row is, and how its last day comes about.
CLOCKS: dict[str, tuple[str, Callable[[_Seen], date]]] = {
    "consent_eventdetail": ("proof", _words),
    "customers_change": (
        "history",
        lambda seen: seen.of.change(seen.known["at"], seen.known["field"]),
    ),
    "customers_subscription": ("purchases", lambda seen: law.purchase(seen.known["ended_on"])),
    "customers_order": ("purchases", _order),
    "customers_invoice": ("invoices", _verification),
    "customers_debtinterruption": ("invoices", _interruption),
    "customers_supportcase": ("support", _question),
    "disclosures_outbox": ("messages", lambda seen: law.message(seen.known["finished_at"])),
    "customers_accesslog": ("looks", lambda seen: law.look(seen.known["at"])),
    "privacy_requests_case": ("cases", lambda seen: law.case(seen.known["closed_on"])),
    "privacy_requests_caseevent": ("cases", _event_of_a_case),
}


def differences(
    expected: dict[str, set[Any]], actual: dict[str, set[Any]]
) -> list[tuple[str, str, Any]]:
    """Return what went too early and what was left too late."""
    return [
        (table, word, key)
        for table in expected
        for word, keys in (
            ("too early", expected[table] - actual[table]),
            ("too late", actual[table] - expected[table]),
        )
        for key in sorted(keys, key=str)
    ]
