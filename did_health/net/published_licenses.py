"""Licences that boards publish, as a source for rosters: in their public directories, and each at a URL of its own below its issuer's.

A did:webvh DID names the place below which its board publishes (``https://board.example/nc-medical/``); so does the URL of a directory. Only what is
below such a place is fetched, so that a roster can send nobody anywhere else. How a directory answers: ``roles.board_directory``.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from urllib.parse import urlsplit

from did_health.did.methods.webvh.urls import PREFIX, WebvhDID
from did_health.errors import FormatError, TransportError
from did_health.health.physician_license import PhysicianLicense
from did_health.health.public_listing import Lookup
from did_health.limits import MAX_DOCUMENT_BYTES, MAX_ROSTER_CANDIDATES, MAX_ROSTER_FAILURES
from did_health.net.board_directory import DirectoryClient
from did_health.roles.evidence import Need, Source
from did_health.roles.roster.lookup import LicenseQuery

_TYPE = PhysicianLicense.credential_type


class PublishedLicenses:
    """A ``LicenseSource`` over the directories of ``boards`` (DIDs, or URLs of directories), fetched from ``source``, which has the guards.

    A host that fails ``MAX_ROSTER_FAILURES`` times, one after the other, is not asked again. Safe for several threads. Raises ``FormatError`` for a URL
    that can be none of a directory.
    """

    def __init__(self, source: Source, boards: Sequence[str]) -> None:
        self._source = _PatientSource(source)
        places = dict.fromkeys(filter(None, map(place_of, boards)))
        self._directories = {place: DirectoryClient(place, self._source) for place in places}

    @property
    def has_boards(self) -> bool:
        """Whether there is a directory to look licences up in."""
        return bool(self._directories)

    def find(self, query: LicenseQuery) -> Sequence[bytes]:
        lookup = Lookup(number=query.license_number, type=_TYPE) if query.license_number else Lookup(npi=query.npi, type=_TYPE)
        own = place_of(query.board)
        found: list[bytes] = []
        for place, directory in self._directories.items():
            # A directory's URL need not be that of its board's DID.
            if own in self._directories and place != own:
                continue
            try:
                answer = directory.look_up(lookup, with_evidence=False)
            except FormatError as error:
                raise TransportError(f"what the board's directory answers cannot be read: {error.what}", where=place, code="malformed_response") from error
            found += [entry.issued.to_json() for entry in answer.entries]
            if answer.after or len(found) > MAX_ROSTER_CANDIDATES:
                raise TransportError("too many licences fit", where=place, hint="Give the state, the number or the board", code="too_many_found")
        return found

    def fetch(self, url: str, board: str = "") -> bytes | None:
        """What is published at ``url``, which must be below the place of one of the boards, or of ``board``; ``None`` if nothing is.

        Raises ``TransportError``.
        """
        allowed = [*self._directories, *filter(None, [place_of(board)])]
        if not any(_is_below(url, place) for place in allowed):
            raise TransportError("the URL is not below that of a board", hint="Name the board by --board, or in the row's board column", code="url_refused")
        return self._source.fetch(Need(url, MAX_DOCUMENT_BYTES))


class _PatientSource:
    """A source that gives up on hosts that fail."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._failures: dict[str, int] = {}
        self._lock = Lock()

    def fetch(self, need: Need) -> bytes | None:
        host = urlsplit(need.url).netloc.lower()
        if self._failures.get(host, 0) >= MAX_ROSTER_FAILURES:
            raise TransportError(f"{host} failed {MAX_ROSTER_FAILURES} times and was not asked again", hint="Run it again later", code="host_failing")
        try:
            answer = self._source.fetch(need)
        except TransportError:
            self._count(host, self._failures.get(host, 0) + 1)
            raise
        self._count(host, 0)
        return answer

    def _count(self, host: str, failures: int) -> None:
        with self._lock:
            self._failures[host] = failures


def place_of(board: str) -> str:
    """The URL below which a board (a DID, or the URL of its directory) publishes; empty for a DID that names none."""
    if board.startswith(("https://", "http://")):
        return f"{board.rstrip('/')}/"
    if not board.startswith(PREFIX):
        return ""
    try:
        return WebvhDID.parse(board).base_url
    except FormatError:
        return ""


def _is_below(url: str, place: str) -> bool:
    # Dot segments would lead out again.
    return url.startswith(place) and ".." not in url and "%2e" not in url.lower()
