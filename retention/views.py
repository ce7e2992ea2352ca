"""Hur länge: what goes when, on any day the person wants to look at."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from consent.models import ProcessingRecord
from consent.purposes import BY_CODE
from customers.dates import FAR, today
from customers.decorators import customer_required
from customers.models import Customer
from customers.personal_data import Category
from customers.words import full_day, night
from retention import chart
from retention.forms import ENDS, DayForm
from retention.rules import CalendarEntry, calendar, calendar_if_ended


@require_safe
@customer_required
def how_long(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show the calendar on a day, today unless another is asked for."""
    now = today()
    ends = request.GET.get("som") == ENDS
    entries = calendar_if_ended(customer, now) if ends else calendar(customer)
    waits = chart.waits(entries)
    open_ended = ends or (not waits and any(max(entry.last_days) >= FAR for entry in entries))
    asked = "dag" in request.GET
    form = DayForm(
        request.GET if asked else None,
        initial={"dag": full_day(now), "som": "kund"},
        today=now,
        open_ended=open_ended,
    )
    day = form.cleaned_data["dag"] if asked and form.is_valid() else now
    left, gone = chart.counted(entries, day)
    records = _records(customer)
    return render(
        request,
        "retention/how_long.html",
        {
            "form": form,
            "day": day,
            "is_today": day == now,
            "left": left,
            "gone": gone,
            "last": chart.last_of_all(entries),
            "waits": waits,
            "intro": " ".join([_ending(records, now, ends=ends), _following(entries, now)]).strip(),
            "calendar": chart.draw(entries, now, day),
            "faster": [] if ends else _faster(records, now),
        },
    )


def _records(customer: Customer) -> dict[str, date]:
    """Return the last day of every purpose that lives for the person."""
    found = ProcessingRecord.objects.filter(customer=customer, ended_on__isnull=True)
    return dict(found.values_list("purpose", "retain_until"))


def _ending(records: dict[str, date], now: date, *, ends: bool) -> str:
    """Say when the relation ends, which starts most of the clocks (RUL-12)."""
    if ends:
        return _("Så här blir det om du slutar i dag och allt du har beställt har kommit.")
    if "A" not in records:
        return _("Du är inte kund nu.")
    if records["A"] >= FAR:
        return _("Du är kund. Det mesta får ett slutdatum först när du slutar.")
    said = {"day": full_day(records["A"])}
    if records["A"] >= now:
        return _("Du slutar vara kund %(day)s.") % said
    return _("Du slutade vara kund %(day)s.") % said


def _following(entries: list[CalendarEntry], now: date) -> str:
    found = chart.following(entries, now)
    if found is None:
        return ""
    return _("Härnäst raderar vi %(what)s, %(night)s.") % {
        "what": chart.thing(found.category, found.rows),
        "night": night(found.last_day),
    }


def _faster(records: dict[str, date], now: date) -> list[dict[str, Any]]:
    """Return what the person can do; the dates follow from what would still keep the name."""
    keepers = {
        code: last
        for code, last in records.items()
        if Category.IDENTITY in BY_CODE[code].keeps and last >= now
    }
    for_ads = [last for code, last in keepers.items() if BY_CODE[code].is_marketing]
    without = max([last for c, last in keepers.items() if not BY_CODE[c].is_marketing] or [now])
    ways = []
    if for_ads and max(for_ads) >= FAR <= without:
        text = _(
            "Då raderar vi namn och kontaktuppgifter när du slutar vara kund, i stället för upp "
            "till tre år senare."
        )
    elif for_ads and max(for_ads) > without:
        text = _("Då raderar vi namn och kontaktuppgifter redan %(night)s.") % {
            "night": night(max(without, now))
        }
    else:
        text = ""
    if text:
        link = _("Säg nej till reklam")
        ways.append({"url": reverse("consent:choices"), "link": link, "text": text})
    ways.append(
        {
            "url": reverse("privacy_requests:erasure"),
            "link": _("Radera mina uppgifter"),
            "text": _("Då går allt som inget avtal och ingen lag kräver att vi sparar."),
        }
    )
    return ways
