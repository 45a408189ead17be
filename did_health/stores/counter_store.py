"""Uses of delegations and what is to be checked again, on SQL; implements ``DelegationUses`` and ``RecheckQueue`` of ``roles.counter_memory``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from did_health.encoding import strict_json
from did_health.errors import ConflictError
from did_health.health.act import Act
from did_health.roles.counter_memory import Recheck
from did_health.stores.database import Database
from did_health.stores.moments import from_microseconds, to_microseconds
from did_health.stores.tables import delegation_uses, rechecks


class SQLCounterMemory:
    """What the counters of a pharmacy share."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, delegation: str) -> int:
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).where(delegation_uses.c.delegation == delegation)).scalar_one())

    def use(self, delegation: str, *, use: str, at_most: int, now: datetime) -> bool:
        table = delegation_uses
        with self._database.write() as connection:
            used = [row.use for row in connection.execute(select(table.c.use).where(table.c.delegation == delegation))]
            if use in used:
                return True
            if len(used) >= at_most:
                return False
            try:
                connection.execute(insert(table).values(delegation=delegation, seq=len(used), use=use, at=to_microseconds(now)))
            except IntegrityError as error:
                raise ConflictError("another counter has just used this delegation", hint="Try again") from error
        return True

    def queue(self, verifier: str, recheck: Recheck) -> None:
        row = {
            "id": recheck.id,
            "verifier": verifier,
            "queued": to_microseconds(recheck.queued_at),
            "act": strict_json.dumps(asdict(recheck.act)),
            "document": recheck.document,
        }
        with self._database.write() as connection:
            if connection.execute(select(rechecks.c.id).where(rechecks.c.id == recheck.id)).one_or_none() is None:
                connection.execute(insert(rechecks).values(**row))

    def waiting(self, verifier: str, *, limit: int = 100) -> Sequence[Recheck]:
        query = select(rechecks).where(rechecks.c.verifier == verifier).order_by(rechecks.c.queued, rechecks.c.id).limit(limit)
        with self._database.read() as connection:
            return [_recheck(row) for row in connection.execute(query)]

    def done(self, recheck_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(rechecks).where(rechecks.c.id == recheck_id))


def _recheck(row: Any) -> Recheck:
    act: dict[str, Any] = strict_json.loads_object(row.act, what="act")
    return Recheck(row.id, from_microseconds(row.queued), Act(**act), row.document)
