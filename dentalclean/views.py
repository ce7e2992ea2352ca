"""The pages of Min sida that speak of everything."""

import time
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consent.choices import ads, decisions
from customers.actions import StaleError
from customers.dates import today
from customers.decorators import act, customer_required
from customers.models import Change, Customer
from customers.personal_data import Category
from customers.words import day, full_day, in_words, listed, night
from dentalclean import mailbox
from dentalclean.actions import (
    NothingToUndoError,
    change_own_details,
    last_change,
    undo,
)
from dentalclean.everything import holdings
from dentalclean.forms import EDITS, Edit, EditForm, initial
from dentalclean.middleware import SIGNED_IN_AT
from dentalclean.my_data.facts import source_words
from dentalclean.my_data.page import build, know
from dentalclean.templatetags.page import THEME_COOKIE, THEMES
from privacy_requests.models import Case, Extract
from retention import chart
from retention.rules import CalendarEntry, calendar

A_YEAR = 365 * 24 * 60 * 60
# How long a sign-in counts as just made, in seconds.
FRESH = 10 * 60

P = ParamSpec("P")


@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """Lead staff to their own pages and everyone else to Min sida."""
    user: Any = request.user
    if user.is_authenticated and user.is_staff and not hasattr(user, "customer"):
        return redirect("admin:index")
    return overview(request)


def fresh_if_protected(
    view: Callable[Concatenate[HttpRequest, Customer, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, Customer, P], HttpResponseBase]:
    """Show where a protected person is only just after they have signed in (B14)."""

    @wraps(view)
    def guarded(
        request: HttpRequest, customer: Customer, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        signed_in_for = time.time() - request.session.get(SIGNED_IN_AT, 0)
        if customer.protection and signed_in_for > FRESH:
            return render(request, "account/reauthenticate.html", status=403)
        return view(request, customer, *args, **kwargs)

    return guarded


# Översikt


@customer_required
def overview(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Answer the four questions in the person's own numbers."""
    now = today()
    entries = calendar(customer)
    channels = ads(decisions(customer), now)
    cases = list(Case.objects.filter(customer=customer).select_related("extract"))
    following = chart.following(entries, now)
    return render(
        request,
        "dentalclean/overview.html",
        {
            "greeting": customer.given_name,
            "kinds": len(entries),
            "ads": channels,
            "following": following
            and {
                "what": chart.thing(following.category, following.rows),
                "last_day": following.last_day,
            },
            "waiting": list(_waiting(cases)),
            "replies": {
                "know": _knows(entries),
                "ads": _gets(channels),
                "how_long": _keeps(entries),
                "cases": _asked(cases),
            },
            "may_edit": True,
        },
    )


def _waiting(cases: Iterable[Case]) -> Iterable[dict[str, Any]]:
    """Yield what waits: files to fetch first, then answers to come."""
    open_cases = [case for case in cases if case.closed_on is None or _file_of(case)]
    for case in sorted(open_cases, key=lambda case: _file_of(case) is None):
        file = _file_of(case)
        if file is not None:
            line = _("Finns till och med %(day)s. Sedan raderar vi filen.")
            yield {
                "icon_name": "download",
                "heading": _("Allt vi har om dig är klart att hämta"),
                "line": line % {"day": day(file.expires_on or today())},
                "url": reverse("privacy_requests:extract"),
                "action": _("Hämta utdraget"),
                "main": True,
            }
        elif case.closed_on is None:
            yield {
                "icon_name": "hourglass",
                "heading": _asked_for(case),
                "line": _("Vi svarar senast %(day)s.") % {"day": day(case.latest_on)},
                "url": reverse("privacy_requests:cases"),
                "action": _("Se ärendet"),
            }


def _asked_for(case: Case) -> str:
    if case.right == Case.Right.ACCESS:
        return _("Du har bett om allt vi har om dig")
    if case.right == Case.Right.ERASURE:
        return _("Du har bett oss radera dina uppgifter")
    return _("Du har bett oss: %(right)s") % {"right": case.get_right_display().lower()}


def _file_of(case: Case) -> Extract | None:
    """Return the case's file when it is ready."""
    file: Extract | None = getattr(case, "extract", None)
    if file is None or file.status != Extract.Status.READY or file.expires_on is None:
        return None
    return file if file.expires_on >= today() else None


def _knows(entries: list[CalendarEntry]) -> str:
    about = know({entry.category for entry in entries})
    number = capfirst(in_words(len(entries)))
    kinds = ngettext("%(number)s slags uppgifter.", "%(number)s slags uppgifter.", len(entries))
    return f"{about} " + kinds % {"number": number}


def _gets(channels: list[str]) -> str:
    if not channels:
        return _("Du får ingen reklam från oss.")
    said = _("Du får reklam med %(channels)s. Ett klick stoppar allt.")
    return said % {"channels": listed(channels)}


def _keeps(entries: list[CalendarEntry]) -> str:
    last = chart.last_of_all(entries)
    if last is not None:
        return _("Det sista raderas %(night)s.") % {"night": night(last)}
    if chart.waits(entries):
        return _("Det sista raderas när ett öppet ärende är klart.")
    invoices = next((e for e in entries if e.category is Category.INVOICES), None)
    said = _("Det mesta har vi så länge du är kund.")
    if invoices is None or invoices.until is None:
        return said
    law = _("Fakturorna måste stå kvar till %(day)s.") % {"day": full_day(invoices.until)}
    return f"{said} {law}"


def _asked(cases: list[Case]) -> str:
    going_on = sum(1 for case in cases if case.closed_on is None)
    done = len(cases) - going_on
    if not cases:
        return _("Du har inga ärenden.")
    parts = []
    if going_on:
        number = capfirst(in_words(going_on))
        parts.append(_("%(number)s pågår.") % {"number": number})
    if done:
        number = capfirst(in_words(done))
        said = ngettext("%(number)s är klart.", "%(number)s är klara.", done)
        parts.append(said % {"number": number})
    return " ".join(parts)


# Mina uppgifter


@require_safe
@customer_required
@fresh_if_protected
def show_my_data(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show everything on the map about the person."""
    page = build(customer, holdings(customer), calendar(customer))
    changed = EDITS.get(request.GET.get("andrad", ""))
    if (
        changed is not None
        and "email" not in changed.form.columns
        and last_change(customer, changed.form.columns)
    ):
        page["changed"] = changed.done
        page["undo_url"] = reverse("undo_field", args=[request.GET["andrad"]])
        page["undo_name"] = changed.name
    return render(request, "dentalclean/my_data.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
@fresh_if_protected
def edit_field(request: HttpRequest, customer: Customer, field: str) -> HttpResponse:
    """Change one thing; the old value stays visible."""
    edit = _edit(field)
    if request.method != "POST":
        form = edit.form(initial=initial(customer, edit.form))
        return edit_page(request, customer, edit, form)
    form = edit.form(request.POST)
    if not form.is_valid():
        return edit_page(request, customer, edit, form)
    try:
        change_own_details(
            customer, form.new_values(), expected_version=form.cleaned_data["version"]
        )
    except StaleError:
        customer.refresh_from_db()
        form = _again(edit, request, customer)
        return edit_page(request, customer, edit, form, status=409)
    return redirect(f"{reverse('my_data')}?andrad={field}")


def _edit(field: str) -> Edit:
    if field not in EDITS or field == "e-post":  # that has pages of its own: email_views
        raise Http404
    return EDITS[field]


def taken() -> str:
    """Say the same whatever the reason is (A01)."""
    return _("Den adressen kan vi inte lägga in härifrån. Ring %(phone)s, så hjälper vi dig.") % {
        "phone": settings.CONTROLLER["phone"]
    }


def _again(edit: Edit, request: HttpRequest, customer: Customer) -> EditForm:
    """Return the form with what was typed, at the version that is now shown beside it (B07)."""
    typed = request.POST.copy()
    typed["version"] = str(customer.version)
    form = edit.form(typed)
    form.add_error(
        None,
        _(
            "Dina uppgifter ändrades medan du skrev. Jämför det vi har nu med det du skrev, och "
            "spara igen om ditt ska gälla."
        ),
    )
    return form


def edit_page(
    request: HttpRequest, customer: Customer, edit: Edit, form: EditForm, status: int = 200
) -> HttpResponse:
    """Show one thing to change, with the value now and earlier ones."""
    changes = Change.objects.filter(customer=customer, field__in=edit.form.columns)[:20]
    context = {
        "question": edit.question,
        "answer": edit.answer,
        "old": edit.value(customer),
        "form": form,
        "save": edit.save,
        "history": [
            {
                "value": change.old or _("Hade vi inte"),
                "text": _("Ändrat %(day)s. %(who)s.")
                % {
                    "day": full_day(change.at),
                    "who": source_words(change.source, change.collected),
                },
            }
            for change in changes
        ],
    }
    return render(request, "dentalclean/edit_field.html", context, status=status)


@act("my_data")
@customer_required
def undo_field(request: HttpRequest, customer: Customer, field: str) -> HttpResponse:
    """Put back what one's own latest change replaced."""
    edit = _edit(field)
    try:
        undo(customer, edit.form.columns)
    except NothingToUndoError:
        messages.error(request, _("Det finns inget att ångra. Ändra uppgiften i raden i stället."))
    else:
        messages.success(request, _("Klart. Det som stod förut gäller igen."))
    return redirect("my_data")


# Mer


@require_safe
@customer_required
def more(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show what has no tab of its own."""
    return render(request, "dentalclean/more.html", {"email": request.user.get_username()})


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen look in a cookie; anything unknown leaves it to the device."""
    chosen = request.POST.get("theme", "")
    response = redirect("more")
    if chosen in THEMES:
        response.set_cookie(
            THEME_COOKIE,
            chosen,
            max_age=A_YEAR,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
    else:
        response.delete_cookie(THEME_COOKIE, samesite="Lax")
    return response


# The mailbox of development


@require_safe
def show_mailbox(request: HttpRequest, key: str = "") -> HttpResponse:
    """List what has been sent, or show one of it; only in an embedded house."""
    if not settings.EMBEDDED:
        raise Http404
    found = mailbox.letters()
    letter = next((letter for letter in found if letter.key == key), None)
    if key and letter is None:
        raise Http404
    return render(request, "dentalclean/mailbox.html", {"letters": found, "letter": letter})
