"""People who do not exist, for a first look around: each tells a story, all by the public acts.

Days are counted back from today, so that the stories stay true. A person who is here already is
left as they are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.utils import translation

from consent.actions import current_notice, say_no, say_yes, serve_notice
from consent.balancing import PROPOSALS, record_balance
from consent.choices import wording
from consent.facts import (
    AddressLine,
    ask,
    close_question,
    deliver,
    end_subscription,
    issue_invoice,
    place_order,
    register_customer,
    settle,
    subscribe,
    use_national_id,
)
from consent.groundwork import BalancingRecord, NixSnapshot, Register
from consent.nix import load_nix
from consent.purposes import Use
from consent.soft_opt_in import Sale, record_soft_opt_in
from customers.actions import change_details
from customers.dates import STOCKHOLM, add_months, add_years, today
from customers.models import Customer, FiscalYear, Invoice, Product, User
from customers.models.channels import Channel, Collected
from customers.models.people import Protection
from dentalclean import demo_recipients
from dentalclean.roles import Role, give_role, sync_roles
from marketing.actions import draft
from marketing.models import Campaign

PRICES = {"borsthuvud": 9900, "tandborste": 69900, "tandkram": 4900}
PRODUCTS = (
    ("borsthuvud", "Borsthuvuden"),
    ("tandborste", "Tandborste"),
    ("tandkram", "Tandkräm"),
)
STAFF = (
    ("kundservice@example.se", Role.CUSTOMER_SERVICE, "customer service"),
    ("ekonomi@example.se", Role.FINANCE, "finance"),
    ("dataskydd@example.se", Role.DATA_PROTECTION, "data protection officer"),
    ("utskick@example.se", Role.CUSTOMER_SERVICE, "customer service, has written a campaign"),
)
CAMPAIGN = {
    "name": "Nya borsthuvuden",
    "subject_sv": "Borsthuvuden i två hårdheter",
    "body_sv": "Nu finns våra borsthuvuden både mjuka och medelhårda.\n\n"
    "Byt till vilka du vill på nästa leverans, det kostar ingenting.",
    "subject_en": "Brush heads in two kinds",
    "body_en": "Our brush heads now come both soft and medium.\n\n"
    "Change to whichever you like from your next delivery, at no cost.",
}
# One entry each of a made-up copy of NIX: the customer who left, and who still owes.
NIX = {
    Register.PHONE: "070-174 06 22",
    Register.POST: "Emma O'Reilly;Storgatan 21;211 20",
}


@dataclass(frozen=True)
class Story:
    """One demo person; `lived` does what has happened to them since they came."""

    number: str
    email: str
    tells: str
    came: dict[str, Any]
    lived: Callable[[Customer, date], None]
    months_ago: int
    collected: str = Collected.WEB


def _at(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=STOCKHOLM)


def _product(code: str) -> Product:
    return Product.objects.get(code=code)


def _told(customer: Customer, day: date) -> None:
    """Give the first information: in short at first where it is so, then whole (INF-04)."""
    serve_notice(customer, collected=customer.collected, at=_at(day))
    if customer.noticed_on is None:
        whole = current_notice(Collected.POST, customer.language)
        serve_notice(customer, collected=Collected.EMAIL, notice=whole, at=_at(day))


def _informed(customer: Customer, day: date) -> None:
    """Give the first information, and at a sale the chance to decline advertising."""
    _told(customer, day)
    given = [(Channel.EMAIL, customer.email), (Channel.SMS, customer.phone)]
    sale = Sale(
        number=f"{customer.number}-0",
        on=day,
        goods="Borsthuvud (munvard)",
        given=tuple(way for way, address in given if address),
        could_refuse=True,
    )
    record_soft_opt_in(customer, sale, collected=customer.collected, at=_at(day))


def _delivery(customer: Customer, code: str, day: date, *, paid: bool = True) -> Invoice:
    """Order, deliver and bill one parcel."""
    product = _product(code)
    serial = customer.orders.count() + 1
    order = place_order(customer, product, f"{customer.number}-{serial}", day)
    deliver(order, min(day + timedelta(days=3), today()))
    price = PRICES[code]
    invoice = issue_invoice(
        customer,
        day,
        [{"text": product.name, "quantity": 1, "ore": price}],
        due_on=add_months(day, 1),
        vat_ore=price // 5,
    )
    return settle(invoice, min(day + timedelta(days=20), today())) if paid else invoice


def _deliveries(customer: Customer, code: str, first: date, last: date, months: int) -> None:
    day = first
    while day <= last:
        _delivery(customer, code, day)
        day = add_months(day, months)


def _yes(customer: Customer, use: Use, day: date) -> None:
    with translation.override(customer.language):
        words = "\n".join(wording(customer, use, day))
    say_yes(customer, use, evidence=words, at=_at(day))


def _active(customer: Customer, came: date) -> None:
    _informed(customer, came)
    subscribe(customer, _product("borsthuvud"), came)
    _deliveries(customer, "borsthuvud", came, today() - timedelta(days=20), 6)
    use_national_id(customer, "199006022397")
    _yes(customer, Use("H", "email"), add_months(came, 4))
    _yes(customer, Use("G", "social"), add_months(came, 4))
    say_no(customer, Use("H", "phone"), at=_at(add_months(came, 7)))
    say_no(customer, Use("C", "email"), at=_at(add_months(came, 12)))
    change_details(customer, {"phone": "+46701740642", "street": "Älggatan 12"})
    question = ask(customer, "Kan jag pausa ett paket?", "Jag är bortrest i mars.")
    close_question(question, "Ja. Vi hoppar över mars, och nästa paket kommer i april.")


def _ended(customer: Customer, came: date) -> None:
    _informed(customer, came)
    subscription = subscribe(customer, _product("tandkram"), came)
    last = add_months(today(), -14)
    _deliveries(customer, "tandkram", came, last, 9)
    end_subscription(subscription, last)


def _said_no_to_all(customer: Customer, came: date) -> None:
    _informed(customer, came)
    subscribe(customer, _product("borsthuvud"), came)
    _deliveries(customer, "borsthuvud", came, today() - timedelta(days=20), 6)
    say_no(customer, collected=Collected.PHONE, at=_at(add_months(came, 5)))


def _protected(customer: Customer, came: date) -> None:
    _informed(customer, came)
    subscribe(customer, _product("tandborste"), came)
    _delivery(customer, "tandborste", came)


def _prospect(customer: Customer, came: date) -> None:
    _told(customer, came)
    ask(customer, "Passar borsthuvudet min tandborste?", "Den är från 2019.", collected="email")


def _leaving(customer: Customer, came: date) -> None:
    _informed(customer, came)
    subscription = subscribe(customer, _product("borsthuvud"), came)
    _deliveries(customer, "borsthuvud", came, add_years(today(), -4), 12)
    end_subscription(subscription, add_years(today(), -3) + timedelta(days=3))


def _owing(customer: Customer, came: date) -> None:
    _informed(customer, came)
    subscription = subscribe(customer, _product("borsthuvud"), came)
    _delivery(customer, "borsthuvud", came)
    _delivery(customer, "borsthuvud", add_months(came, 6), paid=False)
    end_subscription(subscription, add_months(came, 8))


def _home(street: str, postcode: str, city: str) -> AddressLine:
    return {"street": street, "postcode": postcode, "city": city}


STORIES = (
    Story(
        "D0000000001",
        "elin.sandberg@example.se",
        "a customer who has made choices, moved and asked a question",
        {
            "given_name": "Elin",
            "family_name": "Sandberg",
            "phone": "+46701740621",
            "address": _home("Björkgatan 4", "58222", "Linköping"),
        },
        _active,
        months_ago=32,
    ),
    Story(
        "D0000000002",
        "olle.wikstrom@example.se",
        "left 14 months ago; the calendar shows much",
        {
            "given_name": "Olle",
            "family_name": "Wikström",
            "phone": "+46701740622",
            "birth_date": date(1958, 3, 14),
            "address": _home("Åvägen 17", "90326", "Umeå"),
        },
        _ended,
        months_ago=80,
        collected=Collected.SLIP,
    ),
    Story(
        "D0000000003",
        "saga.lindholm@example.se",
        "a customer who has said no to all advertising",
        {
            "given_name": "Saga",
            "family_name": "Lindholm",
            "phone": "+46701740623",
            "address": _home("Östra Allén 3", "70211", "Örebro"),
        },
        _said_no_to_all,
        months_ago=20,
        collected=Collected.PHONE,
    ),
    Story(
        "D0000000004",
        "noor.hadad@example.se",
        "a customer with a protected identity",
        {
            "given_name": "Noor",
            "family_name": "Hadad",
            "phone": "+46701740624",
            "protection": Protection.SECRECY,
        },
        _protected,
        months_ago=9,
    ),
    Story(
        "D0000000005",
        "hugo.bergquist@example.se",
        "asked a question, has never bought anything",
        {"given_name": "Hugo", "family_name": "Bergquist"},
        _prospect,
        months_ago=2,
        collected=Collected.EMAIL,
    ),
    Story(
        "D0000000006",
        "britta.aberg@example.se",
        "left three years ago; name and address go in a few nights",
        {
            "given_name": "Britta",
            "family_name": "Åberg",
            "phone": "+46701740626",
            "birth_date": date(1944, 2, 29),
            "address": _home("S:t Eriksgränd 8", "11122", "Stockholm"),
        },
        _leaving,
        months_ago=84,
        collected=Collected.SLIP,
    ),
    Story(
        "D0000000007",
        "emma.oreilly@example.com",
        "reads English, left and has an unpaid invoice",
        {
            "given_name": "Emma",
            "family_name": "O'Reilly",
            "language": "en",
            "phone": "+46701740627",
            "address": _home("Storgatan 21", "21120", "Malmö"),
        },
        _owing,
        months_ago=18,
    ),
)


def build() -> Iterator[tuple[str, str, str]]:
    """Make whoever is missing; yield (name, e-mail, story) of everyone, people first."""
    _ground()
    for story in STORIES:
        customer = Customer.objects.filter(number=story.number).first()
        if customer is None:
            customer = _make(story)
        if customer.name and customer.user is not None:
            yield customer.name, customer.user.email, story.tells
    sync_roles()
    for email, role, words in STAFF:
        give_role(email, role)
        yield "Staff", email, words
    _see_to_the_groundwork()
    _see_to_a_campaign()
    demo_recipients.lay_in()
    officer = User.objects.get(email=STAFF[2][0])
    demo_recipients.hand_over([STORIES[0].number, STORIES[2].number], officer)


@transaction.atomic
def _see_to_the_groundwork() -> None:
    """Let finance own the balances and the data protection officer approve them; wash for NIX."""
    owner, officer = (User.objects.get(email=STAFF[n][0]) for n in (1, 2))
    standing = BalancingRecord.objects.standing(today())
    for purpose, texts in PROPOSALS.items():
        if purpose not in standing:
            record_balance(purpose, owner=owner, approved_by=officer, **vars(texts))
    for register, entry in NIX.items():
        newest = NixSnapshot.objects.newest(register).first()
        if newest is None or newest.taken_on < today():
            load_nix(register, today(), [entry])


def _see_to_a_campaign() -> None:
    """Let one of customer service have written a campaign, for the other to approve."""
    if not Campaign.objects.exists():
        writer = User.objects.get(email=STAFF[3][0])
        draft(Campaign(purpose="H", channel="email", **CAMPAIGN), writer)


@transaction.atomic
def _make(story: Story) -> Customer:
    came = add_months(today(), -story.months_ago)
    customer = register_customer(
        number=story.number,
        email=story.email,
        collected=story.collected,
        on=came,
        created_at=_at(came),
        **story.came,
    )
    story.lived(customer, came)
    customer.refresh_from_db()
    return customer


@transaction.atomic
def _ground() -> None:
    """Lay in the products and the fiscal years that no year here covers yet."""
    for code, name in PRODUCTS:
        Product.objects.get_or_create(
            code=code, defaults={"name": name, "similar_group": "munvard"}
        )
    for year in range(today().year - 9, today().year + 2):
        first, last = date(year, 1, 1), date(year, 12, 31)
        if not FiscalYear.objects.filter(starts_on__lte=last, ends_on__gte=first).exists():
            FiscalYear.objects.create(starts_on=first, ends_on=last)
