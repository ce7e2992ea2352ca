"""The ledger is written here and nowhere else but in an import: one act, one statement.

The statement locks the person, appends the entry, its personal words and the standings that the
entry changes. `consent.standing` says in Python what it does, and every test replays the ledger to
hold the two together.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db import connection, transaction
from django.utils import timezone

from consent import records
from consent.models import Authority, Event, Notice, Standing
from consent.purposes import CATALOGUE
from consent.standing import REFUSALS, applies_to
from customers.dates import FAR, NEVER, stockholm_date
from customers.models import Customer, User
from customers.models.people import Restriction

Kind = Event.Kind
Held = Standing.Permission


@dataclass(frozen=True)
class Effect:
    """What a kind of entry does to a standing: what it writes, and which one gives way to it."""

    first: str  # the new row: permission, declined, opens, closes
    gives_way: str  # of the row `s` that stands already
    change: str = (
        "permission = EXCLUDED.permission, declined = EXCLUDED.declined,"
        " opens = EXCLUDED.opens, closes = EXCLUDED.closes"
    )


_far, _never = f"DATE '{FAR.isoformat()}'", f"DATE '{NEVER.isoformat()}'"
_OPEN = "'{}', FALSE, %(day)s, " + _far
_NO = Effect(
    first=f"'{Held.NONE}', TRUE, {_far}, {_never}",
    gives_way="NOT s.declined",
    # The day itself still counts for storage (RUL-34); the refusal acts at once.
    change=f"declined = TRUE, closes = CASE s.closes WHEN {_far} THEN %(day)s ELSE {_never} END",
)
EFFECTS = {
    # A yes without proof counts as none (CON-02); what needs no yes opens all the same.
    Kind.NOTICE_SERVED: Effect(
        first=_OPEN.format(Held.OPT_OUT),
        gives_way=f"s.permission = '{Held.NONE}' AND NOT s.declined",
    ),
    Kind.UNPROVEN: Effect(
        first=f"'{Held.NONE}', FALSE, {_far}, {_never}",
        gives_way="FALSE",
    ),
    Kind.SOFT_OPT_IN: Effect(
        first=_OPEN.format(Held.SOFT),
        gives_way=f"NOT s.declined AND s.permission <> '{Held.CONSENT}'",
    ),
    # A refusal falls only to the person's own yes, given that day or later (OBJ-06).
    Kind.CONSENT_GIVEN: Effect(
        first=_OPEN.format(Held.CONSENT),
        gives_way=f"NOT s.declined OR (%(authority)s = {Authority.PERSON} AND s.since <= %(day)s)",
    ),
    **dict.fromkeys(REFUSALS, _NO),
}

# RUL-30: a no that names no company reaches every one that had a yes.
_NAMED = ", ".join(f"'{p.code}'" for p in CATALOGUE if p.named_third_party)
_PARTNERS = f"""
    UNION SELECT n.purpose, n.channel, n.third_party
      FROM consent_standing n
     WHERE n.customer_id = %(customer)s AND n.purpose IN ({_NAMED})
       AND %(purpose)s IN ('', n.purpose) AND %(channel)s IN ('', n.channel)
"""

# A statement of its own, so that the next one sees what was written while this one waited.
LOCK = "SELECT restriction FROM customers_customer WHERE id = %(customer)s FOR NO KEY UPDATE"

APPEND = """
    WITH entry AS (
        INSERT INTO consent_event (at, subject, kind, purpose, channel, third_party, ground,
                                   notice_id, collected, authority, evidence_hash)
        SELECT %(at)s, c.pseudonym, %(kind)s, %(purpose)s, %(channel)s, %(third_party)s,
               %(ground)s, %(notice)s, %(collected)s, %(authority)s, %(evidence_hash)s
          FROM customers_customer c WHERE c.id = %(customer)s
        RETURNING id
    ){words}{standings}
"""
WORDS = """, words AS (
        INSERT INTO consent_eventdetail (event_id, evidence, evidence_salt, actor_id)
        SELECT id, %(evidence)s, %(salt)s, %(actor)s FROM entry
    )"""
# What the records rest on: of each purpose the latest day that any of its channels is open, and for
# whoever is not in relation also when something was last said. Rows come back with the old day and
# the new one; a purpose that another channel holds open has not moved.
STANDINGS = """, spoken AS (
        SELECT * FROM ({uses}) AS uses (purpose, channel, third_party) {partners}
    ), stands AS (
        INSERT INTO consent_standing AS s (customer_id, purpose, channel, third_party, permission,
                                           declined, opens, closes, since, authority, event_id)
        SELECT %(customer)s, u.purpose, u.channel, u.third_party, {first}, %(day)s, %(authority)s,
               entry.id
          FROM spoken u CROSS JOIN entry
            ON CONFLICT (customer_id, purpose, channel, third_party) DO UPDATE
           SET {change}, since = EXCLUDED.since, authority = EXCLUDED.authority,
               event_id = EXCLUDED.event_id
         WHERE ({gives_way})
           AND (s.permission, s.declined, s.opens, s.closes, s.since, s.authority)
               IS DISTINCT FROM ({after_change}, EXCLUDED.since, EXCLUDED.authority)
        RETURNING s.purpose, s.channel, s.third_party, old.closes AS before, s.closes AS after
    )
    SELECT entry.id, EXISTS (
               SELECT FROM stands c
                WHERE c.before IS DISTINCT FROM c.after
                  AND NOT EXISTS (SELECT FROM consent_standing o
                                   WHERE o.customer_id = %(customer)s AND o.purpose = c.purpose
                                     AND o.closes = {far}
                                     AND (o.channel, o.third_party)
                                         NOT IN (SELECT m.channel, m.third_party FROM stands m
                                                  WHERE m.purpose = c.purpose)))
           OR (EXISTS (SELECT FROM stands) AND NOT EXISTS (
               SELECT FROM consent_processingrecord r
                WHERE r.customer_id = %(customer)s AND r.purpose = 'R' AND r.retain_until = {far}))
      FROM entry
"""


@lru_cache(maxsize=1024)
def _statement(kind: str, purpose: str, channel: str, *, named: bool, detailed: bool) -> str:
    words = WORDS if detailed else ""
    if kind not in EFFECTS:
        return APPEND.format(words=words, standings=" SELECT id, FALSE FROM entry")
    effect = EFFECTS[Kind(kind)]
    reached = kind in REFUSALS and not named
    third_party = "named" if named else ""
    said = Event(kind=kind, purpose=purpose, channel=channel, third_party=third_party)
    uses = " UNION ALL ".join(
        f"SELECT '{use.purpose}', '{use.channel}', "
        + ("%(third_party)s" if use.third_party else "''")
        for use in applies_to(said)
    )
    refused = "permission" not in effect.change
    after_change = (
        "s.permission, TRUE, s.opens, s.closes"
        if refused
        else "EXCLUDED.permission, EXCLUDED.declined, EXCLUDED.opens, EXCLUDED.closes"
    )
    standings = STANDINGS.format(
        uses=uses or "SELECT '', '', '' WHERE FALSE",
        partners=_PARTNERS if reached else "",
        first=effect.first,
        change=effect.change,
        gives_way=effect.gives_way,
        after_change=after_change,
        far=_far,
    )
    return APPEND.format(words=words, standings=standings)


@transaction.atomic
def append(
    customer: Customer,
    kind: str,
    *,
    collected: str,
    authority: int,
    purpose: str = "",
    channel: str = "",
    third_party: str = "",
    ground: str = "",
    notice: Notice | None = None,
    evidence: str = "",
    actor: User | None = None,
    at: datetime | None = None,
) -> Event:
    """Write one ledger entry, the standings it changes and the records that follow.

    Who may say what is for `consent.actions`; this refuses nothing but what the database does.
    Raises Customer.DoesNotExist.
    """
    event = Event(
        customer=customer,
        kind=kind,
        purpose=purpose,
        channel=channel,
        third_party=third_party,
        ground=ground,
        notice=notice,
        collected=collected,
        authority=authority,
        at=at or timezone.now(),
    )
    salt = secrets.token_bytes(16) if evidence else b""
    if evidence:
        event.evidence_hash = hashlib.sha256(salt + evidence.encode()).digest()
    detailed = bool(evidence or actor)
    values = {
        "customer": customer.pk,
        "kind": str(kind),
        "purpose": purpose,
        "channel": str(channel),
        "third_party": third_party,
        "ground": str(ground),
        "notice": notice.pk if notice else None,
        "collected": str(collected),
        "authority": int(authority),
        "at": event.at,
        "day": stockholm_date(event.at),
        "evidence": evidence,
        "salt": salt,
        "evidence_hash": event.evidence_hash,
        "actor": actor.pk if actor else None,
    }
    said = _statement(str(kind), purpose, str(channel), named=bool(third_party), detailed=detailed)
    with connection.cursor() as cursor:
        cursor.execute(f"{LOCK}; {said}", values)
        row = cursor.fetchone()
    if row is None:
        raise Customer.DoesNotExist(f"There is no customer {customer.pk}.")
    event.pk, records_moved = row
    event._state.adding = False
    if kind in (Kind.RESTRICTED, Kind.UNRESTRICTED):
        _restrict(customer, kind, ground)
    if records_moved:
        records.refresh([customer.pk])
    return event


def _restrict(customer: Customer, kind: str, ground: str) -> None:
    """Bring the person's restriction up to the entry just written; the row is locked already."""
    customer.refresh_from_db(fields=["restriction"])
    if kind == Kind.UNRESTRICTED:
        after = Restriction.NONE.value
    elif customer.restriction and ground == Restriction.VOLUNTARY:
        return
    else:
        after = ground
    customer.restriction = after
    customer.save(update_fields=["restriction"])
