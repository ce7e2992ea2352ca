"""Who may get data at all: kind x country x safeguard x agreement x day, against an oracle."""

from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from disclosures.agreements import NoAgreementError, cover
from disclosures.models import Adequacy, Agreement, Recipient, SubProcessor
from disclosures.models.recipients import ARTICLE_28
from tests import recipients
from tests.oracles.recipients import SINCE, Case, Signed, may_get

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 24)
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
COUNTRIES = ("SE", "NO", "GB", "CA", "US", "BR", "IN")
DAYS = (date(2019, 12, 31), date(2021, 6, 27), date(2026, 1, 25), DAY, date(2031, 12, 28))
SIGNED: tuple[tuple[Signed, ...], ...] = (
    (),
    (Signed(recipients.LONG_AGO),),
    (Signed(recipients.LONG_AGO, last=BEFORE), Signed(AFTER)),
    (Signed(recipients.LONG_AGO, points=8),),
    (Signed(recipients.LONG_AGO, points=8), Signed(DAY)),
    (Signed(recipients.LONG_AGO, clauses=1, assessed=date(2021, 1, 1)),),
    (Signed(recipients.LONG_AGO, clauses=2, assessed=DAY),),
    (Signed(recipients.LONG_AGO, also_in=("IN",)),),
    (Signed(recipients.LONG_AGO, also_in=("CH", "US")),),
)


def _answers(who: Recipient, day: date) -> bool:
    try:
        cover(who, day)
    except NoAgreementError:
        return False
    return True


def _made(case: Case) -> Recipient:
    who = recipients.recipient(
        "Provet", case.kind, country=case.country, is_certified=case.certified,
        active_from=case.first, active_until=case.last,
    )  # fmt: skip
    for one in case.agreements:
        recipients.agreement(
            who,
            valid_from=one.first,
            valid_until=one.last,
            countries=list(one.also_in),
            safeguard="scc" if one.clauses else "",
            scc_module=one.clauses or None,
            transfer_assessment="Vi har prövat landets lagar." if one.clauses else "",
            assessed_on=one.assessed,
            **{point: n < one.points for n, point in enumerate(ARTICLE_28)},
        )
    return who


@pytest.mark.parametrize("kind", Recipient.Kind.values)
def test_the_rules_answer_as_the_oracle_does(kind: str) -> None:
    seen = set()
    for country, certified, signed in product(COUNTRIES, (False, True), SIGNED):
        case = Case(kind, country, certified, agreements=signed)
        with transaction.atomic():
            who = _made(case)
            for day in DAYS:
                expected = may_get(case, day)
                assert _answers(who, day) == expected, (case, day)
                seen.add(expected)
            transaction.set_rollback(True)
    assert seen == {True, False}


def test_a_recipient_gets_nothing_before_or_after_it_is_used() -> None:
    who = recipients.signed(active_from=DAY, active_until=DAY)
    assert [_answers(who, day) for day in (BEFORE, DAY, AFTER)] == [False, True, False]


def test_every_country_of_the_table_counts_from_its_day() -> None:
    for country, since in SINCE.items():
        who = recipients.signed(f"I {country}", country=country, is_certified=True)
        first = max(date.fromisoformat(since), recipients.LONG_AGO)
        assert _answers(who, first)
        assert not _answers(who, first - timedelta(days=1))


def test_adequacy_that_lapsed_yesterday_refuses() -> None:
    who = recipients.signed(country="JP")
    assert _answers(who, DAY)
    Adequacy.objects.filter(country="JP").update(valid_until=BEFORE)
    with pytest.raises(NoAgreementError, match="utanför EU"):
        cover(who, DAY)


def test_an_agreement_that_ended_yesterday_refuses_and_says_so() -> None:
    who = recipients.recipient()
    recipients.agreement(who, valid_until=BEFORE)
    with pytest.raises(NoAgreementError, match="inget avtal som gäller"):
        cover(who, DAY)


@pytest.mark.parametrize("point", ARTICLE_28)
def test_a_processor_without_one_point_of_article_28_gets_nothing(point: str) -> None:
    who = recipients.recipient()
    recipients.agreement(who, **{point: False})
    with pytest.raises(NoAgreementError, match="28"):
        cover(who, DAY)


def test_a_sub_processor_in_an_unsafe_country_stops_the_processor() -> None:
    who = recipients.recipient()
    signed = recipients.agreement(who)
    assert cover(who, DAY).safeguard == ""
    SubProcessor.objects.create(
        agreement=signed, legal_name="Moln Inc", task="lagrar", country="US"
    )
    with pytest.raises(NoAgreementError):
        cover(who, DAY)
    SubProcessor.objects.update(is_certified=True)
    assert cover(who, DAY).safeguard == "adequacy"


def test_an_unknown_country_refuses_whatever_is_signed() -> None:
    who = recipients.recipient(country="XX")
    recipients.agreement(
        who, safeguard="scc", scc_module=2, transfer_assessment="?", assessed_on=DAY
    )
    with pytest.raises(NoAgreementError, match="Landet finns inte"):
        cover(who, DAY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "partner", "purposes": ["A"]},
        {"kind": "processor", "purposes": ["A", "P"]},
        {"kind": "partner", "categories": 1 | 2 | 8},
        {"kind": "partner", "categories": 1 | 64},
        {"country": "Sv"},
        {"active_until": date(2019, 1, 1)},
    ],
)
def test_the_database_refuses_a_recipient_that_may_not_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        recipients.recipient("Fel", **wrong)


def test_the_clauses_are_nothing_without_their_assessment() -> None:
    who = recipients.recipient(country="IN")
    with pytest.raises(IntegrityError), transaction.atomic():
        recipients.agreement(who, safeguard="scc", scc_module=2)
    half = Agreement(recipient=who, valid_from=DAY, safeguard="scc", reference="x")
    with pytest.raises(ValidationError):
        half.full_clean()
