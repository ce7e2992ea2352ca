"""What happens when a person is told, says yes, says no or limits the use of their data.

Each act locks the person, writes its ledger entry, the standings it changes and the processing
records that follow, in one transaction.
"""

import hashlib
import secrets
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from consent import records
from consent.models import Authority, Event, EventDetail, Notice, PolicyVersion, Standing
from consent.purposes import Use, catalogue_hash, chosen_uses
from consent.rules import may_process
from consent.standing import State, after, counts_as_consent, targets
from customers.dates import stockholm_date, today
from customers.models import Customer, User
from customers.models.channels import Collected
from customers.models.people import Restriction

Kind = Event.Kind


class NotAllowedError(Exception):
    """The act is not open to who asks for it; the message says what to do."""


@transaction.atomic
def publish_policy(version: str, effective_on: date, texts: dict[tuple[str, str], str]) -> None:
    """Publish a policy version with its notices, keyed by collection channel and language."""
    policy = PolicyVersion.objects.create(
        version=version, effective_on=effective_on, catalogue_hash=catalogue_hash()
    )
    for (collected, language), text in texts.items():
        Notice.objects.create(
            policy_version=policy,
            collected=collected,
            language=language,
            text=text,
            content_hash=hashlib.sha256(text.encode()).hexdigest(),
        )


def current_notice(collected: str, language: str) -> Notice:
    """Return the wording in force for a channel; raises Notice.DoesNotExist."""
    found = Notice.objects.filter(collected=collected, language=language)
    return found.order_by("-policy_version__effective_on", "-policy_version_id")[:1].get()


@transaction.atomic
def serve_notice(customer: Customer, *, collected: str, at: datetime | None = None) -> Event:
    """Record that the person got the first information and opened what needs no yes (INF-02)."""
    notice = current_notice(collected, customer.language or "sv")
    event = append(
        customer,
        Kind.NOTICE_SERVED,
        collected=collected,
        authority=Authority.SYSTEM,
        notice=notice,
        at=at,
    )
    if customer.noticed_on is None:
        customer.noticed_on = stockholm_date(event.at)
        customer.save(update_fields=["noticed_on"])
    return event


@transaction.atomic
def record_soft_opt_in(customer: Customer, *, collected: str, at: datetime | None = None) -> Event:
    """Record a sale at which the person could decline advertising (MFL-02)."""
    return append(
        customer, Kind.SOFT_OPT_IN, collected=collected, authority=Authority.SYSTEM, at=at
    )


@transaction.atomic
def say_yes(
    customer: Customer,
    use: Use,
    *,
    collected: str = Collected.PORTAL,
    evidence: str = "",
    actor: User | None = None,
    at: datetime | None = None,
) -> Event:
    """Record a person's yes to one use; without proof it is kept as unproven (CON-01, CON-02)."""
    kind = Kind.CONSENT_GIVEN if counts_as_consent(collected, evidence) else Kind.UNPROVEN
    return append(
        customer,
        kind,
        purpose=use.purpose,
        channel=use.channel,
        third_party=use.third_party,
        collected=collected,
        authority=Authority.PERSON,
        notice=current_notice(Collected.PORTAL, customer.language or "sv"),
        evidence=evidence,
        actor=actor,
        at=at,
    )


@transaction.atomic
def say_no(
    customer: Customer,
    use: Use | None = None,
    *,
    collected: str = Collected.PORTAL,
    evidence: str = "",
    actor: User | None = None,
    at: datetime | None = None,
) -> Event:
    """Record a person's no to one use, or to all marketing; it acts at once (OBJ-01, OBJ-02)."""
    withdrawn = (
        use is not None
        and Standing.objects.filter(
            customer=customer,
            purpose=use.purpose,
            channel=use.channel,
            third_party=use.third_party,
            permission=Standing.Permission.CONSENT,
            declined=False,
        ).exists()
    )
    return append(
        customer,
        Kind.CONSENT_WITHDRAWN if withdrawn else Kind.OBJECTED,
        purpose=use.purpose if use else "",
        channel=use.channel if use else "",
        third_party=use.third_party if use else "",
        collected=collected,
        authority=Authority.PERSON,
        evidence=evidence,
        actor=actor,
        at=at,
    )


@transaction.atomic
def choose(customer: Customer, use: Use, *, yes: bool, evidence: str = "") -> Event | None:
    """Record an answer given on Min sida; None when it already stands, so twice is once (B06)."""
    Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
    if yes:
        stands = may_process(customer.pk, use).answered_yes(today())
        return None if stands else say_yes(customer, use, evidence=evidence)
    found = Standing.objects.filter(
        customer=customer,
        purpose=use.purpose,
        channel=use.channel,
        third_party=use.third_party,
        declined=True,
    )
    return None if found.exists() else say_no(customer, use)


@transaction.atomic
def stop_all_marketing(customer: Customer) -> Event | None:
    """Record a no to all marketing; None when everything is already declined (OBJ-02, B06)."""
    Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
    declined = set(
        Standing.objects.filter(customer=customer, declined=True).values_list("purpose", "channel")
    )
    asked = {(use.purpose, use.channel) for use in chosen_uses() if use.of.is_marketing}
    open_to_a_partner = Standing.objects.filter(customer=customer, declined=False).exclude(
        third_party=""
    )
    if asked <= declined and not open_to_a_partner.exists():
        return None
    return say_no(customer)


@transaction.atomic
def restrict(
    customer: Customer,
    ground: str = Restriction.VOLUNTARY,
    *,
    collected: str = Collected.PORTAL,
    at: datetime | None = None,
) -> Event:
    """Limit the use of a person's data (RES-01, RES-03).

    The person's own limit, lifted by them alone, never takes the place of one that asks for notice.
    """
    return append(
        customer,
        Kind.RESTRICTED,
        ground=ground,
        collected=collected,
        authority=Authority.PERSON,
        at=at,
    )


@transaction.atomic
def lift_own_restriction(customer: Customer, *, at: datetime | None = None) -> Event:
    """Let the person lift a limit they set themselves; other grounds ask for notice (RES-05)."""
    if _locked(customer).restriction != Restriction.VOLUNTARY:
        raise NotAllowedError("Only a person's own limitation is lifted without notice.")
    return append(
        customer,
        Kind.UNRESTRICTED,
        collected=Collected.PORTAL,
        authority=Authority.PERSON,
        at=at,
    )


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
    """Write one ledger entry, the standings it changes and the records that follow."""
    locked = _locked(customer)
    salt = secrets.token_bytes(16) if evidence else b""
    event = Event.objects.create(
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
        evidence_hash=hashlib.sha256(salt + evidence.encode()).digest() if evidence else b"",
    )
    if evidence or actor:
        EventDetail.objects.create(event=event, evidence=evidence, evidence_salt=salt, actor=actor)
    if kind in (Kind.RESTRICTED, Kind.UNRESTRICTED):
        customer.restriction = _restriction_after(locked.restriction, kind, ground)
        customer.save(update_fields=["restriction"])
    else:
        _write_standings(customer, event)
    records.refresh([customer.pk])
    return event


def _locked(customer: Customer) -> Customer:
    return Customer.objects.select_for_update().only("pk", "restriction").get(pk=customer.pk)


def _restriction_after(before: str, kind: str, ground: str) -> str:
    if kind == Kind.UNRESTRICTED:
        return Restriction.NONE.value
    return before if before and ground == Restriction.VOLUNTARY else ground


def _write_standings(customer: Customer, event: Event) -> None:
    rows = {
        Use(row.purpose, row.channel, row.third_party): row
        for row in Standing.objects.filter(customer=customer)
    }
    before = {use: _state(row) for use, row in rows.items()}
    written = []
    for use in targets(event, before):
        state = after(before.get(use), event)
        if state is None or state == before.get(use):
            continue
        written.append(
            Standing(
                customer=customer,
                purpose=use.purpose,
                channel=use.channel,
                third_party=use.third_party,
                event=event,
                **vars(state),
            )
        )
    Standing.objects.bulk_create(
        written,
        update_conflicts=True,
        unique_fields=["customer", "purpose", "channel", "third_party"],
        update_fields=[*State.__dataclass_fields__, "event"],
    )


def _state(row: Standing) -> State:
    return State(row.permission, row.declined, row.opens, row.closes, row.since, row.authority)
