"""Our base58 against the base58 package."""

from __future__ import annotations

import base58
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.encoding.multibase import base58btc_decode, base58btc_encode
from did_health.errors import FormatError

ALPHABET = base58.BITCOIN_ALPHABET.decode()
quick = settings(max_examples=200, deadline=None)


@quick
@given(st.integers(0, 6), st.binary(max_size=400))
def test_bytes_are_encoded_as_by_the_base58_package_and_back(zeros: int, data: bytes) -> None:
    data = bytes(zeros) + data
    text = base58btc_encode(data)
    assert text == base58.b58encode(data).decode()
    assert base58btc_decode(text) == data


@quick
@given(st.text(ALPHABET, max_size=300))
def test_text_is_decoded_as_by_the_base58_package_and_back(text: str) -> None:
    data = base58btc_decode(text)
    assert data == base58.b58decode(text)
    assert base58btc_encode(data) == text


@quick
@given(st.text(ALPHABET, max_size=40), st.characters().filter(lambda character: character not in ALPHABET), st.integers(0, 40))
def test_one_foreign_character_anywhere_is_refused(text: str, foreign: str, place: int) -> None:
    with pytest.raises(FormatError):
        base58btc_decode(text[:place] + foreign + text[place:])
