from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from did_health.errors import FormatError, VerificationError
from did_health.health.board_accreditation import CompactRole
from did_health.health.boards import BOARDS, COMPACT_MEMBERS, compact_members, listed_boards, separate_boards
from did_health.health.dated_tables import DatedTable, packaged_table, packaged_tables
from tests.cli_runs import CLI

TODAY = date(2026, 12, 1)
YEAR = timedelta(days=365)
BOARD: dict[str, Any] = {
    "jurisdiction": "US-NC", "name": "A Board", "url": "https://board.example/", "professions": ["MD"], "entityType": "medical_board",
}  # fmt: skip


def table(name: str, *rows: dict[str, Any]) -> DatedTable:
    source = next(iter(packaged_table(name).sources))
    return replace(packaged_table(name), rows=tuple(MappingProxyType({"source": source, **row}) for row in rows))


def test_states_with_a_board_for_each_profession() -> None:
    found = separate_boards(today=TODAY, max_age=YEAR)
    assert found["US-AZ"] == {"MD": "medical_board", "DO": "osteopathic_board"}
    assert set(found) == {f"US-{state}" for state in ["AZ", "CA", "FL", "ME", "MI", "NV", "OK", "PA", "TN", "VT", "WA", "WV"]}


def test_boards_by_state() -> None:
    found = listed_boards(today=TODAY, max_age=YEAR)
    assert [(board.name, board.professions) for board in found["US-NC"]] == [("North Carolina Medical Board", ("MD", "DO"))]
    # A body that only disciplines licenses nobody, and a board beside another is no second board.
    assert [(board.professions, board.note) for board in found["US-NY"]] == [(("MD", "DO"), ""), ((), "Discipline only.")]
    assert "US-AS" not in found
    assert len(found) == 55
    for boards in found.values():
        assert {profession for board in boards for profession in board.professions} == {"MD", "DO"}
        assert all(board.source.seen_on and board.url.startswith("http") and not board.disputed_by for board in boards)


def test_members_of_a_compact_with_their_parts() -> None:
    found = compact_members("IMLC", today=TODAY, max_age=YEAR)
    assert found["US-WV"].role == CompactRole("IMLC", "spl")
    assert (found["US-WV"].joined, found["US-WV"].is_principal) == (2015, True)
    assert Counter(member.role.role for member in found.values()) == {"spl": 40, "issue_only": 2, "enacted": 4}
    assert {state for state, member in found.items() if member.role.role == "issue_only"} == {"US-HI", "US-VT"}
    assert not found["US-VT"].is_principal
    # Who is no member is not there, and so is who is unknown: the table calls nobody a stranger.
    assert not {"US-CA", "US-NY", "US-OR", "US-SC", "US-VA", "US-MA"} & set(found)
    assert compact_members("NLC", today=TODAY, max_age=YEAR) == {}


def test_a_member_whose_part_is_disputed_is_no_principal_state_for_sure() -> None:
    found = compact_members("IMLC", today=TODAY, max_age=YEAR)
    disputed = {state for state, member in found.items() if member.disputed_by}
    assert disputed == {"US-CT", "US-MI", "US-PA"}
    for state in disputed:
        assert (found[state].role.role, found[state].is_principal, bool(found[state].note)) == ("spl", False, True)


def test_tables_that_are_too_old_are_refused() -> None:
    for read in (lambda **given: listed_boards(**given), lambda **given: separate_boards(**given), lambda **given: compact_members("IMLC", **given)):
        with pytest.raises(VerificationError) as refused:
            read(today=date(2028, 1, 1), max_age=YEAR)
        assert refused.value.code == "table_stale"


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ([{**BOARD, "jurisdiction": "NC"}], "/rows/0/jurisdiction"),
        ([{**BOARD, "professions": ["RN"]}], "/rows/0/professions"),
        ([{**BOARD, "professions": "MD"}], "/rows/0/professions"),
        ([{**BOARD, "entityType": "x"}], "/rows/0/entityType"),
        ([{**BOARD, "name": ""}], "/rows/0/name"),
        ([{**BOARD, "url": "nowhere"}], "/rows/0/url"),
        ([BOARD] * 2, "/rows/1/professions"),
    ],
)
def test_boards_with_a_fault(rows: list[dict[str, Any]], where: str) -> None:
    with pytest.raises(FormatError) as refused:
        listed_boards(today=TODAY, max_age=YEAR, table=table(BOARDS, *rows))
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
    assert found["boards"]["rowsCompared"] == found["boards"]["rows"]
    assert found["purpose-claims"]["rowsCompared"] == 0
    assert found["compact-members"]["rowsCompared"] == found["compact-members"]["rows"]
    told = cli("tables").out
    assert "Compiled" in told
    assert "and 20 others" in told
    assert [one["stale"] for one in cli("tables", "--max-age", "36500", "--json").json] == [False] * len(found)


def test_a_stale_table_is_told(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    later = datetime(2030, 1, 1, tzinfo=UTC)
    monkeypatch.setattr("did_health.cli.session.now", lambda: later)
    assert "(stale)" in cli("tables", "--max-age", "365", code=1).out


def test_the_rows_of_a_state_each_with_its_source(cli: CLI) -> None:
    found = cli("tables", "identification-rules", "--state", "North Carolina", "--json").json
    assert found["known"]
    assert [row["when"] for row in found["rows"]] == ["always", "some_drugs"]
    assert found["rows"][0]["source"]["url"].startswith("https://")
    assert found["rows"][0]["disputedBy"] == []
    told = cli("tables", "compact-members", "--state", "MI").out
    assert "role: spl" in told
    assert "Michigan Senate Fiscal Agency" in told
    assert len(cli("tables", "compact-members", "--json").json["rows"]) == 46
    assert cli("tables", "jurisdictions", "--state", "vt").out.count("US-VT") == 1


def test_a_state_without_a_row_is_unknown(cli: CLI) -> None:
    assert "Unknown" in cli("tables", "identification-rules", "--state", "US-CA", code=3).out
    found = cli("tables", "identification-rules", "--state", "US-CA", "--json", code=3).json
    assert (found["known"], found["rows"]) == (False, [])


@pytest.mark.parametrize("arguments", [("no-such-table",), ("boards", "--state", "Atlantis"), ("--state", "US-NC")])
def test_rows_that_cannot_be_asked_for(cli: CLI, arguments: tuple[str, ...]) -> None:
    cli("tables", *arguments, code=2)


def test_the_rows_of_a_stale_table_are_told_to_be_so(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("did_health.cli.session.now", lambda: datetime(2030, 1, 1, tzinfo=UTC))
    assert "(stale)" in cli("tables", "boards", "--max-age", "365", code=1).out
    assert cli("tables", "boards", "--max-age", "365", "--json", code=1).json["stale"]
