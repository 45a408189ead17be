"""What every store of decisions promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from did_health.errors import ConflictError
from did_health.health.license_state import Axis
from did_health.health.restrictions import Restriction, Scope
from did_health.roles.decision import Decision, DecisionEvent, RecordedEvent
from did_health.stores.database import Database
from did_health.stores.register_store import SQLRegister
from tests.contract.test_stores import BOARD, NOW, credential

ENTERED = Decision(
    id="urn:uuid:d1",
    issuer=BOARD,
    credential="urn:uuid:1",
    axis=Axis.DISCIPLINE,
    state="restricted",
    reason="an order",
    order="2026-1",
    effective=NOW,
    until=NOW + timedelta(days=1),
    due=NOW,
    entered_by="clerk",
    entered_at=NOW,
    needs_approval=True,
    restrictions=(Restriction("no_schedule_2", "No Schedule II", date(2026, 1, 1), scope=Scope(schedules=("2",))),),
)


@pytest.fixture
def register(database: Database) -> SQLRegister:
    register = SQLRegister(database)
    register.add([credential(1), credential(2)])
    return register


def test_a_decision_is_read_as_it_was_entered(register: SQLRegister) -> None:
    bare = replace(ENTERED, id="urn:uuid:d2", until=None, restrictions=(), needs_approval=False, axis=Axis.RENEWAL)
    register.enter([ENTERED, bare])
    assert register.decision(ENTERED.id) == ENTERED
    assert register.of_credential("urn:uuid:1") == [ENTERED, bare]
    assert register.of_credential("urn:uuid:2") == []
    assert register.decision("urn:uuid:none") is None


def test_events_are_appended_in_their_order_and_by_one_at_a_time(register: SQLRegister) -> None:
    register.enter([ENTERED])
    approved = RecordedEvent(DecisionEvent.APPROVED, "director", NOW + timedelta(seconds=1), "as read")
    register.record(ENTERED, approved)
    with pytest.raises(ConflictError):
        register.record(ENTERED, RecordedEvent(DecisionEvent.WITHDRAWN, "clerk", NOW))
    read = register.decision(ENTERED.id)
    assert read == replace(ENTERED, events=(approved,))
    assert read is not None
    register.record(read, RecordedEvent(DecisionEvent.CARRIED_OUT, "", NOW))
    assert [event.event for one in register.of_credential("urn:uuid:1") for event in one.events] == ["approved", "carried_out"]


def test_those_are_open_of_which_something_may_become_by_itself(register: SQLRegister) -> None:
    endless = replace(ENTERED, id="urn:uuid:endless", until=None)
    foreign = replace(ENTERED, id="urn:uuid:foreign", issuer="did:web:other.example")
    register.enter([ENTERED, endless, foreign])
    assert [one.id for one in register.open(BOARD)] == [ENTERED.id, endless.id]
    for one in (ENTERED, endless):
        register.record(one, RecordedEvent(DecisionEvent.CARRIED_OUT, "", NOW))
    (open_still,) = register.open(BOARD)
    assert (open_still.id, open_still.is_in_force) == (ENTERED.id, True)
    register.record(open_still, RecordedEvent(DecisionEvent.ENDED, "", NOW))
    assert register.open(BOARD) == []


def test_all_or_none_are_entered(register: SQLRegister) -> None:
    register.enter([ENTERED])
    with pytest.raises(ConflictError):
        register.enter([replace(ENTERED, id="urn:uuid:new"), ENTERED])
    assert register.decision("urn:uuid:new") is None
    with pytest.raises(ConflictError):
        register.enter([replace(ENTERED, id="urn:uuid:other", credential="urn:uuid:unknown")])


def test_a_superseded_credential_gives_its_number_away(register: SQLRegister) -> None:
    newer = replace(credential(3), number="L-1")
    with pytest.raises(ConflictError):
        register.add([newer])
    register.add([newer], superseding=["urn:uuid:1"])
    assert [one.id for one in register.find(BOARD, number="L-1")] == ["urn:uuid:3", "urn:uuid:1"]
    assert register.numbers(BOARD, "PhysicianLicenseCredential", ["L-1"]) == {"L-1"}
