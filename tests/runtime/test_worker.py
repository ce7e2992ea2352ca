"""A real worker and a real broker: what they lose costs time, never a message."""

import time

import pytest

from disclosures.actions import queue_words
from disclosures.bell import ring
from disclosures.models import Outbox
from retention import erasure, restore
from tests.houses import wait_until
from tests.workers import Broker, Worker

pytestmark = pytest.mark.house


def write_to(recipient: str) -> None:
    queue_words(recipient, "test", "Hej", "Vi ses.", customer=None)


def sent() -> bool:
    return set(Outbox.objects.values_list("status", flat=True)) == {Outbox.Status.SENT}


def test_a_message_leaves_as_soon_as_it_is_committed(worker: Worker) -> None:
    worker.start()
    write_to("anna@example.se")
    wait_until(sent, 30)


def test_a_message_written_while_the_broker_is_dead_leaves_when_it_is_back(
    own_broker: Broker, worker: Worker
) -> None:
    worker.start()
    own_broker.kill()
    write_to("bjorn@example.se")
    assert not sent()
    own_broker.start()
    wait_until(lambda: ring("disclosures.tasks.relay"), 20)  # as beat does
    wait_until(sent, 60)


def test_a_ring_that_the_dead_worker_had_not_heard_is_heard_by_the_next(
    own_broker: Broker, worker: Worker
) -> None:
    worker.start()
    worker.kill()
    write_to("cecilia@example.se")
    worker.start()
    wait_until(sent, 60)


@pytest.mark.breaks(6)
def test_a_worker_does_not_start_on_a_restored_database(worker: Worker) -> None:
    restore.beat()
    (erasure.folder() / "mark").write_text("2\n")
    with pytest.raises(AssertionError, match=r"Run manage\.py restore_gate"):
        worker.start()


@pytest.mark.breaks(6)
def test_a_worker_that_runs_while_its_database_is_restored_sends_nothing(worker: Worker) -> None:
    worker.start()
    restore.beat()
    (erasure.folder() / "mark").write_text("2\n")
    time.sleep(restore.LOOK_EVERY)
    write_to("anna@example.se")
    wait_until(lambda: "RestoredError" in worker.log(), 30)
    assert not sent()
