"""The thread by which a mirror follows its log: it asks for the checkpoint again and again, and says aloud what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from did_health.errors import DidHealthError, EdgeError
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.operation import NotReady
from did_health.stores.mirror import Mirror

POLL_SECONDS: Final = 2.0
# A log publishes when it has its cosignatures, which is a moment after this one was given.
_SOON_SECONDS: Final = 0.1
_SOON_ATTEMPTS: Final = 20


class Following:
    """Use it in a ``with`` statement; at its end a copy that is under way ends with the batches that are kept, and the mirror takes no more."""

    def __init__(self, mirror: Mirror, *, log: JSONLog, metrics: Metrics, poll_seconds: float = POLL_SECONDS) -> None:
        self.mirror = mirror
        self._mirror, self._log, self._metrics, self._poll = mirror, log, metrics, poll_seconds
        self._ending, self._due = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="following", daemon=True)
        self._trouble: DidHealthError | None = None
        self._told_alarm = False
    def __enter__(self) -> Following:
        self._tell_alarm()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._due.set()
        self._mirror.stop()
        self._thread.join()

    def soon(self) -> None:
        """Ask the log at once: something was cosigned, so it will publish."""
        self._due.set()

    def require_sound(self) -> None:
        """Raises ``NotReady`` after an alarm, and while what the log serves does not hold together; a log that is out of reach is no fault here."""
        trouble = self._mirror.alarm.error() if self._mirror.alarm else self._trouble
        if trouble is not None:
            raise NotReady(f"The log is not to be trusted: {trouble.what}", code=trouble.code)

    def follow(self) -> bool:
        """One attempt; whether there was anything new."""
        try:
            moved = self._mirror.follow()
        except DidHealthError as error:
            self._metrics.count("follows", log=self._mirror.origin, outcome="failed")
            if self._mirror.alarm:
                self._tell_alarm()
            else:
                self._trouble = None if isinstance(error, EdgeError) else error
                self._log.failure("follow", error)
            return False
        self._trouble = None
        self._metrics.count("follows", log=self._mirror.origin, outcome="moved" if moved else "unchanged")
        if moved:
            self._log.write("followed", origin=self._mirror.origin, size=self._mirror.size)
        self._tell_alarm()
        try:
            self._mirror.host()
        except DidHealthError as error:
            # A document that its author made badly is not served; everything else is.
            self._log.failure("hosting", error)
        return moved

    def _tell_alarm(self) -> None:
        alarm = self._mirror.alarm
        if alarm is not None and not self._told_alarm:
            self._told_alarm = True
            self._log.write("alarm", "critical", code=alarm.code, what=alarm.what, checkpoint=alarm.checkpoint)

    def _run(self) -> None:
        soon = 0
        while not self._ending.is_set():
            if self._due.is_set():
                self._due.clear()
                soon = _SOON_ATTEMPTS
            try:
                soon = 0 if self.follow() else soon - 1
            except Exception as error:  # noqa: BLE001  # the thread has to go on, and the operator to hear of it
                self._log.failure("follow", error)
            self._due.wait(min(_SOON_SECONDS, self._poll) if soon > 0 else self._poll)


def announce(metrics: Metrics, mirrors: Sequence[Mirror]) -> None:
    """The metrics of a service that follows these logs."""

    def gauge(name: str, help_text: str, of: Callable[[Mirror], float]) -> None:
        metrics.gauge(name, help_text, lambda: {(("log", one.origin),): value for one in mirrors if (value := _number(one, of)) is not None})

    metrics.counter("follows", "Attempts to follow a log, by log and outcome.")
    gauge("size", "Published leaves of the mirror, by log.", lambda mirror: mirror.size)
    gauge("taken", "Leaves that were verified and kept, by log.", lambda mirror: mirror.taken)
    gauge("alarm", "1 if the log was caught at signing what is wrong, by log.", lambda mirror: mirror.alarm is not None)


def _number(mirror: Mirror, of: Callable[[Mirror], float]) -> float | None:
    try:
        return float(of(mirror))
    except EdgeError:
        # Metrics are wanted most when something fails.
        return None
