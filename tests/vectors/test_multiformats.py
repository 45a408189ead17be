"""Multibase, multihash, multicodec and varints; see ../shared/vectors/multiformats/README.md."""

from __future__ import annotations

import ast
import csv
import json

import pytest

from did_health.encoding import multibase, multihash, multikey, varint
from did_health.errors import FormatError, UnsupportedError
from tests.conftest import shared

# Registered as experimental, "a benchmark, test, torture" for Unicode; the multiformats package does not have it, nor do we.
NOT_AVAILABLE = {"base256emoji"}


def prefixes() -> dict[str, str]:
    rows = csv.reader(shared("vectors", "multiformats", "multibase", "multibase.csv").read_text().splitlines(), skipinitialspace=True)
    return {row[2].strip(): row[1].strip() for row in rows}


@pytest.mark.parametrize("name", ["basic", "leading_zero", "case_insensitivity"])
def test_multibase(name: str) -> None:
    lines = shared("vectors", "multiformats", "multibase", name + ".csv").read_text().splitlines()
    data = ast.literal_eval(lines[0].split(", ", 1)[1]).encode("latin-1")
    assert len(lines) > 5
    for line in lines[1:]:
        encoding, text = (part.strip() for part in line.split(",", 1))
        text = text.strip('"')
        if encoding in NOT_AVAILABLE:
            with pytest.raises(UnsupportedError):
                multibase.decode(text)
            continue
        assert multibase.decode(text) == data, encoding
        if name != "case_insensitivity":
            assert multibase.encode(prefixes()[encoding], data) == text, encoding


def test_base58btc() -> None:
    cases = json.loads(shared("vectors", "multiformats", "base58btc.json").read_bytes())["cases"]
    assert cases
    for case in cases:
        assert multibase.base58btc_encode(bytes.fromhex(case["hex"])) == case["base58btc"]
        assert multibase.base58btc_decode(case["base58btc"]).hex() == case["hex"]


def test_varints() -> None:
    document = json.loads(shared("vectors", "multiformats", "unsigned-varint.json").read_bytes())
    assert document["encode"]
    assert document["decodeInvalid"]
    for case in document["encode"]:
        assert varint.encode(case["value"]).hex() == case["hex"]
        assert varint.decode(bytes.fromhex(case["hex"])) == (case["value"], len(case["hex"]) // 2)
    for case in document["decodeInvalid"]:
        with pytest.raises(FormatError):
            varint.decode(bytes.fromhex(case["hex"]))


def test_multihashes_whole_and_truncated() -> None:
    rows = list(csv.DictReader(shared("vectors", "multiformats", "multihash", "test_cases.csv").read_text().splitlines()))
    assert len(rows) > 100
    for row in rows:
        value = bytes.fromhex(row["multihash"])
        _, digest = multihash.decode(value)
        assert len(digest) * 8 == int(row["bits"]), row
        assert multihash.matches(value, row["input"].encode()), row
        assert not multihash.matches(value, row["input"].encode() + b"."), row


def test_prefixes_of_multikeys_and_multihashes_are_the_registered_codes() -> None:
    rows = csv.DictReader(shared("vectors", "multiformats", "multicodec-table-subset.csv").read_text().splitlines(), skipinitialspace=True)
    codes = {row["name"].strip(): int(row["code"].strip(), 16) for row in rows}
    lengths = {"ed25519-pub": 32, "x25519-pub": 32, "p256-pub": 33, "p384-pub": 49, "secp256k1-pub": 33, "bls12_381-g2-pub": 96}
    for codec, length in lengths.items():
        data = multibase.decode(multikey.encode(codec, bytes(length)))
        assert varint.decode(data) == (codes[codec], 2)
    assert varint.decode(multihash.SHA2_256) == (codes["sha2-256"], 1)
    assert varint.decode(multihash.SHA2_384) == (codes["sha2-384"], 1)
