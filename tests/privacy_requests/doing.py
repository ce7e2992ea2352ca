"""What the tests of requests do again and again."""

import hashlib
import io
import json
import re
import zipfile
from typing import Any

from django.core import mail
from django.test import Client
from django.urls import reverse

from customers.models import Customer
from disclosures.actions import relay
from privacy_requests import archive, vault
from privacy_requests.actions import build, open_case
from privacy_requests.extract import collect
from privacy_requests.models import Extract


def built(customer: Customer) -> Extract:
    wanted = open_case(customer).extract
    assert build(wanted.pk)
    wanted.refresh_from_db()
    return wanted


def archive_of(ready: Extract) -> zipfile.ZipFile:
    plain = b"".join(vault.decrypted(vault.path_of(ready.file_name).open("rb"), ready.pk))
    assert hashlib.sha256(plain).hexdigest() == ready.sha256
    return zipfile.ZipFile(io.BytesIO(plain))


def document_of(customer: Customer) -> dict[str, Any]:
    packed = archive.pack(collect(customer.pk))
    found: dict[str, Any] = json.loads(
        zipfile.ZipFile(io.BytesIO(packed.data)).read(archive.JSON_NAME)
    )
    return found


def signed_in(client: Client, customer: Customer) -> Client:
    assert customer.user is not None
    client.force_login(customer.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def code_in_mail() -> str:
    relay()
    (code,) = re.findall(r"^\d{6}$", str(mail.outbox[-1].body), re.MULTILINE)
    return str(code)


def download(client: Client, ready: Extract) -> Any:
    """Ask for a code and fetch with it; return the answer with the file read."""
    client.post(reverse("privacy_requests:extract_code", args=[ready.pk]))
    page = reverse("privacy_requests:extract_download", args=[ready.pk])
    answer: Any = client.post(page, {"code": code_in_mail()})
    answer.file = answer.getvalue()
    return answer
