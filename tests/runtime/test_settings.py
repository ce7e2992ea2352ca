"""Production has no working default: whatever is missing or wrong is told in one sentence."""

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.houses import ROOT
from tests.production_settings import environment

Refusal = Callable[[dict[str, str]], str]
REQUIRED = sorted(set(environment("")) - {"DJANGO_SETTINGS_MODULE", "DENTALCLEAN_EMBEDDED"})


@pytest.fixture
def refusal(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], str]:
    """Give the sentence with which the settings refuse an environment, or nothing."""

    def read(values: dict[str, str]) -> str:
        for name in os.environ:
            monkeypatch.delenv(name)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        try:
            runpy.run_path(str(ROOT / "dentalclean" / "settings.py"))
        except ImproperlyConfigured as problem:
            return str(problem)
        return ""

    return read


def test_complete_settings_are_accepted(refusal: Refusal, tmp_path: Path) -> None:
    assert refusal(environment(str(tmp_path))) == ""


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_setting_is_named(refusal: Refusal, name: str, tmp_path: Path) -> None:
    values = environment(str(tmp_path))
    del values[name]
    sentence = refusal(values)
    assert sentence.startswith(f"Set {name} in the environment to ")
    assert sentence.endswith(".")
    assert len(sentence.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIELD_KEYS", "1:short"),
        ("FIELD_KEYS", "no key here"),
        ("EXTRACT_KEYS", "1:AAAA,1:AAAA"),
        ("LOOKUP_KEY", "åäö"),
        ("SUPPRESSION_KEY", "AAAA"),
        ("DATABASE_URL", "sqlite:///house.db"),
        ("SITE_URL", "http://minsida.dentalclean.example"),
        ("SITE_URL", "minsida"),
        ("MAIL_FROM", "Dentalclean"),
        ("PORT", "x"),
        ("DENTALCLEAN_EMBEDDED", "yes"),
    ],
)
def test_a_wrong_setting_is_told_in_one_sentence(
    refusal: Refusal, name: str, value: str, tmp_path: Path
) -> None:
    sentence = refusal(environment(str(tmp_path)) | {name: value})
    assert name in sentence
    assert sentence.endswith(".")
    assert len(sentence.splitlines()) == 1


BROKER = {
    "name": "BankID",
    "server_url": "https://broker.example",
    "client_id": "dentalclean",
    "client_secret": "drawn",
    "acr_values": ["urn:bankid"],
    "claim": "ssn",
}


def test_an_identity_broker_is_accepted(refusal: Refusal, tmp_path: Path) -> None:
    for about in (BROKER, {**BROKER, "scope": "openid ssn"}):
        values = {"IDENTITY_BROKERS": json.dumps({"bankid": about})}
        assert refusal(environment(str(tmp_path)) | values) == ""


@pytest.mark.parametrize(
    "brokers",
    [
        "bankid",
        "[]",
        json.dumps({"Bank ID": BROKER}),
        json.dumps({"bankid": []}),
        json.dumps({"bankid": {**BROKER, "secret": "x"}}),
        json.dumps({"bankid": {name: BROKER[name] for name in BROKER if name != "claim"}}),
        *(
            json.dumps({"bankid": {**BROKER, name: value}})
            for name, value in (
                ("server_url", "http://broker.example"),
                ("server_url", "http://127.0.0.1:9000"),
                ("server_url", "broker.example"),
                ("client_secret", " "),
                ("client_secret", 7),
                ("acr_values", []),
                ("acr_values", "urn:bankid"),
                ("acr_values", [""]),
                ("scope", "ssn"),
            )
        ),
    ],
)
def test_a_wrong_identity_broker_is_told_in_one_sentence(
    refusal: Refusal, brokers: str, tmp_path: Path
) -> None:
    sentence = refusal(environment(str(tmp_path)) | {"IDENTITY_BROKERS": brokers})
    assert "IDENTITY_BROKERS" in sentence
    assert sentence.endswith(".")
    assert len(sentence.splitlines()) == 1
    assert "drawn" not in sentence


def test_behind_our_proxy_the_limits_count_people_and_not_the_proxy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in (environment(str(tmp_path)) | {"BEHIND_PROXY": "1"}).items():
        monkeypatch.setenv(name, value)
    found = runpy.run_path(str(ROOT / "dentalclean" / "settings.py"))
    assert found["ALLAUTH_TRUSTED_PROXY_COUNT"] == 1


def test_manage_py_shows_the_sentence_and_no_traceback(tmp_path: Path) -> None:
    values = environment(str(tmp_path))
    del values["SECRET_KEY"]
    ran = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=ROOT,
        env=values,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("Set SECRET_KEY")
    assert len(ran.stderr.strip().splitlines()) == 1


def test_makemigrations_has_nothing_to_add() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.production_settings", "makemigrations", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_deployment_check_is_clean() -> None:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "tests.production_settings"),
            *("check", "--deploy", "--fail-level", "WARNING"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
