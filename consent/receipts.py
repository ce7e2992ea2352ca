"""A receipt of one act: what stands in the ledger, as the person reads and prints it (CON-02)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from consent.choice_words import said
from consent.models import Authority, Event, EventDetail
from consent.overruled import overruled_by, why_not
from consent.purposes import BY_CODE
from consent.receipt_keys import code_of, number_of
from consent.receipt_words import GROUNDS, NOTED, PROOF_KEPT, WHOSE_WORD, holds_until, meaning, undo
from consent.standing import REFUSALS, applies_to, reaches
from customers.models import Customer
from customers.models.channels import Channel, Collected
from customers.models.people import Restriction
from customers.words import clock, controller, full_day

Kind = Event.Kind
# What speaks of everything, and of no purpose.
OF_NO_PURPOSE = (Kind.NOTICE_SERVED, Kind.SOFT_OPT_IN, Kind.RESTRICTED, Kind.UNRESTRICTED)


# What takes back some of an entry; what is told anew or written down again does not.
TAKEN_BACK_BY: dict[str, tuple[Event.Kind, ...]] = {
    Kind.NOTICE_SERVED: REFUSALS,
    Kind.SOFT_OPT_IN: REFUSALS,
    Kind.CONSENT_GIVEN: REFUSALS,
    **dict.fromkeys(REFUSALS, (Kind.CONSENT_GIVEN,)),
    Kind.RESTRICTED: (Kind.UNRESTRICTED,),
    Kind.UNRESTRICTED: (Kind.RESTRICTED,),
}


@dataclass(frozen=True)
class Receipt:
    """What a person gets of one entry of the ledger, in the language of the moment."""

    event: Event

    @cached_property
    def number(self) -> UUID:
        return number_of(self.event.pk)

    @property
    def code(self) -> str:
        return code_of(self.number, bytes(self.event.digest))

    @property
    def spelt_code(self) -> str:
        """The code as it is easiest to read from paper, four characters at a time."""
        return " ".join(self.code[start : start + 4] for start in range(0, len(self.code), 4))

    @property
    def check_url(self) -> str:
        return settings.SITE_URL + reverse("receipts:code", args=[self.code])

    @property
    def check_address(self) -> str:
        """The address to type from paper, before the code."""
        return (settings.SITE_URL + reverse("receipts:check")).partition("//")[2]

    @property
    def title(self) -> str:
        event = self.event
        counts = self.overruled_by is None
        return said(event.kind, event.purpose, event.channel, event.third_party, counts=counts)

    @cached_property
    def overruled_by(self) -> Event | None:
        """The no that stands above a yes; None where it counted as it was written."""
        return overruled_by(self.event)

    @property
    def when(self) -> str:
        return f"{full_day(self.event.at)} {clock(self.event.at)}"

    @property
    def how(self) -> str:
        return str(self.event.get_collected_display())

    @property
    def meaning(self) -> list[str]:
        if self.overruled_by is not None:
            return [str(NOTED), why_not(self.event, self.overruled_by)]
        changed = self._changed_on()
        if changed is None:
            return meaning(self.event)
        return [
            _("Det här har ändrats sedan dess, senast %(day)s. Så här sa kvittot då:")
            % {"day": full_day(changed)},
            *meaning(self.event),
        ]

    def _changed_on(self) -> datetime | None:
        """Say when something was last said that takes back some of this; None if never."""
        later = Event.objects.filter(
            customer__pseudonym=self.event.customer_id,
            pk__gt=self.event.pk,
            at__gte=self.event.at,
            kind__in=TAKEN_BACK_BY.get(self.event.kind, ()),
        )
        return max((event.at for event in later if self._takes_back(event)), default=None)

    def _takes_back(self, later: Event) -> bool:
        if self.event.kind in (Kind.RESTRICTED, Kind.UNRESTRICTED):
            return True
        return any(reaches(later, use) for use in applies_to(self.event)) or any(
            reaches(self.event, use) for use in applies_to(later)
        )

    @property
    def undo(self) -> str:
        return undo(self.event, counts=self.overruled_by is None)

    @property
    def holds_until(self) -> str:
        return holds_until(self.event, counts=self.overruled_by is None)

    @property
    def proof_kept(self) -> str:
        return str(PROOF_KEPT)

    @property
    def words(self) -> list[str]:
        """The words behind the act, while they exist (CON-02)."""
        detail = _detail(self.event)
        return detail.evidence.splitlines() if detail else []

    @property
    def are_shown_words(self) -> bool:
        """Whether the words are those the person saw, and not what somebody wrote down."""
        is_yes = self.event.kind == Kind.CONSENT_GIVEN
        return is_yes and self.event.collected == Collected.PORTAL

    @property
    def name_of_words(self) -> str:
        if self.are_shown_words:
            return _("Orden du såg")
        return (
            _("Orden du skrev") if self.event.collected == Collected.PORTAL else _("Vårt underlag")
        )

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield the rows of the readable receipt."""
        event, company = self.event, controller()
        yield _("Vem"), f"{event.customer.name}, {event.customer.number}"
        yield _("Vad"), self.title
        yield _("När"), self.when
        yield _("Hur"), capfirst(self.how)
        yield _("Vems ord"), str(WHOSE_WORD[Authority(event.authority)])
        if event.purpose in BY_CODE:
            yield _("Ändamål"), str(BY_CODE[event.purpose].name)
        elif event.kind not in OF_NO_PURPOSE:
            yield _("Ändamål"), _("All reklam")
        if event.channel:
            yield _("På vilket sätt"), str(Channel(event.channel).label)
        elif event.kind in (Kind.OBJECTED, Kind.UNSUBSCRIBED, Kind.OBJECTED_TO_USE):
            yield _("På vilket sätt"), _("Alla")
        if event.third_party:
            yield _("Företag"), event.third_party
        if event.ground:
            yield _("Skäl"), str(GROUNDS[Restriction(event.ground)])
        yield _("Hur länge"), self.holds_until
        if self.version:
            yield _("Information"), _("Version %(version)s") % {"version": self.version}
        yield (
            _("Ansvarig"),
            _("%(name)s, org.nr %(number)s, %(address)s")
            % {
                "name": company["name"],
                "number": company["organisation_number"],
                "address": company["address"],
            },
        )
        yield _("Kontakt"), f"{company['email']}, {company['phone']}"
        yield _("Kvittonummer"), str(self.number)

    @property
    def version(self) -> str:
        return str(self.event.notice.policy_version) if self.event.notice else ""


def receipt(customer: Customer, entry: int) -> Receipt:
    """Return the receipt of an entry about this person; raises Event.DoesNotExist otherwise."""
    found = Event.objects.select_related("notice__policy_version", "detail")
    event = found.get(customer=customer, pk=entry)
    event.customer = customer
    return Receipt(event)


def _detail(event: Event) -> EventDetail | None:
    try:
        return event.detail
    except EventDetail.DoesNotExist:
        return None
