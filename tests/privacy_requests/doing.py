"""What the tests of requests do again and again."""

import hashlib
import io
import json
import zipfile
from typing import Any

from django.test import Client
from django.urls import reverse

from customers.models import Customer, User
from privacy_requests import archive, vault
from privacy_requests.actions import build, open_case
from privacy_requests.extract import collect
from privacy_requests.models import Extract, ProofCode
from privacy_requests.proof_codes import confirm_by_staff


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


def identified(client: Client, customer: Customer) -> Client:
    """Let somebody signed in show who they are, with a code from staff."""
    staff, _ = User.objects.get_or_create(email="cecilia@dentalclean.example", is_staff=True)
    code = confirm_by_staff(customer, staff, ProofCode.How.DOCUMENT)
    assert client.post(reverse("privacy_requests:identify"), {"code": code}).status_code == 302
    return client


def download(client: Client, ready: Extract) -> Any:
    """Show who one is and fetch; return the answer with the file read."""
    identified(client, ready.case.customer)
    answer: Any = client.post(reverse("privacy_requests:extract_download", args=[ready.pk]))
    answer.file = answer.getvalue()
    return answer
