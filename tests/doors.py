"""The doors people come in by: a signed-in browser without a browser."""

import re
from html import unescape
from typing import Any

from django.test import Client

from customers.models import Customer
from disclosures.models import Outbox


def signed_in(customer: Customer) -> Client:
    """Return a client of a person who has signed in and opened a page."""
    client = Client()
    assert customer.user is not None
    client.force_login(customer.user)
    client.get("/mer/")
    return client


def text(response: Any) -> str:
    """Return what a page says, without markup and with single spaces."""
    page = response.content.decode()
    page = re.sub(r"(?s)<(head|svg)\b.*?</\1>", " ", page)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def code_in_the_mail(to: str) -> str:
    """Return the latest code that waits in the outbox for an address."""
    mails = Outbox.objects.filter(recipient=to, template__endswith="_code").order_by("-created_at")
    found = re.search(r"^(\d{6})$", mails[0].body, re.MULTILINE)
    assert found
    return found[1]
