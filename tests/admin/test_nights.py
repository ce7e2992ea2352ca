"""What the data protection officer and operations do about the nights."""

import json
from datetime import date, timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from consent.receipt_keys import is_signed
from customers.dates import today
from retention import clocks, plans
from retention.actions import execute, open_run
from retention.models import Forecast, Heartbeat, Pause, Release, Run, SetAside
from tests import cast
from tests.admin.conftest import Desk

pytestmark = pytest.mark.django_db
NIGHT = date(2026, 11, 20)
RUNS = "/personal/retention/run/"


def who_left(name: str) -> None:
    customer = cast.person(name, since=date(2019, 1, 7))
    cast.subscription(customer, date(2019, 1, 7), date(2022, 10, 1))


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(plans, "LEEWAY", 1)
    for name in ("Anna", "Bo"):
        who_left(name)
    return execute(open_run(NIGHT)[0])


def test_a_stopped_night_is_read_and_released_with_a_reason(disa: Client, stopped: Run) -> None:
    page = disa.get(f"{RUNS}{stopped.pk}/change/").content.decode()
    assert "Natten är stoppad. Inget är raderat" in page
    assert f"{RUNS}{stopped.pk}/slapp/" in page
    page = disa.get(f"{RUNS}{stopped.pk}/slapp/").content.decode()
    assert "Planen tar 2 personer." in page
    assert stopped.plan_hash in page
    assert "Det här skulle gå" in page
    assert "RET-02, P22" in page
    answer = disa.post(f"{RUNS}{stopped.pk}/slapp/", {"plan_hash": stopped.plan_hash})
    assert "Något behöver rättas" in answer.content.decode()
    assert not Release.objects.exists()
    data = {"plan_hash": stopped.plan_hash, "reason": "Importen är läst."}
    answer = disa.post(f"{RUNS}{stopped.pk}/slapp/", data, follow=True)
    assert "Natten tar planen inom en minut." in answer.content.decode()
    assert execute(stopped).status == Run.Status.DONE
    page = disa.get(f"{RUNS}{stopped.pk}/change/").content.decode()
    for told in ("2 personer förlorade något", "Importen är läst.", "disa@dentalclean.example"):
        assert told in page
    assert LogEntry.objects.filter(change_message__contains="frisläppt").count() == 1


def test_a_plan_that_changed_after_it_was_read_is_asked_about_anew(
    disa: Client, stopped: Run
) -> None:
    seen = stopped.plan_hash
    who_left("Carl")
    Run.objects.filter(pk=stopped.pk).update(status=Run.Status.RUNNING)
    execute(stopped)
    data = {"plan_hash": seen, "reason": "Läst."}
    answer = disa.post(f"{RUNS}{stopped.pk}/slapp/", data, follow=True).content.decode()
    assert "Planen har ändrats sedan du läste den." in answer
    assert "Planen tar 3 personer." in answer
    assert not Release.objects.exists()


def test_operations_see_the_stopped_night_and_release_nothing(olle: Client, stopped: Run) -> None:
    page = olle.get(f"{RUNS}{stopped.pk}/change/").content.decode()
    assert "Natten är stoppad." in page
    assert "slapp/" not in page
    assert olle.get(f"{RUNS}{stopped.pk}/slapp/").status_code == 403
    data = {"plan_hash": stopped.plan_hash, "reason": "Läst."}
    assert olle.post(f"{RUNS}{stopped.pk}/slapp/", data).status_code == 403


@pytest.mark.parametrize("who", ["disa", "olle"])
def test_the_purge_is_turned_off_with_an_end_and_a_reason_and_on_again(
    who: str, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(who)
    assert "Gallringen är på." in client.get(RUNS).content.decode()
    late = (today() + timedelta(days=90)).isoformat()
    answer = client.post(f"{RUNS}stang-av/", {"until": late, "reason": "Flytt."})
    assert "högst 30 dagar fram" in answer.content.decode()
    end = (today() + timedelta(days=2)).isoformat()
    answer = client.post(f"{RUNS}stang-av/", {"until": end, "reason": "Flytt."}, follow=True)
    assert "Gallringen är avstängd till" in answer.content.decode()
    assert "Gallringen är avstängd." in client.get("/personal/").content.decode()
    answer = client.post(f"{RUNS}sla-pa/", follow=True)
    assert "Gallringen är på." in answer.content.decode()
    assert Pause.objects.get().ended_at is not None


def test_a_clock_is_declared_right_with_a_reason(disa: Client) -> None:
    clocks.beat()
    Heartbeat.objects.update(offset=0)  # as if the clock had been put forward by its whole age
    assert "En klocka har ställts fram" in disa.get(RUNS).content.decode()
    assert "En klocka har ställts fram" in disa.get("/personal/").content.decode()
    answer = disa.post(f"{RUNS}klockan/", {"reason": ""})
    assert "Något behöver rättas" in answer.content.decode()
    answer = disa.post(f"{RUNS}klockan/", {"reason": "Jämförd med tiden.se."}, follow=True)
    assert "Gallringen är på." in answer.content.decode()
    assert clocks.jumped() is None


def test_the_certificate_is_shown_and_given_as_a_file(disa: Client) -> None:
    who_left("Anna")
    run = execute(open_run(NIGHT)[0])
    page = disa.get(f"{RUNS}{run.pk}/change/").content.decode()
    for told in ("RET-02, P22", "Namn och födelsedatum", run.plan_hash, "Gjord som planerat"):
        assert told in page
    file = disa.get(f"{RUNS}{run.pk}/intyg.json")
    assert file["Content-Disposition"] == 'attachment; filename="gallring-2026-11-20.json"'
    assert is_signed(json.loads(file.content))


def test_the_nights_to_come_are_listed_as_the_latest_look_saw_them(disa: Client) -> None:
    for made, people in ((1, 12345), (2, 23456)):
        Forecast.objects.create(
            made_on=date(2026, 11, made),
            span="night",
            day=date(2026, 12, 1),
            people=people,
            per_category={"128": people},
        )
    page = disa.get("/personal/retention/forecast/").content.decode()
    assert "Fakturor 23" in page
    assert "12 345" not in page.replace("\N{NO-BREAK SPACE}", " ")


def test_who_is_set_aside_is_a_number_until_one_says_why(disa: Client, desk: type[Desk]) -> None:
    anna = cast.person("Anna")
    row = SetAside.objects.create(
        customer=anna, attempts=3, since=NIGHT, tried_on=NIGHT, cause="ForeignKeyViolation"
    )
    page = disa.get("/personal/retention/setaside/").content.decode()
    assert anna.number in page
    assert "ForeignKeyViolation" in page
    assert disa.get(f"/personal/retention/setaside/{row.pk}/change/").status_code == 302


def test_a_clock_that_is_right_needs_no_word(disa: Client) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        answer = disa.get(f"{RUNS}klockan/", follow=True)
    assert "Klockorna stämmer." in answer.content.decode()
