"""Licences in files, as a source for rosters: folders, NDJSON, or single files, each document as its board gave it out.

Where in which file a licence stands is noted once in an index (SQLite), so that a register of any size is looked up in constant memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from did_health.errors import FormatError, StoreError, UnsupportedError, VerificationError
from did_health.limits import MAX_DOCUMENT_BYTES, MAX_ROSTER_CANDIDATES
from did_health.roles.documents import parse_document
from did_health.roles.roster.lookup import Claims, LicenseQuery
from did_health.stores import files
from did_health.stores.files import store_error

_LINES: Final = (".ndjson", ".jsonl")
_SUFFIXES: Final = (".json", ".jwt", *_LINES)
_LONGEST: Final = MAX_DOCUMENT_BYTES + 2
_SCHEMA: Final = """
CREATE TABLE files (id INTEGER PRIMARY KEY, path TEXT NOT NULL);
CREATE TABLE licenses (npi TEXT NOT NULL, number TEXT NOT NULL, file INTEGER NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL);
"""
_INDICES: Final = "CREATE INDEX by_npi ON licenses (npi); CREATE INDEX by_number ON licenses (number);"


class LicenseFiles:
    """A ``LicenseSource`` over ``places`` (files, and folders of which every .json, .jwt, .ndjson and .jsonl file below them is read).

    ``index`` is a file to write the index into, made anew; it may be deleted after ``close``. ``unreadable`` names what holds no credential that can be
    read. Raises ``StoreError`` for a place that is not there.
    """

    def __init__(self, places: Sequence[Path], index: Path) -> None:
        self.unreadable: list[str] = []
        self._lock = Lock()
        with _sqlite_errors(index):
            index.unlink(missing_ok=True)
            self._index = sqlite3.connect(index, isolation_level=None, check_same_thread=False)
            # Nothing of it has to last: it is made anew.
            self._index.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_SCHEMA}")
            self._index.execute("BEGIN")
            for path in _paths(places):
                self._note(path)
            self._index.execute("COMMIT")
            self._index.executescript(_INDICES)

    def find(self, query: LicenseQuery) -> Sequence[bytes]:
        column, value = ("number", query.license_number) if query.license_number else ("npi", query.npi)
        if not value:
            return ()
        with self._lock, _sqlite_errors(None):
            # Which of the two columns stands here is decided above.
            text = f"SELECT path, start, length FROM licenses JOIN files ON file = files.id WHERE {column} = ?"  # noqa: S608
            places = self._index.execute(text, (value,)).fetchall()
        found: list[bytes] = []
        for path, start, length in places:
            document = _read(Path(path), start, length)
            try:
                claims = Claims.of(parse_document(document).parts[0].credential)
            except (FormatError, UnsupportedError, VerificationError) as error:
                raise StoreError("a file of licences was changed while it was read", where=path, hint="Run it again", code="store_changed") from error
            if claims.is_asked_for(query):
                found.append(document)
            if len(found) > MAX_ROSTER_CANDIDATES:
                raise StoreError(f"more than {MAX_ROSTER_CANDIDATES} licences fit", hint="Give the state, the number or the board", code="too_many_found")
        return found

    def close(self) -> None:
        """Give back the index."""
        self._index.close()

    def _note(self, path: Path) -> None:
        number = self._index.execute("INSERT INTO files (path) VALUES (?)", (str(path),)).lastrowid
        for start, document in _documents(path):
            try:
                parsed = parse_document(document) if document is not None else None
            except (FormatError, UnsupportedError, VerificationError):
                parsed = None
            if document is None or parsed is None or parsed.presentation is not None or len(parsed.parts) != 1:
                self.unreadable.append(f"{path.name} at byte {start}")
                continue
            claims = Claims.of(parsed.parts[0].credential)
            self._index.execute("INSERT INTO licenses VALUES (?, ?, ?, ?, ?)", (claims.npi, claims.number, number, start, len(document)))


def _paths(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            yield from sorted(path for path in place.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
        elif place.is_file():
            yield place
        else:
            raise StoreError("there is no such file or folder", where=str(place), hint="Check the path", code="store_missing")


def _documents(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Where each document begins, and the document; ``None`` for one that is too large."""
    if path.suffix not in _LINES:
        try:
            yield 0, files.read(path, max_bytes=MAX_DOCUMENT_BYTES)
        except StoreError as error:
            if error.code != "store_foreign":
                raise
            yield 0, None
        return
    try:
        with path.open("rb") as file:
            while line := file.readline(_LONGEST):
                start = file.tell() - len(line)
                whole = len(line) < _LONGEST
                while line and not whole and not line.endswith(b"\n"):
                    line = file.readline(_LONGEST)
                if not whole:
                    yield start, None
                elif stripped := line.strip():
                    yield start + line.index(stripped), stripped
    except OSError as error:
        raise store_error(error, path) from error


def _read(path: Path, start: int, length: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(length)
    except OSError as error:
        raise store_error(error, path) from error


@contextmanager
def _sqlite_errors(path: Path | None) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the index of licences failed: {error}", where=str(path or ""), code="store_unavailable") from error
    except OSError as error:
        raise store_error(error, path or Path()) from error
