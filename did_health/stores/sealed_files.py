"""Files sealed with a passphrase (keys, wallets): made once, opened, and replaced as a whole; 0600, never overwritten by another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from did_health.errors import DidHealthError, FormatError, StoreError, VerificationError
from did_health.keys.sealed import DEFAULT_COST, SealingCost, SealingKey, new_sealing_key, open_sealed
from did_health.limits import MAX_WALLET_BYTES
from did_health.stores import files


class SealedFile:
    """An open sealed file: its passphrase has been stretched, so that replacing what it holds costs little."""

    __slots__ = ("_key", "path")

    def __init__(self, path: Path, key: SealingKey) -> None:
        self.path = path
        self._key = key

    @classmethod
    def create(
        cls, path: Path, plaintext: bytes, passphrase: str, *, content: str, random: Callable[[int], bytes], cost: SealingCost = DEFAULT_COST
    ) -> SealedFile:
        """A new file that holds ``plaintext``; ``content`` names what that is (``wallet``).

        Raises ``ConflictError`` for a file that exists, ``StoreError``, and ``ValueError`` for too short a passphrase.
        """
        key = new_sealing_key(passphrase, content=content, random=random, cost=cost)
        files.create_private(path, key.seal(plaintext, random))
        return cls(path, key)

    @classmethod
    def open(cls, path: Path, passphrase: str, *, content: str, max_bytes: int = MAX_WALLET_BYTES) -> tuple[SealedFile, bytes]:
        """``(the file, what it holds)``.

        Raises ``StoreError`` for a file that is missing, too large, or open to everybody, ``FormatError`` and ``UnsupportedError``
        for one that is not sealed or holds something else, ``VerificationError`` (``wrong_passphrase``); each names the file.
        """
        data = files.read_private(path, max_bytes=max_bytes)
        if data is None:
            raise StoreError("the file is missing", where=str(path), hint="Check the path, or restore it from a copy", code="store_missing")
        try:
            plaintext, key = open_sealed(data, passphrase, content=content)
        except (FormatError, VerificationError) as error:
            raise _at(error, path) from error
        return cls(path, key), plaintext

    def replace(self, plaintext: bytes, random: Callable[[int], bytes]) -> None:
        """Put ``plaintext`` in the place of what the file holds, under a fresh nonce; raises ``StoreError``, and the old content stays."""
        files.write_atomically(self.path, self._key.seal(plaintext, random), mode=files.PRIVATE)

    def __repr__(self) -> str:
        return f"SealedFile({str(self.path)!r})"


def _at(error: DidHealthError, path: Path) -> DidHealthError:
    """The same error with the file's name."""
    return type(error)(error.what, where=f"{path} {error.where}".rstrip(), hint=error.hint, code=error.code)
