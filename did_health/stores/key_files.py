"""Sealed key files: several keys under one passphrase, stretched once, each in a file of its own that only its owner may read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from nacl.pwhash import argon2id

from did_health.encoding import strict_json
from did_health.encoding.base64 import base64url_decode
from did_health.errors import FormatError, StoreError
from did_health.keys import Algorithm, Signer, generate, signer_from_secret
from did_health.keys.sealed import SealingCost, SealingKey, open_sealed
from did_health.limits import MAX_KEY_FILE_BYTES
from did_health.stores import files

CONTENT: Final = "ledger-key"


def create_keys(paths: Sequence[Path], passphrase: str, *, random: Callable[[int], bytes], cost: SealingCost) -> list[Signer]:
    """A new Ed25519 key for each path. Raises ``ConflictError`` for a file that exists, ``StoreError``, ``ValueError`` for a short passphrase."""
    sealing = SealingKey(passphrase, random(argon2id.SALTBYTES), CONTENT, cost)
    signers: list[Signer] = []
    for path in paths:
        signer = generate(random)
        files.create_private(path, sealing.seal(signer.secret, random))
        signers.append(signer)
    return signers


def open_keys(paths: Sequence[Path], passphrase: str) -> list[Signer]:
    """The keys in the files. Raises ``StoreError`` for a missing file, ``FormatError``, ``VerificationError`` for a wrong passphrase."""
    opened: dict[tuple[object, ...], SealingKey] = {}
    return [signer_from_secret(Algorithm.ED25519, _secret(path, passphrase, opened)) for path in paths]


def _secret(path: Path, passphrase: str, opened: dict[tuple[object, ...], SealingKey]) -> bytes:
    data = files.read_private(path, max_bytes=MAX_KEY_FILE_BYTES)
    if data is None:
        raise StoreError("a key file is missing", where=str(path), hint="Restore it from a copy", code="store_missing")
    document = strict_json.loads_object(data, what="sealed key file")
    # Files made together share salt and cost, so that the passphrase is stretched once and not for every key.
    parameters = tuple([document.get(name) for name in ("format", "content", "kdf", "operations", "memoryBytes", "salt")])
    if any(not isinstance(value, str | int) for value in parameters):
        raise FormatError("the file is not a sealed key", where=str(path))
    if (key := opened.get(parameters)) is None:
        secret, opened[parameters] = open_sealed(data, passphrase, content=CONTENT)
        return secret
    nonce, ciphertext = document.get("nonce"), document.get("ciphertext")
    if not isinstance(nonce, str) or not isinstance(ciphertext, str):
        raise FormatError("the file is not a sealed key", where=str(path))
    return key.open(base64url_decode(nonce), base64url_decode(ciphertext))
