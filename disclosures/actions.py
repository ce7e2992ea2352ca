"""What leaves us: a message is written in the transaction that decided it and sent after it.

A worker takes one message at a time under a lease, sends it and marks it. Killed between the two,
it leaves the row to the next worker, who sends the same Message-ID again: a receiver can tell, and
nothing is lost. The words are blanked where the row is marked (RUL-26).
"""

import enum
import logging
import smtplib
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation
from email_validator import EmailNotValidError, validate_email

from consent.actions import serve_notice
from consent.facts import mail_returned
from consent.promotion import promotes
from consent.purposes import BY_CODE, Use
from consent.rules import may_process
from consent.unsubscribe import footer, headers
from customers.dates import today
from customers.models import Address, Customer
from customers.models.channels import Channel, Collected
from customers.words import controller
from disclosures import files, recipient_words
from disclosures.bell import ring_on_commit
from disclosures.models import NO_WORDS, Outbox, RecipientNotice
from disclosures.rules import EVERYBODY, NOBODY, still_to_tell, with_way

log = logging.getLogger(__name__)

RELAY = "disclosures.tasks.relay"
LEASE = timedelta(minutes=2)  # far above the time-out of the mail server
# Half a minute, then twice as long each time up to four hours: twelve tries in half a day.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=4)
MOST_ATTEMPTS = 12
# How long a worker gives to batches before it is free for other work; beat rings twice a minute.
SHIFT = timedelta(seconds=25)
NOTICES = ("K",)  # what nobody can decline, and what therefore promotes nothing (OBJ-03)
PERMANENT = 500  # SMTP answers from here on do not change by waiting
UNKNOWN_THERE = (550, 551, 553)  # those that speak of the address, not of the message


class Outcome(enum.Enum):
    """What became of a message that was taken."""

    SENT = "sent"
    KEPT = "kept"  # put off, given up, stopped, or somebody else's by now
    UNREACHABLE = "unreachable"


class UnsafeHeaderError(ValueError):
    """An address or a subject would write more than its own line of the head (K03)."""


def queue_mail(
    to: str,
    template: str,
    context: Mapping[str, Any],
    customer: Customer | None = None,
    purpose: str = "B",
    language: str | None = None,
) -> Outbox:
    """Write a mail to the outbox in the caller's transaction and ring for it at commit.

    The words are those of `templates/mail/<template>.<language>.txt`: the subject on the first
    line, an empty one, the body. Raises UnsafeHeaderError, TemplateDoesNotExist (K10).
    """
    return _write(draft_mail(to, template, context, customer, purpose, language))


def draft_mail(
    to: str,
    template: str,
    context: Mapping[str, Any],
    customer: Customer | None = None,
    purpose: str = "B",
    language: str | None = None,
) -> Outbox:
    """Return a mail that is not in the outbox yet; see queue_mail and queue_drafts."""
    spoken = _language(customer, language)
    words = _render(template, spoken, context)
    return _draft_words(to, template, *words, customer=customer, purpose=purpose, language=spoken)


def queue_words(
    to: str,
    template: str,
    subject: str,
    body: str,
    *,
    customer: Customer | None,
    purpose: str = "B",
    language: str = "sv",
) -> Outbox:
    """Write a mail whose words somebody else rendered to the outbox, like `queue_mail`."""
    return _write(
        _draft_words(
            to, template, subject, body, customer=customer, purpose=purpose, language=language
        )
    )


def queue_bare(to: str, template: str, subject: str) -> Outbox:
    """Write a mail without words to the outbox; they are found as it leaves (Article 19)."""
    return _write(
        _draft_words(to, template, subject, "", customer=None, purpose="R", language="sv")
    )


def _draft_words(to: str, template: str, subject: str, body: str, **about: Any) -> Outbox:
    try:
        validate_email(to, check_deliverability=False, test_environment=True)
    except EmailNotValidError as refused:
        raise UnsafeHeaderError("A mail goes to exactly one e-mail address.") from refused
    return _draft(Outbox.Kind.MAIL, to, template, subject, body, **about)


def queue_letter(
    customer: Customer, template: str, context: Mapping[str, Any], purpose: str = "B"
) -> Outbox:
    """Write a letter to the person's address to the outbox; raises Address.DoesNotExist."""
    address = customer.addresses.get(kind=Address.Kind.HOME)
    return _write(draft_letter(customer, address, template, context, purpose))


def draft_letter(
    customer: Customer,
    address: Address,
    template: str,
    context: Mapping[str, Any],
    purpose: str = "B",
) -> Outbox:
    """Return a letter that is not in the outbox yet; see queue_letter and queue_drafts."""
    to = envelope(customer, address)
    language = _language(customer, None)
    subject, body = _render(template, language, context)
    return _draft(
        Outbox.Kind.LETTER,
        to,
        template,
        subject,
        body,
        customer=customer,
        purpose=purpose,
        language=language,
    )


def queue_answer(to: str, template: str, context: Mapping[str, Any], language: str) -> Outbox:
    """Write to somebody whose details are gone, at the address or envelope kept for the answer."""
    if "\n" not in to:
        return queue_mail(to, template, context, language=language)
    subject, body = _render(template, language, context)
    return _write(
        _draft(
            Outbox.Kind.LETTER,
            to,
            template,
            subject,
            body,
            customer=None,
            purpose="B",
            language=language,
        )
    )


def envelope(customer: Customer, address: Address) -> str:
    """Return what stands on the envelope of a letter."""
    street, _, city = address.line.partition(", ")
    return f"{customer.name}\n{street}\n{city}"


def queue_message(
    customer: Customer, template: str, context: Mapping[str, Any], purpose: str = "B"
) -> Outbox | None:
    """Write to a person by the way that reaches them, like `queue_mail`; None when none does.

    The template is told whether it is a letter, by `by_letter`.
    """
    way = with_way(Customer.objects.filter(pk=customer.pk)).values_list("way", flat=True).get()
    about = {**context, "by_letter": way == Outbox.Kind.LETTER}
    if way == Outbox.Kind.MAIL:
        return queue_mail(customer.email, template, about, customer, purpose)
    return queue_letter(customer, template, about, purpose) if way else None


def queue_drafts(drafts: Sequence[Outbox]) -> None:
    """Write drafts in one statement and ring once; what the database has already is left out."""
    Outbox.objects.bulk_create(drafts, ignore_conflicts=True)
    ring_on_commit(RELAY)


def _language(customer: Customer | None, wanted: str | None) -> str:
    spoken = wanted or (customer.language if customer else "") or translation.get_language() or ""
    return "en" if spoken.startswith("en") else "sv"


def _draft(
    kind: str,
    to: str,
    template: str,
    subject: str,
    body: str,
    *,
    customer: Customer | None,
    purpose: str,
    language: str,
) -> Outbox:
    if purpose not in BY_CODE:
        raise ValueError(f'There is no purpose "{purpose}" in the catalogue.')
    if BY_CODE[purpose].is_marketing and customer is None:
        raise ValueError("Advertising goes to a known person, or the gate cannot be asked.")
    if purpose in NOTICES and promotes(subject, body):
        raise ValueError("A notice carries no offer; send the offer by itself under H.")
    if not subject or not subject.isprintable():
        raise UnsafeHeaderError(f"The subject of {template} is not exactly one line.")
    return Outbox(
        kind=kind,
        customer=customer,
        purpose=purpose,
        template=template,
        recipient=to,
        subject=subject,
        body=body,
        language=language,
    )


def _write(message: Outbox) -> Outbox:
    message.save(force_insert=True)
    ring_on_commit(RELAY)
    return message


def _render(template: str, language: str, context: Mapping[str, Any]) -> tuple[str, str]:
    found: Any = get_template(f"mail/{template}.{language}.txt")
    with translation.override(language):
        plain = Context({"controller": controller(), **context}, autoescape=False)
        text = found.template.render(plain)
    subject, _, rest = text.partition("\n")
    empty, _, body = rest.partition("\n")
    # A value that brings a line break of its own would push the empty line down.
    if empty:
        raise UnsafeHeaderError(f"The subject of {template} is not exactly one line.")
    return subject, body.strip() + "\n"


def relay() -> int:
    """Send what waits until nothing does, then forget old dead letters; return how many left.

    Batches get a shift of limited length, or a campaign would hold every worker for hours.
    """
    sent = 0
    ends = timezone.now() + SHIFT
    post = get_connection()
    try:
        while message := take(now := timezone.now(), batches=now < ends):
            outcome = deliver(message, post)
            sent += outcome is Outcome.SENT
            if outcome is Outcome.UNREACHABLE:
                break  # the others keep their tries for when the server is back
    finally:
        _hang_up(post)
    Outbox.objects.dead_with_words(timezone.now()).update(**NO_WORDS)
    return sent


@transaction.atomic
def take(at: datetime, *, batches: bool = True) -> Outbox | None:
    """Take the message that has waited longest, under a lease of our own; None when none waits."""
    waiting = (
        Outbox.objects.waiting(at)
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("available_at")
    )
    # Nobody waits for a code to sign in behind a campaign to a million.
    message = waiting.filter(batch=None).first()
    if message is None and batches:
        message = waiting.filter(batch__isnull=False).first()
    if message is None:
        return None
    message.attempts += 1
    message.lease = uuid.uuid4()
    message.available_at = at + LEASE
    message.save(update_fields=["attempts", "lease", "available_at"])
    return message


def deliver(message: Outbox, post: Any) -> Outcome:
    """Send one message that was taken, and mark it if the lease is still ours."""
    if message.attempts > MOST_ATTEMPTS:
        # It has taken its workers with it as often as that (H12).
        return _finish(message, Outbox.Status.DEAD)
    if not BY_CODE[message.purpose].is_marketing or message.customer_id is None:
        return _send(message, post)
    with transaction.atomic():
        # Who says no meanwhile waits for this one message, so that none leaves after it (OBJ-01).
        people = Customer.objects.select_for_update(no_key=True).only("pk")
        people.filter(pk=message.customer_id).first()
        return _send(message, post)


def _send(message: Outbox, post: Any) -> Outcome:
    if not _may_leave(message):
        return _finish(message, Outbox.Status.STOPPED)
    if message.template == recipient_words.TEMPLATE:
        found = recipient_words.of(message)
        if found is None:  # acknowledged while it waited
            return _finish(message, Outbox.Status.STOPPED)
        message.subject, message.body = found
    if message.customer is not None and _is_judged(message):
        message.recipient = _where(message.customer, message.kind)
    try:
        _hand_over(message, post)
    except Exception as problem:  # a message must not stop the others, whatever is wrong with it
        log.warning(
            "Message %s did not leave at try %s: %s.",
            message.pk,
            message.attempts,
            type(problem).__name__,
        )
        # A connection that broke would fail everything after it.
        _hang_up(post)
        with transaction.atomic():
            if message.customer and _knows_nobody(problem):
                # Only if it is still the person's own address (RUL-28).
                mail_returned(message.customer, "email", today(), value=message.recipient)
            _put_off(message, for_good=_is_permanent(problem))
        return Outcome.UNREACHABLE if _is_unreachable(problem) else Outcome.KEPT
    return _finish(message, Outbox.Status.SENT)


def _is_judged(message: Outbox) -> bool:
    """Say whether it is advertising or a notice, which the gate is asked about as it leaves."""
    return BY_CODE[message.purpose].is_marketing or message.purpose in NOTICES


def _may_leave(message: Outbox) -> bool:
    """Ask the gate again, for advertising and notices, at the moment it would leave (idea 4)."""
    if message.notice_id:
        # Not to somebody who has died, is erased or got it elsewhere meanwhile, and not by a way
        # that has been shut since (SKY-01, RUL-28).
        by_letter = message.kind == Outbox.Kind.LETTER
        told = with_way(still_to_tell(), no_mail=EVERYBODY if by_letter else NOBODY)
        return told.filter(messages=message, way=message.kind).exists()
    if not _is_judged(message):
        return True
    if message.customer_id is None:
        return not BY_CODE[message.purpose].is_marketing
    channel = Channel.EMAIL if message.kind == Outbox.Kind.MAIL else Channel.POST
    use = Use(message.purpose, channel, promotes=promotes(message.subject, message.body))
    return may_process(message.customer_id, use).allowed(today())


def _where(customer: Customer, kind: str) -> str:
    """Return where the person is reached now: they may have moved while the message waited."""
    if kind == Outbox.Kind.MAIL:
        return customer.email
    return envelope(customer, customer.addresses.get(kind=Address.Kind.HOME))


def _hand_over(message: Outbox, post: Any) -> None:
    body, more = message.body, {}
    if BY_CODE[message.purpose].is_marketing and message.customer is not None:
        # Made as it leaves: an advertisement that could not be declined is none (MFL-03).
        channel = Channel.EMAIL if message.kind == Outbox.Kind.MAIL else Channel.POST
        body += f"\n{footer(message.customer, channel, message.language)}\n"
        more = headers(message.customer)
    if message.kind == Outbox.Kind.LETTER:
        words = f"{message.recipient}\n\n\n{message.subject}\n\n{body}"
        files.write(settings.DATA_DIR / "letters" / f"{message.pk}.txt", words.encode())
        return
    post.open()
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    EmailMessage(
        message.subject,
        body,
        to=[message.recipient],
        headers={
            "Message-ID": f"<{message.pk}@{domain}>",
            "Auto-Submitted": "auto-generated",
            "Content-Language": message.language,
            **more,
        },
        connection=post,
    ).send()


def _hang_up(post: Any) -> None:
    with suppress(OSError):
        post.close()


def _is_unreachable(problem: Exception) -> bool:
    """Say whether it was the mail server or the disk, and not this message."""
    if isinstance(problem, smtplib.SMTPServerDisconnected | smtplib.SMTPConnectError):
        return True
    return isinstance(problem, OSError) and not isinstance(problem, smtplib.SMTPException)


def _is_permanent(problem: Exception) -> bool:
    return isinstance(problem, smtplib.SMTPRecipientsRefused) and all(
        code >= PERMANENT for code, _ in problem.recipients.values()
    )


def _knows_nobody(problem: Exception) -> bool:
    """Say whether the server knows no such address, as a letter that comes back does."""
    return isinstance(problem, smtplib.SMTPRecipientsRefused) and all(
        code in UNKNOWN_THERE for code, _ in problem.recipients.values()
    )


def pause(attempts: int) -> timedelta:
    """Return how long a message waits after so many tries."""
    doubled: timedelta = FIRST_PAUSE * 2 ** (attempts - 1)
    return min(doubled, LONGEST_PAUSE)


def _put_off(message: Outbox, *, for_good: bool) -> None:
    if for_good or message.attempts >= MOST_ATTEMPTS:
        _finish(message, Outbox.Status.DEAD)
        return
    _still_ours(message).update(lease=None, available_at=timezone.now() + pause(message.attempts))


def _still_ours(message: Outbox) -> Any:
    return Outbox.objects.filter(pk=message.pk, lease=message.lease, status=Outbox.Status.QUEUED)


@transaction.atomic
def _finish(message: Outbox, status: str) -> Outcome:
    """Mark a message as done with; say whether it was sent and marked by us.

    The first information counts as given in the transaction that marks it sent (INF-02).
    """
    words = {} if status == Outbox.Status.DEAD else NO_WORDS
    marked = _still_ours(message).update(
        status=status, lease=None, finished_at=timezone.now(), **words
    )
    if not marked:
        log.warning("Message %s was taken over by another worker meanwhile.", message.pk)
    elif status == Outbox.Status.DEAD:
        log.error("Message %s could not be sent in %s tries.", message.pk, message.attempts)
    elif status == Outbox.Status.SENT and message.template == recipient_words.TEMPLATE:
        RecipientNotice.objects.filter(message=message.pk).update(sent_at=timezone.now())
    elif status == Outbox.Status.SENT and message.notice and message.customer:
        by = Collected.EMAIL if message.kind == Outbox.Kind.MAIL else Collected.POST
        serve_notice(message.customer, collected=by, notice=message.notice)
    return Outcome.SENT if marked and status == Outbox.Status.SENT else Outcome.KEPT
