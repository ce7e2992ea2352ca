"""Files that are whole or not there at all, for nobody's eyes but ours (E07, E08)."""

import contextlib
import os
import uuid
from collections.abc import Iterable
from pathlib import Path

PARTIAL = ".part"


def write(path: Path, chunks: bytes | Iterable[bytes]) -> None:
    """Write a file under another name, flush it to the disk and only then give it its name."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{uuid.uuid4().hex}{PARTIAL}")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for chunk in [chunks] if isinstance(chunks, bytes) else chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
