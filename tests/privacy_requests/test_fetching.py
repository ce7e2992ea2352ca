"""Fetching an extract, through the door."""

import io
import threading
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as project
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent import records
from customers.actions import change_details
from customers.dates import add_years, today
from customers.models import Change, Customer, Subscription, User
from customers.models.channels import Source
from privacy_requests import actions, identity, vault
from privacy_requests.actions import build, fetch, open_case, reconcile
from privacy_requests.models import CaseEvent, Extract
from retention.actions import execute, open_run
from tests import cast
from tests.privacy_requests.doing import built, download, identified, signed_in

# A snapshot of its own needs a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)


def test_from_asking_to_the_file(client: Client, anna: Customer) -> None:
    signed_in(client, anna)
    page = reverse("privacy_requests:extract")
    assert client.get(page).context["state"] == "none"
    assert client.post(page).status_code == 302
    waiting = client.get(page)
    assert (waiting.context["state"], waiting["Refresh"]) == ("building", "5")
    ready = Extract.objects.get()
    assert build(ready.pk)
    shown = client.get(page)
    assert shown.context["state"] == "ready"
    assert "Refresh" not in shown
    answer = download(client, ready)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    assert "no-store" in answer["Cache-Control"]
    fetched = answer.file
    assert len(fetched) == int(answer["Content-Length"])
    assert zipfile.ZipFile(io.BytesIO(fetched)).testzip() is None
    ready.refresh_from_db()
    assert ready.downloads == 1
    assert ready.case.events.filter(kind=CaseEvent.Kind.DOWNLOADED).count() == 1


def test_a_sign_in_alone_fetches_nothing(client: Client, anna: Customer) -> None:
    """A19: whoever reads the mailbox is not given the extract."""
    ready = built(anna)
    signed_in(client, anna)
    page = reverse("privacy_requests:extract_download", args=[ready.pk])
    for visit in (client.get, client.post):
        answer = visit(page)
        assert (answer.status_code, answer["Location"]) == (302, "/visa-att-det-ar-du/")
    ready.refresh_from_db()
    assert ready.downloads == 0
    assert client.session[identity.NEXT] == page


def test_who_has_shown_who_they_are_fetches_until_it_is_old(client: Client, anna: Customer) -> None:
    ready = built(anna)
    identified(signed_in(client, anna), anna)
    page = reverse("privacy_requests:extract_download", args=[ready.pk])
    assert "Du har visat att det är du." in client.get(page).content.decode()
    answer: Any = client.post(page)
    assert zipfile.ZipFile(io.BytesIO(answer.getvalue())).testzip() is None
    session = client.session
    session[identity.KEY] |= {"at": session[identity.KEY]["at"] - 601}
    session.save()
    assert client.post(page)["Location"] == "/visa-att-det-ar-du/"
    ready.refresh_from_db()
    assert ready.downloads == 1


@pytest.mark.parametrize("source", [Source.PERSON, Source.STAFF])
def test_the_extract_waits_seven_days_after_a_change_of_address(
    source: Source, client: Client, anna: Customer
) -> None:
    """A18: who takes over the address does not get the extract before the owner could object."""
    ready = built(anna)
    identified(signed_in(client, anna), anna)
    change_details(anna, {"email": "ny@example.se"}, source=source)
    page = reverse("privacy_requests:extract_download", args=[ready.pk])
    for visit in (client.get, client.post):
        answer = visit(page)
        assert answer.status_code == 409
        assert "Din e-postadress eller ditt personnummer ändrades nyss." in answer.content.decode()
    ready.refresh_from_db()
    assert ready.downloads == 0
    Change.objects.update(at=timezone.now() - identity.NEW_ADDRESS_WAITS)
    fetched: Any = client.post(page)
    assert fetched.status_code == 200
    assert fetched.getvalue()


def test_somebody_elses_file_does_not_exist(client: Client, anna: Customer) -> None:
    ready = built(anna)
    signed_in(client, cast.person("Björn"))
    page = reverse("privacy_requests:extract_download", args=[ready.pk])
    assert client.get(page).status_code == client.post(page).status_code == 404
    with pytest.raises(Extract.DoesNotExist):
        fetch(ready.pk, Customer.objects.get(given_name="Björn"))


def test_a_stranger_is_asked_to_sign_in(client: Client, anna: Customer) -> None:
    ready = built(anna)
    for page in (
        reverse("privacy_requests:cases"),
        reverse("privacy_requests:extract"),
        reverse("privacy_requests:extract_download", args=[ready.pk]),
    ):
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))


def test_the_last_download_deletes_the_file(client: Client, anna: Customer, settings: Any) -> None:
    settings.EXTRACT_DOWNLOADS = 2
    ready = built(anna)
    signed_in(client, anna)
    assert download(client, ready).status_code == 200
    last = download(client, ready)
    assert zipfile.ZipFile(io.BytesIO(last.file)).testzip() is None
    ready.refresh_from_db()
    assert (ready.status, ready.file_name) == (Extract.Status.GONE, "")
    assert list(vault.folder().iterdir()) == []
    gone = client.get(reverse("privacy_requests:extract_download", args=[ready.pk]))
    assert gone.status_code == 410
    assert "raderad" in gone.content.decode()
    assert (
        client.post(reverse("privacy_requests:extract_download", args=[ready.pk])).status_code
        == 410
    )


def test_downloads_at_once_are_all_counted(anna: Customer, settings: Any) -> None:
    settings.EXTRACT_DOWNLOADS = 3
    ready = built(anna)
    outcomes: list[str] = []

    def hurry() -> None:
        try:
            _, file = fetch(ready.pk, anna)
            outcomes.append("file" if b"".join(vault.decrypted(file, ready.pk)) else "nothing")
        except actions.GoneError:
            outcomes.append("gone")
        finally:
            connections.close_all()

    people = [threading.Thread(target=hurry) for _ in range(6)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(outcomes) == ["file"] * 3 + ["gone"] * 3


def test_the_file_goes_after_its_last_day(client: Client, anna: Customer) -> None:
    ready = built(anna)
    assert ready.expires_on == timezone.localdate() + timedelta(days=project.EXTRACT_DAYS)
    Extract.objects.update(expires_on=timezone.localdate())
    reconcile()
    assert len(list(vault.folder().iterdir())) == 1
    Extract.objects.update(expires_on=timezone.localdate() - timedelta(days=1))
    signed_in(client, anna)
    page = reverse("privacy_requests:extract_download", args=[ready.pk])
    assert client.get(page).status_code == 410
    reconcile()
    assert list(vault.folder().iterdir()) == []
    ready.refresh_from_db()
    assert ready.status == Extract.Status.GONE
    assert ready.case.events.filter(kind=CaseEvent.Kind.EXPIRED).count() == 1


def test_a_new_extract_replaces_the_old_file(anna: Customer) -> None:
    old, new = built(anna), built(anna)
    assert old != new
    old.refresh_from_db()
    assert old.status == Extract.Status.GONE
    assert [path.name for path in vault.folder().iterdir()] == [new.file_name]


def test_my_cases_say_when_we_answer_and_how_it_went(client: Client, anna: Customer) -> None:
    signed_in(client, anna)
    page = reverse("privacy_requests:cases")
    assert "Du har inga ärenden." in client.get(page).content.decode()
    case = open_case(anna)
    shown = client.get(page).content.decode()
    assert "Vi svarar senast" in shown
    assert f"Nummer {case.pk}" in shown
    build(case.extract.pk)
    assert "klart att hämta" in client.get(page).content.decode()
    Extract.objects.update(expires_on=timezone.localdate() - timedelta(days=1))
    reconcile()
    assert "Filen hämtades aldrig" in client.get(page).content.decode()


def test_my_cases_ask_few_questions(
    client: Client, anna: Customer, django_assert_max_num_queries: Any
) -> None:
    signed_in(client, anna)
    for _ in range(3):
        built(anna)
    for name in ("cases", "extract"):
        with django_assert_max_num_queries(10):
            client.get(reverse(f"privacy_requests:{name}"))


def test_who_fetched_a_file_leaves_when_their_time_comes(anna: Customer) -> None:
    """The trace of the download outlives the account that fetched it."""
    ready = built(anna)
    fetch(ready.pk, anna)[1].close()
    assert anna.user is not None
    on = today()
    Subscription.objects.filter(customer=anna).update(
        started_on=add_years(on, -9), ended_on=add_years(on, -4)
    )
    Customer.objects.filter(pk=anna.pk).update(last_contact_on=add_years(on, -9))
    records.refresh([anna.pk])
    execute(open_run(on)[0])
    assert not User.objects.filter(pk=anna.user.pk).exists()
    assert CaseEvent.objects.filter(kind=CaseEvent.Kind.DOWNLOADED).exists()
