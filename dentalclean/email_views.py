"""The pages of a change of e-mail: ask, confirm, and take it back from the old address."""

from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from redis.exceptions import RedisError

from customers.decorators import customer_required
from customers.models import Customer
from customers.words import moment
from dentalclean.actions import AddressTakenError
from dentalclean.email_changes import (
    AlreadyRevertedError,
    NoSuchChangeError,
    TooLateError,
    ask_change,
    confirm,
    find,
    revert,
)
from dentalclean.forms import EDITS, EmailCodeForm, initial
from dentalclean.sign_in import too_many
from dentalclean.views import edit_page, fresh_if_protected, taken
from privacy_requests import identity
from privacy_requests.identity import identity_required
from privacy_requests.models import EmailChange
from privacy_requests.proof_codes import Verdict

CHANGE, REVERT = "email_change", "email_revert"
EDIT = EDITS["e-post"]


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
@fresh_if_protected
@identity_required
def edit_email(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Take a new address from whoever has just shown who they are, and mail a code to it."""
    if request.method != "POST":
        form = EDIT.form(initial=initial(customer, EDIT.form))
        return edit_page(request, customer, EDIT, form)
    form = EDIT.form(request.POST)
    if not form.is_valid():
        return edit_page(request, customer, EDIT, form)
    email = form.cleaned_data["email"]
    if email == customer.email:
        return redirect("my_data")
    try:
        if not ratelimit.consume(request, action="change_email"):
            return too_many(request)
    except RedisError:
        # Without the counter nobody asks through which addresses are taken (A05).
        return render(request, "account/unavailable.html", status=503)
    proof = identity.proven(request, customer)
    if proof is None:  # it grew old in this very moment
        return redirect("privacy_requests:identify")
    request.session[CHANGE] = ask_change(customer, email, proof).pk
    return redirect("confirm_email")


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def confirm_email(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Take the code that reached the new address; then it holds."""
    asked: int = request.session.get(CHANGE, 0)
    change = EmailChange.objects.filter(pk=asked, customer=customer).first()
    if change is not None and change.changed_at is not None:
        return _changed(request)  # a second click, or the browser's button
    if change is None or change.ended_at or change.valid_until < timezone.now():
        messages.error(request, _("Inget byte väntar på en kod. Skriv den nya adressen igen."))
        return redirect("my_data")
    form = EmailCodeForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            key = request.session.session_key
            try:
                verdict = confirm(change.pk, customer, form.cleaned_data["code"], key)
            except AddressTakenError:
                form.add_error("code", taken())
                status = 409
            else:
                if verdict is Verdict.RIGHT:
                    return _changed(request)
                form.add_error(
                    "code",
                    _("Koden stämmer inte. Skriv de sex siffrorna från mejlet till nya adressen.")
                    if verdict is Verdict.WRONG
                    else _("Koden gäller inte längre. Börja om med bytet under Mina uppgifter."),
                )
    context = {"form": form, "email": change.new, "until": change.valid_until}
    return render(request, "dentalclean/confirm_email.html", context, status=status)


def _changed(request: HttpRequest) -> HttpResponse:
    waits = identity.waits_until(request.user.customer)  # type: ignore[union-attr]
    said = _("Klart. Du loggar in med den nya adressen från nu. Andra enheter är utloggade.")
    if waits is not None:
        later = _("Ett utdrag kan du hämta igen %(when)s.") % {"when": moment(waits)}
        said = f"{said} {later}"
    request.session.pop(CHANGE, None)
    messages.success(request, said)
    return redirect("my_data")


# From the old address, without signing in


@never_cache
@require_safe
def revert_link(request: HttpRequest, token: str) -> HttpResponse:
    """Move the token out of the address before any page is shown (A13)."""
    request.session[REVERT] = token
    response = redirect("revert_email_page")
    response["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def revert_email(request: HttpRequest) -> HttpResponse:
    """Show what the link takes back; a POST does it."""
    try:
        if not ratelimit.consume(request, action="revert_email"):
            return too_many(request)
    except RedisError:
        return render(request, "account/unavailable.html", status=503)
    try:
        change = find(str(request.session.get(REVERT, "")))
    except NoSuchChangeError:
        return _reverted(request, "unknown", status=404)
    except TooLateError:
        return _reverted(request, "late", status=410)
    if change.reverted_at is not None:
        return _reverted(request, "done")
    if request.method != "POST":
        return _reverted(request, "ask", old=identity.masked(change.old))
    try:
        revert(change)
    except AlreadyRevertedError:
        return _reverted(request, "done")
    except AddressTakenError:
        return _reverted(request, "taken", status=409)
    return _reverted(request, "done")


def _reverted(request: HttpRequest, state: str, status: int = 200, **more: Any) -> HttpResponse:
    context = {"state": state, "phone": settings.CONTROLLER["phone"], **more}
    return render(request, "dentalclean/revert_email.html", context, status=status)
