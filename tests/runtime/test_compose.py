"""The production recipe gives the program what it asks for, and no secret of its own."""

import re
from typing import Any

import pytest
import yaml

from tests.houses import ROOT
from tests.production_settings import environment

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
GIVEN_BY_THE_IMAGE = {"DJANGO_SETTINGS_MODULE", "DATA_DIR", "DENTALCLEAN_EMBEDDED"}


@pytest.mark.parametrize("service", ["migrate", "web", "worker", "beat"])
def test_every_required_setting_is_handed_on(service: str) -> None:
    given = set(SERVICES[service]["environment"])
    assert set(environment("")) - GIVEN_BY_THE_IMAGE <= given


def test_no_value_has_a_default_that_works() -> None:
    asked = re.findall(r"\$\{(\w+)(.*?)\}", (ROOT / "docker-compose.yml").read_text())
    assert {name for name, rest in asked if rest != ":?"} == {"PORT", "IDENTITY_BROKERS"}


def test_only_the_migration_comes_as_the_owner_and_nobody_as_the_superuser() -> None:
    comes_as = {
        name: re.match(r"postgres://(\w+):", service["environment"]["DATABASE_URL"])[1]
        for name, service in SERVICES.items()
        if "DATABASE_URL" in service.get("environment", ())
    }
    app = dict.fromkeys(("web", "worker", "beat"), "dentalclean_app")
    assert comes_as == app | {"migrate": "dentalclean_owner"}
    made = COMPOSE["configs"]["roles"]["content"]
    for role in ("dentalclean_owner", "dentalclean_app", "dentalclean_auditor"):
        assert f"CREATE ROLE {role} LOGIN PASSWORD" in made


def test_postgresql_18_keeps_its_folder_and_the_broker_its_messages() -> None:
    assert SERVICES["database"]["image"] == "postgres:18"
    assert SERVICES["database"]["volumes"] == ["database:/var/lib/postgresql"]
    assert "--appendonly yes" in SERVICES["broker"]["command"]
    assert "noeviction" in SERVICES["broker"]["command"]


@pytest.mark.parametrize("service", ["migrate", "web", "worker", "beat"])
def test_seals_and_erasures_lie_on_volumes_of_their_own(service: str) -> None:
    mounts = dict(reversed(mount.split(":")) for mount in SERVICES[service]["volumes"])
    given = SERVICES[service]["environment"]
    assert mounts[given["SEALS_DIR"]] == "seals"
    assert mounts[given["ERASURES_DIR"]] == "erasures"
    assert mounts["/data"] == "files"


def test_no_volume_of_the_program_is_the_databases_and_each_can_be_written() -> None:
    volumes = {
        name: [mount.split(":") for mount in service.get("volumes", ())]
        for name, service in SERVICES.items()
    }
    of_the_database = {volume for volume, _ in volumes["database"]}
    of_the_program = {volume for volume, _ in volumes["web"]}
    assert not of_the_database & of_the_program
    assert {volume for mounts in volumes.values() for volume, _ in mounts} == set(
        COMPOSE["volumes"]
    )
    made = re.search(
        r"install -d .* dentalclean((?: /\w+)+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    assert made is not None
    assert {place for _, place in volumes["web"]} == set(made[1].split())


def test_the_image_holds_every_room() -> None:
    copied = re.findall(r"^COPY (\w+) \w+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    rooms = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert rooms | {"templates", "static", "locale"} <= set(copied)
    allowed = (ROOT / ".dockerignore").read_text().split()
    assert {f"!{name}" for name in copied} <= set(allowed)
