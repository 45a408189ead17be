from __future__ import annotations

import math
from typing import Any

import pytest

from did_health.encoding.data_integrity import jcs_hash_data
from did_health.encoding.jcs import canonicalize, canonicalize_slowly
from did_health.errors import FormatError


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        ({"b": 2, "a": 1}, '{"a":1,"b":2}'),
        ({"a": {"z": [], "B": None}}, '{"a":{"B":null,"z":[]}}'),
        ([True, False, None, ""], '[true,false,null,""]'),
        ({"€": 1, "\r": 2, "1": 3, "😀": 4, "\ufb33": 5, "ö": 6}, '{"\\r":2,"1":3,"ö":6,"€":1,"😀":4,"\ufb33":5}'),
        ('\x00\x08\t\n\x0b\f\r\x1f"\\/\x7f\u2028é', '"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\/\x7f\u2028é"'),
        (2**53 - 1, "9007199254740991"),
        (-(2**53) + 1, "-9007199254740991"),
        (1.0, "1"),
        (-0.0, "0"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (0.1, "0.1"),
    ],
)
def test_canonical_form(value: Any, canonical: str) -> None:
    assert canonicalize(value) == canonicalize_slowly(value) == canonical.encode()


def test_names_are_sorted_by_utf16_even_where_values_are_ascii() -> None:
    """U+FB33 sorts after U+1F600 in UTF-16 and before it in UTF-8, which is how orjson sorts."""
    assert canonicalize({"\U0001f600": 1, "\ufb33": 2}) == '{"\U0001f600":1,"\ufb33":2}'.encode()
    assert canonicalize([{"a": {"\U0001f600": 1, "\ufb33": 2}}]) == '[{"a":{"\U0001f600":1,"\ufb33":2}}]'.encode()


def test_texts_beyond_ascii_with_ascii_names() -> None:
    assert canonicalize({"b": "ü", "a": ["é"]}) == '{"a":["é"],"b":"ü"}'.encode()


def deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, [math.nan], 2**53, -(2**53), [2**64], {"a": 2**53}, "\ud800", {"\udfff": 1}, ["é", "\ud800"], {"é": "\ud800"},
     b"bytes", object(), {1: 2}, {None: 1}, {"a": {1: 2}}, {"é": {1: 2}}, {"a": {1, 2}}, deep(5000), {"é": deep(5000)}, {"a": 1.5, "b": deep(5000)}],
)  # fmt: skip
def test_value_without_a_canonical_form(value: Any) -> None:
    with pytest.raises(FormatError):
        canonicalize(value)


def test_the_slow_way_refuses_the_same() -> None:
    for value in (math.nan, 2**53, "\ud800", deep(5000)):
        with pytest.raises(FormatError):
            canonicalize_slowly(value)


def test_input_is_left_as_it_is() -> None:
    value = {"b": [2, {"d": 1, "c": 1}], "a": 1}
    canonicalize(value)
    assert list(value) == ["b", "a"]


@pytest.mark.parametrize(("name", "length"), [("sha256", 64), ("sha384", 96)])
def test_hash_data_is_options_then_document(name: Any, length: int) -> None:
    document, options = {"b": 1, "a": 2}, {"type": "DataIntegrityProof"}
    data = jcs_hash_data(document, options, name)
    assert len(data) == length
    half = length // 2
    assert data[:half] == jcs_hash_data(options, {}, name)[half:]
    assert data[half:] == jcs_hash_data({"a": 2, "b": 1}, {}, name)[half:]
