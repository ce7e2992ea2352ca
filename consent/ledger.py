"""The ledger is written here and nowhere else but in an import: one act, one call.

The database keeps the call as a function (`consent.functions`): it locks the person, appends the
entry, its personal words and the standings that it changes, and refreshes the processing records
where a last day moves. `consent.standing` says in Python what becomes of a standing, and the tests
replay every ledger they make to hold the two together.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from consent.functions import FAR_DAY, NAMED
from consent.models import Authority, Event, Notice
from consent.onward import TOLD, tell_of_entry
from consent.standing import KEPT_YEARS, REFUSALS, applies_to, limits_of, stops
from customers.dates import add_years, stockholm_date
from customers.models import Customer, User
from customers.models.people import Restriction

Kind = Event.Kind
AT_A_TIME = 5000

CALL = """
    SELECT entry, written_as, notice FROM consent_append(
        %(customer)s, %(at)s, %(day)s, %(kind)s, %(purpose)s, %(channel)s, %(third_party)s,
        %(ground)s, %(notice)s, %(in_force)s, %(collected)s, %(authority)s, %(evidence)s, %(salt)s,
        %(evidence_hash)s, %(actor)s, %(purposes)s::text[], %(channels)s::text[],
        %(parties)s::text[], %(refused)s, %(reaches_partners)s)
"""


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
    Customer.DoesNotExist, and InternalError where no wording is in force.
    """
    at = at or timezone.now()
    salt = secrets.token_bytes(16) if evidence else b""
    hashed = hashlib.sha256(salt + evidence.encode()).digest() if evidence else b""
    kind, channel = str(kind), str(channel)
    purposes, channels, parties = _uses(kind, purpose, channel, third_party)
    refused = kind in REFUSALS
    values = {
        "customer": customer.pk,
        "at": at,
        "day": stockholm_date(at),
        "kind": kind,
        "purpose": purpose,
        "channel": channel,
        "third_party": third_party,
        "ground": str(ground),
        "notice": notice.pk if notice else None,
        "in_force": in_force,
        "collected": str(collected),
        "authority": int(authority),
        "evidence": evidence,
        "salt": salt,
        "evidence_hash": hashed,
        "actor": actor.pk if actor else None,
        "purposes": purposes,
        "channels": channels,
        "parties": parties,
        "refused": refused,
        "reaches_partners": refused and not third_party and purpose in ("", *NAMED),
    }
    # A no to ourselves alone concerns nobody else, and needs no second trip.
    tells = kind in TOLD and (not refused or purpose in ("", *NAMED))
    with transaction.atomic() if tells else nullcontext():
        row = _call(values)
        if row is None:
            raise Customer.DoesNotExist(f"There is no customer {customer.pk}.")
        if kind in (Kind.RESTRICTED, Kind.UNRESTRICTED):
            _restrict(customer, kind, ground, authority)
        number, written_as, notice_id = row
        entry = Event(
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
        if tells:
            tell_of_entry(customer, entry)
    return entry


# Entries whose words have no last day though nothing rests on them.
LEFT = f"""
    SELECT e.subject, d.event_id
      FROM customers_customer c
      JOIN consent_event e ON e.subject = c.pseudonym AND e.kind <> '{Kind.NOTICE_SERVED}'
      JOIN consent_eventdetail d ON d.event_id = e.id AND d.retain_until = {FAR_DAY}
     WHERE c.id = ANY(%s)
       AND NOT EXISTS (SELECT FROM consent_standing s
                        WHERE s.customer_id = c.id AND s.event_id = d.event_id)
"""
LET_GO = """
    UPDATE consent_eventdetail d SET retain_until = x.until
      FROM unnest(%s::bigint[], %s::date[]) AS x (event_id, until)
     WHERE d.event_id = x.event_id
"""


def let_go(customer_ids: Sequence[int]) -> int:
    """Give the words that nothing rests on any more their last day, after a bulk load (RUL-27).

    An act by itself does so in its one call. Returns how many got one.
    """
    until: dict[int, date] = {}
    for start in range(0, len(customer_ids), AT_A_TIME):
        with connection.cursor() as cursor:
            cursor.execute(LEFT, [list(customer_ids[start : start + AT_A_TIME])])
            left = cursor.fetchall()
        entries = {entry for _, entry in left}
        said = Event.objects.filter(customer_id__in={subject for subject, _ in left})
        for _, events in groupby(said.order_by("customer_id", "pk"), attrgetter("customer_id")):
            stopped = stops(events)
            until |= {n: add_years(d, KEPT_YEARS) for n, d in stopped.items() if n in entries}
    if until:
        with connection.cursor() as cursor:
            cursor.execute(LET_GO, [list(until), list(until.values())])
    return len(until)


def _call(values: Mapping[str, Any]) -> tuple[int, str, int | None] | None:
    with connection.cursor() as cursor:
        cursor.execute(CALL, values)
        row: tuple[int, str, int | None] | None = cursor.fetchone()
    return row


@lru_cache(maxsize=1024)
def _uses(
    kind: str, purpose: str, channel: str, third_party: str
) -> tuple[list[str], list[str], list[str]]:
    """Return the uses an entry speaks of, as three lists of one length."""
    said = Event(kind=kind, purpose=purpose, channel=channel, third_party=third_party)
    uses = list(applies_to(said))
    return (
        [use.purpose for use in uses],
        [use.channel for use in uses],
        [use.third_party for use in uses],
    )


def _restrict(customer: Customer, kind: str, ground: str, authority: int) -> None:
    """Bring the person's restriction up to the entry just written; the row is locked already.

    The person's word moves their own limit only, and ours only what the law has set (RES-03).
    """
    customer.refresh_from_db(fields=["restriction"])
    own = Restriction.VOLUNTARY
    of_their_own = ground == own if kind == Kind.RESTRICTED else authority == Authority.PERSON
    if of_their_own and customer.restriction not in (Restriction.NONE, own):
        return
    if kind == Kind.UNRESTRICTED and not of_their_own and customer.restriction == own:
        return
    customer.restriction = next(reversed(limits_of(customer)), Restriction.NONE.value)
    customer.save(update_fields=["restriction"])
