from __future__ import annotations

import sys
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_GUARDIANS, MAX_SHARE_CHARACTERS
from did_health.stores import guardians

SECRET = bytes(range(32))


def test_any_three_of_five_bring_the_secret_back() -> None:
    shares = guardians.split(SECRET, threshold=3, count=5)
    assert all(len(share.split()) == 33 for share in shares)
    for some in combinations(shares, 3):
        assert guardians.combine(some) == SECRET


def test_shares_may_be_typed_with_capitals_and_line_breaks() -> None:
    shares = guardians.split(SECRET, threshold=2, count=2)
    assert guardians.combine([share.upper().replace(" ", "\n ") for share in reversed(shares)]) == SECRET


def test_too_few_shares_tell_nothing() -> None:
    shares = guardians.split(SECRET, threshold=3, count=5)
    with pytest.raises(FormatError, match="do not bring the secret back"):
        guardians.combine(shares[:2])
    with pytest.raises(FormatError):
        guardians.combine([])


def test_shares_of_two_secrets_do_not_mix() -> None:
    one, other = (guardians.split(SECRET, threshold=2, count=2) for _ in range(2))
    with pytest.raises(FormatError):
        guardians.combine([one[0], other[1]])


def test_a_damaged_share_is_named() -> None:
    shares = list(guardians.split(SECRET, threshold=2, count=3))
    words = shares[1].split()
    words[5] = "academic" if words[5] != "academic" else "acid"
    with pytest.raises(FormatError) as caught:
        guardians.combine([shares[0], " ".join(words)])
    assert caught.value.where == "share 2"
    assert words[6] not in str(caught.value)


@pytest.mark.parametrize(("threshold", "count"), [(1, 3), (4, 3), (0, 0), (2, MAX_GUARDIANS + 1)])
def test_numbers_that_make_no_sense_are_refused(threshold: int, count: int) -> None:
    with pytest.raises(ValueError, match="guardians"):
        guardians.split(SECRET, threshold=threshold, count=count)


def test_secrets_and_shares_are_of_one_size() -> None:
    import shamir_mnemonic

    with pytest.raises(ValueError, match="32 bytes"):
        guardians.split(bytes(16), threshold=2, count=3)
    with pytest.raises(FormatError, match="another kind"):
        guardians.combine(shamir_mnemonic.generate_mnemonics(1, [(2, 2)], bytes(16))[0])
    with pytest.raises(FormatError):
        guardians.combine(["a" * (MAX_SHARE_CHARACTERS + 1)])
    with pytest.raises(FormatError):
        guardians.combine(["a"] * (MAX_GUARDIANS + 1))


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "shamir_mnemonic", None)
    with pytest.raises(UnsupportedError) as caught:
        guardians.combine(["a"])
    assert "did-health[recovery]" in caught.value.hint


@given(st.lists(st.text(max_size=40), max_size=4))
@settings(max_examples=100, deadline=None)
def test_any_words_are_refused_with_a_format_error(shares: list[str]) -> None:
    with pytest.raises(FormatError):
        guardians.combine(shares)
