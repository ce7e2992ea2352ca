"""When something breaks while an extract is built."""

import logging
import os
from datetime import date
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.models import Address, Customer
from disclosures.models import Outbox
from privacy_requests import actions, extract, vault
from privacy_requests.actions import FILES, MOST_ATTEMPTS, build, open_case
from privacy_requests.extract import collect
from privacy_requests.models import Case, CaseEvent, Extract
from retention import statements
from retention.models import Hold
from tests import cast
from tests.privacy_requests.doing import built, signed_in

# A snapshot of its own needs a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_build_that_fails_is_tried_again_and_then_left_for_a_human(
    anna: Customer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    bjorn = cast.person("Björn")
    wanted = open_case(anna).extract
    pack, page_name, mail = FILES[Case.Right.ACCESS]

    def poisoned(content: Any) -> Any:
        if content.customer == anna:
            raise ValueError(f"bad data of {anna.name}")
        return pack(content)

    poison = patch.dict(FILES, {Case.Right.ACCESS: (poisoned, page_name, mail)})
    with poison, caplog.at_level(logging.DEBUG):
        for _ in range(MOST_ATTEMPTS):
            Extract.objects.filter(pk=wanted.pk).update(available_at=timezone.now())
            assert not build(wanted.pk)
        assert build(open_case(bjorn).extract.pk)
    wanted.refresh_from_db()
    assert (wanted.status, wanted.attempts) == (Extract.Status.FAILED, MOST_ATTEMPTS)
    case = wanted.case
    assert case.closed_on is None
    assert case.events.filter(kind=CaseEvent.Kind.FAILED).count() == 1
    assert anna.name not in caplog.text
    assert Hold.objects.filter(customer=anna, lifted_at=None).exists()
    page = signed_in(client, anna).get(reverse("privacy_requests:extract"))
    assert "En människa" in page.content.decode()
    assert "Refresh" not in page
    # Asking once more starts it over.
    client.post(reverse("privacy_requests:extract"))
    assert build(wanted.pk)


@pytest.mark.breaks(8)
def test_a_case_past_its_day_is_seen(anna: Customer) -> None:
    case = open_case(anna, received_at=cast.noon(date(2026, 1, 31)))
    assert list(Case.objects.late(date(2026, 3, 2))) == []
    assert list(Case.objects.late(date(2026, 3, 3))) == [case]
    assert list(Case.objects.past_target(date(2026, 2, 28))) == [case]


def test_a_worker_that_lost_its_lease_hands_out_nothing(anna: Customer) -> None:
    wanted = open_case(anna).extract
    store = vault.store

    def overtaken(plain: bytes, key: Any) -> str:
        Extract.objects.filter(pk=wanted.pk).update(available_at=timezone.now())
        with patch.object(vault, "store", store):
            assert build(wanted.pk)
        return store(plain, key)

    with patch.object(vault, "store", overtaken):
        assert not build(wanted.pk)
    wanted.refresh_from_db()
    assert [path.name for path in vault.folder().iterdir()] == [wanted.file_name]
    assert wanted.case.events.filter(kind=CaseEvent.Kind.ANSWERED).count() == 1
    assert Outbox.objects.filter(template="extract_ready").count() == 1


def test_a_second_worker_leaves_a_leased_extract_alone(anna: Customer) -> None:
    wanted = open_case(anna).extract
    assert actions.take(wanted.pk, timezone.now()) is not None
    assert not build(wanted.pk)


def test_files_no_row_knows_are_swept_and_a_lost_file_is_built_again(anna: Customer) -> None:
    ready = built(anna)
    orphan = vault.path_of(vault.store(b"left by a crash", ready.pk))
    partial = vault.folder() / "half.part"
    partial.write_bytes(b"half")
    assert actions.sweep() == 0, "they may belong to a build that goes on"
    long_ago = timezone.now().timestamp() - actions.ORPHAN_AFTER.total_seconds() - 1
    for path in (orphan, partial):
        os.utime(path, (long_ago, long_ago))
    assert actions.sweep() == 2
    vault.remove(ready.file_name)
    assert actions.sweep() == 1
    assert build(ready.pk)
    ready.refresh_from_db()
    assert vault.path_of(ready.file_name).exists()
    assert Case.objects.filter(closed_on=None).count() == 0


def test_a_full_disk_leaves_no_half_file(anna: Customer) -> None:
    wanted = open_case(anna).extract
    with patch.object(os, "fsync", side_effect=OSError(28, "No space left")):
        assert not build(wanted.pk)
    assert list(vault.folder().iterdir()) == []
    wanted.refresh_from_db()
    assert wanted.status == Extract.Status.QUEUED


def test_the_collection_only_reads(anna: Customer) -> None:
    def write(*_: Any) -> None:
        Address.objects.all().delete()

    with patch.object(extract, "_kept", write), pytest.raises(Exception, match="read-only"):
        collect(anna.pk)


def test_a_snapshot_is_never_taken_inside_another_transaction(anna: Customer) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        collect(anna.pk)
    assert connection.get_autocommit()
    assert statements.mapped()
