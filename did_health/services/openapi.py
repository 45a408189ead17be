"""OpenAPI 3.1 documents as data: the parts that all services share. What a service answers is its own module's to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from did_health import __version__
from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject

if TYPE_CHECKING:
    from starlette.responses import Response

MEDIA_TYPE: Final = "application/openapi+json;version=3.1"
PROBLEM: Final = "application/problem+json"
_NO_SCHEMAS: Final[Mapping[str, JSONObject]] = MappingProxyType({})
_PROBLEM_SCHEMA: Final[JSONObject] = {
    "type": "object",
    "description": "RFC 9457",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail"],
}
# What the frame around every service may answer, whatever the route.
_ALWAYS: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def document(
    title: str, description: str, paths: Mapping[str, JSONObject], schemas: Mapping[str, JSONObject] = _NO_SCHEMAS, *, bearer: bool = False
) -> JSONObject:
    """An OpenAPI document of ``paths`` (by path, then by method). With ``bearer`` operations may name the scheme ``bearer``."""
    components: JSONObject = {"schemas": {"Problem": _PROBLEM_SCHEMA, **schemas}}
    if bearer:
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "description": description, "version": __version__, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "paths": dict(paths),
        "components": components,
    }


def reference(schema: str) -> JSONObject:
    """The schema of that name in the document."""
    return {"$ref": f"#/components/schemas/{schema}"}


def answer(description: str, schema: JSONObject, *media_types: str) -> JSONObject:
    """A response with a body, in JSON unless it has other ``media_types``."""
    return {"description": description, "content": {media_type: {"schema": schema} for media_type in media_types or ("application/json",)}}


def problems(statuses: Iterable[HTTPStatus], schema: str = "Problem") -> JSONObject:
    """Responses by status that are problems, those that every service may answer among them."""
    responses: JSONObject = {str(int(status)): answer(status.phrase, reference("Problem"), PROBLEM) for status in _ALWAYS}
    responses |= {str(int(status)): answer(status.phrase, reference(schema if status is HTTPStatus.BAD_REQUEST else "Problem"), PROBLEM) for status in statuses}
    return responses


def json_body(schema: JSONObject) -> JSONObject:
    """A request body that has to be there."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def response(content: JSONObject) -> Response:
    """The answer that carries the document, for whoever reads it from anywhere."""
    from starlette.responses import Response

    headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
    return Response(strict_json.dumps(content, indent=True), headers=headers)
