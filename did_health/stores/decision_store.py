"""Decisions and their events on SQL; implements ``did_health.roles.decision.DecisionStore``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, exists, insert, select
from sqlalchemy.exc import IntegrityError

from did_health.encoding import strict_json
from did_health.errors import ConflictError
from did_health.health.license_state import Axis
from did_health.health.restrictions import Restriction
from did_health.roles.decision import Decision, DecisionEvent, RecordedEvent
from did_health.stores.database import Database
from did_health.stores.moments import from_microseconds, to_microseconds
from did_health.stores.tables import decision_events, decisions

_FINAL: Final = (DecisionEvent.WITHDRAWN, DecisionEvent.UNDONE, DecisionEvent.ENDED)
# SQLite takes at most 32,766 variables in one statement.
_IDS_PER_QUERY: Final = 10_000


class SQLDecisions:
    """The docket of every issuer of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enter(self, entered: Sequence[Decision]) -> None:
        with self._database.write() as connection:
            try:
                connection.execute(insert(decisions), [_row(one) for one in entered])
            except IntegrityError as error:
                raise ConflictError("a decision with this id exists, or the register holds no such credential", code="decision_conflict") from error

    def record(self, decision: Decision, event: RecordedEvent) -> None:
        row = {
            "decision": decision.id, "seq": len(decision.events), "event": event.event, "by": event.by,
            "at": to_microseconds(event.at), "why": event.why,
        }  # fmt: skip
        with self._database.write() as connection:
            try:
                connection.execute(insert(decision_events), row)
            except IntegrityError as error:
                raise ConflictError("somebody else has just acted on this decision", where=decision.id, hint="Read it again") from error

    def decision(self, decision_id: str) -> Decision | None:
        found = self._read(select(decisions).where(decisions.c.id == decision_id))
        return found[0] if found else None

    def of_credential(self, credential_id: str) -> Sequence[Decision]:
        return self._read(select(decisions).where(decisions.c.credential == credential_id))

    def open(self, issuer: str) -> Sequence[Decision]:
        final = exists().where(decision_events.c.decision == decisions.c.id, decision_events.c.event.in_(_FINAL))
        done = exists().where(decision_events.c.decision == decisions.c.id, decision_events.c.event == DecisionEvent.CARRIED_OUT)
        begun = exists().where(decision_events.c.decision == decisions.c.id, decision_events.c.event == DecisionEvent.UNDOING)
        return self._read(select(decisions).where(decisions.c.issuer == issuer, ~final, decisions.c.until.is_not(None) | ~done | begun))

    def _read(self, query: Select[Any]) -> list[Decision]:
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(decisions.c.position)).all()
            events = _events(connection, [row.id for row in rows])
        return [_decision(row, tuple(events[row.id])) for row in rows]


def _events(connection: Connection, ids: Sequence[str]) -> dict[str, list[RecordedEvent]]:
    found: dict[str, list[RecordedEvent]] = defaultdict(list)
    for start in range(0, len(ids), _IDS_PER_QUERY):
        query = select(decision_events).where(decision_events.c.decision.in_(ids[start : start + _IDS_PER_QUERY]))
        for row in connection.execute(query.order_by(decision_events.c.decision, decision_events.c.seq)):
            found[row.decision].append(RecordedEvent(DecisionEvent(row.event), row.by, from_microseconds(row.at), row.why))
    return found


def _row(decision: Decision) -> dict[str, object]:
    return {
        "id": decision.id,
        "issuer": decision.issuer,
        "credential": decision.credential,
        "axis": decision.axis,
        "state": decision.state,
        "reason": decision.reason,
        "board_order": decision.order,
        "effective": to_microseconds(decision.effective),
        "until": None if decision.until is None else to_microseconds(decision.until),
        "due": to_microseconds(decision.due),
        "entered_by": decision.entered_by,
        "entered_at": to_microseconds(decision.entered_at),
        "needs_approval": int(decision.needs_approval),
        "restrictions": strict_json.dumps([restriction.to_json() for restriction in decision.restrictions]),
    }


def _decision(row: Any, events: tuple[RecordedEvent, ...]) -> Decision:
    restrictions = strict_json.loads(row.restrictions)
    return Decision(
        id=row.id,
        issuer=row.issuer,
        credential=row.credential,
        axis=Axis(row.axis),
        state=row.state,
        reason=row.reason,
        order=row.board_order,
        effective=from_microseconds(row.effective),
        until=None if row.until is None else from_microseconds(row.until),
        due=from_microseconds(row.due),
        entered_by=row.entered_by,
        entered_at=from_microseconds(row.entered_at),
        needs_approval=bool(row.needs_approval),
        restrictions=tuple(map(Restriction.from_json, restrictions if isinstance(restrictions, list) else [])),
        events=events,
    )
