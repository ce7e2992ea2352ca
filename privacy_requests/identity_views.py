"""Visa att det är du: one page with the ways that are open to this person, and the way back."""

from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from redis.exceptions import RedisError

from customers.decorators import act, customer_required
from customers.models import Customer
from privacy_requests import brokers, identity, proof_codes
from privacy_requests.brokers import Broker
from privacy_requests.forms import ProofCodeForm
from privacy_requests.models import ProvedBy
from privacy_requests.proof_codes import NoLetterError, Verdict

HERE = "privacy_requests:identify"


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def identify(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show the ways to show who one is, or take the code that was typed."""
    if identity.proven(request, customer) is not None:
        # Also who clicked twice, or came back by the browser's button.
        return redirect(identity.way_back(request))
    form = ProofCodeForm(request.POST or None)
    if request.method != "POST":
        return _page(request, customer, form)
    if form.is_valid():
        verdict, method = proof_codes.spend(customer, form.cleaned_data["code"])
        if method is not None:
            identity.prove(request, customer, method)
            return redirect(identity.way_back(request))
        form.add_error(
            "code",
            _("Koden stämmer inte. Titta noga och skriv den igen.")
            if verdict is Verdict.WRONG
            else _("Den koden gäller inte. Be om en ny, eller visa vem du är på ett annat sätt."),
        )
    return _page(request, customer, form, status=422)


def _page(
    request: HttpRequest,
    customer: Customer,
    form: ProofCodeForm,
    *,
    wrong: str = "",
    status: int = 200,
) -> HttpResponse:
    knows = brokers.can_show(customer)
    letter = proof_codes.letter_of(customer)
    no_letter = proof_codes.why_no_letter(customer)
    on_its_way = letter is not None and letter.again_from > timezone.now()
    context: dict[str, Any] = {
        "form": form,
        "wrong": wrong,
        "minutes": int(identity.FRESH.total_seconds() // 60),
        "brokers": list(brokers.offered().values()) if knows else [],
        "unknown": bool(settings.IDENTITY_BROKERS) and not knows,
        "letter": letter,
        "no_letter": no_letter,
        "may_send": not on_its_way and not no_letter,
        "letter_days": proof_codes.LETTER_WORKS.days,
    }
    return render(request, "privacy_requests/identify.html", context, status=status)


@act(HERE)
@customer_required
def identify_letter(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Send a code by letter; a second click finds the letter that is on its way (B06)."""
    try:
        sent = proof_codes.send_letter(customer)
    except NoLetterError as why:
        return _page(request, customer, ProofCodeForm(), wrong=str(why), status=409)
    if sent:
        messages.success(request, _("Klart. Brevet går med nästa post."))
    else:
        messages.info(request, _("Ett brev är redan på väg till dig. Vi skickar inget till."))
    return redirect(HERE)


# By e-identification


def _broker(slug: str) -> Broker:
    found = brokers.offered().get(slug)
    if found is None:
        raise Http404
    return found


def _callback(broker: Broker) -> str:
    """Return the address that the broker leads back to; from SITE_URL and no header (A14)."""
    return settings.SITE_URL + reverse("privacy_requests:identify_answer", args=[broker.slug])


@act(HERE)
@customer_required
def identify_broker(request: HttpRequest, customer: Customer, broker: str) -> HttpResponse:
    """Lead to the broker.

    By a page that goes on by itself: browsers hold what a form leads to against `form-action`.
    """
    chosen = _broker(broker)
    if not brokers.can_show(customer):
        return redirect(HERE)
    try:
        if not ratelimit.consume(request, action="start_identity"):
            return render(request, "429.html", status=429)
        address = brokers.begin(request, chosen, _callback(chosen))
    except RedisError:
        return _down(request, customer, chosen)  # without the counter nobody goes on (A05)
    except brokers.BrokerDownError:
        return _down(request, customer, chosen)
    context = {"name": chosen.name, "address": address}
    response = render(request, "privacy_requests/identify_onward.html", context)
    response["Refresh"] = f"0; url={address}"
    return response


def _down(request: HttpRequest, customer: Customer, broker: Broker) -> HttpResponse:
    wrong = _("%(name)s svarar inte just nu. Försök igen om en stund.") % {"name": broker.name}
    return _page(request, customer, ProofCodeForm(), wrong=wrong, status=503)


@require_safe
@customer_required
def identify_answer(request: HttpRequest, customer: Customer, broker: str) -> HttpResponse:
    """Take the broker's answer; only one that this session asked for counts, and once."""
    chosen = _broker(broker)
    name = {"name": chosen.name}
    try:
        level = brokers.finish(request, chosen, _callback(chosen), customer)
    except brokers.StaleAnswerError:
        if identity.proven(request, customer) is not None:
            return redirect(identity.way_back(request))
        wrong, status = _("Det svaret gäller inte längre. Börja om härifrån."), 400
    except brokers.CancelledError:
        wrong, status = _("Du avbröt i %(name)s. Börja om, eller välj ett annat sätt.") % name, 403
    except brokers.NotThemError:
        wrong = _("Svaret från %(name)s visar inte att det är du. Börja om, eller ring oss.") % name
        status = 403
    except brokers.BrokerDownError:
        return _down(request, customer, chosen)
    else:
        identity.prove(request, customer, ProvedBy.EID, level)
        return redirect(identity.way_back(request))
    return _page(request, customer, ProofCodeForm(), wrong=wrong, status=status)
