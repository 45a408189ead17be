from __future__ import annotations

import hashlib

import pytest

from did_health.encoding import multibase
from did_health.errors import FormatError
from did_health.health.portrait import Portrait, compare_portrait, portrait_digest
from did_health.limits import MAX_PORTRAIT_BYTES

PICTURE = b"\xff\xd8\xff\xe0 a picture"


def test_a_picture_matches_its_own_digest() -> None:
    digest = portrait_digest(PICTURE)
    assert digest == multibase.encode("u", b"\x12\x20" + hashlib.sha256(PICTURE).digest())
    assert compare_portrait(PICTURE, digest) is Portrait.MATCHES


def test_an_issuer_may_use_another_function_and_base() -> None:
    assert compare_portrait(PICTURE, multibase.encode("z", b"\x20\x30" + hashlib.sha384(PICTURE).digest())) is Portrait.MATCHES


@pytest.mark.parametrize(
    "digest",
    [
        portrait_digest(b"another"),
        multibase.encode("u", b"\x12\x20" + hashlib.sha256(PICTURE).digest()[:20]),
        multibase.encode("u", b"\x12\x14" + hashlib.sha256(PICTURE).digest()[:20]),
        multibase.encode("u", b"\x1b\x20" + hashlib.sha256(PICTURE).digest()),
        "u" + "?" * 40,
    ],
    ids=["another_picture", "digest_cut_off", "digest_truncated", "unknown_function", "no_multibase"],
)
def test_anything_else_differs(digest: str) -> None:
    assert compare_portrait(PICTURE, digest) is Portrait.DIFFERS


def test_without_a_picture_or_a_digest_nothing_is_compared() -> None:
    assert compare_portrait(None, portrait_digest(PICTURE)) is Portrait.NOT_HELD
    assert compare_portrait(PICTURE, "") is Portrait.HELD


@pytest.mark.parametrize("picture", [b"", bytes(MAX_PORTRAIT_BYTES + 1)], ids=["empty", "too_large"])
def test_a_file_that_is_no_portrait(picture: bytes) -> None:
    with pytest.raises(FormatError):
        compare_portrait(picture, "")
    with pytest.raises(FormatError):
        portrait_digest(picture)
