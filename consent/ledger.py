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
    # What that one becomes, column by column.
    permission: str = "EXCLUDED.permission"
    declined: str = "EXCLUDED.declined"
    opens: str = "EXCLUDED.opens"
    closes: str = "EXCLUDED.closes"

    @property
    def after_change(self) -> str:
        return f"{self.permission}, {self.declined}, {self.opens}, {self.closes}"

    @property
    def change(self) -> str:
        return f"(permission, declined, opens, closes) = ROW ({self.after_change})"


_far, _never = f"DATE '{FAR.isoformat()}'", f"DATE '{NEVER.isoformat()}'"
_OPEN = "'{}', FALSE, %(day)s, " + _far
_NO = Effect(
    first=f"'{Held.NONE}', TRUE, {_far}, {_never}",
    gives_way="NOT s.declined",
    permission="s.permission",
    opens="s.opens",
    # The day itself still counts for storage (RUL-34); the refusal acts at once.
    closes=f"CASE s.closes WHEN {_far} THEN %(day)s ELSE {_never} END",
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
NAMED = tuple(p.code for p in CATALOGUE if p.named_third_party)
PARTNERS = f"""
    UNION SELECT n.purpose, n.channel, n.third_party
      FROM consent_standing n
     WHERE n.customer_id = %(customer)s AND n.purpose IN ({", ".join(map(repr, NAMED))})
       AND %(purpose)s IN ('', n.purpose) AND %(channel)s IN ('', n.channel)
"""

# A statement of its own, so that the next one sees what was written while this one waited.
LOCK = "SELECT FROM customers_customer WHERE id = %(customer)s FOR NO KEY UPDATE"

APPEND = """
    WITH entry AS (
        INSERT INTO consent_event (at, subject, kind, purpose, channel, third_party, ground,
                                   notice_id, collected, authority, evidence_hash)
        SELECT %(at)s, c.pseudonym, {kind}, %(purpose)s, %(channel)s, %(third_party)s,
               %(ground)s, {notice}, %(collected)s, %(authority)s, %(evidence_hash)s
          FROM customers_customer c WHERE c.id = %(customer)s
        RETURNING id, kind, notice_id
    ){words}{standings}
      FROM entry
"""
# The wording in force, where the act does not bring one (CON-02).
IN_FORCE = """(
            SELECT n.id FROM consent_notice n JOIN consent_policyversion v
                ON v.id = n.policy_version_id
             WHERE n.collected = %(collected)s
               AND n.language = COALESCE(NULLIF(c.language, ''), 'sv')
             ORDER BY v.effective_on DESC, v.id DESC LIMIT 1)"""
# A no to what the person had said yes to takes the yes back (CON-03).
NO_OR_BACK = f"""CASE WHEN EXISTS (
            SELECT FROM consent_standing y
             WHERE y.customer_id = c.id AND y.purpose = %(purpose)s AND y.channel = %(channel)s
               AND y.third_party = %(third_party)s AND y.permission = '{Held.CONSENT}'
               AND NOT y.declined)
            THEN '{Kind.CONSENT_WITHDRAWN}' ELSE '{Kind.OBJECTED}' END"""
WORDS = """, words AS (
        INSERT INTO consent_eventdetail (event_id, evidence, evidence_salt, actor_id)
        SELECT id, %(evidence)s, %(salt)s, %(actor)s FROM entry
    )"""
STANDINGS = """, stands AS (
        INSERT INTO consent_standing AS s (customer_id, purpose, channel, third_party, permission,
                                           declined, opens, closes, since, authority, event_id)
        SELECT %(customer)s, u.purpose, u.channel, u.third_party, {first}, %(day)s, %(authority)s,
               entry.id
          FROM ({uses}) AS u (purpose, channel, third_party) CROSS JOIN entry
            ON CONFLICT (customer_id, purpose, channel, third_party) DO UPDATE
           SET {change}, since = EXCLUDED.since, authority = EXCLUDED.authority,
               event_id = EXCLUDED.event_id
         WHERE ({gives_way})
           AND (s.permission, s.declined, s.opens, s.closes, s.since, s.authority)
               IS DISTINCT FROM ({after_change}, EXCLUDED.since, EXCLUDED.authority)
        RETURNING s.purpose, old.closes AS before, s.closes AS after
    )
    SELECT id, kind, notice_id, (SELECT json_agg(stands) FROM stands),
           (SELECT retain_until FROM consent_processingrecord
             WHERE customer_id = %(customer)s AND purpose = 'R')
"""
NO_STANDINGS = " SELECT id, kind, notice_id, NULL, NULL"


@lru_cache(maxsize=1024)
def _statement(
    kind: str, purpose: str, channel: str, *, named: bool, detailed: bool, in_force: bool
) -> str:
    """Return the statement of an act; the words of the catalogue stand in it, values do not."""
    parts = {
        "kind": NO_OR_BACK if kind == Kind.OBJECTED and channel else "%(kind)s",
        "notice": IN_FORCE if in_force else "%(notice)s",
        "words": WORDS if detailed else "",
        "standings": NO_STANDINGS,
    }
    if kind in EFFECTS:
        effect = EFFECTS[Kind(kind)]
        said = Event(
            kind=kind, purpose=purpose, channel=channel, third_party="named" if named else ""
        )
        uses = " UNION ALL ".join(
            f"SELECT '{use.purpose}', '{use.channel}', "
            + ("%(third_party)s" if use.third_party else "''")
            for use in applies_to(said)
        )
        reaches_partners = kind in REFUSALS and not named and purpose in ("", *NAMED)
        parts["standings"] = STANDINGS.format(
            uses=(uses or "SELECT '', '', '' WHERE FALSE") + (PARTNERS if reaches_partners else ""),
            first=effect.first,
            change=effect.change,
            gives_way=effect.gives_way,
            after_change=effect.after_change,
        )
    return APPEND.format(**parts)


@transaction.atomic(savepoint=False)
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
    in_force: bool = False,
    evidence: str = "",
    actor: User | None = None,
    at: datetime | None = None,
) -> Event:
    """Write one ledger entry, the standings it changes and the records that follow.

    `in_force` takes the wording in force for the way of collecting and the person's language. Who
    may say what is for `consent.actions`; this refuses nothing but what the database does. Raises
    Customer.DoesNotExist and Notice.DoesNotExist.
    """
    at = at or timezone.now()
    salt = secrets.token_bytes(16) if evidence else b""
    hashed = hashlib.sha256(salt + evidence.encode()).digest() if evidence else b""
    statement = _statement(
        str(kind),
        purpose,
        str(channel),
        named=bool(third_party),
        detailed=bool(evidence or actor),
        in_force=in_force,
    )
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
        "at": at,
        "day": stockholm_date(at),
        "evidence": evidence,
        "salt": salt,
        "evidence_hash": hashed,
        "actor": actor.pk if actor else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(f"{LOCK}; {statement}", values)
        row = cursor.fetchone()
    if row is None:
        raise Customer.DoesNotExist(f"There is no customer {customer.pk}.")
    number, written_as, notice_id, stands, proof_until = row
    if in_force and notice_id is None:
        raise Notice.DoesNotExist(f"There is no wording in force for {collected}.")
    if kind in (Kind.RESTRICTED, Kind.UNRESTRICTED):
        _restrict(customer, kind, ground)
    if stands and (proof_until != FAR or _an_end_moved(customer, stands)):
        records.refresh([customer.pk])
    return Event(
        pk=number,
        at=at,
        customer=customer,
        kind=written_as,
        purpose=purpose,
        channel=channel,
        third_party=third_party,
        ground=ground,
        notice_id=notice_id,
        collected=collected,
        authority=authority,
        evidence_hash=hashed,
    )


OPEN_CHANNELS = """
    SELECT purpose, count(*) FROM consent_standing
     WHERE customer_id = %s AND purpose = ANY(%s) AND closes = %s GROUP BY purpose
"""


def _an_end_moved(customer: Customer, stands: list[dict[str, str | None]]) -> bool:
    """Say whether a last day of the records moves with these standings.

    A record lasts as long as the last of its purpose's channels, so one more or less beside an
    open one moves nothing; and whoever is in relation has proof kept without an end.
    """
    moved = [s for s in stands if s["before"] != s["after"]]
    if not moved:
        return False
    with connection.cursor() as cursor:
        cursor.execute(OPEN_CHANNELS, [customer.pk, [s["purpose"] for s in moved], FAR])
        is_open = dict(cursor.fetchall())
    far = FAR.isoformat()
    for purpose in {s["purpose"] for s in moved}:
        mine = [s for s in moved if s["purpose"] == purpose]
        opened = sum(s["after"] == far for s in mine)
        closed = sum(s["before"] == far for s in mine)
        now_open = is_open.get(purpose, 0)
        if not now_open or now_open - opened + closed == 0:
            return True
    return False


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
