"""Article 19: who has a person's data from us is told when it is corrected, erased or restricted.

One statement writes the notices and their messages, in the transaction of the act itself. A message
is bare until it leaves: its words are put together from the notice then (`recipient_words`), so
that nothing but the notice knows whom it is about, and the notice forgets it once it is closed.
"""

import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from consent.models import Event
from consent.standing import REFUSALS
from customers.dates import stockholm_date, today
from customers.models import Change, Customer, User
from customers.models.people import Restriction
from customers.personal_data import mask
from customers.words import listed
from disclosures.actions import RELAY, queue_bare, queue_mail
from disclosures.bell import ring_on_commit
from disclosures.handing import FIELDS
from disclosures.models import RecipientNotice
from disclosures.recipient_words import SUBJECT, TEMPLATE

log = logging.getLogger(__name__)

Act = RecipientNotice.Act
GIVEN_UP = (RecipientNotice.Outcome.IMPOSSIBLE, RecipientNotice.Outcome.DISPROPORTIONATE)
# A week, then two more, and from then on the data protection officer hears of it as well.
FIRST_CHASE, NEXT_CHASE = timedelta(days=7), timedelta(days=14)
ALONE = 2  # times it is sent before the officer hears of it
BATCH = 500
ESCALATION = "recipient_notices_open"

# One notice per person and recipient, with its message; none where the same waits to be sent.
NOTIFY = """
    WITH told AS (
        SELECT DISTINCT d.subject, d.recipient_id
          FROM disclosures_disclosure d
         WHERE d.subject = ANY(%(subjects)s::uuid[])
           AND (%(categories)s = 0 OR (d.categories & %(categories)s) <> 0)
           AND (%(fields)s::varchar[] = '{}' OR d.fields && %(fields)s::varchar[])
           AND (%(channel)s = '' OR d.channel = %(channel)s)
    ), written AS (
        INSERT INTO disclosures_recipientnotice
               (id, subject, reference, recipient_id, act, categories, channel, created_at,
                attempts, next_chase_on, message_id, outcome, reason)
        SELECT gen_random_uuid(), c.pseudonym, c.number, r.id, %(act)s, %(categories)s,
               %(channel)s, %(at)s, 1, %(chase_on)s, gen_random_uuid(), '', ''
          FROM told
          JOIN customers_customer c ON c.pseudonym = told.subject
          JOIN disclosures_recipient r ON r.id = told.recipient_id
         WHERE (%(act)s <> 'declined' OR r.kind = 'partner')
           AND (%(third_party)s = '' OR r.name = %(third_party)s)
           AND NOT EXISTS (
               SELECT FROM disclosures_recipientnotice n
                WHERE n.subject = told.subject AND n.recipient_id = told.recipient_id
                  AND n.act = %(act)s AND n.categories = %(categories)s
                  AND n.channel = %(channel)s
                  AND n.sent_at IS NULL AND n.closed_at IS NULL)
        RETURNING message_id, recipient_id
    )
    INSERT INTO disclosures_outbox
           (id, kind, purpose, template, recipient, subject, body, language, status, attempts,
            available_at, created_at)
    SELECT message_id, 'mail', 'R', %(template)s, r.email, %(subject)s, '', 'sv', 'queued', 0,
           %(at)s, %(at)s
      FROM written JOIN disclosures_recipient r ON r.id = written.recipient_id
"""


class ClosedError(ValueError):
    """The notice is closed already, or what is said of it is not enough."""


def notify(
    customer: Customer,
    act: str,
    categories: int = 0,
    *,
    fields: Iterable[str] = (),
    channel: str = "",
    third_party: str = "",
    at: datetime | None = None,
) -> int:
    """Tell every recipient who has got this person's data of an act; return how many are told.

    In the caller's transaction, and while the person's row has its number. `act` is a
    RecipientNotice.Act. It reaches those who have got any of `fields`, or of the kinds in the mask
    `categories`; everybody when both are empty. `third_party` and `channel` narrow a no.
    """
    return notify_all(
        [customer.pseudonym],
        act,
        categories,
        fields=fields,
        channel=channel,
        third_party=third_party,
        at=at,
    )


def notify_all(
    pseudonyms: Iterable[uuid.UUID],
    act: str,
    categories: int = 0,
    *,
    fields: Iterable[str] = (),
    channel: str = "",
    third_party: str = "",
    at: datetime | None = None,
) -> int:
    """Tell the recipients of many people in one statement; like `notify`."""
    at = at or timezone.now()
    names = list(fields)
    with connection.cursor() as cursor:
        cursor.execute(
            NOTIFY,
            {
                "subjects": list(pseudonyms),
                "act": str(act),
                "categories": int(categories) or _kinds(names),
                "fields": names,
                "channel": channel,
                "third_party": third_party,
                "at": at,
                "chase_on": stockholm_date(at) + FIRST_CHASE,
                "template": TEMPLATE,
                "subject": SUBJECT,
            },
        )
        told: int = cursor.rowcount
    if told:
        ring_on_commit(RELAY)
    return told


def _kinds(fields: Iterable[str]) -> int:
    """Return the mask of the kinds of data that fields are of."""
    return mask(*{kind for kind, names in FIELDS.items() if set(fields) & set(names)})


def of_changes(customer: Customer, changes: Sequence[Change]) -> None:
    """Tell those who have a detail that was corrected (REC-01); called by `consent.facts`."""
    notify(customer, Act.RECTIFIED, fields=sorted({change.field for change in changes}))


def of_entry(customer: Customer, entry: Event) -> None:
    """Tell those whom an entry of the ledger concerns; called by `consent.ledger` (PAR-01)."""
    if entry.kind == Event.Kind.RESTRICTED:
        notify(customer, Act.RESTRICTED)
    elif entry.kind == Event.Kind.UNRESTRICTED:
        if customer.restriction == Restriction.NONE:  # or another limit stands beneath it
            notify(customer, Act.UNRESTRICTED)
    elif entry.kind in REFUSALS and entry.purpose in ("", "P"):
        notify(
            customer,
            Act.DECLINED,
            channel=entry.channel,
            third_party=entry.third_party,
        )


@transaction.atomic
def acknowledge(notice_id: uuid.UUID, how: str, *, actor: User) -> RecipientNotice:
    """Note that a recipient has said it is done, and how we know; raises ClosedError."""
    return _close(notice_id, RecipientNotice.Outcome.ACKNOWLEDGED, how, actor)


@transaction.atomic
def give_up(notice_id: uuid.UUID, outcome: str, why: str, *, actor: User) -> RecipientNotice:
    """Decide that a recipient cannot be told, or only at a wholly unreasonable cost (NOT-01).

    A named human says so with reasons; raises ClosedError.
    """
    if outcome not in GIVEN_UP:
        raise ClosedError(_("Välj varför beskedet inte kan lämnas."))
    return _close(notice_id, outcome, why, actor)


def _close(notice_id: uuid.UUID, outcome: str, reason: str, actor: User) -> RecipientNotice:
    notice = RecipientNotice.objects.select_for_update().get(pk=notice_id)
    if notice.closed_at is not None:
        raise ClosedError(_("Beskedet är redan avslutat."))
    if not reason.strip():
        raise ClosedError(_("Skriv hur vi vet det, eller varför det inte går."))
    notice.outcome, notice.reason = outcome, reason.strip()
    notice.closed_at, notice.closed_by = timezone.now(), actor
    notice.reference, notice.next_chase_on = "", None
    notice.save(
        update_fields=[
            *("outcome", "reason", "closed_at", "closed_by", "reference", "next_chase_on")
        ]
    )
    return notice


def chase(on: date | None = None) -> int:
    """Send again what nobody has acknowledged, and tell the officer of it; return how many.

    A week after the first time, two weeks after that, and so on until somebody closes it.
    """
    on = on or today()
    chased = 0
    while sent := _chase_some(on):
        chased += sent
    return chased


@transaction.atomic
def _chase_some(on: date) -> int:
    due = (
        RecipientNotice.objects.open()
        .filter(next_chase_on__lte=on)
        .select_related("recipient")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("next_chase_on", "pk")
    )
    found = list(due[:BATCH])
    late = []
    for notice in found:
        notice.message = queue_bare(notice.recipient.email, TEMPLATE, SUBJECT)
        notice.attempts += 1
        notice.next_chase_on = on + NEXT_CHASE
        if notice.attempts > ALONE:
            notice.escalated_at = notice.escalated_at or timezone.now()
            late.append(notice)
    RecipientNotice.objects.bulk_update(
        found, ["message", "attempts", "next_chase_on", "escalated_at"]
    )
    if late:
        log.error("%d notices to recipients are not acknowledged (NOT-01).", len(late))
        queue_mail(
            settings.CONTROLLER["email"],
            ESCALATION,
            {
                "count": len(late),
                "names": listed(sorted({notice.recipient.name for notice in late})),
                "url": settings.SITE_URL
                + reverse("admin:disclosures_recipientnotice_changelist")
                + "?state=open",
            },
            purpose="R",
            language="sv",
        )
    return len(found)
