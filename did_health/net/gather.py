"""Plan, then fetch: ask what is missing, get it, and ask again until nothing is missing that can be had (DESIGN §4).

The planning is pure and shared; ``gather`` fetches one after the other, ``gather_async`` several at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol, TypeAlias

from did_health.errors import TransportError
from did_health.limits import MAX_CONCURRENT_REQUESTS, MAX_GATHER_BYTES, MAX_GATHER_ROUNDS, MAX_NEEDS_PER_ROUND
from did_health.roles.evidence import Evidence, Item, Need, Source

Missing: TypeAlias = Callable[[Evidence], Sequence[Need]]


class AsyncSource(Protocol):
    """As ``roles.evidence.Source``, awaited."""

    async def fetch(self, need: Need) -> bytes | None:
        """The bytes at ``need.url``; ``None`` if there is nothing at that place. Raises ``TransportError`` if it cannot be told."""


class ThreadedSource:
    """A synchronous source (an embedded ledger, a file) for ``gather_async``: each fetch runs in a worker thread."""

    def __init__(self, source: Source) -> None:
        self._source = source

    async def fetch(self, need: Need) -> bytes | None:
        from anyio import to_thread

        return await to_thread.run_sync(self._source.fetch, need)


@dataclass(frozen=True, slots=True)
class GatheredEvidence(Evidence):
    """The evidence after a gather, and by URL why something that was needed is not among it (or is still the old copy)."""

    failures: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def gather(missing: Missing, sources: Sequence[Source], *, evidence: Evidence, clock: Callable[[], datetime]) -> GatheredEvidence:
    """``evidence`` and what ``missing`` asks for beyond it, as far as ``sources`` have it.

    The first source that does not raise ``TransportError`` answers a need; when all raise, the need stays missing, its URL is in
    ``failures`` and it is not tried again. Rounds, needs per round and bytes are bounded by ``MAX_GATHER_ROUNDS``,
    ``MAX_NEEDS_PER_ROUND`` and ``MAX_GATHER_BYTES``. The clock is read once per round, before its first request, so that
    ``fetched_at`` is never later than the fetch.
    """
    plan = _Plan(missing, evidence)
    while needs := plan.next_round():
        moment = clock()
        for need in needs:
            if (allowed := plan.within_budget(need)) is None:
                continue
            reasons = []
            for source in sources:
                try:
                    content = source.fetch(allowed)
                except TransportError as error:
                    reasons.append(_reason(error, need))
                else:
                    plan.answered(allowed, content, moment)
                    break
            else:
                plan.failed(need, reasons)
    return plan.result()


async def gather_async(missing: Missing, sources: Sequence[AsyncSource], *, evidence: Evidence, clock: Callable[[], datetime]) -> GatheredEvidence:
    """As ``gather``, with up to ``MAX_CONCURRENT_REQUESTS`` fetches of a round at a time, on asyncio or trio."""
    from anyio import CapacityLimiter, create_task_group

    plan = _Plan(missing, evidence)
    limiter = CapacityLimiter(MAX_CONCURRENT_REQUESTS)

    async def meet(need: Need, moment: datetime) -> None:
        async with limiter:
            if (allowed := plan.within_budget(need)) is None:
                return
            reasons = []
            for source in sources:
                try:
                    content = await source.fetch(allowed)
                except TransportError as error:
                    reasons.append(_reason(error, need))
                else:
                    plan.answered(allowed, content, moment)
                    break
            else:
                plan.failed(need, reasons)

    while needs := plan.next_round():
        moment = clock()
        try:
            async with create_task_group() as tasks:
                for need in needs:
                    tasks.start_soon(meet, need, moment)
        except ExceptionGroup as group:
            # As gather does: the first error that is not about transport ends it.
            raise group.exceptions[0] from group
    return plan.result()


class _Plan:
    """What has been asked, answered and refused in one gather; no input or output of its own."""

    def __init__(self, missing: Missing, evidence: Evidence) -> None:
        self._missing = missing
        self._evidence = evidence
        self._fetched: dict[str, Item] = {}
        self._failures: dict[str, str] = {}
        self._rounds = 0
        self._bytes = 0

    def next_round(self) -> list[Need]:
        self._evidence = self._evidence.with_items(self._fetched)
        # What was fetched in this gather and is asked for again would only be the same once more.
        pending = {need.url: need for need in self._missing(self._evidence) if need.url not in self._fetched and need.url not in self._failures}
        if self._rounds == MAX_GATHER_ROUNDS:
            self._failures |= dict.fromkeys(pending, f"not fetched: {MAX_GATHER_ROUNDS} rounds of fetching were not enough")
            return []
        self._rounds += 1
        return list(pending.values())[:MAX_NEEDS_PER_ROUND]

    def within_budget(self, need: Need) -> Need | None:
        """``need``, limited to the bytes that may still be read; ``None``, and a failure, if that is nothing."""
        left = MAX_GATHER_BYTES - self._bytes
        if left <= 0:
            self._failures[need.url] = f"not fetched: {MAX_GATHER_BYTES} bytes have been read already"
            return None
        return Need(need.url, min(need.max_bytes, left))

    def answered(self, need: Need, content: bytes | None, moment: datetime) -> None:
        size = len(content or b"")
        self._bytes += size
        if size > need.max_bytes or self._bytes > MAX_GATHER_BYTES:
            self._failures[need.url] = f"the answer has {size} bytes, more than the {need.max_bytes} allowed"
        else:
            self._fetched[need.url] = Item(content, moment)

    def failed(self, need: Need, reasons: Sequence[str]) -> None:
        self._failures[need.url] = "; ".join(dict.fromkeys(reasons)) or "there is no source to ask"

    def result(self) -> GatheredEvidence:
        return GatheredEvidence(self._evidence.items, MappingProxyType(dict(self._failures)))


def _reason(error: TransportError, need: Need) -> str:
    """Why there is nothing; the URL itself is said beside it."""
    if error.where == need.url:
        error = TransportError(error.what, hint=error.hint, code=error.code)
    return str(error)
