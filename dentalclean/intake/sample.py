"""Generated people as the files of an import, the same for the same seed.

`docs/sample/` is `write(folder, people=1000, seed=1, bad=True)`. Nobody in it exists: names are
drawn from lists, identity numbers are Skatteverket's published test numbers (PNR-03), phone
numbers are those PTS keeps for fiction, e-mail ends in example.se or example.com.
"""

import csv
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from dateutil.relativedelta import relativedelta

# The sample tells of the register as it was on this day.
AS_OF = date(2023, 11, 24)

TEST_NUMBERS = (
    "191212121212",
    "199006022397",
    "199107172380",
    "199610202385",
    "199312172381",
    "200001022391",
    "190001042399",
    "200001042399",
    "200001052380",
    "190301249801",
    "201701122382",
)
PHONES = tuple(f"070-174 06 {n:02d}" for n in range(5, 100))
GIVEN = (
    *("Åsa", "Örjan", "Älva", "Björn", "Göran", "Märta", "Håkan", "Ebba", "Sixten", "Tyra"),
    *("Linnéa", "Renée", "Fatima", "Mehmet", "Aino", "Siv-Britt", "Jean-Paul", "Nils", "Moa"),
    *("Karin", "Lars", "Eva", "Olle", "Signe", "Ture", "Vera", "Iris", "Hugo", "Stina", "Zlatko"),
)
FAMILY = (
    *("Åström", "Öberg", "Ängström", "O'Brien", "D’Angelo", "von Essen", "af Ugglas", "Lindström"),
    *("Sjögren", "Björk", "Hägg", "Källman", "Nordström", "Ek", "Ask", "Lönn", "Hassel", "Rönn"),
    *("Svensson-Lööf", "Nguyễn", "Åkerlund", "Malmö", "Östlund", "Wåhlin", "Bäck", "Sandén"),
)
STREETS = ("Björkgatan", "Storgatan", "Åvägen", "Älgstigen", "Östra Allén", "S:t Eriksgränd")
PLACES = (
    *(("58222", "Linköping"), ("11122", "Stockholm"), ("41105", "Göteborg"), ("21120", "Malmö")),
    *(("90326", "Umeå"), ("97231", "Luleå"), ("75320", "Uppsala"), ("70211", "Örebro")),
)
PRODUCTS = (
    ("borsthuvud", "Borsthuvuden", "munvard"),
    ("tandborste", "Tandborste", "munvard"),
    ("tandkram", "Tandkräm", "munvard"),
)
PRICES = {"borsthuvud": 9900, "tandborste": 69900, "tandkram": 4900}

COLUMNS = {
    "products": ("code", "name", "similar_group"),
    "fiscal_years": ("starts_on", "ends_on"),
    "customers": (
        *("number", "given_name", "family_name", "registered_on", "last_contact_on", "updated_on"),
        *("birth_date", "adult_confirmed_on", "email", "phone", "national_id"),
        *("national_id_used_on", "language", "protection", "deceased_on", "nix_phone", "nix_post"),
        *("collected", "noticed_on", "soft_opt_in_on", "soft_opt_in_order"),
        *("soft_opt_in_goods", "soft_opt_in_offer"),
    ),
    "addresses": ("number", "kind", "street", "postcode", "city", "country", "given_on"),
    "subscriptions": ("number", "product", "started_on", "ended_on", "collected"),
    "orders": (
        *("order_number", "number", "product", "quantity", "ordered_on", "delivered_on"),
        *("withdrawn_on", "cancelled_on", "collected"),
    ),
    "invoices": (
        *("invoice_number", "number", "kind", "issued_on", "due_on", "paid_on", "refers_to"),
        *("buyer_name", "buyer_address", "text", "quantity", "total_ore", "vat_ore"),
    ),
    "consents": (
        *("number", "answer", "purpose", "channel", "third_party", "given_on", "evidence"),
        "collected",
    ),
}

Row = dict[str, Any]


def write(folder: Path, people: int, seed: int = 1, bad: bool = False) -> None:
    """Write the files of an import of so many people; with some bad rows if asked."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = Random(seed)  # noqa: S311  # nosec B311  the same people each time
    with ExitStack() as stack:
        files = {
            name: csv.DictWriter(
                stack.enter_context(
                    (folder / f"{name}.csv").open("w", encoding="utf-8", newline="")
                ),
                columns,
                delimiter=";",
                lineterminator="\n",
            )
            for name, columns in COLUMNS.items()
        }
        for file in files.values():
            file.writeheader()
        for name, row in _rows(draw, people):
            files[name].writerow(row)
        if bad:
            for name, row in _bad_rows(people):
                files[name].writerow(row)


def _rows(draw: Random, people: int) -> Iterator[tuple[str, Row]]:
    for product in PRODUCTS:
        yield "products", dict(zip(COLUMNS["products"], product, strict=True))
    yield from (("fiscal_years", row) for row in _fiscal_years())
    invoices = iter(range(100_001, 100_001 + 20 * people))
    for n in range(1, people + 1):
        yield from _person(draw, n, invoices)


def _fiscal_years() -> Iterable[Row]:
    """Calendar years, and the change to a broken one by a year of sixteen months."""
    for year in range(2010, 2019):
        yield {"starts_on": date(year, 1, 1), "ends_on": date(year, 12, 31)}
    yield {"starts_on": date(2019, 1, 1), "ends_on": date(2020, 4, 30)}
    for year in range(2020, 2025):
        yield {"starts_on": date(year, 5, 1), "ends_on": date(year + 1, 4, 30)}


def _person(draw: Random, n: int, invoices: Iterator[int]) -> Iterator[tuple[str, Row]]:
    number = f"K{n:07d}"
    registered = AS_OF - timedelta(days=draw.randint(200, 13 * 365))
    given, family = draw.choice(GIVEN), draw.choice(FAMILY)
    customer = _customer(draw, n, number, given, family, registered)
    street = f"{draw.choice(STREETS)} {draw.randint(1, 99)}"
    postcode, city = draw.choice(PLACES)
    bought = list(_subscriptions(draw, n, number, registered))
    customer["last_contact_on"] = max(
        registered, *(row["started_on"] for row in bought), registered
    )
    yield "customers", customer
    yield (
        "addresses",
        {
            "number": number,
            "kind": "home",
            "street": street,
            "postcode": f"{postcode[:3]} {postcode[3:]}",
            "city": city,
            "country": "SE",
            "given_on": registered,
        },
    )
    buyer = {
        "buyer_name": f"{given} {family}",
        "buyer_address": f"{street}, {postcode[:3]} {postcode[3:]} {city}",
    }
    for k, row in enumerate(bought):
        yield "subscriptions", row
        last = min(row["ended_on"] or AS_OF, AS_OF)
        for m in range(2):
            day = row["started_on"] + (last - row["started_on"]) * m // 2
            yield from _delivery(draw, f"O{n:07d}-{k}{m}", row, day, buyer, invoices)
    yield from _choices(draw, n, number, registered)


def _customer(draw: Random, n: int, number: str, given: str, family: str, registered: date) -> Row:
    row: Row = {
        "number": number,
        "given_name": given,
        "family_name": family,
        "registered_on": registered,
        "updated_on": AS_OF - timedelta(days=draw.randint(1, 180)),
        "birth_date": registered - timedelta(days=draw.randint(19 * 365, 70 * 365)),
        "adult_confirmed_on": registered,
        "email": f"person{n}@example.{'se' if n % 2 else 'com'}",
        "phone": draw.choice(PHONES),
        "language": "en" if n % 25 == 0 else "sv",
        "nix_phone": int(n % 9 == 0),
        "nix_post": int(n % 11 == 0),
        "collected": draw.choice(("web", "web", "web", "phone", "slip")),
        "noticed_on": registered if n % 7 else "",
    }
    if n % 3:
        row |= {
            "soft_opt_in_on": registered,
            "soft_opt_in_order": f"W{n:07d}",
            "soft_opt_in_goods": "borsthuvud",
            "soft_opt_in_offer": "Nej tack-rutan i kassan",
        }
    if n <= len(TEST_NUMBERS):
        row |= {"national_id": TEST_NUMBERS[n - 1], "birth_date": ""}
        row["national_id_used_on"] = AS_OF - timedelta(days=10)
    if n % 40 == 13:
        row["birth_date"] = date(1972, 2, 29)  # turns older on 1 March
    if n % 50 == 14:
        row["email"] = ""
    if n % 100 == 16:  # a couple with one mailbox
        row["email"] = f"person{n - 1}@example.se"
    if n % 100 == 17:
        row["protection"] = "secrecy" if n % 200 == 17 else "registration"
    if n % 200 == 18:
        row["deceased_on"] = AS_OF - timedelta(days=20)
    if n % 100 == 19:
        row |= {"family_name": "O'Hara Åö", "given_name": 'Ann "Nan"'}
    if n % 150 == 20:
        row |= {"birth_date": "", "adult_confirmed_on": ""}
    return row


def _subscriptions(draw: Random, n: int, number: str, registered: date) -> Iterator[Row]:
    """Most people subscribe, some have stopped, some never started."""
    kind = n % 10
    if kind == 9:
        return
    start = min(registered + timedelta(days=draw.randint(0, 30)), AS_OF)
    span = (AS_OF - start).days
    if kind in (0, 1, 2, 3):  # still with us on the day of the register
        end: date | str = ""
    elif kind in (4, 5, 6):  # ended within three years before it
        end = max(start, AS_OF - timedelta(days=draw.randint(0, min(span, 3 * 365 - 1))))
    else:  # ended any time since
        end = max(start, AS_OF - timedelta(days=draw.randint(0, span)))
    if n % 60 == 11:
        start = date(2020, 2, 29)
        end = date(2022, 2, 28)
    code = draw.choice(PRODUCTS)[0]
    yield {
        "number": number,
        "product": code,
        "started_on": start,
        "ended_on": end,
        "collected": draw.choice(("web", "phone", "slip")),
    }


def _delivery(
    draw: Random, order: str, row: Row, day: date, buyer: Row, invoices: Iterator[int]
) -> Iterator[tuple[str, Row]]:
    quantity = draw.randint(1, 4)
    total = PRICES[row["product"]] * quantity
    delivered = day + timedelta(days=draw.randint(1, 6))
    yield (
        "orders",
        {
            "order_number": order,
            "number": row["number"],
            "product": row["product"],
            "quantity": quantity,
            "ordered_on": day,
            "delivered_on": delivered if delivered <= AS_OF else "",
            "collected": row["collected"],
        },
    )
    paid = day + timedelta(days=draw.randint(5, 40))
    invoice = next(invoices)
    common = {"number": row["number"], "quantity": quantity, **buyer}
    yield (
        "invoices",
        {
            **common,
            "invoice_number": invoice,
            "kind": "invoice",
            "issued_on": day,
            "due_on": day + relativedelta(months=1),
            "paid_on": paid if paid <= AS_OF and draw.random() < 0.98 else "",
            "text": f"{row['product'].capitalize()}, {quantity} st",
            "total_ore": total,
            "vat_ore": total // 5,
        },
    )
    if draw.random() < 0.03 and day + timedelta(days=60) <= AS_OF:
        yield (
            "invoices",
            {
                **common,
                "invoice_number": next(invoices),
                "kind": "credit",
                "issued_on": day + timedelta(days=60),
                "refers_to": invoice,
                "text": f"Retur, {quantity} st",
                "total_ore": -total,
                "vat_ore": -(total // 5),
            },
        )


def _choices(draw: Random, n: int, number: str, registered: date) -> Iterator[tuple[str, Row]]:
    day = registered + timedelta(days=draw.randint(0, 150))
    row = {"number": number, "given_on": day, "collected": "web"}
    if n % 5 == 1:
        said = {"answer": "yes", "purpose": "H", "channel": draw.choice(("email", "sms"))}
        yield "consents", {**row, **said, "evidence": f"Formulär på webben {day}, rutan ikryssad."}
    if n % 12 == 2:
        said = {"answer": "yes", "purpose": "H", "channel": "email"}
        yield "consents", {**row, **said, "collected": "import"}
    if n % 15 == 3:
        yield "consents", {**row, "answer": "no", "collected": "phone"}
    if n % 18 == 4:
        yield "consents", {**row, "answer": "no", "channel": "phone", "collected": "phone"}
    if n % 45 == 6:
        said = {"answer": "yes", "purpose": "P", "channel": "post", "third_party": "Tandvännen AB"}
        yield "consents", {**row, **said, "evidence": f"Talong daterad {day}."}


def _bad_rows(people: int) -> Iterator[tuple[str, Row]]:
    """What old registers hold, one of each."""
    fine = {"registered_on": "2022-05-02", "given_name": "Bo", "family_name": "Fel"}
    for n, wrong in enumerate(
        (
            {"registered_on": "2031-01-01"},
            {"registered_on": "2022-02-30"},
            {"email": "ingen snabel-a"},
            {"phone": "12"},
            {"national_id": "191212121213", "national_id_used_on": "2022-05-02"},
        ),
        start=1,
    ):
        yield "customers", {**fine, "number": f"F{n:07d}", **wrong}
    for family in ("Dubbel", "Också"):
        yield "customers", {**fine, "number": "F0000099", "family_name": family}
    address = {"street": "Storgatan 1", "city": "Malmö", "given_on": "2022-05-02"}
    yield "addresses", {**address, "number": "K0000001", "kind": "delivery", "postcode": "1234"}
    yield "addresses", {**address, "number": "F0000001", "postcode": "211 20"}
    subscription = {"product": "borsthuvud", "collected": "web"}
    for number, start, end in (
        ("K0000011", "2020-03-01", "2020-06-30"),
        ("K0000011", "2020-06-30", "2021-01-31"),
        ("K0000009", "2021-05-01", "2021-04-30"),
        ("K9999999", "2021-05-01", ""),
    ):
        row = {"number": number, "started_on": start, "ended_on": end}
        yield "subscriptions", {**subscription, **row}
    invoice = {
        "number": "K0000001",
        "kind": "invoice",
        "buyer_name": "Bo Fel",
        "buyer_address": "Storgatan 1, 211 20 Malmö",
        "text": "Tandkram, 1 st",
        "quantity": 1,
        "total_ore": 4900,
        "vat_ore": 980,
    }
    day = {"issued_on": "2009-12-31", "due_on": "2010-01-31"}
    yield "invoices", {**invoice, **day, "invoice_number": 1}
    said = {"number": "K0000009", "given_on": "2022-05-02", "answer": "yes"}
    yield "consents", {**said, "purpose": "Z", "channel": "email"}
    yield "consents", {**said, "purpose": "H", "channel": "fax"}
