"""A board's docket: every decision about a licence, entered, approved, carried out and taken back. Nothing in it is overwritten.

A decision is entered, perhaps approved by a second person, carried out when its day has come (by ``tick``, if that is later), and may end,
be withdrawn before it is carried out, or be undone within the board's window. What stands at a time is the sum of the decisions in force:
a clear one on an axis ends those before it there.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from did_health.encoding import timestamps
from did_health.errors import DidHealthError
from did_health.health.board_orders import BoardOrder, OrderAction
from did_health.health.license_state import CLEAR, Axis, LicenseState, axis_of, check_state, severity
from did_health.health.local_days import LocalDays
from did_health.health.restrictions import Restriction
from did_health.health.status_messages import SIGNALS
from did_health.roles.decision import Decision, DecisionEvent, DecisionStore
from did_health.roles.enforcement import Enforcement, Published


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


class Docket:
    """One board's decisions, and what is published because of them."""

    def __init__(
        self,
        issuer: str,
        store: DecisionStore,
        rules: DocketRules,
        *,
        days: LocalDays,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        published: Published,
    ) -> None:
        self.rules, self._days = rules, days
        self._issuer, self._store, self._clock, self._random, self._published = issuer, store, clock, random, published
        self._enforcement = Enforcement(store, published, clock)

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
        that this issuer never issued. ``ConflictError`` (``did_log_not_newest``) if the board's keys were rotated since it was opened:
        open it anew, nothing was written.
        """
        if until is not None and timestamps.require_aware(until) <= self._clock():
            raise ValueError("the decision would have ended already")
        decision = self._new(credential, state, reason, by, order, axis, effective, until, restrictions)
        self._published.require_possible()
        self._store.enter([decision])
        return self._enforcement.proceed(decision)

    def enter_order(self, credential: str, order: BoardOrder, *, by: str, reason: str = "") -> tuple[Decision, ...]:
        """Enter every action of a public order: all or none; the decisions as they then are. Days are those of the board's
        jurisdiction (see ``local_days``).

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
                _beginning(action, order, self._days),
                None if action.expires is None else self._days.ends(action.expires),
                action.restrictions,
            )
            for action in order.actions
        ]
        self._published.require_possible()
        self._store.enter(decisions)
        return tuple(self._enforcement.proceed(decision) for decision in decisions)

    def approve(self, decision_id: str, *, by: str) -> Decision:
        """A second person's approval; carried out at once if its time has come.

        Raises ``KeyError`` for an unknown decision, ``ValueError`` for one that waits for none, or if ``by`` is nobody or who entered it.
        """
        decision = self._get(decision_id)
        if not by.strip() or _same_person(by, decision.entered_by):
            raise ValueError("a second person approves, not the one who entered the decision")
        if decision.is_final or decision.is_approved:
            raise ValueError(f"the decision does not wait for an approval: it is {decision.status}")
        self._published.require_possible()
        return self._enforcement.proceed(self._enforcement.recorded(decision, DecisionEvent.APPROVED, by))

    def withdraw(self, decision_id: str, *, by: str, why: str) -> Decision:
        """Take back a decision that is not carried out yet. Raises ``KeyError``, ``ValueError`` (also for one by nobody, or without a reason)."""
        decision = self._get(decision_id)
        _require_reason(why)
        _require_person(by)
        if decision.is_final or decision.is_in_force:
            raise ValueError(f"the decision cannot be withdrawn: it is {decision.status}")
        return self._enforcement.recorded(decision, DecisionEvent.WITHDRAWN, by, why)

    def undo(self, decision_id: str, *, by: str, why: str) -> Decision:
        """Take back a decision that was carried out, within the board's window. What is for ever cannot be undone: it waits for that window.

        Raises ``KeyError``, and ``ValueError`` for a decision that is not in force, is for ever, or was carried out too long ago; if it is taken back by
        nobody, or without a reason.
        """
        decision = self._get(decision_id)
        _require_reason(why)
        _require_person(by)
        if not decision.is_in_force or decision.carried_out_at is None:
            raise ValueError(f"the decision cannot be undone: it is {decision.status}")
        if not SIGNALS[decision.state].reversible:
            raise ValueError("what is for ever cannot be undone: issue a new credential")
        if not decision.is_being_undone and self._clock() > decision.carried_out_at + self.rules.undo_window:
            raise ValueError("the window for undoing has passed: enter a new decision")
        self._published.require_possible()
        if not decision.is_being_undone:
            decision = self._enforcement.recorded(decision, DecisionEvent.UNDOING, by, why)
        return self._enforcement.take_back(decision, DecisionEvent.UNDONE, by, why)

    def tick(self) -> tuple[Decision, ...]:
        """Carry out what is due and end what is over; what changed. Run it often: what a crash cut off is made up for.

        One decision that cannot be carried out does not keep the others from it; the first such error is raised when they are done.
        """
        changed = []
        failed: DidHealthError | ValueError | None = None
        for decision in self._store.open(self._issuer):
            try:
                done = self._enforcement.advance(decision)
            except (DidHealthError, ValueError) as error:
                failed = failed or error
                continue
            if done is not None:
                changed.append(done)
        if failed is not None:
            raise failed
        return tuple(changed)

    def state(self, credential: str) -> LicenseState:
        """What stands about a credential now, by what was carried out."""
        standing = self.standing(credential)
        return LicenseState(*(max((one.state for one in standing if one.axis is axis), key=severity, default=CLEAR) for axis in Axis))

    def history(self, credential: str) -> Sequence[Decision]:
        """Every decision about the licence of a credential, in the order of entering."""
        return self._enforcement.history(credential)

    def standing(self, credential: str) -> Sequence[Decision]:
        """The decisions about a licence that make its state now: carried out, and not undone, ended, or cleared by a later one."""
        return self._enforcement.standing(credential)

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

    def _get(self, decision_id: str) -> Decision:
        decision = self._store.decision(decision_id)
        if decision is None or decision.issuer != self._issuer:
            raise KeyError(decision_id)
        return decision


def _beginning(action: OrderAction, order: BoardOrder, days: LocalDays) -> datetime:
    day = action.effective or order.effective
    return days.has_begun(day) if action.state == CLEAR else days.begins(day)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ValueError("a change of status has a reason")


def _require_person(by: str) -> None:
    if not by.strip():
        raise ValueError("whoever takes a decision back is named")


def _same_person(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
