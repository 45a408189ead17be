"""Uses of delegations, answered nonces, and what is to be checked again, on SQL.

Implements ``DelegationUses`` and ``RecheckQueue`` of ``roles.counter_memory``, and ``roles.nonces.UsedNonces``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, tuple_

from did_health.encoding import strict_json
from did_health.health.act import Act
from did_health.roles.counter_memory import Recheck
from did_health.stores.database import Database
from did_health.stores.moments import from_microseconds, to_microseconds
from did_health.stores.tables import answered_nonces, delegation_uses, rechecks

_NONCES_KEPT: Final = timedelta(days=7)


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
            connection.execute(insert(table).values(delegation=delegation, seq=len(used), use=use, at=to_microseconds(now)))
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

    def waiting(self, verifier: str, *, after: Recheck | None = None, limit: int = 100) -> Sequence[Recheck]:
        query = select(rechecks).where(rechecks.c.verifier == verifier).order_by(rechecks.c.queued, rechecks.c.id).limit(limit)
        if after is not None:
            query = query.where(tuple_(rechecks.c.queued, rechecks.c.id) > tuple_(to_microseconds(after.queued_at), after.id))
        with self._database.read() as connection:
            return [_recheck(row) for row in connection.execute(query)]

    def done(self, recheck_id: str) -> bool:
        with self._database.write() as connection:
            return connection.execute(delete(rechecks).where(rechecks.c.id == recheck_id)).rowcount == 1


class SQLUsedNonces:
    """The nonces of requests that were answered, for all counters; each is kept for a week, which is longer than any request should live."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def use(self, nonce: str, now: datetime) -> bool:
        table = answered_nonces
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.at < to_microseconds(now - _NONCES_KEPT)))
            if connection.execute(select(table.c.nonce).where(table.c.nonce == nonce)).one_or_none() is not None:
                return False
            connection.execute(insert(table).values(nonce=nonce, at=to_microseconds(now)))
        return True


def _recheck(row: Any) -> Recheck:
    act: dict[str, Any] = strict_json.loads_object(row.act, what="act")
    return Recheck(row.id, from_microseconds(row.queued), Act(**act), row.document)
