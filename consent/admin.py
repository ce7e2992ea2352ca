"""What staff see of notices, the ledger and what holds now; nothing here is written by hand."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from consent.groundwork_admin import BalancingRecordAdmin, NixSnapshotAdmin
from consent.models import Authority, Event, Notice, PolicyVersion, ProcessingRecord, Standing
from consent.purposes import Basis
from customers import words
from customers.dates import FAR
from customers.models import Customer
from customers.staff import ReadOnlyAdmin, ReadOnlyInline, TracedAdmin, shown, yes_or_no

__all__ = ["BalancingRecordAdmin", "NixSnapshotAdmin"]

GONE = _("Raderad")
BASES = {
    Basis.CONTRACT: _("avtal"),
    Basis.LEGAL_OBLIGATION: _("rättslig skyldighet"),
    Basis.LEGITIMATE_INTEREST: _("intresseavvägning"),
    Basis.CONSENT: _("samtycke"),
}


# As staff say it; to the person it is "du".
WORD_OF = {
    Authority.SYSTEM: _("systemet"),
    Authority.STAFF: _("vi"),
    Authority.LAW: _("lagen"),
    Authority.PERSON: _("kunden"),
}


class SaysWhoseWord:
    """Tells staff whose word something rests on."""

    @admin.display(description=_("vems ord"))
    def whose(self, row: Event | Standing) -> str:
        """Return whose word it is."""
        return str(WORD_OF[Authority(row.authority)])


class WhoseFilter(admin.SimpleListFilter):
    title = _("vems ord")
    parameter_name = "authority"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer whose word it is as staff say it."""
        return [(str(authority.value), word) for authority, word in WORD_OF.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what rests on the word that was chosen."""
        chosen = {value for value, _word in self.lookup_choices}
        return queryset.filter(authority=self.value()) if self.value() in chosen else queryset


class StandingInline(SaysWhoseWord, ReadOnlyInline):
    model = Standing
    fields = ("purpose", "channel", "third_party", "permission", "said_no", "since", "whose")
    ordering = ("purpose", "channel")
    said_no = yes_or_no(_("har sagt nej"), "declined")


class ProcessingRecordInline(ReadOnlyInline):
    model = ProcessingRecord
    fields = ("purpose", "rests_on", "since", "until", "ended_on")
    ordering = ("purpose",)

    @admin.display(description=_("rättslig grund"))
    def rests_on(self, record: ProcessingRecord) -> str:
        """Return the legal basis in words."""
        return str(BASES[Basis(record.basis)])

    @admin.display(description=_("till och med"))
    def until(self, record: ProcessingRecord) -> str:
        """Return the last day, in words where none is known."""
        if record.retain_until >= FAR:
            return str(_("Utan slut än så länge"))
        return words.full_day(record.retain_until)


class SaysWhatItCovers:
    """An entry without purpose speaks of all of them, one without channel of every channel."""

    @admin.display(description=_("ändamål"))
    def about(self, event: Event) -> str:
        """Return the purpose in words."""
        return event.get_purpose_display() if event.purpose else str(_("Alla"))

    @admin.display(description=_("kanal"))
    def by(self, event: Event) -> str:
        """Return the channel in words."""
        return event.get_channel_display() if event.channel else str(_("Alla"))


class EventInline(SaysWhatItCovers, SaysWhoseWord, ReadOnlyInline):
    model = Event
    fields = ("at", "kind", "about", "by", "third_party", "collected", "wording", "whose")
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch the wordings along."""
        return super().get_queryset(request).select_related("notice__policy_version")

    @admin.display(description=_("ordalydelse"))
    def wording(self, event: Event) -> str:
        """Return the version and language of what the person was shown or read (INF-01)."""
        if event.notice is None:
            return ""
        return f"{event.notice.policy_version.version}, {event.notice.language}"


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnlyAdmin):
    list_display = ("version", "effective_on", "published_at")
    ordering = ("-effective_on", "-pk")
    fields = ("version", "effective_on", "published_at", "catalogue_hash")


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("policy_version", "collected", "language")
    list_filter = ("collected", "language")
    list_select_related = ("policy_version",)
    ordering = ("-policy_version__effective_on", "collected", "language")
    fields = ("policy_version", "collected", "language", "text", "content_hash")


def _evidence(event: Event) -> str:
    found = Event.objects.filter(pk=event.pk).values_list("detail__evidence", flat=True)
    return found.get() or ""


@admin.register(Event)
class EventAdmin(SaysWhatItCovers, SaysWhoseWord, TracedAdmin):
    """The ledger; entries stay when the person is gone, so no list joins to people."""

    list_display = ("at", "kind", "about", "by", "collected", "whose")
    list_filter = ("kind", "channel", WhoseFilter)
    ordering = ("-pk",)
    evidence = shown(_("underlag"), _evidence)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Show the words behind an entry only to those who may read them."""
        may_read = request.user.has_perm("consent.view_eventdetail")
        return (
            "id",
            "at",
            "person",
            "kind",
            "about",
            "by",
            "third_party",
            "ground",
            "collected",
            "whose",
            "notice",
            *(("evidence",) if may_read else ()),
            "fingerprint",
        )

    def person_of(self, row: Event) -> Customer | None:
        """Return the person behind the pseudonym, None when they are gone."""
        return Customer.objects.filter(pseudonym=row.customer_id).first()

    @admin.display(description=_("kund"))
    def person(self, event: Event) -> str:
        """Return the customer number."""
        found = self.person_of(event)
        return found.number if found else str(GONE)

    @admin.display(description=_("fingeravtryck"))
    def fingerprint(self, event: Event) -> str:
        """Return the digest the database made of the entry."""
        return bytes(event.digest).hex()


@admin.register(Standing)
class StandingAdmin(SaysWhoseWord, TracedAdmin):
    list_display = ("number", "purpose", "channel", "permission", "said_no", "since")
    list_filter = ("permission", "channel", "declined")
    ordering = ("-pk",)
    fields = (
        "customer",
        "purpose",
        "channel",
        "third_party",
        "permission",
        "said_no",
        "since",
        "whose",
        "event",
    )
    said_no = yes_or_no(_("har sagt nej"), "declined")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Standing]:
        """Fetch the people along, for their numbers."""
        return super().get_queryset(request).select_related("customer")

    @admin.display(description=_("kund"))
    def number(self, standing: Standing) -> Any:
        """Return the customer number."""
        return standing.customer.number
