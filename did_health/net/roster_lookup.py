"""Finding the licences of a roster's rows: what a row brings itself, and what sources have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from did_health.errors import StoreError, TransportError
from did_health.limits import MAX_DOCUMENT_BYTES, MAX_ROSTER_CANDIDATES
from did_health.net.published_licenses import PublishedLicenses
from did_health.roles.roster.found import Found
from did_health.roles.roster.lookup import NOT_FOUND, Doubt, LicenseQuery, LicenseSource
from did_health.roles.roster.row import RosterFault, RosterRow
from did_health.stores import files

_UNAVAILABLE = "source_unavailable"
_URLS = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class RosterLookup:
    """Looks rows up. ``folder`` is that of the roster, below which the files lie that its rows name; ``published`` fetches the URLs of rows.

    The sources are asked in their order, and all of them, for a licence may have a newer version in another. Safe for several threads.
    """

    folder: Path
    sources: Sequence[LicenseSource] = ()
    published: PublishedLicenses = field(default_factory=lambda: PublishedLicenses(_Nowhere(), ()))

    def asks_network(self, rows: Iterable[RosterRow | RosterFault]) -> bool:
        """Whether one of ``rows`` may make it wait for a network."""
        return self.published.has_boards or any(isinstance(row, RosterRow) and row.credential.startswith(_URLS) for row in rows)

    def found(self, row: RosterRow | RosterFault) -> Found:
        """What there is for a row; whatever fails becomes its doubt."""
        if isinstance(row, RosterFault):
            return Found(None, fault=row)
        try:
            candidates = [candidate for candidate in (self._brought(row) if row.credential else self._looked_up(row)) if candidate is not None]
        except (TransportError, StoreError) as error:
            return Found(row, doubt=Doubt(_UNAVAILABLE, f"whether there is a licence could not be told: {error.what}", error.hint))
        if not candidates:
            return Found(row, doubt=NOT_FOUND)
        if len(candidates) > MAX_ROSTER_CANDIDATES:
            return Found(row, doubt=Doubt("ambiguous", "too many licences fit the row", "Give the state, the licence number or the board"))
        if not all(map(_is_text, candidates)):
            return Found(row, doubt=Doubt("credential_malformed", "what was found for the row is no text", "Give it as JSON or as a JWT"))
        return Found(row, tuple(dict.fromkeys(candidates)))

    def _looked_up(self, row: RosterRow) -> list[bytes | None]:
        query = LicenseQuery.of(row)
        return [document for source in (*self.sources, self.published) for document in source.find(query)]

    def _brought(self, row: RosterRow) -> list[bytes | None]:
        text = row.credential
        if text.startswith(_URLS):
            return [self.published.fetch(text, row.board)]
        if text.startswith(("{", "ey")):
            return [text.encode(errors="replace")]
        folder = self.folder.resolve()
        path = (folder / text).resolve()
        # A roster comes from another department, and must not read what only this one may.
        if not path.is_relative_to(folder):
            raise StoreError("the file named in the row is not below the roster's folder", hint="Put it beside the roster", code="path_refused")
        return [files.read(path, max_bytes=MAX_DOCUMENT_BYTES)]


class _Nowhere:
    def fetch(self, need: object) -> bytes | None:  # noqa: ARG002
        raise TransportError("nothing is fetched for this roster", code="offline")


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
