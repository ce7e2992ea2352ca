"""Template tags for what every page shows: icons, tabs, who is responsible, the chosen theme."""

from typing import Any, NamedTuple

from django import template
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from customers import words

register = template.Library()

THEME_COOKIE = "theme"
THEMES = ("light", "dark")


class Tab(NamedTuple):
    """One tab of Min sida and the other pages that belong under it."""

    name: str | Promise
    view: str
    under: tuple[str, ...] = ()


TABS = (
    Tab(_("Översikt"), "overview"),
    Tab(_("Mina uppgifter"), "my_data", ("edit_field",)),
    Tab(_("Mina val"), "consent:choices", ("consent:say_yes", "consent:receipt")),
    Tab(_("Vem har fått dem?"), "disclosures:recipients"),
    Tab(_("Hur länge?"), "retention:how_long"),
    Tab(
        _("Mina ärenden"),
        "privacy_requests:cases",
        ("privacy_requests:objection", "privacy_requests:restriction"),
    ),
    Tab(_("Mer"), "more"),
)


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon of the sprite; words always stand beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("icons.svg"),
        name,
    )


@register.simple_tag
def chevron() -> SafeString:
    """Draw the mark of something that opens in place."""
    return format_html(
        '<svg class="icon chevron" aria-hidden="true"><use href="{}#chevron-down"></use></svg>',
        static("icons.svg"),
    )


@register.inclusion_tag("components/tabs.html", takes_context=True)
def tabs(context: dict[str, Any], label: str) -> dict[str, Any]:
    """List the tabs, the page one is on marked."""
    request: HttpRequest | None = context.get("request")
    match = getattr(request, "resolver_match", None)
    here = match.view_name if match else ""
    return {
        "label": label,
        "tabs": [
            {
                "name": tab.name,
                "url": reverse(tab.view),
                "current": "page" if here == tab.view else "true" if here in tab.under else "",
            }
            for tab in TABS
        ],
    }


@register.simple_tag
def controller() -> dict[str, str]:
    """Tell who answers for the personal data (P32)."""
    return words.controller()


@register.simple_tag(takes_context=True)
def theme(context: dict[str, Any]) -> str:
    """Tell the theme the person has chosen, empty when the device decides."""
    request: HttpRequest | None = context.get("request")
    chosen = request.COOKIES.get(THEME_COOKIE, "") if request else ""
    return chosen if chosen in THEMES else ""
