"""A portrait that is held where somebody is looked at, against the digest in their identity credential.

The picture stays on the device: no picture and nothing derived from one is in what is returned, and a credential has the digest alone.
Whether a face is the portrait's is for a person to see.
"""

from __future__ import annotations

from enum import StrEnum

from did_health.encoding import multibase
from did_health.encoding.multihash import sha2_256
from did_health.errors import FormatError
from did_health.limits import MAX_PORTRAIT_BYTES
from did_health.vc.integrity import digests_of, mismatch


class Portrait(StrEnum):
    """What is known of a portrait."""

    MATCHES = "matches"
    """The picture at hand is the one that the identity provider saw."""
    DIFFERS = "differs"
    """It is another picture, or another file of it: nothing vouches for it."""
    HELD = "held"
    """There is one at hand, and no credential to hold it against, or one that names none."""
    NOT_HELD = "not held"


def portrait_digest(picture: bytes) -> str:
    """The ``portraitDigest`` of a picture's file: its SHA-256 multihash in base64url multibase. Raises ``FormatError`` for one too large."""
    return multibase.encode("u", sha2_256(_bounded(picture)))


def compare_portrait(picture: bytes | None, digest: str) -> Portrait:
    """What holds of the picture at hand (``None``: there is none), given a credential's ``portraitDigest`` (empty: it has none).

    A digest of a function that is not known is one that differs. Raises ``FormatError`` for a picture that is too large.
    """
    if picture is None:
        return Portrait.NOT_HELD
    actual = digests_of(_bounded(picture))
    if not digest:
        return Portrait.HELD
    try:
        return Portrait.MATCHES if mismatch({"digestMultibase": digest}, actual) is None else Portrait.DIFFERS
    except FormatError:
        return Portrait.DIFFERS


def _bounded(picture: bytes) -> bytes:
    if not 0 < len(picture) <= MAX_PORTRAIT_BYTES:
        raise FormatError(f"a portrait's file has 1 to {MAX_PORTRAIT_BYTES} bytes", where="portrait")
    return picture
