"""What is contested is only stored, and a limit of the law ends after notice and five days."""

from datetime import date, datetime, timedelta

import pytest
from django.core import mail
from django.db import InternalError, connection, transaction
from django.utils import timezone

from consent.actions import restrict
from consent.ledger import append
from consent.models import Authority, Event
from customers.dates import today
from customers.models import Customer
from disclosures.actions import relay
from disclosures.models import Outbox
from privacy_requests import cases, lifting
from privacy_requests.lifting import NotToldError, announce, lift
from privacy_requests.messages import register_message
from privacy_requests.models import Case
from privacy_requests.rules import Eves, is_working_day, working_days_after
from tests import cast

pytestmark = pytest.mark.django_db
Kind = Event.Kind
WRITTEN, RESTRICTED = date(2026, 5, 11), date(2026, 5, 4)  # Mondays


@pytest.fixture
def anna() -> Customer:
    found = cast.person("Anna", since=date(2020, 3, 1))
    cast.subscription(found, date(2020, 3, 1))
    return found


def told(customer: Customer, on: date, *, ground: str = "a", kind: str = "mail") -> Outbox:
    """Lay in the notice as it was sent that day."""
    return Outbox.objects.create(
        customer=customer,
        kind=kind,
        template=f"restriction_ends_{ground}",
        status=Outbox.Status.SENT,
        created_at=cast.noon(on),
        finished_at=cast.noon(on),
    )


def lifts(customer: Customer, on: date, ground: str = "a", authority: int = Authority.LAW) -> bool:
    """Say whether the database lets an entry lift; nothing of ours is asked."""
    try:
        with transaction.atomic():
            append(
                customer,
                Kind.UNRESTRICTED,
                collected="portal",
                authority=authority,
                ground=ground,
                at=cast.noon(on),
            )
    except InternalError as refused:
        if "RES-05" in str(refused):
            return False
        raise
    return True


@pytest.mark.parametrize("authority", [Authority.LAW, Authority.STAFF, Authority.SYSTEM])
def test_the_database_lifts_on_the_fifth_working_day_after_the_notice_and_not_before(
    authority: int, anna: Customer
) -> None:
    restrict(anna, "a", at=cast.noon(RESTRICTED))
    assert not lifts(anna, date(2026, 11, 2), authority=authority)
    told(anna, WRITTEN)
    # 14 May 2026 is Ascension Day.
    first_day = date(2026, 5, 19)
    assert working_days_after(WRITTEN, 5, Eves.FREE) == first_day
    assert not lifts(anna, first_day - timedelta(days=1), authority=authority)
    assert not lifts(anna, first_day - timedelta(days=1), ground="", authority=authority)
    assert lifts(anna, first_day, authority=authority)
    anna.refresh_from_db()
    assert anna.restriction == ""


def test_a_day_that_has_not_come_lifts_nothing(anna: Customer) -> None:
    restrict(anna, "a", at=timezone.now() - timedelta(days=2))
    told(anna, today())
    assert not lifts(anna, today() + timedelta(days=60))


def test_a_notice_is_of_its_ground_and_of_the_restriction_that_stands(anna: Customer) -> None:
    restrict(anna, "a", at=cast.noon(RESTRICTED))
    restrict(anna, "c", at=cast.noon(RESTRICTED))
    told(anna, WRITTEN)
    assert not lifts(anna, date(2026, 6, 30), ground="c")
    assert not lifts(anna, date(2026, 6, 30), ground="")
    assert lifts(anna, date(2026, 6, 30), ground="a")
    restrict(anna, "a", at=cast.noon(date(2026, 7, 1)))
    assert not lifts(anna, date(2026, 9, 30), ground="a")


def test_a_letter_takes_a_week_and_a_mail_that_came_back_told_nobody(anna: Customer) -> None:
    restrict(anna, "a", at=cast.noon(RESTRICTED))
    letter = told(anna, WRITTEN, kind="letter")
    assert not lifts(anna, date(2026, 5, 22))
    letter.delete()
    told(anna, WRITTEN)
    Customer.objects.filter(pk=anna.pk).update(email_returned_on=WRITTEN)
    assert not lifts(anna, date(2026, 6, 30))
    anna.refresh_from_db()
    again = announce(anna, "a")
    assert again is not None
    assert again.kind == Outbox.Kind.LETTER


def test_nothing_is_asked_where_the_law_restricts_nothing(anna: Customer) -> None:
    assert lifts(anna, today())
    restrict(anna)
    assert lifts(anna, today(), ground="", authority=Authority.PERSON)


def test_the_database_counts_working_days_as_we_do() -> None:
    """Every day and every fifth working day after it, 2024-2050."""
    days = "generate_series('2024-01-01', '2050-12-31', interval '1 day') AS d (day)"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT day::date, privacy_working_day(day::date), privacy_lift_from(day::date) "
            f"FROM {days}"
        )
        rows = cursor.fetchall()
    assert len(rows) > 9_800
    for day, works, fifth in rows:
        assert works is is_working_day(day, Eves.FREE), day
        assert fifth == working_days_after(day, 5, Eves.FREE), day


def test_what_is_contested_is_restricted_from_the_registration_until_it_is_settled(
    anna: Customer,
) -> None:
    """REC-03: from the message to the fifth working day after the answer's notice, by itself."""
    (case,) = register_message(anna, ["rectification"], "Födelsedatumet är fel.")
    anna.refresh_from_db()
    assert (case.status, anna.restriction) == (Case.Status.WORKING, "a")
    register_message(anna, ["rectification"], "Och namnet.")
    assert Event.objects.filter(customer=anna, kind=Kind.RESTRICTED).count() == 1
    now = timezone.now()
    lifting.tick(now)
    assert not Outbox.objects.filter(template="restriction_ends_a").exists()
    with pytest.raises(NotToldError):
        lift(anna, "a", now)

    cases.grant(case.pk)
    lifting.tick(now)
    lifting.tick(now)
    assert Outbox.objects.filter(template="restriction_ends_a").count() == 1
    relay()
    assert any("tidigast på den femte arbetsdagen" in sent.body for sent in mail.outbox)
    lifting.tick(timezone.now())
    anna.refresh_from_db()
    assert anna.restriction == "a"


def test_what_was_told_in_time_is_lifted_by_the_clock_and_the_own_limit_stays(
    anna: Customer,
) -> None:
    restrict(anna, at=cast.noon(RESTRICTED))
    restrict(anna, "a", at=cast.noon(RESTRICTED))
    closed = {"status": "answered", "outcome": "granted", "closed_on": WRITTEN}
    days = {"nominal_on": WRITTEN, "latest_on": WRITTEN, "target_on": WRITTEN}
    at = cast.noon(WRITTEN)
    Case.objects.create(
        customer=anna,
        right="rectification",
        collected="portal",
        received_on=WRITTEN,
        answered_at=at,
        **closed,
        **days,
    )
    told(anna, WRITTEN)
    first: datetime = cast.noon(date(2026, 5, 19))
    lifting.tick(first - timedelta(days=1))
    anna.refresh_from_db()
    assert anna.restriction == "a"
    lifting.tick(first)
    lifting.tick(first)
    anna.refresh_from_db()
    assert anna.restriction == "v"
    assert Event.objects.filter(customer=anna, kind=Kind.UNRESTRICTED).count() == 1


@pytest.mark.parametrize("ground", ["b", "c", "d"])
def test_what_the_data_protection_officer_has_told_ends_when_the_day_comes(
    ground: str, anna: Customer
) -> None:
    restrict(anna, ground, at=cast.noon(RESTRICTED))
    first: datetime = cast.noon(date(2026, 5, 19))
    lifting.tick(first)
    assert not Outbox.objects.filter(template=f"restriction_ends_{ground}").exists()
    told(anna, WRITTEN, ground=ground)
    lifting.tick(first - timedelta(days=1))
    anna.refresh_from_db()
    assert anna.restriction == ground
    for _again in range(2):
        lifting.tick(first)
    anna.refresh_from_db()
    assert anna.restriction == ""
    assert Event.objects.filter(customer=anna, kind=Kind.UNRESTRICTED).count() == 1


def test_what_is_contested_again_after_the_notice_is_told_of_anew(anna: Customer) -> None:
    """An old notice does not end what is looked into now (REC-03, RES-05)."""
    restrict(anna, "a", at=cast.noon(RESTRICTED))
    told(anna, WRITTEN)
    (case,) = register_message(anna, ["rectification"], "Fel igen.")
    for at in (cast.noon(date(2026, 5, 19)), timezone.now()):
        lifting.tick(at)
        with pytest.raises(NotToldError):
            lift(anna, "a", at)
    with pytest.raises(InternalError, match="RES-05"), transaction.atomic():
        append(anna, Kind.UNRESTRICTED, ground="a", collected="portal", authority=Authority.LAW)
    assert announce(anna, "a") is None
    cases.grant(case.pk)
    with pytest.raises(NotToldError):
        lift(anna, "a", timezone.now())
    assert announce(anna, "a") is not None


@pytest.mark.parametrize("ground", ["a", "b", "c", "d"])
@pytest.mark.parametrize("language", ["sv", "en"])
def test_each_notice_says_when_why_and_where_to_complain(
    language: str, ground: str, anna: Customer
) -> None:
    Customer.objects.filter(pk=anna.pk).update(language=language)
    restrict(anna, ground)
    notice = announce(anna, ground, "Vi har sett på det.")
    assert notice is not None
    for said in ("Vi har sett på det.", "IMY", "fifth" if language == "en" else "femte"):
        assert said in notice.body
