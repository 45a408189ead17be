"""A directory with everything that one place needs: an embedded ledger, institutions with their registers, wallets, the trust policy.

::

    <directory>/ledger.sqlite, keys/, witnesses/, published/     the ledger (see ``stores.embedded``)
    <directory>/…                                                institutions and wallets (see ``stores.office``)

``open_directory`` is the way in.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from did_health.errors import ConflictError, StoreError
from did_health.keys.sealed import DEFAULT_COST, SealingCost
from did_health.stores import files
from did_health.stores.clock import system_clock
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.office import ACCREDITED_FOR, AUTHORITY, POLICY_FILE, Clock, InstitutionFile, Office, Random
from did_health.tlog.witness_policy import WitnessPolicy
from did_health.trust.policy import TrustPolicy

__all__ = ["ACCREDITED_FOR", "AUTHORITY", "DEFAULT_HOST", "Directory", "InstitutionFile", "make_directory", "open_directory"]

DEFAULT_HOST: Final = "ledger.example"


class Directory(Office):
    """See the module's text. Made by ``open_directory``; ``close`` it, or use it in a ``with`` statement."""

    def __init__(self, path: Path, ledger: EmbeddedLedger, passphrase: str, *, clock: Clock, random: Random, cost: SealingCost) -> None:
        super().__init__(path, {ledger.url.removeprefix("https://"): ledger}, passphrase, clock=clock, random=random, cost=cost)
        self.ledger = ledger

    def close(self) -> None:
        """Give back the databases."""
        super().close()
        self.ledger.close()


def open_directory(
    path: str | Path,
    passphrase: str,
    *,
    create: bool = False,
    host: str = DEFAULT_HOST,
    clock: Clock = system_clock,
    random: Random = os.urandom,
    cost: SealingCost = DEFAULT_COST,
) -> Directory:
    """Open the directory at ``path``, or make it (``create``) with a ledger, four witnesses, and a registry authority at ``host``.

    All keys made here are sealed with ``passphrase`` at ``cost``. Raises ``ConflictError`` if it is to be made and something is there,
    ``StoreError`` if it is to be opened and is not there or does not hold together, ``VerificationError`` for a wrong passphrase, ``ValueError``
    for one that is too short to be any.
    """
    path = Path(path)
    if not create:
        if not path.is_dir():
            raise StoreError("there is no directory", where=str(path), hint="Check the path, or make one with create=True", code="store_missing")
        ledger = EmbeddedLedger.open(path, clock=clock, random=random, passphrase=passphrase)
        return Directory(path, ledger, passphrase, clock=clock, random=random, cost=cost)
    if path.exists() and any(path.iterdir()):
        raise ConflictError("the directory is not empty", where=str(path), hint="Choose a new one")
    return make_directory(path, passphrase, host=host, clock=clock, random=random, cost=cost)


def make_directory(
    path: Path, passphrase: str, *, host: str = DEFAULT_HOST, clock: Clock = system_clock, random: Random = os.urandom, cost: SealingCost = DEFAULT_COST
) -> Directory:
    """As ``open_directory`` with ``create``, also where other files are already."""
    ledger = EmbeddedLedger.create(path, origin=host, url=f"https://{host}", clock=clock, random=random, passphrase=passphrase, cost=cost)
    directory = Directory(path, ledger, passphrase, clock=clock, random=random, cost=cost)
    authority = directory.create_institution(AUTHORITY, title="Registry of Health Boards", jurisdiction="US")
    ledger.accept_authority(authority.did)
    policy = TrustPolicy(WitnessPolicy.parse(ledger.policy_text), authority.did)
    files.write_atomically(path / POLICY_FILE, policy.encode().encode())
    return directory
