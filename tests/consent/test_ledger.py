"""The ledger: written once, by people and the law, and never again."""

from datetime import date

import pytest
from django.db import InternalError, connection, transaction

from consent.actions import NotAllowedError, lift_own_restriction, restrict, say_no, say_yes
from consent.checks import check_published
from consent.models import Event, EventDetail, Notice, PolicyVersion, Standing
from consent.purposes import Use, catalogue_hash
from customers.models.channels import Collected
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", [Event, PolicyVersion, Notice])
def test_what_is_written_is_not_changed_deleted_or_emptied(model: type) -> None:
    cast.person()
    table = model._meta.db_table  # type: ignore[attr-defined]
    statements = [
        f'DELETE FROM "{table}"',
        f'TRUNCATE "{table}" CASCADE',
        f'UPDATE "{table}" SET id = id',
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for statement in statements:
        with pytest.raises(InternalError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_published_policy_tells_of_the_catalogue_in_force() -> None:
    assert PolicyVersion.objects.get().catalogue_hash == catalogue_hash()
    assert check_published(None, databases=["default"]) == []
    PolicyVersion.objects.create(
        version="later", effective_on=date(2027, 1, 1), catalogue_hash="something else"
    )
    (error,) = check_published(None, databases=["default"])
    assert error.id == "consent.E003"


def test_a_yes_without_proof_is_kept_as_unproven_and_opens_nothing() -> None:
    anna = cast.person(notice=False)
    use = Use("H", "email")
    assert say_yes(anna, use, collected=Collected.PHONE).kind == Event.Kind.UNPROVEN
    assert Standing.objects.get(customer=anna).permission == Standing.Permission.NONE
    event = say_yes(anna, use, collected=Collected.PHONE, evidence="Samtal 12, manus 3")
    assert event.kind == Event.Kind.CONSENT_GIVEN
    assert EventDetail.objects.get(event=event).evidence == "Samtal 12, manus 3"
    assert event.notice is not None


def test_a_no_to_everything_reaches_the_partners_that_had_a_yes() -> None:
    anna = cast.person()
    partner = Use("P", "email", "munvard-vast")
    say_yes(anna, partner, evidence=cast.SHOWN)
    say_no(anna)
    standing = Standing.objects.get(customer=anna, purpose="P")
    assert standing.declined


def test_taking_back_a_yes_is_told_apart_from_an_objection() -> None:
    anna = cast.person()
    use = Use("G", "push")
    say_yes(anna, use, evidence=cast.SHOWN)
    assert say_no(anna, use).kind == Event.Kind.CONSENT_WITHDRAWN
    assert say_no(anna, Use("H", "post")).kind == Event.Kind.OBJECTED


def test_only_the_persons_own_limit_is_lifted_without_notice() -> None:
    anna = cast.person()
    restrict(anna)
    lift_own_restriction(anna)
    restrict(anna, "a")
    with pytest.raises(NotAllowedError):
        lift_own_restriction(anna)


def test_every_entry_has_a_digest_of_its_own() -> None:
    anna = cast.person()
    digests = [bytes(e.digest) for e in Event.objects.filter(customer=anna)]
    assert len(set(digests)) == len(digests) == 2
    assert all(len(digest) == 32 for digest in digests)
