"""A seal outside the database: one file each, its head in JSON and then every sealed entry.

    000000000042.seal = 1,024 bytes of JSON, padded | (8 bytes number, 32 bytes digest) per entry

A file is written whole or not at all, never rewritten, and is the truth that the database is held
to; so the folder belongs on storage that the database's administrators cannot change.
"""

import json
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from django.conf import settings

HEAD_SIZE = 1024
ENTRY = struct.Struct(">q32s")
BLOCK = 16 * ENTRY.size
ENTRIES_AT_ONCE = 4096
NOTHING = bytes(32)

Entry = tuple[int, bytes]


class BrokenSealError(Exception):
    """A seal does not hold; the message is one sentence that names it."""


@dataclass(frozen=True)
class Head:
    """What a seal says about its entries; hashes are in hexadecimal."""

    number: int
    first_event: int
    last_event: int
    entry_count: int
    root: str
    previous: str
    sealed_at: str
    # The newest wording there was then, and the hash over all up to it (`sealing.wordings`).
    last_notice: int = 0
    wordings: str = ""

    @property
    def digest(self) -> bytes:
        """Return what the next seal is chained to."""
        return sha256(_as_json(self)).digest()


class MerkleRoot:
    """The root over entries as they come: RFC 6962's tree in memory that grows by its height.

    A leaf is a block of entries, so that a hash is not the price of each; whoever is to be shown
    that an entry is sealed gets its block.
    """

    def __init__(self) -> None:
        self.entries = 0
        self._blocks = 0
        self._left: list[bytes] = []

    def take(self, chunk: bytes) -> None:
        """Take the next entries as they lie; any but the last chunk is of whole blocks."""
        for at in range(0, len(chunk), BLOCK):
            node = sha256(b"\x00" + chunk[at : at + BLOCK]).digest()
            level = self._blocks
            while level & 1:
                node = _joined(self._left.pop(), node)
                level >>= 1
            self._left.append(node)
            self._blocks += 1
        self.entries += len(chunk) // ENTRY.size

    def value(self) -> bytes:
        """Return the root of the entries so far."""
        if not self._left:
            return sha256(b"").digest()
        *rest, node = self._left
        for left in reversed(rest):
            node = _joined(left, node)
        return node


def _joined(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def write(
    chunks: Iterable[bytes],
    *,
    number: int,
    previous: bytes,
    sealed_at: datetime,
    last_notice: int = 0,
    wordings: str = "",
) -> Head:
    """Write a seal to the disk and return its head; `chunks` are whole entries as they will lie.

    Raises ValueError without entries.
    """
    folder = Path(settings.SEALS_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    root, first, last = MerkleRoot(), 0, 0
    unfinished = folder / "unfinished"
    opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "wb") as file:
        file.write(bytes(HEAD_SIZE))
        for chunk in chunks:
            first = first or ENTRY.unpack_from(chunk)[0]
            last = ENTRY.unpack_from(chunk, len(chunk) - ENTRY.size)[0]
            root.take(chunk)
            file.write(chunk)
        if not root.entries:
            raise ValueError("A seal needs at least one entry.")
        head = Head(
            number=number,
            first_event=first,
            last_event=last,
            entry_count=root.entries,
            root=root.value().hex(),
            previous=previous.hex(),
            sealed_at=sealed_at.astimezone(UTC).isoformat(),
            last_notice=last_notice,
            wordings=wordings,
        )
        file.seek(0)
        file.write(_as_json(head).ljust(HEAD_SIZE - 1) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path(number))
    _sync(folder)
    return head


def write_whole(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file beside the seals, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.parent / "unfinished"
    opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "wb") as file:
        file.writelines(chunks)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    _sync(path.parent)


def move_aside(after: int, name: str) -> int:
    """Move the seals above a number into a folder of their own; return how many there were."""
    folder = Path(settings.SEALS_DIR)
    moved = 0
    for found in sorted([*folder.glob("*.seal"), *folder.glob("*.noes")]):
        if int(found.stem) > after:
            (folder / name).mkdir(mode=0o700, exist_ok=True)
            found.rename(folder / name / found.name)
            moved += found.suffix == ".seal"
    return moved


def head(number: int) -> Head | None:
    """Read the head of a seal; None where there is no such file."""
    try:
        with path(number).open("rb") as file:
            found = Head(**json.loads(file.read(HEAD_SIZE)))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise BrokenSealError(f"Seal {number} outside the database cannot be read.") from None
    if found.number != number:
        raise BrokenSealError(f"Seal {number} outside the database says it is {found.number}.")
    return found


def chunks(head: Head) -> Iterator[bytes]:
    """Yield a seal's entries in order as they lie, `ENTRIES_AT_ONCE` of them at a time."""
    with path(head.number).open("rb") as file:
        file.seek(HEAD_SIZE)
        while chunk := file.read(ENTRY.size * ENTRIES_AT_ONCE):
            yield chunk[: len(chunk) - len(chunk) % ENTRY.size]


def entries(head: Head) -> Iterator[Entry]:
    """Yield a seal's entries in order."""
    for chunk in chunks(head):
        yield from ENTRY.iter_unpack(chunk)


def demand_root(head: Head) -> None:
    """Raise BrokenSealError unless the entries of a seal are those its root was computed over."""
    root = MerkleRoot()
    for chunk in chunks(head):
        root.take(chunk)
    if (root.value().hex(), root.entries) != (head.root, head.entry_count):
        raise BrokenSealError(f"Seal {head.number} outside the database does not match its root.")


def last_number() -> int:
    """Return the number of the last seal outside the database, 0 when there is none."""
    try:
        with os.scandir(settings.SEALS_DIR) as entries:
            return max(
                (int(e.name[:-5]) for e in entries if e.name.endswith(".seal")),
                default=0,
            )
    except FileNotFoundError:
        return 0


def path(number: int) -> Path:
    """Return where a seal lies."""
    return Path(settings.SEALS_DIR) / f"{number:012d}.seal"


def note_look() -> None:
    """Remember that the ledger was looked at and everything in it is sealed."""
    folder = Path(settings.SEALS_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "looked").touch(mode=0o600)


def looked_at() -> datetime | None:
    """Return when everything was last sealed; None before the first time."""
    try:
        changed = (Path(settings.SEALS_DIR) / "looked").stat().st_mtime
    except FileNotFoundError:
        return None
    return datetime.fromtimestamp(changed, UTC)


def _as_json(head: Head) -> bytes:
    return json.dumps(asdict(head), sort_keys=True).encode()


def _sync(folder: Path) -> None:
    """Make a rename in the folder survive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
