"""The one writer of a ledger service: a thread that makes batches of what callers hand in, and heartbeats when nobody does.

A batch holds whatever came while the one before was under way, and a little more; each caller's group is logged whole or refused alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, Full, Queue
from time import monotonic
from typing import Final, TypeAlias

from did_health.errors import ConflictError, DidHealthError, EdgeError, StoreError
from did_health.ledger.log import LoggedEntry, Submission
from did_health.limits import MAX_BATCH_ENTRIES, MAX_SUBMISSIONS, MAX_WAITING_SUBMISSIONS
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.stores.database import Leader
from did_health.stores.embedded import EmbeddedLedger

HEARTBEAT_SECONDS: Final = 60.0
_LINGER_SECONDS: Final = 0.02
_AGAIN_SECONDS: Final = 5.0
_ATTEMPTS: Final = 3
_STANDBY_SECONDS: Final = 0.5
"""How often who stands by tries to lead."""

Logged: TypeAlias = tuple[LoggedEntry, ...]


@dataclass(frozen=True, slots=True)
class _Waiting:
    group: Sequence[Submission]
    outcome: Future[Logged]


class Sequencing:
    """Use it in a ``with`` statement; at its end everything handed in before is still logged.

    With a ``leader`` it writes only while it leads, and stands by otherwise: then ``offer`` refuses, and as soon as it can lead it finishes
    what the one before it left unpublished. After ``heartbeat_seconds`` without a batch the witnesses are asked to cosign the newest
    checkpoint anew. ``linger_seconds``, at most a second, is how long a batch waits for more.
    """

    def __init__(
        self,
        ledger: EmbeddedLedger,
        *,
        log: JSONLog,
        metrics: Metrics,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        linger_seconds: float = _LINGER_SECONDS,
        leader: Leader | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._ledger, self._log, self._metrics = ledger, log, metrics
        self._heartbeat, self._linger, self._clock = heartbeat_seconds, min(linger_seconds, 1.0), clock
        self._queue: Queue[_Waiting | None] = Queue(MAX_WAITING_SUBMISSIONS)
        self._thread = threading.Thread(target=self._run, name="sequencing", daemon=True)
        self._open = False
        self._ending = False
        self._leader, self._leading = leader, leader is None
        metrics.counter("batches", "Batches logged.")
        metrics.counter("entries", "Entries logged.")
        metrics.counter("heartbeats", "Heartbeats, by whether enough witnesses answered.")
        metrics.gauge("leading", "1 for the process that writes, 0 for one that stands by.", lambda: {(): float(self._leading)})
        metrics.gauge("waiting", "Groups of entries that wait for the next batch.", lambda: {(): self._queue.qsize()})

    def __enter__(self) -> Sequencing:
        if self._leads():
            self._host()
        self._open = True
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._queue.put(None)
        self._thread.join()
        if self._leader is not None:
            self._leader.release()

    def offer(self, group: Sequence[Submission]) -> Future[Logged]:
        """Hand in entries that belong together. The outcome is what ``Ledger.submit`` returns or raises; cancelling it in time takes them back.

        Raises ``StoreError``: ``ledger_busy`` if too many are waiting, or none are taken any more; ``ledger_standby`` while another process leads.
        """
        if not self._leading:
            raise _standing_by()
        waiting = _Waiting(group, Future())
        try:
            if not self._open:
                raise Full
            self._queue.put_nowait(waiting)
        except Full as error:
            raise StoreError("the ledger has too much to do", hint="Try again in some seconds; nothing was written", code="ledger_busy") from error
        return waiting.outcome

    def _run(self) -> None:
        # Who leads others begins with what the one before may have left unpublished.
        due = self._clock() + (self._heartbeat if self._leader is None else 0.0)
        while not self._ending:
            if not self._leads():
                due = self._clock()
                if self._passed_standing_by():
                    return
                continue
            # Looked at before the queue, so that a flood of refusals cannot keep the heartbeat back.
            if self._clock() >= due:
                due = self._clock() + (self._heartbeat if self._beat() else min(_AGAIN_SECONDS, self._heartbeat))
            try:
                wait = max(0.0, due - self._clock())
                # Who leads others looks now and then whether that is still so.
                first = self._queue.get(timeout=wait if self._leader is None else min(wait, _STANDBY_SECONDS))
            except Empty:
                continue
            if first is None:
                return
            batch = [one for one in self._gathered(first) if one.outcome.set_running_or_notify_cancel()]
            if batch and self._leads():
                due = self._log_batch(batch, due)
            else:
                _refuse(batch)

    def _leads(self) -> bool:
        """Whether this process leads, or does now. Asked before each batch, which is compared and swapped besides."""
        if self._leader is None:
            return True
        try:
            leads = self._leader.held() or self._leader.acquire()
        except EdgeError as error:
            self._log.failure("leader", error)
            leads = False
        if leads != self._leading:
            self._log.write("leading" if leads else "standing-by")
        self._leading = leads
        return leads

    def _passed_standing_by(self) -> bool:
        """Let a moment pass; what was handed in before the lead was lost is refused. Whether this is the end."""
        try:
            one = self._queue.get(timeout=_STANDBY_SECONDS)
        except Empty:
            return False
        if one is not None and one.outcome.set_running_or_notify_cancel():
            _refuse([one])
        return one is None

    def _gathered(self, first: _Waiting) -> list[_Waiting]:
        batch, count = [first], len(first.group)
        until = self._clock() + self._linger
        # The largest group must still fit, or it would have to be put back.
        while count <= MAX_BATCH_ENTRIES - MAX_SUBMISSIONS and not self._ending:
            try:
                one = self._queue.get(timeout=max(0.0, until - self._clock()))
            except Empty:
                break
            if one is None:
                self._ending = True
            else:
                batch.append(one)
                count += len(one.group)
        return batch

    def _log_batch(self, batch: Sequence[_Waiting], due: float) -> float:
        """When the next heartbeat is due: later with a new checkpoint, soon after a failure, otherwise as before."""
        try:
            outcomes = self._submitted([one.group for one in batch])
        except Exception as error:  # noqa: BLE001  # whoever waits has to hear of it, and the thread has to go on
            self._log.failure("batch", error)
            for one in batch:
                one.outcome.set_exception(error)
            return min(due, self._clock() + _AGAIN_SECONDS)
        logged = [outcome for outcome in outcomes if not isinstance(outcome, DidHealthError)]
        if logged:
            self._host()
            self._metrics.count("batches")
            self._metrics.add("entries", sum(map(len, logged)))
        for one, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, DidHealthError):
                one.outcome.set_exception(outcome)
            else:
                one.outcome.set_result(outcome)
        return self._clock() + self._heartbeat if logged else due

    def _submitted(self, groups: Sequence[Sequence[Submission]]) -> list[Logged | DidHealthError]:
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._ledger.submit_groups(groups)
            except ConflictError:
                # Another process wrote first; what it wrote is judged with.
                continue
        return self._ledger.submit_groups(groups)

    def _beat(self) -> bool:
        try:
            self._ledger.heartbeat()
        except Exception as error:  # noqa: BLE001  # as above
            self._metrics.count("heartbeats", outcome="failed")
            self._log.failure("heartbeat", error)
            return False
        self._metrics.count("heartbeats", outcome="cosigned")
        self._host()
        return True

    def _host(self) -> None:
        try:
            self._ledger.host()
        except EdgeError as error:
            # Made up for after the next batch.
            self._log.failure("hosting", error)


def _refuse(batch: Sequence[_Waiting]) -> None:
    for one in batch:
        one.outcome.set_exception(_standing_by())


def _standing_by() -> StoreError:
    hint = "Ask the process that leads, or this one again in some seconds; nothing was written"
    return StoreError("this process of the ledger stands by", hint=hint, code="ledger_standby")
