"""The two proof values of ``bbs-2023`` (Data Integrity BBS Cryptosuites 1.0 §3.3.1 to §3.3.7): a header, then CBOR without tags.

Of the features only the baseline is done; values with holder binding or pseudonyms have other headers and are named as unsupported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from did_health.encoding import cbor
from did_health.errors import UnsupportedError
from did_health.vc.proofs.selective_disclosure.components import PROOF_VALUE, five_components, indexes, is_index, malformed, pointer_texts, sized_bytes

_BASE: Final = bytes((0xD9, 0x5D, 0x02))
_DERIVED: Final = bytes((0xD9, 0x5D, 0x03))
_OTHER_FEATURES: Final = tuple(bytes((0xD9, 0x5D, feature)) for feature in range(0x04, 0x0A))
_SIGNATURE_BYTES: Final = 80
_HEADER_BYTES: Final = 64
_KEY_BYTES: Final = 96
_HMAC_BYTES: Final = 32


def is_base(value: bytes) -> bool:
    """Whether a proof value has the header of a base proof."""
    return value.startswith(_BASE)


@dataclass(frozen=True, slots=True)
class BaseProofValue:
    """What the issuer gives to the holder, and nobody else."""

    signature: bytes
    """The BBS signature of the statements that are not mandatory: 80 bytes."""
    header: bytes
    """Its header: the hash of the proof's options and that of the mandatory statements, 64 bytes."""
    public_key: bytes
    """The issuer's key, which makes the signature verify: 96 bytes."""
    hmac_key: bytes
    """32 bytes, which make the labels."""
    mandatory_pointers: tuple[str, ...]

    def encode(self) -> bytes:
        """``serializeBaseProofValue``, before multibase."""
        return _BASE + cbor.dumps([self.signature, self.header, self.public_key, self.hmac_key, self.mandatory_pointers])

    @classmethod
    def parse(cls, value: bytes) -> BaseProofValue:
        """``parseBaseProofValue``; raises ``FormatError`` (``PROOF_VERIFICATION_ERROR``), or ``UnsupportedError`` for another feature."""
        signature, header, public_key, hmac_key, pointers = _five(value, _BASE, "a base proof")
        return cls(
            sized_bytes(signature, _SIGNATURE_BYTES),
            sized_bytes(header, _HEADER_BYTES),
            sized_bytes(public_key, _KEY_BYTES),
            sized_bytes(hmac_key, _HMAC_BYTES),
            pointer_texts(pointers),
        )


@dataclass(frozen=True, slots=True)
class DerivedProofValue:
    """What the holder gives to a verifier."""

    proof: bytes
    """The BBS proof."""
    labels: Mapping[str, str]
    """The label that was signed, such as ``_:b2``, by the canonical one that the verifier finds, such as ``_:c14n0``."""
    mandatory_indexes: tuple[int, ...]
    """Which of the revealed statements are mandatory."""
    selective_indexes: tuple[int, ...]
    """Which messages of the signature the other revealed statements are, in their order."""
    presentation_header: bytes
    """What the proof is bound to besides: a verifier's challenge, say."""

    def encode(self) -> bytes:
        """``serializeDerivedProofValue``, before multibase; the labels are compressed to ``{0: 2}``."""
        labels = {int(canonical.removeprefix("_:c14n")): int(label.removeprefix("_:b")) for canonical, label in self.labels.items()}
        return _DERIVED + cbor.dumps([self.proof, labels, self.mandatory_indexes, self.selective_indexes, self.presentation_header])

    @classmethod
    def parse(cls, value: bytes) -> DerivedProofValue:
        """``parseDerivedProofValue``; raises ``FormatError`` (``PROOF_VERIFICATION_ERROR``), or ``UnsupportedError`` for another feature.

        The octets of the BBS proof are parsed by those who verify it.
        """
        proof, labels, mandatory, selective, presentation_header = _five(value, _DERIVED, "a derived proof")
        if not isinstance(labels, dict) or not all(is_index(number) for pair in labels.items() for number in pair):
            raise malformed("a label map that is not of numbers")
        if not isinstance(proof, bytes) or not isinstance(presentation_header, bytes):
            raise malformed("a BBS proof or presentation header that is no bytes")
        decompressed = {f"_:c14n{canonical}": f"_:b{label}" for canonical, label in labels.items()}
        return cls(proof, MappingProxyType(decompressed), indexes(mandatory, "mandatory"), indexes(selective, "selective"), presentation_header)


def _five(value: bytes, header: bytes, what: str) -> list[cbor.CBOR]:
    if value.startswith(_OTHER_FEATURES):
        raise UnsupportedError("bbs-2023 with holder binding or pseudonyms is not supported", where=PROOF_VALUE)
    return five_components(value, header, what)
