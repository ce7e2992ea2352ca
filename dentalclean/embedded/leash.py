"""Become another program that dies with the one that started it.

python -I -S leash.py SIGNAL [--not-root FOLDER] -- PROGRAM ARGUMENT...

The kernel sends SIGNAL when the parent is gone, also after kill -9. With --not-root the program
does not run as root, which PostgreSQL refuses, and yet reaches its FOLDER wherever that lies: in a
user namespace of its own, where root is nobody and files stay root's; or, where the kernel allows
no namespace (many containers), as nobody with leave to pass closed folders above its own. No
helper program is needed for any of it. Runs alone, on the standard library.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
CLONE_NEWUSER = 0x10000000
ROOT, NOBODY = 0, 65534


def die_with_parent(how: signal.Signals) -> None:
    """Ask the kernel for a signal when the parent of this process is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(how))


def main(arguments: list[str]) -> None:
    """Put the leash on and become the program."""
    split = arguments.index("--")
    options, command = arguments[:split], arguments[split + 1 :]
    parent = int(os.environ.pop("LEASH_PARENT"))
    if "--not-root" in options:
        _leave_root(Path(options[2]))
    die_with_parent(signal.Signals[options[0]])
    if os.getppid() != parent:
        sys.exit("The supervisor went away before this part of the house could start.")
    os.execv(command[0], command)  # noqa: S606


def _leave_root(folder: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    wanted = os.environ.get("LEASH_WITHOUT_NAMESPACE") != "1"
    if wanted and _namespaces_allowed(libc):
        _own(folder, ROOT)
        libc.unshare(CLONE_NEWUSER)
        return
    try:
        _own(folder, NOBODY)
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError:
        sys.exit("PostgreSQL refuses to run as root here: start as an ordinary user instead.")
    _keep_only(libc, CAP_DAC_OVERRIDE)


def _namespaces_allowed(libc: ctypes.CDLL) -> bool:
    """Try in a process of its own: once inside, a folder can no longer be handed over."""
    trial = os.fork()
    if trial == 0:
        os._exit(0 if libc.unshare(CLONE_NEWUSER) == 0 else 1)
    return os.waitpid(trial, 0)[1] == 0


def _own(folder: Path, user: int) -> None:
    """Hand over a folder and what is in it, once."""
    if folder.stat().st_uid == user:
        return
    for place, _, files in os.walk(folder):
        for name in files:
            os.chown(os.path.join(place, name), user, -1, follow_symlinks=False)  # noqa: PTH118
        os.chown(place, user, -1)


def _keep_only(libc: ctypes.CDLL, capability: int) -> None:
    """Keep one capability over the coming exec, and no other."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    libc.capset(ctypes.byref(header), ctypes.byref(data))
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
