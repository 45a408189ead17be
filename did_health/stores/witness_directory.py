"""A witness in one folder: its sealed key, its memory, and the checkpoints that it shows to monitors.

::

    <folder>/witness.sqlite                                 what it last cosigned of each log; whose memory this is
    <folder>/witness.key                                    its sealed key (or elsewhere)
    <folder>/monitoring/<hex SHA-256(origin)>/checkpoint    the latest cosigned checkpoint of each log

A key without its memory would cosign a second history, so such a folder is refused. Several threads and processes may use one folder:
the memory moves by compare-and-swap. The shown checkpoints are written after it and may lag behind, as C2SP tlog-witness allows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import Final

from sqlalchemy import func, insert, select

from did_health.errors import FormatError, StoreError
from did_health.keys import Signer
from did_health.keys.sealed import DEFAULT_COST, SealingCost
from did_health.ledger.witness import Witness
from did_health.limits import MAX_NOTE_BYTES
from did_health.stores import files
from did_health.stores.database import Database
from did_health.stores.key_files import create_keys, open_keys
from did_health.stores.tables import settings, witness_states
from did_health.stores.witness_store import SQLWitnessStore
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.note import Signature, SignedNote, VerifierKey
from did_health.tlog.witness_protocol import WitnessState, monitoring_path

KEY_FILE: Final = "witness.key"
_DATABASE: Final = "witness.sqlite"
_MONITORING: Final = "monitoring"
_OWNER: Final = "witness"
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class WitnessDirectory:
    """An open witness. ``open`` is the way in."""

    def __init__(self, folder: Path, database: Database, witness: Witness, known_logs: Mapping[str, Collection[VerifierKey]]) -> None:
        self.witness = witness
        self.known_logs = known_logs
        self._folder = folder / _MONITORING
        self._database = database
        self._store = SQLWitnessStore(database)
        self._showing = Lock()

    @classmethod
    def open(
        cls,
        folder: Path,
        name: str,
        logs: Iterable[VerifierKey],
        passphrase: str,
        *,
        random: Callable[[int], bytes],
        key_file: Path | None = None,
        cost: SealingCost = DEFAULT_COST,
    ) -> WitnessDirectory:
        """The witness in ``folder``, which follows ``logs``; made with a new key if nothing is there.

        Raises ``StoreError``: ``witness_memory_missing`` for a key whose memory is gone, ``store_foreign`` for the memory of another key
        or name, ``store_missing`` for a memory whose key is gone; ``VerificationError`` for a wrong passphrase.
        """
        key_file = key_file or folder / KEY_FILE
        files.make_folder(folder)
        if key_file.exists() and not (folder / _DATABASE).exists():
            hint = "Restore its newest copy; where there is none, retire this key and make a witness with another"
            raise StoreError("the witness's key is there, and its memory is not", where=str(folder / _DATABASE), hint=hint, code="witness_memory_missing")
        # The memory comes first: a crash in between leaves one without a key, which is made good here.
        database = Database.open(folder / _DATABASE)
        try:
            signer = _signer(database, key_file, passphrase, random, cost)
            known = _by_origin(logs)
            witness = Witness(name, signer, SQLWitnessStore(database), known)
            _claim(database, witness.key)
        except BaseException:
            database.close()
            raise
        return cls(folder, database, witness, known)

    def check(self) -> None:
        """Raises ``StoreError`` or ``ConflictError`` if the memory cannot be read."""
        with self._database.read() as connection:
            connection.execute(select(func.count()).select_from(witness_states)).scalar_one()

    def state(self, origin: str) -> WitnessState:
        """What is remembered of a log. Raises ``StoreError``."""
        return self._store.read(origin)

    def show(self, note: SignedNote, cosignature: Signature) -> None:
        """Show a checkpoint that was cosigned just now: the signatures of known keys and ours. Raises ``StoreError``.

        Lines of others are left out, because anybody can add some to a public checkpoint and send it here again.
        """
        checkpoint = Checkpoint.parse(note.text)
        known = {(key.name, key.key_id) for key in self.known_logs[checkpoint.origin]}
        shown = SignedNote(note.text, tuple([line for line in note.signatures if (line.name, line.key_id) in known])).with_signatures([cosignature])
        path = self._folder / monitoring_path(checkpoint.origin)
        with self._showing:
            # Another thread may have been faster with a larger checkpoint.
            if checkpoint.size >= _size(files.read(path, max_bytes=MAX_NOTE_BYTES)):
                files.write_atomically(path, shown.encode())

    def shown(self, origin_hash: str) -> bytes | None:
        """The checkpoint shown for the log whose origin has this SHA-256 in lower-case hex. Raises ``StoreError``."""
        if not _HASH.fullmatch(origin_hash):
            return None
        return files.read(self._folder / origin_hash / "checkpoint", max_bytes=MAX_NOTE_BYTES)

    def close(self) -> None:
        """Close the memory."""
        self._database.close()


def _signer(database: Database, key_file: Path, passphrase: str, random: Callable[[int], bytes], cost: SealingCost) -> Signer:
    if key_file.exists():
        return open_keys([key_file], passphrase)[0]
    with database.read() as connection:
        owned = connection.execute(select(settings.c.value).where(settings.c.name == _OWNER)).scalar_one_or_none()
    if owned is not None:
        raise StoreError("the witness's key is missing", where=str(key_file), hint="Restore it from a copy", code="store_missing")
    return create_keys([key_file], passphrase, random=random, cost=cost)[0]


def _claim(database: Database, key: VerifierKey) -> None:
    """Write down whose memory this is, once."""
    with database.write() as connection:
        owner = connection.execute(select(settings.c.value).where(settings.c.name == _OWNER)).scalar_one_or_none()
        if owner is None:
            connection.execute(insert(settings).values(name=_OWNER, value=str(key)))
        elif owner != str(key):
            hint = f"It belongs to {owner}"
            raise StoreError("the folder holds the memory of another witness", where=database.where, hint=hint, code="store_foreign")


def _by_origin(logs: Iterable[VerifierKey]) -> dict[str, tuple[VerifierKey, ...]]:
    known: dict[str, tuple[VerifierKey, ...]] = {}
    for key in logs:
        known[key.name] = (*known.get(key.name, ()), key)
    return known


def _size(note: bytes | None) -> int:
    try:
        return -1 if note is None else Checkpoint.parse(SignedNote.parse(note).text).size
    except FormatError:
        # What somebody else wrote there is replaced.
        return -1
