"""Credential schemas: JSON Schema 2020-12 as the W3C's VC JSON Schema 1.0 uses it (``credentialSchema`` of the type ``JsonSchema``).

The verdict comes from jsonschema-rs (microseconds, patterns in linear time); only a refusal is explained, by jsonschema (a hundred times
slower). Both packages are imported when the first schema is compiled. Schemas are never fetched: a ``SchemaSet`` has them or it has not.

Left out: ``JsonSchemaCredential`` (§4, a schema inside a credential) and older drafts, which §5 makes optional: both are unsupported,
the specification's "indeterminate".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.limits import MAX_SCHEMA_FAULTS
from did_health.vc.credential import Credential
from did_health.vc.integrity import digests_of, mismatch
from did_health.vc.packaged import schema_file
from did_health.vc.validation import is_url

if TYPE_CHECKING:
    import jsonschema_rs

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
PACKAGED_PREFIX: Final = "https://did-health.example/schemas/"
"""Where the schemas of this library's own credentials are named; ``<prefix><Name>.json`` is ``schemas/<Name>.json``."""

SCHEMA_MISMATCH: Final = "schema_mismatch"
SCHEMA_INTEGRITY: Final = "schema_integrity"


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """One thing that a schema refuses: the JSON pointer, the keyword that refused, and a sentence without the document's values."""

    pointer: str
    keyword: str
    what: str


@dataclass(frozen=True, slots=True)
class Schema:
    """A compiled schema. ``source`` is the file that integrity digests are about, ``id`` its ``$id``."""

    id: str
    source: bytes = field(repr=False)
    _document: JSONObject = field(repr=False)
    _validator: jsonschema_rs.Draft202012Validator = field(repr=False, compare=False)

    @classmethod
    def parse(cls, source: bytes) -> Schema:
        """Compile a schema, which must name its dialect and itself (VC JSON Schema §5.1) and refer to nothing outside of itself.

        A schema is the verifier's own or one that it trusts: a hostile one can be slow to explain its refusals. Raises ``FormatError``,
        or ``UnsupportedError`` for another dialect than 2020-12.
        """
        document = strict_json.loads_object(source, what="JSON Schema")
        dialect, name = document.get("$schema"), document.get("$id")
        if type(dialect) is not str:
            raise FormatError("the JSON Schema does not say which dialect it is written in", where="/$schema")
        if dialect.rstrip("#") != DIALECT:
            raise UnsupportedError("the JSON Schema is of another dialect than 2020-12", where="/$schema")
        if type(name) is not str or not name:
            raise FormatError("the JSON Schema has no $id", where="/$id")
        import jsonschema_rs

        try:
            validator = jsonschema_rs.Draft202012Validator(
                document, validate_formats=True, retriever=_never_fetched, pattern_options=jsonschema_rs.RegexOptions()
            )
        except ValueError as error:
            raise FormatError("the JSON Schema is not valid, or refers to a schema outside of itself") from error
        return cls(name, source, document, validator)

    def is_valid(self, document: JSON) -> bool:
        """Whether ``document`` (of ``strict_json``) is what the schema describes."""
        return self._validator.is_valid(document)

    def check(self, document: JSON) -> None:
        """Raise ``VerificationError`` (code ``schema_mismatch``) unless the document is valid; it names the first fault and counts the rest."""
        if self._validator.is_valid(document):
            return
        faults = self.faults(document)
        others = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise VerificationError(
            f"the credential is not what its schema describes: {faults[0].what}{others}", where=faults[0].pointer, code=SCHEMA_MISMATCH, report=faults
        )

    def faults(self, document: JSON) -> tuple[SchemaFault, ...]:
        """What is wrong with ``document``, at most ``MAX_SCHEMA_FAULTS`` of it, in the order of the document; empty if it is valid."""
        if self._validator.is_valid(document):
            return ()
        import jsonschema

        checker = jsonschema.FormatChecker(formats=())
        for name, conforms in _FORMATS.items():
            checker.checks(name)(conforms)
        explainer = jsonschema.Draft202012Validator(self._document, format_checker=checker)
        found = [
            SchemaFault(_pointer(error.absolute_path), str(error.validator), _sentence(str(error.validator), error.validator_value, error.instance))
            for error in islice(explainer.iter_errors(document), MAX_SCHEMA_FAULTS)
        ]
        if not found:
            # The two read a keyword differently; the fast one's verdict counts, so it has to tell where.
            found = [
                SchemaFault(_pointer(error.instance_path), str(error.schema_path[-1]), _sentence(str(error.schema_path[-1]), None, None))
                for error in islice(self._validator.iter_errors(document), MAX_SCHEMA_FAULTS)
            ]
        return tuple(sorted(found, key=lambda fault: fault.pointer))


@dataclass(frozen=True, slots=True)
class SchemaSet:
    """Schemas by URL: those that are given, and those that come with this library."""

    given: Mapping[str, Schema] = field(default_factory=lambda: MappingProxyType({}))

    def with_schemas(self, sources: Mapping[str, bytes]) -> SchemaSet:
        """These and ``sources``, which are files by the URL that a ``credentialSchema`` names them with. Raises as ``Schema.parse``."""
        return SchemaSet(MappingProxyType({**self.given, **{url: Schema.parse(source) for url, source in sources.items()}}))

    def get(self, url: str) -> Schema | None:
        """The schema at ``url``, or ``None``."""
        return self.given.get(url) or _packaged(url)

    def check(self, credential: Credential) -> tuple[str, ...]:
        """Hold a credential against every ``credentialSchema`` that it names; the URLs of the schemas that it conforms to.

        Raises ``VerificationError`` with the code ``schema_mismatch``, or ``schema_integrity`` where the credential gives a digest of
        another schema; ``UnsupportedError`` for another type of schema, or a schema that is not in the set.
        """
        checked = []
        for position, entry in enumerate(credential.schemas):
            where = f"/credentialSchema/{position}" if type(credential.raw["credentialSchema"]) is list else "/credentialSchema"
            if entry["type"] not in ("JsonSchema", ["JsonSchema"]):
                raise UnsupportedError("a credentialSchema is of another type than JsonSchema", where=f"{where}/type")
            schema = self.get(entry["id"])
            if schema is None:
                raise UnsupportedError("the schema of the credential is not known here, and schemas are never fetched", where=f"{where}/id")
            if "digestSRI" in entry or "digestMultibase" in entry:
                _check_integrity(entry, schema.source, where)
            schema.check(credential.raw)
            checked.append(schema.id)
        return tuple(checked)


# Bounded, so that a stranger's credentials cannot fill the memory with names that lead nowhere.
@lru_cache(maxsize=64)
def _packaged(url: str) -> Schema | None:
    name = url.removeprefix(PACKAGED_PREFIX)
    # Folders beside the schemas hold other things.
    if name == url or "/" in name:
        return None
    try:
        return Schema.parse(schema_file(name))
    except LookupError:
        return None


def _check_integrity(entry: JSONObject, source: bytes, where: str) -> None:
    """VC JSON Schema §6.1 (before evaluation); of several digests the strongest SRI, or any multibase one, has to fit."""
    member = mismatch(entry, digests_of(source), where)
    if member is not None:
        raise VerificationError("the schema is not the one whose digest the credential gives", where=f"{where}/{member}", code=SCHEMA_INTEGRITY)


def _never_fetched(url: str) -> Any:
    raise LookupError(f"{url} is not part of the schema")


def _is_timestamp(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        timestamps.parse(value)
    except FormatError:
        return False
    return True


def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or (value.isascii() and is_url(value))


def _is_date(value: object) -> bool:
    return not isinstance(value, str) or (len(value) == 10 and _is_timestamp(value + "T00:00:00Z"))


_FORMATS: Final[Mapping[str, Callable[[object], bool]]] = MappingProxyType({"date": _is_date, "date-time": _is_timestamp, "uri": _is_uri})
"""How an explanation tests the ``format`` values that our schemas use; the verdict has its own, faster ones, and counts."""


def _pointer(path: Any) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


_SENTENCES: Final[Mapping[str, str]] = MappingProxyType({
    "type": "not of the type {0}",
    "enum": "not one of the allowed values",
    "const": "not the one allowed value",
    "pattern": "does not match the pattern {0}",
    "format": "not in the format {0}",
    "minLength": "shorter than {0} characters",
    "maxLength": "longer than {0} characters",
    "minimum": "less than {0}",
    "maximum": "more than {0}",
    "exclusiveMinimum": "not more than {0}",
    "exclusiveMaximum": "not less than {0}",
    "multipleOf": "not a multiple of {0}",
    "minItems": "fewer than {0} items",
    "maxItems": "more than {0} items",
    "uniqueItems": "an item comes twice",
    "minProperties": "fewer than {0} members",
    "maxProperties": "more than {0} members",
    "contains": "a required item is missing",
    "anyOf": "none of the allowed forms fits",
    "oneOf": "not exactly one of the allowed forms fits",
    "not": "a form that is not allowed",
})


def _sentence(keyword: str, wanted: JSON, found: JSON) -> str:
    """What is wrong, from the schema's values and the names of members; never from the document's values."""
    if keyword == "required" and isinstance(wanted, list) and isinstance(found, dict):
        return "a required member is missing: " + ", ".join(str(name) for name in wanted if name not in found)
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        return "there is a member that the schema does not allow"
    if keyword in _SENTENCES and wanted is not None:
        return _SENTENCES[keyword].format(" or ".join(wanted) if isinstance(wanted, list) and keyword == "type" else wanted)
    return f"refused by the keyword {keyword}"
