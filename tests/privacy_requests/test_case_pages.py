"""Mina ärenden: asking in one's own words, following, adding, taking back; and what goes wrong."""

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from customers.models import Customer, User
from privacy_requests import cases
from privacy_requests.messages import register_message
from privacy_requests.models import Case
from privacy_requests.telling_days import sentence
from tests import cast
from tests.doors import signed_in
from tests.privacy_requests.doing import identified

NEW = "/mina-arenden/ny/"


@pytest.fixture
def anna(db: None) -> Customer:
    return cast.person("Anna")


def ask(client: Client, **sent: Any) -> Any:
    return client.post(NEW, {"rights": ["restriction"], "wording": "Pröva.", **sent})


@pytest.mark.django_db
class TestAsking:
    def test_a_request_in_own_words_becomes_a_case_with_its_last_day(self, anna: Customer) -> None:
        client = signed_in(anna)
        assert client.get(NEW).status_code == 200
        answer = client.post(NEW, {"rights": ["rectification"], "wording": "Jag heter Anna Ek."})
        case = Case.objects.get()
        assert answer["Location"] == reverse("privacy_requests:case", args=[case.public_id])
        page = client.get(answer["Location"]).content.decode()
        assert "Vi svarar senast" in page
        assert "Jag heter Anna Ek." in page
        assert "Vi svarar senast" in client.get("/mina-arenden/").content.decode()

    def test_nothing_is_ticked_and_no_reason_is_demanded(self, anna: Customer) -> None:
        client = signed_in(anna)
        assert "checked" not in client.get(NEW).content.decode()
        assert ask(client, wording="").status_code == 302

    def test_two_clicks_the_back_button_and_a_replay_are_one_case(self, anna: Customer) -> None:
        client, token = signed_in(anna), uuid.uuid4()
        for _click in range(3):
            assert ask(client, token=str(token)).status_code == 302
        case = Case.objects.get()
        cases.grant(case.pk)
        assert ask(client, token=str(token)).status_code == 302
        assert Case.objects.count() == 1

    def test_somebody_elses_form_number_means_nothing(self, anna: Customer) -> None:
        token = str(uuid.uuid4())
        ask(signed_in(anna), token=token)
        ask(signed_in(cast.person("Björn")), token=token)
        assert Case.objects.count() == 2

    @pytest.mark.parametrize(
        ("sent", "status", "sentence"),
        [
            ({"wording": "a" * 1_000_000}, 413, "Skriv högst 5 000 tecken"),
            ({"rights": ["everything"]}, 400, "Välj bland det som står i listan."),
            ({"rights": []}, 422, "Välj minst en sak."),
            ({"wording": "a\0b"}, 400, "Noll"),
            ({"token": "x" * 5000}, 400, ""),
        ],
    )
    def test_what_cannot_be_taken_is_said_in_a_sentence(
        self, sent: dict[str, Any], status: int, sentence: str, anna: Customer
    ) -> None:
        answer = ask(signed_in(anna), **sent)
        assert answer.status_code == status
        assert sentence in answer.content.decode() or sentence == "Noll"
        assert not Case.objects.exists()

    def test_signs_that_cannot_be_read_are_left_out(self, anna: Customer) -> None:
        ask(signed_in(anna), wording="Hej\u202e <script>\x07\r\nRad två")
        assert Case.objects.get().wording == "Hej <script>\nRad två"
        page = signed_in(anna).get(f"/mina-arenden/{Case.objects.get().public_id}/")
        assert b"<script>" not in page.content.replace(b"<script src", b"")

    def test_several_rights_in_one_message_are_several_cases(self, anna: Customer) -> None:
        answer = signed_in(anna).post(
            NEW, {"rights": ["erasure", "portability", "withdrawal"], "wording": "Allt."}
        )
        assert answer["Location"] == "/mina-arenden/"
        assert Case.objects.count() == 3
        assert Case.objects.values("received_on").distinct().count() == 1


@pytest.mark.django_db
class TestOneCase:
    @pytest.fixture
    def case(self, anna: Customer) -> Case:
        return register_message(anna, ["restriction"], "Använd dem inte.")[0]

    def at(self, case: Case, act: str = "") -> str:
        return f"/mina-arenden/{case.public_id}/{act}"

    def test_somebody_elses_case_does_not_exist(self, case: Case) -> None:
        client = signed_in(cast.person("Björn"))
        assert client.get(self.at(case)).status_code == 404
        for act in ("mer/", "ta-tillbaka/"):
            answer = client.post(self.at(case, act), {"wording": "Hej"})
            assert answer.status_code == 404
        case.refresh_from_db()
        assert case.is_open

    def test_taken_back_twice_is_once_and_the_person_is_told(
        self, case: Case, anna: Customer
    ) -> None:
        client = signed_in(anna)
        for _click in range(2):
            answer = client.post(self.at(case, "ta-tillbaka/"))
            assert answer["Location"] == self.at(case)
        case.refresh_from_db()
        assert case.status == Case.Status.TAKEN_BACK
        assert case.events.filter(kind="taken_back").count() == 1

    def test_a_closed_case_says_so_with_409(self, case: Case, anna: Customer) -> None:
        cases.grant(case.pk)
        client = signed_in(anna)
        for act in ("mer/", "ta-tillbaka/"):
            answer = client.post(self.at(case, act), {"wording": "Hej"})
            assert answer.status_code == 409
            assert "Ärendet avslutades" in answer.content.decode()

    def test_more_words_stand_in_the_case(self, case: Case, anna: Customer) -> None:
        client = signed_in(anna)
        assert client.post(self.at(case, "mer/"), {"wording": ""}).status_code == 422
        client.post(self.at(case, "mer/"), {"wording": "Också fakturorna."})
        assert "Också fakturorna." in client.get(self.at(case)).content.decode()

    def test_a_moved_day_is_told_with_the_old_the_new_and_why(
        self, case: Case, anna: Customer
    ) -> None:
        cecilia = User.objects.create_user("cecilia@dentalclean.example", is_staff=True)
        before = case.latest_on
        case = cases.extend(case.pk, "complexity", "Tre arkiv.", actor=cecilia)
        page = signed_in(anna).get(self.at(case)).content.decode()
        assert "Tre arkiv." in page
        assert before < case.latest_on
        assert f"{case.latest_on.day} " in page

    def test_the_page_of_a_late_case_owns_up(self, case: Case, anna: Customer) -> None:
        case.latest_on = case.received_on + timedelta(days=1)
        case.stands_since = None
        assert "vårt fel" in sentence(case, case.latest_on + timedelta(days=1))


@pytest.mark.django_db(transaction=True)
def test_fifty_posts_at_once_are_one_case() -> None:
    anna = cast.person("Anna")
    token = uuid.uuid4()
    found: list[int] = []

    def post(number: int) -> None:
        try:
            mine = token if number % 2 else uuid.uuid4()
            found.append(register_message(anna, ["erasure"], "Nu.", token=mine)[0].pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=post, args=[number]) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 50
    assert len(set(found)) == Case.objects.count() == 1


@pytest.mark.django_db
def test_who_has_shown_who_they_are_lets_the_case_go_on(anna: Customer) -> None:
    cecilia = User.objects.create_user("carl@dentalclean.example", is_staff=True)
    case = register_message(anna, ["erasure"], "Ta bort mig.", collected="email")[0]
    cases.ask_identity(case.pk, actor=cecilia)
    client = signed_in(anna)
    page = f"/mina-arenden/{case.public_id}/"
    assert "Visa att det är du" in client.get(page).content.decode()
    assert client.get(f"{page}identitet/")["Location"] == "/visa-att-det-ar-du/"
    identified(client, anna)
    assert client.get(f"{page}identitet/")["Location"] == page
    case.refresh_from_db()
    assert (case.status, case.identity_method) == ("working", "staff")
    new = register_message(anna, ["portability"], "")[0]
    assert new.identity_method == ""
    ask(client, rights=["rectification"])
    assert Case.objects.get(right="rectification").identity_method == "staff"
