"""A ledger behind a URL whose process may be killed and started again, or whose witnesses may be out for a while: what fails for such a
reason is tried again. Entries that were logged already are not logged twice (see ``RemoteLedger.submit``), so nothing is lost or doubled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import monotonic, sleep
from typing import Final, TypeVar

from did_health.errors import StoreError, TransportError
from did_health.ledger.latest import NewestEntry
from did_health.ledger.log import LoggedEntry, Submission
from did_health.net.remote_ledger import RemoteLedger
from did_health.roles.evidence import Need

T = TypeVar("T")
UNREACHABLE: Final = frozenset({"no_connection", "broken_connection", "timeout"})
"""Codes of a ``TransportError`` that says that nobody answered."""
_PASSING: Final = UNREACHABLE | {
    "unexpected_status", "quorum_not_met", "ledger_busy", "ledger_standby", "ledger_read_only", "submission_waiting",
    "entries_waiting", "store_unavailable", "not_hosted",
}  # fmt: skip
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0
PATIENCE_SECONDS: Final = 60.0


class PersistentLedger:
    """``remote`` with patience: implements ``roles.institution.PublishingLedger``. Safe for several threads.

    Raises what ``RemoteLedger`` raises, for what passes after ``patience_seconds`` of trying again.
    """

    def __init__(self, remote: RemoteLedger, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._remote, self._patience = remote, patience_seconds

    @property
    def url(self) -> str:
        return self._remote.url

    @property
    def origin(self) -> str:
        return self._remote.origin

    @property
    def vkey(self) -> str:
        return self._remote.vkey

    def submit(self, submissions: Sequence[Submission]) -> tuple[LoggedEntry, ...]:
        return self._again(lambda: self._remote.submit(submissions))

    def latest(self, subject: bytes) -> NewestEntry | None:
        """As ``RemoteLedger.latest``."""
        return self._again(lambda: self._remote.latest(subject))

    def fetch(self, need: Need) -> bytes | None:
        return self._again(lambda: self._remote.fetch(need))

    def publish(self, url: str, content: bytes) -> None:
        """As ``RemoteLedger.publish``."""
        self._again(lambda: self._remote.publish(url, content))

    def publish_all(self, documents: Mapping[str, bytes]) -> None:
        """As ``RemoteLedger.publish_all``."""
        for url, content in documents.items():
            self.publish(url, content)

    def close(self) -> None:
        """Close all connections."""
        self._remote.close()

    def _again(self, act: Callable[[], T]) -> T:
        end, pause = monotonic() + self._patience, _FIRST_PAUSE
        while True:
            try:
                return act()
            except (StoreError, TransportError) as error:
                if error.code not in _PASSING or monotonic() + pause > end:
                    raise
            sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
