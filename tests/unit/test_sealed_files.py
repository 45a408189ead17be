from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from did_health.errors import ConflictError, FormatError, StoreError, VerificationError
from did_health.keys.sealed import SealingCost
from did_health.stores import files
from did_health.stores.sealed_files import SealedFile

CHEAP = SealingCost(operations=1, memory_bytes=8192)
PASSPHRASE = "correct horse battery"

Random = Callable[[int], bytes]


@pytest.fixture
def path(tmp_path: Path, random_bytes: Random) -> Path:
    path = tmp_path / "patient.wallet"
    SealedFile.create(path, b"plain secret", PASSPHRASE, content="wallet", random=random_bytes, cost=CHEAP)
    return path


def test_created_file_opens_again(path: Path) -> None:
    _, plaintext = SealedFile.open(path, PASSPHRASE, content="wallet")
    assert plaintext == b"plain secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"plain secret" not in path.read_bytes()


def test_replaced_content(path: Path, random_bytes: Random) -> None:
    before = path.read_bytes()
    file, _ = SealedFile.open(path, PASSPHRASE, content="wallet")
    file.replace(b"plain secret", random_bytes)
    assert path.read_bytes() != before
    file.replace(b"another", random_bytes)
    assert SealedFile.open(path, PASSPHRASE, content="wallet")[1] == b"another"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_full_disk_keeps_the_old_content(path: Path, random_bytes: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file, _ = SealedFile.open(path, PASSPHRASE, content="wallet")
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        with pytest.raises(StoreError, match="no room"):
            file.replace(b"another", random_bytes)
    assert SealedFile.open(path, PASSPHRASE, content="wallet")[1] == b"plain secret"


def test_existing_file_is_never_overwritten(path: Path, random_bytes: Random) -> None:
    before = path.read_bytes()
    with pytest.raises(ConflictError):
        SealedFile.create(path, b"other", PASSPHRASE, content="wallet", random=random_bytes, cost=CHEAP)
    assert path.read_bytes() == before


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="missing") as caught:
        SealedFile.open(tmp_path / "none", PASSPHRASE, content="wallet")
    assert caught.value.code == "store_missing"


def test_wrong_passphrase_names_the_file_and_not_the_passphrase(path: Path) -> None:
    with pytest.raises(VerificationError) as caught:
        SealedFile.open(path, "wrong horse battery", content="wallet")
    assert caught.value.code == "wrong_passphrase"
    assert str(path) in str(caught.value)
    assert "wrong horse" not in str(caught.value)


def test_file_of_another_content(path: Path) -> None:
    with pytest.raises(FormatError, match="does not hold a key") as caught:
        SealedFile.open(path, PASSPHRASE, content="key")
    assert caught.value.where == f"{path} /content"


def test_truncated_file(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:length])
        with pytest.raises((FormatError, VerificationError)) as caught:
            SealedFile.open(path, PASSPHRASE, content="wallet")
        assert str(path) in str(caught.value)


def test_oversized_file(path: Path) -> None:
    with pytest.raises(StoreError, match="larger"):
        SealedFile.open(path, PASSPHRASE, content="wallet", max_bytes=10)


def test_file_that_everybody_may_read(path: Path) -> None:
    path.chmod(0o644)
    with pytest.raises(StoreError, match="everybody"):
        SealedFile.open(path, PASSPHRASE, content="wallet")


def test_short_passphrase(tmp_path: Path, random_bytes: Random) -> None:
    with pytest.raises(ValueError, match="at least 8"):
        SealedFile.create(tmp_path / "a", b"", "short", content="wallet", random=random_bytes, cost=CHEAP)
    assert not (tmp_path / "a").exists()


def test_repr_shows_the_path_only(path: Path) -> None:
    assert repr(SealedFile.open(path, PASSPHRASE, content="wallet")[0]) == f"SealedFile({str(path)!r})"
