"""Where an embedded house keeps its things.

Everything follows from the data folder alone, so that a command in another terminal finds the
servers without asking anyone. Sockets lie in a short private folder: the kernel refuses a socket
path over some 104 bytes.
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

POSTGRES_MAJOR = 18
SUPERUSER = "dentalclean"  # makes the database and the roles, and is nobody afterwards
ROLES = {name: f"dentalclean_{name}" for name in ("owner", "app", "auditor")}
SOCKET_ROOT = Path("/tmp")  # noqa: S108  # nosec B108


class HouseError(Exception):
    """Say in one sentence why the house cannot stand here."""


@dataclass(frozen=True)
class House:
    """Name the folders, sockets and files of one embedded installation."""

    data: Path

    @property
    def sockets(self) -> Path:
        """Give the folder of the sockets, one per data folder and user."""
        mark = hashlib.sha256(str(self.data.resolve()).encode()).hexdigest()[:10]
        return SOCKET_ROOT / f"dentalclean-{os.getuid()}-{mark}"

    @property
    def database(self) -> Path:
        """Give PostgreSQL's folder, named by major version."""
        return self.data / f"postgres-{POSTGRES_MAJOR}"

    @property
    def broker(self) -> Path:
        """Give the folder of Valkey's append-only file."""
        return self.data / "valkey"

    @property
    def broker_socket(self) -> Path:
        """Give Valkey's socket."""
        return self.sockets / "valkey.sock"

    @property
    def logs(self) -> Path:
        """Give the folder of the servers' logs."""
        return self.data / "logs"

    @property
    def mail(self) -> Path:
        """Give the folder where mail "sent" in embedded mode lands."""
        return self.data / "mail"

    @property
    def secrets(self) -> Path:
        """Give the file of the generated secrets."""
        return self.data / "secrets.json"

    @property
    def database_url(self) -> str:
        """Give the address of the database as the program works in it, for django-environ."""
        return self._database_url(ROLES["app"])

    @property
    def owner_url(self) -> str:
        """Give the address of the database for migrations."""
        return self._database_url(ROLES["owner"])

    @property
    def superuser_url(self) -> str:
        """Give the address of the database for benches, which make and drop databases."""
        return self._database_url(SUPERUSER)

    def _database_url(self, user: str) -> str:
        return f"postgres://{user}@/dentalclean?host={self.sockets}"

    def broker_url(self, number: int = 0) -> str:
        """Give the address of a numbered Valkey database for Celery."""
        return f"redis+socket://{self.broker_socket}?virtual_host={number}"

    def cache_url(self, number: int = 1) -> str:
        """Give the address of a numbered Valkey database for Django's cache."""
        return f"unix://{self.broker_socket}?db={number}"

    def make_folders(self) -> None:
        """Create the folders; refuse a socket folder that somebody else made. Raises HouseError."""
        for folder in (self.data, self.broker, self.logs, self.mail):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        found = self.sockets.lstat()
        if (
            not stat.S_ISDIR(found.st_mode)
            or found.st_uid != os.getuid()
            or stat.S_IMODE(found.st_mode) != 0o700
        ):
            raise HouseError(
                f"The folder {self.sockets} must belong to you and be closed to others; "
                "remove it and start again."
            )
