"""The OpenAPI document of the VC-API, in its published shapes."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.services import openapi
from did_health.services.openapi import answer, json_body, problems, reference
from did_health.services.vc_api.requests import CHECKS
from did_health.vc.media_types import CREDENTIAL_FORMS

_POST: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
_POINTERS: Final[JSONObject] = {"type": "array", "items": {"type": "string", "pattern": "^(/|$)"}, "maxItems": 256}
_TEXT: Final[JSONObject] = {"type": "string", "minLength": 1, "maxLength": 4096}
_SET: Final[JSONObject] = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "uniqueItems": True, "maxItems": 256}
_TEXTS: Final[JSONObject] = {"oneOf": [_TEXT, _SET]}
_DOCUMENT: Final[JSONObject] = {"type": "object", "description": "JSON-LD, as VC Data Model 2.0 or 1.1 has it"}
_PURPOSES: Final = ["revocation", "suspension", "message", "refresh"]
_ENTRY: Final[JSONObject] = {
    "type": "object",
    "properties": {
        "type": {"const": "BitstringStatusListEntry"},
        "statusPurpose": {"enum": _PURPOSES},
        "statusSize": {"type": "integer", "minimum": 1, "maximum": 8},
        "statusMessage": {"type": "array", "items": {"type": "object", "required": ["status", "message"]}, "minItems": 2, "maxItems": 256},
        "statusReference": {},
    },
    "required": ["type", "statusPurpose"],
}
_PROOF_OPTIONS: Final[JSONObject] = {
    "type": "object",
    "properties": {
        "type": _TEXT,
        "cryptosuite": _TEXT,
        "verificationMethod": _TEXT,
        "proofPurpose": _TEXT,
        "created": {"type": "string", "format": "date-time"},
        "expires": {"type": "string", "format": "date-time"},
        "domain": _TEXTS,
        "challenge": _TEXT,
    },
}
_VERIFY_OPTIONS: Final[JSONObject] = {
    "type": "object",
    "properties": {
        "checks": {"type": "array", "items": {"enum": [*CHECKS, "status", "schema", "validFrom", "validUntil"]}, "maxItems": 256},
        "expectedProofPurpose": _TEXT,
        "domain": _TEXTS,
        "challenge": _TEXT,
        "returnCredential": {"type": "boolean"},
        "returnPresentation": {"type": "boolean"},
    },
}
_FINDING: Final[JSONObject] = {"type": "object", "properties": {"type": {"type": "string", "format": "uri"}}, "required": ["type", "title"]}


def _request(required: str, options: JSONObject) -> JSONObject:
    return {"type": "object", "properties": {required: _DOCUMENT, "options": options}, "required": [required]}


_SCHEMAS: Final[dict[str, JSONObject]] = {
    "IssueCredentialRequest": _request(
        "credential",
        {
            **_PROOF_OPTIONS,
            "properties": {
                **_PROOF_OPTIONS["properties"],
                "mandatoryPointers": _POINTERS,
                "credentialId": _TEXT,
                "credentialStatus": {"oneOf": [_ENTRY, {"type": "array", "items": _ENTRY, "maxItems": 256}]},
            },
        },
    ),
    "VerifiableCredentialResponse": {"type": "object", "properties": {"verifiableCredential": _DOCUMENT}, "required": ["verifiableCredential"]},
    "DeriveCredentialRequest": _request("verifiableCredential", {"type": "object", "properties": {"selectivePointers": _POINTERS}}),
    "VerifyCredentialRequest": _request("verifiableCredential", _VERIFY_OPTIONS),
    "CreatePresentationRequest": _request("presentation", _PROOF_OPTIONS),
    "CreatePresentationResponse": {"type": "object", "properties": {"verifiablePresentation": _DOCUMENT}, "required": ["verifiablePresentation"]},
    "VerifyPresentationRequest": {
        "oneOf": [
            _request("verifiablePresentation", _VERIFY_OPTIONS),
            {**_request("presentation", _VERIFY_OPTIONS), "description": "A presentation that nobody signed, of credentials that have proofs"},
        ]
    },
    "UpdateCredentialStatusRequest": {
        "type": "object",
        "properties": {
            "credentialId": _TEXT,
            "credentialStatus": {
                "type": "object",
                "properties": {
                    "type": {"enum": ["BitstringStatusListEntry", "BitstringStatusList"]},
                    "statusPurpose": _TEXT,
                    "statusListIndex": _TEXT,
                    "statusListCredential": _TEXT,
                },
                "required": ["type", "statusPurpose"],
            },
            "status": {"oneOf": [{"type": "boolean"}, {"type": "integer", "minimum": 0, "maximum": 255}]},
        },
        "required": ["credentialId", "credentialStatus"],
    },
    "VerificationResult": {
        "type": "object",
        "properties": {
            "verified": {"type": "boolean"},
            "problemDetails": {"type": "array", "items": _FINDING},
            "results": {"type": "object"},
            "verifiableCredential": _DOCUMENT,
            "verifiablePresentation": _DOCUMENT,
        },
        "required": ["verified", "problemDetails", "results"],
    },
    "Refused": {
        "allOf": [reference("Problem")],
        "description": "A problem; of a verification also its result, with verified false",
        "properties": {"verified": {"const": False}, "problemDetails": {"type": "array"}, "results": {"type": "object"}},
    },
}


def document(issuers: Iterable[str], *, bearer: bool) -> JSONObject:
    """The document of a service with ``issuers``; with ``bearer`` a token is demanded."""

    def post(summary: str, request: str, responses: JSONObject, *more: HTTPStatus, named: bool = False) -> JSONObject:
        refused = (*_POST, *more, *((HTTPStatus.UNAUTHORIZED,) if bearer else ()), *((HTTPStatus.NOT_FOUND,) if named else ()))
        operation: JSONObject = {"summary": summary, "requestBody": json_body(reference(request)), "responses": {**responses, **problems(refused, "Refused")}}
        if bearer:
            operation["security"] = [{"bearer": []}]
        if named:
            operation["parameters"] = [{"name": "issuer", "in": "path", "required": True, "schema": {"enum": sorted(issuers)}}]
        return {"post": operation}

    issued = {"201": answer("The credential, secured", reference("VerifiableCredentialResponse"))}
    result = {"200": answer("Nothing was wrong", reference("VerificationResult"))}
    updated = {"200": answer("The status is set", {"type": "object"})}
    issue, update = "Issue a credential", "Set a status of a credential that was issued here"
    paths: dict[str, JSONObject] = {
        "/credentials/issue": post(f"{issue} by the issuer that its options name", "IssueCredentialRequest", issued, HTTPStatus.CONFLICT),
        "/issuers/{issuer}/credentials/issue": post(f"{issue} by one issuer", "IssueCredentialRequest", issued, HTTPStatus.CONFLICT, named=True),
        "/credentials/status": post(update, "UpdateCredentialStatusRequest", updated, HTTPStatus.NOT_FOUND),
        "/issuers/{issuer}/credentials/status": post(update, "UpdateCredentialStatusRequest", updated, named=True),
        "/credentials/verify": post("Verify a credential", "VerifyCredentialRequest", result),
        "/credentials/derive": post("Derive a credential with less in it", "DeriveCredentialRequest", {"201": answer("The credential", _DOCUMENT)}),
        "/presentations/prove": post(
            "Prove a presentation", "CreatePresentationRequest", {"201": answer("The presentation, secured", reference("CreatePresentationResponse"))}
        ),
        "/presentations/verify": post("Verify a presentation and the credentials in it", "VerifyPresentationRequest", result),
        "/issuers": {"get": {"summary": "Every issuer and its DID", "responses": {"200": answer("By name", {"type": "object"}), **problems(())}}},
        "/status/{list}/{purpose}": {
            "get": {
                "summary": "A status list credential",
                "parameters": [
                    {"name": "list", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{16}$"}},
                    {"name": "purpose", "in": "path", "required": True, "schema": {"enum": _PURPOSES}},
                ],
                "responses": {"200": answer("The list", _DOCUMENT, *CREDENTIAL_FORMS), **problems((HTTPStatus.NOT_FOUND,))},
            }
        },
    }
    return openapi.document(
        "did-health VC-API", "Issues, derives, proves and verifies, as the VC-API of the W3C Credentials Community Group has it", paths, _SCHEMAS, bearer=bearer
    )
