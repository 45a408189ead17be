"""A board's decision about a licence: who entered it, when and why, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from did_health.health.license_state import CLEAR, Axis
from did_health.health.restrictions import Restriction
from did_health.health.status_messages import SIGNALS


class DecisionEvent(StrEnum):
    """What becomes of a decision after it was entered."""

    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    """Taken back before it was carried out."""
    CARRIED_OUT = "carried_out"
    UNDOING = "undoing"
    """Somebody has begun to take it back: what a crash cuts off then, ``tick`` makes up for."""
    UNDONE = "undone"
    """Taken back within the board's window after it was carried out."""
    ENDED = "ended"
    """Its last day has passed."""


_FINAL: Final = frozenset({DecisionEvent.WITHDRAWN, DecisionEvent.UNDONE, DecisionEvent.ENDED})


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event of a decision: by whom (empty: by the software), when, and why."""

    event: DecisionEvent
    by: str
    at: datetime
    why: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about one credential. ``state`` is the board's word, ``order`` names the public order, ``until`` is when it ends by itself."""

    id: str
    issuer: str
    credential: str
    axis: Axis
    state: str
    # What a board says of somebody stays out of logs and tracebacks.
    reason: str = field(repr=False)
    order: str
    effective: datetime
    until: datetime | None
    due: datetime
    """When it may be carried out: from ``effective`` on, but what is for ever not within the board's window for second thoughts."""
    entered_by: str
    entered_at: datetime
    needs_approval: bool
    restrictions: tuple[Restriction, ...] = field(default=(), repr=False)
    events: tuple[RecordedEvent, ...] = ()

    @property
    def carried_out_at(self) -> datetime | None:
        """When it was carried out; ``None`` if it was not yet."""
        return next((event.at for event in self.events if event.event is DecisionEvent.CARRIED_OUT), None)

    @property
    def is_final(self) -> bool:
        """Whether nothing more becomes of it."""
        return any(event.event in _FINAL for event in self.events)

    @property
    def is_in_force(self) -> bool:
        """Whether it was carried out, and neither undone nor ended."""
        return self.carried_out_at is not None and not self.is_final

    @property
    def is_being_undone(self) -> bool:
        """Whether somebody has begun to take it back, and that is not done yet."""
        return bool(self.events) and self.events[-1].event is DecisionEvent.UNDOING

    @property
    def is_approved(self) -> bool:
        """Whether it needs no second person, or has had one."""
        return not self.needs_approval or any(event.event is DecisionEvent.APPROVED for event in self.events)

    @property
    def status(self) -> str:
        """``waiting for approval``, ``scheduled``, ``in force``, ``withdrawn``, ``undone`` or ``ended``."""
        if self.is_final:
            return str(self.events[-1].event)
        if self.is_in_force:
            return "in force"
        return "scheduled" if self.is_approved else "waiting for approval"


def standing_of(decisions: Sequence[Decision], now: datetime) -> list[Decision]:
    """Of decisions about one licence, in the order of entering, those that a clear one on their axis has not ended.

    Such a one was entered after them, and carried out no earlier. A reinstatement that was entered for a later day lifts nothing that was
    decided since, and nothing that begins after it.
    """
    standing: list[Decision] = []
    for decision in decisions:
        if decision.state == CLEAR:
            since = decision.carried_out_at or now
            standing = [
                one for one in standing if one.axis is not decision.axis or SIGNALS[one.state].revocation or (one.carried_out_at or now) > since
            ]
        standing.append(decision)
    return standing


class DecisionStore(Protocol):
    """Where decisions are kept. Durable when a call returns; safe for several processes. Raises ``StoreError`` when the store fails."""

    def enter(self, decisions: Sequence[Decision]) -> None:
        """Keep new decisions, all or none; ``ConflictError`` for an id that exists."""

    def record(self, decision: Decision, event: RecordedEvent) -> None:
        """Append an event to a decision as it was read; ``ConflictError`` if another one was appended since."""

    def decision(self, decision_id: str) -> Decision | None:
        """The decision with this id, with its events."""

    def of_credential(self, credential_id: str) -> Sequence[Decision]:
        """All decisions about a credential, in the order in which they were entered."""

    def open(self, issuer: str) -> Sequence[Decision]:
        """An issuer's decisions of which something may become without anybody's doing: those not
        carried out, those in force with an end, and those that are being undone."""
