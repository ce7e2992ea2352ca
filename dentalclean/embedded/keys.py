"""Secrets of an embedded house: made once, kept beside its data, never in the repository."""

import base64
import contextlib
import fcntl
import json
import os
import secrets
import tempfile
from pathlib import Path

KEY_RINGS = ("FIELD_KEYS", "EXTRACT_KEYS", "RECEIPT_KEYS")
KEYS = ("LOOKUP_KEY", "SUPPRESSION_KEY")


def generate() -> dict[str, str]:
    """Draw fresh secrets in the form the environment would give them."""
    drawn = {"SECRET_KEY": secrets.token_urlsafe(50)}
    drawn |= {name: f"1:{_key()}" for name in KEY_RINGS}
    drawn |= {name: _key() for name in KEYS}
    return drawn


def read_or_create(path: Path) -> dict[str, str]:
    """Read the secrets, or create them as one whole file that only its owner can read."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secrets-")  # mode 0600
        with os.fdopen(handle, "w") as file:
            json.dump(generate(), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: use its secrets
            os.link(draft, path)
        Path(draft).unlink()
    found: dict[str, str] = json.loads(path.read_text())
    return found if generate().keys() <= found.keys() else _complete(path)


def _complete(path: Path) -> dict[str, str]:
    """Draw what a house of an earlier version lacks, once, however many processes start."""
    with (path.parent / ".secrets-lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        found: dict[str, str] = generate() | json.loads(path.read_text())
        draft = path.parent / ".secrets-complete"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(found, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return found


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
