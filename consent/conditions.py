"""The law as the gate reads it: one row per reason why a use of a person's data is open or shut.

A condition is a fact or a stretch of days, stated once under a name with its reason. One definition
serves one person and a million; `consent.rules` asks them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, DateField, F, Q, When
from django.db.models.functions import Greatest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.clauses import (
    AGREED,
    ALWAYS,
    OPEN,
    REGISTERS,
    RELATION_END,
    Held,
    balanced_until,
    grown_up_since,
    has_choice,
    has_contact_point,
    held_enough,
    nix_window,
    not_suppressed,
    point,
    restriction_leaves,
    rests_on_telling,
    stops_when_restricted,
    told_since,
    unless_agreed,
    washed_until,
)
from consent.purposes import Permission, Use
from customers.dates import Plus
from customers.models.channels import Channel
from customers.models.people import Protection


@dataclass(frozen=True)
class Condition:
    """One reason why a use is open or shut.

    `asked` says which uses it speaks of. `fact` holds or not whatever the day; `since` and `until`
    give a stretch, both days included. What is unknown to the database refuses.
    """

    name: str
    reason: str | Promise
    rules: tuple[str, ...]
    asked: Callable[[Use], bool]
    fact: Callable[[Use], Q | None] = lambda use: None
    since: Callable[[Use], Any] = lambda use: ALWAYS
    until: Callable[[Use], Any] = lambda use: OPEN


CONDITIONS: tuple[Condition, ...] = (
    Condition(
        "no_promotion",
        _("Det är reklam, och sådan skickar vi bara som nyheter eller erbjudanden."),
        ("OBJ-03",),
        asked=lambda use: use.promotes and not use.of.is_marketing,
        until=lambda use: ALWAYS,
    ),
    Condition(
        "alive",
        _("Personen är avliden."),
        ("RUL-29", "RET-05"),
        asked=lambda use: use.of.is_marketing or use.purpose in ("D", "E", "J"),
        fact=lambda use: Q(deceased_on__isnull=True),
    ),
    Condition(
        "not_declined",
        _("Du har sagt nej."),
        ("OBJ-01", "OBJ-02", "OBJ-04", "OBJ-06", "CON-03", "RUL-30"),
        asked=has_choice,
        # Only a no that was said: of who never answered, `permission` speaks.
        fact=lambda use: ~Q(standing__declined=True),
    ),
    Condition(
        "informed",
        _("Du har inte fått den första informationen från oss än."),
        ("INF-01", "INF-02", "INF-04"),
        asked=rests_on_telling,
        since=told_since,
    ),
    Condition(
        "purpose",
        _("Vi använder inte dina uppgifter till det här."),
        ("LAW-01", "MFL-05", "RET-02", "RET-04", "RUL-11", "RUL-12", "RUL-23"),
        asked=lambda use: True,
        fact=lambda use: Q(record__ended_on__isnull=True),
        since=lambda use: F("record__since"),
        until=lambda use: F("record__retain_until"),
    ),
    Condition(
        "former_customer",
        _("Enkäter får bara den som är kund eller har sagt ja till dem."),
        ("RUL-10",),
        asked=lambda use: use.purpose == "C",
        until=lambda use: unless_agreed(F("relation__retain_until")),
    ),
    Condition(
        "permission",
        _("Du har inte sagt ja till det."),
        ("MFL-01", "MFL-02", "CON-01", "CON-02"),
        asked=has_choice,
        fact=held_enough,
        since=lambda use: F("standing__opens"),
        until=lambda use: F("standing__closes"),
    ),
    Condition(
        "device",
        _("Det läser av din enhet, och det får vi bara om du säger ja."),
        ("LEK-01",),
        asked=lambda use: use.of.reads_device,
        fact=lambda use: AGREED,
    ),
    Condition(
        "fresh_yes",
        _("Det har gått mer än två år sedan du sa ja eller hörde av dig."),
        ("CON-05",),
        asked=lambda use: has_choice(use) and use.of.is_marketing,
        until=lambda use: Case(
            When(
                AGREED,
                then=Plus(Greatest(F("standing__opens"), F("last_contact_on")), months=24),
            ),
            default=OPEN,
            output_field=DateField(),
        ),
    ),
    Condition(
        "soft_opt_in",
        _("Det har gått mer än tolv månader sedan du slutade vara kund."),
        ("MFL-06", "RUL-14"),
        asked=lambda use: use.permission is Permission.SOFT_OPT_IN,
        until=lambda use: Case(
            When(standing__permission=Held.SOFT, then=Plus(RELATION_END, months=12)),
            default=OPEN,
            output_field=DateField(),
        ),
    ),
    Condition(
        "nix_phone",
        _("Numret finns i NIX."),
        ("MFL-04", "MFL-06", "NIX-03", "NIX-04", "RUL-31"),
        asked=lambda use: use.of.is_marketing and use.channel == Channel.PHONE,
        until=lambda use: nix_window(use, "nix_phone"),
    ),
    Condition(
        "nix_post",
        _("Adressen finns i NIX."),
        ("MFL-04", "MFL-06", "RUL-31"),
        asked=lambda use: use.of.is_marketing and use.channel == Channel.POST,
        until=lambda use: nix_window(use, "nix_post"),
    ),
    Condition(
        "nix_current",
        _("Vi behöver stämma av mot NIX på nytt innan vi hör av oss den vägen."),
        ("NIX-01", "NIX-02", "RUL-31"),
        asked=lambda use: use.of.is_marketing and use.channel in REGISTERS,
        until=washed_until,
    ),
    Condition(
        "balanced",
        _("Vi har ingen aktuell intresseavvägning som visar att vi får."),
        ("LAW-02", "RUL-14"),
        asked=lambda use: use.of.is_balanced and use.permission is not Permission.CONSENT,
        until=balanced_until,
    ),
    Condition(
        "old_enough",
        _("Vi vet inte att du är gammal nog för det här."),
        ("CHI-02", "RUL-03", "RUL-04"),
        asked=lambda use: use.of.minimum_age > 0,
        since=grown_up_since,
    ),
    Condition(
        "not_restricted",
        _("Användningen av dina uppgifter är begränsad."),
        ("RES-02", "RES-03", "RES-04"),
        asked=stops_when_restricted,
        fact=restriction_leaves,
    ),
    Condition(
        "not_protected",
        _("Du har skyddade personuppgifter."),
        ("SKY-01", "PAR-02"),
        asked=lambda use: (
            use.purpose in ("F", "P")
            or (use.of.is_marketing and use.channel in (Channel.POST, Channel.PHONE))
        ),
        fact=lambda use: Q(protection=Protection.NONE),
    ),
    Condition(
        "reachable",
        _("Vi har ingen adress för den vägen."),
        ("RUL-28",),
        asked=has_contact_point,
        fact=lambda use: point(use).given,
    ),
    Condition(
        "not_returned",
        _("Det vi skickade den vägen kom tillbaka."),
        ("RUL-28", "RET-05"),
        asked=lambda use: use.of.is_marketing and has_contact_point(use),
        fact=lambda use: Q(**{f"{point(use).returned_on}__isnull": True}),
    ),
    Condition(
        "not_suppressed",
        _("Det finns ett tidigare nej till reklam på den adressen eller det numret."),
        ("ERA-06", "OBJ-06"),
        asked=lambda use: use.of.is_marketing and has_contact_point(use),
        fact=not_suppressed,
    ),
)


def conditions_for(use: Use) -> list[Condition]:
    """Return the conditions that a use asks for, in the order they are told."""
    return [condition for condition in CONDITIONS if condition.asked(use)]
