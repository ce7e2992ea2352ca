"""What makes a receipt ours: its number, its code and its signature.

Each secret of the ring makes five: one that signs, one that numbers, one for the codes on paper and
one for the names of people. The number is the entry's own, put through AES as one block together
with zeros: it counts nothing, cannot be guessed, and tells us which entry it is without a look-up.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

HALF = 8  # bytes of a block: the entry's number, then as many zeros
MARK_BYTES = 4

Document = dict[str, Any]


class Key:
    """One key of the ring and what is derived from it."""

    def __init__(self, name: str, secret: bytes) -> None:
        self.name = name
        self._secret = secret

    def _derive(self, what: str) -> bytes:
        return hmac.digest(self._secret, f"receipt {what}".encode(), hashlib.sha256)

    @cached_property
    def signs(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._derive("signature"))

    @cached_property
    def public(self) -> bytes:
        return self.signs.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @cached_property
    def _numbers(self) -> Cipher[modes.CBC]:
        # A single block, so the mode adds nothing to AES itself.
        return Cipher(algorithms.AES(self._derive("number")), modes.CBC(bytes(2 * HALF)))

    def number(self, entry: int) -> UUID:
        """Give the number that an entry of the ledger has on its receipt."""
        block = entry.to_bytes(HALF, "big") + bytes(HALF)
        writer = self._numbers.encryptor()
        return UUID(bytes=writer.update(block) + writer.finalize())

    def entry(self, number: UUID) -> int | None:
        """Give back the entry of a number, None when it is not one of ours."""
        reader = self._numbers.decryptor()
        block = reader.update(number.bytes) + reader.finalize()
        ours = hmac.compare_digest(block[HALF:], bytes(HALF)) and block[0] < 0x80
        return int.from_bytes(block[:HALF], "big") if ours else None

    def mark(self, number: UUID, digest: bytes) -> str:
        """Give what follows the number in the code on paper: it holds only for this digest."""
        made = hmac.digest(self._derive("mark"), number.bytes + digest, hashlib.sha256)
        return made[:MARK_BYTES].hex()

    def name_of(self, pseudonym: UUID) -> UUID:
        """Give the name a person has on their receipts, the same on all and nowhere else."""
        made = hmac.digest(self._derive("person"), pseudonym.bytes, hashlib.sha256)
        return UUID(bytes=made[:16])


def ring() -> tuple[Key, ...]:
    """Return the keys in use; the first makes new receipts, all of them recognise old ones."""
    return _ring(tuple(settings.RECEIPT_KEYS.items()))


@lru_cache(maxsize=4)
def _ring(secrets: tuple[tuple[str, bytes], ...]) -> tuple[Key, ...]:
    return tuple(Key(name, secret) for name, secret in secrets)


def number_of(entry: int) -> UUID:
    """Return the number that an entry of the ledger has on its receipt."""
    return ring()[0].number(entry)


def entry_of(number: UUID) -> int | None:
    """Return the ledger entry that a number stands for, None when we never gave that number."""
    return next((entry for key in ring() if (entry := key.entry(number)) is not None), None)


def code_of(number: UUID, digest: bytes) -> str:
    """Return the code that stands on paper, 40 characters: the number and its mark."""
    return f"{number.hex}{ring()[0].mark(number, digest)}"


def marks_of(number: UUID, digest: bytes) -> Iterator[str]:
    """Yield every mark that is right for a number whose entry has this digest."""
    for key in ring():
        yield key.mark(number, digest)


# Signatures


def canonical(document: Document) -> bytes:
    """Write a document in the one form that is signed: sorted keys, no spaces, UTF-8."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def sign(document: Document) -> Document:
    """Return the document with its signature, which covers all but itself."""
    key = ring()[0]
    proof = {**document["proof"], "type": "Ed25519", "key_id": key.name}
    unsigned = {**document, "proof": proof}
    signature = _written(key.signs.sign(canonical(unsigned)))
    return {**unsigned, "proof": {**proof, "signature": signature}}


def is_signed(document: Document) -> bool:
    """Say whether the signature is ours and every word is as we signed it."""
    proof = document.get("proof")
    if not isinstance(proof, dict) or not isinstance(proof.get("signature"), str):
        return False
    unsigned = {**document, "proof": {k: v for k, v in proof.items() if k != "signature"}}
    try:
        signature = base64.urlsafe_b64decode(proof["signature"] + "==")
        words = canonical(unsigned)
    except (ValueError, RecursionError):  # not base64, half a character, too deep
        return False
    if _written(signature) != proof["signature"]:  # the same bytes written otherwise
        return False
    return any(_fits(key, signature, words) for key in ring() if key.name == proof.get("key_id"))


def public_keys() -> list[dict[str, str]]:
    """Return the public keys as a stranger needs them to check a receipt (RFC 8037)."""
    return [
        {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.name}
        | {"x": _written(key.public)}
        for key in ring()
    ]


def _written(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _fits(key: Key, signature: bytes, words: bytes) -> bool:
    try:
        key.signs.public_key().verify(signature, words)
    except InvalidSignature:
        return False
    return True
