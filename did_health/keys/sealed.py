"""Secrets at rest: Argon2id stretches the passphrase, XSalsa20-Poly1305 seals the bytes (both by libsodium).

A sealed file is JSON that names its own cost, so that the cost can rise without breaking old files::

    {"format": "did-health/sealed/v1", "content": "wallet", "kdf": "argon2id", "operations": 2, "memoryBytes": 67108864,
     "salt": base64url(16), "nonce": base64url(24), "ciphertext": base64url}

``content`` says what is inside and is authenticated: a wallet cannot be passed off as a key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox

from did_health.encoding import strict_json
from did_health.encoding.base64 import base64url_decode, base64url_encode
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.limits import MAX_ARGON2_MEMORY_BYTES, MAX_ARGON2_OPERATIONS, MAX_WALLET_BYTES, MIN_PASSPHRASE_CHARACTERS

FORMAT: Final = "did-health/sealed/v1"


@dataclass(frozen=True, slots=True)
class SealingCost:
    """What a guess of the passphrase costs: Argon2id passes over so many bytes of memory (RFC 9106)."""

    operations: int = argon2id.OPSLIMIT_INTERACTIVE
    memory_bytes: int = argon2id.MEMLIMIT_INTERACTIVE

    def __post_init__(self) -> None:
        if not argon2id.OPSLIMIT_MIN <= self.operations <= MAX_ARGON2_OPERATIONS:
            raise FormatError(f"Argon2id operations of {self.operations} are outside {argon2id.OPSLIMIT_MIN} to {MAX_ARGON2_OPERATIONS}")
        if not argon2id.MEMLIMIT_MIN <= self.memory_bytes <= MAX_ARGON2_MEMORY_BYTES:
            raise FormatError(f"Argon2id memory of {self.memory_bytes} bytes is outside {argon2id.MEMLIMIT_MIN} to {MAX_ARGON2_MEMORY_BYTES}")


DEFAULT_COST: Final = SealingCost()


class SealingKey:
    """A passphrase stretched once: seals again and again without the cost, and never shows the passphrase or the key."""

    __slots__ = ("_box", "content", "cost", "salt")

    def __init__(self, passphrase: str, salt: bytes, content: str, cost: SealingCost = DEFAULT_COST) -> None:
        if len(passphrase) < MIN_PASSPHRASE_CHARACTERS:
            raise ValueError(f"a passphrase has at least {MIN_PASSPHRASE_CHARACTERS} characters")
        if len(salt) != argon2id.SALTBYTES:
            raise FormatError(f"a salt has {argon2id.SALTBYTES} bytes")
        # The content's name goes into the key, so that a file relabelled as another content does not open.
        secret = passphrase.encode() + b"\0" + content.encode()
        self._box = SecretBox(argon2id.kdf(SecretBox.KEY_SIZE, secret, salt, opslimit=cost.operations, memlimit=cost.memory_bytes))
        self.salt, self.content, self.cost = salt, content, cost

    def seal(self, plaintext: bytes, random: Callable[[int], bytes]) -> bytes:
        """The sealed file's bytes, under a fresh nonce from ``random``."""
        nonce = random(SecretBox.NONCE_SIZE)
        document = {
            "format": FORMAT,
            "content": self.content,
            "kdf": "argon2id",
            "operations": self.cost.operations,
            "memoryBytes": self.cost.memory_bytes,
            "salt": base64url_encode(self.salt),
            "nonce": base64url_encode(nonce),
            "ciphertext": base64url_encode(self._box.encrypt(plaintext, nonce).ciphertext),
        }
        return strict_json.dumps(document) + b"\n"

    def open(self, nonce: bytes, ciphertext: bytes) -> bytes:
        """Raises ``VerificationError`` if passphrase or bytes are wrong; which of them cannot be told."""
        try:
            return self._box.decrypt(ciphertext, nonce)
        except (CryptoError, ValueError) as error:
            raise VerificationError(
                f"the sealed {self.content} does not open", hint="The passphrase is wrong, or the file was changed", code="wrong_passphrase"
            ) from error

    def reopen(self, data: bytes) -> bytes:
        """What a file holds that this key sealed before, without the cost; raises as ``open_sealed`` does, also for a file of another key."""
        document, cost = _document(data, self.content)
        if cost != self.cost:
            raise VerificationError(f"the sealed {self.content} was made with another key", hint="Open it with its passphrase", code="wrong_passphrase")
        return self.open(_bytes(document, "nonce"), _bytes(document, "ciphertext"))

    def __repr__(self) -> str:
        return f"SealingKey(content={self.content!r})"


def new_sealing_key(passphrase: str, *, content: str, random: Callable[[int], bytes], cost: SealingCost = DEFAULT_COST) -> SealingKey:
    """A key for a new file, under a fresh salt; ``content`` names what will be in it (``key``, ``wallet``)."""
    return SealingKey(passphrase, random(argon2id.SALTBYTES), content, cost)


def seal(plaintext: bytes, passphrase: str, *, content: str, random: Callable[[int], bytes], cost: SealingCost = DEFAULT_COST) -> bytes:
    """Seal ``plaintext`` under a fresh salt."""
    return new_sealing_key(passphrase, content=content, random=random, cost=cost).seal(plaintext, random)


def open_sealed(data: bytes, passphrase: str, *, content: str) -> tuple[bytes, SealingKey]:
    """``(plaintext, the key to seal it again)``.

    Raises ``FormatError`` for a file that is not sealed or holds something else, ``UnsupportedError`` for another version or key
    derivation, ``VerificationError`` for a wrong passphrase or changed bytes.
    """
    document, cost = _document(data, content)
    key = SealingKey(passphrase, _bytes(document, "salt"), content, cost)
    return key.open(_bytes(document, "nonce"), _bytes(document, "ciphertext")), key


def _document(data: bytes, content: str) -> tuple[strict_json.JSONObject, SealingCost]:
    document = strict_json.loads_object(data, what="sealed file", max_bytes=MAX_WALLET_BYTES)
    if not isinstance(document.get("format"), str):
        raise FormatError("the file is not a sealed did-health file")
    if document["format"] != FORMAT or document.get("kdf") != "argon2id":
        raise UnsupportedError("the sealed file is of another version", hint="A newer did-health may read it")
    if document.get("content") != content:
        raise FormatError(f"the sealed file does not hold a {content}", where="/content")
    return document, SealingCost(_integer(document, "operations"), _integer(document, "memoryBytes"))


def _integer(document: strict_json.JSONObject, name: str) -> int:
    value = document.get(name)
    if type(value) is not int:
        raise FormatError("the sealed file lacks an integer", where=f"/{name}")
    return value


def _bytes(document: strict_json.JSONObject, name: str) -> bytes:
    value = document.get(name)
    if not isinstance(value, str):
        raise FormatError("the sealed file lacks a text", where=f"/{name}")
    return base64url_decode(value, what=f"sealed file's member {name}")
