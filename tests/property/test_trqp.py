from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError
from did_health.trust.registry import RegistryRecord
from did_health.trust.trqp.answer import Answer
from did_health.trust.trqp.evaluation import NotRecognized, evaluate
from did_health.trust.trqp.identifiers import identifier
from did_health.trust.trqp.query import Query, QueryKind

quick = settings(max_examples=150, deadline=None)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
AUTHORITY, ENTITY = "did:web:a.example", "did:web:e.example"

kinds = st.sampled_from(QueryKind)
scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8) | st.sampled_from([AUTHORITY, ENTITY, "issue", "recognize", "X"])
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=6)
times = st.sampled_from(["", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00+01:00", "9999-12-31T24:00:00Z", "0001-01-01T00:00:00Z"]) | st.text(max_size=8)
contexts = st.dictionaries(st.sampled_from(["time", "jurisdiction", "profession", "locator", "~/"]), times | st.sampled_from(["US-NC", "MD"]), max_size=4)
members = st.fixed_dictionaries(
    {"entity_id": scalars, "authority_id": scalars, "action": scalars, "resource": scalars},
    optional={"context": contexts | values, "authorized": scalars, "recognized": scalars, "time_evaluated": times | scalars, "message": values, "x": values},
)


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode("utf-8", "surrogatepass")


bodies = st.binary(max_size=40) | values.map(encoded) | members.map(encoded)


@quick
@given(kinds, bodies)
@example(QueryKind.RECOGNITION, b'{"entity_id":"a:","authority_id":"a:","action":"\\ud800","resource":"x"}')
def test_any_body_is_a_query_that_comes_back_or_is_malformed(kind: QueryKind, body: bytes) -> None:
    try:
        query = Query.parse(kind, body)
    except FormatError:
        return
    again = Query.parse(kind, query.to_json())
    assert (again.to_object(), again.time) == (query.to_object(), query.time)


@quick
@given(kinds, bodies)
def test_any_answer_is_one_to_what_was_asked_or_is_malformed(kind: QueryKind, body: bytes) -> None:
    query = Query.asking(kind, entity=ENTITY, authority=AUTHORITY, action="issue", resource="X")
    try:
        answer = Answer.parse(query, body)
    except FormatError:
        return
    assert type(answer.granted) is bool
    assert answer.message == "" or answer.message.isprintable()


@quick
@given(st.text(max_size=30) | st.from_regex(r"[a-z]{0,3}:?/?/?[a-z@:\[\]%0-9.]{0,12}[/?#]?[a-z/?#]{0,8}", fullmatch=True), st.booleans())
@example("http://[::1%25eth0]/", False)
def test_any_text_is_an_identifier_or_malformed(text: str, unique: bool) -> None:
    try:
        found = identifier(text, "/x", unique=unique)
    except FormatError:
        return
    assert found == text
    assert text.isascii()
    assert not set(' "<>\\^`{|}\n') & set(text)


moments = st.integers(-400 * 86_400, 400 * 86_400).map(lambda seconds: NOW + timedelta(seconds=seconds))


@quick
@given(
    kinds, st.sampled_from(["issue", "verify", "recognize"]), st.sampled_from(["issue", "recognize"]),
    st.none() | moments, st.none() | moments, st.none() | moments,
    st.sampled_from([None, "US", "US-NC", "US-SC"]), st.sampled_from([None, "MD", "PA"]), st.sampled_from(["US", "US-NC"]),
)  # fmt: skip
def test_a_yes_has_a_record_for_all_of_the_question(
    kind: QueryKind, asked: str, said: str, at: datetime | None, begins: datetime | None, ends: datetime | None,
    where: str | None, profession: str | None, jurisdiction: str,
) -> None:  # fmt: skip
    record = RegistryRecord(AUTHORITY, ENTITY, "E", "registry", jurisdiction, ("MD",), said, "X", begins, ends)
    query = Query.asking(kind, entity=ENTITY, authority=AUTHORITY, action=asked, resource="X", at=at, jurisdiction=where, profession=profession)
    try:
        decision = evaluate(query, record, now=NOW)
    except NotRecognized:
        assert (asked == "recognize") is not (kind is QueryKind.RECOGNITION)
        return
    moment = at or NOW
    expected = (
        asked == said
        and (begins is None or begins <= moment)
        and (ends is None or moment < ends)
        and (where is None or jurisdiction in ("US", where))
        and profession in (None, "MD")
    )
    assert decision.granted is expected
    assert not evaluate(query, None, now=NOW).granted
