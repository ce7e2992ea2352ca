"""What the conditions of the gate are made of: facts and days beside a person, as SQL.

No clause mentions today. What is unknown to the database refuses.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, DateField, F, Func, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest, Least

from consent.groundwork import SNAPSHOT_HOLDS, BalancingRecord, NixSnapshot, Register
from consent.models import Authority, Standing
from consent.purposes import Permission, Restricted, Use
from customers.dates import FAR, NEVER, Birthday, Plus
from customers.models.channels import Channel
from customers.models.people import Restriction

Held = Standing.Permission
AGREED = Q(standing__permission=Held.CONSENT)


def day(value: date) -> Value:
    return Value(value, output_field=DateField())


ALWAYS, OPEN = day(NEVER), day(FAR)


def unless_agreed(until: Any) -> Case:
    """Bound what the person has not said yes to themselves."""
    return Case(When(AGREED, then=OPEN), default=until, output_field=DateField())


def is_marketing(use: Use) -> bool:
    return use.of.is_marketing


def has_choice(use: Use) -> bool:
    return use.permission is not Permission.NONE


def held_enough(use: Use) -> Q:
    enough = {
        Permission.OPT_OUT: [Held.OPT_OUT, Held.CONSENT],
        Permission.SOFT_OPT_IN: [Held.SOFT, Held.CONSENT],
        Permission.CONSENT: [Held.CONSENT],
        Permission.NONE: [],
    }[use.permission]
    return Q(standing__permission__in=enough)


def stops_when_restricted(use: Use) -> bool:
    """RES-04: own cases and legal notices go on, and an existing debt is a legal claim."""
    goes_on = (Restricted.OWN_CASE, Restricted.LEGAL_NOTICE, Restricted.CLAIM)
    return use.of.restricted not in goes_on


def restriction_leaves(use: Use) -> Q:
    """RES-02, RES-03: which restrictions leave this use open.

    A later yes is none of the exceptions: the person lifts the limit first (RES-02).
    """
    if use.purpose in ("A", "A2"):
        # A person's own limitation stops what is not necessary, not the deliveries (RES-03).
        return Q(restriction__in=[Restriction.NONE, Restriction.VOLUNTARY])
    return Q(restriction=Restriction.NONE)


RELATION_END = F("record__relation_ended_on")


# MFL-06: how long the relation lets us past NIX once it has ended.
NIX_MONTHS = {Channel.PHONE: 6, Channel.POST: 12}


def relation_beats_nix(use: Use) -> Any:
    """Return the last day the relation with us stands above NIX; a partner has none (NIX-04)."""
    if use.of.named_third_party:
        return ALWAYS
    return Coalesce(Plus(RELATION_END, months=NIX_MONTHS[Channel(use.channel)]), ALWAYS)


def nix_window(use: Use, flag: str) -> Case:
    """Keep a number or address in NIX open a while after the relation (MFL-06, RUL-31)."""
    return Case(
        When(**{flag: True}, then=Greatest(relation_beats_nix(use), named_yes())),
        default=OPEN,
        output_field=DateField(),
    )


def named_yes() -> Case:
    """NIX-04: a yes that names the company stands above NIX for three months."""
    return Case(When(AGREED, then=Plus(F("standing__opens"), months=3)))


REGISTERS = {Channel.PHONE: Register.PHONE, Channel.POST: Register.POST}


def washed_until(use: Use) -> Greatest:
    """RUL-31: the last day our copy of NIX counts; without one, only a yes that names us does.

    Whoever was not compared with it, as a newcomer or by a new number or address, counts as in NIX
    until the next wash (NIX-01).
    """
    register = REGISTERS[Channel(use.channel)]
    newest = NixSnapshot.objects.newest(register).values("taken_on")
    holds = Days(Coalesce(Subquery(newest, output_field=DateField()), ALWAYS), SNAPSHOT_HOLDS.days)
    unknown = Q(**{f"nix_{register.value}__isnull": True})
    of_the_person = Case(
        When(unknown, then=relation_beats_nix(use)), default=OPEN, output_field=DateField()
    )
    return Greatest(Least(holds, of_the_person), named_yes())


def rests_on_telling(use: Use) -> bool:
    """INF-01, INF-02: advertising, and whatever is open until the person says no to it."""
    return is_marketing(use) or use.permission is Permission.OPT_OUT


def told_since(use: Use) -> Any:
    """INF-02: no advertising before the first information, whole and delivered.

    Other uses are told of by the words of a yes as well.
    """
    told = F("noticed_on")
    if is_marketing(use):
        return told
    return Case(When(AGREED, then=ALWAYS), default=told, output_field=DateField())


class Days(Func):
    """A date plus days in SQL."""

    output_field = DateField()
    template = "((%(expressions)s) + %(days)s)"

    def __init__(self, expression: Any, days: int, **extra: Any) -> None:
        super().__init__(expression, days=int(days), **extra)


def balanced_until(use: Use) -> Any:
    """LAW-02: the day the balance must be reviewed; what rests on the person's yes needs none."""
    review: Any = Subquery(
        BalancingRecord.objects.newest(use.purpose).values("review_on"), output_field=DateField()
    )
    return unless_agreed(review) if has_choice(use) else review


def grown_up_since(use: Use) -> Any:
    """RUL-03, RUL-04: a birth date wins over the person's own confirmation; unknown is a no.

    Below eighteen nothing is open that the person has not said yes to.
    """
    of_age: Any = Birthday(F("birth_date"), years=18)
    if has_choice(use) and use.of.minimum_age < 18:
        of_age = Case(
            When(AGREED, then=Birthday(F("birth_date"), years=use.of.minimum_age)),
            default=of_age,
            output_field=DateField(),
        )
    return Coalesce(of_age, F("adult_confirmed_on"))


@dataclass(frozen=True)
class ContactPoint:
    """What a channel needs of the person, and the facts beside it."""

    given: Q
    returned_on: str
    suppressed_on: str


_EMAIL = ContactPoint(~Q(email=""), "email_returned_on", "email_suppressed_on")
_PHONE = ContactPoint(~Q(phone=""), "phone_returned_on", "phone_suppressed_on")
_HOME = ContactPoint(Q(home__isnull=False), "home__returned_on", "home__suppressed_on")
# Audiences in social media are matched by the e-mail address.
CONTACT_POINTS = {
    Channel.EMAIL: _EMAIL,
    Channel.SOCIAL: _EMAIL,
    Channel.SMS: _PHONE,
    Channel.PHONE: _PHONE,
    Channel.POST: _HOME,
}


def has_contact_point(use: Use) -> bool:
    return use.channel in CONTACT_POINTS


def point(use: Use) -> ContactPoint:
    return CONTACT_POINTS[Channel(use.channel)]


def not_suppressed(use: Use) -> Q:
    """ERA-06, OBJ-06: only the person's own yes, from the day of the no on, opens its address."""
    suppressed_on = point(use).suppressed_on
    return Q(**{f"{suppressed_on}__isnull": True}) | (
        AGREED & Q(standing__authority=Authority.PERSON) & Q(standing__opens__gte=F(suppressed_on))
    )
