"""The two small interfaces that every algorithm implements."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from did_health.encoding.strict_json import JSONObject


class Algorithm(StrEnum):
    """Signature algorithms, by the name of their key type or curve."""

    ED25519 = "Ed25519"
    P256 = "P-256"
    P384 = "P-384"
    BLS12381G2 = "BLS12381G2"
    """BBS signatures, whose keys are points of G2 (needs the extra ``[bbs]``); the name is that of the curve in
    draft-ietf-cose-bls-key-representations."""


class PublicKey(Protocol):
    """A parsed public key: immutable, hashable by its value, cheap to use again and costly (5 to 17 µs) to parse."""

    @property
    def algorithm(self) -> Algorithm:
        """The one algorithm that this key is used with."""

    @property
    def raw(self) -> bytes:
        """The key as Multikey carries it: 32 bytes, or a compressed point of 33, 49 or 96."""

    @property
    def multikey(self) -> str:
        """Multikey text, such as ``z6Mk…``."""

    @property
    def jwk(self) -> JSONObject:
        """The public JSON Web Key (RFC 7517, RFC 8037), required members only."""

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` is one of ``message``; never raises for bad bytes.

        It has 64 bytes, 96 for P-384 (r and s side by side), or 80 for a BBS signature of one message.
        """


class Signer(Protocol):
    """Holds a secret, or reaches one in a hardware module; only ever gives out signatures."""

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies what this signer signs."""

    def sign(self, message: bytes) -> bytes:
        """A signature of ``message`` in the form that ``PublicKey.verify`` takes."""


@runtime_checkable
class MessagesSigner(Signer, Protocol):
    """A signer of BBS signatures: one over many messages, of which proofs can disclose some."""

    def sign_messages(self, messages: Sequence[bytes], *, header: bytes = b"") -> bytes:
        """A signature (80 bytes) of all ``messages`` under ``header``, with the ciphersuite BLS12-381-SHA-256."""


class ExportableSigner(Signer, Protocol):
    """A signer whose secret lives in this process, so that it can be written to a sealed file."""

    @property
    def secret(self) -> bytes:
        """The secret: a 32-byte Ed25519 seed, or the private scalar of the curve in 32 bytes, 48 for P-384."""
