"""Advertising by e-mail and text message without a yes, after a sale (MFL-02, RUL-14).

It is lawful only when every fact of 19 § MFL holds, so it is written down only with all of them:
the sale, what was bought, the addresses given at it, and that the person could say no there. What
is not on record did not happen.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils import translation
from django.utils.translation import gettext as _

from consent.actions import ActError, current_notice, past
from consent.ledger import append
from consent.models import Authority, Event, Notice
from customers.dates import stockholm_date, today
from customers.models import Customer, Order
from customers.models.channels import Channel, Collected
from customers.words import full_day, listed

# The ways by which somebody buys; a register or a file has sold nothing.
SOLD_BY = tuple(way for way in Collected if way not in (Collected.REGISTER, Collected.IMPORT))
OPENED = (Channel.EMAIL, Channel.SMS)


@dataclass(frozen=True)
class Sale:
    """What must be on record of a sale before advertising may follow from it.

    `number` is the order's, or what else the sale is found by; `goods` what was bought, which our
    advertising must resemble; `given` the ways whose address the person gave at the sale;
    `could_refuse` whether they were offered, there, to have no advertising.
    """

    number: str
    on: date
    goods: str
    given: tuple[Channel, ...]
    could_refuse: bool

    @classmethod
    def of(cls, order: Order, *, given: tuple[Channel, ...], could_refuse: bool) -> "Sale":
        """Return the facts of an order."""
        goods = f"{order.product.name} ({order.product.similar_group})"
        return cls(order.number, order.ordered_on, goods, given, could_refuse)

    def in_words(self) -> str:
        """Return the facts as they are kept."""
        ways = listed([str(way.label).lower() for way in OPENED if way in self.given])
        return _(
            "Köp %(number)s, %(day)s: %(goods)s.\n"
            "Du lämnade själv adressen för %(ways)s vid köpet.\n"
            "Vid köpet kunde du säga nej till reklam, utan kostnad, och det gjorde du inte.\n"
            "Reklamen får gälla våra egna varor av samma slag, och i varje utskick kan du säga nej."
        ) % {
            "number": self.number.strip(),
            "day": full_day(self.on),
            "goods": self.goods.strip(),
            "ways": ways,
        }


def record_soft_opt_in(
    customer: Customer,
    sale: Sale,
    *,
    collected: str,
    notice: Notice | None = None,
    at: datetime | None = None,
) -> Event:
    """Record a sale at which the person could decline advertising, with all its facts (MFL-02).

    Opens only the ways whose address was given there. `notice` is the wording shown at the sale,
    the one in force that day where none is given. Raises ActError when a fact is missing.
    """
    at = past(at)
    day = stockholm_date(at) if at else today()
    _demand_facts(customer, sale, collected, day)
    language = customer.language or "sv"
    both = set(sale.given) >= set(OPENED)
    with translation.override(language):
        facts = sale.in_words()
    return append(
        customer,
        Event.Kind.SOFT_OPT_IN,
        channel="" if both else next(way.value for way in OPENED if way in sale.given),
        collected=collected,
        authority=Authority.SYSTEM,
        notice=notice or current_notice(collected, language, sale.on),
        evidence=facts,
        at=at,
    )


def _demand_facts(customer: Customer, sale: Sale, collected: str, day: date) -> None:
    if collected not in SOLD_BY:
        raise ActError("A sale is made with the person; say how they bought.")
    if not sale.number.strip():
        raise ActError("Without a sale there is no advertising; give the number of the order.")
    if not sale.goods.strip():
        raise ActError("Advertising must be for goods of the same kind; say what was bought.")
    if sale.on > day:
        raise ActError("The sale cannot come after it was told of; give the day of the order.")
    if not set(sale.given) & set(OPENED):
        raise ActError("Only an address given at the sale may be used; say which ones were.")
    held = {Channel.EMAIL: customer.email, Channel.SMS: customer.phone}
    if not all(held[way] for way in OPENED if way in sale.given):
        raise ActError(
            "An address that the sale is said to have given is not here; write it first."
        )
    if not sale.could_refuse:
        raise ActError("Who could not say no at the sale gets no advertising; ask for a yes.")
    others = Order.objects.filter(number=sale.number.strip()).exclude(customer=customer)
    if others.exists():
        raise ActError("That order is somebody else's; give the number of the person's own.")
