"""A witness's memory on SQL; implements ``did_health.ledger.witness.WitnessStore``."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from did_health.errors import ConflictError
from did_health.stores.database import Database
from did_health.stores.tables import witness_states
from did_health.tlog.witness_protocol import WitnessState


class SQLWitnessStore:
    """The states of one witness, in a database that the log has no hand in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, origin: str) -> WitnessState:
        with self._database.read() as connection:
            return _read(connection, origin) or WitnessState()

    def swap(self, origin: str, old: WitnessState, new: WitnessState) -> None:
        with self._database.write() as connection:
            kept = _read(connection, origin)
            if (kept or WitnessState()) != old:
                raise ConflictError("the witness has cosigned another checkpoint of this log meanwhile", where=origin, hint="Ask it again")
            if kept is None:
                connection.execute(insert(witness_states).values(origin=origin, size=new.size, root=new.root))
            elif kept != new:
                connection.execute(update(witness_states).where(witness_states.c.origin == origin).values(size=new.size, root=new.root))


def _read(connection: Connection, origin: str) -> WitnessState | None:
    row = connection.execute(select(witness_states.c.size, witness_states.c.root).where(witness_states.c.origin == origin)).one_or_none()
    return None if row is None else WitnessState(row.size, row.root)
