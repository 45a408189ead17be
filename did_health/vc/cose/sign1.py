"""COSE_Sign1 (RFC 9052 §4.2, §4.4): one signature, the payload attached or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import cbor2

from did_health.encoding import cbor
from did_health.encoding.cbor import CBOR
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import PublicKey, Signer
from did_health.vc.cose.headers import ALG, ALG_OF_KEY, Headers, decode_protected
from did_health.vc.error_codes import CRYPTOGRAPHIC_SECURITY, PARSING

TAG: Final = 18
"""The CBOR tag of COSE_Sign1 (§2)."""

_PARTS: Final = 4


@dataclass(frozen=True, slots=True)
class Sign1:
    """A COSE_Sign1 that was read and **not** verified. ``verify`` gives its payload."""

    headers: Headers
    is_tagged: bool
    _protected: bytes = field(repr=False)
    _payload: bytes = field(repr=False)
    _signature: bytes = field(repr=False)

    @classmethod
    def parse(cls, data: bytes, *, detached: bytes | None = None) -> Sign1:
        """Read the message, tagged or not; ``detached`` is the payload of one that does not carry it (its payload is nil).

        Raises ``FormatError``, and ``UnsupportedError`` as ``Headers.parse`` does.
        """
        try:
            return cls._parse(data, detached)
        except FormatError as error:
            raise FormatError(error.what, where=error.where, hint=error.hint, code=PARSING) from error

    @classmethod
    def _parse(cls, data: bytes, detached: bytes | None) -> Sign1:
        value = cbor.loads(data, what="COSE message", deterministic=False)
        is_tagged = isinstance(value, cbor2.CBORTag)
        if is_tagged:
            if value.tag != TAG:
                raise FormatError("the COSE message has another tag than COSE_Sign1")
            value = value.value
        if not isinstance(value, list) or len(value) != _PARTS:
            raise FormatError("the COSE message is not a list of four")
        protected, unprotected, payload, signature = value
        headers = Headers.parse(decode_protected(protected), unprotected)
        if payload is None:
            if detached is None:
                raise FormatError("the COSE message does not carry its payload, and none was given")
            payload = detached
        elif detached is not None:
            raise FormatError("the COSE message carries a payload, and another one was given")
        if type(payload) is not bytes or type(signature) is not bytes:
            raise FormatError("the payload or the signature of the COSE message is not a byte string")
        return cls(headers, is_tagged, protected, payload, signature)

    @property
    def unverified_payload(self) -> bytes:
        """The payload, which anybody may have written: good for finding the key and for nothing else."""
        return self._payload

    def verify(self, key: PublicKey, *, external_aad: bytes = b"") -> VerifiedSign1:
        """The payload, if ``key`` signed it together with ``external_aad`` (§4.4).

        Raises ``VerificationError`` (``CRYPTOGRAPHIC_SECURITY_ERROR``).
        """
        if key.algorithm is not self.headers.algorithm:
            raise VerificationError("the alg of the COSE message is not that of the key", code=CRYPTOGRAPHIC_SECURITY)
        if not key.verify(self._signature, to_be_signed(self._protected, external_aad, self._payload)):
            raise VerificationError("the signature of the COSE message does not verify", code=CRYPTOGRAPHIC_SECURITY)
        return VerifiedSign1(self.headers, self._payload, key)


@dataclass(frozen=True, slots=True)
class VerifiedSign1:
    """A COSE_Sign1 whose signature was verified under ``public_key``."""

    headers: Headers
    payload: bytes = field(repr=False)
    public_key: PublicKey


def sign1(
    payload: bytes,
    signer: Signer,
    protected: Mapping[int | str, CBOR] | None = None,
    unprotected: Mapping[int | str, CBOR] | None = None,
    *,
    external_aad: bytes = b"",
    detach: bool = False,
    tagged: bool = True,
) -> bytes:
    """A COSE_Sign1 of ``payload``, deterministically encoded; ``alg`` is the signer's own unless ``protected`` has it.

    Raises ``FormatError`` and ``UnsupportedError`` for headers that no verifier would accept, ``ValueError`` for an ``alg`` of another key.
    """
    algorithm = signer.public_key.algorithm
    if algorithm not in ALG_OF_KEY:
        raise UnsupportedError(f"a key of {algorithm} does not sign a COSE message")
    bucket = {ALG: ALG_OF_KEY[algorithm], **(protected or {})}
    others = dict(unprotected or {})
    if Headers.parse(bucket, others).algorithm is not algorithm:
        raise ValueError("the headers name an alg that is not the signer's")
    encoded = cbor.dumps(bucket)
    signature = signer.sign(to_be_signed(encoded, external_aad, payload))
    message = [encoded, others, None if detach else payload, signature]
    return cbor.dumps(cbor2.CBORTag(TAG, message) if tagged else message)


def to_be_signed(protected: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """The encoded Sig_structure (§4.4 steps 1 to 3); an empty map of protected parameters stands there as an empty string."""
    return cbor.dumps(["Signature1", b"" if protected == b"\xa0" else protected, external_aad, payload])

