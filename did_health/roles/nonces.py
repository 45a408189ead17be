"""Nonces: each may be answered once. The verifier draws one, the holder signs it, and a second answer is a replay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, Protocol

from did_health.encoding.base64 import base64url_encode

_NONCE_BYTES: Final = 16
_KEPT_FOR: Final = timedelta(hours=1)


def new_nonce(random: Callable[[int], bytes]) -> str:
    """A fresh nonce of 128 bits as base64url text."""
    return base64url_encode(random(_NONCE_BYTES))


class UsedNonces(Protocol):
    """Remembers which nonces were answered. Shared by all who verify for one audience; safe for several threads."""

    def use(self, nonce: str, now: datetime) -> bool:
        """Mark ``nonce`` as answered; ``False`` if it was already."""


class NoncesInMemory:
    """The nonces of one process, each remembered for an hour, which is longer than any challenge should live."""

    def __init__(self) -> None:
        self._used: dict[str, datetime] = {}
        self._lock = Lock()

    def use(self, nonce: str, now: datetime) -> bool:
        with self._lock:
            while self._used and now - self._used[oldest := next(iter(self._used))] > _KEPT_FOR:
                del self._used[oldest]
            if nonce in self._used:
                return False
            self._used[nonce] = now
            return True
