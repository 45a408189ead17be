from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from did_health.errors import ConflictError, StoreError, VerificationError
from did_health.keys.sealed import SealingKey
from did_health.roles.holder import Wallet, wallet_sealing_key
from did_health.stores import files
from did_health.stores.wallet_files import save_wallet
from tests.ledger_parties import CHEAP, PASSPHRASE

Random = Callable[[int], bytes]


@pytest.fixture
def clock(now: datetime) -> Callable[[], datetime]:
    return lambda: now


@pytest.fixture
def key(random_bytes: Random) -> SealingKey:
    return wallet_sealing_key(PASSPHRASE, random_bytes, CHEAP)


@pytest.fixture
def wallet(clock: Callable[[], datetime], random_bytes: Random) -> Wallet:
    return Wallet.create(clock=clock, random=random_bytes)


def test_a_file_that_has_gone_is_not_made_again(tmp_path: Path, wallet: Wallet, key: SealingKey, clock: Callable[[], datetime], random_bytes: Random) -> None:
    with pytest.raises(StoreError, match="gone"):
        save_wallet(tmp_path / "a.wallet", wallet, key, clock=clock, random=random_bytes)


def test_another_holders_file_stays(tmp_path: Path, wallet: Wallet, key: SealingKey, clock: Callable[[], datetime], random_bytes: Random) -> None:
    other = Wallet.create(clock=clock, random=random_bytes)
    path = tmp_path / "a.wallet"
    files.create_private(path, other.sealed(key, random_bytes))
    before = path.read_bytes()
    with pytest.raises(ConflictError):
        save_wallet(path, wallet, key, clock=clock, random=random_bytes)
    assert path.read_bytes() == before


def test_a_file_of_another_key_stays(tmp_path: Path, wallet: Wallet, key: SealingKey, clock: Callable[[], datetime], random_bytes: Random) -> None:
    path = tmp_path / "a.wallet"
    for other in (wallet_sealing_key(PASSPHRASE, random_bytes, CHEAP), wallet_sealing_key(PASSPHRASE, random_bytes)):
        path.unlink(missing_ok=True)
        files.create_private(path, wallet.sealed(other, random_bytes))
        with pytest.raises(VerificationError):
            save_wallet(path, wallet, key, clock=clock, random=random_bytes)


def test_a_lock_waits_for_the_other_and_is_given_back(tmp_path: Path) -> None:
    order: list[str] = []

    def other() -> None:
        with files.locked(tmp_path):
            order.append("other")

    thread = threading.Thread(target=other)
    with files.locked(tmp_path):
        thread.start()
        thread.join(0.1)
        order.append("mine")
    thread.join()
    assert order == ["mine", "other"]


def test_a_lock_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError), files.locked(tmp_path / "none"):
        pass
