"""What a ledger hosts: ``did.jsonl``, ``did.json`` and ``did-witness.json`` of its DIDs, and status lists, each at its own URL, as they follow from
logged entries and from the approvals that came with them.

Nothing is published by asking for it: a document is there because its author logged it, so there is no second authorisation to get
wrong. A URL stays with the first DID that was logged for it; another DID of the same place is on the ledger and not hosted.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from did_health.did.methods import webvh
from did_health.did.methods.webvh.witness import approved_through
from did_health.encoding import strict_json
from did_health.errors import FormatError, ResolutionError
from did_health.ledger.entry import Kind
from did_health.stores.ledger_state import DIDLogs
from did_health.stores.ledger_store import LedgerStore

_KINDS: Final = (Kind.DID, Kind.STATUS_LIST)
_AT_ONCE: Final = 10_000
_OF_DIDS: Final = ("/did.jsonl", "/did.json", "/did-witness.json")


class Hosting:
    """Brings the documents up to what is published. One thread at a time; a crash in between is made good by the next call."""

    def __init__(self, store: LedgerStore, logs: DIDLogs) -> None:
        self._store, self._logs = store, logs

    def catch_up(self) -> None:
        """Derive the documents of every entry published since the last call. Raises ``StoreError``, ``ConflictError``."""
        state = self._store.state()
        if state.pending is not None:
            # The newest contents are not published yet.
            return
        start = self._store.hosted_through()
        while start < state.published_size:
            end = min(start + _AT_ONCE, state.published_size)
            hosted: dict[str, bytes | None] = {}
            for kind, subject in self._store.subjects_between(_KINDS, start, end):
                hosted |= self._did(subject, hosted) if kind == Kind.DID else self._status_list(subject)
            self._store.host({url: (urlsplit(url).netloc.lower(), data) for url, data in hosted.items()}, end)
            start = end

    def _did(self, subject: bytes, hosted: dict[str, bytes | None]) -> dict[str, bytes | None]:
        log = self._logs.get(subject)
        if log is None or self._is_of_another(log, hosted):
            return {}
        url = log.did.log_url
        return {url: log.encode(), url.removesuffix("l"): _did_web(log), **self._approvals(subject, log)}

    def _approvals(self, subject: bytes, log: webvh.Log) -> dict[str, bytes | None]:
        data = self._store.approvals(subject)
        if data is None or approved_through(log.entries, webvh.WitnessFile.parse(data)) < len(log.entries):
            # The newest line came without any, so what is published by now approves it.
            return {}
        return {log.did.witness_url: data}

    def _is_of_another(self, log: webvh.Log, hosted: dict[str, bytes | None]) -> bool:
        there = hosted.get(log.did.log_url) or self._store.document(log.did.log_url)
        return there is not None and _scid(there) != log.did.scid

    def _status_list(self, subject: bytes) -> dict[str, bytes | None]:
        newest = self._store.latest(subject)
        content = self._store.content(newest.content) if newest else None
        url = strict_json.loads_object(content)["id"] if content else None
        # A list must not stand where a DID's own files are looked for; and a query is no part of what is looked up.
        if not isinstance(url, str) or not url.startswith("https://") or url.endswith(_OF_DIDS) or "?" in url or "#" in url:
            return {}
        return {url: content}


def _did_web(log: webvh.Log) -> bytes | None:
    if log.deactivated:
        # did:web has no other word for it than that there is nothing.
        return None
    try:
        return strict_json.dumps(webvh.parallel_did_web(log))
    except (FormatError, ResolutionError):
        return None


def _scid(log: bytes) -> str:
    try:
        parameters = strict_json.loads_object(log.partition(b"\n")[0])["parameters"]
        return str(parameters["scid"])
    except (FormatError, KeyError, TypeError):
        return ""
