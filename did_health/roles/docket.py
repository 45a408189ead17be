"""A board's docket: every decision about a licence, who entered it, when and why, and what became of it. Nothing in it is overwritten.

A decision is entered, perhaps approved by a second person, carried out when its day has come (by ``tick``, if that is later), and may end,
be withdrawn before it is carried out, or be undone within the board's window. What stands at a time is the sum of the decisions in force:
a clear one on an axis ends those before it there.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, Protocol

from did_health.encoding import timestamps
from did_health.errors import DidHealthError
from did_health.health.board_orders import BoardOrder
from did_health.health.license_state import CLEAR, Axis, LicenseState, axis_of, check_state, severity
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
        """An issuer's decisions of which something may become without anybody's doing: those not
        carried out, those in force with an end, and those that are being undone."""


class Published(Protocol):
    """What a board has published about credentials, as a docket changes it. Everything may be asked twice for the same."""

    def licence(self, credential: str) -> str:
        """The credential under whose id decisions about ``credential`` are kept: of those issued for one licence, the first."""

    def is_revoked(self, credential: str) -> bool:
        """Whether the lists say that the credential is revoked, which is for ever."""

    def can_be_restricted(self, credential: str) -> bool:
        """Whether the credential is one that is issued anew with restrictions."""

    def publish(self, credential: str, standing: Sequence[Decision], decided: Sequence[Restriction], decision: Decision, reason: str) -> None:
        """Let the status lists say of everything that was issued for the licence what the decisions that stand come to.

        The licence is issued anew with their restrictions, and without the others that were ever ``decided``. ``decision`` is the one because
        of which this is done.
        """


class Docket:
    """One board's decisions, and what is published because of them."""

    def __init__(
        self, issuer: str, store: DecisionStore, rules: DocketRules, *, clock: Callable[[], datetime], random: Callable[[int], bytes], published: Published
    ) -> None:
        self.rules = rules
        self._issuer, self._store, self._clock, self._random, self._published = issuer, store, clock, random, published

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
        ``ValueError`` for a decision without a reason, one that ends before its beginning or has ended already, one about a licence that is
        revoked, restrictions of what is no licence, or an empty ``by`` where a second person has to approve. ``KeyError`` for a credential
        that this issuer never issued.
        """
        if until is not None and timestamps.require_aware(until) <= self._clock():
            raise ValueError("the decision would have ended already")
        decision = self._new(credential, state, reason, by, order, axis, effective, until, restrictions)
        self._store.enter([decision])
        return self._proceed(decision)

    def enter_order(self, credential: str, order: BoardOrder, *, by: str, reason: str = "") -> tuple[Decision, ...]:
        """Enter every action of a public order: all or none; the decisions as they then are. Days begin and end at midnight UTC.

        An action that is over already is kept, and never published.
        """
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
        if not decision.is_being_undone and self._clock() > decision.carried_out_at + self.rules.undo_window:
            raise ValueError("the window for undoing has passed: enter a new decision")
        if not decision.is_being_undone:
            decision = self._recorded(decision, DecisionEvent.UNDOING, by, why)
        return self._take_back(decision, DecisionEvent.UNDONE, by, why)

    def tick(self) -> tuple[Decision, ...]:
        """Carry out what is due and end what is over; what changed. Run it often: what a crash cut off is made up for.

        One decision that cannot be carried out does not keep the others from it; the first such error is raised when they are done.
        """
        changed = []
        failed: DidHealthError | ValueError | None = None
        for decision in self._store.open(self._issuer):
            try:
                done = self._ticked(decision)
            except (DidHealthError, ValueError) as error:
                failed = failed or error
                continue
            if done is not None:
                changed.append(done)
        if failed is not None:
            raise failed
        return tuple(changed)

    def _ticked(self, decision: Decision) -> Decision | None:
        now = self._clock()
        if decision.is_being_undone:
            begun = decision.events[-1]
            return self._take_back(decision, DecisionEvent.UNDONE, begun.by, begun.why)
        if decision.is_in_force:
            over = decision.until is not None and decision.until <= now
            return self._take_back(decision, DecisionEvent.ENDED, "", "") if over else None
        return self._carry_out(decision) if decision.is_approved and decision.due <= now else None

    def state(self, credential: str) -> LicenseState:
        """What stands about a credential now, by what was carried out."""
        standing = self.standing(credential)
        return LicenseState(*(max((one.state for one in standing if one.axis is axis), key=severity, default=CLEAR) for axis in Axis))

    def history(self, credential: str) -> Sequence[Decision]:
        """Every decision about the licence of a credential, in the order of entering."""
        return self._store.of_credential(self._published.licence(credential))

    def standing(self, credential: str) -> Sequence[Decision]:
        """The decisions about a licence that make its state now: carried out, and not undone, ended, or cleared by a later one."""
        return _standing([one for one in self.history(credential) if one.is_in_force], self._clock())

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
        if self._published.is_revoked(credential) or any(SIGNALS[one.state].revocation for one in self.standing(credential)):
            raise ValueError("the credential is revoked for ever: issue a new one")
        if restrictions and not self._published.can_be_restricted(credential):
            raise ValueError("only licences are issued anew with restrictions")
        needs_approval = state in self.rules.second_person
        if needs_approval and not by.strip():
            raise ValueError("where a second person approves, the first one is named")
        return Decision(
            id=uuid.UUID(bytes=self._random(16), version=4).urn,
            issuer=self._issuer,
            credential=self._published.licence(credential),
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
        if decision.until is not None and decision.until <= self._clock():
            return self._recorded(decision, DecisionEvent.ENDED, "", "it was over before it could be carried out")
        if self._published.is_revoked(decision.credential) and not SIGNALS[decision.state].revocation:
            return self._recorded(decision, DecisionEvent.WITHDRAWN, "", "the credential is revoked")
        # Published first: what a crash leaves published and not recorded is carried out again, which changes nothing.
        return self._publish(decision, lambda one: one.is_in_force or one.id == decision.id, DecisionEvent.CARRIED_OUT, "", decision.reason)

    def _take_back(self, decision: Decision, event: DecisionEvent, by: str, why: str) -> Decision:
        return self._publish(decision, lambda one: one.is_in_force and one.id != decision.id, event, by, why or "the decision has ended")

    def _publish(self, decision: Decision, stands: Callable[[Decision], bool], event: DecisionEvent, by: str, reason: str) -> Decision:
        expected = self._set(decision, stands, reason)
        recorded = self._recorded(decision, event, by, "" if event is not DecisionEvent.UNDONE else reason)
        # Somebody else may have acted on the same licence at once, knowing nothing of this: whoever records last sees both.
        if [one.id for one in self.standing(decision.credential)] != expected:
            self._set(decision, lambda one: one.is_in_force, reason)
        return recorded

    def _set(self, decision: Decision, stands: Callable[[Decision], bool], reason: str) -> list[str]:
        """Publish what the decisions that stand come to; their ids."""
        history = self.history(decision.credential)
        standing = _standing([one for one in history if stands(one)], self._clock())
        decided = [restriction for one in history for restriction in one.restrictions]
        self._published.publish(decision.credential, standing, decided, decision, reason)
        return [one.id for one in standing]

    def _recorded(self, decision: Decision, event: DecisionEvent, by: str, why: str = "") -> Decision:
        recorded = RecordedEvent(event, by, self._clock(), why)
        self._store.record(decision, recorded)
        return replace(decision, events=(*decision.events, recorded))

    def _get(self, decision_id: str) -> Decision:
        decision = self._store.decision(decision_id)
        if decision is None or decision.issuer != self._issuer:
            raise KeyError(decision_id)
        return decision


def _standing(decisions: Sequence[Decision], now: datetime) -> list[Decision]:
    """Those that a clear decision on their axis has not ended: one that was entered after them, and carried out no earlier.

    A reinstatement that was entered for a later day lifts nothing that was decided since, and nothing that begins after it.
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


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ValueError("a change of status has a reason")
