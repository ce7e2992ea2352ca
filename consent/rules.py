"""The gate: may we use this person's data for this purpose, by this channel, and until when?

`consent.conditions` says what is asked and `consent.decisions` what is answered. Here it is asked:
about one person, about many, and for everybody it is open to.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    ExpressionWrapper,
    F,
    FilteredRelation,
    Func,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from consent.clauses import ALWAYS, OPEN, Held, has_choice
from consent.conditions import Condition, conditions_for
from consent.decisions import Compiled, Decision
from consent.purposes import Use
from customers.models import Address, Customer
from customers.models.channels import Channel


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


def _relations(use: Use, of: int | None) -> dict[str, FilteredRelation]:
    """Return what the conditions of a use read beside the person; `of` names whose rows there too.

    Beside a list of people the database does not conclude that by itself, and would read all rows.
    """

    def relation(name: str, **condition: Any) -> FilteredRelation:
        whose = {} if of is None else {"customer_id": of}
        asked = {f"{name}__{column}": value for column, value in {**whose, **condition}.items()}
        return FilteredRelation(name, condition=Q(**asked))

    found = {"record": relation("processing_records", purpose=use.purpose)}
    if has_choice(use):
        found["standing"] = relation(
            "standings", purpose=use.purpose, channel=use.channel, third_party=use.third_party
        )
    if use.channel == Channel.POST:
        found["home"] = relation("addresses", kind=Address.Kind.HOME)
    if use.purpose == "C":
        found["relation"] = relation("processing_records", purpose="A")
    return found


def gate(use: Use, *, of: int | None = None) -> GateQuerySet:
    """Return all customers with the two dates of a use and those of each condition."""
    asked = conditions_for(use)
    found: Any = GateQuerySet(Customer).annotate(**_relations(use, of))
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
        **since, **until, **facts, held=held if has_choice(use) else none
    )


_NOBODY = 9000000000000000001


@lru_cache(maxsize=1024)
def compiled(use: Use) -> Compiled:
    names = list(gate(use).query.annotations)
    facts, since, until = (
        tuple(name for name in names if name.endswith(end)) for end in ("_fact", "_since", "_until")
    )
    said = _Packed(*(F(name) for name in (*facts, *since, *until)))
    return Compiled(
        use,
        one=_sql(gate(use), said, "= %s"),
        many=_sql(gate(use, of=_NOBODY), said, "= ANY(%(people)s)"),
        facts=facts,
        since=since,
        until=until,
    )


def _sql(found: Any, said: _Packed, key: str) -> str:
    """Return the statement with room for a key, or for a list of them."""
    asked = found.filter(pk=_NOBODY).order_by().annotate(said=said)
    operations: Any = connection.ops
    sql = operations.compose_sql(*asked.values_list("pk", "held", "said").query.sql_with_params())
    sql, by_nobody = sql.replace("%", "%%"), f"= {_NOBODY}"
    if by_nobody not in sql:
        raise RuntimeError("The gate's SQL no longer asks for customers as it is known to.")
    return str(sql.replace(by_nobody, key))


def may_process(customer_id: int, use: Use) -> Decision:
    """Decide for one person; an unknown one is refused."""
    asked = compiled(use)
    with connection.cursor() as cursor:
        cursor.execute(asked.one, [customer_id])
        row = cursor.fetchone()
    return Decision._make((*row, asked)) if row else _unknown(customer_id, asked)


def _unknown(customer_id: int, asked: Compiled) -> Decision:
    return Decision(customer_id, Held.NONE.value, None, asked)


def may_process_many(customer_ids: Sequence[int], use: Use) -> dict[int, Decision]:
    """Decide for many in one statement; unknown people are refused."""
    asked = compiled(use)
    with connection.cursor() as cursor:
        cursor.execute(asked.many, {"people": list(customer_ids)})
        rows = cursor.fetchall()
    found = {row[0]: Decision._make((*row, asked)) for row in rows}
    for customer_id in set(customer_ids) - found.keys():
        found[customer_id] = _unknown(customer_id, asked)
    return found


def may_process_all(customer_id: int, uses: Sequence[Use]) -> dict[Use, Decision]:
    """Decide about many uses of one person's data in one statement."""
    if not uses:
        return {}
    asked = [compiled(use) for use in uses]
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
