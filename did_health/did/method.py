"""What a DID method is to the resolver, and what it gives: options in, a document with its metadata out (DID Resolution 1.0 §4).

A new method is one module with an object of the ``Method`` interface named ``METHOD``, and one line in ``methods/table.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from did_health.did.did import DID
from did_health.did.document import DIDDocument
from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import ResolutionError

Resources = Mapping[str, bytes | None]
"""What was fetched, by URL; ``None`` where the server said that there is nothing."""


@dataclass(frozen=True, slots=True)
class ResolutionOptions:
    """Which version of the document is wanted (DID Resolution §4.1; ``version_number`` is did:webvh's).

    Where several are given, the version must be the one that each of them names; none is the latest.
    """

    version_id: str | None = None
    version_time: datetime | None = None
    version_number: int | None = None

    def __post_init__(self) -> None:
        if self.version_time is not None:
            timestamps.require_aware(self.version_time)


LATEST = ResolutionOptions()
_NOTHING: Mapping[str, JSON] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DocumentMetadata:
    """``didDocumentMetadata`` (DID Resolution §4.3). ``extra`` holds the method's own members, ready to be written as JSON."""

    created: datetime | None = None
    updated: datetime | None = None
    deactivated: bool = False
    version_id: str | None = None
    next_update: datetime | None = None
    next_version_id: str | None = None
    canonical_id: str | None = None
    equivalent_id: tuple[str, ...] = ()
    extra: Mapping[str, JSON] = field(default_factory=lambda: _NOTHING)

    def to_json(self) -> JSONObject:
        """The members that are known, under the names of the specification."""
        members: JSONObject = {
            "created": self.created and timestamps.format(self.created),
            "updated": self.updated and timestamps.format(self.updated),
            "deactivated": self.deactivated or None,
            "versionId": self.version_id,
            "nextUpdate": self.next_update and timestamps.format(self.next_update),
            "nextVersionId": self.next_version_id,
            "canonicalId": self.canonical_id,
            "equivalentId": list(self.equivalent_id) or None,
        }
        return {**self.extra, **{name: value for name, value in members.items() if value is not None}}


@dataclass(frozen=True, slots=True)
class Resolution:
    """The result of resolving ``did``.

    ``document`` is ``None`` exactly when the DID is deactivated, which is an answer, not an error; a method with a history gives the
    document of an earlier version all the same if that one was asked for.
    """

    did: DID
    document: DIDDocument | None
    metadata: DocumentMetadata = DocumentMetadata()
    content_type: str = "application/did"

    @property
    def active_document(self) -> DIDDocument:
        """The document; raises ``ResolutionError`` (code ``DEACTIVATED``) if the DID is deactivated."""
        if self.document is None:
            raise ResolutionError("the DID is deactivated", where=str(self.did), code="DEACTIVATED")
        return self.document


class Method(Protocol):
    """A DID method, without state and without input or output."""

    @property
    def name(self) -> str:
        """The name between the colons, such as ``webvh``."""

    def urls(self, did: DID) -> tuple[str, ...]:
        """What must be fetched to resolve ``did``; empty if the DID says it all.

        Raises ``ResolutionError`` (code ``INVALID_DID``) if the identifier is not one of this method.
        """

    def resolve(self, did: DID, resources: Resources, options: ResolutionOptions, now: datetime) -> Resolution:
        """The document that ``resources`` show (other URLs in it are ignored), verified as far as the method can.

        ``now`` is aware UTC time. Raises ``ResolutionError`` with a code of DID Resolution §11.
        """


@runtime_checkable
class PathMethod(Protocol):
    """A method that gives the paths of its DID URLs a meaning."""

    def path_urls(self, document: DIDDocument, path: str) -> tuple[str, ...]:
        """Where the resource at ``path`` (it starts with ``/``) of the resolved ``document`` is.

        Raises ``ResolutionError``: ``INVALID_DID_URL``, ``INVALID_DID``.
        """


def resource(resources: Resources, url: str) -> bytes:
    """What was fetched from ``url``.

    Raises ``ResolutionError``: ``NOT_FOUND`` if there is nothing at the URL, ``INTERNAL_ERROR`` if nobody fetched it.
    """
    if url not in resources:
        raise ResolutionError("what the DID needs was not fetched", where=url, code="INTERNAL_ERROR")
    content = resources[url]
    if content is None:
        raise ResolutionError("there is nothing where the DID points to", where=url, code="NOT_FOUND")
    return content


def require_latest(method: str, options: ResolutionOptions) -> None:
    """For a method without versions: raises ``ResolutionError`` (code ``FEATURE_NOT_SUPPORTED``, §4.4 step 3) if one is wanted."""
    if options != LATEST:
        raise ResolutionError(f"did:{method} knows no versions of a document", code="FEATURE_NOT_SUPPORTED")
