"""Mina val: every choice acts at once, and a no is as easy as a yes."""

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from consent import actions
from consent.choices import (
    ads,
    asks_for_wording,
    decisions,
    groups,
    history,
    is_open_to_a_yes,
    lets_us,
    row_id,
    shown,
    wording,
)
from consent.purposes import Use, chosen_uses
from customers.dates import today
from customers.decorators import act, customer_required
from customers.models import Customer

EVERYTHING = "allt"


@require_safe
@customer_required
def choices(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show every choice with what it does."""
    on, found = today(), decisions(customer)
    saved = request.GET.get("sparat", "")
    channels = ads(found, on)
    stopped = _("Klart. Ingen mer reklam från nu. Fakturor och leveransbesked får du ändå.")
    return render(
        request,
        "consent/choices.html",
        {
            "ads": channels,
            "stopped": stopped if saved == EVERYTHING and not channels else "",
            "stop_url": reverse("consent:stop_all"),
            "groups": groups(customer, found, on, saved),
            "history": history(customer),
        },
    )


@act("consent:choices")
@customer_required
def stop_all(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Stop all marketing, without a question (OBJ-01)."""
    actions.stop_all_marketing(customer)
    return redirect(f"{reverse('consent:choices')}?sparat={EVERYTHING}")


@act("consent:choices")
@customer_required
def choose(request: HttpRequest, customer: Customer, purpose: str, channel: str) -> HttpResponse:
    """Record a yes or a no to one use; a yes that asks for it shows its wording first."""
    use, answer = _use(purpose, channel), request.POST.get("answer")
    if answer not in ("yes", "no"):
        raise BadRequest("An answer is yes or no.")
    if answer == "no":
        actions.choose(customer, use, yes=False)
    elif not is_open_to_a_yes(customer, use, today()):
        pass  # the row says why; words that offered nothing are no proof of a yes (CON-02)
    elif asks_for_wording(use):
        words = wording(customer, use, today())
        if request.POST.get("version") != _version(words):
            return redirect("consent:say_yes", purpose=purpose, channel=channel)
        actions.choose(customer, use, yes=True, evidence="\n".join(words))
    else:
        actions.choose(customer, use, yes=True, evidence=shown(customer, use, today()))
    return _back_to(use)


@require_safe
@customer_required
def say_yes(request: HttpRequest, customer: Customer, purpose: str, channel: str) -> HttpResponse:
    """Show the full wording of a yes before it is given (CON-01)."""
    use, on = _use(purpose, channel), today()
    if not is_open_to_a_yes(customer, use, on):
        return _back_to(use)
    words = wording(customer, use, on)
    return render(
        request,
        "consent/say_yes.html",
        {
            "question": _("Får vi %(what)s?") % {"what": lets_us(use)},
            "answer": _(
                "Läs vad du säger ja till. Det gäller direkt, och du tar tillbaka det med ett "
                "klick på samma ställe."
            ),
            "wording": words,
            "url": reverse("consent:choose", args=[use.purpose, use.channel]),
            "version": _version(words),
        },
    )


def _use(purpose: str, channel: str) -> Use:
    """Return a use that people decide about; anything else does not exist."""
    for use in chosen_uses():
        if (use.purpose, use.channel) == (purpose, channel):
            return use
    raise Http404


def _version(words: list[str]) -> str:
    """Name the wording that was shown, so that a yes is to those words and no others."""
    return salted_hmac("consent wording", "\n".join(words), settings.SECRET_KEY).hexdigest()


def _back_to(use: Use) -> HttpResponseRedirect:
    row = row_id(use)
    return HttpResponseRedirect(f"{reverse('consent:choices')}?sparat={row}#{row}")
