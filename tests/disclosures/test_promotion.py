"""Notices ask the gate as they leave, and none carries an offer (OBJ-03, RUL-23, policy K)."""

from datetime import date

import pytest
from django.core import mail

from disclosures.actions import queue_words, relay
from disclosures.models import Outbox
from tests import cast

pytestmark = pytest.mark.django_db

NOTICE = ("Villkoren ändras", "Från den 1 juni gäller nya villkor för leveranser.\n")


def notice_to(customer: object) -> Outbox:
    return queue_words("anna@example.se", "terms", *NOTICE, customer=customer, purpose="K")  # type: ignore[arg-type]


def test_a_notice_reaches_a_customer_who_has_declined_everything_else() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    notice_to(anna)
    relay()
    assert [letter.subject for letter in mail.outbox] == ["Villkoren ändras"]


def test_a_notice_with_an_offer_in_it_is_never_written() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    with pytest.raises(ValueError, match="carries no offer"):
        queue_words(
            "anna@example.se", "terms", "Nytt", "Nu 20 % rabatt.\n", customer=anna, purpose="K"
        )
    # An answer may speak of what was asked about.
    queue_words("anna@example.se", "answer", "Svar", "Nej, ingen rea.\n", customer=anna)


def test_an_offer_that_came_into_a_notice_some_other_way_does_not_leave() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    message = notice_to(anna)
    Outbox.objects.filter(pk=message.pk).update(body="Passa på i dag!\n")
    relay()
    message.refresh_from_db()
    assert (message.status, mail.outbox) == (Outbox.Status.STOPPED, [])


def test_a_notice_stops_where_the_relation_has_ended_meanwhile() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2020, 1, 1), date(2024, 1, 1))
    message = notice_to(anna)
    relay()
    message.refresh_from_db()
    assert message.status == Outbox.Status.STOPPED
