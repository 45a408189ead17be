"""What a counter remembers between two visits: how often a delegation was used, and what is to be checked again when there is a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from did_health.health.act import Act


class DelegationUses(Protocol):
    """How often each delegation was used here. Durable when a call returns; safe for several threads and processes.

    Pharmacies do not tell each other: a delegation for several of them can be used ``maxUses`` times at each.
    """

    def count(self, delegation: str) -> int:
        """How often the delegation with this id was used."""

    def use(self, delegation: str, *, use: str, at_most: int, now: datetime) -> bool:
        """Count one more use, named ``use``; the same name counts once. ``False``, with nothing counted, if ``at_most`` were counted before."""


@dataclass(frozen=True, slots=True)
class Recheck:
    """Something that was decided by hand while the network was down: what was shown (without a fresh signature of the holder), and for what.

    ``id`` is that of its row in the verifier's log.
    """

    id: str
    queued_at: datetime
    act: Act
    document: bytes = field(repr=False)


class RecheckQueue(Protocol):
    """What is to be checked again, oldest first. It holds what was shown, so it is kept like the patients' records, and emptied."""

    def queue(self, verifier: str, recheck: Recheck) -> None:
        """Keep it; the same id again changes nothing."""

    def waiting(self, verifier: str, *, after: Recheck | None = None, limit: int = 100) -> Sequence[Recheck]:
        """What waits, from the one behind ``after`` on."""

    def done(self, recheck_id: str) -> bool:
        """Take it out; ``False`` if somebody else has done so."""
