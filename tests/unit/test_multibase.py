from __future__ import annotations

import hashlib
import subprocess
import sys

import base58
import pytest

from did_health.encoding import multibase, multihash, varint
from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_MULTIBASE_CHARACTERS


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\1", b"hello", bytes(range(256)), b"\xff" * 64, b"\0" * 40, b"\1" + b"\0" * 500])
def test_base58btc_agrees_with_the_base58_package(data: bytes) -> None:
    text = base58.b58encode(data).decode()
    assert multibase.base58btc_encode(data) == text
    assert multibase.base58btc_decode(text) == data
    assert multibase.decode("z" + text) == data
    assert multibase.encode("z", data) == "z" + text


def test_lengths_around_the_blocks_of_the_decoder() -> None:
    for length in (1, 9, 10, 11, 127, 128, 129, 255, 256, 257, 1000):
        for text in ("z" * length, "2" + "1" * (length - 1)):
            assert multibase.base58btc_decode(text) == base58.b58decode(text)


@pytest.mark.parametrize("text", ["0", "O", "I", "l", "abc ", " abc", "abc\n", "a+b", "é", "\ud800", "\uff11", "\0"])
def test_refused_base58btc(text: str) -> None:
    with pytest.raises(FormatError, match="the proof value is not base58btc"):
        multibase.base58btc_decode(text, what="proof value")


def test_base64url_prefix() -> None:
    assert multibase.encode("u", b"\xfb\xff") == "u-_8"
    assert multibase.decode("u-_8") == b"\xfb\xff"
    for text in ("u-_8=", "u+/8", "uZh"):
        with pytest.raises(FormatError):
            multibase.decode(text)


def test_allowed_prefixes() -> None:
    assert multibase.decode("z2g", allowed="zu") == b"a"
    with pytest.raises(FormatError, match="starts with 'f', not with one of z, u"):
        multibase.decode("f61", allowed="zu")


def test_length_is_bounded() -> None:
    for text in ("z" + "1" * (MAX_MULTIBASE_CHARACTERS + 1), "9" + "1" * (MAX_MULTIBASE_CHARACTERS + 1)):
        with pytest.raises(FormatError, match=f"more than {MAX_MULTIBASE_CHARACTERS} characters"):
            multibase.decode(text)


def test_empty_text() -> None:
    with pytest.raises(FormatError, match="is empty"):
        multibase.decode("")


@pytest.mark.parametrize("prefix", ["!", "é", "🚀", "x", ""])
def test_base_that_is_not_there(prefix: str) -> None:
    """base256emoji (a rocket) is registered as a test of Unicode handling; the multiformats package names it and does not have it."""
    with pytest.raises(UnsupportedError):
        multibase.encode(prefix, b"a")
    if prefix:
        with pytest.raises(UnsupportedError):
            multibase.decode(prefix + "abc")


@pytest.mark.parametrize("text", ["fzz", "f0", "7=", "78", "b1", "bA=", "mZg==", "0012", "9a", "MZg", "mZh"])
def test_malformed_text_of_other_bases(text: str) -> None:
    with pytest.raises(FormatError):
        multibase.decode(text)


@pytest.mark.parametrize("text", ["f6a", "F6A", "f6A", "F6a", "bni", "BNI", "bNi"])
def test_case_does_not_matter_where_the_base_has_one(text: str) -> None:
    assert multibase.decode(text) == b"j"


def test_common_bases_do_not_import_multiformats() -> None:
    code = (
        "import sys; from did_health.encoding import multibase, multihash as h\n"
        "multibase.decode(multibase.encode('z', b'a')); multibase.decode(multibase.encode('u', b'a')); h.matches(h.sha2_256(b'a'), b'a')\n"
        "sys.exit('multiformats' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("number", [0, 1, 127, 128, 16383, 16384, (1 << 63) - 1])
def test_varint(number: int) -> None:
    encoded = varint.encode(number)
    assert varint.decode(encoded) == (number, len(encoded))
    assert varint.decode(encoded + b"\xff") == (number, len(encoded))


@pytest.mark.parametrize("number", [-1, 1 << 63])
def test_number_beyond_a_varint(number: int) -> None:
    with pytest.raises(ValueError, match="2\\^63"):
        varint.encode(number)


def test_multihash() -> None:
    whole = multihash.sha2_256(b"a")
    assert multihash.decode(whole)[0] == 0x12
    assert multihash.matches(whole, b"a")
    assert not multihash.matches(whole, b"b")
    truncated = b"\x12\x10" + whole[2:18]
    assert multihash.matches(truncated, b"a")
    assert not multihash.matches(truncated, b"b")
    sha384 = bytes.fromhex("2030") + hashlib.sha384(b"a").digest()
    assert multihash.matches(sha384, b"a")
    assert not multihash.matches(sha384, b"b")


@pytest.mark.parametrize("data", ["", "12", "1220", "122000", "8100", "12ff"])
def test_malformed_multihash(data: str) -> None:
    with pytest.raises(FormatError):
        multihash.matches(bytes.fromhex(data), b"a")


def test_multihash_without_digest_matches_nothing() -> None:
    assert not multihash.matches(bytes.fromhex("1200"), b"a")
    assert not multihash.matches(bytes.fromhex("2000"), b"a")


def test_unknown_hash_function() -> None:
    with pytest.raises(UnsupportedError, match="0x3ffff"):
        multihash.matches(varint.encode(0x3FFFF) + b"\x01a", b"a")
