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
LEAF = struct.Struct(">q32s")
LEAVES_AT_ONCE = 4096
NOTHING = bytes(32)

Leaf = tuple[int, bytes]


class BrokenSealError(Exception):
    """A seal does not hold; the message is one sentence that names it."""


@dataclass(frozen=True)
class Head:
    """What a seal says about its entries; hashes are in hexadecimal."""

    number: int
    first_event: int
    last_event: int
    leaf_count: int
    root: str
    previous: str
    sealed_at: str

    @property
    def digest(self) -> bytes:
        """Return what the next seal is chained to."""
        return sha256(_as_json(self)).digest()


class MerkleRoot:
    """The root over leaves as they come: RFC 6962's tree in memory that grows by its height."""

    def __init__(self) -> None:
        self.count = 0
        self._left: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Take the next leaf."""
        node = sha256(b"\x00" + leaf).digest()
        level = self.count
        while level & 1:
            node = sha256(b"\x01" + self._left.pop() + node).digest()
            level >>= 1
        self._left.append(node)
        self.count += 1

    def value(self) -> bytes:
        """Return the root of the leaves so far."""
        if not self._left:
            return sha256(b"").digest()
        *rest, node = self._left
        for left in reversed(rest):
            node = sha256(b"\x01" + left + node).digest()
        return node


def write(leaves: Iterable[Leaf], *, number: int, previous: bytes, sealed_at: datetime) -> Head:
    """Write a seal to the disk and return its head; raises ValueError without leaves."""
    folder = Path(settings.SEALS_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    root, first, last = MerkleRoot(), 0, 0
    unfinished = folder / "unfinished"
    opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "wb") as file:
        file.write(bytes(HEAD_SIZE))
        for last, digest in leaves:
            first = first or last
            root.add(digest)
            file.write(LEAF.pack(last, digest))
        if not root.count:
            raise ValueError("A seal needs at least one entry.")
        head = Head(
            number=number,
            first_event=first,
            last_event=last,
            leaf_count=root.count,
            root=root.value().hex(),
            previous=previous.hex(),
            sealed_at=sealed_at.astimezone(UTC).isoformat(),
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


def leaves(head: Head) -> Iterator[Leaf]:
    """Yield a seal's entries in order."""
    with path(head.number).open("rb") as file:
        file.seek(HEAD_SIZE)
        while chunk := file.read(LEAF.size * LEAVES_AT_ONCE):
            whole = len(chunk) - len(chunk) % LEAF.size
            yield from LEAF.iter_unpack(chunk[:whole])


def demand_root(head: Head) -> None:
    """Raise BrokenSealError unless the entries of a seal are those its root was computed over."""
    root = MerkleRoot()
    for _number, digest in leaves(head):
        root.add(digest)
    if (root.value().hex(), root.count) != (head.root, head.leaf_count):
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
