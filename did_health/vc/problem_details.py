"""The problems that the specifications name, as the objects of RFC 9457 that they want: our errors' codes to their type URLs.

VC Data Model 2.0 §7.2, Data Integrity 1.0 §4.7, Controlled Identifiers 1.0 §3.4, Bitstring Status List 1.0 §3.5, DID Resolution §11.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import DidHealthError, FormatError, ResolutionError, UnsupportedError, VerificationError

MEDIA_TYPE: Final = "application/problem+json"
"""RFC 9457 §3."""

DATA_MODEL: Final = "https://www.w3.org/TR/vc-data-model#"
SECURITY: Final = "https://w3id.org/security#"
STATUS_LIST: Final = "https://www.w3.org/ns/credentials/status-list#"
DID: Final = "https://www.w3.org/ns/did#"

_TITLES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({
    DATA_MODEL: MappingProxyType({
        "PARSING_ERROR": "The document could not be parsed",
        "CRYPTOGRAPHIC_SECURITY_ERROR": "The document is not protected as it should be",
        "MALFORMED_VALUE_ERROR": "A value is malformed",
        "RANGE_ERROR": "A value is out of range",
    }),
    SECURITY: MappingProxyType({
        "PROOF_GENERATION_ERROR": "The proof could not be made",
        "PROOF_VERIFICATION_ERROR": "A proof does not verify",
        "PROOF_TRANSFORMATION_ERROR": "The document could not be transformed for the proof",
        "DATA_LOSS_DETECTION_ERROR": "The proof would not cover all of the document",
        "INVALID_DOMAIN_ERROR": "A proof was made for another domain",
        "INVALID_CHALLENGE_ERROR": "A proof does not answer the challenge",
        "INVALID_VERIFICATION_METHOD_URL": "A verification method is not named by a URL",
        "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID": "A controlled identifier document is another one's",
        "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT": "A controlled identifier document is not valid",
        "INVALID_VERIFICATION_METHOD": "A verification method is not valid",
        "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD": "A verification method may not be used for this purpose",
    }),
    STATUS_LIST: MappingProxyType({
        "STATUS_RETRIEVAL_ERROR": "The status list could not be retrieved",
        "STATUS_VERIFICATION_ERROR": "The status could not be verified",
        "STATUS_LIST_LENGTH_ERROR": "The status list is too short",
    }),
    DID: MappingProxyType({
        "INVALID_DID": "The DID is not valid",
        "INVALID_DID_DOCUMENT": "The DID document is not valid",
        "INVALID_DID_URL": "The DID URL is not valid",
        "INVALID_OPTIONS": "The options are not valid",
        "NOT_FOUND": "Nothing was found",
        "REPRESENTATION_NOT_SUPPORTED": "The representation is not supported",
        "METHOD_NOT_SUPPORTED": "The DID method is not supported",
        "FEATURE_NOT_SUPPORTED": "The feature is not supported",
        "INVALID_PUBLIC_KEY": "The public key is not valid",
        "INVALID_PUBLIC_KEY_LENGTH": "The public key has another length",
        "INVALID_PUBLIC_KEY_TYPE": "The public key has another type",
        "UNSUPPORTED_PUBLIC_KEY_TYPE": "The type of the public key is not supported",
        "INTERNAL_ERROR": "The request could not be answered",
    }),
})

TYPES: Final[Mapping[str, str]] = MappingProxyType({code: prefix + code for prefix, titles in _TITLES.items() for code in titles})
"""The type URL of each code."""

# Codes of ours, and classes of errors without a code of a specification, and what the specifications would call them.
_NEAREST: Final[Mapping[str, str]] = MappingProxyType({
    "DEACTIVATED": "INVALID_VERIFICATION_METHOD",
    "schema_mismatch": "MALFORMED_VALUE_ERROR",
    "schema_integrity": "CRYPTOGRAPHIC_SECURITY_ERROR",
})


def code_of(error: DidHealthError) -> str:
    """The specifications' code for ``error``: its own if it is one of theirs, else the nearest one, by its class."""
    if error.code in TYPES:
        return error.code
    if error.code in _NEAREST:
        return _NEAREST[error.code]
    if isinstance(error, FormatError):
        return "MALFORMED_VALUE_ERROR" if error.where else "PARSING_ERROR"
    if isinstance(error, VerificationError | UnsupportedError):
        return "PROOF_VERIFICATION_ERROR"
    return "INVALID_VERIFICATION_METHOD" if isinstance(error, ResolutionError) else "CRYPTOGRAPHIC_SECURITY_ERROR"


def problem_details(error: DidHealthError, status: int | None = None) -> JSONObject:
    """``error`` as an object of RFC 9457: type, title, detail and, where it is given, the HTTP ``status``.

    It holds what the error says, which is never a claim, a key or a passphrase; ``where`` (a JSON pointer) is added if the error has one.
    """
    code = code_of(error)
    details: JSONObject = {"type": TYPES[code], "title": title_of(code)}
    if status is not None:
        details["status"] = status
    details["detail"] = error.what + (f". {error.hint}" if error.hint else "")
    if error.where:
        details["where"] = error.where
    return details


def title_of(code: str) -> str:
    """The short sentence that goes with a code of ``TYPES``."""
    return next(titles[code] for titles in _TITLES.values() if code in titles)
