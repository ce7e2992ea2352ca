"""An extract of a hundred pages: how long it takes, and how much memory, beside bare typst.

Each side sets a small document first and then the large one, in a fresh process, so that neither
remembers anything of it. Memory is the most that the process which sets it ever had.
"""

import io
import json
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pikepdf
from django.db import connection

from bench import house, world
from bench.measure import report, seconds
from customers.models import Customer
from privacy_requests import archive
from privacy_requests.extract import collect
from privacy_requests.pages import as_pages
from privacy_requests.printing import Typesetter, pdf, words_of

# Heads, a footer with the number of pages, widths by what stands there: a third more than bare.
GOAL, GOAL_MEMORY = 1 / 1.6, 1 / 1.3
PAGES, ROWS_A_PAGE = 100, 31
PROGRAM = Path(__file__).parent / "typst_alone.py"
ORDERS = """
    INSERT INTO customers_order (public_id, number, customer_id, product_id, quantity, collected,
                                 ordered_on, delivered_on)
    SELECT gen_random_uuid(), 'S' || i, %s, 1, 1 + i %% 4, 'web', current_date - i %% 900,
           current_date - i %% 900 FROM generate_series(1, %s) i
"""


def run(n: int, rounds: int) -> None:
    """Measure the large document `rounds` times on each side; the fastest and smallest count.

    It has a hundred pages among a thousand people, and fewer among fewer.
    """
    world.build(n, ())
    house.copy("world", "large")
    try:
        small, large = Customer.objects.order_by("pk")[:2]
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(ORDERS, [large.pk, min(PAGES, n // 10) * ROWS_A_PAGE])
            cursor.execute("SET session_replication_role = origin")
        _measure(n, rounds, small, large)
    finally:
        house.drop("large")


def _measure(n: int, rounds: int, small: Customer, large: Customer) -> None:
    contents = [collect(person.pk) for person in (small, large)]
    whole = seconds(lambda: archive.pack(collect(large.pk)))
    pages = [as_pages(content) for content in contents]
    ours, reference = zip(
        *((_ours(pages, contents[1].taken_at), _alone(pages)) for _ in range(rounds)), strict=True
    )
    count = _count(pages[1], contents[1].taken_at)
    took, took_alone = (min(each[0] for each in side) for side in (ours, reference))
    most, most_alone = (min(each[1] for each in side) for side in (ours, reference))
    report(
        "extract_large",
        n,
        ours=1 / took,
        reference=1 / took_alone,
        goal=GOAL,
        sentence=f"A PDF of {count} pages: ours {took:.2f} s, bare typst {took_alone:.2f} s, "
        f"{took / took_alone:.2f} times it. The whole archive with it {whole:.2f} s.",
    )
    report(
        "extract_large_memory",
        n,
        ours=1 / most,
        reference=1 / most_alone,
        goal=GOAL_MEMORY,
        sentence=f"The process that sets it had {most:.0f} MiB at most, bare typst "
        f"{most_alone:.0f} MiB.",
    )


def _ours(pages: list[dict[str, Any]], moment: datetime) -> tuple[float, float]:
    """Return seconds and MiB of the large document in a fresh typesetter of ours."""
    setter = Typesetter()
    try:
        setter.set(words_of(pages[0]), moment)
        took = seconds(lambda: setter.set(words_of(pages[1]), moment))
        status = Path(f"/proc/{setter.pid}/status").read_text()
    finally:
        setter.end()
    (most,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return took, int(most) / 1024


def _alone(pages: list[dict[str, Any]]) -> tuple[float, float]:
    """Return seconds and MiB of the large document in a fresh process of bare typst."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.json" for number in range(len(pages))]
        for file, page in zip(files, pages, strict=True):
            file.write_text(json.dumps(page))
        said = subprocess.run(
            [sys.executable, str(PROGRAM), *map(str, files)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
    took, most = said.split()
    return float(took), int(most) / 1024


def _count(pages: dict[str, Any], moment: datetime) -> int:
    with pikepdf.open(io.BytesIO(pdf(pages, moment))) as made:
        return len(made.pages)
