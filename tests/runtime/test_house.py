"""`make run`: one house that starts, tells, refuses a second one, stops, and survives kill -9."""

import functools
import json
import signal
import socket
import stat
import urllib.error
import urllib.request
from typing import Any

import pytest

from dentalclean.embedded import servers
from tests.houses import RunningHouse, gone, wait_until

pytestmark = pytest.mark.house


def test_a_house_stands_refuses_a_second_is_handed_over_and_loses_nothing_of_any_kill(
    house: RunningHouse,
) -> None:
    house.start()
    it_stands_and_refuses_a_second(house)
    house.sql("CREATE TABLE kept AS SELECT 'stopped' AS how")
    everything = house.everything()
    assert house.stop(signal.SIGINT) == 0
    assert house.says("Your data is kept in")
    assert gone(everything)

    make_it_as_when_there_was_one_role(house)
    house.start()
    it_has_been_handed_over_and_works_as_the_app(house)
    for name in ("database", "worker", "web", "clock", "broker"):
        everything = house.everything()
        house.sql(f"INSERT INTO kept VALUES ('{name}')")
        house.kill(name)
        wait_until(house.ended, 60)
        assert house.stop() == 1
        assert house.says("has died, so everything is stopped")
        assert house.says("PostgreSQL has died") == (name == "database")
        wait_until(functools.partial(gone, everything), 10)
        house.start()

    everything = house.everything()
    house.stop(signal.SIGKILL)
    house.start()  # at once: waits for the last part of the killed run
    assert gone(everything)
    assert len(house.sql("SELECT how FROM kept")) == 6
    assert house.stop(signal.SIGTERM) == 0


def it_stands_and_refuses_a_second(house: RunningHouse) -> None:
    address = f"http://127.0.0.1:{house.port}"
    assert house.says(f"{address}/")
    with urllib.request.urlopen(f"{address}/healthz", timeout=10) as answer:
        assert answer.status == 200
    assert set(house.parts()) == {"database", "broker", "worker", "clock", "web"}
    assert stat.S_IMODE(house.house.secrets.stat().st_mode) == 0o600

    second = house.again()
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr.startswith("Dentalclean is already running")
    assert len(second.stderr.splitlines()) == 1


def make_it_as_when_there_was_one_role(house: RunningHouse) -> None:
    with servers.running(house.house, durable=True):
        tables = [
            name
            for (name,) in house.sql(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
                "UNION ALL SELECT 'FUNCTION _pgtrigger_should_ignore'"
            )
        ]
        for name in tables:
            kind = "" if name.startswith("FUNCTION") else "TABLE"
            house.sql(f"ALTER {kind} {name} OWNER TO dentalclean")
        house.sql("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM dentalclean_app")
        house.sql("DROP OWNED BY dentalclean_auditor")
        house.sql("DROP ROLE dentalclean_auditor")


def it_has_been_handed_over_and_works_as_the_app(house: RunningHouse) -> None:
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert house.sql(owners) == [("dentalclean_owner",)]
    wait_until(lambda: health(house)["healthy"], 60)
    assert health(house)["parts"]["rights"] == "ok"
    sessions = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name <> 'test'"
    asked = f"SET application_name = 'test'; {sessions} AND datname = 'dentalclean'"
    assert house.sql(asked) == [("dentalclean_app",)]
    assert house.again("manage", "migrate", "--check").returncode == 0
    assert house.again("manage", "migrate").returncode == 0
    assert house.again("manage", "check", "--database", "default").returncode == 0
    verified = house.again("manage", "verify_ledger")
    assert verified.returncode == 0, verified.stderr


def test_a_taken_port_is_told_before_anything_starts(unstarted_house: RunningHouse) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", unstarted_house.port))
        other.listen()
        refused = unstarted_house.again()
    assert refused.returncode == 1
    assert f"Port {unstarted_house.port} is taken" in refused.stderr
    assert not unstarted_house.house.database.exists()


@pytest.mark.parametrize("port", ["0", "70000", "-1", "åtta", "8000 8001"])
def test_a_port_that_is_none_is_refused(unstarted_house: RunningHouse, port: str) -> None:
    refused = unstarted_house.again("run", PORT=port)
    assert refused.returncode == 1
    assert refused.stderr.startswith("Set PORT to a number between 1 and 65535")


def health(house: RunningHouse) -> dict[str, Any]:
    """Ask the house how it is, also when it is not well."""
    address = f"http://127.0.0.1:{house.port}/healthz/deep"
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as unwell:
        found = json.load(unwell)
    return found
