"""The build of an extract, killed before and after each of its statements and file operations.

The session is terminated and from then on nothing happens any more, as `kills` says. What is left
must show no partial file to anybody; a restart finishes it: one file, one answer, one mail.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from consent.actions import say_yes
from consent.purposes import Use
from customers.models import Customer
from disclosures import files
from disclosures.files import PARTIAL
from disclosures.models import Outbox
from privacy_requests import actions, vault
from privacy_requests.actions import build, open_case
from privacy_requests.models import CaseEvent, Extract
from tests import cast
from tests.kills import Process, World
from tests.workers import died_of

# A snapshot of its own needs a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)

EVERYWHERE = "KILLS_EACH" in os.environ
# In the suite every file operation with its neighbours, and every so many statements.
STRIDE = 1 if EVERYWHERE else 4
ON_DISK = {"open", "fsync", "rename", "unlink"}


@pytest.fixture
def control() -> Iterator[Any]:
    """Give a session beside the one that is killed."""
    other = connections.create_connection("default")
    other.ensure_connection()
    yield other.connection
    other.close()


@pytest.fixture
def world(control: Any, anna: Customer, tmp_path: Path) -> Iterator[World]:
    """Keep the world in which an extract is asked for, and find the tables that a build touches."""
    control.autocommit = True
    kept = World(control, (vault.folder(),), {}, tmp_path)
    say_yes(anna, Use("H", "email"), evidence=cast.SHOWN)
    wanted = open_case(anna).extract
    kept.keep("asked")
    assert build(wanted.pk)
    kept.keep("built")
    kept.go_back_only_in_what_differs("asked", "built")
    yield kept
    kept.close()


def killed(world: World, step: int, *, power_cut: bool = False) -> Process:
    """Go back to when it was asked for, build, and be killed before a step."""
    world.restore("asked")
    vault.folder().mkdir(mode=0o700, exist_ok=True)
    wanted = Extract.objects.get()
    process = Process(world.control, world.folders, step, power_cut)
    return process.run(lambda: build(wanted.pk))


def assert_nothing_half_is_seen() -> None:
    """A row that says ready has its whole file; whoever asks otherwise is told to wait."""
    wanted = Extract.objects.select_related("case__customer").get()
    if wanted.status == Extract.Status.READY:
        assert_finished_once()
    else:
        assert wanted.file_name == ""
        assert not wanted.case.events.filter(kind=CaseEvent.Kind.ANSWERED).exists()
        assert not Outbox.objects.filter(template="extract_ready").exists()
        with pytest.raises(actions.NotReadyError):
            actions.fetch(wanted.pk, wanted.case.customer)
    for path in vault.folder().iterdir():
        assert path.suffix == PARTIAL or _opens(path, wanted)


def _opens(path: Path, wanted: Extract) -> bool:
    """Say whether what has a name is whole, also when no row knows it yet."""
    return b"".join(vault.decrypted(path.open("rb"), wanted.pk)).startswith(b"PK")


def restart() -> None:
    """Let the lease lapse and time pass, then do what beat and a worker do."""
    Extract.objects.filter(status=Extract.Status.QUEUED).update(available_at=timezone.now())
    build(Extract.objects.get().pk)
    long_ago = time.time() - actions.ORPHAN_AFTER.total_seconds() - 1
    for path in vault.folder().iterdir():
        os.utime(path, (long_ago, long_ago))
    actions.sweep()
    # A power cut can lose the file of a row that is there: the sweep asked for it again.
    build(Extract.objects.get().pk)


def assert_finished_once() -> None:
    wanted = Extract.objects.get()
    assert wanted.status == Extract.Status.READY
    assert wanted.file_name in {path.name for path in vault.folder().iterdir()}
    plain = b"".join(vault.decrypted(vault.path_of(wanted.file_name).open("rb"), wanted.pk))
    assert len(plain) == wanted.size
    for kind in (CaseEvent.Kind.STARTED, CaseEvent.Kind.ANSWERED):
        assert wanted.case.events.filter(kind=kind).count() == 1
    assert Outbox.objects.filter(template="extract_ready").count() == 1


def survives(world: World, step: int, *, power_cut: bool = False) -> bool:
    """Kill one build before a step and demand everything; say whether it came so far."""
    process = killed(world, step, power_cut=power_cut)
    if not power_cut:
        assert_nothing_half_is_seen()
    restart()
    assert_finished_once()
    assert [path.name for path in vault.folder().iterdir()] == [Extract.objects.get().file_name]
    return process.is_dead


def steps_of(world: World) -> list[str]:
    world.restore("asked")
    wanted = Extract.objects.get()
    return Process(world.control, world.folders).run(lambda: build(wanted.pk)).steps


def test_an_extract_killed_before_and_after_every_step_is_finished_once(world: World) -> None:
    steps = steps_of(world)
    assert steps.count("commit") >= 3
    assert {"open", "fsync", "rename"} <= set(steps)
    on_disk = {n + after for n, name in enumerate(steps) if name in ON_DISK for after in (0, 1)}
    for step in sorted(on_disk | set(range(0, len(steps), STRIDE))):
        assert survives(world, step), steps[step]
    assert not survives(world, len(steps))


def test_a_power_cut_between_two_changes_of_a_file_loses_no_extract(world: World) -> None:
    steps = steps_of(world)
    for step in (n + 1 for n, name in enumerate(steps) if name in ON_DISK):
        assert survives(world, step, power_cut=True), steps[step]
    # Between the file and its row, and just after both.
    commits = [n for n, name in enumerate(steps) if name == "commit"]
    assert survives(world, commits[-1], power_cut=True)


@pytest.mark.parametrize("where", ["vault.store", "actions._hand_out"])
def test_kill_9_in_the_middle_of_a_build(where: str, anna: Customer) -> None:
    wanted = open_case(anna).extract
    module, name = where.split(".")
    died = died_of(
        "import os, signal, uuid\n"
        "from privacy_requests import actions, vault\n"
        f"real = {where}\n"
        "def die(*given, **named):\n"
        "    real(*given, **named)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"{module}.{name} = die\n"
        f"actions.build(uuid.UUID('{wanted.pk}'))\n"
    )
    assert died == 9
    assert_nothing_half_is_seen()
    restart()
    assert_finished_once()


def test_the_harness_sees_a_file_that_is_written_in_its_place(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_in_place(path: Path, chunks: Any) -> None:
        path.parent.mkdir(exist_ok=True)
        whole = b"".join(chunks)
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        for half in (whole[: len(whole) // 2], whole[len(whole) // 2 :]):
            os.write(file, half)
            os.fsync(file)
        os.close(file)

    monkeypatch.setattr(files, "write", write_in_place)
    between = steps_of(world).index("fsync")
    with pytest.raises(vault.DamagedFileError):
        survives(world, between)
