"""Become another program that dies with the one that started it.

    python -I -S leash.py SIGNAL [--not-root] -- PROGRAM ARGUMENT...

The kernel sends SIGNAL when the parent is gone, also after kill -9. With --not-root the program
runs in a user namespace of its own, where root is nobody: PostgreSQL refuses to run as root, and
the files stay ours. No helper program is needed for either. Runs alone, on the standard library.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
NOBODY = 65534


def main(arguments: list[str]) -> None:
    """Put the leash on and become the program."""
    split = arguments.index("--")
    options, command = arguments[:split], arguments[split + 1 :]
    parent = int(os.environ.pop("LEASH_PARENT"))
    if "--not-root" in options:
        _leave_root()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.Signals[options[0]]))
        if os.getppid() != parent:
            sys.exit("The supervisor went away before this part of the house could start.")
    os.execv(command[0], command)  # nosec B606  a program of ours, no shell


def _leave_root() -> None:
    """Stop being root, keeping the ownership of files where the kernel allows it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) == 0:
        return
    sys.exit(
        "The kernel allows no user namespace here and PostgreSQL refuses to run as root: "
        "start as an ordinary user instead."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
