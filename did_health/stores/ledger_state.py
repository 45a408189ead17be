"""What an embedded ledger knows when it judges a submission; implements ``did_health.ledger.admission.AdmissionState``."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Final

from did_health.did.methods.webvh import Log, WebvhDID, verify_settled
from did_health.errors import StoreError
from did_health.ledger.entry import Entry
from did_health.stores.ledger_store import LedgerStore

_LOGS_KEPT: Final = 1_024


class DIDLogs:
    """Verified DID logs in memory, each continued by the lines that the store has beyond it; the least used are forgotten."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store
        self._kept: OrderedDict[bytes, Log] = OrderedDict()

    def get(self, subject: bytes) -> Log | None:
        """The log of the DID with this subject as it is in the store."""
        latest = self._store.latest(subject)
        if latest is None:
            return None
        log: Log | None = self._kept.pop(subject, None)
        known = len(log.entries) if log is not None else 0
        if log is None or known != latest.seq + 1:
            for line in self._store.subject_contents(subject, known):
                log = verify_settled(log, line)
            if log is None or len(log.entries) != latest.seq + 1:
                raise StoreError("the database lacks a line of a DID log", hint="Recover the log from a mirror", code="store_corrupt")
            # Approvals were demanded when the lines were admitted.
            log = replace(log, witnessed_through=len(log.entries))
        self._kept[subject] = log
        if len(self._kept) > _LOGS_KEPT:
            self._kept.popitem(last=False)
        return log


class StoredState:
    """The state at one moment, for one batch: what was read of it once is not read again. ``replayed`` as in ``AdmissionState``."""

    def __init__(self, store: LedgerStore, logs: DIDLogs, registry_authorities: frozenset[str], now: datetime, *, replayed: bool = False) -> None:
        self._store, self._logs, self._now, self.replayed = store, logs, now, replayed
        self._latest: dict[bytes, Entry | None] = {}
        self._did_logs: dict[bytes, Log | None] = {}
        self.registry_authorities = registry_authorities

    def expect(self, subjects: Collection[bytes]) -> None:
        found = self._store.latest_of(subjects)
        for subject in subjects:
            entry = found.get(subject)
            self._latest[subject] = None if entry is None else Entry.parse(entry.data)

    def latest(self, subject: bytes) -> Entry | None:
        if subject not in self._latest:
            self.expect([subject])
        return self._latest[subject]

    def did_log(self, subject: bytes) -> Log | None:
        if subject not in self._did_logs:
            self._did_logs[subject] = self._logs.get(subject)
        return self._did_logs[subject]

    def witness_proofs(self, did: WebvhDID) -> bytes | None:
        return self._store.document(did.witness_url)

    def entries_within_hour(self, author: str) -> int:
        # Nobody asks what a log's rate was then.
        return 0 if self.replayed else self._store.entries_within_hour(author, now=self._now)
