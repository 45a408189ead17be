"""FHIR R4 JSON as it arrives: NDJSON (one resource a line), a Bundle, or a single resource. Streaming for NDJSON, bounded for all.

Nothing here raises for what the input holds: a row that cannot be read becomes a ``RowError`` and the next row is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from did_health.encoding import strict_json
from did_health.encoding.lines import Line, split_lines
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.health.fhir.rows import RowError
from did_health.limits import MAX_FHIR_DOCUMENT_BYTES, MAX_FHIR_RESOURCE_BYTES, MAX_FHIR_SKIPPED_BYTES


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource and the row that it stands in."""

    row: int
    body: JSONObject

    @property
    def type(self) -> str:
        """``resourceType``."""
        return str(self.body["resourceType"])

    @property
    def id(self) -> str:
        """The resource's id; empty if it has none."""
        value = self.body.get("id")
        return value if isinstance(value, str) else ""


def read_resources(data: bytes | Iterable[bytes]) -> Iterator[Resource | RowError]:
    """The resources in ``data``: bytes, or chunks of bytes cut anywhere (an open binary file is such a thing).

    The form is found out from the first two lines that are not empty: a second line that is a JSON object on its own makes it NDJSON.
    Only NDJSON is read in constant memory; anything else is read as a whole, up to ``MAX_FHIR_DOCUMENT_BYTES``.
    """
    lines = (line for line in split_lines((data,) if isinstance(data, bytes) else data, MAX_FHIR_DOCUMENT_BYTES, MAX_FHIR_SKIPPED_BYTES) if line.content != b"")
    head = tuple(islice(lines, 2))
    if len(head) == 2 and any(_is_object(line) for line in head):
        yield from _ndjson(chain(head, lines))
    elif head:
        yield from _document(chain(head, lines))


def _is_object(line: Line) -> bool:
    return line.content is not None and line.content.startswith(b"{") and line.content.endswith(b"}")


def _ndjson(lines: Iterable[Line]) -> Iterator[Resource | RowError]:
    for line in lines:
        try:
            if line.content is None:
                raise FormatError(f"the line has more than {MAX_FHIR_DOCUMENT_BYTES} bytes")
            resource = Resource(line.number, _resource(strict_json.loads(line.content, what="line", max_bytes=MAX_FHIR_RESOURCE_BYTES)))
            if resource.type == "Bundle":
                raise FormatError("a Bundle stands in a line of NDJSON", hint="Read each Bundle as a file of its own")
            yield resource
        except FormatError as error:
            yield RowError(line.number, "", error.what, error.hint or "Correct or remove this line")


def _document(lines: Iterable[Line]) -> Iterator[Resource | RowError]:
    """A Bundle or a single resource, over one or many lines."""
    kept: list[Line] = []
    size = 0
    for line in lines:
        size += len(line.content or b"") + 1
        if line.content is None or size > MAX_FHIR_DOCUMENT_BYTES:
            yield RowError(1, "", f"the document has more than {MAX_FHIR_DOCUMENT_BYTES} bytes", "Write it as NDJSON, one resource a line")
            return
        kept.append(line)
    try:
        text = b"\n".join(line.content or b"" for line in kept)
        resource = Resource(1, _resource(strict_json.loads(text, what="document", max_bytes=MAX_FHIR_DOCUMENT_BYTES)))
    except FormatError as error:
        if len(kept) > 1 and any(map(_is_object, kept)):  # NDJSON whose first rows are broken
            yield from _ndjson(kept)
        else:
            yield RowError(1, "", error.what, error.hint or "FHIR R4 JSON is read: NDJSON, a Bundle, or one resource")
        return
    if resource.type == "Bundle":
        yield from _bundle(resource.body)
    else:
        yield resource


def _bundle(body: JSONObject) -> Iterator[Resource | RowError]:
    entries = body.get("entry", [])
    if not isinstance(entries, list):
        yield RowError(1, "entry", "the entries of the Bundle are not a list")
        return
    for row, entry in enumerate(entries, start=1):
        try:
            yield Resource(row, _resource(entry.get("resource") if isinstance(entry, dict) else None))
        except FormatError as error:
            yield RowError(row, "resource", error.what, error.hint)


def _resource(body: JSON) -> JSONObject:
    if not isinstance(body, dict) or not isinstance(body.get("resourceType"), str):
        raise FormatError("this is not a FHIR resource: it has no resourceType")
    return body
