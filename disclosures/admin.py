"""What staff see of what we send: where it stands, and the words only where they may be read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.staff import TracedAdmin, shown
from disclosures.models import Outbox
from disclosures.recipient_admin import (
    AdequacyAdmin,
    AgreementAdmin,
    DisclosureAdmin,
    RecipientAdmin,
    RecipientNoticeAdmin,
)

__all__ = [
    "AdequacyAdmin",
    "AgreementAdmin",
    "DisclosureAdmin",
    "RecipientAdmin",
    "RecipientNoticeAdmin",
]

# Codes are nobody's to read but the person's (D09), nor are links that act for whoever has them.
SECRET = _("Innehåller en kod och visas inte")
LINKED = ("email_changed",)


def _is_secret(message: Outbox) -> bool:
    return message.template.endswith("code") or message.template in LINKED


@admin.register(Outbox)
class OutboxAdmin(TracedAdmin):
    list_display = ("created_at", "kind", "template", "purpose", "status", "attempts")
    list_filter = ("status", "kind")
    ordering = ("-created_at",)
    to = shown(_("till"), lambda message: message.recipient)
    heading = shown(_("ämne"), lambda message: message.subject)
    text = shown(_("text"), lambda message: SECRET if _is_secret(message) else message.body)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Show address and words only to those who may read messages."""
        words = ("to", "heading", "text") if _may_read(request) else ()
        return (
            "kind",
            "customer",
            "purpose",
            "template",
            *words,
            "language",
            "status",
            "attempts",
            "created_at",
            "finished_at",
            "last_day",
        )


def _may_read(request: HttpRequest) -> bool:
    return request.user.has_perm("customers.read_messages")
