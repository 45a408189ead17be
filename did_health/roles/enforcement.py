"""What a board's decisions come to in public: each is carried out, ends or is taken back, without anything lost to a crash or to a race."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from did_health.health.restrictions import Restriction
from did_health.health.status_messages import SIGNALS
from did_health.roles.decision import Decision, DecisionEvent, DecisionStore, RecordedEvent, standing_of


class Published(Protocol):
    """What a board has published about credentials, as a docket changes it. Everything may be asked twice for the same."""

    def licence(self, credential: str) -> str:
        """The credential under whose id decisions about ``credential`` are kept: of those issued for one licence, the first."""

    def is_revoked(self, credential: str) -> bool:
        """Whether the lists say that the credential is revoked, which is for ever."""

    def can_be_restricted(self, credential: str) -> bool:
        """Whether the credential is one that is issued anew with restrictions."""

    def require_possible(self) -> None:
        """Raises unless what is published now would be admitted: asked before a decision is written, for nothing of it is to stand alone.

        ``ConflictError`` if the board's keys were rotated since it was opened, ``VerificationError`` if they are not its DID's.
        """

    def publish(self, credential: str, standing: Sequence[Decision], decided: Sequence[Restriction], decision: Decision, reason: str) -> None:
        """Let the status lists say of everything that was issued for the licence what the decisions that stand come to.

        The licence is issued anew with their restrictions, and without the others that were ever ``decided``. ``decision`` is the one because
        of which this is done.
        """


class Enforcement:
    """One issuer's decisions, carried out and taken back."""

    def __init__(self, store: DecisionStore, published: Published, clock: Callable[[], datetime]) -> None:
        self._store, self._published, self._clock = store, published, clock

    def history(self, credential: str) -> Sequence[Decision]:
        """Every decision about the licence of a credential, in the order of entering."""
        return self._store.of_credential(self._published.licence(credential))

    def standing(self, credential: str) -> Sequence[Decision]:
        """The decisions about a licence that make its state now: carried out, and not undone, ended, or cleared by a later one."""
        return standing_of([one for one in self.history(credential) if one.is_in_force], self._clock())

    def proceed(self, decision: Decision) -> Decision:
        """Carry the decision out if its time has come and nobody has to approve it; the decision as it then is."""
        return self._carry_out(decision) if decision.is_approved and decision.due <= self._clock() else decision

    def advance(self, decision: Decision) -> Decision | None:
        """Carry out the decision if it is due, end it if it is over, and undo it if that was begun; ``None`` if nothing of that is so."""
        now = self._clock()
        if decision.is_being_undone:
            begun = decision.events[-1]
            return self.take_back(decision, DecisionEvent.UNDONE, begun.by, begun.why)
        if decision.is_in_force:
            over = decision.until is not None and decision.until <= now
            return self.take_back(decision, DecisionEvent.ENDED, "", "") if over else None
        return self._carry_out(decision) if decision.is_approved and decision.due <= now else None

    def take_back(self, decision: Decision, event: DecisionEvent, by: str, why: str) -> Decision:
        """Publish what stands without a decision that is in force, and record ``event``: that it ended, or was undone."""
        return self._publish(decision, lambda one: one.is_in_force and one.id != decision.id, event, by, why or "the decision has ended")

    def recorded(self, decision: Decision, event: DecisionEvent, by: str, why: str = "") -> Decision:
        """The decision with an event more, which is kept; publishes nothing. ``ConflictError`` if another one was recorded since it was read."""
        recorded = RecordedEvent(event, by, self._clock(), why)
        self._store.record(decision, recorded)
        return replace(decision, events=(*decision.events, recorded))

    def _carry_out(self, decision: Decision) -> Decision:
        if decision.until is not None and decision.until <= self._clock():
            return self.recorded(decision, DecisionEvent.ENDED, "", "it was over before it could be carried out")
        if self._published.is_revoked(decision.credential) and not SIGNALS[decision.state].revocation:
            return self.recorded(decision, DecisionEvent.WITHDRAWN, "", "the credential is revoked")
        # Published first: what a crash leaves published and not recorded is carried out again, which changes nothing.
        return self._publish(decision, lambda one: one.is_in_force or one.id == decision.id, DecisionEvent.CARRIED_OUT, "", decision.reason)

    def _publish(self, decision: Decision, stands: Callable[[Decision], bool], event: DecisionEvent, by: str, reason: str) -> Decision:
        expected = self._set(decision, stands, reason)
        recorded = self.recorded(decision, event, by, "" if event is not DecisionEvent.UNDONE else reason)
        # Somebody else may have acted on the same licence at once, knowing nothing of this: whoever records last sees both.
        if [one.id for one in self.standing(decision.credential)] != expected:
            self._set(decision, lambda one: one.is_in_force, reason)
        return recorded

    def _set(self, decision: Decision, stands: Callable[[Decision], bool], reason: str) -> list[str]:
        """Publish what the decisions that stand come to; their ids."""
        history = self.history(decision.credential)
        standing = standing_of([one for one in history if stands(one)], self._clock())
        decided = [restriction for one in history for restriction in one.restrictions]
        self._published.publish(decision.credential, standing, decided, decision, reason)
        return [one.id for one in standing]
