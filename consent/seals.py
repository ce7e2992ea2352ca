"""A seal outside the database: one file each, its head in JSON and then every sealed entry.

    000000000042.seal = 1,024 bytes of JSON, padded | (8 bytes number, 32 bytes digest) per entry

A file is written whole or not at all, never rewritten, and is the truth that the database is held
to; so the folder belongs on storage that the database's administrators cannot change.
"""

import json
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from django.conf import settings

HEAD_SIZE = 1024
LEAF = struct.Struct(">q32s")
DIGEST_SIZE = 32
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
    """The root over leaves as they come: RFC 6962's tree in memory that grows by its height.

    `count` in binary is the shape so far: each bit that is set is a whole tree of that many leaves.
    """

    def __init__(self) -> None:
        self.count = 0
        self._trees: list[bytes] = []

    def take(self, leaves: Sequence[bytes]) -> None:
        """Take the next leaves, in whole trees as large as fit: a level at a time is quickest."""
        at = 0
        while at < len(leaves):
            size = 1 << ((len(leaves) - at).bit_length() - 1)
            if self.count:
                size = min(size, self.count & -self.count)
            self._plant(_whole_tree(leaves[at : at + size]), size)
            at += size

    def _plant(self, tree: bytes, size: int) -> None:
        while self.count & size:
            tree = _joined(self._trees.pop(), tree)
            self.count -= size
            size <<= 1
        self._trees.append(tree)
        self.count += size

    def value(self) -> bytes:
        """Return the root of the leaves so far."""
        if not self._trees:
            return sha256(b"").digest()
        *rest, node = self._trees
        for left in reversed(rest):
            node = _joined(left, node)
        return node


def _joined(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _whole_tree(leaves: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of leaves."""
    level = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        level = list(map(_joined, level[::2], level[1::2]))
    return level[0]


def write(chunks: Iterable[bytes], *, number: int, previous: bytes, sealed_at: datetime) -> Head:
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
            first = first or LEAF.unpack_from(chunk)[0]
            last = LEAF.unpack_from(chunk, len(chunk) - LEAF.size)[0]
            root.take(_digests(chunk))
            file.write(chunk)
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


def chunks(head: Head) -> Iterator[bytes]:
    """Yield a seal's entries in order as they lie, `LEAVES_AT_ONCE` of them at a time."""
    with path(head.number).open("rb") as file:
        file.seek(HEAD_SIZE)
        while chunk := file.read(LEAF.size * LEAVES_AT_ONCE):
            yield chunk[: len(chunk) - len(chunk) % LEAF.size]


def leaves(head: Head) -> Iterator[Leaf]:
    """Yield a seal's entries in order."""
    for chunk in chunks(head):
        yield from LEAF.iter_unpack(chunk)


def _digests(chunk: bytes) -> list[bytes]:
    return [chunk[at - DIGEST_SIZE : at] for at in range(LEAF.size, len(chunk) + 1, LEAF.size)]


def demand_root(head: Head) -> None:
    """Raise BrokenSealError unless the entries of a seal are those its root was computed over."""
    root = MerkleRoot()
    for chunk in chunks(head):
        root.take(_digests(chunk))
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
