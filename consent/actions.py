"""What happens when a person is told, says yes, says no or limits the use of their data.

Each act locks the person, writes its ledger entry, the standings it changes and the processing
records that follow, in one transaction. `consent.ledger` holds the statement.
"""

import hashlib
from contextlib import nullcontext
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from consent.decisions import Decision
from consent.ledger import append
from consent.models import Authority, Event, Notice, PolicyVersion, Standing
from consent.purposes import BY_CODE, Objection, Permission, Use, catalogue_hash, chosen_uses
from consent.rules import may_process
from consent.standing import limits_of
from customers import contact_points
from customers.dates import stockholm_date, today
from customers.models import Customer, User
from customers.models.channels import Collected
from customers.models.people import Restriction

Kind = Event.Kind
NO_TO_ALL = (Kind.OBJECTED, Kind.UNSUBSCRIBED)
TOLD_IN_SHORT = (Collected.PHONE, Collected.SLIP, Collected.SOCIAL)
# A clock that runs a little ahead of ours is no reason to turn somebody away.
AHEAD = timedelta(minutes=5)


class NotAllowedError(Exception):
    """The act is not open to who asks for it; the message says what to do."""


class ActError(ValueError):
    """Nobody can say that; the message tells in one sentence why."""


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


def current_notice(collected: str, language: str, on: date | None = None) -> Notice:
    """Return the wording in force for a channel on a day; raises Notice.DoesNotExist.

    A version published ahead waits for its day (INF-05); before the first one, the first counts.
    """
    on = on or today()
    found = Notice.objects.filter(collected=collected, language=language)
    in_force = found.filter(policy_version__effective_on__lte=on).order_by(
        "-policy_version__effective_on", "-policy_version_id"
    )
    first = found.order_by("policy_version__effective_on", "-policy_version_id")
    return in_force.first() or first[:1].get()


@transaction.atomic
def serve_notice(
    customer: Customer,
    *,
    collected: str,
    notice: Notice | None = None,
    evidence: str = "",
    actor: User | None = None,
    at: datetime | None = None,
) -> Event:
    """Record that the person got the first information and opened what needs no yes (INF-02).

    `collected` is the way it was given; `notice` the wording, where it is another way's. What is
    said in short on the phone, on a slip or in social media opens nothing: the whole notice with
    its link follows in writing (INF-04).
    """
    event = append(
        customer,
        Kind.NOTICE_SERVED,
        collected=collected,
        authority=Authority.SYSTEM,
        notice=notice
        or current_notice(collected, customer.language or "sv", stockholm_date(at) if at else None),
        evidence=evidence,
        actor=actor,
        at=past(at),
    )
    if customer.noticed_on is None and collected not in TOLD_IN_SHORT:
        customer.noticed_on = stockholm_date(event.at)
        customer.save(update_fields=["noticed_on"])
    return event


def say_yes(
    customer: Customer,
    use: Use,
    *,
    collected: str = Collected.PORTAL,
    evidence: str = "",
    notice: Notice | None = None,
    actor: User | None = None,
    at: datetime | None = None,
) -> Event:
    """Record a person's yes to one use; without proof it is kept as unproven (CON-01, CON-02).

    `evidence` is the words that were shown or read out, or a reference to the slip or mail;
    `notice` the wording behind them, the one in force where nothing was shown. Raises ActError for
    a use that rests on no yes.
    """
    _demand_choice(use)
    kind = Kind.CONSENT_GIVEN if evidence.strip() else Kind.UNPROVEN
    return append(
        customer,
        kind,
        purpose=use.purpose,
        channel=use.channel,
        third_party=use.third_party,
        collected=collected,
        authority=Authority.PERSON,
        notice=notice,
        in_force=notice is None,
        evidence=evidence,
        actor=actor,
        at=past(at),
    )


def say_no(
    customer: Customer,
    use: Use | None = None,
    *,
    collected: str = Collected.PORTAL,
    evidence: str = "",
    actor: User | None = None,
    at: datetime | None = None,
) -> Event:
    """Record a person's no to one use, or to all marketing; it acts at once (OBJ-01, OBJ-02).

    A no to what the person had said yes to is written down as the yes taken back (CON-03). After a
    no to all, the ways to the person open nothing in another row either (OBJ-06). Raises ActError
    for a use that nobody can refuse.
    """
    if use is not None:
        _demand_choice(use)
    with transaction.atomic() if use is None else nullcontext():
        event = append(
            customer,
            Kind.OBJECTED,
            purpose=use.purpose if use else "",
            channel=use.channel if use else "",
            third_party=use.third_party if use else "",
            collected=collected,
            authority=Authority.PERSON,
            evidence=evidence,
            actor=actor,
            at=past(at),
        )
        if use is None:
            contact_points.suppress({customer.pk: stockholm_date(event.at)})
    return event


@transaction.atomic
def unsubscribe(
    customer: Customer,
    channel: str = "",
    *,
    collected: str = Collected.EMAIL,
    evidence: str = "",
) -> Event | None:
    """Stop advertising by one channel or by all, from a link in a message (CON-03).

    None when it is stopped already, so that a link followed twice is one act (B06).
    """
    Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
    if not _open_to_advertising(customer, channel):
        return None
    if not channel:
        contact_points.suppress({customer.pk: today()})
    return append(
        customer,
        Kind.UNSUBSCRIBED,
        channel=channel,
        collected=collected,
        authority=Authority.PERSON,
        evidence=evidence,
    )


def object_to_use(
    customer: Customer,
    purpose: str,
    *,
    collected: str = Collected.PORTAL,
    evidence: str = "",
    actor: User | None = None,
    at: datetime | None = None,
) -> Event:
    """Grant an objection to one purpose by every channel, whatever its reason (OBJ-04).

    Raises ActError for a purpose that an objection does not reach.
    """
    found = BY_CODE.get(purpose)
    if found is None or found.objection is Objection.NO_EFFECT:
        raise ActError(f'Nobody can object to the purpose "{purpose}".')
    return append(
        customer,
        Kind.OBJECTED_TO_USE,
        purpose=purpose,
        collected=collected,
        authority=Authority.PERSON,
        evidence=evidence,
        actor=actor,
        at=past(at),
    )


@transaction.atomic
def choose(
    customer: Customer,
    use: Use,
    *,
    yes: bool,
    evidence: str = "",
    notice: Notice | None = None,
) -> Event | None:
    """Record an answer given on Min sida; None when it already stands, so twice is once (B06).

    `evidence` is the words that were shown beside a yes, `notice` the wording behind them.
    """
    Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
    if yes:
        if answers_yes(may_process(customer.pk, use)):
            return None
        return say_yes(customer, use, evidence=evidence, notice=notice)
    found = Standing.objects.filter(
        customer=customer,
        purpose=use.purpose,
        channel=use.channel,
        third_party=use.third_party,
        declined=True,
    )
    return None if found.exists() else say_no(customer, use)


def answers_yes(decision: Decision) -> bool:
    """Say whether a yes would add nothing: it stands, or one click tells no more than silence.

    Whoever reads the whole wording and says yes has said it, also where a sale had opened the way.
    """
    said = decision.held == Standing.Permission.CONSENT
    told_in_full = decision.use.permission is Permission.SOFT_OPT_IN
    return decision.answered_yes(today()) and (said or not told_in_full)


@transaction.atomic
def stop_all_marketing(customer: Customer) -> Event | None:
    """Record a no to all marketing; None when everything is already declined (OBJ-02, B06)."""
    Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
    return say_no(customer) if _open_to_advertising(customer) else None


def _open_to_advertising(customer: Customer, channel: str = "") -> bool:
    """Say whether anything is left that a no to advertising by a channel would stop.

    Whoever has refused each use by itself has not yet said no to everything (OBJ-02).
    """
    if not channel and not _said_no_to_all(customer):
        return True
    found = Standing.objects.filter(customer=customer)
    if channel:
        found = found.filter(channel=channel)
    declined = set(found.filter(declined=True, third_party="").values_list("purpose", "channel"))
    asked = {
        (use.purpose, use.channel)
        for use in chosen_uses()
        if use.of.is_marketing and channel in ("", use.channel)
    }
    return not asked <= declined or found.filter(declined=False).exclude(third_party="").exists()


def _said_no_to_all(customer: Customer) -> bool:
    whole = {"purpose": "", "channel": "", "third_party": ""}
    return Event.objects.filter(customer=customer, kind__in=NO_TO_ALL, **whole).exists()


def restrict(
    customer: Customer,
    ground: str = Restriction.VOLUNTARY,
    *,
    collected: str = Collected.PORTAL,
    evidence: str = "",
    actor: User | None = None,
    at: datetime | None = None,
) -> Event:
    """Limit the use of a person's data (RES-01, RES-03).

    The person's own limit, lifted by them alone, never takes the place of one that asks for notice.
    Raises ActError for a ground that is none.
    """
    if ground not in Restriction.values or ground == Restriction.NONE:
        raise ActError(f'There is no ground "{ground}" for a restriction.')
    return append(
        customer,
        Kind.RESTRICTED,
        ground=ground,
        collected=collected,
        authority=Authority.PERSON,
        evidence=evidence,
        actor=actor,
        at=past(at),
    )


def has_limited(customer: Customer) -> bool:
    """Say whether a limit of the person's own stands, be it beneath one that the law sets."""
    return Restriction.VOLUNTARY in limits_of(customer)


@transaction.atomic
def lift_own_restriction(customer: Customer, *, at: datetime | None = None) -> Event:
    """Let the person lift a limit they set themselves; other grounds ask for notice (RES-05).

    One that the law sets stays above it. Raises NotAllowedError where they have set none.
    """
    Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
    if not has_limited(customer):
        raise NotAllowedError("Only a person's own limitation is lifted without notice.")
    return append(
        customer,
        Kind.UNRESTRICTED,
        collected=Collected.PORTAL,
        authority=Authority.PERSON,
        at=past(at),
    )


def _demand_choice(use: Use) -> None:
    if use.permission is Permission.NONE:
        raise ActError(f"Purpose {use.purpose} rests on no choice by {use.channel}.")


def past(at: datetime | None) -> datetime | None:
    """Return the moment; raises ActError for one that has not come."""
    if at is not None and at > timezone.now() + AHEAD:
        raise ActError("Nobody has said anything yet at a moment that has not come.")
    return at
