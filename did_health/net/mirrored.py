"""What a ledger publishes, from the ledger itself or, when it cannot be reached, from a mirror of it that the policy names.

A mirror serves everything at the paths at which the ledger does (see ``services.mirror_app``), and everything is proved alike wherever it
comes from. A mirror may be a moment behind; what a verifier has seen before is in its pins.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic, sleep
from typing import Final
from urllib.parse import urlsplit

from did_health.errors import TransportError
from did_health.net.gather import AsyncSource
from did_health.net.persistent_ledger import UNREACHABLE
from did_health.roles.evidence import Need, Source
from did_health.tlog.witness_policy import MIRRORS, WitnessPolicy

_PAUSE_SECONDS: Final = 0.2


class Mirrors:
    """Where else what is below the URL of a log of ``policy`` is found: at the mirrors of its group ``mirrors`` that have a URL."""

    def __init__(self, policy: WitnessPolicy | None) -> None:
        groups = policy.groups if policy else ()
        members = {member for group in groups if group.name == MIRRORS for member in group.members}
        self._mirrors = [one.url.rstrip("/") for one in (policy.witnesses if policy else ()) if one.name in members and one.url]
        self._logs = [log.url.rstrip("/") for log in (policy.logs if policy else ()) if log.url]

    def places(self, need: Need) -> Sequence[Need]:
        """The same at every mirror; nothing for what is not below a log of the policy."""
        for log in self._logs:
            if need.url.startswith(f"{log}/"):
                path = urlsplit(log).path + need.url.removeprefix(log)
                return [Need(f"{mirror}{path}", need.max_bytes) for mirror in self._mirrors]
        return ()


class MirroredSource:
    """``source``, and where a log cannot be reached after ``patience_seconds`` of trying, its mirrors."""

    def __init__(self, source: Source, mirrors: Mirrors, *, patience_seconds: float = 0.0) -> None:
        self._source, self._mirrors, self._patience = source, mirrors, patience_seconds

    def fetch(self, need: Need) -> bytes | None:
        """As ``source``; raises its error if the mirrors cannot be reached either, or one of them does not have it yet."""
        end = monotonic() + self._patience
        while True:
            try:
                return self._source.fetch(need)
            except TransportError as error:
                places = self._mirrors.places(need)
                if error.code not in UNREACHABLE or not places:
                    raise
                unreachable = error
            if monotonic() >= end:
                break
            sleep(_PAUSE_SECONDS)
        for place in places:
            try:
                # That a mirror has nothing does not say that the ledger has nothing.
                if (found := self._source.fetch(place)) is not None:
                    return found
            except TransportError:
                continue
        raise unreachable


class AsyncMirroredSource:
    """As ``MirroredSource``, awaited, and without patience."""

    def __init__(self, source: AsyncSource, mirrors: Mirrors) -> None:
        self._source, self._mirrors = source, mirrors

    async def fetch(self, need: Need) -> bytes | None:
        """As ``MirroredSource.fetch``."""
        try:
            return await self._source.fetch(need)
        except TransportError as error:
            if error.code not in UNREACHABLE:
                raise
            for place in self._mirrors.places(need):
                try:
                    if (found := await self._source.fetch(place)) is not None:
                        return found
                except TransportError:
                    continue
            raise
