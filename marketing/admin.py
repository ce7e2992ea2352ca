"""Campaigns as staff work with them: written by one, approved by another, seen while they run."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import words
from customers.dates import today
from customers.models import User
from customers.staff import StaffAdmin
from marketing import actions
from marketing.actions import CampaignError
from marketing.forms import CampaignForm, UseForm
from marketing.models import Campaign
from marketing.rules import Audience, Progress, count_audience

REFRESH_SECONDS = 10


@admin.register(Campaign)
class CampaignAdmin(StaffAdmin):
    """Campaigns. A draft can be changed; from then on only approved, sent and stopped."""

    form = CampaignForm
    list_display = ("name", "purpose", "channel", "status", "written", "people")
    list_filter = ("status", "channel")
    ordering = ("-created_at",)
    change_form_template = "marketing/campaign.html"
    change_list_template = "marketing/campaigns.html"
    fields = CampaignForm.Meta.fields

    @admin.display(description=_("skriven"))
    def written(self, campaign: Campaign) -> str:
        """Return the day it was written."""
        return words.day(campaign.created_at)

    @admin.display(description=_("nås"))
    def people(self, campaign: Campaign) -> str:
        """Return how many it reached, counted when it began."""
        return (
            gettext("Inte räknat") if campaign.reached is None else words.figures(campaign.reached)
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let who may write change a draft and nothing else."""
        draft = obj is None or obj.status == Campaign.Status.DRAFT
        return draft and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        """Keep it by its own act."""
        actions.draft(obj, _staff(request))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the words, how far it has come, who gets it and what can be done now."""
        campaign = self.get_object(request, object_id)
        if campaign is None or not self.has_view_or_change_permission(request, campaign):
            return super().change_view(request, object_id, form_url, extra_context)
        context = {**_state(campaign, request), **(extra_context or {})}
        response = super().change_view(request, object_id, form_url, context)
        if campaign.status == Campaign.Status.RUNNING:
            response["Refresh"] = str(REFRESH_SECONDS)
        return response

    def get_urls(self) -> list[URLPattern]:
        """Add the page of audiences and the three acts."""
        wrap = self.admin_site.admin_view
        return [
            path("malgrupp/", wrap(self.audience_view), name="marketing_campaign_audience"),
            *(
                path(f"<uuid:pk>/{slug}/", wrap(view), name=f"marketing_campaign_{name}")
                for slug, name, view in (
                    ("godkann", "approve", self.approve_view),
                    ("skicka", "start", self.start_view),
                    ("stoppa", "stop", self.stop_view),
                )
            ),
            *super().get_urls(),
        ]

    def audience_view(self, request: HttpRequest) -> HttpResponse:
        """Show how many a purpose reaches by a channel, and why the others are left out."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = UseForm(request.GET or {"purpose": "H", "channel": "email"})
        audience = count_audience(form.use(), today()) if form.is_valid() else None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Målgrupp"),
            "form": form,
            "audience": audience,
            "day": today(),
        }
        return TemplateResponse(request, "marketing/audience.html", context)

    def approve_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Approve what somebody else wrote."""
        return self._act(
            request,
            pk,
            "approve",
            lambda: actions.approve(pk, _staff(request), read=request.POST.get("read", "")),
            gettext("Klart. Kampanjen är godkänd och kan skickas."),
        )

    def start_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Send what is approved."""
        return self._act(
            request,
            pk,
            "change",
            lambda: actions.start(pk),
            gettext("Klart. Kampanjen skickas nu till dem som får nås."),
        )

    def stop_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Stop what runs, or will never run."""
        return self._act(
            request,
            pk,
            "stop",
            lambda: actions.stop(pk),
            gettext("Klart. Det som inte hunnit gå är stoppat."),
        )

    def _act(
        self,
        request: HttpRequest,
        pk: UUID,
        right: str,
        act: Callable[[], Campaign],
        done: str,
    ) -> HttpResponse:
        """Do one act by POST for who has the right, say how it went and return to the campaign."""
        page = redirect("admin:marketing_campaign_change", pk)
        if not request.user.has_perm(f"marketing.{right}_campaign"):
            raise PermissionDenied
        if request.method != "POST":
            return page
        try:
            campaign = act()
        except Campaign.DoesNotExist as missing:
            raise Http404 from missing
        except CampaignError as refused:
            messages.error(request, str(refused))
        else:
            self.log_change(request, campaign, campaign.get_status_display())
            messages.success(request, done)
        return page


def _staff(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _state(campaign: Campaign, request: HttpRequest) -> dict[str, Any]:
    """Return what the page of a campaign shows beside its words."""
    if campaign.reached is None:
        audience = count_audience(campaign.use, today())
    else:
        audience = Audience(campaign.reached, campaign.left_out)
    progress = Progress(audience.reached, actions.progress(campaign))
    return {
        "audience": audience,
        "progress": progress if campaign.started_at else None,
        "acts": _acts(campaign, request),
    }


def _acts(campaign: Campaign, request: HttpRequest) -> list[dict[str, str]]:
    """Return the acts that are open to who asks, the one that leads on first."""
    status = Campaign.Status(campaign.status)
    offered = (
        ("approve", "approve", gettext("Godkänn"), status is Campaign.Status.DRAFT),
        ("start", "change", gettext("Skicka nu"), status is Campaign.Status.APPROVED),
        (
            "stop",
            "stop",
            gettext("Stoppa kampanjen"),
            status in (Campaign.Status.APPROVED, Campaign.Status.RUNNING, Campaign.Status.DRAFT),
        ),
    )
    return [
        {"url": reverse(f"admin:marketing_campaign_{name}", args=[campaign.pk]), "label": label}
        for name, right, label, is_open in offered
        if is_open
        and request.user.has_perm(f"marketing.{right}_campaign")
        and not (name == "approve" and campaign.drafted_by_id == request.user.pk)
    ]
