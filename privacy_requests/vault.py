"""Where the extracts lie: encrypted in chunks, under random names, in a folder of their own.

A file is `key id | nonce`, then chunks, each its length and its box. Every chunk is bound to the
extract, to its place and to whether it is the last, so a file that was cut, mixed or given to
another extract does not open.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from disclosures import files

CHUNK_BYTES = 256 * 1024
NONCE_BYTES, COUNT_BYTES = 8, 4


class DamagedFileError(Exception):
    """The file does not open as the extract it should be."""


def folder() -> Path:
    """Return the folder of the extracts, outside everything a web server hands out (E07)."""
    return Path(settings.DATA_DIR) / "extracts"


def path_of(name: str) -> Path:
    """Return where a file lies; the name is one of ours and never leads elsewhere."""
    return folder() / uuid.UUID(name).hex


def _bound_to(extract_id: uuid.UUID, place: int, *, last: bool) -> bytes:
    return f"extract:{extract_id}:{place}:{'last' if last else 'more'}".encode()


def _encrypted(plain: bytes, extract_id: uuid.UUID) -> Iterator[bytes]:
    ring: dict[str, bytes] = settings.EXTRACT_KEYS
    key_id = next(iter(ring))
    box, nonce = AESGCM(ring[key_id]), os.urandom(NONCE_BYTES)
    yield f"{key_id}|".encode() + nonce
    places = range(0, max(len(plain), 1), CHUNK_BYTES)
    for place, start in enumerate(places):
        last = place == len(places) - 1
        chunk = box.encrypt(
            nonce + place.to_bytes(COUNT_BYTES, "big"),
            plain[start : start + CHUNK_BYTES],
            _bound_to(extract_id, place, last=last),
        )
        yield len(chunk).to_bytes(COUNT_BYTES, "big")
        yield chunk


def store(plain: bytes, extract_id: uuid.UUID) -> str:
    """Encrypt an archive for one extract into a new file and return the file's name."""
    name = uuid.uuid4().hex
    files.write(path_of(name), _encrypted(plain, extract_id))
    return name


def decrypted(file: BinaryIO, extract_id: uuid.UUID) -> Iterator[bytes]:
    """Yield the archive from an open file, then close it; raises DamagedFileError."""
    with file:
        key_id = b""
        while (sign := file.read(1)) not in (b"|", b""):
            key_id += sign
        nonce = file.read(NONCE_BYTES)
        try:
            box = AESGCM(settings.EXTRACT_KEYS[key_id.decode()])
            place, length = 0, file.read(COUNT_BYTES)
            while length:
                chunk, following = file.read(int.from_bytes(length, "big")), file.read(COUNT_BYTES)
                yield box.decrypt(
                    nonce + place.to_bytes(COUNT_BYTES, "big"),
                    chunk,
                    _bound_to(extract_id, place, last=not following),
                )
                place, length = place + 1, following
        except (KeyError, ValueError, InvalidTag) as problem:
            raise DamagedFileError(f"The file of extract {extract_id} does not open.") from problem
        if not place:
            raise DamagedFileError(f"The file of extract {extract_id} is empty.")


class Opened:
    """An open extract that is decrypted as it is read, and closed even if it never is."""

    def __init__(self, file: BinaryIO, extract_id: uuid.UUID) -> None:
        self.file = file
        self.chunks = decrypted(file, extract_id)

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def remove(name: str) -> None:
    """Delete a file; one that is gone already is gone."""
    if name:
        path_of(name).unlink(missing_ok=True)
