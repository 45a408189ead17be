"""Values of RFC 8949 appendix A; see ../shared/vectors/cbor/README.md."""

from __future__ import annotations

import json
import math
from typing import Any

import cbor2
import pytest

from did_health.encoding import cbor
from did_health.errors import FormatError
from tests.conftest import shared

# simple(24) stands in the table as RFC 7049 had it. RFC 8949 §3.3 makes the values 24 to 31 reserved and this encoding not well-formed.
NOT_WELL_FORMED = {"f818"}
DIAGNOSTICS: dict[str, Any] = {
    "Infinity": math.inf,
    "-Infinity": -math.inf,
    "undefined": cbor2.undefined,
    "simple(255)": cbor2.CBORSimpleValue(255),
    "1(1363896240)": cbor2.CBORTag(1, 1363896240),
    "1(1363896240.5)": cbor2.CBORTag(1, 1363896240.5),
    "24(h'6449455446')": cbor2.CBORTag(24, b"dIETF"),
    '32("http://www.example.com")': cbor2.CBORTag(32, "http://www.example.com"),
    "h'01020304'": b"\1\2\3\4",
    "{1: 2, 3: 4}": {1: 2, 3: 4},
}


def cases() -> list[dict[str, Any]]:
    return list(json.loads(shared("vectors", "cbor", "appendix_a.json").read_bytes()))


def test_values_that_round_trip() -> None:
    chosen = [case for case in cases() if case["roundtrip"] and case["hex"] not in NOT_WELL_FORMED]
    assert len(chosen) > 40
    for case in chosen:
        expected = case["decoded"] if "decoded" in case else DIAGNOSTICS[case["diagnostic"]]
        value = cbor.loads(bytes.fromhex(case["hex"]))
        assert value == expected, case
        assert type(value) is type(expected), case
        assert cbor.dumps(value).hex() == case["hex"]


def test_values_that_do_not_round_trip_are_refused() -> None:
    chosen = [case for case in cases() if not case["roundtrip"]]
    assert chosen
    for case in chosen:
        with pytest.raises(FormatError):
            cbor.loads(bytes.fromhex(case["hex"]))


def test_value_that_is_not_well_formed_any_more_is_refused() -> None:
    assert {case["hex"] for case in cases()} >= NOT_WELL_FORMED
    for data in NOT_WELL_FORMED:
        with pytest.raises(FormatError):
            cbor.loads(bytes.fromhex(data))
