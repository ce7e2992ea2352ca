"""PostgreSQL and Valkey in folders and sockets of their own; nothing listens on the network."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg2

from dentalclean.embedded import processes
from dentalclean.embedded.binaries import postgres_programs, valkey_server
from dentalclean.embedded.places import ROLES, SUPERUSER, House, HouseError
from dentalclean.ownership import OWNED_BY_OTHERS

Part = subprocess.Popen[bytes]
START_PATIENCE = 30.0  # seconds; recovery after a crash is part of a start


def start_database(house: House, *, durable: bool, keep_open: Sequence[int] = ()) -> Part:
    """Start PostgreSQL, creating its folder and our database the first time. Raises HouseError.

    `durable=False` is for tests: nothing is synced to disk.
    """
    programs = postgres_programs()
    if not house.database.exists():
        _create_cluster(programs, house)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(house.sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "256MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_statement": "none",
        "log_parameter_max_length_on_error": "0",  # values are personal data: never in a log
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "dynamic_shared_memory_type": "mmap",
        "max_wal_size": "2GB",
        # What was erased stays in the log of changes for an hour and a checkpoint, not for ever.
        "archive_timeout": "3600",
        "wal_recycle": "off",
        "jit": "off",
    }
    if not durable:
        settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log = house.logs / "postgres.log"
    server = processes.start(
        [str(programs / "postgres"), "-D", str(house.database), *arguments],
        log,
        on_parent_death=signal.SIGINT,
        not_root_in=house.database,
        keep_open=keep_open,
    )
    _wait(server, lambda: _database_answers(house), "PostgreSQL", log)
    return server


def start_broker(house: House, *, durable: bool, keep_open: Sequence[int] = ()) -> Part:
    """Start Valkey with an append-only file; it never throws a message away. Raises HouseError."""
    settings = {
        "port": "0",
        "unixsocket": str(house.broker_socket),
        "unixsocketperm": "700",
        "dir": str(house.broker),
        "databases": "64",
        "appendonly": "yes" if durable else "no",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    house.broker_socket.unlink(missing_ok=True)
    arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
    log = house.logs / "valkey.log"
    server = processes.start(
        [str(valkey_server()), *arguments],
        log,
        on_parent_death=signal.SIGTERM,
        keep_open=keep_open,
    )
    _wait(server, lambda: _broker_answers(house), "Valkey", log)
    return server


def stop_broker(server: Part) -> None:
    """Stop Valkey; it writes its file first."""
    processes.stop(server, signal.SIGTERM, 10)


def stop_database(server: Part) -> None:
    """Stop PostgreSQL: sessions end, everything is written (a fast shutdown)."""
    processes.stop(server, signal.SIGINT, 30)


@contextlib.contextmanager
def running(house: House, *, durable: bool) -> Iterator[House]:
    """Keep both servers up for a while, as tests and benches need them."""
    house.make_folders()
    database = start_database(house, durable=durable)
    try:
        broker = start_broker(house, durable=durable)
        try:
            yield house
        finally:
            stop_broker(broker)
    finally:
        stop_database(database)


def remove(house: House) -> None:
    """Remove a house that was only for a while, sockets and all."""
    shutil.rmtree(house.sockets, ignore_errors=True)
    shutil.rmtree(house.data, ignore_errors=True)


def _create_cluster(programs: Path, house: House) -> None:
    """Make the folder under another name first: a half-made one is never taken for a whole."""
    draft = Path(tempfile.mkdtemp(dir=house.data, prefix=".postgres-"))
    log = house.logs / "initdb.log"
    command = [
        *(str(programs / "initdb"), "-D", str(draft), "-U", SUPERUSER, "-E", "UTF8"),
        *("--locale=C.UTF-8", "--auth=trust", "--no-sync", "--no-instructions"),
    ]
    maker = processes.start(command, log, on_parent_death=signal.SIGKILL, not_root_in=draft)
    if maker.wait() != 0:
        shutil.rmtree(draft, ignore_errors=True)
        raise HouseError(f"PostgreSQL could not be set up: {processes.last_line(log)}.")
    if hasattr(os, "sync"):
        os.sync()
    draft.rename(house.database)


def _wait(server: Part, answers: Callable[[], bool], name: str, log: Path) -> None:
    until = time.monotonic() + START_PATIENCE
    while not answers():
        if server.poll() is not None:
            raise HouseError(f"{name} did not start: {processes.last_line(log)}. See {log}.")
        if time.monotonic() > until:
            processes.stop(server, signal.SIGTERM, 5)
            raise HouseError(f"{name} did not answer in {START_PATIENCE:.0f} seconds. See {log}.")
        time.sleep(0.02)


def _database_answers(house: House) -> bool:
    """Connect to the server; create roles and our database if this is its first day."""
    try:
        session = _session(house, "postgres")
    except psycopg2.OperationalError:
        return False
    with contextlib.closing(session), session.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles")
        there = {name for (name,) in cursor.fetchall()}
        for name in ROLES.values():
            if name not in there:
                cursor.execute(f"CREATE ROLE {name} LOGIN")
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'dentalclean'")
        if cursor.fetchone() is None:
            cursor.execute("CREATE DATABASE dentalclean")
        cursor.execute(f"ALTER DATABASE dentalclean OWNER TO {ROLES['owner']}")
    _hand_over(house)
    return True


def _hand_over(house: House) -> None:
    """Give the owner what the superuser made in houses from before there were roles."""
    session = _session(house, "dentalclean")
    with contextlib.closing(session), session.cursor() as cursor:
        cursor.execute(OWNED_BY_OTHERS, {"owner": ROLES["owner"]})
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)


def _session(house: House, database: str) -> Any:
    session = psycopg2.connect(
        host=str(house.sockets), user=SUPERUSER, dbname=database, connect_timeout=5
    )
    session.autocommit = True
    return session


def _broker_answers(house: House) -> bool:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(2)
        try:
            line.connect(str(house.broker_socket))
            line.sendall(b"PING\r\n")
            return line.recv(7) == b"+PONG\r\n"
        except OSError:
            return False
