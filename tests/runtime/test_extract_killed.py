"""kill -9 while extracts are built: all ready after the restart, one file and one mail each."""

from datetime import date

import pytest
from django.utils import timezone

from disclosures.models import Outbox
from privacy_requests import tasks, vault
from privacy_requests.actions import open_case
from privacy_requests.models import Case, Extract
from tests import cast
from tests.houses import wait_until
from tests.workers import Broker, Worker

pytestmark = pytest.mark.house
PEOPLE = 16


def requests() -> None:
    for n in range(PEOPLE):
        person = cast.person(f"P{n}", since=date(2024, 1, 1))
        cast.subscription(person, date(2024, 1, 1))
        open_case(person)


def ready() -> int:
    return Extract.objects.filter(status=Extract.Status.READY).count()


def the_leases_of_the_dead_lapse() -> None:
    """Let the minute pass after which a dead worker's work is free again."""
    Extract.objects.filter(status=Extract.Status.QUEUED).update(available_at=timezone.now())


def assert_built_once() -> None:
    tasks.reconcile()  # sweeps files that no row knows of
    assert ready() == PEOPLE
    files = {path.name for path in vault.folder().iterdir() if path.is_file()}
    names = set(Extract.objects.values_list("file_name", flat=True))
    assert names <= files
    assert len(names) == PEOPLE
    assert Outbox.objects.filter(template="extract_ready").count() == PEOPLE
    assert not Case.objects.filter(closed_on__isnull=True).exists()


def test_the_worker_is_killed_while_it_builds(worker: Worker) -> None:
    requests()
    worker.start()
    tasks.reconcile()
    wait_until(ready, 30)
    worker.kill()
    assert ready() < PEOPLE, "The worker was killed too late for the test to say anything."
    worker.start()
    the_leases_of_the_dead_lapse()
    tasks.reconcile()
    wait_until(lambda: ready() == PEOPLE, 60)
    assert_built_once()


def test_the_broker_is_killed_while_extracts_are_built(own_broker: Broker, worker: Worker) -> None:
    requests()
    worker.start()
    tasks.reconcile()
    wait_until(ready, 30)
    own_broker.kill()
    own_broker.start()
    the_leases_of_the_dead_lapse()
    tasks.reconcile()
    wait_until(lambda: ready() == PEOPLE, 90)
    assert_built_once()
