"""Verifiers that are ready to use: the role, bound to where its evidence comes from."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from did_health.errors import ConflictError, StoreError, TransportError, VerificationError
from did_health.limits import MAX_NOTE_BYTES
from did_health.net.fetch import AsyncHTTPSource, HTTPSource
from did_health.net.gather import Missing, ThreadedSource, gather, gather_async
from did_health.net.hosted import AsyncHostedSource, HostedSource
from did_health.net.mirrored import AsyncMirroredSource, MirroredSource, Mirrors
from did_health.roles.evidence import Evidence, Need, Source
from did_health.roles.nonces import NoncesInMemory, UsedNonces
from did_health.roles.pins import Pins
from did_health.roles.verifier import Verifier
from did_health.stores.clock import system_clock
from did_health.stores.directory import Directory
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.pins import FilePins
from did_health.tlog.note import SignedNote
from did_health.trust.policy import TrustPolicy

HEARTBEAT_AFTER: Final = timedelta(minutes=1)
"""An embedded ledger whose last cosignatures are older than this has them made anew before a verification."""


class LiveLedger:
    """An embedded ledger as a source that keeps its own checkpoint fresh, as a ledger service does by its heartbeats."""

    def __init__(self, ledger: EmbeddedLedger, policy: TrustPolicy, clock: Callable[[], datetime]) -> None:
        self._ledger, self._policy, self._clock = ledger, policy, clock

    def fetch(self, need: Need) -> bytes | None:
        try:
            if need.url.startswith(f"{self._ledger.url}/latest/") and self._clock() - self._cosigned_at() > HEARTBEAT_AFTER:
                self._beat()
            return self._ledger.fetch(need)
        except (StoreError, ConflictError) as error:
            # To a verifier a ledger that fails is one that does not answer.
            raise TransportError(error.what, where=need.url, hint=error.hint, code=error.code) from error

    def _beat(self) -> None:
        try:
            self._ledger.heartbeat()
        except (StoreError, ConflictError):
            # The old cosignatures are as good as they are old, which the policy's greatest age judges.
            return

    def _cosigned_at(self) -> datetime:
        note = self._ledger.fetch(Need(f"{self._ledger.url}/checkpoint", MAX_NOTE_BYTES))
        if note is None or self._policy.ledger is None:
            return self._clock()
        try:
            return datetime.fromtimestamp(self._policy.ledger.check(SignedNote.parse(note)).timestamp or 0, UTC)
        except VerificationError:
            # The policy believes another log or other witnesses: verification will say so.
            return self._clock()


PINS_FILE: Final = "pins.json"
"""Where, in a directory, its verifiers remember what they have seen of the ledger."""


def embedded_verifier(
    directory: Directory, *, used_nonces: UsedNonces | None = None, sources: Sequence[Source] = (), pins: Pins | None = None
) -> Verifier:
    """A verifier under the directory's own trust policy, with the directory's ledger as its source, without any network.

    ``sources`` are asked first. Without ``used_nonces`` replays are refused among what this verifier sees. ``pins`` are by default those of
    the directory, which all of its verifiers share (``PINS_FILE``).
    """
    policy, clock = directory.policy, directory.clock
    asked = [*sources, LiveLedger(directory.ledger, policy, clock)]
    threaded = [ThreadedSource(source) for source in asked]

    async def gather_in_threads(missing: Missing) -> Evidence:
        return await gather_async(missing, threaded, evidence=Evidence(), clock=clock)

    return Verifier(
        policy,
        clock=clock,
        gather=lambda missing: gather(missing, asked, evidence=Evidence(), clock=clock),
        gather_async=gather_in_threads,
        used_nonces=used_nonces or NoncesInMemory(),
        pins=pins or FilePins(directory.path / PINS_FILE),
    )


def web_sources(policy: TrustPolicy, web: Source, *, patience_seconds: float = 0.0) -> list[Source]:
    """Where evidence under ``policy`` is found on the web, in the order in which it is asked: see ``web_verifier``."""
    source = MirroredSource(web, Mirrors(policy.ledger), patience_seconds=patience_seconds)
    return [HostedSource(source, _ledger_urls(policy)), source]


def _ledger_urls(policy: TrustPolicy) -> list[str]:
    return [log.url for log in (policy.ledger.logs if policy.ledger else ()) if log.url]


def web_verifier(
    policy: TrustPolicy,
    *,
    allow_hosts: frozenset[str] = frozenset(),
    clock: Callable[[], datetime] = system_clock,
    used_nonces: UsedNonces | None = None,
    pins: Pins | None = None,
    patience_seconds: float = 0.0,
) -> Verifier:
    """A verifier that fetches its evidence over HTTPS, within the guards of ``net``; ``allow_hosts`` as of ``HTTPSource``, ``pins`` as of ``Verifier``.

    What a ledger of the policy hosts is asked of the ledger, the rest of where it is published. A ledger that cannot be reached within
    ``patience_seconds`` is read from the mirrors of the policy that have a URL.
    """
    web = HTTPSource(allow_hosts=allow_hosts)
    mirrors = Mirrors(policy.ledger)
    sources = web_sources(policy, web, patience_seconds=patience_seconds)
    urls = _ledger_urls(policy)

    def gather_over_http(missing: Missing) -> Evidence:
        return gather(missing, sources, evidence=Evidence(), clock=clock)

    async def gather_async_over_http(missing: Missing) -> Evidence:
        # Connections belong to one event loop, and the next verification may run in another.
        async with AsyncHTTPSource(allow_hosts=allow_hosts) as client:
            opened = AsyncMirroredSource(client, mirrors)
            return await gather_async(missing, [AsyncHostedSource(opened, urls), opened], evidence=Evidence(), clock=clock)

    # A verifier has no end of its own: its connections are closed when nobody has it any more.
    weakref.finalize(gather_over_http, web.close)
    return Verifier(
        policy,
        clock=clock,
        gather=gather_over_http,
        gather_async=gather_async_over_http,
        used_nonces=used_nonces or NoncesInMemory(),
        pins=pins,
    )
