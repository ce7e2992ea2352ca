"""Balances in the staff pages: written by one, approved by another, never edited (LAW-02)."""

from datetime import timedelta

import pytest
from django.test import Client

from consent.balancing import record_balance
from consent.groundwork import BalancingRecord
from customers.dates import add_months, today
from customers.models import User
from dentalclean.roles import Role, give_role
from tests import groundwork

pytestmark = pytest.mark.django_db

PAGE = "/personal/consent/balancingrecord/"
WEIGHED = {"interest": "Vi vill sälja.", "necessity": "Det behövs.", "balance": "Det väger jämnt."}


@pytest.fixture
def owner(roles: None) -> User:
    groundwork.take_away(BalancingRecord)
    return give_role("erik@dentalclean.example", Role.FINANCE)


def approve(client: Client, record: BalancingRecord) -> str:
    answer = client.post(PAGE, {"action": "approve", "_selected_action": [record.pk]}, follow=True)
    return answer.content.decode()


def test_the_officer_writes_a_proposal_and_approves_it(disa: Client, owner: User) -> None:
    words = {"purpose": "H", "owner": owner.pk, "review_on": add_months(today(), 12), **WEIGHED}
    assert disa.post(f"{PAGE}add/", words).status_code == 302
    proposal = BalancingRecord.objects.get()
    assert (proposal.owner, proposal.approved_by_id) == (owner, None)
    assert not BalancingRecord.objects.standing(today())
    assert "gäller från nu" in approve(disa, proposal)
    assert BalancingRecord.objects.standing(today()) == {"H"}
    assert BalancingRecord.objects.count() == 2


def test_a_review_too_far_ahead_is_refused_with_the_last_day(disa: Client, owner: User) -> None:
    late = add_months(today(), 24) + timedelta(days=1)
    words = {"purpose": "H", "owner": owner.pk, "review_on": late, **WEIGHED}
    answer = disa.post(f"{PAGE}add/", words)
    assert "Skriv en dag från i dag till och med" in answer.content.decode()
    assert not BalancingRecord.objects.exists()


def test_nobody_approves_what_they_own(disa: Client, owner: User) -> None:
    own = record_balance("H", owner=User.objects.get(email__startswith="disa"), **WEIGHED)
    assert "Be någon annan" in approve(disa, own)
    assert not BalancingRecord.objects.standing(today())


def test_a_record_is_read_and_not_edited(disa: Client, owner: User) -> None:
    record = record_balance("H", owner=owner, **WEIGHED)
    page = disa.get(f"{PAGE}{record.pk}/change/").content.decode()
    assert "Det väger jämnt." in page
    assert owner.email in page
    assert disa.post(f"{PAGE}{record.pk}/change/", WEIGHED).status_code == 403


def test_who_may_not_approve_is_not_offered_it(cecilia: Client, owner: User) -> None:
    assert cecilia.get(PAGE).status_code == 403
