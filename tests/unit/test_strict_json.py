from __future__ import annotations

from typing import Any

import pytest

from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.limits import MAX_DOCUMENT_BYTES, MAX_DOCUMENT_DEPTH


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a":[1,-2,true,null,"x"]}', {"a": [1, -2, True, None, "x"]}),
        (b' { "a" : 1.50 }\n', {"a": 1.5}),
        ('{"ü":"\\u00fc"}'.encode(), {"ü": "ü"}),
        (b'"\\ud83d\\ude00"', "😀"),
        ("text as str", None),
        (b"18446744073709551615", 18446744073709551615),
        (b"-9223372036854775808", -9223372036854775808),
        (b"-0", 0),
        (b"1e3", 1000.0),
        (b"{}", {}),
        (b"[" * 60 + b"]" * 60, None),
    ],
)
def test_accepted(data: bytes | str, value: Any) -> None:
    if isinstance(data, str):
        data, value = f'"{data}"', data
    decoded = strict_json.loads(data)
    if value is not None:
        assert decoded == value


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "empty"),
        (b" ", "white space only"),
        (b'{"a":1', "truncated"),
        (b'{"a":1}{"b":2}', "two values"),
        (b'{"a":1}x', "trailing text"),
        (b'{"a":1,"a":1}', "duplicate name, equal values"),
        (b'{"a":1, "b":{"c":1,"c":2}}', "duplicate name, deeper"),
        (b'{"a":1,"\\u0061":2}', "duplicate name, escaped"),
        (b'{"a":1,}', "trailing comma"),
        (b"[01]", "leading zero"),
        (b"[+1]", "plus sign"),
        (b"[.5]", "no digit before the point"),
        (b"[NaN]", "NaN"),
        (b"[Infinity]", "infinity"),
        (b"[-Infinity]", "negative infinity"),
        (b"[1e400]", "overflow"),
        (b"[-1e400]", "negative overflow"),
        (b"18446744073709551616", "integer beyond 64 bits"),
        (b"-9223372036854775809", "negative integer beyond 64 bits"),
        (b"1" * 5000, "integer of 5000 digits"),
        (b"{'a':1}", "single quotes"),
        (b"{a:1}", "name without quotes"),
        (b"[1] // x", "comment"),
        (b'\xef\xbb\xbf{"a":1}', "byte order mark"),
        (b'"\\ud800"', "lone surrogate, escaped"),
        (b'{"\\udfff":1}', "lone surrogate in a name"),
        (b'"\xed\xa0\x80"', "lone surrogate in UTF-8"),
        (b'"\xff"', "not UTF-8"),
        (b'"\xc0\x80"', "over-long UTF-8"),
        ('{"a":1}'.encode("utf-16"), "UTF-16"),
        (b'"a\nb"', "line feed in a text"),
        (b'"\x00"', "control character in a text"),
        ('"\ud800"', "str with a lone surrogate"),
        (b"[" * 1020 + b"]" * 1020, "deeper than a recursive parser goes"),
        (b"[" * 100_000, "very deep and truncated"),
        (b"[" * 100_000 + b"]" * 100_000, "very deep"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "300 levels of objects"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 60 and value.isascii() and "\n" not in value else "data",
)
def test_refused(data: bytes | str, fault: str) -> None:
    with pytest.raises(FormatError):
        strict_json.loads(data)


def test_duplicate_is_named_as_such_without_the_name() -> None:
    with pytest.raises(FormatError, match="the credential has a duplicate member name") as caught:
        strict_json.loads(b'{"ssn":1,"ssn":2}', what="credential")
    assert "ssn" not in str(caught.value)


def test_place_of_a_fault() -> None:
    with pytest.raises(FormatError) as caught:
        strict_json.loads(b'{\n "a": x}')
    assert caught.value.where.startswith("line 2")


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_bounded(opening: bytes, closing: bytes) -> None:
    def nested(depth: int) -> bytes:
        return opening * depth + (b"1" if closing == b"}" else b"") + closing * depth

    strict_json.loads(nested(MAX_DOCUMENT_DEPTH))
    with pytest.raises(FormatError, match="deeper than 64 levels"):
        strict_json.loads(nested(MAX_DOCUMENT_DEPTH + 1))
    with pytest.raises(FormatError, match="deeper than 3 levels"):
        strict_json.loads(nested(4), max_depth=3)
    with pytest.raises(FormatError, match="deeper than 64 levels"):
        strict_json.loads(nested(100_000))


def test_depth_that_is_allowed_and_yet_too_much_for_a_parser() -> None:
    with pytest.raises(FormatError, match="nested too deeply"):
        strict_json.loads(b"[" * 1020 + b"]" * 1020, max_depth=5000)


def test_brackets_in_texts_are_not_depth() -> None:
    assert strict_json.loads(b'{"a":"' + b"[" * 1000 + b'"}')


def test_many_containers_side_by_side_are_not_depth() -> None:
    assert len(strict_json.loads(b"[" + b"{}," * 999 + b"{}]")) == 1000


def test_size_is_bounded() -> None:
    with pytest.raises(FormatError, match=f"more than the {MAX_DOCUMENT_BYTES} allowed"):
        strict_json.loads(b" " * (MAX_DOCUMENT_BYTES + 1))
    with pytest.raises(FormatError, match="the policy has 4 bytes, more than the 3 allowed"):
        strict_json.loads(b"1234", what="policy", max_bytes=3)


@pytest.mark.parametrize("data", [b"[]", b"1", b'"a"', b"null"])
def test_document_that_must_be_an_object(data: bytes) -> None:
    with pytest.raises(FormatError, match="not a JSON object"):
        strict_json.loads_object(data)
    assert strict_json.loads_object(b'{"a":1}') == {"a": 1}


@pytest.mark.parametrize("data", [None, 1, bytearray(b"1"), {"a": 1}])
def test_other_types_are_the_callers_mistake(data: Any) -> None:
    with pytest.raises(TypeError):
        strict_json.loads(data)


@pytest.mark.parametrize(
    "fault", [b"1e400", b"18446744073709551616", b"1" * 30, b"1" + b"0" * 400 + b".0"], ids=["overflow", "65-bits", "30-digits", "digits-that-overflow"]
)
def test_number_is_refused_in_a_document_too_deep_for_the_fast_parser_as_well(fault: bytes) -> None:
    with pytest.raises(FormatError, match=r"64 bits|double|not JSON"):
        strict_json.loads(b"[" + b"[]," * 300 + fault + b"]")


def test_written_text_keeps_the_order() -> None:
    assert strict_json.dumps({"b": 1, "a": ["ü"]}) == '{"b":1,"a":["ü"]}'.encode()
    assert strict_json.dumps({"b": 1}, indent=True) == b'{\n  "b": 1\n}'


@pytest.mark.parametrize("value", [object(), {1: 2}, "\ud800", 1 << 64, {1, 2}, b"bytes"])
def test_value_that_json_cannot_hold(value: Any) -> None:
    with pytest.raises(FormatError):
        strict_json.dumps(value)
