from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterable, Iterator

import pytest

from did_health.health.fhir import resources
from did_health.health.fhir.resources import Resource, read_resources
from did_health.health.fhir.rows import RowError

A = b'{"resourceType":"Patient","id":"a"}'
B = b'{"resourceType":"Patient","id":"b"}'
BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": json.loads(A)}, {"fullUrl": "urn:x"}, {"resource": json.loads(B)}]}


def read(data: bytes | Iterable[bytes]) -> list[tuple[int, str]]:
    """Row and id, or row and what is wrong."""
    return [(item.row, item.id if isinstance(item, Resource) else item.problem) for item in read_resources(data)]


@pytest.mark.parametrize(
    "data",
    [
        A + b"\n" + B,
        A + b"\n" + B + b"\n",
        A + b"\r\n" + B + b"\r\n",
        b"\xef\xbb\xbf" + A + b"\n" + B + b"\n",
        b"  " + A + b"\t\n" + B,
    ],
    ids=["no end", "line feeds", "carriage returns", "byte order mark", "spaces"],
)
def test_ndjson_is_read_line_by_line(data: bytes) -> None:
    assert read(data) == [(1, "a"), (2, "b")]


def test_rows_count_the_empty_lines() -> None:
    assert read(b"\n" + A + b"\n\n" + B + b"\n\n") == [(2, "a"), (4, "b")]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_chunks_may_be_cut_anywhere(size: int) -> None:
    data = A + b"\n\n" + B + b"\n"
    assert read(data[start : start + size] for start in range(0, len(data), size)) == [(1, "a"), (3, "b")]


def test_an_open_file_is_read() -> None:
    assert read(io.BytesIO(A + b"\n" + B + b"\n")) == [(1, "a"), (2, "b")]


def test_ndjson_is_not_read_ahead() -> None:
    def lines() -> Iterator[bytes]:
        yield A + b"\n"
        yield B + b"\n"
        yield A + b"\n"
        raise AssertionError("read too far")

    found = read_resources(lines())
    assert isinstance(next(found), Resource)


@pytest.mark.parametrize("data", [b"", b"\n\n", b" \r\n", b"\xef\xbb\xbf"])
def test_nothing_gives_nothing(data: bytes) -> None:
    assert read(data) == []


@pytest.mark.parametrize("indent", [None, 1])
def test_a_bundle_is_read_by_entry(indent: int | None) -> None:
    assert read(json.dumps(BUNDLE, indent=indent).encode()) == [(1, "a"), (2, "this is not a FHIR resource: it has no resourceType"), (3, "b")]


@pytest.mark.parametrize("indent", [None, 1])
def test_a_single_resource_is_read(indent: int | None) -> None:
    assert read(json.dumps(json.loads(A), indent=indent).encode()) == [(1, "a")]


def test_a_bundle_without_entries_is_empty() -> None:
    assert read(b'{"resourceType":"Bundle"}') == []
    assert read(b'{"resourceType":"Bundle","entry":{}}') == [(1, "the entries of the Bundle are not a list")]


@pytest.mark.parametrize("entry", [1, None, [], {"resource": None}, {"resource": []}, {"resource": {"resourceType": 1}}])
def test_a_broken_entry_costs_only_itself(entry: object) -> None:
    data = json.dumps({"resourceType": "Bundle", "entry": [entry, {"resource": json.loads(B)}]}).encode()
    assert [row for row, _ in read(data)] == [1, 2]
    assert read(data)[1] == (2, "b")


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (b"garbage", "is not JSON"),
        (A[:-1], "is not JSON"),
        (b'{"resourceType":"Patient","id":"x","id":"y"}', "duplicate member"),
        (b'{"id":"x"}', "no resourceType"),
        (b"[]", "no resourceType"),
        (b"7", "no resourceType"),
        (b'{"resourceType":"Patient","x":NaN}', "is not JSON"),
        (b'{"resourceType":"Patient","x":"\xff"}', "is not JSON"),
        (b'{"resourceType":"Bundle"}', "a Bundle stands in a line"),
        (b'{"resourceType":"Patient","x":' + b"[" * 100 + b"]" * 100 + b"}", "nested deeper"),
    ],
    ids=["garbage", "truncated", "duplicate member", "no type", "array", "number", "not a number", "not UTF-8", "bundle", "deep"],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_broken_line_costs_only_itself(bad: bytes, problem: str, place: int) -> None:
    lines = [A, B]
    lines.insert(place, bad)
    found = list(read_resources(b"\n".join(lines)))
    assert [item.id for item in found if isinstance(item, Resource)] == ["a", "b"]
    [error] = [item for item in found if isinstance(item, RowError)]
    assert error.row == place + 1
    assert problem in error.problem
    assert error.hint


def test_ndjson_that_begins_with_several_broken_lines_is_still_read() -> None:
    found = read(b"garbage\nmore\n" + A + b"\n" + B)
    assert [row for row, _ in found] == [1, 2, 3, 4]
    assert found[2:] == [(3, "a"), (4, "b")]


@pytest.mark.parametrize("data", [b"garbage", b"PK\x03\x04", b"<Patient/>\n<Patient/>", b"[\n1\n]", b'{\n"resourceType": "Patient",\n'])
def test_what_is_no_fhir_json_is_one_error(data: bytes) -> None:
    [error] = list(read_resources(data))
    assert isinstance(error, RowError)
    assert error.row == 1
    assert error.hint


def test_a_line_over_the_limit_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "MAX_FHIR_DOCUMENT_BYTES", 100)
    long = b'{"resourceType":"Patient","id":"' + b"x" * 200 + b'"}'
    for data in ([A + b"\n" + long + b"\n" + B], [A + b"\n" + long[:120], long[120:] + b"\n", B]):
        found = read(data)
        assert [row for row, _ in found] == [1, 2, 3]
        assert "more than 100 bytes" in found[1][1]
    assert read([A + b"\n" + B + b"\n", long[:120], long[120:]])[2] == (3, "the line has more than 100 bytes")


def test_a_resource_over_the_limit_is_refused_in_ndjson_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "MAX_FHIR_RESOURCE_BYTES", 50)
    long = b'{"resourceType":"Patient","id":"' + b"x" * 50 + b'"}'
    assert [row for row, what in read(A + b"\n" + long) if "more than the 50 allowed" in what] == [2]
    assert read(long) == [(1, "x" * 50)]


def test_a_document_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "MAX_FHIR_DOCUMENT_BYTES", 100)
    for data in (json.dumps(BUNDLE).encode(), json.dumps(BUNDLE, indent=1).encode()):
        assert read(data) == [(1, "the document has more than 100 bytes")]


def test_rows_say_where_and_what_to_do() -> None:
    assert str(RowError(3, "name[0]", "the name has no given part", "Correct it")) == "row 3 (name[0]): the name has no given part. Correct it"
    assert str(RowError(3, "", "garbage")) == "row 3: garbage"


def test_a_line_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "MAX_FHIR_DOCUMENT_BYTES", 100)
    monkeypatch.setattr(resources, "MAX_FHIR_SKIPPED_BYTES", 1000)
    (error,) = read_resources(itertools.repeat(b"\0" * 64))
    assert isinstance(error, RowError)
    assert "more than 100 bytes" in error.problem
    first, error = read_resources(itertools.chain([b'{"resourceType":"Patient"}\n'], itertools.repeat(b"a" * 64)))
    assert isinstance(first, Resource)
    assert isinstance(error, RowError)
