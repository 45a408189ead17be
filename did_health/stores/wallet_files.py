"""Wallets' files: several processes may put credentials into one wallet, and none is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from did_health.errors import ConflictError, StoreError
from did_health.keys.sealed import SealingKey
from did_health.limits import MAX_WALLET_BYTES
from did_health.roles.holder import Wallet
from did_health.stores import files


def save_wallet(path: Path, wallet: Wallet, key: SealingKey, *, clock: Callable[[], datetime], random: Callable[[int], bytes]) -> None:
    """Write ``wallet`` back to its file; what another process has put there since it was read, ``wallet`` then holds too.

    Raises ``StoreError``, also for a file that has gone, ``ConflictError`` if it is another holder's, and ``VerificationError`` if ``key``
    does not open it.
    """
    with files.locked(path.parent):
        data = files.read_private(path, max_bytes=MAX_WALLET_BYTES)
        if data is None:
            raise StoreError("the wallet has gone", where=str(path), hint="Restore it from a copy", code="store_missing")
        kept = Wallet.reopen(data, key, clock=clock)
        if kept.did != wallet.did:
            raise ConflictError("the file of this name is another holder's wallet", where=str(path))
        wallet.take_in(kept)
        files.write_atomically(path, wallet.sealed(key, random), mode=files.PRIVATE)
