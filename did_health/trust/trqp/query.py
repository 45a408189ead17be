"""Queries of TRQP 2.0 (sections "Authorization Query Schema", "Recognition Query Schema" and "Identifiers").

An authorization query asks: does the authority authorize the entity to take the action on the resource? A recognition query asks: does it
recognize the entity, another authority, to be authoritative for them? Members of ``context`` narrow either; those that are known here:

- ``time``: the moment as of which the authority's statement has to be valid (RFC 3339, in UTC); absent or empty, it is now;
- ``jurisdiction`` (``US-NC``) and ``profession`` (``MD``), our own: where, and for whom. The specification leaves such conditions to profiles.

What is not known is not looked at, and the answer names it (``ignored``): a yes is a yes to what was looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.limits import MAX_TRQP_CONTEXT_CHARACTERS, MAX_TRQP_CONTEXT_MEMBERS, MAX_TRQP_QUERY_BYTES
from did_health.trust.trqp.identifiers import identifier

TIME: Final = "time"
JURISDICTION: Final = "jurisdiction"
PROFESSION: Final = "profession"
KNOWN_CONTEXT: Final = (TIME, JURISDICTION, PROFESSION)
_MEMBERS: Final = ("entity_id", "authority_id", "action", "resource")
_NO_CONTEXT: Final[Mapping[str, str]] = MappingProxyType({})
# "RFC3339 required, using only Z (+00:00) offset": the schema's words for ``time``.
_UTC: Final = ("Z", "+00:00")
_CONDITIONS: Final = MappingProxyType({
    JURISDICTION: re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?"),
    PROFESSION: re.compile(r"[A-Za-z][A-Za-z.-]{1,15}"),
})


class QueryKind(StrEnum):
    """What is asked; the value is the path of the HTTPS binding."""

    AUTHORIZATION = "authorization"
    RECOGNITION = "recognition"


@dataclass(frozen=True, slots=True)
class Query:
    """One question. ``context`` is as it was sent; ``unknown`` names members of the query that no version known here has.

    Raises ``FormatError`` that names the member by its JSON pointer.
    """

    kind: QueryKind
    entity: str
    authority: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=lambda: _NO_CONTEXT)
    unknown: tuple[str, ...] = ()
    time: datetime | None = field(init=False)
    """The moment that ``context`` names (aware UTC)."""

    def __post_init__(self) -> None:
        # "For a recognition … statement, the entity_id MUST also be an authority_id."
        identifier(self.entity, "/entity_id", unique=self.kind is QueryKind.RECOGNITION)
        identifier(self.authority, "/authority_id", unique=True)
        identifier(self.action, "/action")
        identifier(self.resource, "/resource")
        if len(self.context) > MAX_TRQP_CONTEXT_MEMBERS:
            raise FormatError(f"the context has more than {MAX_TRQP_CONTEXT_MEMBERS} members", where="/context")
        for name, value in self.context.items():
            if not isinstance(value, str) or len(name) + len(value) > MAX_TRQP_CONTEXT_CHARACTERS:
                what = f"a member of the context is no string, or has more than {MAX_TRQP_CONTEXT_CHARACTERS} characters"
                raise FormatError(what, where=pointer("context", name))
        object.__setattr__(self, "time", _moment(self.context.get(TIME, "")))

    @classmethod
    def asking(
        cls, kind: QueryKind, *, entity: str, authority: str, action: str, resource: str,
        at: datetime | None = None, jurisdiction: str | None = None, profession: str | None = None,
    ) -> Query:  # fmt: skip
        """The question in our own words; ``at`` is cut to whole seconds. Raises ``FormatError``."""
        given = {TIME: timestamps.format(at) if at else None, JURISDICTION: jurisdiction, PROFESSION: profession}
        return cls(kind, entity, authority, action, resource, MappingProxyType({name: value for name, value in given.items() if value is not None}))

    @classmethod
    def parse(cls, kind: QueryKind, data: bytes) -> Query:
        """Read the body of a request. Raises ``FormatError``."""
        document = strict_json.loads_object(data, what="TRQP query", max_bytes=MAX_TRQP_QUERY_BYTES)
        entity, authority, action, resource = (_text(document, name) for name in _MEMBERS)
        context: JSON = document.get("context", {})
        if not isinstance(context, dict):
            raise FormatError("the context is not a JSON object", where="/context")
        unknown = tuple([name for name in document if name not in (*_MEMBERS, "context")])
        return cls(kind, entity, authority, action, resource, MappingProxyType(context), unknown)

    def to_json(self) -> bytes:
        """The body of a request."""
        return strict_json.dumps(self.to_object())

    def to_object(self) -> JSONObject:
        """The members of ``to_json``, which an answer repeats; ``context`` is left out where there is none."""
        document: JSONObject = dict(zip(_MEMBERS, (self.entity, self.authority, self.action, self.resource), strict=True))
        return document | ({"context": dict(self.context)} if self.context else {})

    @property
    def ignored(self) -> tuple[str, ...]:
        """JSON pointers to what is not looked at."""
        return (*(pointer(name) for name in self.unknown), *(pointer("context", name) for name in self.context if name not in KNOWN_CONTEXT))

    def condition(self, name: str) -> str | None:
        """The condition ``name`` (``JURISDICTION`` or ``PROFESSION``), or ``None`` if there is none. Raises ``FormatError`` for one that means nothing here."""
        value = self.context.get(name)
        if value is not None and not _CONDITIONS[name].fullmatch(value):
            hint = "Write a jurisdiction as US-NC, and a profession as MD"
            raise FormatError("a condition of the context means nothing here", where=pointer("context", name), hint=hint)
        return value


def pointer(*names: str) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def _text(document: JSONObject, name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise FormatError("the query lacks a string", where=pointer(name))
    return value


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    where = pointer("context", TIME)
    try:
        moment = timestamps.parse(text)
    except FormatError as error:
        raise FormatError("the time is not one of RFC 3339", where=where, hint="Write it as 2026-01-31T13:45:00Z") from error
    if not text.endswith(_UTC):
        raise FormatError("the time is not in UTC", where=where, hint="Write it as 2026-01-31T13:45:00Z")
    return moment
