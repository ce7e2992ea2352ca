"""What Mina val shows: every choice as one row, said by the gate that decides it.

A row tells the person's answer and since when, what the other answer would do and from when, and
what the law decides whatever one answers.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from consent.actions import current_notice
from consent.choice_words import (
    ADS,
    BY,
    DONE_WITH,
    ENDS_WITH_NO,
    GROUPS,
    ICONS,
    LETS_US,
    ONLY_WHILE,
    UNREACHABLE,
    Group,
    holds,
    said,
    yes_button,
)
from consent.decisions import WAITED_FOR, Decision
from consent.models import Event, Notice, ProcessingRecord, Standing
from consent.overruled import overruled, why_not
from consent.purposes import CATALOGUE, Ends, Permission, Use, chosen_uses
from consent.receipt_keys import number_of
from consent.rules import may_process_all
from customers.dates import FAR, NEVER, add_months
from customers.models import Customer, Subscription
from customers.models.channels import Channel, Collected
from customers.words import full_day

Held = Standing.Permission

# What refuses as long as the person has not answered yes, and no longer.
LIFTED = {
    "permission",
    "not_declined",
    "soft_opt_in",
    "nix_phone",
    "nix_post",
    "purpose",
    "former_customer",
    "device",
    "fresh_yes",
    "not_suppressed",
}


@dataclass(frozen=True)
class Relation:
    """How far the person's relation to us reaches, which no yes can stretch (RUL-11, RUL-12)."""

    subscribed: bool
    until: date
    window_until: date

    def reaches(self, use: Use, on: date) -> bool:
        match use.of.ends:
            case Ends.SUBSCRIPTION:
                return self.subscribed
            case Ends.RELATION:
                return self.until >= on
            case Ends.RELATION_OR_YES:
                return self.until > NEVER and self.window_until >= on
            case Ends.WINDOW | Ends.CONSENT:
                return self.window_until >= on
            case _:
                return True


def relation(customer: Customer, on: date) -> Relation:
    """Read the relation from the processing records: RET-02 for buyers, RET-04 for prospects."""
    running = Subscription.objects.filter(customer=OuterRef("customer")).active(on)
    records = {
        purpose: (last_day, ended, subscribed)
        for purpose, last_day, ended, subscribed in ProcessingRecord.objects.filter(
            customer=customer
        )
        .annotate(subscribed=Exists(running))
        .values_list("purpose", "retain_until", "relation_ended_on", "subscribed")
    }
    if not records:
        return Relation(subscribed=False, until=NEVER, window_until=NEVER)
    # The record of A remembers the last relation that ended, also while another lives.
    _last_day, ended, subscribed = next(row for code, row in records.items() if code != "A")
    until = records["A"][0] if "A" in records else NEVER
    if ended == NEVER:
        window = add_months(customer.last_contact_on, 12)
    else:
        window = FAR if ended >= FAR else add_months(ended, 36)
    return Relation(subscribed=subscribed, until=until, window_until=window)


@dataclass(frozen=True)
class Choice:
    """One row, as components/choice.html draws it."""

    id: str
    icon: str
    name: str
    since: str
    effect: str
    url: str
    about: str
    yes: bool
    # Names the button of a yes: one that is pressed claims no more than the person has said.
    yes_button: str
    # A yes would change nothing, so it is not offered; a no always is.
    locked: bool = False
    # Names the words of a yes that takes one click, so that it is a yes to them and no others.
    version: str = ""
    done: str = ""
    undo: str = ""
    changed: bool = False


@dataclass(frozen=True)
class _Row:
    """What is known about one use when its row is written."""

    customer: Customer
    use: Use
    decision: Decision
    standing: Standing | None
    relation: Relation
    on: date

    @property
    def refused(self) -> dict[str, str]:
        return {a.name: str(a.reason) for a in self.decision.refusals(self.on)}

    @property
    def yes(self) -> bool:
        return self.decision.answered_yes(self.on)

    @property
    def declined(self) -> bool:
        return self.standing is not None and self.standing.declined

    @property
    def blocked_by(self) -> list[str]:
        """The sentences that say why a yes would open nothing."""
        open_to_a_yes = LIFTED | WAITED_FOR
        found = [reason for name, reason in self.refused.items() if name not in open_to_a_yes]
        if not self.relation.reaches(self.use, self.on):
            found.append(str(ONLY_WHILE[self.use.of.ends]))
        return found

    def since(self) -> str:
        refused = self.refused
        if self.yes and self.standing is not None:
            said = self._holds(self.standing)
            waits = [
                str(UNREACHABLE[Channel(self.use.channel)]) if name == "reachable" else reason
                for name, reason in refused.items()
            ]
            return f"{said}. {' '.join(waits)}" if waits else said
        if self.declined and self.standing is not None:
            return self._holds(self.standing)
        if "nix_phone" in refused or "nix_post" in refused:
            return _("Nej, du är med i NIX")
        if "permission" in refused:
            if self.standing is not None and self.standing.permission == Held.NONE:
                return self._holds(self.standing)
            return _("Nej, du har aldrig sagt ja")
        told = list(refused.values())
        if self.blocked_by or not told:
            return _("Nej")
        return _("Nej. %(reason)s") % {"reason": told[0]}

    @staticmethod
    def _holds(standing: Standing) -> str:
        return holds(standing.permission, standing.since, declined=standing.declined)

    def offer(self) -> str:
        """Return what stands on the row beside a yes of one click."""
        return f"{name(self.use)}. {self.effect()}"

    def effect(self) -> str:
        key = (self.use.purpose, self.use.channel)
        if self.yes:
            sentence = str(ENDS_WITH_NO.get(key, self.use.of.why))
            if self.decision.lasts_until() < FAR and self.decision.allowed(self.on):
                last = full_day(self.decision.lasts_until())
                sentence += " " + _("Annars slutar det av sig självt %(day)s.") % {"day": last}
            return sentence
        if self.blocked_by:
            return " ".join(dict.fromkeys(self.blocked_by))
        return " ".join([*self._what_law_says(), self._what_a_yes_does(), *self._what_it_awaits()])

    def _what_law_says(self) -> Iterable[str]:
        if "nix_phone" in self.refused:
            yield _("Vi ringer inte nummer som finns i NIX.")
        if "nix_post" in self.refused:
            yield _("Vi skickar inte reklam till adresser som finns i NIX.")

    def _what_a_yes_does(self) -> str:
        words = {
            "company": settings.CONTROLLER["name"],
            "what": LETS_US.get((self.use.purpose, self.use.channel), self.use.of.name),
            "until": self.until_of_a_yes(),
        }
        if self.use.channel in (Channel.PHONE, Channel.POST):  # a yes beats NIX by name (NIX-04)
            return _("Säger du ja får %(company)s %(what)s %(until)s.") % words
        return _("Säger du ja får vi %(what)s %(until)s.") % words

    def _what_it_awaits(self) -> Iterable[str]:
        if "reachable" in self.refused:
            yield _("Det gäller från det att du lagt till uppgiften under Mina uppgifter.")
        if "not_returned" in self.refused:
            yield _("Det gäller från det att du rättat uppgiften under Mina uppgifter.")
        if "not_restricted" in self.refused:
            yield _("Det gäller från det att begränsningen är hävd.")

    def until_of_a_yes(self) -> str:
        if "nix_phone" in self.refused or "nix_post" in self.refused:
            last = min(add_months(self.on, 3), self.relation.window_until)
            return _("ändå, till och med %(day)s") % {"day": full_day(last)}
        match self.use.of.ends:
            case Ends.SUBSCRIPTION:
                return _("så länge du prenumererar")
            case Ends.RELATION if self.relation.until >= FAR:
                return _("så länge du är kund")
            case Ends.RELATION:
                return _("till och med %(day)s") % {"day": full_day(self.relation.until)}
            case _ if self.relation.window_until >= FAR:
                return _("så länge du är kund och högst tre år efter")
            case _:
                return _("till och med %(day)s") % {"day": full_day(self.relation.window_until)}

    def done(self) -> str:
        if self.declined:
            general = _("Klart. Ditt nej gäller från nu.")
            return str(DONE_WITH.get(Channel(self.use.channel), general))
        if self.decision.allowed(self.on):
            return _("Klart. Ditt ja gäller från nu.")
        return _("Klart. Ditt ja är sparat.")


def row_id(use: Use) -> str:
    """Return the fragment of a choice's row."""
    row = f"{use.purpose}-{use.channel}"
    if not use.third_party:
        return row
    return f"{row}-{hashlib.sha256(use.third_party.encode()).hexdigest()[:12]}"


def name(use: Use) -> str:
    """Name a use where its purpose is not already a heading."""
    if use.channel in BY:
        said = {"what": use.of.name, "how": BY[Channel(use.channel)]}
        return _("%(what)s %(how)s") % said
    return str(use.of.name)


def lets_us(use: Use) -> str:
    """Say what a yes would let us do, as the end of a question."""
    return str(LETS_US.get((use.purpose, use.channel), use.of.name)).rstrip(",")


def decisions(customer: Customer) -> dict[Use, Decision]:
    """Return what the gate says of every use the person decides about."""
    return may_process_all(customer.pk, list(chosen_uses()))


def ads(found: dict[Use, Decision], on: date) -> list[str]:
    """Return the channels by which the person gets advertising now, in words."""
    channels = {
        Channel(use.channel)
        for use, decision in found.items()
        if use.purpose in ADS and decision.allowed(on)
    }
    return [str(channel.label).lower() for channel in Channel if channel in channels]


def can_stop(customer: Customer) -> bool:
    """Say whether a no to everything would end anything, be it for now out of use."""
    open_now = Standing.objects.filter(customer=customer, declined=False)
    marketing = [purpose.code for purpose in CATALOGUE if purpose.is_marketing]
    return open_now.filter(purpose__in=marketing).exclude(permission=Held.NONE).exists()


def groups(
    customer: Customer, found: dict[Use, Decision], on: date, saved: str = "", changed: str = ""
) -> list[dict[str, object]]:
    """Return the sections of the page; `saved` is the row that was just answered.

    `changed` is the row whose words were others when the person answered.
    """
    standings = {
        Use(row.purpose, row.channel): row
        for row in Standing.objects.filter(customer=customer, third_party="")
    }
    reach, notice = relation(customer, on), worded(customer)
    sections: list[dict[str, object]] = []
    for group in GROUPS:
        rows = [
            _choice(
                _Row(customer, use, found[use], standings.get(use), reach, on),
                group,
                notice,
                saved=saved == row_id(use),
                changed=changed == row_id(use),
            )
            for code in group.purposes
            for use in found
            if use.purpose == code
        ]
        sections.append({"title": group.title, "intro": group.intro, "choices": rows})
    return sections


def _choice(row: _Row, group: Group, notice: Notice, *, saved: bool, changed: bool) -> Choice:
    use = row.use
    locked = not row.yes and bool(row.blocked_by)
    done = row.done() if saved else ""
    one_click = not (row.yes or locked or asks_for_wording(use))
    undo = "no" if row.yes else "" if locked else "yes"
    return Choice(
        id=row_id(use),
        icon=ICONS.get(Channel(use.channel), "") if group.by_channel else "",
        name=str(Channel(use.channel).label) if group.by_channel else name(use),
        since=row.since(),
        effect=row.effect(),
        url=reverse("consent:choose", args=[use.purpose, use.channel]),
        about=name(use),
        yes=row.yes,
        yes_button=yes_button(row.standing.permission if row.standing else "", pressed=row.yes),
        locked=locked,
        version=version([row.offer()], notice) if one_click else "",
        done=done,
        undo=undo if done else "",
        changed=changed and one_click,
    )


def asks_for_wording(use: Use) -> bool:
    """Say whether a yes rests on words that must be shown first (CON-01)."""
    return use.permission in (Permission.CONSENT, Permission.SOFT_OPT_IN)


def wording(customer: Customer, use: Use, on: date) -> list[str]:
    """Return the exact words of a yes, which become its evidence (CON-02)."""
    row = _Row(customer, use, decisions(customer)[use], None, relation(customer, on), on)
    return [
        _("%(company)s får %(what)s %(until)s.")
        % {
            "company": settings.CONTROLLER["name"],
            "what": LETS_US.get((use.purpose, use.channel), use.of.name),
            "until": row.until_of_a_yes(),
        },
        _(
            "Du kan ta tillbaka ditt ja när du vill, här på Min sida eller hos kundservice. Det "
            "gäller direkt, och det kostar inget."
        ),
        _("Vi sparar vad du sa ja till och när, i fem år efter att ditt ja har slutat gälla."),
    ]


def shown(customer: Customer, use: Use, on: date) -> str:
    """Return what stands on the row where a yes is one click, which becomes its evidence."""
    return _Row(customer, use, decisions(customer)[use], None, relation(customer, on), on).offer()


def worded(customer: Customer) -> Notice:
    """Return the notice behind the words of Mina val, which a yes there keeps (CON-02)."""
    return current_notice(Collected.PORTAL, customer.language or "sv")


def version(words: list[str], notice: Notice) -> str:
    """Name the words that were shown and their notice; who made others up cannot."""
    said = "\n".join([*words, f"{notice.pk}"])
    return salted_hmac("consent wording", said, settings.SECRET_KEY).hexdigest()


def is_open_to_a_yes(customer: Customer, use: Use, on: date) -> bool:
    """Say whether a yes would open anything."""
    row = _Row(customer, use, decisions(customer)[use], None, relation(customer, on), on)
    return not row.blocked_by


def history(customer: Customer) -> list[dict[str, str]]:
    """Return what the person has been told and has said, newest first."""
    found = Event.objects.filter(customer=customer).select_related("notice__policy_version")
    events = list(found.order_by("pk"))
    yields = overruled(events)
    return [
        {
            "when": full_day(event.at),
            "what": f"{_said(event, counts=event.pk not in yields)},",
            "how": _how(event, yields.get(event.pk)),
            "receipt": reverse("consent:receipt", args=[number_of(event.pk)]),
        }
        for event in reversed(events)
    ]


def _said(event: Event, *, counts: bool) -> str:
    return said(event.kind, event.purpose, event.channel, event.third_party, counts=counts)


def _how(event: Event, no: Event | None) -> str:
    how = str(event.get_collected_display())
    if no is not None:
        return f"{how}. {why_not(event, no)}"
    if event.kind != Event.Kind.NOTICE_SERVED or event.notice is None:
        return how
    version = event.notice.policy_version.version
    return _("%(how)s, version %(version)s") % {"how": how, "version": version}
