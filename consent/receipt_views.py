"""Receipts: the person's own on Min sida, and a page where anybody can check one."""

import json
from contextlib import suppress
from uuid import UUID

from allauth.core import ratelimit
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from redis.exceptions import RedisError

from consent.models import Event
from consent.receipt_check import LONGEST, Answer, check
from consent.receipt_document import document, schema_url
from consent.receipt_forms import TOO_LONG, CheckForm
from consent.receipt_keys import entry_of, public_keys
from consent.receipts import Receipt, receipt
from customers.decorators import customer_required
from customers.models import Customer

# A receipt in a form, where every character can take three.
LARGEST_BODY = 3 * LONGEST + 4096


def _own(customer: Customer, number: UUID) -> Receipt:
    """Return a receipt of the person's own; any other does not exist (B01)."""
    entry = entry_of(number)
    if entry is None:
        raise Http404
    try:
        return receipt(customer, entry)
    except Event.DoesNotExist:
        raise Http404 from None


@require_safe
@customer_required
def show(request: HttpRequest, customer: Customer, number: UUID) -> HttpResponse:
    """Show the receipt of one act (CON-02)."""
    return render(request, "consent/receipt.html", {"receipt": _own(customer, number)})


@require_safe
@customer_required
def download(request: HttpRequest, customer: Customer, number: UUID) -> HttpResponse:
    """Hand over the receipt as a file that anybody can check."""
    found = document(_own(customer, number))
    return HttpResponse(
        json.dumps(found, ensure_ascii=False, indent=2) + "\n",
        content_type="application/ld+json",
        headers={"Content-Disposition": f'attachment; filename="kvitto-{str(number)[:8]}.json"'},
    )


@csrf_exempt  # it changes nothing, and a program may ask as well as a person
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def check_receipt(request: HttpRequest, code: str = "") -> HttpResponse:
    """Say of a receipt that it is genuine, altered or unknown, and not a word more."""
    if request.method != "POST":
        return _page(request, CheckForm(initial={"text": code}))
    if _too_often(request):
        return render(request, "429.html", status=429)
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
        form = CheckForm({})
        form.errors.clear()
        form.add_error(None, str(TOO_LONG))
        return _page(request, form, status=413)
    request.upload_handlers = [MemoryFileUploadHandler(request)]
    form = CheckForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, status=400)
    return _page(request, CheckForm(), answer=check(form.cleaned_data["receipt"]))


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Publish the keys with which a stranger checks a receipt without us (RFC 7517)."""
    return JsonResponse({"keys": public_keys()}, content_type="application/jwk-set+json")


def _page(
    request: HttpRequest, form: CheckForm, *, answer: Answer | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "answer": answer, "schema_url": schema_url()}
    return render(request, "consent/receipt_check.html", context, status=status)


def _too_often(request: HttpRequest) -> bool:
    """Count a try; when nothing can be counted, an answer that changes nothing is still given."""
    with suppress(RedisError):
        return not ratelimit.consume(request, action="check_receipt")
    return False
