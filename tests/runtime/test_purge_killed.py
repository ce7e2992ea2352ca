"""kill -9 of every part in the middle of nights: all are finished, nothing twice, nothing lost.

`make kills` kills each part five times; the suite does it once each, at moments that differ.
"""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from customers.dates import today
from customers.personal_data import Category
from tests.houses import wait_until
from tests.installations import Installation

pytestmark = pytest.mark.house

EACH = int(os.environ.get("KILLS_EACH", "1"))
PARTS = ("child", "worker", "clock", "broker", "database")
NIGHTS = 4 * len(PARTS) * EACH  # some are over before the kill; those do not count
PEOPLE = 400  # due each night
CATEGORIES = (Category.IDENTITY, Category.CONTACT, Category.ADDRESS, Category.SHELL)
# Of a night's receipts so many hundredths are written when the kill comes.
MOMENTS = (40, 20, 0, 60, 80)

DUE = """
    INSERT INTO customers_customer (number, public_id, pseudonym, given_name, family_name, email,
        phone, language, protection, nix_phone, nix_post, restriction, source, collected,
        created_at, last_contact_on, version)
    SELECT 'K' || night || '-' || i, gen_random_uuid(), gen_random_uuid(), 'Anna', 'Ek',
           'anna' || night || '.' || i || '@example.se', '', 'sv', '', FALSE, FALSE, '', 'person',
           'web', now(), DATE '2019-01-01', 1
      FROM generate_series(1, %(nights)s) AS night, generate_series(1, %(people)s) AS i;
    INSERT INTO customers_address (customer_id, kind, street, postcode, city, country, source,
        collected, given_on)
    SELECT id, 'home', 'Gatan 1', '11122', 'Stockholm', 'SE', 'person', 'web', last_contact_on
      FROM customers_customer;
    INSERT INTO consent_processingrecord (customer_id, purpose, basis, since, retain_until,
        relation_ended_on)
    SELECT id, p, 'f', DATE '2019-01-01',
           %(first)s::date + split_part(substr(number, 2), '-', 1)::int - 2, DATE '2022-01-01'
      FROM customers_customer, unnest(ARRAY['F', 'H']) AS p;
    INSERT INTO retention_forecast (made_on, span, day, people, per_category)
    SELECT day::date - 7, 'night', day, %(people)s, '{}'
      FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS day
"""
# The oldest open night: its date, whether it is being done, and its receipts.
NOW_DOING = """
    SELECT r.business_date, r.began_at IS NOT NULL,
           (SELECT count(*) FROM retention_receipt p WHERE p.run_id = r.id)
      FROM retention_run r WHERE r.status = 'running' ORDER BY 1 LIMIT 1
"""
NIGHTS_OF = "SELECT business_date FROM retention_run WHERE status = {}"


@pytest.fixture
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    given = Installation(tmp_path_factory.mktemp("installation"))
    try:
        yield given.start()
    finally:
        given.stop()


def test_each_part_is_killed_in_the_middle_of_a_night(installation: Installation) -> None:
    last, first = today(), today() - timedelta(days=NIGHTS - 1)
    installation.manage("purge", "--on", (first - timedelta(days=1)).isoformat())
    installation.sql(DUE, nights=NIGHTS, people=PEOPLE, first=first, last=last)
    installation.ring("retention.tasks.nightly")
    wait_until(lambda: len(installation.sql(NIGHTS_OF.format("status"))) == NIGHTS + 1, 60)
    killed: Counter[tuple[str, int]] = Counter()
    for number in range(len(PARTS) * EACH):
        part = PARTS[number % len(PARTS)]
        moment = MOMENTS[(number + number // len(PARTS)) % len(MOMENTS)]
        while not killed_in_the_middle(installation, part, moment):
            pass
        killed[part, moment] += 1
    assert set(killed.values()) == {1}
    assert len(killed) == len(PARTS) * EACH
    wait_until(lambda: done(installation) == NIGHTS + 1, 300)
    assert_each_gone_once(installation)


def open_night(installation: Installation) -> tuple[date, bool, int]:
    found = installation.sql(NOW_DOING)
    assert found, "All nights were over before the last kill."
    night, is_begun, receipts = found[0]
    return night, is_begun, receipts


def killed_in_the_middle(installation: Installation, part: str, moment: int) -> bool:
    """Kill a part when a night has written so many receipts; say whether it was not over yet."""
    wanted = moment * PEOPLE * len(CATEGORIES) // 100
    earlier = open_night(installation)[0]

    def reached() -> bool:
        night, is_begun, receipts = open_night(installation)
        return night > earlier and is_begun and receipts >= wanted

    wait_until(reached, 120)
    night = open_night(installation)[0]
    installation.kill(part)
    if part != "child":
        installation.start_part(part)
    is_open = (night,) in installation.sql(NIGHTS_OF.format("'running'"))
    installation.ring("retention.tasks.reconcile")  # as the clock does within a minute
    # Without the clock or the broker a worker goes on with what it has; that is the point.
    return is_open or part in {"clock", "broker"}


def done(installation: Installation) -> int:
    return len(installation.sql(NIGHTS_OF.format("'done'")))


def assert_each_gone_once(installation: Installation) -> None:
    """Everybody due is gone with one receipt a category, in the log and by the certificates."""
    assert installation.sql("SELECT count(*) FROM customers_customer") == [(0,)]
    assert installation.sql("SELECT count(*) FROM customers_address") == [(0,)]
    for category in CATEGORIES:
        counted = installation.sql(
            "SELECT count(*), count(DISTINCT subject) FROM retention_receipt "
            "WHERE category = %(c)s",
            c=category.value,
        )
        assert counted == [(NIGHTS * PEOPLE, NIGHTS * PEOPLE)]
    log = installation.house.data / "erasures"
    installation.manage("check_invariants")
    installation.manage("verify_runs")
    installation.ring("retention.tasks.reconcile")
    wait_until(lambda: not list(log.glob("*.begun")), 90)
    wholly = [
        line
        for path in log.glob("*.done")
        for line in path.read_text().splitlines()[1:]
        if line.endswith(" 1")
    ]
    assert len(wholly) == len(set(wholly)) == NIGHTS * PEOPLE
