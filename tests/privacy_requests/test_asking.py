"""Asking for an extract, and being told that it is there."""

import threading
from datetime import date

import pytest
from django.conf import settings as project
from django.core import mail
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer
from disclosures.actions import relay
from disclosures.models import Outbox
from privacy_requests.actions import build, open_case
from privacy_requests.models import Case, Extract
from retention.actions import execute, open_run
from retention.models import Hold
from tests import cast
from tests.privacy_requests.doing import built

# A snapshot of its own needs a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.breaks(8)
def test_asking_opens_a_case_with_its_days_and_holds_the_rows(anna: Customer) -> None:
    case = open_case(anna, received_at=cast.noon(date(2026, 1, 31)))
    assert (case.nominal_on, case.latest_on) == (date(2026, 2, 28), date(2026, 3, 2))
    assert case.target_on == date(2026, 2, 27)
    hold = Hold.objects.get(customer=anna)
    assert (hold.ground, hold.reference, hold.lifted_at) == ("case", f"case:{case.pk}", None)
    assert list(case.events.values_list("kind", flat=True)) == ["received"]


def test_asking_again_joins_the_open_case(anna: Customer) -> None:
    assert open_case(anna) == open_case(anna)
    assert Extract.objects.count() == 1


def test_two_requests_at_once_become_one_case(anna: Customer) -> None:
    found: list[int] = []

    def ask() -> None:
        try:
            found.append(open_case(anna).pk)
        finally:
            connections.close_all()

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(found) == 4
    assert Case.objects.count() == len(set(found)) == 1


def test_no_row_of_an_open_case_is_purged_and_the_night_after_the_answer_takes_it() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    case = open_case(anna)
    execute(open_run(date(2026, 11, 1))[0])
    assert Customer.objects.get(pk=anna.pk).name == "Anna Ek"
    assert build(case.extract.pk)
    execute(open_run(date(2026, 11, 2))[0])
    assert Customer.objects.get(pk=anna.pk).name == ""
    # The answer is proof, and stays its five years.
    assert Case.objects.filter(pk=case.pk).exists()


def test_the_person_is_told_by_a_mail_that_says_nothing_about_them(anna: Customer) -> None:
    built(anna)
    relay()
    (told,) = mail.outbox
    words = f"{told.subject}\n{told.body}"
    assert told.to == [anna.email]
    assert project.SITE_URL + reverse("privacy_requests:extract") in words
    for secret in ("Anna", "Ek", anna.number, "1990", anna.email, "Björkgatan", "Linköping"):
        assert secret not in words
    assert not told.attachments


def test_the_case_is_answered_when_the_file_is_ready_and_the_hold_is_lifted(
    anna: Customer,
) -> None:
    ready = built(anna)
    case = ready.case
    assert case.status == Case.Status.ANSWERED
    assert case.closed_on == timezone.localdate()
    assert not Hold.objects.filter(customer=anna, lifted_at=None).exists()
    kinds = list(case.events.values_list("kind", flat=True))
    assert kinds == ["received", "started", "built", "answered"]


def test_somebody_without_mail_gets_a_letter() -> None:
    anna = cast.person(email="", account=False)
    built(anna)
    assert Outbox.objects.get().kind == Outbox.Kind.LETTER
