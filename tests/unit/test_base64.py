from __future__ import annotations

import pytest

from did_health.encoding.base64 import base64_decode, base64_encode, base64url_decode, base64url_encode
from did_health.errors import FormatError

# RFC 4648 §10
PADDED = {b"": "", b"f": "Zg==", b"fo": "Zm8=", b"foo": "Zm9v", b"foob": "Zm9vYg==", b"fooba": "Zm9vYmE=", b"foobar": "Zm9vYmFy"}


@pytest.mark.parametrize(("data", "text"), PADDED.items())
def test_rfc_4648_values(data: bytes, text: str) -> None:
    assert base64_encode(data) == text
    assert base64_decode(text) == data
    assert base64url_encode(data) == text.rstrip("=")
    assert base64url_decode(text.rstrip("=")) == data


def test_alphabets() -> None:
    assert base64_encode(b"\xfb\xff") == "+/8="
    assert base64url_encode(b"\xfb\xff") == "-_8"
    assert base64url_decode("-_8") == base64_decode("+/8=") == b"\xfb\xff"


@pytest.mark.parametrize(
    "text", ["Zg", "Zg=", "Zg===", "Zh==", "Z", "Zm9v\n", " Zm9v", "Zm 9v", "-_8=", "Zm9v=", "====", "Zm8=Zm8=", "é===", "\ud800", "Zm9vZ\0=="]
)
def test_refused_base64(text: str) -> None:
    with pytest.raises(FormatError, match="the root hash is not"):
        base64_decode(text, what="root hash")


@pytest.mark.parametrize("text", ["Zg==", "Zm8=", "Zh", "Z", "Zm9vY", "Zm9v\n", " Zm9v", "Zm 9v", "+/8", "=", "Zm9v====", "é", "\ud800", "Zm9v\0"])
def test_refused_base64url(text: str) -> None:
    with pytest.raises(FormatError, match="the salt is not"):
        base64url_decode(text, what="salt")
