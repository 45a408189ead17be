"""The witnesses that an embedded ledger brings along: their keys beside the log's, their memories in databases of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from did_health.keys import Signer
from did_health.ledger.witness import Witness
from did_health.stores import files
from did_health.stores.database import Database
from did_health.stores.witness_store import SQLWitnessStore
from did_health.tlog.note import NoteSigner


@dataclass(frozen=True, slots=True)
class LocalWitness:
    """A witness in this process, and where its memory is."""

    witness: Witness
    database: Database


def key_paths(directory: Path, witnesses: int) -> list[Path]:
    """The key files of a ledger: the log's, then each witness's."""
    return [directory / "keys" / "log.key", *(directory / "keys" / f"witness-{number}.key" for number in range(1, witnesses + 1))]


def local_witnesses(directory: Path, names: Sequence[str], signers: Sequence[Signer], log: NoteSigner, *, create: bool) -> list[LocalWitness]:
    """Witnesses of these names and keys that follow ``log``."""
    known = {log.name: [log.key]}
    folder = directory / "witnesses"
    if create:
        files.make_folder(folder)
    local = []
    for number, (name, signer) in enumerate(zip(names, signers, strict=True), 1):
        database = Database.open(folder / f"witness-{number}.sqlite", create=create)
        local.append(LocalWitness(Witness(name, signer, SQLWitnessStore(database), known), database))
    return local
