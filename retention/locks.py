"""Who is only kept: held past their time, or a shell, and nobody's to work with (ERA-04, RUL-36).

Somebody is locked when no purpose uses their details any more and something else keeps them: a
hold, a restriction, a debt, the bookkeeping. An open case of their own unlocks them, since they are
to be answered. `CustomerQuerySet.locked` asks here; the staff pages leave out what it returns for
everybody without the right to it.
"""

from datetime import date

from django.db.models import Exists, F, OuterRef, Q

from consent.models import ProcessingRecord
from consent.purposes import CATALOGUE, Basis
from customers.models import Customer
from customers.models.people import Restriction
from customers.personal_data import Category
from retention.models import Hold

# Purposes that keep a person's details in order to use them; a debt only keeps.
IN_USE = tuple(
    purpose.code
    for purpose in CATALOGUE
    if purpose.mask & Category.IDENTITY and purpose.basis is not Basis.LEGAL_OBLIGATION
)
# Purposes that use what others keep: nothing is left for them to use.
BORROWED = tuple(
    purpose.code
    for purpose in CATALOGUE
    if not purpose.keeps and purpose.basis is not Basis.LEGAL_OBLIGATION
)
RESTRICTED = (
    Restriction.CONTESTED,
    Restriction.UNLAWFUL,
    Restriction.CLAIM,
    Restriction.OBJECTION,
)


def _live(on: date, *purposes: str) -> Exists:
    return Exists(
        ProcessingRecord.objects.filter(
            customer=OuterRef("pk"),
            purpose__in=purposes,
            ended_on__isnull=True,
            retain_until__gte=on,
        )
    )


def _holds(on: date, category: Category | None = None) -> Q:
    holds = Hold.objects.live(on).filter(customer=OuterRef("pk"))
    if category is not None:
        covers = F("categories").bitand(category.value)
        holds = holds.alias(covers=covers).filter(covers__gt=0)
    return Q(restriction__in=RESTRICTED) | Q(Exists(holds))


def in_debt(on: date) -> Q:
    """Return the condition that an unpaid invoice keeps a person's details (CLM-01)."""
    return Q(_live(on, "L2"))


def locked(on: date) -> Q:
    """Return the condition that a person is only kept on a day."""
    own_case = Exists(
        Hold.objects.live(on).filter(customer=OuterRef("pk"), ground=Hold.Ground.CASE)
    )
    kept = _holds(on) | in_debt(on) | Q(given_name="", family_name="")
    return kept & ~Q(_live(on, *IN_USE)) & ~Q(own_case)


def national_id_locked(on: date) -> Q:
    """Return the condition that only a hold keeps somebody's national identity number (RUL-16)."""
    return _holds(on, Category.NATIONAL_ID) & ~Q(_live(on, "A2", "L2"))


def install() -> None:
    """Put the answers where the people are asked for."""
    people = type(Customer.objects.all())
    people.lock, people.debt, people.number_lock = locked, in_debt, national_id_locked
