"""Mina val: every choice acts at once, and a no is as easy as a yes."""

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from consent import actions
from consent.choices import (
    ads,
    asks_for_wording,
    can_stop,
    decisions,
    groups,
    history,
    is_open_to_a_yes,
    lets_us,
    row_id,
    shown,
    version,
    worded,
    wording,
)
from consent.models import Standing
from consent.partner_choices import has_a_live_yes, partners
from consent.purposes import CATALOGUE, Use, chosen_uses
from consent.rules import may_process
from customers.dates import today
from customers.decorators import act, customer_required
from customers.models import Customer
from customers.models.people import Restriction

EVERYTHING = "allt"
NAMED = tuple(purpose.code for purpose in CATALOGUE if purpose.named_third_party)


@require_safe
@customer_required
def choices(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show every choice with what it does."""
    on, found = today(), decisions(customer)
    saved, changed = request.GET.get("sparat", ""), request.GET.get("nytt", "")
    channels, companies = ads(found, on), partners(customer, saved)
    stopped = _("Klart. Ingen mer reklam från nu. Fakturor och leveransbesked får du ändå.")
    return render(
        request,
        "consent/choices.html",
        {
            "ads": channels,
            "stopped": stopped if saved == EVERYTHING and not channels else "",
            "stop_url": reverse("consent:stop_all"),
            "limited": customer.restriction != Restriction.NONE,
            "companies": has_a_live_yes(companies),
            "can_stop": can_stop(customer),
            "groups": [*groups(customer, found, on, saved, changed), companies],
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
    # Words that offered nothing are no proof of a yes (CON-02); the row says why.
    elif is_open_to_a_yes(customer, use, today()):
        return _answer_yes(customer, use, request.POST.get("version", ""))
    return _back_to(use)


def _answer_yes(customer: Customer, use: Use, read: str) -> HttpResponse:
    """Record a yes to the words the person had before them; to any others they are asked anew."""
    if actions.answers_yes(may_process(customer.pk, use)):
        return _back_to(use)
    in_full, notice = asks_for_wording(use), worded(customer)
    words = wording(customer, use, today()) if in_full else [shown(customer, use, today())]
    if read != version(words, notice):
        if in_full:
            page = reverse("consent:say_yes", args=[use.purpose, use.channel])
            return redirect(f"{page}?nytt=1" if read else page)
        return _back_to(use, "nytt")
    actions.choose(customer, use, yes=True, evidence="\n".join(words), notice=notice)
    return _back_to(use)


@act("consent:choices")
@customer_required
def choose_partner(
    request: HttpRequest, customer: Customer, channel: str, company: str
) -> HttpResponse:
    """Take back the yes to one named company; a yes says itself where its words are (PAR-01)."""
    found = Standing.objects.filter(
        customer=customer, purpose__in=NAMED, channel=channel, third_party=company
    ).first()
    answer = request.POST.get("answer")
    if found is None:
        raise Http404
    if answer not in ("yes", "no"):
        raise BadRequest("An answer is yes or no.")
    use = Use(found.purpose, found.channel, found.third_party)
    if answer == "no":
        actions.choose(customer, use, yes=False)
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
            "version": version(words, worded(customer)),
            "changed": "nytt" in request.GET,
        },
    )


def _use(purpose: str, channel: str) -> Use:
    """Return a use that people decide about; anything else does not exist."""
    for use in chosen_uses():
        if (use.purpose, use.channel) == (purpose, channel):
            return use
    raise Http404


def _back_to(use: Use, told: str = "sparat") -> HttpResponseRedirect:
    row = row_id(use)
    return HttpResponseRedirect(f"{reverse('consent:choices')}?{told}={row}#{row}")
