from __future__ import annotations

import gzip

import pytest

from did_health.errors import TransportError
from did_health.net.body import BoundedBody


def test_plain_body_up_to_the_bound() -> None:
    body = BoundedBody(4)
    for chunk in (b"ab", b"", b"cd"):
        body.feed(chunk)
    assert body.finish() == b"abcd"


def test_plain_body_over_the_bound() -> None:
    body = BoundedBody(4)
    body.feed(b"abcd")
    with pytest.raises(TransportError, match="more than the 4 bytes") as caught:
        body.feed(b"e")
    assert caught.value.code == "response_too_large"


def test_announced_length_is_refused_before_reading() -> None:
    with pytest.raises(TransportError, match="more than the 4 bytes"):
        BoundedBody(4, announced="5")


@pytest.mark.parametrize("announced", ["", "4", "-1", "1e9", "9" * 30])
def test_announced_length_that_says_nothing(announced: str) -> None:
    assert BoundedBody(4, announced=announced).finish() == b""


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_gzip_up_to_the_bound(step: int) -> None:
    plain = b"licence " * 1000
    sent = gzip.compress(plain)
    body = BoundedBody(len(plain), encoding="gzip")
    for start in range(0, len(sent), step):
        body.feed(sent[start : start + step])
    assert body.finish() == plain


def test_gzip_bomb_is_refused_without_being_unpacked() -> None:
    sent = gzip.compress(bytes(50_000_000))
    body = BoundedBody(100_000, encoding="gzip")
    with pytest.raises(TransportError, match="more than the 100000 bytes"):
        body.feed(sent)


def test_gzip_of_very_many_bytes_that_hold_little() -> None:
    body = BoundedBody(10, encoding="gzip")
    with pytest.raises(TransportError, match="more than the 10 bytes"):
        body.feed(gzip.compress(b"") * 1000)


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [(b"not gzip", "not gzip"), (gzip.compress(b"abc")[:-1], "cut off"), (b"", "cut off"), (gzip.compress(b"abc") + b"more", "follows")],
    ids=["not-gzip", "cut-off", "empty", "trailing-bytes"],
)
def test_broken_gzip(sent: bytes, complaint: str) -> None:
    def read() -> bytes:
        body = BoundedBody(100, encoding="gzip")
        body.feed(sent)
        return body.finish()

    with pytest.raises(TransportError, match=complaint):
        read()


def test_encoding_that_was_not_asked_for() -> None:
    with pytest.raises(TransportError, match="Content-Encoding"):
        BoundedBody(100, encoding="br")
