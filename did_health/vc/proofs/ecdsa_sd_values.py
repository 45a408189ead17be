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
from did_health.vc.proofs.selective_disclosure.components import (
    MALFORMED,
    PROOF_VALUE,
    five_components,
    indexes,
    is_index,
    malformed,
    pointer_texts,
    sized_bytes,
)

_BASE: Final = bytes((0xD9, 0x5D, 0x00))
_DERIVED: Final = bytes((0xD9, 0x5D, 0x01))
_P256_PUB: Final = bytes((0x80, 0x24))
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
        signature, public_key, hmac_key, signatures, pointers = five_components(value, _BASE, "a base proof")
        return cls(
            sized_bytes(signature, _SIGNATURE_BYTES), _key(public_key), sized_bytes(hmac_key, _HMAC_BYTES), _signatures(signatures), pointer_texts(pointers)
        )


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
        signature, public_key, signatures, labels, mandatory = five_components(value, _DERIVED, "a derived proof")
        if not isinstance(labels, dict) or not all(is_index(number) for number in labels):
            raise malformed("a label map whose keys are no numbers")
        decompressed = {f"_:c14n{number}": f"_:u{base64url_encode(sized_bytes(digest, _HMAC_BYTES))}" for number, digest in labels.items()}
        places = indexes(mandatory, "mandatory")
        return cls(sized_bytes(signature, _SIGNATURE_BYTES), _key(public_key), _signatures(signatures), MappingProxyType(decompressed), places)


def scoped_public_key(raw: bytes) -> PublicKey:
    """The proof-scoped key of a proof value; raises ``FormatError`` for a point that is not on the curve."""
    try:
        return NISTPublicKey(Algorithm.P256, raw.removeprefix(_P256_PUB))
    except FormatError as error:
        raise FormatError(error.what, where=PROOF_VALUE, code=MALFORMED) from error


def scoped_key_bytes(key: PublicKey) -> bytes:
    """The inverse of ``scoped_public_key``."""
    return _P256_PUB + key.raw


def _key(component: cbor.CBOR) -> bytes:
    key = sized_bytes(component, _KEY_BYTES)
    if not key.startswith(_P256_PUB):
        raise malformed("a proof-scoped key that is not P-256")
    return key


def _signatures(component: cbor.CBOR) -> tuple[bytes, ...]:
    if not isinstance(component, list):
        raise malformed("no array of signatures")
    return tuple(sized_bytes(signature, _SIGNATURE_BYTES) for signature in component)

