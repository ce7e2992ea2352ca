"""Start a part of the house on a leash, and stop it again."""

import os
import signal
import subprocess  # nosec B404  our own programs, never a shell
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
    not_root: bool = False,
    keep_open: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start a program in a session of its own, so that Ctrl-C reaches the supervisor alone."""
    options = ["--not-root"] if not_root and os.geteuid() == 0 else []
    leash = [sys.executable, "-I", "-S", str(LEASH), on_parent_death.name, *options, "--"]
    surroundings = {**(os.environ if environment is None else environment)}
    surroundings["LEASH_PARENT"] = str(os.getpid())
    with log.open("ab") as out:
        return subprocess.Popen(  # nosec B603
            [*leash, *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=surroundings,
            start_new_session=True,
            pass_fds=tuple(keep_open),
        )


def stop(part: "subprocess.Popen[bytes]", how: signal.Signals, patience: float) -> bool:
    """Ask a part to stop and wait; after `patience` seconds end its whole session. Tell if asked
    was enough.
    """
    if part.poll() is None:
        part.send_signal(how)
    try:
        part.wait(patience)
    except subprocess.TimeoutExpired:
        os.killpg(part.pid, signal.SIGKILL)
        part.wait()
        return False
    return True


def last_line(log: Path) -> str:
    """Give the last line of a log, for a person to read."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except FileNotFoundError:
        lines = []
    return lines[-1] if lines else "it said nothing"
