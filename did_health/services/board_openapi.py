"""The OpenAPI document of a board's directory."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.health.public_listing import PUBLIC_TYPES
from did_health.limits import MAX_DIRECTORY_RESULTS
from did_health.roles.board_directory import FORMAT, LICENSES
from did_health.services.openapi import answer, problems, reference
from did_health.services.openapi import document as openapi_document

_OBJECT: Final[JSONObject] = {"type": "object"}
_TEXT: Final[JSONObject] = {"type": "string"}
_PARAMETERS: Final = (
    ("npi", "A National Provider Identifier.", {"type": "string", "pattern": "^[0-9]{10}$"}),
    ("number", "A licence or DEA number, as the board writes it.", _TEXT),
    ("name", "The family name, or the name of a pharmacy: its beginning is enough, case and accents do not count.", {"type": "string", "minLength": 2}),
    ("given", "With name: the given names, or their beginning.", _TEXT),
    ("holder", "The DID of the holder.", {"type": "string", "format": "uri"}),
    ("type", "Only credentials of this type.", {"type": "string", "enum": sorted(PUBLIC_TYPES)}),
    ("limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": MAX_DIRECTORY_RESULTS}),
    ("after", "Where to go on: next of the answer before.", {"type": "string", "pattern": "^[1-9][0-9]{0,17}$"}),
    ("evidence", "Whether to send the evidence, too.", {"type": "boolean", "default": True}),
)
_SCHEMAS: Final[dict[str, JSONObject]] = {
    "LoggedCredential": {
        "type": "object",
        "properties": {"credential": _OBJECT, "issuanceReceipt": _OBJECT},
        "required": ["credential", "issuanceReceipt"],
    },
    "Entry": {
        "type": "object",
        "properties": {
            "state": {"type": "string", "description": "The board's own word; verification finds out what holds."},
            "inForce": {"type": "boolean"},
            "location": {"type": "string", "format": "uri"},
            "credential": _OBJECT,
            "issuanceReceipt": _OBJECT,
        },
        "required": ["state", "inForce", "location", "credential", "issuanceReceipt"],
    },
    "Answer": {
        "type": "object",
        "properties": {
            "format": {"const": FORMAT},
            "issuer": {"type": "string", "format": "uri"},
            "results": {"type": "array", "maxItems": MAX_DIRECTORY_RESULTS, "items": reference("Entry")},
            "next": _TEXT,
            "evidence": {"type": "object", "description": "What the ledger proves of the results: DID log, registry records, status lists."},
        },
        "required": ["format", "issuer", "results"],
    },
}


def document(prefix: str = "") -> JSONObject:
    """The document."""
    look_up: JSONObject = {
        "operationId": "lookUp",
        "summary": "Look up what is published by one of NPI, number, name and holder; newest first.",
        "parameters": [{"name": name, "in": "query", "description": text, "schema": schema} for name, text, schema in _PARAMETERS],
        "responses": {"200": answer("What was found", reference("Answer")), **problems([HTTPStatus.BAD_REQUEST])},
    }
    one: JSONObject = {
        "operationId": "license",
        "summary": "One credential with its issuance receipt.",
        "parameters": [{"name": "name", "in": "path", "required": True, "description": "<uuid>.json", "schema": _TEXT}],
        "responses": {"200": answer("The credential", reference("LoggedCredential")), **problems([HTTPStatus.NOT_FOUND])},
    }
    paths = {f"{prefix}/{LICENSES}": {"get": look_up}, f"{prefix}/{LICENSES}/{{name}}": {"get": one}}
    return openapi_document("Public directory of a board", "Licences are public facts: anybody may look them up.", paths, _SCHEMAS)
