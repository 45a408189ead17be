"""The two proof values of ``ecdsa-sd-2023`` (Data Integrity ECDSA Cryptosuites 1.0 §3.5.2 to §3.5.7): a header, then CBOR without tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from did_health.encoding import cbor
from did_health.encoding.base64 import base64url_decode, base64url_encode
from did_health.errors import FormatError
from did_health.keys import Algorithm, PublicKey
from did_health.keys.nist import NISTPublicKey

_BASE: Final = bytes((0xD9, 0x5D, 0x00))
_DERIVED: Final = bytes((0xD9, 0x5D, 0x01))
_P256_PUB: Final = bytes((0x80, 0x24))
_WHERE: Final = "/proof/proofValue"
_SIGNATURE_BYTES: Final = 64
_KEY_BYTES: Final = 35
_HMAC_BYTES: Final = 32


def is_base(value: bytes) -> bool:
    """Whether a proof value has the header of a base proof."""
    return value.startswith(_BASE)


@dataclass(frozen=True, slots=True)
class BaseProofValue:
    """What the issuer gives to the holder, and nobody else."""

    signature: bytes
    """The issuer's, of the options, the proof-scoped key and the mandatory statements: 64 bytes."""
    public_key: bytes
    """The proof-scoped key in the binary form of Multikey: 35 bytes."""
    hmac_key: bytes
    """32 bytes, which make the labels."""
    signatures: tuple[bytes, ...]
    """One of each statement that is not mandatory, in their order, by the proof-scoped key."""
    mandatory_pointers: tuple[str, ...]

    def encode(self) -> bytes:
        """``serializeBaseProofValue``, before multibase."""
        return _BASE + cbor.dumps([self.signature, self.public_key, self.hmac_key, self.signatures, self.mandatory_pointers])

    @classmethod
    def parse(cls, value: bytes) -> BaseProofValue:
        """``parseBaseProofValue``; raises ``FormatError`` (``PROOF_VERIFICATION_ERROR``)."""
        signature, public_key, hmac_key, signatures, pointers = _five(value, _BASE, "a base proof")
        if not isinstance(pointers, list) or not all(isinstance(pointer, str) for pointer in pointers):
            raise _malformed("mandatory pointers that are no texts")
        return cls(_sized(signature, _SIGNATURE_BYTES), _key(public_key), _sized(hmac_key, _HMAC_BYTES), _signatures(signatures), tuple(pointers))


@dataclass(frozen=True, slots=True)
class DerivedProofValue:
    """What the holder gives to a verifier."""

    signature: bytes
    public_key: bytes
    signatures: tuple[bytes, ...]
    """Those of the statements that are revealed and not mandatory."""
    labels: Mapping[str, str]
    """The label that was signed, such as ``_:u3Lv2…``, by the canonical one that the verifier finds, such as ``_:c14n0``."""
    mandatory_indexes: tuple[int, ...]
    """Which of the revealed statements are mandatory."""

    def encode(self) -> bytes:
        """``serializeDerivedProofValue``, before multibase; the labels are compressed to ``{0: digest}``."""
        labels = {int(canonical.removeprefix("_:c14n")): base64url_decode(label.removeprefix("_:u")) for canonical, label in self.labels.items()}
        return _DERIVED + cbor.dumps([self.signature, self.public_key, self.signatures, labels, self.mandatory_indexes])

    @classmethod
    def parse(cls, value: bytes) -> DerivedProofValue:
        """``parseDerivedProofValue``; raises ``FormatError`` (``PROOF_VERIFICATION_ERROR``)."""
        signature, public_key, signatures, labels, indexes = _five(value, _DERIVED, "a derived proof")
        if not isinstance(labels, dict) or not all(type(number) is int and number >= 0 for number in labels):
            raise _malformed("a label map whose keys are no numbers")
        if not isinstance(indexes, list) or not all(type(index) is int and index >= 0 for index in indexes) or len(set(indexes)) != len(indexes):
            raise _malformed("mandatory indexes that are no numbers, or not different")
        decompressed = {f"_:c14n{number}": f"_:u{base64url_encode(_sized(digest, _HMAC_BYTES))}" for number, digest in labels.items()}
        return cls(_sized(signature, _SIGNATURE_BYTES), _key(public_key), _signatures(signatures), MappingProxyType(decompressed), tuple(indexes))


def scoped_public_key(raw: bytes) -> PublicKey:
    """The proof-scoped key of a proof value; raises ``FormatError`` for a point that is not on the curve."""
    try:
        return NISTPublicKey(Algorithm.P256, raw.removeprefix(_P256_PUB))
    except FormatError as error:
        raise FormatError(error.what, where=_WHERE, code="PROOF_VERIFICATION_ERROR") from error


def scoped_key_bytes(key: PublicKey) -> bytes:
    """The inverse of ``scoped_public_key``."""
    return _P256_PUB + key.raw


def _five(value: bytes, header: bytes, what: str) -> list[cbor.CBOR]:
    if not value.startswith(header):
        raise _malformed(f"another header than that of {what}")
    try:
        components = cbor.loads(value[len(header) :], what="proof value", max_bytes=len(value), deterministic=False)
    except FormatError as error:
        raise FormatError(error.what, where=_WHERE, code="PROOF_VERIFICATION_ERROR") from error
    if not isinstance(components, list) or len(components) != 5:
        raise _malformed("something else than an array of five")
    return components


def _sized(component: cbor.CBOR, size: int) -> bytes:
    if not isinstance(component, bytes) or len(component) != size:
        raise _malformed(f"something else where {size} bytes must be")
    return component


def _key(component: cbor.CBOR) -> bytes:
    key = _sized(component, _KEY_BYTES)
    if not key.startswith(_P256_PUB):
        raise _malformed("a proof-scoped key that is not P-256")
    return key


def _signatures(component: cbor.CBOR) -> tuple[bytes, ...]:
    if not isinstance(component, list):
        raise _malformed("no array of signatures")
    return tuple(_sized(signature, _SIGNATURE_BYTES) for signature in component)


def _malformed(found: str) -> FormatError:
    return FormatError(f"the proof value has {found}", where=_WHERE, code="PROOF_VERIFICATION_ERROR")
