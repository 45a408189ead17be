"""Which states have a board for each profession, and which are members of a compact, as far as the dated tables say so.

Both change, and sources disagree: what a verifier goes by are the registry's records. The tables help whoever writes those records, or an
import; who relies on them says how old they may be.
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
from did_health.health.board_accreditation import CompactRole
from did_health.health.dated_tables import DatedTable, packaged_table
from did_health.health.physician_license import PROFESSIONS

BOARDS: Final = "boards"
COMPACT_MEMBERS: Final = "compact-members"


@dataclass(frozen=True, slots=True)
class CompactMember:
    """A state's part in a compact; ``joined`` is the year, ``None`` if the source does not say."""

    jurisdiction: str
    role: CompactRole
    joined: int | None


def separate_boards(*, today: date, max_age: timedelta, table: DatedTable | None = None) -> Mapping[str, Mapping[str, str]]:
    """By state and profession the kind of board (``entityType``), of states that have more than one; other states have one for all, or are unknown.

    Raises ``VerificationError`` (``table_stale``) for a table that is too old, ``FormatError`` for one that is malformed.
    """
    found: dict[str, dict[str, str]] = {}
    table = _current(table or packaged_table(BOARDS), today, max_age)
    for place, row in enumerate(table.rows):
        where = f"/rows/{place}"
        kind = fields.text(row.get("entityType"), f"{where}/entityType", "kind of board")
        state = found.setdefault(jurisdictions.check(row.get("jurisdiction"), f"{where}/jurisdiction"), {})
        for profession in fields.json_list(row.get("professions"), f"{where}/professions", "professions"):
            if fields.one_of(profession, PROFESSIONS, f"{where}/professions", "profession") in state:
                raise FormatError("two boards of the state license the same profession", where=f"{where}/professions")
            state[profession] = kind
    return MappingProxyType({state: MappingProxyType(kinds) for state, kinds in found.items()})


def compact_members(compact: str, *, today: date, max_age: timedelta, table: DatedTable | None = None) -> Mapping[str, CompactMember]:
    """The members of a compact (``IMLC``) by state, as far as the table knows them; who is not there may be one. Raises as ``separate_boards``."""
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
        found[state] = CompactMember(state, role, joined)
    return MappingProxyType(found)


def _current(table: DatedTable, today: date, max_age: timedelta) -> DatedTable:
    table.require_current(today, max_age)
    return table


def _text(value: JSON, where: str) -> str:
    return fields.text(value, where, "text")
