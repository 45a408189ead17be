"""The issuer's register on SQL; implements ``did_health.roles.register.Register``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Update, insert, select, update
from sqlalchemy.exc import IntegrityError

from did_health.errors import ConflictError, StoreError
from did_health.roles.register import IssuedCredential, StatusChange, StatusListState
from did_health.stores import indices
from did_health.stores.decision_store import SQLDecisions
from did_health.stores.listing_store import COLUMNS, SQLListings, insert_listings, issued_of
from did_health.stores.moments import from_microseconds, to_microseconds
from did_health.stores.tables import credentials, status_changes, status_lists, status_sets
from did_health.vc.status import StatusPurpose

_PAGE: Final = 500
# SQLite takes at most 32,766 variables in one statement.
_NUMBERS_PER_QUERY: Final = 10_000
_LAST_CHARACTER: Final = "\U0010ffff"


class SQLRegister(SQLDecisions, SQLListings):
    """What an issuer remembers, in a database that other registers and a ledger may share."""

    def reserve(self, status_set: str, count: int, size: int, random: Callable[[int], bytes]) -> Sequence[int]:
        if count < 0 or not 0 < size <= indices.MAX_INDICES:
            raise ValueError(f"a count of at least 0 and a size of 1 to {indices.MAX_INDICES} are needed")
        with self._database.write() as connection:
            row = connection.execute(select(status_sets).where(status_sets.c.status_set == status_set)).one_or_none()
            allocated = bytearray((size + 7) // 8) if row is None else bytearray(row.allocated)
            if row is not None and row.size != size:
                raise StoreError(f"the status set has {row.size} entries, not {size}", where=status_set, code="status_set_size")
            drawn = indices.draw(allocated, size, count, random)
            if row is None:
                connection.execute(insert(status_sets).values(status_set=status_set, size=size, allocated=bytes(allocated), version=1))
                return drawn
            swapped = connection.execute(
                update(status_sets)
                .where(status_sets.c.status_set == status_set, status_sets.c.version == row.version)
                .values(allocated=bytes(allocated), version=row.version + 1)
            )
            if swapped.rowcount != 1:
                raise ConflictError("another process has just reserved entries of the status set", where=status_set, hint="Try again")
            return drawn

    def add(self, issued: Sequence[IssuedCredential], *, superseding: Sequence[str] = ()) -> None:
        if not issued:
            return
        rows = [
            (
                one.id,
                one.issuer,
                one.type,
                one.subject,
                one.number,
                one.status_set,
                one.index,
                to_microseconds(one.issued_at),
                one.document,
                one.receipt,
            )
            for one in issued
        ]
        with self._database.write() as connection:
            for one in superseding:
                connection.execute(_free_number(one))
            try:
                _insert_credentials(connection, rows)
                insert_listings(connection, [(one.id, one.type, one.document) for one in issued])
            except IntegrityError as error:
                raise ConflictError(
                    "a credential with this id exists, or one in force has this number; none of these was kept",
                    hint="Look the number up with the register, and revoke what it belongs to before issuing it again",
                    code="already_issued",
                ) from error

    def get(self, credential_id: str) -> IssuedCredential | None:
        with self._database.read() as connection:
            row = connection.execute(select(*COLUMNS).where(credentials.c.id == credential_id)).one_or_none()
        return None if row is None else issued_of(row)

    def find(self, issuer: str, *, number: str | None = None, subject: str | None = None, limit: int = 100) -> Sequence[IssuedCredential]:
        query = select(*COLUMNS).where(credentials.c.issuer == issuer)
        if number is not None:
            query = query.where(credentials.c.number == number)
            if number:
                # Repeats the partial index's condition, so that the planner may use it.
                query = query.where(credentials.c.number != "")
        if subject is not None:
            query = query.where(credentials.c.subject == subject)
        with self._database.read() as connection:
            return [issued_of(row) for row in connection.execute(query.order_by(credentials.c.position.desc()).limit(limit))]

    def newest(self, issuer: str, type: str, numbers: Sequence[str]) -> Mapping[str, IssuedCredential]:  # noqa: A002
        found: dict[str, IssuedCredential] = {}
        with self._database.read() as connection:
            for start in range(0, len(numbers), _NUMBERS_PER_QUERY):
                query = select(*COLUMNS).where(
                    credentials.c.issuer == issuer,
                    credentials.c.type == type,
                    credentials.c.number.in_(numbers[start : start + _NUMBERS_PER_QUERY]),
                    credentials.c.number != "",
                )
                # The last of a number wins.
                found.update((row.number, issued_of(row)) for row in connection.execute(query.order_by(credentials.c.position)))
        return found

    def numbers(self, issuer: str, type: str, numbers: Sequence[str]) -> frozenset[str]:  # noqa: A002  # the credential's own word
        known: set[str] = set()
        with self._database.read() as connection:
            for start in range(0, len(numbers), _NUMBERS_PER_QUERY):
                query = select(credentials.c.number).where(
                    credentials.c.issuer == issuer,
                    credentials.c.type == type,
                    credentials.c.number.in_(numbers[start : start + _NUMBERS_PER_QUERY]),
                    credentials.c.number != "",
                    credentials.c.revoked == 0,
                )
                known.update(connection.execute(query).scalars())
        return frozenset(known)

    def all(self, issuer: str) -> Iterator[IssuedCredential]:
        # By position and not by offset, in transactions of its own for each page: a caller may issue while it reads.
        last = 0
        while True:
            query = select(*COLUMNS, credentials.c.position).where(credentials.c.issuer == issuer, credentials.c.position > last)
            with self._database.read() as connection:
                page = connection.execute(query.order_by(credentials.c.position).limit(_PAGE)).all()
            for row in page:
                yield issued_of(row)
            if len(page) < _PAGE:
                return
            last = page[-1].position

    def change(self, changes: Sequence[StatusChange], lists: Sequence[StatusListState]) -> None:
        rows = [
            {
                "credential": change.credential,
                "purpose": change.purpose,
                "value": change.value,
                "reason": change.reason,
                "board_order": change.order,
                "effective": to_microseconds(change.effective),
                "recorded": to_microseconds(change.recorded),
            }
            for change in changes
        ]
        with self._database.write() as connection:
            for state in lists:
                _swap_list(connection, state)
            for change in changes:
                if change.purpose == StatusPurpose.REVOCATION and change.value:
                    # Its number may be issued again from now on.
                    connection.execute(_free_number(change.credential))
            if not rows:
                return
            try:
                connection.execute(insert(status_changes), rows)
            except IntegrityError as error:
                raise StoreError("the register holds no such credential; no change was recorded", code="credential_unknown") from error

    def history(self, credential_id: str) -> Sequence[StatusChange]:
        query = select(status_changes).where(status_changes.c.credential == credential_id).order_by(status_changes.c.position)
        with self._database.read() as connection:
            return [
                StatusChange(
                    row.credential, row.purpose, row.value, row.reason, row.board_order, from_microseconds(row.effective), from_microseconds(row.recorded)
                )
                for row in connection.execute(query)
            ]

    def status_lists(self, status_set: str) -> Mapping[str, StatusListState]:
        # A range and not LIKE: it uses the index everywhere, and tells capitals from small letters. No URL holds the last code point.
        url = status_lists.c.url
        query = select(status_lists).where(url >= status_set, url < status_set + _LAST_CHARACTER).order_by(url)
        with self._database.read() as connection:
            return {row.url: StatusListState(row.url, row.version, row.document) for row in connection.execute(query)}


def _free_number(credential_id: str) -> Update:
    return update(credentials).where(credentials.c.id == credential_id).values(revoked=credentials.c.position)


def _insert_credentials(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    # Handed to the driver as they are: the rows of a whole register spend a third of their time in SQLAlchemy's processing otherwise.
    names = [column.name for column in COLUMNS]
    statement = insert(credentials).compile(dialect=connection.dialect, column_keys=names)
    named = [dict(zip(names, row, strict=True)) for row in rows] if not statement.positional else rows
    connection.exec_driver_sql(statement.string, named)


def _swap_list(connection: Connection, state: StatusListState) -> None:
    swapped = connection.execute(
        update(status_lists)
        .where(status_lists.c.url == state.url, status_lists.c.version == state.version - 1)
        .values(version=state.version, document=state.document)
    )
    if swapped.rowcount == 1:
        return
    try:
        connection.execute(insert(status_lists).values(url=state.url, version=state.version, document=state.document))
    except IntegrityError as error:
        raise ConflictError("the status list was changed by somebody else first", where=state.url, hint="Read it again and retry") from error

