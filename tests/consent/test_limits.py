"""Which limit of the use stands: the law's above the person's own, and neither ends the other."""

from typing import Any

import pytest

from consent.actions import lift_own_restriction, restrict
from consent.ledger import append
from consent.models import Authority, Event
from consent.purposes import Use
from consent.rules import may_process
from customers.dates import today
from customers.models import Customer
from privacy_requests.models import Case
from privacy_requests.objections import lift_limit, limit
from tests import cast, past

pytestmark = pytest.mark.django_db

Kind = Event.Kind
LOWER = (Authority.LAW, Authority.STAFF, Authority.SYSTEM)


@pytest.fixture
def anna() -> Customer:
    return cast.person("Anna")


def lift(person: Customer, authority: int = Authority.LAW, ground: str = "") -> None:
    """Lift as nobody may without a notice, which is for those who call the ledger to see to."""
    with past.no_notice():
        append(person, Kind.UNRESTRICTED, collected="post", authority=authority, ground=ground)


def stands(person: Customer) -> str:
    person.refresh_from_db()
    return person.restriction


@pytest.mark.parametrize("authority", LOWER)
@pytest.mark.parametrize("ground", ["a", "b", "c", "d"])
@pytest.mark.parametrize("own_first", [True, False])
def test_when_the_laws_limit_is_lifted_the_persons_own_is_left(
    own_first: bool, ground: str, authority: int, anna: Customer
) -> None:
    for said in ("v", ground) if own_first else (ground, "v"):
        restrict(anna, said)
    assert stands(anna) == ground
    lift(anna, authority)
    assert stands(anna) == "v"
    refused = may_process(anna.pk, Use("H", "post")).refusals(today())
    assert "not_restricted" in [answer.name for answer in refused]
    lift_own_restriction(anna)
    assert stands(anna) == ""


def test_an_own_limit_that_was_lifted_does_not_come_back(anna: Customer) -> None:
    restrict(anna)
    lift_own_restriction(anna)
    restrict(anna, "a")
    lift(anna)
    assert stands(anna) == ""


def test_the_persons_word_lifts_nothing_that_the_law_has_set(anna: Customer) -> None:
    restrict(anna, "a")
    lift(anna, Authority.PERSON)
    assert stands(anna) == "a"


def test_one_ground_of_law_is_lifted_and_the_other_stands(anna: Customer) -> None:
    restrict(anna)
    restrict(anna, "a")
    restrict(anna, "c")
    lift(anna, ground="a")
    assert stands(anna) == "c"
    restrict(anna, "a")
    lift(anna, ground="a")
    assert stands(anna) == "c"
    lift(anna, ground="c")
    assert stands(anna) == "v"


def test_an_own_limit_asked_for_beneath_the_laws_is_kept_and_answered(anna: Customer) -> None:
    restrict(anna, "a")
    case = limit(anna)
    assert isinstance(case, Case)
    assert case.closed_on == today()
    assert stands(anna) == "a"
    assert limit(anna) is None
    lift(anna)
    assert stands(anna) == "v"
    assert lift_limit(anna)
    assert not lift_limit(anna)


def test_each_limit_has_its_entry(anna: Customer) -> None:
    restrict(anna)
    restrict(anna, "a")
    lift(anna)
    found: list[Any] = list(
        Event.objects.filter(customer=anna, kind__in=(Kind.RESTRICTED, Kind.UNRESTRICTED))
        .order_by("pk")
        .values_list("kind", "ground", "authority")
    )
    assert found == [
        ("restricted", "v", Authority.PERSON),
        ("restricted", "a", Authority.PERSON),
        ("unrestricted", "", Authority.LAW),
    ]
