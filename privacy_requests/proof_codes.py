"""One-time codes that show who somebody is: by letter to their address, or from staff.

A letter goes where the person is registered and has been for a while, never to an address that was
given just now (A18, A19). Staff give a code to whoever has shown them who they are; it is typed on
Min sida, so that staff never hand anything out themselves.
"""

import enum
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from customers import words
from customers.actions import record_reading
from customers.dates import stockholm_date, today
from customers.models import AccessLog, Address, Customer, User
from customers.models.channels import Source
from disclosures.actions import queue_letter
from privacy_requests.models import ProofCode, ProvedBy
from privacy_requests.rules import Eves, working_days_after

TEMPLATE = "identity_code"
# Signs that are not mistaken for each other, 49 bits in a letter and 39 from staff.
SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTER_SIGNS, STAFF_SIGNS = 10, 8
LETTER_WORKS = timedelta(days=14)
STAFF_WORKS = timedelta(minutes=15)
MOST_TRIES = 5
# Another letter goes out when the first ought to have come, and not without end.
ANOTHER_AFTER = timedelta(days=7)
MOST_LETTERS, LETTERS_IN = 3, timedelta(days=28)
ADDRESS_WAITS = timedelta(days=7)
POST_TAKES_WORKING_DAYS = 4


class Verdict(enum.Enum):
    """What a code is worth."""

    RIGHT = "right"
    WRONG = "wrong"
    SPENT = "spent"  # none is out, or its time or its tries are over


class NoLetterError(Exception):
    """No letter is sent now; the message says why, to the person."""


@dataclass(frozen=True)
class Letter:
    """What the person is told of a letter that is on its way."""

    sent_on: date
    expected_on: date
    valid_until: datetime
    # From when another one can be asked for.
    again_from: datetime


def _draw(signs: int) -> str:
    return "".join(secrets.choice(SIGNS) for _sign in range(signs))


def shown(code: str) -> str:
    """Return a code in two halves."""
    half = len(code) // 2
    return f"{code[:half]}-{code[half:]}"


def plain(code: str) -> str:
    """Return the signs of a code, however it was typed."""
    return "".join(sign for sign in code.upper() if sign.isalnum())


def letter_of(customer: Customer) -> Letter | None:
    """Return the letter whose code still works."""
    found = ProofCode.objects.live(timezone.now()).filter(customer=customer, way="letter").first()
    if found is None:
        return None
    sent_on = stockholm_date(found.made_at)
    return Letter(
        sent_on,
        working_days_after(sent_on, POST_TAKES_WORKING_DAYS, Eves.FREE),
        found.valid_until,
        found.made_at + ANOTHER_AFTER,
    )


def why_no_letter(customer: Customer) -> str:
    """Say why no letter goes to a person now; empty when one does."""
    home = Address.objects.filter(customer=customer, kind=Address.Kind.HOME).first()
    if customer.protection:
        return _("Din adress är skyddad, så vi skickar ingen kod i brev.")
    if home is None:
        return _("Vi har ingen adress att skicka brev till.")
    if home.returned_on:
        return _("Post till adressen vi har kom tillbaka. Rätta den under Mina uppgifter.")
    known_from = home.given_on + ADDRESS_WAITS
    if home.source != Source.REGISTER and known_from > today():
        return _("Adressen är ny. Vi skickar en kod dit först från och med %(day)s.") % {
            "day": words.day(known_from)
        }
    since = timezone.now() - LETTERS_IN
    letters = ProofCode.objects.filter(customer=customer, way="letter", made_at__gt=since)
    if letters.count() >= MOST_LETTERS:
        first = letters.earliest("made_at").made_at + LETTERS_IN
        return _("Vi har skickat tre brev på kort tid. Nästa kan gå %(day)s.") % {
            "day": words.day(stockholm_date(first))
        }
    return ""


@transaction.atomic
def send_letter(customer: Customer) -> bool:
    """Send a code to the person's address; say whether one left, or one is on its way already.

    Raises NoLetterError. Clicks at once wait for each other, so one letter goes (B06).
    """
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    on_its_way = letter_of(customer)
    if on_its_way is not None and on_its_way.again_from > timezone.now():
        return False
    why = why_no_letter(customer)
    if why:
        raise NoLetterError(why)
    code = _draw(LETTER_SIGNS)
    _replace(customer, ProofCode.Way.LETTER, code, LETTER_WORKS)
    with translation.override(customer.language):
        last_day = words.full_day(timezone.now() + LETTER_WORKS)
    queue_letter(customer, TEMPLATE, {"code": shown(code), "last_day": last_day})
    return True


@transaction.atomic
def confirm_by_staff(customer: Customer, actor: User, how: str) -> str:
    """Return a code for somebody who has shown staff who they are; who and how is kept (ACC-05).

    `how` is one of ProofCode.How; raises ValueError for another. The code works for 15 minutes and
    once, and is typed on Min sida by the person.
    """
    if how not in (ProofCode.How.DOCUMENT, ProofCode.How.EID):
        raise ValueError("Say how the person showed who they are: one of ProofCode.How.")
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    code = _draw(STAFF_SIGNS)
    _replace(customer, ProofCode.Way.STAFF, code, STAFF_WORKS, actor=actor, how=how)
    noted = _("Legitimation kontrollerad: %(how)s.") % {"how": ProofCode.How(how).label}
    record_reading(customer, actor, AccessLog.Reason.CASE, noted)
    return shown(code)


def _replace(
    customer: Customer, way: str, code: str, works: timedelta, **about: User | str
) -> ProofCode:
    now = timezone.now()
    ProofCode.objects.filter(customer=customer, way=way, ended_at=None).update(ended_at=now)
    return ProofCode.objects.create(
        customer=customer,
        way=way,
        digest=make_password(code),
        made_at=now,
        valid_until=now + works,
        **about,
    )


def is_out(customer: Customer) -> bool:
    """Say whether any code of the person works now."""
    return ProofCode.objects.live(timezone.now()).filter(customer=customer).exists()


@transaction.atomic
def spend(customer: Customer, code: str) -> tuple[Verdict, ProvedBy | None]:
    """Judge a code and count the try; a right one is used up, and by which way it came is told.

    Tries wait for each other, in whichever process, so none is missed (A03, A04).
    """
    now = timezone.now()
    codes = list(
        ProofCode.objects.live(now).filter(customer=customer).select_for_update().order_by("pk")
    )
    if not codes:
        return Verdict.SPENT, None
    typed = plain(code)
    for known in codes:
        if check_password(typed, known.digest):
            known.used_at = known.ended_at = now
            known.save(update_fields=["used_at", "ended_at"])
            return Verdict.RIGHT, ProvedBy(known.way)
    for known in codes:
        known.tries += 1
        known.ended_at = now if known.tries >= MOST_TRIES else None
        known.save(update_fields=["tries", "ended_at"])
    left = any(known.ended_at is None for known in codes)
    return (Verdict.WRONG if left else Verdict.SPENT), None
