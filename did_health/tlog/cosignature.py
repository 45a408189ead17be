"""Cosignatures, C2SP tlog-cosignature v1.0.1 (Ed25519, type 0x04): "at this time, this was the largest consistent tree I had seen".

The signed message does not hold the cosigner's name: never share a key between two cosigners.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from did_health.errors import FormatError
from did_health.keys.base import PublicKey, Signer
from did_health.limits import MAX_TREE_SIZE
from did_health.tlog.note import TIMESTAMP_BYTES, Signature, SignatureType, SignedNote, VerifierKey, cosigned_message, verifier_key, verify_line

_ED25519_BLOB_BYTES: Final = TIMESTAMP_BYTES + 64


def cosigner_key(name: str, public_key: PublicKey) -> VerifierKey:
    """The verifier key of a cosigner's Ed25519 key. Raises ``UnsupportedError`` for another algorithm, ``FormatError`` for a bad name."""
    return verifier_key(name, SignatureType.COSIGNATURE, public_key)


def cosign(note: SignedNote, name: str, signer: Signer, timestamp: int) -> Signature:
    """Cosign a checkpoint at ``timestamp`` (POSIX seconds). Whether it deserves that is the witness's business: see witness_protocol.

    Raises ``ValueError`` for a time at or before 1970.
    """
    if not 0 < timestamp <= MAX_TREE_SIZE:
        raise ValueError("a cosignature's timestamp is positive and below 2^63")
    key = cosigner_key(name, signer.public_key)
    blob = timestamp.to_bytes(TIMESTAMP_BYTES, "big") + signer.sign(cosigned_message(note.text, timestamp))
    return Signature(name, key.key_id, blob)


def cosignature_time(signature: Signature) -> int:
    """The POSIX seconds that a cosignature line claims. Raises ``FormatError`` for a line of another type's length."""
    if len(signature.blob) != _ED25519_BLOB_BYTES:
        raise FormatError("the signature is not a timestamped Ed25519 cosignature")
    return int.from_bytes(signature.blob[:TIMESTAMP_BYTES], "big")


def verified_cosignatures(note: SignedNote, witness_keys: Collection[VerifierKey]) -> dict[VerifierKey, int]:
    """Which of ``witness_keys`` cosigned ``note``, and when (POSIX seconds; the latest time if one did it twice). May be empty.

    Keys of other types than 0x04 and lines of unknown keys are ignored. Raises ``VerificationError`` (``note_signature_invalid``)
    if a known witness's line does not verify.
    """
    by_identity = {(key.name, key.key_id): key for key in witness_keys if key.type is SignatureType.COSIGNATURE}
    times: dict[VerifierKey, int] = {}
    for signature in note.signatures:
        key = by_identity.get((signature.name, signature.key_id))
        if key is not None:
            verify_line(note, key, signature)
            times[key] = max(times.get(key, 0), cosignature_time(signature))
    return times
