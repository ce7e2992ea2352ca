"""The gate: may we use this person's data for this purpose, by this channel, and until when?

A condition is a fact or a stretch of days, stated once under a name with its reason. No condition
mentions today: the decision is the intersection of the stretches, so "allowed", "until when" and
"show me 2029-03-15" follow from two dates. One definition serves one person and a million.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import (
    Case,
    CharField,
    Count,
    DateField,
    F,
    FilteredRelation,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.models import Standing
from consent.purposes import (
    Basis,
    Ends,
    Permission,
    Restricted,
    Use,
)
from customers.dates import FAR, NEVER, Birthday, Plus
from customers.models import Customer
from customers.models.channels import Channel
from customers.models.people import Protection, Restriction

Held = Standing.Permission


def _day(value: date) -> Value:
    return Value(value, output_field=DateField())


ALWAYS, OPEN = _day(NEVER), _day(FAR)


def _only_if(condition: Q) -> Case:
    """A fact as a stretch: for ever when true, empty when false or unknown."""
    return Case(When(condition, then=OPEN), default=ALWAYS, output_field=DateField())


@dataclass(frozen=True)
class Condition:
    """One reason why a use is open or shut.

    `asked` says which uses it speaks of; `since` and `until` give its stretch, both days included.
    """

    name: str
    reason: str | Promise
    rules: tuple[str, ...]
    asked: Callable[[Use], bool]
    until: Callable[[Use], Any]
    since: Callable[[Use], Any] = lambda use: ALWAYS


def _is_marketing(use: Use) -> bool:
    return use.of.is_marketing


def _has_choice(use: Use) -> bool:
    return use.permission is not Permission.NONE


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
    goes_on = (Restricted.OWN_CASE, Restricted.LEGAL_NOTICE)
    return use.of.restricted not in goes_on and use.of.ends is not Ends.DEBT


def _restriction_leaves(use: Use) -> Q:
    """RES-02, RES-03: which restrictions leave this use open."""
    if use.purpose in ("A", "A2"):
        # A person's own limitation stops what is not necessary, not the deliveries (RES-03).
        return Q(restriction__in=[Restriction.NONE, Restriction.VOLUNTARY])
    return Q(restriction=Restriction.NONE)


_RELATION_END = F("record__relation_ended_on")


def _nix_window(use: Use, flag: str, months: int) -> Case:
    """Keep a number or address in NIX open a while after the relation (MFL-06, RUL-31).

    The relation is with us: a partner has none, and only the yes that names it counts (NIX-04).
    """
    after_end: Any = Coalesce(Plus(_RELATION_END, months=months), ALWAYS)
    if use.of.named_third_party:
        after_end = ALWAYS
    return Case(
        When(**{flag: False}, then=OPEN),
        When(
            standing__permission=Held.CONSENT,
            then=Greatest(after_end, Plus(F("standing__opens"), months=3)),
        ),
        default=after_end,
        output_field=DateField(),
    )


def _grown_up_since(use: Use) -> Any:
    """RUL-03, RUL-04: a birth date wins over the person's own confirmation; unknown is a no.

    Below eighteen nothing is open that the person has not said yes to.
    """
    of_age: Any = Birthday(F("birth_date"), years=18)
    if _has_choice(use) and use.of.minimum_age < 18:
        of_age = Case(
            When(
                standing__permission=Held.CONSENT,
                then=Birthday(F("birth_date"), years=use.of.minimum_age),
            ),
            default=of_age,
            output_field=DateField(),
        )
    return Coalesce(of_age, F("adult_confirmed_on"), OPEN)


CONDITIONS: tuple[Condition, ...] = (
    Condition(
        "alive",
        _("Personen är avliden."),
        ("RUL-29", "RET-05"),
        asked=lambda use: use.of.is_marketing or use.purpose in ("D", "E", "J"),
        until=lambda use: _only_if(Q(deceased_on__isnull=True)),
    ),
    Condition(
        "not_declined",
        _("Du har sagt nej."),
        ("OBJ-01", "OBJ-02", "OBJ-04", "OBJ-06", "CON-03", "RUL-30"),
        asked=_has_choice,
        until=lambda use: _only_if(Q(standing__declined=False)),
    ),
    Condition(
        "informed",
        _("Du har inte fått den första informationen från oss än."),
        ("INF-02",),
        asked=_is_marketing,
        since=lambda use: Coalesce(F("noticed_on"), OPEN),
        until=lambda use: OPEN,
    ),
    Condition(
        "purpose",
        _("Det finns inget pågående ändamål som omfattar dig."),
        ("LAW-01", "MFL-05", "RET-02", "RET-04", "RUL-11", "RUL-12"),
        asked=lambda use: True,
        since=lambda use: Coalesce(F("record__since"), OPEN),
        until=lambda use: Case(
            When(record__ended_on__isnull=False, then=ALWAYS),
            default=Coalesce(F("record__retain_until"), ALWAYS),
            output_field=DateField(),
        ),
    ),
    Condition(
        "permission",
        _("Du har inte sagt ja till det."),
        ("MFL-01", "MFL-02", "CON-01", "CON-02"),
        asked=_has_choice,
        since=lambda use: Coalesce(F("standing__opens"), OPEN),
        until=lambda use: Case(
            When(_held_enough(use), then=Coalesce(F("standing__closes"), ALWAYS)),
            default=ALWAYS,
            output_field=DateField(),
        ),
    ),
    Condition(
        "soft_opt_in",
        _("Det har gått mer än tolv månader sedan du slutade vara kund."),
        ("MFL-06", "RUL-14"),
        asked=lambda use: use.permission is Permission.SOFT_OPT_IN,
        until=lambda use: Case(
            When(
                standing__permission=Held.SOFT,
                then=Coalesce(Plus(_RELATION_END, months=12), ALWAYS),
            ),
            default=OPEN,
            output_field=DateField(),
        ),
    ),
    Condition(
        "nix_phone",
        _("Numret finns i NIX."),
        ("MFL-04", "MFL-06", "NIX-03", "NIX-04", "RUL-31"),
        asked=lambda use: use.of.is_marketing and use.channel == Channel.PHONE,
        until=lambda use: _nix_window(use, "nix_phone", 6),
    ),
    Condition(
        "nix_post",
        _("Adressen finns i NIX."),
        ("MFL-04", "MFL-06", "RUL-31"),
        asked=lambda use: use.of.is_marketing and use.channel == Channel.POST,
        until=lambda use: _nix_window(use, "nix_post", 12),
    ),
    Condition(
        "old_enough",
        _("Vi vet inte att du är gammal nog för det här."),
        ("CHI-02", "RUL-03", "RUL-04"),
        asked=lambda use: use.of.minimum_age > 0,
        since=_grown_up_since,
        until=lambda use: OPEN,
    ),
    Condition(
        "not_restricted",
        _("Användningen av dina uppgifter är begränsad."),
        ("RES-02", "RES-03", "RES-04"),
        asked=_stops_when_restricted,
        until=lambda use: _only_if(_restriction_leaves(use)),
    ),
    Condition(
        "not_protected",
        _("Du har skyddade personuppgifter."),
        ("SKY-01", "PAR-02"),
        asked=lambda use: (
            use.purpose in ("F", "P")
            or (use.of.is_marketing and use.channel in (Channel.POST, Channel.PHONE))
        ),
        until=lambda use: _only_if(Q(protection=Protection.NONE)),
    ),
    Condition(
        "reachable",
        _("Vi har ingen adress för den vägen."),
        ("RUL-28",),
        asked=lambda use: use.channel in (Channel.EMAIL, Channel.SMS, Channel.PHONE),
        until=lambda use: _only_if(~Q(email="") if use.channel == Channel.EMAIL else ~Q(phone="")),
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


# What a person can mend without answering anew.
WAITED_FOR = {"reachable", "not_restricted"}


@dataclass(frozen=True)
class Decision:
    """May we, with every reason."""

    use: Use
    opens: date
    closes: date
    basis: Basis
    # What the database said of each condition that differs between people, the first days before
    # the last days; None for somebody it does not know.
    dates: tuple[date, ...] | None

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Every condition; put together only when somebody asks why."""
        if self.dates is None:
            return (
                Answer("known", _("Vi har inga uppgifter om personen."), ("LAW-01",), FAR, NEVER),
            )
        compiled = _compiled(self.use)
        said = dict(zip((*compiled.since, *compiled.until), self.dates, strict=True))
        return tuple(
            Answer(
                c.name,
                c.reason,
                c.rules,
                said.get(f"{c.name}_since", NEVER),
                said.get(f"{c.name}_until", FAR),
            )
            for c in conditions_for(self.use)
        )

    def allowed(self, on: date) -> bool:
        return self.opens <= on <= self.closes

    def changes_on(self, on: date) -> date | None:
        """Return the next day after `on` when the answer changes by itself; None if it never does.

        The stretch is unbroken, so it can only begin, or end the day after its last day.
        """
        if on < self.opens <= self.closes and self.opens < FAR:
            return self.opens
        if self.allowed(on) and self.closes < FAR:
            return self.closes + timedelta(days=1)
        return None

    def refusals(self, on: date) -> list[Answer]:
        return [answer for answer in self.answers if not answer.holds(on)]

    def answered_yes(self, on: date) -> bool:
        """Say whether the answer is yes, even where it waits for a number or an own limitation."""
        return {answer.name for answer in self.refusals(on)} <= WAITED_FOR


class GateQuerySet(QuerySet[Customer]):
    """Customers with the gate's dates for one use beside them."""

    def processable(self, use: Use, on: date) -> "GateQuerySet":
        return self.filter(Q(gate_opens__lte=on) & Q(gate_closes__gte=on))


def gate(use: Use) -> GateQuerySet:
    """Return all customers with the two dates of a use and those of each condition."""
    asked = conditions_for(use)
    found: Any = GateQuerySet(Customer)
    found = found.annotate(
        record=FilteredRelation(
            "processing_records", condition=Q(processing_records__purpose=use.purpose)
        )
    )
    if _has_choice(use):
        found = found.annotate(
            standing=FilteredRelation(
                "standings",
                condition=Q(
                    standings__purpose=use.purpose,
                    standings__channel=use.channel,
                    standings__third_party=use.third_party,
                ),
            )
        )
    columns: dict[str, Any] = {}
    for condition in asked:
        columns[f"{condition.name}_since"] = condition.since(use)
        columns[f"{condition.name}_until"] = condition.until(use)
    held = Coalesce(F("standing__permission"), Value(Held.NONE.value))
    none = Value(Held.NONE.value, output_field=CharField())
    return found.annotate(  # type: ignore[no-any-return]
        **columns,
        held=held if _has_choice(use) else none,
        gate_opens=Greatest(ALWAYS, *(c.since(use) for c in asked)),
        gate_closes=Least(OPEN, *(c.until(use) for c in asked)),
    )


@dataclass(frozen=True)
class _Compiled:
    """The gate's SQL for one use, with room for a key; compiling anew costs ten times the query."""

    one: str
    many: str
    # The columns that differ between people; the others need not be fetched.
    since: tuple[str, ...]
    until: tuple[str, ...]

    def decision(self, use: Use, held: str, dates: tuple[date, ...]) -> Decision:
        """Intersect the stretches of one person."""
        opens, closes = max(dates[: len(self.since)]), min(dates[len(self.since) :])
        basis = Basis.CONSENT if held == Held.CONSENT else use.of.basis
        return Decision(use, opens, closes, basis, dates)


_NOBODY = 9000000000000000001


@lru_cache(maxsize=1024)
def _compiled(use: Use) -> _Compiled:
    asked = conditions_for(use)
    since = tuple(f"{c.name}_since" for c in asked if c.since(use) is not ALWAYS)
    until = tuple(f"{c.name}_until" for c in asked if c.until(use) is not OPEN)
    found = gate(use).filter(pk=_NOBODY).order_by()
    query = found.values_list("pk", "held", *since, *until).query
    operations: Any = connection.ops
    sql = operations.compose_sql(*query.sql_with_params()).replace("%", "%%")
    by_key = f'"customers_customer"."id" = {_NOBODY}'
    if sql.count(by_key) != 1:
        raise RuntimeError("The gate's SQL no longer asks for one customer in one place.")
    return _Compiled(
        one=sql.replace(by_key, '"customers_customer"."id" = %s'),
        many=sql.replace(by_key, '"customers_customer"."id" = ANY(%s)'),
        since=since,
        until=until,
    )


def _unknown(use: Use) -> Decision:
    return Decision(use, FAR, NEVER, use.of.basis, None)


def may_process(customer_id: int, use: Use) -> Decision:
    """Decide for one person; an unknown one is refused."""
    compiled = _compiled(use)
    with connection.cursor() as cursor:
        cursor.execute(compiled.one, [customer_id])
        row = cursor.fetchone()
    return compiled.decision(use, row[1], row[2:]) if row else _unknown(use)


def may_process_many(customer_ids: Sequence[int], use: Use) -> dict[int, Decision]:
    """Decide for many people in one statement; ids without a row come back as refusals."""
    compiled = _compiled(use)
    decisions = dict.fromkeys(customer_ids, _unknown(use))
    with connection.cursor() as cursor:
        cursor.execute(compiled.many, [list(customer_ids)])
        for row in cursor:
            decisions[row[0]] = compiled.decision(use, row[1], row[2:])
    return decisions


def may_process_all(customer_id: int, uses: Sequence[Use]) -> dict[Use, Decision]:
    """Decide about many uses of one person's data in one statement."""
    if not uses:
        return {}
    parts = []
    for number, use in enumerate(uses):
        compiled = _compiled(use)
        dates = ", ".join(f'g."{column}"' for column in (*compiled.since, *compiled.until))
        parts.append(f"SELECT {number}, g.held, ARRAY[{dates}]::date[] FROM ({compiled.one}) AS g")
    decisions = {use: _unknown(use) for use in uses}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), [customer_id] * len(uses))
        for number, held, found in cursor:
            use = uses[number]
            decisions[use] = _compiled(use).decision(use, held, tuple(found))
    return decisions


def audience(use: Use, on: date) -> Iterator[int]:
    """Stream the keys of everyone whose data may be used so on that day, in constant memory."""
    found = gate(use).processable(use, on).order_by().values_list("pk", flat=True)
    return found.iterator(chunk_size=5000)


def left_out(use: Use, on: date) -> dict[str, int]:
    """Count the people outside the audience by the first condition that refuses, in one statement.

    Conditions come in the order they are told; those that leave nobody out are not named.
    """
    first = []
    for condition in conditions_for(use):
        refuses = Q()
        if condition.since(use) is not ALWAYS:
            refuses |= Q(**{f"{condition.name}_since__gt": on})
        if condition.until(use) is not OPEN:
            refuses |= Q(**{f"{condition.name}_until__lt": on})
        first.append(When(refuses, then=Value(condition.name)))
    found = gate(use).annotate(refused_by=Case(*first, output_field=CharField())).order_by()
    counted = dict(found.values_list("refused_by").annotate(people=Count("pk")))
    return {c.name: counted[c.name] for c in conditions_for(use) if c.name in counted}
