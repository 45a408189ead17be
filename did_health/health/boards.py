"""Which boards license physicians, and which states are members of a compact in which part, as far as the dated tables say so.

Both change, and sources disagree: what a verifier goes by are the registry's records. The tables help whoever writes those records, or an
import; who relies on them says how old they may be. A state that is not there is unknown, which is neither a member nor none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from did_health.encoding.strict_json import JSON
from did_health.errors import FormatError
from did_health.health import fields, jurisdictions
from did_health.health.board_accreditation import ENTITY_TYPES, CompactRole
from did_health.health.dated_tables import DatedTable, TableSource, packaged_table
from did_health.health.physician_license import PROFESSIONS

BOARDS: Final = "boards"
COMPACT_MEMBERS: Final = "compact-members"


@dataclass(frozen=True, slots=True)
class ListedBoard:
    """A body of a state, by the registry's words for its kind; ``professions`` are those that it licenses, none for one that only disciplines.

    ``note`` says what is unsettled, and ``disputed_by`` are sources that say otherwise.
    """

    jurisdiction: str
    name: str
    url: str
    entity_type: str
    professions: tuple[str, ...]
    source: TableSource
    note: str = ""
    disputed_by: tuple[TableSource, ...] = ()


@dataclass(frozen=True, slots=True)
class CompactMember:
    """A state's part in a compact; ``joined`` is the year of its law, ``None`` if no source says it.

    ``note`` says what is unsettled, and ``disputed_by`` are sources that say otherwise.
    """

    jurisdiction: str
    role: CompactRole
    joined: int | None
    source: TableSource
    note: str = ""
    disputed_by: tuple[TableSource, ...] = ()

    @property
    def is_principal(self) -> bool:
        """Whether it is known, and undisputed, that a physician may choose the state as the principal one."""
        return self.role.role == "spl" and not self.disputed_by


def listed_boards(*, today: date, max_age: timedelta, table: DatedTable | None = None) -> Mapping[str, tuple[ListedBoard, ...]]:
    """The boards by state. Raises ``VerificationError`` (``table_stale``) for a table that is too old, ``FormatError`` for a malformed one."""
    found: dict[str, list[ListedBoard]] = {}
    licensed: set[tuple[str, str]] = set()
    table = _current(table or packaged_table(BOARDS), today, max_age)
    for place, row in enumerate(table.rows):
        where = f"/rows/{place}"
        state = jurisdictions.check(row.get("jurisdiction"), f"{where}/jurisdiction")
        professions = fields.json_list(row.get("professions"), f"{where}/professions", "professions")
        for profession in professions:
            if (state, fields.one_of(profession, PROFESSIONS, f"{where}/professions", "profession")) in licensed:
                raise FormatError("two boards of the state license the same profession", where=f"{where}/professions")
            licensed.add((state, profession))
        name = _text(row.get("name"), f"{where}/name")
        url = fields.uri(row.get("url"), f"{where}/url", "board's address")
        kind = fields.one_of(row.get("entityType"), ENTITY_TYPES, f"{where}/entityType", "kind of board")
        board = ListedBoard(state, name, url, kind, professions, table.source_of(row), row.get("note", ""), table.disputes_of(row))
        found.setdefault(state, []).append(board)
    return MappingProxyType({state: tuple(boards) for state, boards in found.items()})


def separate_boards(*, today: date, max_age: timedelta, table: DatedTable | None = None) -> Mapping[str, Mapping[str, str]]:
    """By state and profession the kind of board (``entityType``), of states where MDs and DOs have one each. Raises as ``listed_boards``."""
    found = {}
    for state, boards in listed_boards(today=today, max_age=max_age, table=table).items():
        licensing = [board for board in boards if board.professions]
        if len(licensing) > 1:
            found[state] = MappingProxyType({profession: board.entity_type for board in licensing for profession in board.professions})
    return MappingProxyType(found)


def compact_members(compact: str, *, today: date, max_age: timedelta, table: DatedTable | None = None) -> Mapping[str, CompactMember]:
    """The members of a compact (``IMLC``) by state, as far as the table knows them; who is not there may be one. Raises as ``listed_boards``."""
    found: dict[str, CompactMember] = {}
    table = _current(table or packaged_table(COMPACT_MEMBERS), today, max_age)
    for place, row in enumerate(table.rows):
        where = f"/rows/{place}"
        role = CompactRole(_text(row.get("compact"), f"{where}/compact"), _text(row.get("role"), f"{where}/role"))
        joined = row.get("joined")
        if joined is not None and type(joined) is not int:
            raise FormatError("a year is a number", where=f"{where}/joined")
        state = jurisdictions.check(row.get("jurisdiction"), f"{where}/jurisdiction")
        if role.name != compact:
            continue
        if state in found:
            raise FormatError("the state stands twice", where=f"{where}/jurisdiction")
        found[state] = CompactMember(state, role, joined, table.source_of(row), row.get("note", ""), table.disputes_of(row))
    return MappingProxyType(found)


def _current(table: DatedTable, today: date, max_age: timedelta) -> DatedTable:
    table.require_current(today, max_age)
    return table


def _text(value: JSON, where: str) -> str:
    return fields.text(value, where, "text")
