"""Tables of a pharmacy's own, and the document that somebody showed: whatever they hold, reading them gives one, or one named error."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.health.air_segment import AIRCodes, ShownDocument
from did_health.health.boards import compact_members, listed_boards
from did_health.health.dated_tables import DatedTable
from did_health.health.identification_rules import identification_rules
from did_health.health.override_reasons import override_reasons
from did_health.health.person_match import names_agree
from did_health.health.person_name import PersonName
from did_health.health.portrait import Portrait, compare_portrait
from did_health.roles.checked_prescriber import CheckedPrescriber
from did_health.roles.prescriber import FORMAT

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["US-NC", "2", "always", "Passport", "AIR04", "other"]) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
RULE = st.fixed_dictionaries({}, optional=dict.fromkeys(("jurisdiction", "schedules", "when", "documents", "credentialSuffices"), JSON))
CODE = st.fixed_dictionaries({}, optional=dict.fromkeys(("field", "code", "meaning"), JSON))
BOARD = st.fixed_dictionaries({}, optional=dict.fromkeys(("jurisdiction", "name", "url", "professions", "entityType"), JSON))
MEMBER = st.fixed_dictionaries({}, optional=dict.fromkeys(("compact", "role", "jurisdiction", "joined"), JSON))
DAY = st.sampled_from(["2026-01-01", "2026-01-02", "2026-02-30", "x", 3])
SOURCE = st.fixed_dictionaries({"title": JSON, "url": st.just("https://s.example/")}, optional={"asOf": DAY, "seenOn": DAY, "more": JSON})
OTHERS = st.lists(st.sampled_from(["s", "t", "u"])) | JSON
ROW = st.fixed_dictionaries({"source": st.just("s")}, optional={"alsoBy": OTHERS, "disputedBy": OTHERS, "note": JSON})
WORD = st.text(st.characters(categories=["L", "N"], include_characters="-' "), min_size=1, max_size=12).map(str.strip).filter(bool)


def table(rows: list[dict[str, Any]]) -> DatedTable:
    sources = {"s": {"title": "t", "url": "https://s.example/"}}
    return DatedTable.parse(
        strict_json.dumps({"table": "t", "compiledOn": "2026-01-01", "sources": sources, "rows": [{**row, "source": "s"} for row in rows]})
    )


@given(rows=st.lists(RULE, max_size=3))
@settings(max_examples=150, deadline=None)
def test_rows_of_anything_are_rules_or_one_error(rows: list[dict[str, Any]]) -> None:
    try:
        rules = identification_rules(table(rows))
    except FormatError:
        return
    assert len(rules) == len(rows)


@given(sources=st.dictionaries(st.sampled_from(["s", "t"]), SOURCE, max_size=2), rows=st.lists(ROW, max_size=3))
@settings(max_examples=150, deadline=None)
def test_a_table_of_anything_is_one_or_one_error(sources: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    try:
        read = DatedTable.parse(strict_json.dumps({"table": "t", "compiledOn": "2026-01-01", "sources": sources, "rows": rows}))
    except FormatError:
        return
    for row in read.rows:
        assert read.source_of(row) not in (*read.others_of(row), *read.disputes_of(row)) or len(set(read.sources.values())) < len(read.sources)
    assert all(day is None or day <= read.compiled_on for source in read.sources.values() for day in (source.as_of, source.seen_on))


@given(boards=st.lists(BOARD, max_size=3), members=st.lists(MEMBER, max_size=3))
@settings(max_examples=150, deadline=None)
def test_rows_of_anything_are_boards_and_members_or_one_error(boards: list[dict[str, Any]], members: list[dict[str, Any]]) -> None:
    when = {"today": date(2026, 1, 1), "max_age": timedelta(days=1)}
    with suppress(FormatError):
        assert sum(map(len, listed_boards(**when, table=table(boards)).values())) == len(boards)
    with suppress(FormatError):
        assert len(compact_members("IMLC", **when, table=table(members))) <= len(members)


@given(rows=st.lists(CODE, max_size=4))
@settings(max_examples=150, deadline=None)
def test_rows_of_anything_are_codes_or_one_error(rows: list[dict[str, Any]]) -> None:
    try:
        codes = AIRCodes.of(table(rows))
    except FormatError:
        return
    assert all(isinstance(codes.code(field, "anything"), str) for field in ("AIR04", "AIR06", "AIR11"))


@given(rows=st.lists(st.fixed_dictionaries({}, optional={"code": JSON | st.just("known"), "meaning": JSON}), max_size=3))
@settings(max_examples=150, deadline=None)
def test_rows_of_anything_are_reasons_or_one_error(rows: list[dict[str, Any]]) -> None:
    try:
        reasons = override_reasons(table(rows))
    except FormatError:
        return
    assert len(reasons) == len(rows)


CHECKED = {
    "format": FORMAT, "verdict": "accept", "codes": [], "state": "US-NC", "schedule": "2", "registered": ["2"], "checkedAt": "2026-03-01T10:45:00Z",
}  # fmt: skip


@given(changes=st.dictionaries(st.sampled_from([*CHECKED, "asOf"]), JSON, max_size=2))
@settings(max_examples=150, deadline=None)
def test_the_check_of_a_prescriber_with_anything_in_it_is_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        checked = CheckedPrescriber.parse(strict_json.dumps({**CHECKED, **changes}))
    except FormatError:
        return
    assert checked.line


@given(data=st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_garbage_is_no_check_of_a_prescriber(data: bytes) -> None:
    try:
        CheckedPrescriber.parse(data)
    except FormatError:
        return
    raise AssertionError(data)


@given(digest=st.text(max_size=60) | st.sampled_from(["u", "z", "M"]).flatmap(lambda base: st.text("ABCDabcd1-_", max_size=60).map(lambda rest: base + rest)))
@settings(max_examples=150, deadline=None)
def test_a_digest_of_anything_is_compared(digest: str) -> None:
    assert compare_portrait(b"picture", digest) in (Portrait.DIFFERS, Portrait.HELD)


@given(value=JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(("type", "jurisdiction", "number", "name"), JSON)))
@settings(max_examples=150, deadline=None)
def test_anything_is_a_document_or_one_error(value: object) -> None:
    try:
        document = ShownDocument.from_json(value)
    except FormatError:
        return
    assert document.number not in repr(document) or len(document.number) < 9


@given(family=WORD, given_name=WORD, other=WORD)
@settings(max_examples=150, deadline=None)
def test_a_name_agrees_with_itself_in_any_case_and_both_ways(family: str, given_name: str, other: str) -> None:
    one = PersonName(family, given_name)
    loud = PersonName(family.upper().strip(), given_name.upper().strip())
    has_letters = all(any(character.isalnum() for character in text) for text in (family, given_name))
    assert names_agree(one, one) is has_letters
    assert names_agree(one, PersonName(family, other)) is names_agree(PersonName(family, other), one)
    if has_letters and family.isascii() and given_name.isascii():
        assert names_agree(one, loud)
