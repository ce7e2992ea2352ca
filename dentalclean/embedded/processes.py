"""Start a part of the house on a leash, and stop it again."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")


def start(
    command: Sequence[str],
    log: Path,
    *,
    on_parent_death: signal.Signals,
    environment: Mapping[str, str] | None = None,
    not_root_in: Path | None = None,
    keep_open: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start a program in a session of its own, so that Ctrl-C reaches the supervisor alone.

    `not_root_in` names the folder of a program that must not run as root.
    """
    options = ["--not-root", str(not_root_in)] if not_root_in and os.geteuid() == 0 else []
    leash = [sys.executable, "-I", "-S", str(LEASH), on_parent_death.name, *options, "--"]
    surroundings = {**(os.environ if environment is None else environment)}
    surroundings["LEASH_PARENT"] = str(os.getpid())
    with log.open("ab") as out:
        return subprocess.Popen(
            [*leash, *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=surroundings,
            start_new_session=True,
            pass_fds=tuple(keep_open),
        )


def ask(part: "subprocess.Popen[bytes]", how: signal.Signals, patience: float) -> bool:
    """Ask a part to stop and wait; tell whether it has stopped after `patience` seconds."""
    if part.poll() is None:
        part.send_signal(how)
    try:
        part.wait(patience)
    except subprocess.TimeoutExpired:
        return False
    return True


def stop(part: "subprocess.Popen[bytes]", how: signal.Signals, patience: float) -> None:
    """Ask a part to stop; end its whole session when it does not, and what it left of it."""
    ask(part, how, patience)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(part.pid, signal.SIGKILL)
    part.wait()


def last_line(log: Path) -> str:
    """Give the last line of a log, to be put into a sentence."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except FileNotFoundError:
        lines = []
    return lines[-1].rstrip(".") if lines else "it said nothing"
