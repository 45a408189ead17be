"""What a monitor remembers from one look to the next, in one JSON file that is whole or the old one after a crash.

::

    {"format": "did-health/monitor/v1", "logs": {origin: {…}}, "open": [alarm, …], "unsent": [notice, …], "lost": 0}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, StoreError
from did_health.ledger.monitor import Ahead, Alarm, Notice, Seen
from did_health.limits import MAX_MONITOR_STATE_BYTES, MAX_UNSENT_NOTICES
from did_health.stores import files

FORMAT: Final = "did-health/monitor/v1"


@dataclass(frozen=True, slots=True)
class MonitorState:
    """``logs`` by origin what was seen, ``open`` by id the conditions that hold, ``unsent`` what the webhook has not taken, oldest first.

    ``lost`` counts the notices that were given up because too many waited.
    """

    logs: Mapping[str, Seen] = field(default_factory=dict)
    open: Mapping[str, Alarm] = field(default_factory=dict)
    unsent: tuple[Notice, ...] = ()
    lost: int = 0

    def waiting(self, notices: Sequence[Notice]) -> MonitorState:
        """With these notices for the webhook, too."""
        unsent = (*self.unsent, *notices)
        over = max(0, len(unsent) - MAX_UNSENT_NOTICES)
        return replace(self, unsent=unsent[over:], lost=self.lost + over)

    def encode(self) -> bytes:
        """The file's bytes."""
        return strict_json.dumps({
            "format": FORMAT,
            "logs": {origin: _seen_json(seen) for origin, seen in self.logs.items()},
            "open": [alarm.to_json() for alarm in self.open.values()],
            "unsent": [notice.to_json() for notice in self.unsent],
            "lost": self.lost,
        })

    @classmethod
    def parse(cls, data: bytes) -> MonitorState:
        """Read what ``encode`` wrote. Raises ``FormatError``."""
        document = strict_json.loads_object(data, what="monitor's state", max_bytes=MAX_MONITOR_STATE_BYTES)
        logs, opened, unsent, lost = (document.get(name) for name in ("logs", "open", "unsent", "lost"))
        if document.get("format") != FORMAT or not isinstance(logs, dict) or not isinstance(opened, list) or not isinstance(unsent, list):
            raise FormatError("the file does not hold a monitor's state")
        alarms = [Alarm.from_json(_object(one)) for one in opened]
        return cls(
            {origin: _seen(_object(one)) for origin, one in logs.items()},
            {alarm.id: alarm for alarm in alarms},
            tuple([Notice.from_json(_object(one)) for one in unsent]),
            _number(lost),
        )


class MonitorStateFile:
    """The file at ``path``; a missing one is a monitor that has seen nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes with the same file waiting. Raises ``StoreError``."""
        files.make_folder(self._path.parent)
        with files.locked(self._path.parent):
            yield

    def load(self) -> MonitorState:
        """Raises ``StoreError`` for a file that cannot be read or is something else: to go on without it would be to forget what was seen."""
        data = files.read(self._path, max_bytes=MAX_MONITOR_STATE_BYTES)
        if data is None:
            return MonitorState()
        try:
            return MonitorState.parse(data)
        except FormatError as error:
            hint = "Restore it from a copy; to start anew, knowing nothing of what was seen and told, move it away"
            raise StoreError(f"the monitor's state is malformed: {error.what}", where=str(self._path), hint=hint, code="store_foreign") from error

    def save(self, state: MonitorState) -> None:
        """Durable when this returns. Raises ``StoreError``."""
        files.write_atomically(self._path, state.encode(), mode=files.PRIVATE)


def _seen_json(seen: Seen) -> JSONObject:
    return {
        "since": seen.since, "judged": seen.judged, "published": seen.published, "witnessedAt": seen.witnessed_at, "cosigned": dict(seen.cosigned),
        "ahead": {place: {"size": one.size, "since": one.since} for place, one in seen.ahead.items()},
    }  # fmt: skip


def _seen(members: JSONObject) -> Seen:
    witnessed, cosigned, ahead = members.get("witnessedAt"), _object(members.get("cosigned")), _object(members.get("ahead"))
    return Seen(
        _number(members.get("since")),
        _number(members.get("judged")),
        _number(members.get("published")),
        None if witnessed is None else _number(witnessed),
        {name: _number(time) for name, time in cosigned.items()},
        {place: Ahead(_number(_object(one).get("size")), _number(_object(one).get("since"))) for place, one in ahead.items()},
    )


def _object(value: JSON) -> JSONObject:
    if not isinstance(value, dict):
        raise FormatError("a part of it is not an object")
    return value


def _number(value: JSON) -> int:
    if type(value) is not int or value < 0:
        raise FormatError("a number of it is none")
    return value
