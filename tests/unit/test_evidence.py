from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.limits import MAX_GATHER_BYTES
from did_health.roles.evidence import Evidence, Item

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ITEMS = {"https://a.example/1": Item(b"\x00\xff", START), "https://a.example/2": Item(None, START), "https://a.example/3": Item(b"", START)}


def test_what_is_written_is_read_again() -> None:
    evidence = Evidence().with_items(ITEMS)
    assert Evidence.parse(evidence.to_json()) == evidence
    assert Evidence.parse(Evidence().to_json()) == Evidence()


def test_collection() -> None:
    empty = Evidence()
    evidence = empty.with_items(ITEMS)
    assert list(evidence) == list(ITEMS)
    assert "https://a.example/1" in evidence
    assert evidence.get("https://a.example/2") == Item(None, START)
    assert evidence.get("https://a.example/4") is None
    assert not list(empty)
    newer = evidence.with_items({"https://a.example/2": Item(b"new", START)})
    assert newer.get("https://a.example/2") == Item(b"new", START)
    assert evidence.get("https://a.example/2") == Item(None, START)
    assert list(newer.without(["https://a.example/1", "unknown"])) == ["https://a.example/2", "https://a.example/3"]


def test_items_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        Evidence().with_items(ITEMS).items["x"] = Item(None, START)  # type: ignore[index]


def changed(**members: Any) -> bytes:
    document = json.loads(Evidence().with_items(ITEMS).to_json())
    return json.dumps({**document, **members}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        changed(format="did-health/evidence/v2"),
        changed(format=None),
        changed(items=[]),
        changed(items=None),
        changed(items={"u": None}),
        changed(items={"u": {}}),
        changed(items={"u": {"fetchedAt": 5, "content": None}}),
        changed(items={"u": {"fetchedAt": "yesterday", "content": None}}),
        changed(items={"u": {"fetchedAt": "2026-03-01T12:00:00Z", "content": 5}}),
        changed(items={"u": {"fetchedAt": "2026-03-01T12:00:00Z", "content": "not base64"}}),
        b'{"format":"did-health/evidence/v1","items":{"u":{},"u":{}}}',
        Evidence().with_items(ITEMS).to_json()[:-1],
    ],
)
def test_malformed_file(data: bytes) -> None:
    with pytest.raises(FormatError):
        Evidence.parse(data)


def test_size_is_bounded() -> None:
    with pytest.raises(FormatError, match="more than"):
        Evidence.parse(b" " * (2 * MAX_GATHER_BYTES + 1))
