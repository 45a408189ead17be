"""RFC 8785: the reference project's test data, the number table, and the cases of the text; see ../shared/vectors/jcs/README.md."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import pytest

from did_health.encoding import strict_json
from did_health.encoding.jcs import canonicalize
from did_health.errors import FormatError
from tests.conftest import shared, shared_cases

FIRST_1000_NUMBERS = "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687"


def number(ieee754: str) -> float:
    return float(struct.unpack(">d", bytes.fromhex(ieee754.rjust(16, "0")))[0])


@pytest.mark.parametrize("path", shared_cases("vectors", "jcs", "input", "*.json"), ids=lambda path: path.stem)
def test_files(path: Path) -> None:
    shared("vectors", "jcs", "input", path.name)
    canonical = canonicalize(strict_json.loads(path.read_bytes()))
    assert canonical == shared("vectors", "jcs", "output", path.name).read_bytes()
    assert canonical == bytes.fromhex(shared("vectors", "jcs", "outhex", path.stem + ".txt").read_text())


def test_first_thousand_numbers() -> None:
    data = shared("vectors", "jcs", "es6-numbers-first-1000.txt").read_bytes()
    assert hashlib.sha256(data).hexdigest() == FIRST_1000_NUMBERS
    lines = data.decode().splitlines()
    assert len(lines) == 1000
    for line in lines:
        ieee754, expected = line.split(",")
        assert canonicalize(number(ieee754)).decode() == expected, line


def test_number_table_of_appendix_b() -> None:
    cases = json.loads(shared("vectors", "jcs", "rfc8785-appendix-b.json").read_bytes())["cases"]
    assert cases
    for case in cases:
        if case["expected"] is None:
            with pytest.raises(FormatError):
                canonicalize(number(case["ieee754_hex"]))
        else:
            assert canonicalize(number(case["ieee754_hex"])).decode() == case["expected"], case


def test_cases_of_the_text() -> None:
    cases = json.loads(shared("vectors", "jcs", "rfc8785-cases.json").read_bytes())["cases"]
    assert cases
    for case in cases:
        if case.get("result") == "invalid":
            with pytest.raises(FormatError):
                strict_json.loads(case["input"])
            # The same value from a laxer parser.
            with pytest.raises(FormatError):
                canonicalize(json.loads(case["input"]))
        elif "expected" in case:
            assert canonicalize(strict_json.loads(case["input"])).decode() == case["expected"]
        else:
            canonical = canonicalize(strict_json.loads(case["input"]))
            assert list(json.loads(canonical).values()) == case["expected_value_order"]
