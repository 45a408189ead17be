"""What a verifier remembers: results by their content, and nonces by the hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from did_health.roles.memo import Memo
from did_health.roles.nonces import NoncesInMemory, new_nonce
from tests.conftest import repeatable_bytes

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_result_is_computed_once_also_if_it_is_none() -> None:
    memo, calls = Memo(), []
    for _ in range(3):
        assert memo.get("key", lambda: calls.append(1)) is None
    assert calls == [1]


def test_different_contents_are_different() -> None:
    memo = Memo()
    assert [memo.get((kind, b"a"), lambda kind=kind: kind) for kind in ("x", "y", "x")] == ["x", "y", "x"]  # type: ignore[misc]


def test_an_error_is_not_remembered() -> None:
    memo = Memo()
    with pytest.raises(ZeroDivisionError):
        memo.get("key", lambda: 1 // 0)
    assert memo.get("key", lambda: 2) == 2


def test_an_error_of_looking_up_inside_is_not_taken_for_a_result() -> None:
    memo = Memo()
    with pytest.raises(KeyError):
        memo.get("key", lambda: {}["absent"])


def test_the_oldest_is_forgotten_first() -> None:
    memo = Memo(capacity=2)
    for key in "abc":
        memo.get(key, lambda key=key: key)  # type: ignore[misc]
    assert [memo.get(key, lambda: "new") for key in "cba"] == ["c", "b", "new"]
    assert len(memo._results) == 2


def test_a_nonce_is_used_once() -> None:
    used = NoncesInMemory()
    assert [used.use(nonce, NOW) for nonce in ("a", "b", "a")] == [True, True, False]


def test_nonces_are_forgotten_after_an_hour_and_not_before() -> None:
    used = NoncesInMemory()
    assert used.use("a", NOW)
    assert used.use("b", NOW + timedelta(minutes=59))
    assert not used.use("a", NOW + timedelta(hours=1))
    assert used.use("c", NOW + timedelta(hours=1, seconds=1))
    assert list(used._used) == ["b", "c"]


def test_fresh_nonces_have_128_bits_and_differ() -> None:
    random = repeatable_bytes("nonces")
    assert len({new_nonce(random) for _ in range(100)}) == 100
    assert new_nonce(lambda length: bytes(length)) == "A" * 22
