"""Saying no without signing in: a page that a scanner may open, and a POST that acts at once.

Whoever has the link sees which ways of advertising are open, and no word about the person.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from redis.exceptions import RedisError

from consent import actions
from consent.choice_words import BY, ICONS
from consent.choices import decisions
from consent.models import Standing
from consent.unsubscribe import ONE_CLICK, WAYS, Link, NoSuchLinkError
from consent.unsubscribe_forms import LetterCodeForm
from customers.dates import today
from customers.models import Customer
from customers.models.channels import Channel, Collected

EVERYTHING = "allt"


@dataclass(frozen=True)
class Way:
    """One way of reaching a person, as a row of the page."""

    channel: Channel
    # Whether advertising comes this way now, and whether a no to it has been said.
    comes: bool
    declined: bool

    @property
    def icon(self) -> str:
        return ICONS[self.channel]

    @property
    def how(self) -> str:
        return str(BY[self.channel])

    @property
    def said(self) -> str:
        if self.declined:
            return _("Du har sagt nej.")
        return _("Du kan få reklam.") if self.comes else _("Du får ingen reklam nu.")


@csrf_exempt  # the link is the proof, and mail programs bring no cookie (RFC 8058)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the link ends; a POST ends it, with one click from a mail program too (CON-03)."""
    spoken = request.GET.get("lang", "")
    language = spoken if spoken in dict(settings.LANGUAGES) else translation.get_language()
    with translation.override(language):
        response = _answer(request, token)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _answer(request: HttpRequest, token: str) -> HttpResponse:
    try:
        link = Link.read(token)
    except NoSuchLinkError:
        if _too_often(request, "unsubscribe_wrong"):
            return _page(request, "429.html", {}, status=429)
        return _page(request, "consent/unsubscribe_unknown.html", {}, status=404)
    customer = Customer.objects.filter(public_id=link.public_id).first()
    if customer is None or not (customer.name or customer.email or customer.phone):
        return _page(request, "consent/unsubscribe_gone.html", {})
    done = ""
    if request.method == "POST":
        if _too_often(request, "unsubscribe", token):
            return _page(request, "429.html", {}, status=429)
        done = _act(request, customer, link)
        if not done:
            return _page(request, "400.html", {}, status=400)
    return _page(request, "consent/unsubscribe.html", _shown(customer, link, done))


def _act(request: HttpRequest, customer: Customer, link: Link) -> str:
    """Record the no that was posted and say what it did; empty when it was none."""
    name, value = ONE_CLICK
    one_click = request.POST.get(name) == value
    asked = link.channel or EVERYTHING if one_click else request.POST.get("stop", "")
    if asked == EVERYTHING:
        said = _("Stoppa all reklam")
        channel, done = "", _("Klart. Ingen mer reklam från nu, på något sätt.")
    elif asked in WAYS:
        channel, how = asked, BY[Channel(asked)]
        said = _("Stoppa reklam %(how)s") % {"how": how}
        done = _("Klart. Ingen mer reklam %(how)s från nu.") % {"how": how}
    else:
        return ""
    evidence = f"{said} (RFC 8058)" if one_click else said
    came_by = Collected.POST if link.channel == Channel.POST else Collected.EMAIL
    actions.unsubscribe(customer, channel, collected=came_by, evidence=evidence)
    return done


def _shown(customer: Customer, link: Link, done: str) -> dict[str, Any]:
    """Return what the page shows: the ways the link speaks of, and what is left to stop."""
    on = today()
    found = {use: choice for use, choice in decisions(customer).items() if use.of.is_marketing}
    standings = Standing.objects.filter(customer=customer)
    declined = set(standings.filter(declined=True).values_list("purpose", "channel"))
    partners = set(
        standings.filter(declined=False).exclude(third_party="").values_list("channel", flat=True)
    )
    left = {use.channel for use in found if (use.purpose, use.channel) not in declined} | partners
    coming = {use.channel for use, choice in found.items() if choice.allowed(on)} | partners
    ways = [Way(channel, channel in coming, channel not in left) for channel in WAYS]
    one = next((way for way in ways if way.channel == link.channel), None)
    return {"one": one, "ways": ways, "anything_left": bool(left), "done": done}


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Draw a page that says nothing of who is signed in, who may be somebody else."""
    other = "sv" if (translation.get_language() or "").startswith("en") else "en"
    shown = {**context, "user": AnonymousUser(), "other_language": other}
    return render(request, template, shown, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def type_code(request: HttpRequest) -> HttpResponse:
    """Take the code of a letter to the page that acts."""
    form = LetterCodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if _too_often(request, "unsubscribe_wrong"):
            return render(request, "429.html", status=429)
        if form.is_valid():
            link = Link(form.found.public_id, Channel.POST.value)
            return redirect("unsubscribe:stop", link.token())
    status = 422 if form.is_bound else 200
    return render(request, "consent/unsubscribe_code.html", {"form": form}, status=status)


def _too_often(request: HttpRequest, action: str, key: str | None = None) -> bool:
    """Count a try; when nothing can be counted, a no still gets through."""
    with suppress(RedisError):
        return not ratelimit.consume(request, action=action, key=key)
    return False
