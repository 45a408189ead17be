"""Looking at logs again and again, and telling what is wrong: each thing once, and at its end. What was seen and told survives restarts.

One look: every log is looked at, the state is written with what has to be told, and only then it counts as told. So a crash makes
something be told twice, and nothing be left untold; receivers know it by its ``id``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from did_health.encoding import strict_json
from did_health.errors import DidHealthError, TransportError
from did_health.ledger.monitor import Alarm, Level, Mine, Notice, changes
from did_health.net.webhook import Webhook
from did_health.services.json_log import JSONLog
from did_health.services.log_monitor import LogMonitor, Look
from did_health.stores.log_reader import Clock
from did_health.stores.monitor_state import MonitorState, MonitorStateFile


@dataclass(frozen=True, slots=True)
class Round:
    """What one look at all logs found: by origin each look, the conditions that hold, and what happened.

    ``told`` is what was new of it, and ``unsent`` counts the notices that the webhook has not taken.
    """

    looks: Mapping[str, Look]
    holding: tuple[Alarm, ...]
    events: tuple[Alarm, ...]
    told: tuple[Notice, ...]
    unsent: int

    @property
    def worst(self) -> Level | None:
        """The worst that is wrong; ``None`` if nothing is."""
        levels = {alarm.level for alarm in (*self.holding, *self.events)}
        return next((level for level in Level if level in levels), None)


class Monitoring:
    """``mine`` is read at every look; ``tell`` gets each notice once; ``log`` what the operator has to know of the monitor itself."""

    def __init__(
        self,
        monitors: Sequence[LogMonitor],
        mine: Callable[[], Mine],
        state: MonitorStateFile,
        *,
        tell: Callable[[Notice], None],
        webhook: Webhook | None,
        log: JSONLog,
        clock: Clock,
    ) -> None:
        self._monitors, self._mine, self._state, self._tell, self._webhook, self._log, self._clock = monitors, mine, state, tell, webhook, log, clock
        self._ending = threading.Event()

    def run(self, interval_seconds: float) -> None:
        """Look until ``stop``; a look that fails is written to the log, and the next one comes nevertheless."""
        self._log.write("started", logs=[one.origin for one in self._monitors])
        while not self._ending.is_set():
            try:
                self.look()
            except DidHealthError as error:
                if not self._ending.is_set():
                    self._log.failure("look", error)
            self._ending.wait(interval_seconds)
        self._log.write("ended")

    def stop(self) -> None:
        """End ``run``, and soon a look that is under way."""
        self._ending.set()
        for monitor in self._monitors:
            monitor.stop()

    def look(self) -> Round:
        """Look once. Raises ``StoreError`` if what is remembered cannot be read or written, ``FormatError`` for what ``mine`` raises."""
        with self._state.locked():
            mine, state = self._mine(), self._state.load()
            looks = {one.origin: one.look(state.logs.get(one.origin), mine) for one in self._monitors}
            now = self._clock()
            holding = [alarm for look in looks.values() for alarm in look.holding]
            events = tuple([alarm for look in looks.values() for alarm in look.events])
            after, notices = changes(state.open, holding, now)
            notices = [*(Notice(alarm, now) for alarm in events), *notices]
            state = replace(state, logs={**state.logs, **{origin: look.seen for origin, look in looks.items()}}, open=after)
            if self._webhook is not None:
                state = state.waiting(notices)
            for notice in notices:
                self._tell(notice)
            self._state.save(state)
            state = self._sent(state)
        return Round(looks, tuple(after.values()), events, tuple(notices), len(state.unsent))

    def _sent(self, state: MonitorState) -> MonitorState:
        """After posting what waits, in its order, up to the first that is not taken."""
        if self._webhook is None or not state.unsent:
            return state
        if state.lost:
            self._log.write("notices_lost", "error", count=state.lost)
        taken = 0
        try:
            for notice in state.unsent:
                if self._ending.is_set():
                    break
                self._webhook.post(strict_json.dumps(notice.to_json()))
                taken += 1
        except TransportError as error:
            self._log.failure("webhook", error, unsent=len(state.unsent) - taken)
        after = replace(state, unsent=state.unsent[taken:], lost=0)
        self._state.save(after)
        return after
