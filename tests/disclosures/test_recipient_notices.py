"""Article 19: whoever has the data is told, in the transaction of the act, until they answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from consent import facts
from consent.actions import lift_own_restriction, restrict, say_no, unsubscribe
from consent.onward import NobodyToTellError, Onward
from consent.purposes import Use
from customers.dates import today
from customers.models import Customer, User
from customers.models.channels import Channel, Source
from customers.models.people import Restriction
from customers.personal_data import Category
from dentalclean.actions import change_own_details
from disclosures import recipient_notices, tasks
from disclosures.actions import relay
from disclosures.handing import disclose
from disclosures.models import Disclosure, Outbox, Recipient, RecipientNotice
from disclosures.recipient_notices import Act, ClosedError, acknowledge, chase, give_up, notify
from tests import recipients

pytestmark = pytest.mark.django_db


@pytest.fixture
def printer() -> Recipient:
    return recipients.signed()


@pytest.fixture
def carrier() -> Recipient:
    kinds = int(Category.IDENTITY | Category.CONTACT)
    return recipients.signed("Paketbud", categories=kinds, task="kör paketen till dig")


@pytest.fixture
def partner() -> Recipient:
    return recipients.signed("Tandtips", "partner", task="säljer tandtråd")


@pytest.fixture
def anna(printer: Recipient) -> Customer:
    person = recipients.customer("Anna")
    recipients.printed(person, printer)
    return person


def told() -> list[tuple[str, str]]:
    """Say who is told of what."""
    return sorted(RecipientNotice.objects.values_list("recipient__name", "act"))


def waiting() -> int:
    return Outbox.objects.filter(template="recipient_notice", status="queued").count()


@pytest.mark.parametrize(
    "change",
    [
        lambda person: change_own_details(person, {"family_name": "Ny"}),
        lambda person: facts.correct_details(
            person, {"phone": "+46701740636"}, source=Source.STAFF
        ),
        lambda person: facts.correct_details(
            person, {"email": "rattad@example.se"}, source=Source.REGISTER
        ),
    ],
)
def test_a_correction_by_anybody_reaches_who_has_the_old(
    anna: Customer, change: Callable[[Customer], Any]
) -> None:
    recipients.printed(anna, Recipient.objects.get())  # twice handed over, told once
    change(anna)
    assert told() == [("Pappersbruket", "rectified")]
    assert waiting() == 1


def test_only_who_has_got_the_corrected_detail_is_told(anna: Customer, carrier: Recipient) -> None:
    disclose([anna], carrier, "A")
    facts.correct_details(anna, {"street": "Nygatan 1"})
    assert told() == [("Pappersbruket", "rectified")]
    assert RecipientNotice.objects.get().categories == Category.ADDRESS
    facts.correct_details(anna, {"language": "en"})  # which nobody has got
    assert len(told()) == 1


def test_a_restriction_and_its_end_reach_everybody(anna: Customer, carrier: Recipient) -> None:
    disclose([anna], carrier, "A")
    restrict(anna)
    assert told() == [("Paketbud", "restricted"), ("Pappersbruket", "restricted")]
    lift_own_restriction(anna)
    assert told()[0] == ("Paketbud", "lifted")
    assert len(told()) == 4


def test_no_end_is_told_while_another_restriction_stands(anna: Customer) -> None:
    restrict(anna)
    restrict(anna, Restriction.CONTESTED)
    lift_own_restriction(anna)
    assert ("Pappersbruket", "lifted") not in told()
    restrict(anna, Restriction.CLAIM)
    assert told() == [("Pappersbruket", "restricted")]  # it has not left yet, and says the same


def test_a_no_reaches_the_partner_and_nobody_else(anna: Customer, partner: Recipient) -> None:
    recipients.partner_yes(anna, partner)
    assert disclose([anna], partner, "P", channel=Channel.EMAIL).handed
    say_no(anna, Use("H", Channel.POST))  # to our own letters
    assert told() == []
    say_no(anna, Use("P", Channel.EMAIL, "Tandtips"))
    assert told() == [("Tandtips", "declined")]
    assert Outbox.objects.get(template="recipient_notice").available_at <= timezone.now()


@pytest.mark.parametrize("decline", [say_no, unsubscribe])
def test_a_no_to_all_reaches_every_partner_once(
    decline: Callable[..., Any], anna: Customer, partner: Recipient
) -> None:
    recipients.partner_yes(anna, partner)
    disclose([anna], partner, "P", channel=Channel.EMAIL)
    decline(anna)
    say_no(anna)  # a double click
    assert told() == [("Tandtips", "declined")]


def test_a_no_to_another_partner_says_nothing_to_this_one(
    anna: Customer, partner: Recipient
) -> None:
    recipients.partner_yes(anna, partner)
    disclose([anna], partner, "P", channel=Channel.EMAIL)
    say_no(anna, Use("P", Channel.EMAIL, "Munskölj"))
    say_no(anna, Use("P", Channel.POST, "Tandtips"))  # which it has never got
    assert told() == []


def test_nobody_is_told_of_somebody_they_have_not_got(anna: Customer) -> None:
    bo = recipients.customer("Bo")
    restrict(bo)
    change_own_details(bo, {"family_name": "Ny"})
    assert told() == []


def test_the_act_and_its_notices_stand_or_fall_together(anna: Customer) -> None:
    with transaction.atomic():
        restrict(anna)
        assert waiting() == 1
        transaction.set_rollback(True)
    assert not anna.events.filter(kind="restricted").exists()
    assert told() == []
    assert waiting() == 0


@pytest.mark.django_db(transaction=True)
def test_an_act_whose_notice_cannot_be_written_is_not_done(
    printer: Recipient, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = recipients.customer()
    recipients.printed(anna, printer)
    with monkeypatch.context() as without:
        without.setattr(Onward, "entry", None)
        without.setattr(Onward, "changes", None)
        with pytest.raises(NobodyToTellError):
            restrict(anna)
        with pytest.raises(NobodyToTellError):
            facts.correct_details(anna, {"family_name": "Ny"})
    anna.refresh_from_db()
    assert (anna.restriction, anna.family_name) == ("", "Ek")
    assert not anna.events.filter(kind="restricted").exists()


def test_the_message_names_the_person_by_number_alone_and_forgets_it(anna: Customer) -> None:
    facts.correct_details(anna, {"family_name": "Ny"})
    message = Outbox.objects.get(template="recipient_notice")
    assert (message.body, message.customer) == ("", None)
    relay()
    (sent,) = mail.outbox
    assert sent.to == ["dataskydd@pappersbruket.example"]
    assert anna.number in sent.body
    assert str(RecipientNotice.objects.get().pk) in sent.body
    for secret in ("Anna", "Ek", "Ny", anna.email, anna.phone):
        assert secret not in sent.subject + sent.body.replace("Nygatan", "")
    message.refresh_from_db()
    assert (message.status, message.recipient, message.body) == ("sent", "", "")
    assert RecipientNotice.objects.get().sent_at is not None


@pytest.mark.parametrize("act", Act.values)
@pytest.mark.parametrize("country", ["SE", "DE"])
def test_every_act_has_words_in_the_language_of_the_recipient(act: str, country: str) -> None:
    who = recipients.signed("Byrå", country=country)
    person = recipients.customer()
    recipients.printed(person, who)
    # A no is told to partners only, so it is written by hand here.
    notify(person, Act.RESTRICTED)
    RecipientNotice.objects.update(act=act, channel="email" if act == "declined" else "")
    relay()
    (sent,) = mail.outbox
    assert person.number in sent.body
    assert ("kund" in sent.body) == (country == "SE")
    assert "{{" not in sent.body
    assert "None" not in sent.body


def test_an_erased_person_is_a_pseudonym_once_the_recipient_has_answered(anna: Customer) -> None:
    disa = User.objects.create_user("disa@dentalclean.example", is_staff=True)
    number, pseudonym = anna.number, anna.pseudonym
    assert notify(anna, Act.ERASED) == 1
    with connection.cursor() as cursor:  # what the purge leaves, whoever runs it
        cursor.execute("UPDATE customers_customer SET number = 'DC0', given_name = '', "
                       "family_name = '' WHERE id = %s", [anna.pk])  # fmt: skip
    relay()
    assert number in mail.outbox[0].body
    notice = RecipientNotice.objects.get()
    assert notice.customer_id == pseudonym
    closed = acknowledge(notice.pk, "De svarade på mejlet.", actor=disa)
    assert closed.reference == ""
    assert number not in str(RecipientNotice.objects.values())


def test_it_is_sent_again_after_a_week_and_told_to_the_officer_after_two_more(
    anna: Customer,
) -> None:
    restrict(anna)
    day = today()
    assert chase(day + timedelta(days=6)) == 0
    assert chase(day + timedelta(days=7)) == 1
    assert chase(day + timedelta(days=7)) == 0
    assert waiting() == 2
    assert not Outbox.objects.filter(template="recipient_notices_open").exists()
    assert chase(day + timedelta(days=21)) == 1
    (told_of,) = Outbox.objects.filter(template="recipient_notices_open")
    assert told_of.recipient == settings.CONTROLLER["email"]
    assert "Pappersbruket" in told_of.body
    assert anna.number not in told_of.body
    notice = RecipientNotice.objects.get()
    assert (notice.attempts, notice.next_chase_on) == (3, day + timedelta(days=35))
    assert notice.escalated_at is not None


def test_nobody_is_chased_after_an_answer_and_what_waits_is_stopped(anna: Customer) -> None:
    disa = User.objects.create_user("disa@dentalclean.example", is_staff=True)
    restrict(anna)
    acknowledge(RecipientNotice.objects.get().pk, "De ringde.", actor=disa)
    relay()
    assert mail.outbox == []
    assert Outbox.objects.get(template="recipient_notice").status == "stopped"
    assert chase(today() + timedelta(days=400)) == 0


def test_giving_up_needs_a_human_and_a_reason(anna: Customer) -> None:
    disa = User.objects.create_user("disa@dentalclean.example", is_staff=True)
    restrict(anna)
    notice = RecipientNotice.objects.get()
    for outcome, why in (("impossible", " "), ("done", "Nej"), ("", "Nej")):
        with pytest.raises(ClosedError):
            give_up(notice.pk, outcome, why, actor=disa)
    given_up = give_up(notice.pk, "impossible", "Bolaget är upplöst.", actor=disa)
    assert given_up.closed_by == disa
    with pytest.raises(ClosedError, match="redan avslutat"):
        acknowledge(notice.pk, "De ringde.", actor=disa)
    with pytest.raises(IntegrityError), transaction.atomic():
        RecipientNotice.objects.update(closed_by=None)


def test_it_is_chased_by_the_clock() -> None:
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert tasks.chase.name in scheduled


def test_many_people_are_told_of_in_one_statement(
    printer: Recipient, django_assert_num_queries: Any
) -> None:
    people = [recipients.customer(f"P{n}") for n in range(5)]
    for person in people:
        recipients.printed(person, printer)
    with django_assert_num_queries(1):
        assert recipient_notices.notify_all([p.pseudonym for p in people], Act.ERASED) == 5
    assert Disclosure.objects.count() == 5
