"""Whatever a request holds, reading it gives one, or one named error; tables of purposes likewise."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.health.dated_tables import DatedTable
from did_health.health.purposes import PurposePolicies
from did_health.roles.request import FORMAT, Request

JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3), max_leaves=5)
WHOLE: dict[str, Any] = {
    "format": FORMAT, "purpose": "pickup", "claims": ["A.b"], "audience": "a", "nonce": "n", "policyId": "p", "madeAt": "2026-03-01T12:00:00Z",
}  # fmt: skip


def test_the_pattern_itself_is_read() -> None:
    assert Request.parse(strict_json.dumps(WHOLE)).types == ("A",)


@given(data=st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_garbage_is_no_request(data: bytes) -> None:
    try:
        Request.parse(data)
    except FormatError:
        return
    raise AssertionError(data)


@given(changes=st.dictionaries(st.sampled_from(sorted(WHOLE)), JSON, min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_a_request_with_changed_members_is_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        request = Request.parse(strict_json.dumps({**WHOLE, **changes}))
    except FormatError:
        return
    assert Request.parse(request.to_json()) == request


MEMBERS = st.sampled_from(["purpose", "credential", "claims", "maxAgeSeconds", "schedules", "tooOld"])
ROWS = st.lists(st.dictionaries(MEMBERS, JSON | st.sampled_from(["pickup", "by_hand"]), max_size=4), max_size=3)


@given(claims=ROWS, limits=ROWS)
@settings(max_examples=150, deadline=None)
def test_rows_of_anything_give_policies_or_one_error(claims: list[dict[str, Any]], limits: list[dict[str, Any]]) -> None:
    def table(rows: list[dict[str, Any]]) -> DatedTable:
        data = {
            "table": "t", "compiledOn": "2026-01-01", "sources": {"s": {"title": "t", "url": "https://s.example/"}},
            "rows": [{**row, "source": "s"} for row in rows],
        }  # fmt: skip
        return DatedTable.parse(strict_json.dumps(data))

    try:
        found = PurposePolicies.of(table(claims), table(limits))
    except FormatError:
        return
    assert isinstance(found.policies, MappingProxyType)
