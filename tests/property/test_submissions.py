"""Garbage to a ledger service, and to those who read its answers: refused in good order, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from did_health.encoding import cbor
from did_health.errors import FormatError, UnsupportedError
from did_health.ledger.entry import Entry
from did_health.ledger.submission_format import parse_logged, parse_receipts, parse_request
from did_health.ledger.submission_receipt import FIRST_LINE, SubmissionReceipt
from did_health.tlog.note import SignedNote
from tests.conftest import repeatable_bytes
from tests.ledger_parties import Board
from tests.ledger_service import Service, ledger_service

VALID = Board("board.example", repeatable_bytes("board")).first_line()
QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

scalars = st.none() | st.booleans() | st.integers(-5, 1 << 64) | st.binary(max_size=40) | st.text(max_size=20)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 12), inner, max_size=6), max_leaves=12)
entry_like = st.fixed_dictionaries(dict.fromkeys(range(2, 10), scalars), optional={1: st.just(1)}).map(cbor.dumps)
mutated = st.tuples(st.integers(0, len(VALID.entry) - 1), st.integers(1, 255)).map(
    lambda change: VALID.entry[: change[0]] + bytes([VALID.entry[change[0]] ^ change[1]]) + VALID.entry[change[0] + 1 :]
)
parts = (entry_like | mutated | st.binary(max_size=60), st.just(VALID.content) | st.binary(max_size=60))
approved = st.just(VALID.entry), st.just(VALID.content), st.binary(max_size=60) | st.sampled_from([b"[]", b'[{"versionId":"1-a","proof":[]}]'])
submissions = st.lists((st.tuples(*parts) | st.tuples(*approved) | st.tuples(*parts, scalars)).map(list), max_size=3)
bodies = st.binary(max_size=200) | values.map(cbor.dumps) | submissions.map(lambda items: cbor.dumps({1: 1, 2: items}))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with ledger_service(tmp_path_factory.mktemp("garbage") / "ledger") as running:
        yield running


@QUICK
@given(body=bodies)
def test_garbage_is_never_500_and_writes_nothing(service: Service, body: bytes) -> None:
    answer = service.post(body)
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    assert service.ledger.size == 0


@QUICK
@given(path=st.text(st.characters(codec="ascii", exclude_characters="?#\r\n\0"), max_size=60))
def test_any_path_is_answered(service: Service, path: str) -> None:
    from urllib.parse import quote

    for folder in ("", "hosted/", "tile/", "content/", "latest/"):
        assert service.get(folder + quote(path, safe="/%:.")).status_code in (200, 404, 421)


@QUICK
@given(data=bodies)
def test_parsers_raise_format_errors_only(data: bytes) -> None:
    for parse in (parse_request, lambda body: parse_logged(body, [b"a"]), lambda body: parse_receipts(body, 1)):
        try:
            parse(data)
        except (FormatError, UnsupportedError):
            continue


@QUICK
@given(text=st.text(max_size=100) | st.tuples(st.text(max_size=20), st.text(max_size=70), st.integers(), st.integers()).map(
    lambda lines: "\n".join([FIRST_LINE, *map(str, lines), ""])
))  # fmt: skip
def test_receipts_are_read_or_refused(text: str) -> None:
    try:
        SubmissionReceipt.parse(SignedNote(text, ()))
    except FormatError:
        return


def test_the_valid_one_is_valid() -> None:
    assert Entry.parse(VALID.entry).encode() == VALID.entry
