"""The ledger: written once, by people and the law, and never again."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.utils import timezone

from consent import functions
from consent.actions import (
    ActError,
    NotAllowedError,
    current_notice,
    lift_own_restriction,
    object_to_use,
    restrict,
    say_no,
    say_yes,
    serve_notice,
)
from consent.checks import check_functions, check_published
from consent.ledger import append
from consent.models import Authority, Event, EventDetail, Notice, PolicyVersion, Standing
from consent.purposes import Use, catalogue_hash
from customers.models import Customer, User
from customers.models.channels import Collected
from tests import cast, past

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


def test_the_own_limit_is_lifted_beneath_one_that_the_law_sets() -> None:
    anna = cast.person()
    restrict(anna)
    restrict(anna, "a")
    lift_own_restriction(anna)
    anna.refresh_from_db()
    assert anna.restriction == "a"
    with past.no_notice():
        append(
            anna,
            Event.Kind.UNRESTRICTED,
            collected=Collected.PORTAL,
            authority=Authority.LAW,
            ground="a",
        )
    anna.refresh_from_db()
    assert anna.restriction == ""


def test_every_entry_has_a_digest_of_its_own() -> None:
    anna = cast.person()
    digests = [bytes(e.digest) for e in Event.objects.filter(customer=anna)]
    assert len(set(digests)) == len(digests) == 2
    assert all(len(digest) == 32 for digest in digests)


def test_the_database_itself_refuses_a_yes_without_proof_or_in_somebodys_place() -> None:
    anna = cast.person()
    said = {"customer": anna, "kind": Event.Kind.CONSENT_GIVEN, "collected": Collected.PHONE}
    for missing in (
        {"authority": Authority.PERSON},
        {"authority": Authority.SYSTEM, "evidence_hash": b"x" * 32},
        {"authority": Authority.LAW, "evidence_hash": b"x" * 32},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Event.objects.create(**said, **missing)


def test_the_database_itself_refuses_a_soft_opt_in_without_its_sale() -> None:
    with pytest.raises(IntegrityError, match="soft_opt_in_is_proven"), transaction.atomic():
        append(cast.person(), Event.Kind.SOFT_OPT_IN, collected=Collected.WEB, authority=1)


def test_what_nobody_can_say_is_refused_and_leaves_nothing() -> None:
    anna = cast.person()
    before = Event.objects.count()
    tomorrow = timezone.now() + timedelta(days=1)
    refused = (
        lambda: say_yes(anna, Use("A", "email"), evidence=cast.SHOWN),
        lambda: say_no(anna, Use("K", "post")),
        lambda: say_yes(anna, Use("H", "email"), evidence=cast.SHOWN, at=tomorrow),
        lambda: say_no(anna, at=tomorrow),
        lambda: restrict(anna, "x"),
        lambda: restrict(anna, at=tomorrow),
        lambda: object_to_use(anna, "A"),
        lambda: object_to_use(anna, "no such purpose"),
        lambda: object_to_use(anna, "D", at=tomorrow),
        lambda: serve_notice(anna, collected=Collected.WEB, at=tomorrow),
        lambda: cast.told_at_a_sale(anna, at=tomorrow),
    )
    for act in refused:
        with pytest.raises(ActError, match=r"\.$"), transaction.atomic():
            act()
    with pytest.raises(ValueError, match="no purpose"):
        Use("Z", "email")
    with pytest.raises(ValueError, match="does not use"):
        Use("G", "post")
    assert Event.objects.count() == before


def test_a_person_who_is_not_there_says_nothing() -> None:
    anna = cast.person()
    nobody = Customer(pk=anna.pk + 1000)
    with pytest.raises(Customer.DoesNotExist):
        say_no(nobody, Use("H", "email"))
    with pytest.raises(InternalError), transaction.atomic():
        say_yes(anna, Use("H", "email"), evidence=cast.SHOWN, collected="nowhere")


def test_a_database_that_lags_behind_the_program_is_told_of() -> None:
    assert check_functions(None, databases=["default"]) == []
    with connection.cursor() as cursor:
        cursor.execute("COMMENT ON FUNCTION consent_refresh IS 'of yesterday'")
    (error,) = check_functions(None, databases=["default"])
    assert error.id == "consent.E004"
    functions.install()
    assert check_functions(None, databases=["default"]) == []


def test_the_wording_of_a_yes_is_the_one_in_force_for_that_way_and_language() -> None:
    anna = cast.person(language="en")
    use = Use("H", "email")
    event = say_yes(anna, use, collected=Collected.SLIP, evidence="Slip 4711")
    assert event.notice is not None
    assert (event.notice.collected, event.notice.language) == (Collected.SLIP, "en")
    assert event.notice == current_notice(Collected.SLIP, "en")


def test_the_words_behind_an_entry_are_never_rewritten() -> None:
    anna, maria = cast.person(), User.objects.create_user("maria@example.se")
    for _time in range(2):
        say_yes(anna, Use("H", "email"), evidence=cast.SHOWN, actor=maria)
    statements = [
        "UPDATE consent_eventdetail SET evidence = 'Hon sa ja.'",
        "UPDATE consent_eventdetail SET evidence_salt = ''",
        "UPDATE consent_eventdetail SET actor_id = %s",
        "TRUNCATE consent_eventdetail",
    ]
    other = User.objects.create_user("other@example.se")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for statement in statements:
        with pytest.raises(InternalError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [other.pk] if "%s" in statement else None)
    maria.delete()
    of_a_yes = EventDetail.objects.filter(event__kind=Event.Kind.CONSENT_GIVEN)
    assert not of_a_yes.exclude(evidence=cast.SHOWN, actor=None).exists()
    assert of_a_yes.count() == 2
