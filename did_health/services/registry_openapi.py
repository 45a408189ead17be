"""The OpenAPI document of a trust registry: the schemas of ToIP TRQP 2.0, and what this registry adds to them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.limits import MAX_TRQP_CONTEXT_CHARACTERS, MAX_TRQP_CONTEXT_MEMBERS, MAX_TRQP_IDENTIFIER_CHARACTERS
from did_health.services.openapi import MEDIA_TYPE, answer, json_body, problems, reference
from did_health.services.openapi import document as openapi_document
from did_health.trust.trqp.answer import EXTENSION, GRANTED
from did_health.trust.trqp.query import QueryKind

_OBJECT: Final[JSONObject] = {"type": "object"}
_MOMENT: Final[JSONObject] = {"type": "string", "format": "date-time"}
_WHO: Final = ("entity_id", "authority_id", "action", "resource")
_NAMES: Final = {QueryKind.AUTHORIZATION: "Authorization", QueryKind.RECOGNITION: "Recognition"}
_SUMMARIES: Final = {
    QueryKind.AUTHORIZATION: "Does the authority authorize the entity to take the action on the resource?",
    QueryKind.RECOGNITION: "Does the authority recognize the entity, another authority, for the resource?",
}
_REFUSALS: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
)
_CONTEXT: Final[JSONObject] = {
    "type": "object",
    "description": "Conditions. What is not known is not looked at, and the answer says so.",
    "maxProperties": MAX_TRQP_CONTEXT_MEMBERS,
    "properties": {
        "time": {"type": "string", "description": "The moment as of which the statement has to be valid: RFC 3339, in UTC. Empty: now."},
        "jurisdiction": {"type": "string", "pattern": "^[A-Z]{2}(-[A-Z0-9]{1,3})?$", "description": "Where, as US-NC."},
        "profession": {"type": "string", "pattern": "^[A-Za-z][A-Za-z.-]{1,15}$", "description": "For which profession, as MD."},
    },
    "additionalProperties": {"type": "string", "maxLength": MAX_TRQP_CONTEXT_CHARACTERS},
}
_BASIS: Final[JSONObject] = {
    "type": "object",
    "description": "What the answer rests on: whoever would not believe it asks the ledger for the newest entry of ledger_subject.",
    "properties": {
        "code": {"enum": ["stated", "not_stated", "not_yet_valid", "ended", "wrong_profession", "wrong_jurisdiction"]},
        "as_of": {**_MOMENT, "description": "The time for which witnesses vouch that this is the newest."},
        "ledger_subject": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "checkpoints": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {"origin": {"type": "string"}, "size": {"type": "integer", "minimum": 1}, "root": {"type": "string"}},
                "required": ["origin", "size", "root"],
            },
        },
        "statement": {
            "type": "object",
            "description": "The newest statement, whatever it answers; absent if there is none.",
            "properties": {
                "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "jurisdiction": {"type": "string"},
                "professions": {"type": "array", "items": {"type": "string"}},
                "valid_from": _MOMENT,
                "valid_until": _MOMENT,
            },
            "required": ["sha256", "jurisdiction", "professions"],
        },
        "ignored": {"type": "array", "items": {"type": "string", "format": "json-pointer"}, "description": "What was not looked at."},
    },
    "required": ["code", "as_of", "ledger_subject", "checkpoints"],
}
_METADATA: Final[JSONObject] = {
    "type": "object",
    "properties": {
        "trqp_version": {"type": "string"},
        "authority_id": {"type": "string", "format": "uri"},
        "governance_framework": {"type": "string", "format": "uri"},
        "queries": {"type": "array", "items": {"type": "string"}},
        "context": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["trqp_version", "authority_id", "governance_framework", "queries", "context"],
}


def document(prefix: str = "") -> JSONObject:
    """The document of a registry that answers below ``prefix``."""
    paths = {f"{prefix}/{kind}": {"post": _operation(kind)} for kind in QueryKind}
    metadata: JSONObject = {
        "operationId": "metadata",
        "summary": "Whose statements are answered, the version of TRQP, and the governance framework",
        "parameters": [{"name": "authority_id", "in": "query", "description": "The authority that is meant.", "schema": {"type": "string"}}],
        "responses": problems([HTTPStatus.NOT_FOUND]) | {"200": answer("The registry", reference("Metadata"))},
    }
    described: JSONObject = {"operationId": "describe", "summary": "This document", "responses": problems([]) | {"200": answer("OpenAPI", _OBJECT, MEDIA_TYPE)}}
    paths |= {f"{prefix}/metadata": {"get": metadata}, f"{prefix}/openapi.json": {"get": described}}
    schemas: dict[str, JSONObject] = {"Basis": _BASIS, "Metadata": _METADATA}
    for kind in QueryKind:
        schemas |= {f"{_NAMES[kind]}Request": _request(), f"{_NAMES[kind]}Response": _response(kind)}
    return openapi_document("Trust registry", "The HTTPS binding of ToIP Trust Registry Query Protocol (TRQP) 2.0", paths, schemas)


def _operation(kind: QueryKind) -> JSONObject:
    name = _NAMES[kind]
    return {
        "operationId": str(kind),
        "summary": _SUMMARIES[kind],
        "parameters": [{"name": "X-Request-ID", "in": "header", "description": "Repeated in the answer.", "schema": {"type": "string", "format": "uuid"}}],
        "requestBody": json_body(reference(f"{name}Request")),
        "responses": problems(_REFUSALS) | {"200": answer("Yes or no", reference(f"{name}Response"))},
    }


def _request() -> JSONObject:
    who: JSONObject = {"type": "string", "minLength": 1, "maxLength": MAX_TRQP_IDENTIFIER_CHARACTERS, "format": "uri-reference"}
    return {"type": "object", "properties": {**dict.fromkeys(_WHO, who), "context": _CONTEXT}, "required": list(_WHO)}


def _response(kind: QueryKind) -> JSONObject:
    properties: JSONObject = {
        **{name: {"type": "string"} for name in _WHO},
        GRANTED[kind]: {"type": "boolean"},
        "time_requested": {**_MOMENT, "description": "As it was asked."},
        "time_evaluated": {**_MOMENT, "description": "When the query was answered, by this registry's clock."},
        "message": {"type": "string"},
        "context": {"type": "object", "description": "As it was asked.", "additionalProperties": {"type": "string"}},
        EXTENSION: reference("Basis"),
    }
    return {"type": "object", "properties": properties, "required": [*_WHO, GRANTED[kind], "time_evaluated"]}
