"""RUL-28: a single dead address of somebody whom nothing but advertising keeps leaves at once.

Who is reached in another way stays; a customer, a debt, a question, a case and a hold keep it.
"""

from datetime import date, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import connection

from consent.actions import say_no
from consent.facts import ask, close_question, correct_details, mail_returned, settle
from consent.purposes import Use
from consent.rules import may_process
from customers.contact_points import suppressed_on
from customers.dates import today
from customers.models import Address, Change, Customer, Session, User
from customers.personal_data import Category, mask
from retention.actions import execute, open_run
from retention.models import Hold, Receipt, Run
from retention.rules import calendar
from tests import cast

pytestmark = pytest.mark.django_db
YESTERDAY = today() - timedelta(days=1)
EMAIL, PHONE, HOME = "email", "phone", "address"


@pytest.fixture
def anna() -> Customer:
    """A former customer whom advertising still keeps, with an account that she has used."""
    anna = cast.person("Anna", since=date(2020, 3, 1))
    cast.subscription(anna, date(2020, 3, 1), today() - timedelta(days=200))
    assert anna.user is not None
    EmailAddress.objects.create(user=anna.user, email=anna.email, primary=True, verified=True)
    Session.objects.create(
        session_key="s", user=anna.user, expire_date=cast.noon(today() + timedelta(days=9))
    )
    return anna


def night() -> Run:
    return execute(open_run(today())[0])


def told(customer: Customer) -> dict[str, tuple[str, int]]:
    return {
        Category(r.category).name: (r.rule, r.row_count)
        for r in Receipt.objects.filter(customer=customer, held_by="")
    }


def test_a_dead_e_mail_goes_with_its_account_and_leaves_the_other_ways(anna: Customer) -> None:
    correct_details(anna, {"email": "ny@example.se"}, **word(anna))
    EmailAddress.objects.update(email="ny@example.se")
    User.objects.filter(pk=anna.user_id).update(email="ny@example.se")
    anna.refresh_from_db()
    mail_returned(anna, EMAIL, YESTERDAY)
    night()
    anna.refresh_from_db()
    assert (anna.email, anna.email_returned_on, anna.user) == ("", None, None)
    assert (anna.phone, anna.name) == ("+46701740635", "Anna Ek")
    assert Address.objects.filter(customer=anna).exists()
    assert not any(m.objects.exists() for m in (User, EmailAddress, Session, Change))
    assert told(anna) == {
        "RETURNED_EMAIL": ("RUL-28", 1),
        "ACCOUNT": ("RET-02", 4),
        "HISTORY": ("RUL-24", 1),
    }
    assert not holds_the_word("ny@example.se")
    assert may_process(anna.pk, Use("H", "post")).allowed(today())
    assert not may_process(anna.pk, Use("H", "email")).allowed(today())


def word(customer: Customer) -> dict[str, object]:
    return {"expected_version": customer.version, "source": "person", "collected": "portal"}


def holds_the_word(marker: str) -> list[str]:
    """Search every table for a word."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f'SELECT FROM "{table}" t WHERE t::text LIKE %s LIMIT 1', [f"%{marker}%"]
            )
            found += [table] if cursor.fetchone() else []
    return found


def test_an_account_with_another_address_stays(anna: Customer) -> None:
    User.objects.filter(pk=anna.user_id).update(email="annat@example.se")
    mail_returned(anna, EMAIL, YESTERDAY)
    night()
    anna.refresh_from_db()
    assert anna.email == ""
    assert anna.user is not None
    assert Session.objects.exists()


def test_a_dead_number_and_a_dead_home_go_by_themselves(anna: Customer) -> None:
    correct_details(anna, {"phone": "+46701740606", "city": "Lund"}, **word(anna))
    mail_returned(anna, PHONE, YESTERDAY)
    mail_returned(anna, HOME, YESTERDAY)
    Address.objects.update(given_on=date(2020, 3, 1))
    mail_returned(anna, HOME, YESTERDAY)
    night()
    anna.refresh_from_db()
    assert (anna.phone, anna.nix_phone, anna.email) == ("", None, "anna@example.se")
    assert not Address.objects.exists()
    assert not Change.objects.exists()
    assert anna.user is not None
    assert told(anna) == {
        "RETURNED_PHONE": ("RUL-28", 1),
        "RETURNED_HOME": ("RUL-28", 1),
        "HISTORY": ("RUL-24", 2),
    }


def test_what_came_back_today_goes_the_night_after(anna: Customer) -> None:
    mail_returned(anna, EMAIL, today())
    night()
    anna.refresh_from_db()
    assert anna.email == "anna@example.se"
    entries = {entry.category: entry.goes_on for entry in calendar(anna)}
    tomorrow = today() + timedelta(days=1)
    assert entries[Category.RETURNED_EMAIL] == entries[Category.ACCOUNT] == tomorrow
    assert entries[Category.CONTACT] is not None
    assert entries[Category.CONTACT] > tomorrow


def keep_as_customer(anna: Customer) -> None:
    cast.subscription(anna, YESTERDAY)


def keep_by_question(anna: Customer) -> None:
    ask(anna, "Var är paketet?")


def keep_by_debt(anna: Customer) -> None:
    cast.invoice(anna, today() - timedelta(days=300), paid=False)


def keep_by_hold(anna: Customer) -> None:
    Hold.objects.create(customer=anna, ground="dispute", categories=mask(Category.CONTACT))


def keep_by_hold_on_the_account(anna: Customer) -> None:
    Hold.objects.create(customer=anna, ground="dispute", categories=mask(Category.ACCOUNT))


def keep_by_case(anna: Customer) -> None:
    Hold.objects.create(customer=anna, ground="case", reference="case:1")


def keep_by_restriction(anna: Customer) -> None:
    Customer.objects.filter(pk=anna.pk).update(restriction="a")


KEEPERS = (
    *(keep_as_customer, keep_by_question, keep_by_debt, keep_by_hold),
    *(keep_by_hold_on_the_account, keep_by_case, keep_by_restriction),
)


@pytest.mark.parametrize("keep", KEEPERS, ids=lambda keep: keep.__name__)
def test_it_is_kept_where_we_still_must_write(anna: Customer, keep: object) -> None:
    assert callable(keep)
    keep(anna)
    mail_returned(anna, EMAIL, YESTERDAY)
    night()
    anna.refresh_from_db()
    assert (anna.email, anna.email_returned_on) == ("anna@example.se", YESTERDAY)
    assert anna.user is not None
    assert "RETURNED_EMAIL" not in told(anna)


def test_it_goes_when_the_debt_is_paid_and_when_the_question_is_answered(anna: Customer) -> None:
    invoice = cast.invoice(anna, today() - timedelta(days=300), paid=False)
    case = ask(anna, "Var är paketet?")
    mail_returned(anna, EMAIL, YESTERDAY)
    settle(invoice, YESTERDAY)
    close_question(case, "På väg.", YESTERDAY)
    assert "RETURNED_EMAIL" not in told(anna)
    night()
    anna.refresh_from_db()
    assert anna.email == ""


def test_a_lifted_hold_completes_it_with_a_second_receipt(anna: Customer) -> None:
    hold = Hold.objects.create(
        customer=anna, ground="dispute", reason="Tvist", categories=mask(Category.CONTACT)
    )
    mail_returned(anna, EMAIL, YESTERDAY)
    run = night()
    (first,) = Receipt.objects.filter(customer=anna)
    assert (first.category, first.held_by) == (Category.RETURNED_EMAIL, "dispute")
    Hold.objects.filter(pk=hold.pk).update(lifted_at=cast.noon(YESTERDAY))
    Run.objects.filter(pk=run.pk).update(status=Run.Status.RUNNING, began_at=None)
    execute(Run.objects.get(pk=run.pk))
    second = Receipt.objects.get(customer=anna, category=Category.RETURNED_EMAIL, held_by="")
    assert second.follows_id == first.pk
    anna.refresh_from_db()
    assert anna.email == ""


def test_whoever_said_no_is_remembered_as_a_hash_before_it_goes(anna: Customer) -> None:
    say_no(anna, Use("H", "phone"))
    mail_returned(anna, EMAIL, YESTERDAY)
    night()
    assert suppressed_on("email", "anna@example.se") == today()
    assert suppressed_on("phone", anna.phone) is None


def test_a_new_address_given_in_time_stays(anna: Customer) -> None:
    mail_returned(anna, EMAIL, YESTERDAY)
    correct_details(anna, {"email": "ny@example.se"}, **word(anna))
    night()
    anna.refresh_from_db()
    assert (anna.email, anna.email_returned_on) == ("ny@example.se", None)


def test_only_the_last_way_takes_the_person_along(anna: Customer) -> None:
    mail_returned(anna, EMAIL, YESTERDAY)
    mail_returned(anna, PHONE, YESTERDAY)
    night()
    anna.refresh_from_db()
    assert (anna.name, anna.email, anna.phone) == ("Anna Ek", "", "")
    entries = {entry.category for entry in calendar(anna)}
    assert not entries & {Category.RETURNED_EMAIL, Category.RETURNED_PHONE, Category.ACCOUNT}
