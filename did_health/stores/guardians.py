"""Shares of a secret for guardians, by the standard SLIP-0039: k of n of them bring it back, fewer tell nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_GUARDIANS, MAX_SHARE_CHARACTERS

if TYPE_CHECKING:
    from types import ModuleType

SECRET_BYTES: Final = 32


def split(secret: bytes, *, threshold: int, count: int) -> tuple[str, ...]:
    """``count`` shares of 33 words each, of which any ``threshold`` bring ``secret`` (32 bytes) back. The library draws its own randomness.

    Raises ``ValueError`` for numbers that make no sense, ``UnsupportedError`` without the package.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret to be shared has {SECRET_BYTES} bytes")
    if not 2 <= threshold <= count <= MAX_GUARDIANS:
        raise ValueError(f"from 2 of 2 to {MAX_GUARDIANS} of {MAX_GUARDIANS} guardians can be asked for")
    (shares,) = _library().generate_mnemonics(group_threshold=1, groups=[(threshold, count)], master_secret=secret)
    return tuple(shares)


def combine(shares: Sequence[str]) -> bytes:
    """The secret; the order of the shares does not matter, and spaces and capitals do not.

    Raises ``FormatError`` for shares that are damaged, too few, or not of one secret, and ``UnsupportedError`` without the package.
    """
    library = _library()
    if len(shares) > MAX_GUARDIANS or any(len(share) > MAX_SHARE_CHARACTERS for share in shares):
        raise FormatError(f"there are more than {MAX_GUARDIANS} shares, or one of them is too long")
    written = [" ".join(share.lower().split()) for share in shares]
    for place, share in enumerate(written, 1):
        try:
            library.Share.from_mnemonic(share)
        except library.MnemonicError:
            hint = "Compare it with what the guardian has: a word is wrong or missing"
            # The library's error has words of the share in it.
            raise FormatError(f"share {place} is damaged", where=f"share {place}", hint=hint) from None
    try:
        secret: bytes = library.combine_mnemonics(written)
    except library.MnemonicError:
        raise FormatError("the shares do not bring the secret back", hint="Are there enough of them, and all of this backup?") from None
    if len(secret) != SECRET_BYTES:
        raise FormatError("the shares are of another kind of secret")
    return secret


def _library() -> ModuleType:
    try:
        import shamir_mnemonic
    except ImportError as error:
        raise UnsupportedError("shares for guardians need the package shamir-mnemonic", hint="Install did-health[recovery]") from error
    library: ModuleType = shamir_mnemonic
    return library
