"""kill -9 in the middle of an extract and of a mail: finished after, nothing twice or lost."""

from datetime import date

import pytest
from django.utils import timezone

from disclosures.bell import ring
from disclosures.models import Outbox
from privacy_requests import vault
from privacy_requests.actions import BUILD, RECONCILE, build, open_case
from privacy_requests.models import CaseEvent, Extract
from tests import cast
from tests.houses import wait_until
from tests.workers import Broker, Worker

pytestmark = pytest.mark.house
ORDERS = 4000


def somebody_with_much() -> Extract:
    """Make a person whose extract takes some seconds, and ask for it."""
    anna = cast.person(since=date(2020, 3, 1))
    first = cast.order(anna, date(2026, 3, 1), date(2026, 3, 4))
    type(first).objects.bulk_create(
        type(first)(
            number=f"X{n:06d}",
            customer=anna,
            product=first.product,
            ordered_on=first.ordered_on,
            delivered_on=first.delivered_on,
            collected=first.collected,
        )
        for n in range(ORDERS)
    )
    return open_case(anna).extract


def under_way() -> bool:
    return Extract.objects.get().lease is not None


def ready() -> bool:
    return Extract.objects.get().status == Extract.Status.READY


def let_the_lease_lapse() -> None:
    Extract.objects.update(available_at=timezone.now())


def assert_finished_once() -> None:
    """One file, one answer, one mail."""
    wanted = Extract.objects.get()
    assert [path.name for path in vault.folder().iterdir()] == [wanted.file_name]
    plain = b"".join(vault.decrypted(vault.path_of(wanted.file_name).open("rb"), wanted.pk))
    assert len(plain) == wanted.size
    for kind in (CaseEvent.Kind.BUILT, CaseEvent.Kind.ANSWERED):
        assert wanted.case.events.filter(kind=kind).count() == 1
    assert Outbox.objects.filter(template="extract_ready").count() == 1


def test_the_worker_is_killed_in_the_middle_of_an_extract(worker: Worker) -> None:
    somebody_with_much()
    worker.start()
    wait_until(under_way, 30)
    worker.kill()
    assert not ready(), "The worker was killed too late for the test to say anything."
    let_the_lease_lapse()
    worker.start()
    assert ring(RECONCILE)  # as beat does every minute
    wait_until(ready, 60)
    assert_finished_once()


def test_the_broker_is_killed_in_the_middle_of_an_extract(
    own_broker: Broker, worker: Worker
) -> None:
    wanted = somebody_with_much()
    worker.start()
    wait_until(under_way, 30)
    own_broker.kill()
    own_broker.start()
    wait_until(ready, 60)
    assert not build(wanted.pk)
    assert_finished_once()


def test_a_broker_that_lost_everything_loses_no_extract(own_broker: Broker, worker: Worker) -> None:
    own_broker.kill()
    wanted = somebody_with_much()
    assert not ring(BUILD, str(wanted.pk))
    own_broker.start()
    worker.start()
    assert ring(RECONCILE)
    wait_until(ready, 60)
    assert_finished_once()
