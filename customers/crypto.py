"""Encryption of single values and keyed hashes for exact look-up (PNR-01, PNR-02).

A sealed value is `key id | nonce | ciphertext`; the record it belongs to is bound in as associated
data, so a value moved to another row does not open.
"""

import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_BYTES = 12


def seal(plain: bytes, *, ring: dict[str, bytes], bound_to: str) -> bytes:
    """Encrypt with the current key of the ring."""
    key_id = next(iter(ring))
    nonce = os.urandom(NONCE_BYTES)
    box = AESGCM(ring[key_id]).encrypt(nonce, plain, bound_to.encode())
    return key_id.encode() + b"|" + nonce + box


def unseal(sealed: bytes, *, ring: dict[str, bytes], bound_to: str) -> bytes:
    """Decrypt; raises KeyError for an unknown key and InvalidTag for a value that was touched."""
    key_id, _, rest = sealed.partition(b"|")
    return AESGCM(ring[key_id.decode()]).decrypt(
        rest[:NONCE_BYTES], rest[NONCE_BYTES:], bound_to.encode()
    )


def lookup_hash(value: str) -> bytes:
    """Return the keyed hash by which an exact value can be found (PNR-02)."""
    return hmac.digest(settings.LOOKUP_KEY, value.encode(), hashlib.sha256)
