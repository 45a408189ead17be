"""The JSON Schemas of our credential types, by the type's name."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.health.claims import schema_url
from did_health.vc.schema import Schema, SchemaSet

_MAX_NAME: Final = 64
_MAX_TYPES: Final = 8

SCHEMAS: Final = SchemaSet()
"""The schemas that come with this library."""


def schema_of(credential_type: str) -> Schema | None:
    """The schema of one of our types; ``None`` for any other type."""
    return SCHEMAS.get(schema_url(credential_type))


def schemas_of(types: tuple[str, ...]) -> tuple[Schema, ...]:
    """The schemas of those of ``types`` that are ours."""
    return _remembered(types) if len(types) <= _MAX_TYPES and max(map(len, types)) <= _MAX_NAME else _schemas_of(types)


def _schemas_of(types: tuple[str, ...]) -> tuple[Schema, ...]:
    return tuple(schema for name in types if (schema := schema_of(name)) is not None)


# Only short names, so that a stranger's credentials cannot fill the memory.
_remembered: Final = lru_cache(maxsize=64)(_schemas_of)


def check_before_signing(document: JSONObject, credential_type: str) -> None:
    """Hold an unsecured credential against its type's schema, so that nothing is signed that a verifier would refuse.

    Raises ``VerificationError`` (code ``schema_mismatch``), and ``LookupError`` for a type without a schema.
    """
    schema = schema_of(credential_type)
    if schema is None:
        raise LookupError(credential_type)
    schema.check(document)
