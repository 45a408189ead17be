"""JSON Web Signature, compact serialization (RFC 7515 §7.1), with detached and unencoded payloads (Appendix F, RFC 7797)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.base64 import base64url_decode, base64url_encode
from did_health.encoding.strict_json import JSON
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import PublicKey, Signer
from did_health.limits import MAX_TOKEN_CHARACTERS
from did_health.vc.error_codes import CRYPTOGRAPHIC_SECURITY, PARSING
from did_health.vc.jose.header import ALG_OF_KEY, Header, parse_protected

# RFC 7797 §5.2: an unencoded payload in the compact form is of these characters, and has no dot.
_UNENCODED: Final = re.compile(rb"[ -\-/-~]*")


@dataclass(frozen=True, slots=True)
class JWS:
    """A JWS that was read and **not** verified. ``verify`` gives its payload."""

    header: Header
    _payload: bytes = field(repr=False)
    _signing_input: bytes = field(repr=False)
    _signature: bytes = field(repr=False)

    @classmethod
    def parse(cls, token: bytes | str, *, detached: bytes | None = None) -> JWS:
        """Read the compact serialization; ``detached`` is the payload of a JWS that does not carry it.

        Raises ``FormatError``, and ``UnsupportedError`` as ``Header.parse`` does.
        """
        text = ascii_text(token)
        protected, *rest = text.split(".", 3)
        if len(rest) != 2:
            raise _malformed("the JWS does not have three parts", "A compact JWS is header.payload.signature")
        header = parse_protected(protected)
        carried, signature = rest
        if detached is None:
            payload = _carried(header, carried)
            signing_input = text[: len(protected) + 1 + len(carried)].encode()
        elif carried:
            raise _malformed("the JWS carries a payload, and another one was given")
        else:
            payload, signing_input = detached, signing_input_of(header, protected, detached)
        return cls(header, payload, signing_input, decoded(signature, "signature of the JWS"))

    @property
    def unverified_payload(self) -> bytes:
        """The payload, which anybody may have written: good for finding the key and for nothing else."""
        return self._payload

    def verify(self, key: PublicKey) -> VerifiedJWS:
        """The payload, if ``key`` signed it (RFC 7515 §5.2); raises ``VerificationError`` (``CRYPTOGRAPHIC_SECURITY_ERROR``)."""
        self.header.require_key(key)
        if not key.verify(self._signature, self._signing_input):
            raise VerificationError("the signature of the JWS does not verify", code=CRYPTOGRAPHIC_SECURITY)
        return VerifiedJWS(self.header, self._payload, key)


@dataclass(frozen=True, slots=True)
class VerifiedJWS:
    """A JWS whose signature was verified under ``public_key``."""

    header: Header
    payload: bytes = field(repr=False)
    public_key: PublicKey


def verify_compact(token: bytes | str, key: PublicKey, *, detached: bytes | None = None) -> VerifiedJWS:
    """Read and verify in one; raises what ``JWS.parse`` and ``JWS.verify`` raise."""
    return JWS.parse(token, detached=detached).verify(key)


def sign_compact(payload: bytes, signer: Signer, header: Mapping[str, JSON] | None = None, *, detach: bool = False) -> str:
    """A compact JWS of ``payload``. ``alg`` is the signer's own unless ``header`` has it.

    Raises ``FormatError`` and ``UnsupportedError`` for a header that no verifier would accept, ``ValueError`` for an ``alg`` of another key.
    """
    protected, parsed = protected_header(signer, header)
    carried = "" if detach else _carrying(parsed, payload)
    signature = signer.sign(signing_input_of(parsed, protected, payload))
    return f"{protected}.{carried}.{base64url_encode(signature)}"


def protected_header(signer: Signer, header: Mapping[str, JSON] | None) -> tuple[str, Header]:
    """``(base64url text, header)`` for signing."""
    algorithm = signer.public_key.algorithm
    if algorithm not in ALG_OF_KEY:
        raise UnsupportedError(f"a key of {algorithm} does not sign a JWS")
    members = {"alg": ALG_OF_KEY[algorithm], **(header or {})}
    text = base64url_encode(strict_json.dumps(members))
    parsed = parse_protected(text)
    if parsed.algorithm is not algorithm:
        raise ValueError("the header names an alg that is not the signer's")
    return text, parsed


def signing_input_of(header: Header, protected: str, payload: bytes) -> bytes:
    """JWS Signing Input (RFC 7515 §5.1 step 5, RFC 7797 §3)."""
    return protected.encode() + b"." + (base64url_encode(payload).encode() if header.is_encoded else payload)


def ascii_text(token: bytes | str) -> str:
    """``token`` as text; raises ``FormatError`` if it is not ASCII or too long."""
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise _malformed(f"the token has more than {MAX_TOKEN_CHARACTERS} characters")
    try:
        text = token if isinstance(token, str) else token.decode("ascii")
    except UnicodeDecodeError as error:
        raise _malformed("the token is not ASCII text") from error
    if not text.isascii():
        raise _malformed("the token is not ASCII text")
    return text


def decoded(text: str, what: str) -> bytes:
    """The bytes of base64url text, with the code of parsing."""
    try:
        return base64url_decode(text, what=what)
    except FormatError as error:
        raise FormatError(error.what, code=PARSING) from error


def _carried(header: Header, carried: str) -> bytes:
    if header.is_encoded:
        return decoded(carried, "payload of the JWS")
    payload = carried.encode()
    if not _UNENCODED.fullmatch(payload):
        raise _malformed("the unencoded payload has characters that it must not have")
    return payload


def _carrying(header: Header, payload: bytes) -> str:
    if header.is_encoded:
        return base64url_encode(payload)
    if not _UNENCODED.fullmatch(payload):
        raise FormatError("the payload cannot stand unencoded in a compact JWS", hint="Detach it")
    return payload.decode()


def _malformed(what: str, hint: str = "") -> FormatError:
    return FormatError(what, hint=hint, code=PARSING)
