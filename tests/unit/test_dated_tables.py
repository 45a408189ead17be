from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from did_health.errors import FormatError, VerificationError
from did_health.health.dated_tables import DatedTable, packaged_table, packaged_tables
from did_health.limits import MAX_TABLE_BYTES, MAX_TABLE_ROWS

GOOD: dict[str, Any] = {
    "table": "colours",
    "compiledOn": "2026-01-31",
    "sources": {"a": {"title": "A list", "url": "https://list.example/", "seenOn": "2026-01-30"}, "b": {"title": "B", "url": "https://b.example/"}},
    "rows": [{"colour": "red", "source": "a"}, {"colour": "blue", "source": "b"}],
}


def parsed(**changes: Any) -> DatedTable:
    return DatedTable.parse(json.dumps({**GOOD, **changes}).encode())


def test_a_table_says_when_it_was_compiled_and_where_each_row_is_from() -> None:
    table = parsed()
    assert (table.name, table.compiled_on, len(table.rows)) == ("colours", date(2026, 1, 31), 2)
    assert [table.source_of(row).seen_on for row in table.rows] == [date(2026, 1, 30), None]
    assert table.source_of(table.rows[0]).url == "https://list.example/"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"rows": [{"colour": "red"}]}, "/rows/0/source"),
        ({"rows": [{"colour": "red", "source": "c"}]}, "/rows/0/source"),
        ({"rows": [7]}, "/rows/0"),
        ({"rows": {}}, "/rows"),
        ({"rows": [{"source": "a"}] * (MAX_TABLE_ROWS + 1)}, "/rows"),
        ({"sources": []}, "/sources"),
        ({"sources": {"a": {"title": "A"}}}, "/sources/a/url"),
        ({"sources": {"a": {"title": "", "url": "https://a.example"}}}, "/sources/a/title"),
        ({"sources": {"a": {"title": "A", "url": "https://a.example", "seenOn": "yesterday"}}}, "/sources/a/seenOn"),
        ({"sources": {"a": {"title": "A", "url": "https://a.example", "seenOn": "2026-02-01"}}, "rows": []}, "/sources/a/seenOn"),
        ({"sources": {"a": {"title": "A", "url": "https://a.example", "asOf": "2026-02-01"}}, "rows": []}, "/sources/a/asOf"),
        ({"sources": {"a": {"title": "A", "url": "https://a.example", "author": "N. N."}}}, "/sources/a/author"),
        ({"rows": [{"source": "a", "disputedBy": ["a"]}]}, "/rows/0/disputedBy"),
        ({"rows": [{"source": "a", "disputedBy": ["c"]}]}, "/rows/0/disputedBy"),
        ({"rows": [{"source": "a", "disputedBy": [["b"]]}]}, "/rows/0/disputedBy"),
        ({"rows": [{"source": "a", "alsoBy": "b"}]}, "/rows/0/alsoBy"),
        ({"rows": [{"source": "a", "note": 3}]}, "/rows/0/note"),
        ({"compiledOn": "2026-02-30"}, "/compiledOn"),
        ({"table": ""}, "/table"),
        ({"more": 1}, "/more"),
    ],
)
def test_a_table_with_a_fault_is_refused_by_its_place(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(FormatError) as caught:
        parsed(**changes)
    assert caught.value.where == where


def test_a_row_names_who_else_says_so_and_who_does_not() -> None:
    source = {"title": "A", "url": "https://a.example", "asOf": "2025-12-31"}
    table = parsed(sources={**GOOD["sources"], "c": source}, rows=[{"source": "a", "alsoBy": ["b"], "disputedBy": ["c"], "note": "Ask."}])
    assert table.others_of(table.rows[0]) == (table.sources["b"],)
    assert table.disputes_of(table.rows[0]) == (table.sources["c"],)
    assert table.sources["c"].as_of == date(2025, 12, 31)
    assert table.sources["a"].as_of is None
    assert parsed().disputes_of(parsed().rows[0]) == ()


@pytest.mark.parametrize("name", packaged_tables())
def test_every_table_that_ships_can_be_read_and_names_public_sources(name: str) -> None:
    table = packaged_table(name)
    assert table.name == name
    assert table.rows
    named = {row["source"] for row in table.rows} | {other for row in table.rows for other in (*row.get("alsoBy", ()), *row.get("disputedBy", ()))}
    assert named == set(table.sources)
    assert all(source.url.startswith(("https://", "http://")) for source in table.sources.values())


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"{}", b" " * (MAX_TABLE_BYTES + 1)])
def test_what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        DatedTable.parse(data)


def test_a_stale_table_is_refused_by_whoever_limits_its_age() -> None:
    table = parsed()
    table.require_current(date(2026, 3, 2), timedelta(days=30))
    with pytest.raises(VerificationError) as caught:
        table.require_current(date(2026, 3, 3), timedelta(days=30))
    assert caught.value.code == "table_stale"
    assert "2026-01-31" in str(caught.value)


def test_tables_ship_with_the_library() -> None:
    assert packaged_table("restriction-codes").rows
    with pytest.raises(KeyError):
        packaged_table("no-such-table")
