"""Where ``did resolve`` finds what DIDs need: the directory's ledger, read without a passphrase, then HTTPS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from did_health.cli import session
from did_health.did.did import DIDURL
from did_health.did.method import LATEST, Resolution, ResolutionOptions
from did_health.did.resolution import dereference, required_urls, resolve
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import ResolutionError, TransportError
from did_health.limits import MAX_DID_LOG_BYTES
from did_health.net.fetch import HTTPSource
from did_health.roles.evidence import Need, Source
from did_health.stores.database import Database
from did_health.stores.ledger_store import LedgerStore


class PublishedDocuments:
    """What a directory's ledger serves at its institutions' URLs."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store

    def fetch(self, need: Need) -> bytes | None:
        data = self._store.document(need.url)
        if data is None and not self._store.serves(urlsplit(need.url).netloc.lower()):
            raise TransportError("the directory's ledger serves nothing of this host", where=need.url, code="host_unknown")
        return data


@contextmanager
def sources(directory: Path, allow_hosts: frozenset[str]) -> Iterator[Sequence[Source]]:
    """The directory's ledger, where there is one, and the web."""
    with ExitStack() as stack:
        found: list[Source] = []
        if (directory / "ledger.sqlite").exists():
            database = Database.open(directory / "ledger.sqlite", create=False)
            stack.callback(database.close)
            found.append(PublishedDocuments(LedgerStore(database)))
        found.append(stack.enter_context(HTTPSource(allow_hosts)))
        yield found


def resolution_of(did: str, directory: Path, allow_hosts: frozenset[str], wanted: ResolutionOptions) -> tuple[JSON, JSONObject]:
    """``(the document or the part that was asked for, the result as DID Resolution writes it)``.

    Raises ``ResolutionError``; ``TransportError`` if what the DID needs first cannot be fetched.
    """
    urls = required_urls(did)
    resources: dict[str, bytes | None] = {}
    failure: TransportError | None = None
    with sources(directory, allow_hosts) as found:
        for url in urls:
            try:
                resources[url] = _fetched(url, found)
            except TransportError as error:
                failure = failure or error
    if failure is not None and urls[0] not in resources:
        raise failure
    if _names_part(did):
        if wanted != LATEST:
            raise ResolutionError("a version is chosen in the DID URL here", where=did, hint="Write it as ?versionNumber=2", code="INVALID_OPTIONS")
        part = dereference(did, resources, now=session.now())
        content: JSON = part.content if part.content is not None else list(part.urls)
        return content, {"contentStream": content, "dereferencingMetadata": {"contentType": part.content_type}, "didDocumentMetadata": {}}
    resolution = resolve(did, resources, now=session.now(), options=wanted)
    return (document := _document(resolution)), {
        "didDocument": document,
        "didResolutionMetadata": {"contentType": resolution.content_type},
        "didDocumentMetadata": resolution.metadata.to_json(),
    }


def _names_part(did: str) -> bool:
    if set("/?#").isdisjoint(did):
        return False
    url = DIDURL.parse(did)
    return bool(url.path or url.fragment is not None or {"service", "serviceType"} & url.parameters.keys())


def _document(resolution: Resolution) -> JSONObject | None:
    return resolution.document.raw if resolution.document else None


def _fetched(url: str, found: Sequence[Source]) -> bytes | None:
    failure = TransportError("there is nowhere to look")
    for source in found:
        try:
            return source.fetch(Need(url, MAX_DID_LOG_BYTES))
        except TransportError as error:
            failure = error
    raise failure
