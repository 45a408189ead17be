"""A service's log: one JSON object a line. What clients send (bodies, queries, headers, addresses) and secrets never stand in it."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import IO, Final

from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSON
from did_health.errors import DidHealthError
from did_health.stores.clock import system_clock

_FRAMES: Final = 20


class JSONLog:
    """Writes lines to ``stream``, by default standard error; one that cannot be written is lost, and the service goes on."""

    def __init__(self, service: str, stream: IO[str] | None = None, clock: Callable[[], datetime] = system_clock) -> None:
        self._service = service
        self._stream = stream
        self._clock = clock

    def write(self, event: str, level: str = "info", **members: JSON) -> None:
        """One line: ``time``, ``level``, ``service``, ``event`` and what else is known."""
        line = strict_json.dumps({"time": timestamps.format(self._clock()), "level": level, "service": self._service, "event": event, **members})
        stream = self._stream or sys.stderr
        try:
            # In one write, so that lines of two threads do not mix.
            stream.write(line.decode() + "\n")
            stream.flush()
        except (OSError, ValueError):
            return

    def failure(self, event: str, error: BaseException, **members: JSON) -> None:
        """An error: its class and where it was raised. Its words only if it is of our tree: those of others may quote what a client sent."""
        if isinstance(error, DidHealthError):
            members = {"code": error.code, "what": error.what, **members}
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        self.write(event, "error", error=type(error).__name__, frames=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames], **members)

    def capture(self, *loggers: str) -> None:
        """Write here what Python's ``loggers`` of these names say, from warnings upwards."""
        for name in loggers:
            logger = logging.getLogger(name)
            logger.handlers = [_Forwarding(self)]
            logger.setLevel(logging.WARNING)
            logger.propagate = False


class _Forwarding(logging.Handler):
    def __init__(self, log: JSONLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            self._log.failure("server", record.exc_info[1])
            return
        # The template and not its arguments: those come from requests.
        self._log.write("server", record.levelname.lower(), message=str(record.msg))
