"""What a verifier keeps, on SQL: its log, receipts and batches; implements ``did_health.roles.verifier_log.VerifierRecords``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from did_health.errors import ConflictError, FormatError
from did_health.ledger.entry import HASH_BYTES
from did_health.roles.receipts import digest_of
from did_health.roles.verifier_log import KeptBatch, KeptReceipt, LogRow
from did_health.stores.database import Database
from did_health.stores.tables import receipt_batches, verification_receipts, verifier_log

_PAGE: Final = 500


class SQLVerifierRecords:
    """The logs and receipts of every verifier of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def together(self) -> AbstractContextManager[None]:
        return self._database.together()

    # ---- the log

    def append(self, verifier: str, content: bytes, receipts: Sequence[KeptReceipt]) -> LogRow:
        with self._database.write() as connection:
            row = LogRow.after(_last(connection, verifier), content)
            try:
                connection.execute(
                    insert(verifier_log).values(
                        verifier=verifier, position=row.position, previous=row.previous, content=row.content, digest=row.digest
                    )
                )
                if receipts:
                    rows = [{"id": one.id, "verifier": verifier, "digest": one.digest, "document": one.document} for one in receipts]
                    connection.execute(insert(verification_receipts), rows)
            except IntegrityError as error:
                raise ConflictError("somebody else has just added a row, or the receipt is kept already", where=verifier, hint="Try again") from error
        return row

    def last(self, verifier: str) -> LogRow | None:
        with self._database.read() as connection:
            return _last(connection, verifier)

    def rows(self, verifier: str) -> Iterator[LogRow]:
        position = -1
        while True:
            query = select(verifier_log).where(verifier_log.c.verifier == verifier, verifier_log.c.position > position)
            with self._database.read() as connection:
                page = connection.execute(query.order_by(verifier_log.c.position).limit(_PAGE)).all()
            if not page:
                return
            yield from map(_row, page)
            position = page[-1].position

    # ---- receipts and their batches

    def receipt(self, verifier: str, receipt_id: str) -> KeptReceipt | None:
        table = verification_receipts
        with self._database.read() as connection:
            row = connection.execute(select(table).where(table.c.verifier == verifier, table.c.id == receipt_id)).one_or_none()
        return None if row is None else KeptReceipt(row.id, row.digest, row.document, row.batch, row.place)

    def receipt_digests(self, verifier: str) -> frozenset[bytes]:
        table, found = verification_receipts, set()
        with self._database.read() as connection:
            for (document,) in connection.execute(select(table.c.document).where(table.c.verifier == verifier)):
                # One that cannot be read is none that was signed.
                with suppress(FormatError):
                    found.add(digest_of(document))
        return frozenset(found)

    def open_batch(self, verifier: str, head_of: Callable[[LogRow], bytes], limit: int) -> KeptBatch | None:
        receipts = verification_receipts
        with self._database.write() as connection:
            found = connection.execute(
                select(receipt_batches).where(receipt_batches.c.verifier == verifier).order_by(receipt_batches.c.number.desc()).limit(1)
            ).one_or_none()
            if found is not None and not found.ledger_proof:
                return _batch(found)
            waiting = connection.execute(
                select(receipts.c.position, receipts.c.digest)
                .where(receipts.c.verifier == verifier, receipts.c.batch.is_(None))
                .order_by(receipts.c.position)
                .limit(limit)
            ).all()
            last = _last(connection, verifier)
            if last is None or (not waiting and found is not None and found.head == last.position):
                return None
            number = 0 if found is None else found.number + 1
            batch = KeptBatch(number, (*(row.digest for row in waiting), head_of(last)), last.position)
            connection.execute(
                insert(receipt_batches).values(
                    verifier=verifier, number=number, members=b"".join(batch.members), head=batch.head, ledger_proof=""
                )
            )
            if waiting:
                statement = update(receipts).where(receipts.c.position == bindparam("at")).values(batch=number, place=bindparam("in_batch"))
                connection.execute(statement, [{"at": row.position, "in_batch": place} for place, row in enumerate(waiting)])
        return batch

    def finish_batch(self, verifier: str, number: int, ledger_proof: str) -> None:
        table = receipt_batches
        with self._database.write() as connection:
            # Of two who publish at once the second finds the proof of the first.
            open_one = (table.c.verifier == verifier) & (table.c.number == number) & (table.c.ledger_proof == "")
            if connection.execute(update(table).where(open_one).values(ledger_proof=ledger_proof)).rowcount != 1:
                raise ConflictError("somebody else has just published this batch", where=f"{verifier} batch {number}")

    def batches(self, verifier: str) -> Sequence[KeptBatch]:
        query = select(receipt_batches).where(receipt_batches.c.verifier == verifier).order_by(receipt_batches.c.number)
        with self._database.read() as connection:
            return [_batch(row) for row in connection.execute(query)]


def _last(connection: Connection, verifier: str) -> LogRow | None:
    query = select(verifier_log).where(verifier_log.c.verifier == verifier).order_by(verifier_log.c.position.desc()).limit(1)
    found = connection.execute(query).one_or_none()
    return None if found is None else _row(found)


def _row(row: Any) -> LogRow:
    return LogRow(row.position, row.previous, row.content, row.digest)


def _batch(row: Any) -> KeptBatch:
    members = tuple(row.members[at : at + HASH_BYTES] for at in range(0, len(row.members), HASH_BYTES))
    return KeptBatch(row.number, members, row.head, row.ledger_proof)
