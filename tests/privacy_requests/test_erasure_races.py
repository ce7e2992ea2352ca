"""Two hundred times at once: somebody's file is built while the night erases them (E17).

Nine in ten are the file to take along, which is taken, collected, stored and handed out by the same
code as the whole extract and spares the time to set a PDF.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.dates import today
from customers.models import Address, Customer, Order
from privacy_requests import actions, erasures, vault
from privacy_requests.models import Case, Erasure, Extract
from retention.actions import open_run, purge_people
from tests import cast
from tests.retention.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

RACES = 200


def leaver(n: int) -> Customer:
    since = today() - timedelta(days=700)
    customer = cast.person(f"Anna{n}", since=since, notice=False)
    cast.order(customer, since, since + timedelta(days=3))
    return customer


def test_a_person_is_whole_in_a_file_or_gone_and_no_file_outlives_them() -> None:
    run, _ = open_run(today())
    built = 0
    for n in range(RACES):
        anna = leaver(n)
        # Every second one asks for the file when the erasure is on its way already.
        right = Case.Right.PORTABILITY if n % 10 else Case.Right.ACCESS
        wanted = actions.open_case(anna, right).extract if n % 2 else None
        erasure = erasures.confirm(anna, proved_by="letter", at=timezone.now() - timedelta(days=4))

        def ask(wanted: Extract | None = wanted, anna: Customer = anna, right: str = right) -> None:
            asked = wanted or actions.open_case(anna, right).extract
            actions.build(asked.pk)

        def erase(erasure: Erasure = erasure, anna: Customer = anna) -> None:
            erasures.release(erasure.pk, timezone.now())
            purge_people(run, [anna.pk], wait=True)

        assert at_once(ask, erase) == []
        left = Customer.objects.get(pk=anna.pk)
        rows = Order.objects.filter(customer=anna).count()
        # Whole or gone, never half.
        assert (bool(left.name), rows, Address.objects.filter(customer=anna).count()) in (
            (True, 1, 1),
            (False, 0, 0),
        )
        file = Extract.objects.filter(case__customer=anna, status=Extract.Status.READY).first()
        built += file is not None
        erase()
        erasures.finish(erasure.pk, timezone.now())
        erasure.refresh_from_db()
        assert erasure.done_at is not None
        assert not Customer.objects.get(pk=anna.pk).name
        assert not Extract.objects.filter(
            case__customer=anna, status__in=(Extract.Status.READY, Extract.Status.QUEUED)
        ).exists()
        assert file is None or not vault.path_of(file.file_name).exists()
    assert not Case.objects.unanswered().exists()
    assert not any(vault.folder().iterdir())
    assert built >= RACES // 2
