"""A board's docket: every decision about a licence, who entered it, when and why, and what became of it. Nothing in it is overwritten.

A decision is entered, perhaps approved by a second person, carried out when its day has come (by ``tick``, if that is later), and may end,
be withdrawn before it is carried out, or be undone within the board's window. What stands at a time is the sum of the decisions in force:
a clear one on an axis ends those before it there.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, Protocol

from did_health.encoding import timestamps
from did_health.health.board_orders import BoardOrder
from did_health.health.license_state import CLEAR, Axis, LicenseState, axis_of, check_state, combined, severity
from did_health.health.restrictions import Restriction
from did_health.health.status_messages import SIGNALS, Signal


class DecisionEvent(StrEnum):
    """What becomes of a decision after it was entered."""

    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    """Taken back before it was carried out."""
    CARRIED_OUT = "carried_out"
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
    why: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about one credential. ``state`` is the board's word, ``order`` names the public order, ``until`` is when it ends by itself."""

    id: str
    issuer: str
    credential: str
    axis: Axis
    state: str
    reason: str
    order: str
    effective: datetime
    until: datetime | None
    due: datetime
    """When it may be carried out: from ``effective`` on, but what is for ever not within the board's window for second thoughts."""
    entered_by: str
    entered_at: datetime
    needs_approval: bool
    restrictions: tuple[Restriction, ...] = ()
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


@dataclass(frozen=True, slots=True)
class DocketRules:
    """How a board decides: which states need a second person, and for how long a decision can be undone."""

    second_person: frozenset[str] = frozenset()
    undo_window: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        for state in self.second_person:
            check_state(state, "second person")
        if self.undo_window < timedelta(0):
            raise ValueError("a window for undoing is not negative")


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
        """An issuer's decisions of which something may become without anybody's doing: those not carried out, and those in force with an end."""


class Publish(Protocol):
    """How a docket changes what a board publishes about a credential."""

    def __call__(self, credential: str, signal: Signal, decision: Decision, reason: str) -> None: ...


class Docket:
    """One board's decisions. ``publish`` sets the status lists, ``reissue`` issues the licence anew with restrictions; both may be asked twice for the same."""

    def __init__(
        self,
        issuer: str,
        store: DecisionStore,
        rules: DocketRules,
        *,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        publish: Publish,
        reissue: Callable[[str, Sequence[Restriction]], None],
    ) -> None:
        self.rules = rules
        self._issuer, self._store, self._clock, self._random = issuer, store, clock, random
        self._publish, self._reissue = publish, reissue

    def enter(
        self,
        credential: str,
        state: str,
        *,
        reason: str,
        by: str = "",
        order: str = "",
        axis: Axis | None = None,
        effective: datetime | None = None,
        until: datetime | None = None,
        restrictions: Sequence[Restriction] = (),
    ) -> Decision:
        """Enter a decision, and carry it out at once if its time has come and nobody has to approve it; the decision as it then is.

        ``axis`` must be said only for ``active``, which ends what stands on that axis. Raises ``FormatError`` for a word that is no state,
        ``ValueError`` for a decision without a reason or end before its beginning, one about a licence that is revoked, or an empty ``by``
        where a second person has to approve.
        """
        decision = self._new(credential, state, reason, by, order, axis, effective, until, restrictions)
        self._store.enter([decision])
        return self._proceed(decision)

    def enter_order(self, credential: str, order: BoardOrder, *, by: str, reason: str = "") -> tuple[Decision, ...]:
        """Enter every action of a public order: all or none; the decisions as they then are. Days begin and end at midnight UTC."""
        decisions = [
            self._new(
                credential,
                action.state,
                reason or ", ".join(order.bases) or f"order {order.id}",
                by,
                order.url or order.id,
                Axis.DISCIPLINE if action.state == CLEAR else None,
                _midnight(action.effective or order.effective),
                None if action.expires is None else _midnight(action.expires) + timedelta(days=1),
                action.restrictions,
            )
            for action in order.actions
        ]
        self._store.enter(decisions)
        return tuple(self._proceed(decision) for decision in decisions)

    def approve(self, decision_id: str, *, by: str) -> Decision:
        """A second person's approval; carried out at once if its time has come.

        Raises ``KeyError`` for an unknown decision, ``ValueError`` for one that waits for none, or if ``by`` is nobody or who entered it.
        """
        decision = self._get(decision_id)
        if not by.strip() or by.strip() == decision.entered_by.strip():
            raise ValueError("a second person approves, not the one who entered the decision")
        if decision.is_final or decision.is_approved:
            raise ValueError(f"the decision does not wait for an approval: it is {decision.status}")
        return self._proceed(self._recorded(decision, DecisionEvent.APPROVED, by))

    def withdraw(self, decision_id: str, *, by: str, why: str) -> Decision:
        """Take back a decision that is not carried out yet. Raises ``KeyError``, ``ValueError``."""
        decision = self._get(decision_id)
        _require_reason(why)
        if decision.is_final or decision.is_in_force:
            raise ValueError(f"the decision cannot be withdrawn: it is {decision.status}")
        return self._recorded(decision, DecisionEvent.WITHDRAWN, by, why)

    def undo(self, decision_id: str, *, by: str, why: str) -> Decision:
        """Take back a decision that was carried out, within the board's window. What is for ever cannot be undone: it waits for that window.

        Raises ``KeyError``, and ``ValueError`` for a decision that is not in force, is for ever, or was carried out too long ago.
        """
        decision = self._get(decision_id)
        _require_reason(why)
        if not decision.is_in_force or decision.carried_out_at is None:
            raise ValueError(f"the decision cannot be undone: it is {decision.status}")
        if not SIGNALS[decision.state].reversible:
            raise ValueError("what is for ever cannot be undone: issue a new credential")
        if self._clock() > decision.carried_out_at + self.rules.undo_window:
            raise ValueError("the window for undoing has passed: enter a new decision")
        self._publish_without(decision, why)
        return self._recorded(decision, DecisionEvent.UNDONE, by, why)

    def tick(self) -> tuple[Decision, ...]:
        """Carry out what is due and end what is over; what changed. Run it often: what a crash cut off is made up for."""
        now = self._clock()
        changed = []
        for decision in self._store.open(self._issuer):
            if decision.is_in_force:
                if decision.until is not None and decision.until <= now:
                    self._publish_without(decision, "the decision has ended")
                    changed.append(self._recorded(decision, DecisionEvent.ENDED, ""))
            elif decision.is_approved and decision.due <= now:
                changed.append(self._carry_out(decision))
        return tuple(changed)

    def state(self, credential: str) -> LicenseState:
        """What stands about a credential now, by what was carried out."""
        in_force = self._in_force(credential)
        return LicenseState(*(max((one.state for one in in_force if one.axis is axis), key=severity, default=CLEAR) for axis in Axis))

    def history(self, credential: str) -> Sequence[Decision]:
        """Every decision about a credential, in the order of entering."""
        return self._store.of_credential(credential)

    def pending(self) -> Sequence[Decision]:
        """What waits for its day or for a second person."""
        return [decision for decision in self._store.open(self._issuer) if not decision.is_in_force]

    def _new(
        self,
        credential: str,
        state: str,
        reason: str,
        by: str,
        order: str,
        axis: Axis | None,
        effective: datetime | None,
        until: datetime | None,
        restrictions: Sequence[Restriction],
    ) -> Decision:
        now = self._clock()
        _require_reason(reason)
        check_state(state, "state")
        if state == CLEAR and axis is None:
            raise ValueError("say on which axis the licence is clear again: renewal or discipline")
        effective = now if effective is None else timestamps.require_aware(effective)
        if until is not None and timestamps.require_aware(until) <= effective:
            raise ValueError("the decision would end before it begins")
        signal = SIGNALS[state]
        if until is not None and not signal.reversible:
            raise ValueError("what is for ever has no end")
        if any(SIGNALS[one.state].revocation for one in self._in_force(credential)):
            raise ValueError("the credential is revoked for ever: issue a new one")
        needs_approval = state in self.rules.second_person
        if needs_approval and not by.strip():
            raise ValueError("where a second person approves, the first one is named")
        return Decision(
            id=uuid.UUID(bytes=self._random(16), version=4).urn,
            issuer=self._issuer,
            credential=credential,
            axis=axis if state == CLEAR and axis is not None else axis_of(state),
            state=state,
            reason=reason,
            order=order,
            effective=effective,
            until=until,
            due=effective if signal.reversible else max(effective, now + self.rules.undo_window),
            entered_by=by,
            entered_at=now,
            needs_approval=needs_approval,
            restrictions=tuple(restrictions),
        )

    def _proceed(self, decision: Decision) -> Decision:
        return self._carry_out(decision) if decision.is_approved and decision.due <= self._clock() else decision

    def _carry_out(self, decision: Decision) -> Decision:
        in_force = _after([*self._in_force(decision.credential), decision])
        # Published first: what a crash leaves published and not recorded is carried out again, which changes nothing.
        self._publish(decision.credential, combined(one.state for one in in_force), decision, decision.reason)
        if decision.restrictions:
            self._reissue(decision.credential, decision.restrictions)
        return self._recorded(decision, DecisionEvent.CARRIED_OUT, "")

    def _publish_without(self, decision: Decision, reason: str) -> None:
        others = [one for one in self._store.of_credential(decision.credential) if one.is_in_force and one.id != decision.id]
        self._publish(decision.credential, combined(one.state for one in _after(others)), decision, reason)

    def _in_force(self, credential: str) -> list[Decision]:
        return _after([one for one in self._store.of_credential(credential) if one.is_in_force])

    def _recorded(self, decision: Decision, event: DecisionEvent, by: str, why: str = "") -> Decision:
        recorded = RecordedEvent(event, by, self._clock(), why)
        self._store.record(decision, recorded)
        return replace(decision, events=(*decision.events, recorded))

    def _get(self, decision_id: str) -> Decision:
        decision = self._store.decision(decision_id)
        if decision is None or decision.issuer != self._issuer:
            raise KeyError(decision_id)
        return decision


def _after(in_force: Sequence[Decision]) -> list[Decision]:
    """Those that a later clear decision on their axis has not ended."""
    standing: list[Decision] = []
    for decision in in_force:
        if decision.state == CLEAR:
            standing = [one for one in standing if one.axis is not decision.axis or SIGNALS[one.state].revocation]
        standing.append(decision)
    return standing


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ValueError("a change of status has a reason")
