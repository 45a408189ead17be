from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from did_health.errors import FormatError, VerificationError
from did_health.health.board_accreditation import CompactRole
from did_health.health.boards import BOARDS, COMPACT_MEMBERS, compact_members, separate_boards
from did_health.health.dated_tables import DatedTable, packaged_table, packaged_tables
from tests.cli_runs import CLI

TODAY = date(2026, 12, 1)
YEAR = timedelta(days=365)


def table(name: str, *rows: dict[str, Any]) -> DatedTable:
    source = next(iter(packaged_table(name).sources))
    return replace(packaged_table(name), rows=tuple(MappingProxyType({"source": source, **row}) for row in rows))


def test_states_with_a_board_for_each_profession() -> None:
    found = separate_boards(today=TODAY, max_age=YEAR)
    assert found["US-AZ"] == {"MD": "medical_board", "DO": "osteopathic_board"}
    assert "US-NC" not in found
    assert len(found) == 12
    # Nobody has compared it with the boards themselves.
    assert {packaged_table(BOARDS).source_of(row).seen_on for row in packaged_table(BOARDS).rows} == {None}


def test_members_of_a_compact_as_far_as_they_are_known() -> None:
    found = compact_members("IMLC", today=TODAY, max_age=YEAR)
    assert found["US-WV"].role == CompactRole("IMLC", "enacted")
    assert found["US-WV"].joined == 2015
    # What a source does not say is left out, and nobody is called a principal state.
    assert {member.role.role for member in found.values()} == {"enacted"}
    assert compact_members("NLC", today=TODAY, max_age=YEAR) == {}


def test_tables_that_are_too_old_are_refused() -> None:
    for read in (lambda **given: separate_boards(**given), lambda **given: compact_members("IMLC", **given)):
        with pytest.raises(VerificationError) as refused:
            read(today=date(2028, 1, 1), max_age=YEAR)
        assert refused.value.code == "table_stale"


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ([{"jurisdiction": "NC", "professions": ["MD"], "entityType": "x"}], "/rows/0/jurisdiction"),
        ([{"jurisdiction": "US-NC", "professions": ["RN"], "entityType": "x"}], "/rows/0/professions"),
        ([{"jurisdiction": "US-NC", "professions": ["MD"]}], "/rows/0/entityType"),
        ([{"jurisdiction": "US-NC", "professions": ["MD"], "entityType": "x"}] * 2, "/rows/1/professions"),
    ],
)
def test_boards_with_a_fault(rows: list[dict[str, Any]], where: str) -> None:
    with pytest.raises(FormatError) as refused:
        separate_boards(today=TODAY, max_age=YEAR, table=table(BOARDS, *rows))
    assert refused.value.where == where


@pytest.mark.parametrize(
    "rows",
    [
        [{"compact": "IMLC", "role": "enacted", "jurisdiction": "US-XX"}],
        [{"compact": "IMLC", "role": "king", "jurisdiction": "US-NC"}],
        [{"compact": 7, "role": "enacted", "jurisdiction": "US-NC"}],
        [{"compact": "IMLC", "role": "enacted", "jurisdiction": "US-NC", "joined": "2015"}],
        [{"compact": "IMLC", "role": "enacted", "jurisdiction": "US-NC"}] * 2,
    ],
)
def test_members_with_a_fault(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(FormatError):
        compact_members("IMLC", today=TODAY, max_age=YEAR, table=table(COMPACT_MEMBERS, *rows))


def test_every_table_is_listed_with_its_age(cli: CLI) -> None:
    found = {one["table"]: one for one in cli("tables", "--json").json}
    assert set(found) == set(packaged_tables())
    assert found["boards"]["rowsCompared"] == 0
    assert found["compact-members"]["rowsCompared"] == found["compact-members"]["rows"]
    assert "Compiled" in cli("tables").out
    assert [one["stale"] for one in cli("tables", "--max-age", "36500", "--json").json] == [False] * len(found)


def test_a_stale_table_is_told(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    later = datetime(2030, 1, 1, tzinfo=UTC)
    monkeypatch.setattr("did_health.cli.session.now", lambda: later)
    assert "(stale)" in cli("tables", "--max-age", "365", code=1).out
