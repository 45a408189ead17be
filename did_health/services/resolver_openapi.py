"""The OpenAPI document of the resolver."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.services.openapi import MEDIA_TYPE, answer, problems, reference
from did_health.services.openapi import document as openapi_document
from did_health.services.resolver_request import Form

_OBJECT: Final[JSONObject] = {"type": "object"}
_NULLABLE: Final[JSONObject] = {"type": ["object", "null"]}
_ERROR: Final[JSONObject] = {
    "description": "RFC 9457; a word, where the service is started so",
    "anyOf": [{"type": "string"}, {"type": "object", "properties": {"type": {"type": "string", "format": "uri"}}, "required": ["type"]}],
}
_METADATA: Final[JSONObject] = {"type": "object", "properties": {"contentType": {"type": "string"}, "error": _ERROR}}
_RESOLUTION: Final[JSONObject] = {
    "type": "object",
    "description": "DID Resolution 1.0 §9",
    "properties": {"didDocument": _NULLABLE, "didResolutionMetadata": _METADATA, "didDocumentMetadata": _OBJECT},
    "required": ["didDocument", "didResolutionMetadata", "didDocumentMetadata"],
}
_DEREFERENCING: Final[JSONObject] = {
    "type": "object",
    "description": "DID Resolution 1.0 §10; contentStream is an earlier name of content",
    "properties": {"content": _NULLABLE, "contentStream": _NULLABLE, "dereferencingMetadata": _METADATA, "contentMetadata": _OBJECT},
    "required": ["content", "dereferencingMetadata", "contentMetadata"],
}
_BOOLEAN: Final[JSONObject] = {"type": "string", "enum": ["true", "false"]}
_QUERY: Final[dict[str, tuple[str, JSONObject]]] = {
    "versionId": ("The version of the document.", {"type": "string"}),
    "versionTime": ("The version that was valid then.", {"type": "string", "format": "date-time"}),
    "versionNumber": ("The number of the version (did:webvh).", {"type": "string", "pattern": "^[0-9]+$"}),
    "service": ("The id of a service.", {"type": "string"}),
    "serviceType": ("A type of services.", {"type": "string"}),
    "relativeRef": ("A reference relative to the service's endpoint.", {"type": "string"}),
    "verificationRelationship": ("The relationship in which a verification method must be.", {"type": "string"}),
    "accept": ("As the header.", {"type": "string"}),
    "noCache": ("Nothing is cached, whatever it says.", _BOOLEAN),
    "expandRelativeUrls": ("Whether relative URLs in the document are made absolute.", _BOOLEAN),
}
_FORMS: Final = {
    Form.RESOLUTION: reference("ResolutionResult"),
    Form.DEREFERENCING: reference("DereferencingResult"),
    Form.DOCUMENT: _OBJECT,
    Form.DOCUMENT_JSON: _OBJECT,
    Form.DOCUMENT_JSON_LD: _OBJECT,
}
_REFUSALS: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.GONE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.NOT_IMPLEMENTED,
)


def document() -> JSONObject:
    """The whole document."""
    path: JSONObject = {
        "parameters": [
            {"name": "identifier", "in": "path", "required": True, "description": "A DID or DID URL.", "schema": {"type": "string", "minLength": 1}},
            {"name": "Accept", "in": "header", "description": f"One of {', '.join(Form)}; by default a result with metadata.", "schema": {"type": "string"}},
            *({"name": name, "in": "query", "description": text, "schema": schema} for name, (text, schema) in _QUERY.items()),
        ],
        "get": {"operationId": "resolve", "summary": "Resolve a DID, or dereference a DID URL", "responses": _responses()},
        "post": {
            "operationId": "resolveWithOptions",
            "summary": "The same, with the options as JSON",
            "requestBody": {"content": {"application/json": {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}}},
            "responses": _responses() | problems([HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE]),
        },
    }
    described = {"get": {"operationId": "describe", "summary": "This document", "responses": problems([]) | {"200": answer("OpenAPI", _OBJECT, MEDIA_TYPE)}}}
    return openapi_document(
        "DID resolver",
        "The HTTP(S) binding of DID Resolution 1.0",
        {"/identifiers/{identifier}": path, "/openapi.json": described},
        {"ResolutionResult": _RESOLUTION, "DereferencingResult": _DEREFERENCING},
    )


def _responses() -> JSONObject:
    results = {str(form): {"schema": _FORMS[form]} for form in (Form.RESOLUTION, Form.DEREFERENCING)}
    responses = problems([]) | {str(int(status)): {"description": status.phrase, "content": results} for status in _REFUSALS}
    responses["200"] = {"description": "What Accept asks for", "content": {str(form): {"schema": schema} for form, schema in _FORMS.items()}}
    responses["303"] = {"description": "To the service's URL", "headers": {"Location": {"schema": {"type": "string", "format": "uri-reference"}}}}
    return responses
