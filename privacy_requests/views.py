"""Ta ut allt and Mina ärenden: asking, waiting, fetching, and what became of it."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from customers import words
from customers.dates import stockholm_date, today
from customers.decorators import customer_required
from customers.models import Customer
from privacy_requests import archive, identity, telling_days, vault
from privacy_requests import portability as portable
from privacy_requests.actions import FILES, GoneError, NotReadyError, fetch, open_case
from privacy_requests.identity import identity_required
from privacy_requests.models import Case, CaseEvent, Erasure, Extract

REFRESH_SECONDS = "5"


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def extract(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show how far the extract has come, or register that it is asked for."""
    return _file_page(request, customer, Case.Right.ACCESS, "privacy_requests/extract.html")


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def portability(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show how far the file to take along has come, or register that it is asked for (POR-01)."""
    right = Case.Right.PORTABILITY
    return _file_page(request, customer, right, "privacy_requests/portability.html")


def _file_page(
    request: HttpRequest, customer: Customer, right: Case.Right, template: str
) -> HttpResponse:
    _pack, page, _template = FILES[right]
    if request.method == "POST":
        open_case(customer, right)
        return redirect(page)
    wanted = (
        Extract.objects.filter(case__customer=customer, case__right=right)
        .select_related("case")
        .order_by("-case__received_at", "-case_id")
        .first()
    )
    state = _state(wanted)
    context: dict[str, Any] = {
        "state": state,
        "ask_url": reverse(page),
        "days": settings.EXTRACT_DAYS,
        "downloads": settings.EXTRACT_DOWNLOADS,
    }
    if wanted is not None and state == "ready":
        context["extract"] = _ready(wanted)
    elif wanted is not None and state == "building":
        context |= {
            "asked_at": wanted.case.received_at,
            "last_day": wanted.case.latest_on,
            "steps": _progress(wanted),
        }
    response = render(request, template, context)
    if state == "building" and wanted is not None and wanted.status == Extract.Status.QUEUED:
        response["Refresh"] = REFRESH_SECONDS
    return response


def _state(wanted: Extract | None) -> str:
    if wanted is None or wanted.status == Extract.Status.GONE:
        return "none"
    if wanted.status == Extract.Status.READY:
        return "ready" if wanted.expires_on and wanted.expires_on >= today() else "none"
    return "building"


def _ready(ready: Extract) -> dict[str, Any]:
    """Return what the component of a file that is ready shows."""
    right = Case.Right(ready.case.right)
    whole = right == Case.Right.ACCESS
    _pack, page, _template = FILES[right]
    return {
        "title": _("Allt vi har om dig") if whole else _("Det du har gett oss"),
        "whole": whole,
        "page_url": reverse(page),
        "asked_at": ready.case.received_at,
        "ready_at": ready.ready_at,
        "last_day": ready.expires_on,
        "size": ready.size,
        "contents": _("PDF, HTML, JSON, CSV och kontrollsummor")
        if whole
        else _("JSON, CSV och kontrollsummor"),
        "downloads": ready.downloads,
        "downloads_left": max(settings.EXTRACT_DOWNLOADS - ready.downloads, 0),
        "fetch_url": reverse("privacy_requests:extract_download", args=[ready.pk]),
        "hash": ready.sha256,
    }


def _now(case: Case, *, file: bool) -> dict[str, str]:
    """Say what happens to an open case now."""
    if file:
        return {"name": _("Vi samlar ihop"), "note": _("Brukar ta en minut")}
    erasure = Erasure.objects.filter(case=case).first()
    if erasure is None:
        return {"name": _("Vi arbetar med det"), "note": _("En människa tittar på det")}
    if erasure.released_at is not None:
        return {"name": _("Det raderas"), "note": _("Nästa natt")}
    until = words.moment(erasure.until)
    return {"name": _("Du kan ångra dig"), "note": _("Till %(until)s") % {"until": until}}


def _progress(wanted: Extract) -> list[dict[str, Any]]:
    kinds = set(wanted.case.events.values_list("kind", flat=True))
    steps = [
        {"text": _("Vi har tagit emot det du bad om."), "done": True},
        {
            "text": _("Vi samlar ihop uppgifterna och packar filen."),
            "done": CaseEvent.Kind.BUILT in kinds,
        },
        {"text": _("Vi mejlar dig när du kan hämta den."), "done": False},
    ]
    if wanted.status == Extract.Status.FAILED:
        steps[1]["text"] = _("Det gick inte att bygga filen. En människa hos oss tittar på det.")
    return steps


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def extract_download(
    request: HttpRequest, customer: Customer, extract_id: uuid.UUID
) -> HttpResponseBase:
    """Hand out the file to whoever has just shown who they are (A18, A19)."""
    wanted = get_object_or_404(Extract, pk=extract_id, case__customer=customer)
    if _state(wanted) != "ready":
        return _not_here(request, wanted)
    waits_until = identity.waits_until(customer)
    if waits_until is not None:
        context = {
            "until": waits_until,
            "last_day": wanted.expires_on,
            "page_url": reverse(FILES[Case.Right(wanted.case.right)][1]),
        }
        return render(request, "privacy_requests/extract_waits.html", context, status=409)
    return _download(request, customer, wanted)


@identity_required
def _download(request: HttpRequest, customer: Customer, wanted: Extract) -> HttpResponseBase:
    if request.method == "POST":
        return _hand_over(request, customer, wanted)
    proof = identity.proven(request, customer)
    context = {"until": proof and proof.until, "extract": _ready(wanted)}
    return render(request, "privacy_requests/extract_fetch.html", context)


def _not_here(request: HttpRequest, wanted: Extract) -> HttpResponse:
    if _state(wanted) == "building":
        return redirect(FILES[Case.Right(wanted.case.right)][1])
    gone_on = stockholm_date(wanted.gone_at) if wanted.gone_at else wanted.expires_on
    return render(request, "410.html", {"gone_on": gone_on}, status=410)


def _hand_over(request: HttpRequest, customer: Customer, wanted: Extract) -> HttpResponseBase:
    try:
        fetched, file = fetch(wanted.pk, customer)
    except (GoneError, NotReadyError):
        wanted.refresh_from_db()
        return _not_here(request, wanted)
    kind = "utdrag" if fetched.case.right == Case.Right.ACCESS else "att-ta-med"
    name = f"dentalclean-{kind}-{stockholm_date(fetched.snapshot_at or timezone.now())}.zip"
    response = StreamingHttpResponse(vault.Opened(file, fetched.pk), content_type="application/zip")
    response["Content-Length"] = str(fetched.size)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@customer_required
def cases(request: HttpRequest, customer: Customer) -> HttpResponse:
    """List what the person has asked for, what is ready first."""
    found = list(
        Case.objects.filter(customer=customer)
        .select_related("extract")
        .order_by("-received_at", "-pk")
    )
    ready = [case for case in found if _state(_file_of(case)) == "ready"]
    open_cases = [case for case in found if case.closed_on is None]
    closed = [case for case in found if case.closed_on is not None and case not in ready]
    context = {
        "answer": _answer(ready, open_cases, closed),
        "ready": [_ready(case.extract) for case in ready],
        "open": [_going_on(case) for case in open_cases],
        "closed": [
            {
                "title": case.get_right_display(),
                "when": case.closed_on,
                "result": _result(case),
                "url": reverse("privacy_requests:case", args=[case.public_id]),
            }
            for case in closed
        ],
    }
    return render(request, "privacy_requests/cases.html", context)


def _file_of(case: Case) -> Extract | None:
    return getattr(case, "extract", None)


def _answer(ready: list[Case], open_cases: list[Case], closed: Iterable[Case]) -> str:
    parts = []
    if ready:
        extracts = [case for case in ready if case.right == Case.Right.ACCESS]
        parts.append(
            _("Ditt utdrag är klart att hämta.") if extracts else _("Din fil är klar att hämta.")
        )
    if open_cases:
        soonest = min(case.latest_on for case in open_cases)
        count = len(open_cases)
        parts.append(
            ngettext("Ett ärende pågår.", "%(count)s ärenden pågår.", count)
            % {"count": words.in_words(count).capitalize()}
        )
        parts.append(_("Vi svarar senast %(day)s.") % {"day": words.day(soonest)})
    if not parts:
        parts.append(_("Inget pågår. Allt du har bett om är besvarat.") if closed else "")
    return " ".join(parts).strip() or _("Du har inga ärenden.")


def _going_on(case: Case) -> dict[str, Any]:
    """Return an open case with its three steps, the last day always said."""
    file = _file_of(case)
    failed = file is not None and file.status == Extract.Status.FAILED
    return {
        "title": case.get_right_display(),
        "url": reverse("privacy_requests:case", args=[case.public_id]),
        "note": _("Inkom %(day)s, %(how)s. Nummer %(number)s")
        % {
            "day": words.day(case.received_on),
            "how": case.get_collected_display(),
            "number": case.pk,
        },
        "steps": [
            {"name": _("Du bad om det"), "note": words.moment(case.received_at), "state": "done"},
            {
                **_now(case, file=bool(file) and not failed),
                "state": "now",
            },
            {
                "name": _("Du får svar"),
                "note": telling_days.short(case),
                "state": "later",
            },
        ],
        "text": _(
            "Det gick inte att bygga filen. En människa hos oss tittar på det, och du får svar "
            "senast den dag som står här."
        )
        if failed
        else "",
    }


def _result(case: Case) -> str:
    file = _file_of(case)
    if case.status != Case.Status.ANSWERED:
        return str(case.get_status_display()).capitalize() + "."
    if file is None:
        return case.answer.partition("\n")[0] or _("Du fick svar.")
    if not file.downloads:
        return _("Filen hämtades aldrig. Vi har raderat den.")
    times = words.in_words(file.downloads, one="en")
    return ngettext(
        "Du hämtade filen en gång. Vi har raderat den.",
        "Du hämtade filen %(times)s gånger. Vi har raderat den.",
        file.downloads,
    ) % {"times": times}


# What the files look like inside, for whoever is handed one


@require_safe
def schema(request: HttpRequest, *, of: Case.Right) -> HttpResponse:
    """Show anybody the JSON Schema that a file is written by; it says nothing of a person."""
    path = archive.SCHEMA if of == Case.Right.ACCESS else portable.SCHEMA
    return HttpResponse(path.read_bytes(), content_type="application/schema+json")
