"""The file of an extract: encrypted, whole, its own."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from customers.models import Customer
from privacy_requests import vault
from privacy_requests.models import Extract
from tests.privacy_requests.doing import archive_of, built

# A snapshot of its own needs a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)


def test_the_file_is_encrypted_and_only_ours(anna: Customer) -> None:
    ready = built(anna)
    path = vault.path_of(ready.file_name)
    sealed = path.read_bytes()
    assert b"utdrag" not in sealed
    assert b"PK\x03\x04" not in sealed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert anna.number not in path.name


@pytest.mark.parametrize(
    "damage",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[: len(sealed) // 2],
        lambda sealed: sealed[:-20] + bytes(20),
        lambda sealed: b"",
    ],
)
def test_a_file_that_was_touched_does_not_open(
    anna: Customer, damage: Callable[[bytes], bytes]
) -> None:
    ready = built(anna)
    path = vault.path_of(ready.file_name)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(vault.DamagedFileError):
        archive_of(ready)


def test_a_file_opens_for_its_own_extract_only(anna: Customer) -> None:
    ready = built(anna)
    other = Extract()
    with pytest.raises(vault.DamagedFileError):
        list(vault.decrypted(vault.path_of(ready.file_name).open("rb"), other.pk))


def test_a_large_archive_goes_in_chunks_and_none_can_be_cut_off(tmp_path: Path) -> None:
    key = Extract().pk
    plain = bytes(range(256)) * (3 * vault.CHUNK_BYTES // 256) + b"end"
    name = vault.store(plain, key)
    assert b"".join(vault.decrypted(vault.path_of(name).open("rb"), key)) == plain
    path = vault.path_of(name)
    path.write_bytes(path.read_bytes()[: -(len(b"end") + 16 + 4)])
    with pytest.raises(vault.DamagedFileError):
        list(vault.decrypted(path.open("rb"), key))
