"""What the data protection officer sees to: balancing records, and how old our copy of NIX is."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from consent.balancing import BalancingError, approve_balance, record_balance
from consent.groundwork import REVIEW_MONTHS, BalancingRecord, NixSnapshot
from customers import words
from customers.dates import add_months, today
from customers.models import User
from customers.staff import ReadOnlyAdmin

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[BalancingRecord]
else:
    ModelForm = forms.ModelForm


class BalancingForm(ModelForm):
    """A proposal; the review is due within 24 months (LAW-02)."""

    class Meta:
        model = BalancingRecord
        fields = ("purpose", "interest", "necessity", "balance", "owner", "review_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner: Any = self.fields.get("owner")
        if owner is not None:
            owner.queryset = User.objects.filter(is_staff=True, is_active=True).order_by("email")
            owner.label_from_instance = lambda user: user.email

    def clean(self) -> dict[str, Any] | None:
        """Refuse a review that is past or too far ahead."""
        found = super().clean() or self.cleaned_data
        review = found.get("review_on")
        latest = add_months(today(), REVIEW_MONTHS)
        if review is not None and not today() <= review <= latest:
            self.add_error(
                "review_on",
                gettext("Skriv en dag från i dag till och med %(day)s.")
                % {"day": words.day(latest)},
            )
        return found


def _mail_of(user_id: int | None) -> str:
    """Return the address of an account, which may be gone."""
    if user_id is None:
        return ""
    return User.objects.filter(pk=user_id).values_list("email", flat=True).first() or ""


@admin.register(BalancingRecord)
class BalancingRecordAdmin(ReadOnlyAdmin):
    """Written and approved, never edited; approval is a row of its own."""

    form = BalancingForm
    list_display = ("purpose", "decided_on", "is_approved", "review")
    list_filter = ("purpose",)
    ordering = ("purpose", "-decided_on", "-pk")
    actions = ("approve",)
    fields = (
        "purpose",
        "interest",
        "necessity",
        "balance",
        "owned_by",
        "approved",
        "decided_on",
        "review_on",
    )

    @admin.display(description=_("godkänd"), boolean=True)
    def is_approved(self, record: BalancingRecord) -> bool:
        """Say whether it is approved."""
        return record.approved_by_id is not None

    @admin.display(description=_("ska prövas på nytt senast"))
    def review(self, record: BalancingRecord) -> str:
        """Return the day of review, said when it has passed."""
        day = words.day(record.review_on)
        late = record.review_on < today()
        return gettext("%(day)s, skulle ha omprövats") % {"day": day} if late else day

    @admin.display(description=_("ansvarig"))
    def owned_by(self, record: BalancingRecord) -> str:
        """Return whose it is."""
        return _mail_of(record.owner_id) or gettext("Kontot finns inte längre")

    @admin.display(description=_("godkänd av"))
    def approved(self, record: BalancingRecord) -> str:
        """Return who approved it."""
        if record.approved_by_id is None:
            return gettext("Ingen än")
        return _mail_of(record.approved_by_id) or gettext("Kontot finns inte längre")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let who may write proposals write them."""
        return request.user.has_perm("consent.add_balancingrecord")

    def has_approve_permission(self, request: HttpRequest) -> bool:
        """Let who may approve do so; the act itself refuses the owner."""
        return request.user.has_perm("consent.approve_balancingrecord")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for what a proposal needs; show all of it afterwards."""
        return BalancingForm.Meta.fields if obj is None else self.fields

    def save_model(
        self, request: HttpRequest, obj: BalancingRecord, form: Any, change: bool
    ) -> None:
        """Write the proposal by its own act."""
        written = record_balance(
            obj.purpose,
            owner=obj.owner,
            interest=obj.interest,
            necessity=obj.necessity,
            balance=obj.balance,
            review_on=obj.review_on,
        )
        obj.pk, obj.decided_on = written.pk, written.decided_on

    @admin.action(description=_("Godkänn"), permissions=["approve"])
    def approve(
        self, request: HttpRequest, queryset: QuerySet[BalancingRecord]
    ) -> HttpResponse | None:
        """Approve the proposals that are chosen."""
        for proposal in queryset:
            if not isinstance(request.user, User):
                continue
            about = {"purpose": proposal.get_purpose_display()}
            try:
                approved = approve_balance(proposal, by=request.user)
            except BalancingError:
                messages.warning(
                    request,
                    gettext(
                        "Avvägningen för ”%(purpose)s” är godkänd redan, eller så är du själv "
                        "ansvarig för den. Be någon annan godkänna den."
                    )
                    % about,
                )
                continue
            self.log_addition(request, approved, gettext("Intresseavvägning godkänd"))
            messages.success(
                request, gettext("Klart. Avvägningen för ”%(purpose)s” gäller från nu.") % about
            )
        return None


@admin.register(NixSnapshot)
class NixSnapshotAdmin(ReadOnlyAdmin):
    list_display = ("register", "taken_on", "entries", "loaded_at")
    list_filter = ("register",)
    ordering = ("-taken_on", "-pk")
    fields = ("register", "taken_on", "entries", "loaded_at")
