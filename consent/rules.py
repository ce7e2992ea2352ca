"""The gate: may we use this person's data for this purpose, by this channel, and until when?

A condition is a fact or a stretch of days, stated once under a name with its reason. No condition
mentions today: the decision is the intersection of the stretches, so "allowed", "until when" and
"show me 2029-03-15" follow from two dates. One definition serves one person and a million.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.groundwork import SNAPSHOT_HOLDS, BalancingRecord, NixSnapshot, Register
from consent.models import Standing
from consent.purposes import (
    Basis,
    Permission,
    Restricted,
    Use,
)
from customers.dates import FAR, NEVER, Birthday, Plus, StockholmDate
from customers.models import Address, Change, Customer
from customers.models.channels import Channel
from customers.models.people import Protection, Restriction

Held = Standing.Permission


def _day(value: date) -> Value:
    return Value(value, output_field=DateField())


ALWAYS, OPEN = _day(NEVER), _day(FAR)


def _unless_agreed(until: Any) -> Case:
    """Bound what the person has not said yes to themselves."""
    return Case(When(_AGREED, then=OPEN), default=until, output_field=DateField())


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


def _is_marketing(use: Use) -> bool:
    return use.of.is_marketing


def _has_choice(use: Use) -> bool:
    return use.permission is not Permission.NONE


_AGREED = Q(standing__permission=Held.CONSENT)


def _held_enough(use: Use) -> Q:
    enough = {
        Permission.OPT_OUT: [Held.OPT_OUT, Held.CONSENT],
        Permission.SOFT_OPT_IN: [Held.SOFT, Held.CONSENT],
        Permission.CONSENT: [Held.CONSENT],
        Permission.NONE: [],
    }[use.permission]
    return Q(standing__permission__in=enough)


def _stops_when_restricted(use: Use) -> bool:
    """RES-04: own cases and legal notices go on, and an existing debt is a legal claim."""
    goes_on = (Restricted.OWN_CASE, Restricted.LEGAL_NOTICE, Restricted.CLAIM)
    return use.of.restricted not in goes_on


def _restriction_leaves(use: Use) -> Q:
    """RES-02, RES-03: which restrictions leave this use open.

    A later yes is none of the exceptions: the person lifts the limit first (RES-02).
    """
    if use.purpose in ("A", "A2"):
        # A person's own limitation stops what is not necessary, not the deliveries (RES-03).
        return Q(restriction__in=[Restriction.NONE, Restriction.VOLUNTARY])
    return Q(restriction=Restriction.NONE)


_RELATION_END = F("record__relation_ended_on")


# MFL-06: how long the relation lets us past NIX once it has ended.
NIX_MONTHS = {Channel.PHONE: 6, Channel.POST: 12}


def _relation_beats_nix(use: Use) -> Any:
    """Return the last day the relation with us stands above NIX; a partner has none (NIX-04)."""
    if use.of.named_third_party:
        return ALWAYS
    return Coalesce(Plus(_RELATION_END, months=NIX_MONTHS[Channel(use.channel)]), ALWAYS)


def _nix_window(use: Use, flag: str) -> Case:
    """Keep a number or address in NIX open a while after the relation (MFL-06, RUL-31)."""
    return Case(
        When(**{flag: False}, then=OPEN),
        default=Greatest(_relation_beats_nix(use), _named_yes()),
        output_field=DateField(),
    )


def _named_yes() -> Case:
    """NIX-04: a yes that names the company stands above NIX for three months."""
    return Case(When(_AGREED, then=Plus(F("standing__opens"), months=3)))


REGISTERS = {Channel.PHONE: Register.PHONE, Channel.POST: Register.POST}


def _washed_until(use: Use) -> Greatest:
    """RUL-31: the last day our copy of NIX counts; without one, only a yes that names us does.

    What was given after the wash has not been through it, and counts as in NIX until the next one.
    """
    newest = NixSnapshot.objects.newest(REGISTERS[Channel(use.channel)])
    taken = Subquery(newest.values("taken_on"), output_field=DateField())
    # One subquery for each column: planning them is most of what a single decision costs.
    holds = Days(Coalesce(taken, ALWAYS), SNAPSHOT_HOLDS.days)
    of_the_person = Case(
        When(_went_through(use, Subquery(newest.values("loaded_at"))), then=OPEN),
        default=_relation_beats_nix(use),
        output_field=DateField(),
    )
    return Greatest(Least(holds, of_the_person), _named_yes())


def _went_through(use: Use, loaded: Subquery) -> Q:
    """NIX-01: whether the number or the address was here when the register was washed."""
    if use.channel == Channel.POST:
        # An address has only its day; of the day of the wash nobody knows which came first.
        return Q(home__given_on__lt=StockholmDate(loaded))
    changed = Change.objects.filter(customer=OuterRef("pk"), field="phone", at__gte=loaded)
    return Q(created_at__lt=loaded) & ~Q(Exists(changed))


class Days(Func):
    """A date plus days in SQL."""

    output_field = DateField()
    template = "((%(expressions)s) + %(days)s)"

    def __init__(self, expression: Any, days: int, **extra: Any) -> None:
        super().__init__(expression, days=int(days), **extra)


def _balanced_until(use: Use) -> Any:
    """LAW-02: the day the balance must be reviewed; what rests on the person's yes needs none."""
    review: Any = Subquery(
        BalancingRecord.objects.newest(use.purpose).values("review_on"), output_field=DateField()
    )
    return _unless_agreed(review) if _has_choice(use) else review


def _grown_up_since(use: Use) -> Any:
    """RUL-03, RUL-04: a birth date wins over the person's own confirmation; unknown is a no.

    Below eighteen nothing is open that the person has not said yes to.
    """
    of_age: Any = Birthday(F("birth_date"), years=18)
    if _has_choice(use) and use.of.minimum_age < 18:
        of_age = Case(
            When(_AGREED, then=Birthday(F("birth_date"), years=use.of.minimum_age)),
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


def _has_contact_point(use: Use) -> bool:
    return use.channel in CONTACT_POINTS


def _point(use: Use) -> ContactPoint:
    return CONTACT_POINTS[Channel(use.channel)]


def _not_suppressed(use: Use) -> Q:
    """ERA-06, OBJ-06: only a yes given on the day of the old no or later opens its address."""
    suppressed_on = _point(use).suppressed_on
    return Q(**{f"{suppressed_on}__isnull": True}) | (
        _AGREED & Q(standing__opens__gte=F(suppressed_on))
    )


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
        asked=_has_choice,
        # Only a no that was said: of who never answered, `permission` speaks.
        fact=lambda use: ~Q(standing__declined=True),
    ),
    Condition(
        "informed",
        _("Du har inte fått den första informationen från oss än."),
        ("INF-02",),
        asked=_is_marketing,
        since=lambda use: F("noticed_on"),
    ),
    Condition(
        "purpose",
        _("Det finns inget pågående ändamål som omfattar dig."),
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
        until=lambda use: _unless_agreed(F("relation__retain_until")),
    ),
    Condition(
        "permission",
        _("Du har inte sagt ja till det."),
        ("MFL-01", "MFL-02", "CON-01", "CON-02"),
        asked=_has_choice,
        fact=_held_enough,
        since=lambda use: F("standing__opens"),
        until=lambda use: F("standing__closes"),
    ),
    Condition(
        "device",
        _("Det läser av din enhet, och det får vi bara om du säger ja."),
        ("LEK-01",),
        asked=lambda use: use.of.reads_device,
        fact=lambda use: _AGREED,
    ),
    Condition(
        "fresh_yes",
        _("Det har gått mer än två år sedan du sa ja eller hörde av dig."),
        ("CON-05",),
        asked=lambda use: _has_choice(use) and use.of.is_marketing,
        until=lambda use: Case(
            When(
                _AGREED,
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
            When(standing__permission=Held.SOFT, then=Plus(_RELATION_END, months=12)),
            default=OPEN,
            output_field=DateField(),
        ),
    ),
    Condition(
        "nix_phone",
        _("Numret finns i NIX."),
        ("MFL-04", "MFL-06", "NIX-03", "NIX-04", "RUL-31"),
        asked=lambda use: use.of.is_marketing and use.channel == Channel.PHONE,
        until=lambda use: _nix_window(use, "nix_phone"),
    ),
    Condition(
        "nix_post",
        _("Adressen finns i NIX."),
        ("MFL-04", "MFL-06", "RUL-31"),
        asked=lambda use: use.of.is_marketing and use.channel == Channel.POST,
        until=lambda use: _nix_window(use, "nix_post"),
    ),
    Condition(
        "nix_current",
        _("Vi behöver stämma av mot NIX på nytt innan vi hör av oss den vägen."),
        ("NIX-01", "NIX-02", "RUL-31"),
        asked=lambda use: use.of.is_marketing and use.channel in REGISTERS,
        until=_washed_until,
    ),
    Condition(
        "balanced",
        _("Vi har ingen aktuell intresseavvägning som visar att vi får."),
        ("LAW-02", "RUL-14"),
        asked=lambda use: use.of.is_balanced and use.permission is not Permission.CONSENT,
        until=_balanced_until,
    ),
    Condition(
        "old_enough",
        _("Vi vet inte att du är gammal nog för det här."),
        ("CHI-02", "RUL-03", "RUL-04"),
        asked=lambda use: use.of.minimum_age > 0,
        since=_grown_up_since,
    ),
    Condition(
        "not_restricted",
        _("Användningen av dina uppgifter är begränsad."),
        ("RES-02", "RES-03", "RES-04"),
        asked=_stops_when_restricted,
        fact=_restriction_leaves,
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
        asked=_has_contact_point,
        fact=lambda use: _point(use).given,
    ),
    Condition(
        "not_returned",
        _("Det vi skickade den vägen kom tillbaka."),
        ("RUL-28", "RET-05"),
        asked=lambda use: use.of.is_marketing and _has_contact_point(use),
        fact=lambda use: Q(**{f"{_point(use).returned_on}__isnull": True}),
    ),
    Condition(
        "not_suppressed",
        _("Det finns ett tidigare nej till reklam på den adressen eller det numret."),
        ("ERA-06", "OBJ-06"),
        asked=lambda use: use.of.is_marketing and _has_contact_point(use),
        fact=_not_suppressed,
    ),
)


def conditions_for(use: Use) -> list[Condition]:
    """Return the conditions that a use asks for, in the order they are told."""
    return [condition for condition in CONDITIONS if condition.asked(use)]


@dataclass(frozen=True)
class Answer:
    """One condition for one person: open from `since` to `until`, both days included."""

    name: str
    reason: str | Promise
    rules: tuple[str, ...]
    since: date
    until: date

    def holds(self, on: date) -> bool:
        return self.since <= on <= self.until

    def told(self, language: str) -> str:
        """Return the reason in a language, "sv" or "en"."""
        with translation.override(language):
            return str(self.reason)


# What we mend and the person cannot: they are not told of it as of something that they must do.
OURS = {"balanced", "nix_current"}
# What any contact with us puts off.
PUT_OFF = {"fresh_yes"}
# What is mended without answering anew.
WAITED_FOR = OURS | {"reachable", "not_returned", "not_restricted"}


class Decision(NamedTuple):
    """May we, with every reason."""

    customer_id: int
    held: str
    # What the database said of each condition that differs between people, as PostgreSQL writes a
    # row; None for somebody it does not know.
    said: str | None
    asked: "_Compiled"

    @property
    def use(self) -> Use:
        return self.asked.use

    @property
    def opens(self) -> date:
        """Return the first day on which every condition holds."""
        return date.fromisoformat(self._stretch()[0])

    @property
    def closes(self) -> date:
        """Return the last day on which every condition holds."""
        return date.fromisoformat(self._stretch()[1])

    def _stretch(self) -> tuple[str, str]:
        return _NO_DAYS if self.said is None else self.asked.stretch(self.said)

    @property
    def basis(self) -> Basis:
        """Return the legal basis: the person's own yes where there is one."""
        return Basis.CONSENT if self.held == Held.CONSENT else self.use.of.basis

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Return every condition with its stretch."""
        if self.said is None:
            unknown = _("Vi har inga uppgifter om personen.")
            return (Answer("known", unknown, ("LAW-01",), FAR, NEVER),)
        return self.asked.answers(self.said)

    def allowed(self, on: date) -> bool:
        return self.said is not None and self.asked.holds(self.said, on.isoformat())

    def changes_on(self, on: date) -> date | None:
        """Return the next day after `on` when the answer changes by itself; None if it never does.

        The stretch is unbroken, so it can only begin, or end the day after its last day.
        """
        opens, closes = self.opens, self.closes
        if on < opens <= closes and opens < FAR:
            return opens
        if opens <= on <= closes < FAR:
            return closes + timedelta(days=1)
        return None

    def refusals(self, on: date) -> list[Answer]:
        return [answer for answer in self.answers if not answer.holds(on)]

    def answered_yes(self, on: date) -> bool:
        """Say whether the answer is yes, even where it waits for a number or an own limitation."""
        return {answer.name for answer in self.refusals(on)} <= WAITED_FOR

    def lasts_until(self) -> date:
        """Return the last day as the person is told of it: without what is renewed in passing."""
        return min((a.until for a in self.answers if a.name not in OURS | PUT_OFF), default=FAR)


class OnlyCountedError(ValueError):
    """The purpose names nobody; the message says what to ask instead."""


class _IsNotTrue(Func):
    """False or unknown."""

    template = "((%(expressions)s) IS NOT TRUE)"
    output_field = BooleanField()
    conditional = True


class GateQuerySet(QuerySet[Customer]):
    """Customers with the gate's dates for one use beside them."""

    def processable(self, use: Use, on: date) -> "GateQuerySet":
        """Keep those whose data may be used so on a day; raises OnlyCountedError."""
        if use.of.only_counted:
            raise OnlyCountedError(
                f"Purpose {use.purpose} singles nobody out; ask consent.statistics.counted instead."
            )
        return self.open(use, on)

    def open(self, use: Use, on: date) -> "GateQuerySet":
        """Keep those for whom every condition holds; for counting, not for naming."""
        return self.filter(*(q for c in conditions_for(use) for q in _holds(c, use, on)))


def _holds(condition: Condition, use: Use, on: date) -> Iterator[Q]:
    """Yield what must be true of a person on a day; unknown is not true."""
    # By the columns of the gate and not by what they are made of, or each join would be made anew.
    if condition.fact(use) is not None:
        yield Q(**{f"{condition.name}_fact": True})
    if condition.since(use) is not ALWAYS:
        yield Q(**{f"{condition.name}_since__lte": on})
    if condition.until(use) is not OPEN:
        yield Q(**{f"{condition.name}_until__gte": on})


class _Packed(Func):
    """Several values in one, as PostgreSQL writes a row: "(2026-01-31,,t)"."""

    template = "ROW(%(expressions)s)::text"
    output_field = CharField()


def _relations(use: Use) -> dict[str, FilteredRelation]:
    """Return what the conditions of a use read beside the person."""
    found = {
        "record": FilteredRelation(
            "processing_records", condition=Q(processing_records__purpose=use.purpose)
        )
    }
    if _has_choice(use):
        found["standing"] = FilteredRelation(
            "standings",
            condition=Q(
                standings__purpose=use.purpose,
                standings__channel=use.channel,
                standings__third_party=use.third_party,
            ),
        )
    if use.channel == Channel.POST:
        found["home"] = FilteredRelation(
            "addresses", condition=Q(addresses__kind=Address.Kind.HOME)
        )
    if use.purpose == "C":
        found["relation"] = FilteredRelation(
            "processing_records", condition=Q(processing_records__purpose="A")
        )
    return found


def gate(use: Use) -> GateQuerySet:
    """Return all customers with the two dates of a use and those of each condition."""
    asked = conditions_for(use)
    found: Any = GateQuerySet(Customer).annotate(**_relations(use))
    since, until, facts = {}, {}, {}
    for condition in asked:
        fact = condition.fact(use)
        if fact is not None:
            facts[f"{condition.name}_fact"] = ExpressionWrapper(fact, BooleanField())
        if condition.since(use) is not ALWAYS:
            since[f"{condition.name}_since"] = condition.since(use)
        if condition.until(use) is not OPEN:
            until[f"{condition.name}_until"] = condition.until(use)
    held = Coalesce(F("standing__permission"), Value(Held.NONE.value))
    none = Value(Held.NONE.value, output_field=CharField())
    return found.annotate(  # type: ignore[no-any-return]
        **since, **until, **facts, held=held if _has_choice(use) else none
    )


@dataclass(frozen=True)
class _Compiled:
    """The gate's SQL for one use, with room for a key; compiling anew costs ten times the query."""

    use: Use
    one: str = field(repr=False)
    many: str = field(repr=False)
    # The columns that differ between people, in the order they are packed.
    facts: tuple[str, ...] = field(repr=False)
    since: tuple[str, ...] = field(repr=False)
    until: tuple[str, ...] = field(repr=False)

    def holds(self, said: str, day: str) -> bool:
        """Say whether everything holds on a day; what the database did not know refuses.

        Days of four-digit years come in the order of their letters, and an empty one before all.
        """
        if not said.startswith(self._facts_hold):
            return False
        days = said[self._first_day : -1].split(",")
        since = days[: self._since]
        return "" not in since and max(since) <= day <= min(days[self._since :])

    def stretch(self, said: str) -> tuple[str, str]:
        """Return the first and the last day on which everything holds, as they are written."""
        days = said[1:-1].split(",")[len(self.facts) :]
        since, until = days[: self._since], days[self._since :]
        opens = _FAR if "" in since else max(since)
        return opens, min(until) if said.startswith(self._facts_hold) and all(until) else _NEVER

    @cached_property
    def _facts_hold(self) -> str:
        return "(" + "t," * len(self.facts)

    @cached_property
    def _first_day(self) -> int:
        return len(self._facts_hold)

    @cached_property
    def _since(self) -> int:
        return len(self.since)

    def answers(self, said: str) -> tuple[Answer, ...]:
        """Take apart what the database said of one person."""
        columns = (*self.facts, *self.since, *self.until)
        found = dict(zip(columns, said[1:-1].split(","), strict=True))
        return tuple(_answer(condition, found) for condition in conditions_for(self.use))


_FAR, _NEVER = FAR.isoformat(), NEVER.isoformat()
_NO_DAYS = (_FAR, _NEVER)


def _answer(condition: Condition, found: dict[str, str]) -> Answer:
    name = condition.name
    opens, closes = found.get(f"{name}_since", _NEVER), found.get(f"{name}_until", _FAR)
    if found.get(f"{name}_fact", "t") != "t":
        closes = _NEVER
    return Answer(
        name,
        condition.reason,
        condition.rules,
        date.fromisoformat(opens or _FAR),
        date.fromisoformat(closes or _NEVER),
    )


_NOBODY = 9000000000000000001


@lru_cache(maxsize=1024)
def _compiled(use: Use) -> _Compiled:
    found: Any = gate(use).filter(pk=_NOBODY).order_by()
    names = list(found.query.annotations)
    facts, since, until = (
        tuple(name for name in names if name.endswith(end)) for end in ("_fact", "_since", "_until")
    )
    said = _Packed(*(F(name) for name in (*facts, *since, *until)))
    query = found.annotate(said=said).values_list("pk", "held", "said").query
    operations: Any = connection.ops
    sql = operations.compose_sql(*query.sql_with_params()).replace("%", "%%")
    by_key = f'"customers_customer"."id" = {_NOBODY}'
    if sql.count(by_key) != 1:
        raise RuntimeError("The gate's SQL no longer asks for one customer in one place.")
    return _Compiled(
        use,
        one=sql.replace(by_key, '"customers_customer"."id" = %s'),
        many=sql.replace(by_key, '"customers_customer"."id" = ANY(%s)'),
        facts=facts,
        since=since,
        until=until,
    )


def may_process(customer_id: int, use: Use) -> Decision:
    """Decide for one person; an unknown one is refused."""
    asked = _compiled(use)
    with connection.cursor() as cursor:
        cursor.execute(asked.one, [customer_id])
        row = cursor.fetchone()
    return Decision._make((*row, asked)) if row else _unknown(customer_id, asked)


def _unknown(customer_id: int, asked: _Compiled) -> Decision:
    return Decision(customer_id, Held.NONE.value, None, asked)


def may_process_many(customer_ids: Sequence[int], use: Use) -> dict[int, Decision]:
    """Decide for many in one statement; unknown people are refused."""
    asked = _compiled(use)
    with connection.cursor() as cursor:
        cursor.execute(asked.many, [list(customer_ids)])
        rows = cursor.fetchall()
    found = {row[0]: Decision._make((*row, asked)) for row in rows}
    for customer_id in set(customer_ids) - found.keys():
        found[customer_id] = _unknown(customer_id, asked)
    return found


def may_process_all(customer_id: int, uses: Sequence[Use]) -> dict[Use, Decision]:
    """Decide about many uses of one person's data in one statement."""
    if not uses:
        return {}
    asked = [_compiled(use) for use in uses]
    parts = [f"SELECT {n}, g.* FROM ({one.one}) AS g" for n, one in enumerate(asked)]
    decisions = {one.use: _unknown(customer_id, one) for one in asked}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), [customer_id] * len(uses))
        for number, *row in cursor:
            decisions[uses[number]] = Decision._make((*row, asked[number]))
    return decisions


def audience(use: Use, on: date) -> Iterator[int]:
    """Stream the keys of everyone whose data may be used so on that day, in constant memory."""
    found = gate(use).processable(use, on).order_by().values_list("pk", flat=True)
    with connection.cursor() as cursor:
        # All of it will be read; planned for the first rows alone, it takes twice as long.
        local = connection.in_atomic_block
        cursor.execute("SELECT set_config('cursor_tuple_fraction', '1', %s)", [local])
    return found.iterator(chunk_size=5000)


def left_out(use: Use, on: date) -> dict[str, int]:
    """Count the people outside the audience by the first condition that refuses; see `tally`."""
    return tally(use, on)[1]


def tally(use: Use, on: date) -> tuple[int, dict[str, int]]:
    """Count everybody once, in one statement: the audience, and who is outside by the first reason.

    Conditions come in the order they are told; those that leave nobody out are not named.
    """
    asked = conditions_for(use)
    first = [
        When(_IsNotTrue(ExpressionWrapper(q, BooleanField())), then=Value(condition.name))
        for condition in asked
        for q in _holds(condition, use, on)
    ]
    found = gate(use).annotate(refused_by=Case(*first, output_field=CharField())).order_by()
    counted = dict(found.values_list("refused_by").annotate(people=Count("pk")))
    reasons = {c.name: counted[c.name] for c in asked if c.name in counted}
    return counted.get(None, 0), reasons
