"""A whole house of its own, one at a time."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dentalclean.settings_test import OWN_FOLDER
from tests.houses import OneHouseAtATime, RunningHouse, gone


@pytest.fixture
def unstarted_house(tmp_path: Path) -> RunningHouse:
    """Give a house that is not meant to come up."""
    return RunningHouse(tmp_path / "var")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[RunningHouse]:
    """Give a house that has not been started yet; leave nothing of it running."""
    shared = Path(os.environ[OWN_FOLDER])
    with OneHouseAtATime(shared):
        running = RunningHouse(tmp_path / "var")
        yield running
        if not running.ended():
            left = running.everything()
            running.stop()
            assert gone(left)
        shutil.rmtree(running.house.sockets, ignore_errors=True)
