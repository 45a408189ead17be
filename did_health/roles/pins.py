"""Pins: what a verifier has seen of each log before, so that no log can take anything back or show two histories (LEDGER §4).

Of each origin the largest checkpoint is remembered that the policy's quorum stood behind. Exactly this is then checked of every other:

- *the same size*: the same root, or the log has two trees of one size (``ledger_split_view``);
- *a smaller size*: refused (``ledger_rolled_back``), unless it was fetched before the pin was seen. Evidence that was carried along is old,
  not rolled back, and how old it may be is the policy's to say;
- *a larger size*: taken, and pinned instead. That the larger tree holds the smaller one is not checked again here: every witness of the
  quorum has checked it before it cosigned (C2SP tlog-witness), and a consistency proof is in none of the evidence that is carried offline.

Checkpoints of receipts may be of any age: of them only that of the pinned size is compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Protocol

from did_health.errors import VerificationError
from did_health.tlog.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Pin:
    """The largest tree of a log that was seen, and when (aware UTC) it was first known to be that large."""

    size: int
    root: bytes
    seen_at: datetime


class Pins(Protocol):
    """Remembers one pin for each origin. Safe for several threads; what ``replace`` did is seen by every later ``get``."""

    def get(self, origin: str) -> Pin | None:
        """What is remembered of a log; ``None`` if it was never seen."""

    def replace(self, origin: str, old: Pin | None, new: Pin) -> bool:
        """Remember ``new`` if what is remembered still is ``old``; ``False`` if somebody else was first."""


class PinsInMemory:
    """The pins of one process."""

    def __init__(self) -> None:
        self._pins: dict[str, Pin] = {}
        self._lock = Lock()

    def get(self, origin: str) -> Pin | None:
        return self._pins.get(origin)

    def replace(self, origin: str, old: Pin | None, new: Pin) -> bool:
        with self._lock:
            if self._pins.get(origin) != old:
                return False
            self._pins[origin] = new
            return True


def require_continued(pins: Pins, checkpoint: Checkpoint, *, fetched_at: datetime, now: datetime) -> None:
    """Check a verified checkpoint that tells of the newest state against the pin of its log, and pin it if it is larger.

    ``now`` is not before the fetch has ended. Raises ``VerificationError`` (``ledger_split_view``, ``ledger_rolled_back``).
    """
    while True:
        pin = pins.get(checkpoint.origin)
        if pin is not None and checkpoint.size <= pin.size:
            _require_same_tree(pin, checkpoint)
            if checkpoint.size < pin.size and fetched_at > pin.seen_at:
                raise VerificationError("the ledger shows an older state than it has shown before", code="ledger_rolled_back")
            return
        if pins.replace(checkpoint.origin, pin, Pin(checkpoint.size, checkpoint.root, max(now, fetched_at))):
            return


def require_same_view(pins: Pins, checkpoint: Checkpoint) -> None:
    """Check a verified checkpoint of any age against the pin of its log. Raises ``VerificationError`` (``ledger_split_view``)."""
    pin = pins.get(checkpoint.origin)
    if pin is not None:
        _require_same_tree(pin, checkpoint)


def _require_same_tree(pin: Pin, checkpoint: Checkpoint) -> None:
    if checkpoint.size == pin.size and checkpoint.root != pin.root:
        raise VerificationError("the ledger has shown another history of the same length: keep both as evidence", code="ledger_split_view")
