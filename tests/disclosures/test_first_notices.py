"""The first information: once, by the way that reaches the person, and proven by its delivery."""

import smtplib
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consent.actions import TOLD_IN_SHORT, current_notice, say_yes, serve_notice
from consent.choices import history
from consent.facts import mail_returned
from consent.models import Event
from consent.purposes import Use
from consent.rules import may_process
from consent.unsubscribe import code
from customers.actions import change_details
from customers.dates import today
from customers.models import Customer, User
from customers.models.channels import Collected, Source
from disclosures.actions import deliver, relay, take
from disclosures.models import Outbox
from disclosures.notices import notices_given, send_first_notice, send_first_notices
from disclosures.tasks import first_notices
from retention.actions import execute, open_run
from tests import cast
from tests.admin.conftest import Desk

pytestmark = pytest.mark.django_db

ADS_BY_POST = Use("H", "post")


def untold(given_name: str = "Anna", **fields: Any) -> Customer:
    """Make a customer who has not been told: somebody from an import."""
    fields = {"collected": Collected.IMPORT, "source": Source.IMPORT, "account": False, **fields}
    person = cast.person(given_name, notice=False, **fields)
    cast.subscription(person, date(2024, 1, 8))
    return person


def may_send_ads(person: Customer) -> bool:
    return may_process(person.pk, ADS_BY_POST).allowed(today())


def test_no_advertising_before_the_outbox_has_delivered_the_notice() -> None:
    anna = untold()
    assert not may_send_ads(anna)
    assert send_first_notices() == 1
    anna.refresh_from_db()
    assert anna.noticed_on is None
    assert not may_send_ads(anna)
    assert relay() == 1
    anna.refresh_from_db()
    assert anna.noticed_on == today()
    assert may_send_ads(anna)


def test_the_mail_shows_the_right_to_object_apart_and_a_link_that_works(client: Client) -> None:
    anna = untold()
    send_first_notice(anna)
    relay()
    (sent,) = mail.outbox
    assert sent.to == ["anna@example.se"]
    assert sent.subject == "Så använder vi dina uppgifter"
    words = sent.body
    assert current_notice("import", "sv").text in words
    apart = words.index("Du kan säga nej till reklam\n---")
    assert apart < words.index("Vad vi gör med uppgifterna\n---")
    (link,) = [line for line in words.splitlines() if line.startswith("http")]
    answer = client.get(link.removeprefix(settings.SITE_URL))
    assert answer.status_code == 200
    assert anna.pk == Customer.objects.get().pk


def test_the_delivery_is_on_record_with_version_way_and_language() -> None:
    anna, john = untold(), untold("John", language="en")
    send_first_notices()
    relay()
    (told,) = notices_given(anna)
    assert (told.collected, told.notice) == ("email", current_notice("import", "sv"))
    (told,) = notices_given(john)
    assert told.notice == current_notice("import", "en")
    assert {m.subject for m in mail.outbox} == {
        "Så använder vi dina uppgifter",
        "How we use your details",
    }


def test_nobody_is_told_twice() -> None:
    anna = untold()
    assert send_first_notice(anna)
    assert not send_first_notice(anna)
    assert send_first_notices() == 0
    relay()
    assert not send_first_notice(anna)
    assert send_first_notices() == 0
    first_notices()
    assert Outbox.objects.count() == len(notices_given(anna)) == 1


def test_the_database_refuses_a_second_notice_on_its_way() -> None:
    anna = untold()
    send_first_notice(anna)
    message = Outbox.objects.get()
    message.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        message.save(force_insert=True)


def test_a_notice_is_pulled_when_the_person_was_told_meanwhile_or_has_died() -> None:
    anna, bjorn = untold(), untold("Björn")
    send_first_notices()
    serve_notice(anna, collected=Collected.PORTAL)
    Customer.objects.filter(pk=bjorn.pk).update(deceased_on=today())
    assert relay() == 0
    assert mail.outbox == []
    assert set(Outbox.objects.values_list("status", flat=True)) == {Outbox.Status.STOPPED}
    assert Event.objects.filter(kind=Event.Kind.NOTICE_SERVED).count() == 1


def test_who_changes_address_meanwhile_is_told_at_the_new_one() -> None:
    anna = untold()
    send_first_notice(anna)
    change_details(anna, {"email": "ny@example.se"})
    assert relay() == 1
    assert [message.to for message in mail.outbox] == [["ny@example.se"]]


def test_who_becomes_protected_meanwhile_gets_no_letter() -> None:
    anna = untold(email="")
    send_first_notice(anna)
    Customer.objects.filter(pk=anna.pk).update(protection="secrecy")
    assert relay() == 0
    assert Outbox.objects.get(customer=anna).status == Outbox.Status.STOPPED


def test_a_sending_that_fails_tells_nobody(settings: Any) -> None:
    anna = untold()
    send_first_notice(anna)
    settings.EMAIL_BACKEND = f"{__name__}.RefusingBackend"
    relay()
    anna.refresh_from_db()
    assert anna.noticed_on is None
    assert Outbox.objects.get().status == Outbox.Status.DEAD
    # The other way takes over.
    assert send_first_notice(anna)
    assert Outbox.objects.latest("created_at").kind == Outbox.Kind.LETTER
    relay()
    assert [event.collected for event in notices_given(anna)] == ["post"]


class RefusingBackend(EmailBackend):
    """A mail server that knows no such address."""

    def send_messages(self, messages: Any) -> int:
        raise smtplib.SMTPRecipientsRefused({"anna@example.se": (550, b"No such user")})


def test_a_notice_that_came_back_was_never_given_and_follows_by_the_other_way() -> None:
    anna = untold()
    send_first_notice(anna)
    relay()
    assert may_send_ads(anna)
    mail_returned(anna, "email", today())
    anna.refresh_from_db()
    assert anna.noticed_on is None
    assert not may_send_ads(anna)
    assert send_first_notice(anna)
    relay()
    assert [event.collected for event in notices_given(anna)] == ["email", "post"]
    assert may_send_ads(anna)
    mail_returned(anna, "address", today())
    anna.refresh_from_db()
    assert anna.noticed_on is None
    assert not send_first_notice(anna)


def test_a_notice_that_came_back_after_a_new_address_was_given_is_sent_there() -> None:
    anna = untold()
    anna.addresses.all().delete()
    send_first_notice(anna)
    relay()
    change_details(anna, {"email": "ny@example.se"})
    mail_returned(anna, "email", today(), value="anna@example.se")
    anna.refresh_from_db()
    assert (anna.noticed_on, anna.email_returned_on) == (None, None)
    assert not send_first_notice(anna)  # that way failed just now
    assert send_first_notice(anna, timezone.now() + timedelta(days=31))


@pytest.mark.parametrize(
    ("way", "days_ago", "stays"),
    [("email", 60, False), ("email", 61, True), ("web", 1, True), ("post", 1, True)],
)
def test_what_comes_back_speaks_of_a_notice_sent_that_way_and_lately(
    way: str, days_ago: int, stays: bool
) -> None:
    anna = untold()
    told = today() - timedelta(days=days_ago)
    serve_notice(anna, collected=way, at=cast.noon(told))
    mail_returned(anna, "email", today())
    anna.refresh_from_db()
    assert anna.noticed_on == (told if stays else None)


def test_who_was_told_before_as_well_stays_told_since_then() -> None:
    anna = untold()
    earlier, later = (today() - timedelta(days=days) for days in (90, 5))
    for way, day in ((Collected.EMAIL, later), (Collected.WEB, earlier)):
        serve_notice(anna, collected=way, at=cast.noon(day))
    mail_returned(anna, "email", today())
    anna.refresh_from_db()
    assert anna.noticed_on == earlier


def test_what_rests_on_telling_waits_for_the_whole_notice_and_a_yes_tells_itself() -> None:
    anna = untold()
    statistics = Use("D", "internal")
    serve_notice(anna, collected=Collected.PHONE)
    refused = may_process(anna.pk, statistics).refusals(today())
    assert [answer.name for answer in refused] == ["informed"]
    say_yes(anna, statistics, evidence=cast.SHOWN)
    assert may_process(anna.pk, statistics).allowed(today())
    say_yes(anna, ADS_BY_POST, evidence=cast.SHOWN)
    assert not may_send_ads(anna)


def test_a_worker_that_lost_its_lease_tells_nobody() -> None:
    anna = untold()
    send_first_notice(anna)
    message = take(timezone.now())
    assert message is not None
    Outbox.objects.filter(pk=message.pk).update(lease=None)
    deliver(message, mail.get_connection())
    anna.refresh_from_db()
    assert anna.noticed_on is None
    assert list(notices_given(anna)) == []


def test_who_has_no_e_mail_gets_a_letter_with_a_code() -> None:
    anna = untold(email="")
    send_first_notice(anna)
    message = Outbox.objects.get()
    assert message.kind == Outbox.Kind.LETTER
    assert message.recipient == "Anna Ek\nBjörkgatan 4\n582 22 Linköping"
    assert code(anna) in message.body
    relay()
    anna.refresh_from_db()
    assert anna.noticed_on == today()


@pytest.mark.parametrize(
    "fields",
    [
        {"deceased_on": date(2026, 1, 1)},
        {"noticed_on": date(2020, 1, 1)},
        {"protection": "secrecy"},
    ],
)
def test_who_is_told_already_dead_or_not_to_be_written_to_gets_none(
    fields: dict[str, Any],
) -> None:
    anna = untold()
    Customer.objects.filter(pk=anna.pk).update(**fields)
    assert send_first_notices() == 0


def test_who_is_erased_gets_none_and_one_on_its_way_stays_at_home() -> None:
    fields = {"collected": Collected.IMPORT, "source": Source.IMPORT, "account": False}
    anna = cast.person("Anna", since=date(2024, 1, 8), notice=False, **fields)
    send_first_notice(anna)
    execute(open_run(date(2026, 1, 1))[0])
    assert Customer.objects.get(pk=anna.pk).name == ""
    assert send_first_notices() == 0
    assert relay() == 0
    assert not notices_given(anna).exists()


def test_who_cannot_be_reached_is_told_on_no_page_of_ours_but_min_sida() -> None:
    anna = untold(email="")
    anna.addresses.all().delete()
    assert send_first_notices() == 0
    serve_notice(anna, collected=Collected.PORTAL)
    anna.refresh_from_db()
    assert anna.noticed_on == today()


def test_returned_mail_and_post_are_not_tried() -> None:
    anna = untold(email_returned_on=today())
    send_first_notice(anna)
    assert Outbox.objects.get().kind == Outbox.Kind.LETTER
    bjorn = untold("Björn", email_returned_on=today())
    bjorn.addresses.update(returned_on=today())
    assert not send_first_notice(bjorn)


@pytest.mark.parametrize(
    "given", [{"source": Source.PERSON}, {"account": True}], ids=["own word", "own account"]
)
def test_a_protected_person_is_told_by_the_e_mail_they_gave_and_never_by_letter(
    given: dict[str, Any],
) -> None:
    noor = untold("Noor", protection="secrecy", **given)
    send_first_notice(noor)
    message = Outbox.objects.get()
    assert (message.kind, message.recipient) == (Outbox.Kind.MAIL, "noor@example.se")
    message.delete()
    Customer.objects.filter(pk=noor.pk).update(email="")
    assert not send_first_notice(noor)


@pytest.mark.parametrize("way", [Collected.PHONE, Collected.SLIP, Collected.SOCIAL])
def test_a_short_notice_opens_nothing_and_the_whole_one_follows(way: str) -> None:
    anna = untold(collected=way, source=Source.PERSON)
    serve_notice(anna, collected=way)
    anna.refresh_from_db()
    assert anna.noticed_on is None
    assert not may_send_ads(anna)
    assert send_first_notices() == 1
    relay()
    assert may_send_ads(anna)
    assert [event.collected for event in notices_given(anna)] == [way, "email"]


@pytest.mark.parametrize("collected", Collected)
@pytest.mark.parametrize("language", ["sv", "en"])
def test_each_way_of_collecting_has_its_own_wording(collected: str, language: str) -> None:
    anna = untold(collected=collected, language=language)
    assert send_first_notice(anna)
    whole = "post" if collected in TOLD_IN_SHORT else collected
    assert current_notice(whole, language).text in Outbox.objects.get().body


def test_a_short_notice_reads_as_its_medium() -> None:
    texts = {way.value: current_notice(way, "sv").text for way in Collected}
    assert len(set(texts.values())) == len(Collected)
    # Half a minute aloud, the foot of a slip, and a reply.
    assert len(texts["phone"].split()) < 75
    assert len(texts["slip"]) < 300
    assert len(texts["social"]) < 280
    for text in texts.values():
        assert "nej" in text


def test_a_batch_costs_the_same_however_many_people() -> None:
    def queries(people: int) -> int:
        for n in range(people):
            untold(f"Anna{people}x{n}", email=f"a{people}x{n}@example.se" if n % 2 else "")
        with CaptureQueriesContext(connection) as counted:
            assert send_first_notices() == people
        return len(counted)

    assert queries(2) == queries(9)


def test_batches_reach_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("disclosures.notices.BATCH", 2)
    for n in range(5):
        untold(f"Anna{n}", email="" if n == 1 else f"a{n}@example.se")
    assert send_first_notices() == 5
    assert send_first_notices(timezone.now() + timedelta(days=1)) == 0


def test_the_person_and_staff_see_what_was_told_when_and_how() -> None:
    anna = untold()
    send_first_notice(anna)
    relay()
    notice = notices_given(anna)[0].notice
    assert notice is not None
    version = notice.policy_version.version
    (line,) = history(anna)
    assert (line["what"], line["how"]) == (
        "Du fick veta hur vi använder dina uppgifter,",
        f"i mejl, version {version}",
    )
    superuser = Client()
    superuser.force_login(User.objects.create_superuser("rot@dentalclean.example"))
    Desk.says_why(superuser, anna)
    page = superuser.get(f"/personal/customers/customer/{anna.pk}/change/").content.decode()
    assert f"{version}, sv" in page
