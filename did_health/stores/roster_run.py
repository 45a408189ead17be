"""The working folder of a roster's run, beside the report's place, and the report that it becomes.

::

    <report>.partial/run.json             what is run: a run of something else does not go on here
    <report>.partial/found/000007.ndjson  what the lookup left for a chunk of rows
    <report>.partial/looked-up.json       how many chunks there are; written when the lookup is over
    <report>.partial/evidence.json        everything that was gathered, and gathered.json: when, and what could not be had
    <report>.partial/judged/000007.ndjson the results of a chunk
    <report>.partial/report/              the report in the making, moved to its place when it is whole

Every file is whole or not there, and a chunk that is there is not worked on again: a run that was killed goes on where it was.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import ConflictError, FormatError, StoreError
from did_health.limits import MAX_GATHER_BYTES, MAX_ROSTER_CHUNK_ROWS, MAX_ROSTER_REPORT_BYTES, MAX_ROSTER_RESULT_BYTES
from did_health.stores import files
from did_health.stores.files import store_error

_MAX_CHUNK: Final = MAX_ROSTER_CHUNK_ROWS * MAX_ROSTER_RESULT_BYTES
_BLOCK: Final = 1 << 20


class RosterRun:
    """One run's folder, held by one process at a time. Made by ``opened``."""

    def __init__(self, report: Path, partial: Path) -> None:
        self.report, self.partial = report, partial

    @classmethod
    @contextmanager
    def opened(cls, report: Path, identity: JSONObject) -> Iterator[RosterRun]:
        """The run for a report at ``report``: a new one, or that of the same ``identity`` that did not come to its end.

        Raises ``ConflictError`` if a report is there, or the run of something else, or another process is at it; ``StoreError``.
        """
        partial = report.with_name(f"{report.name}.partial")
        if _is_taken(report):
            raise ConflictError("there is something at the report's place already", where=str(report), hint="Name a new folder", code="file_exists")
        files.make_folder(partial)
        with _alone(partial):
            run = cls(report, partial)
            wanted = strict_json.dumps(identity, indent=True) + b"\n"
            known = files.read(partial / "run.json", max_bytes=MAX_ROSTER_REPORT_BYTES)
            if known is None:
                files.write_atomically(partial / "run.json", wanted)
            elif known != wanted:
                hint = "Give it the same roster, policy and options, or delete the folder to begin anew"
                raise ConflictError("the run that was begun here is of something else", where=str(partial), hint=hint, code="run_of_another_roster")
            yield run

    def discard(self) -> None:
        """Delete the working folder: nothing in it can become a report."""
        shutil.rmtree(self.partial, ignore_errors=True)

    # ---- chunks

    def require_chunk(self, kind: str, number: int) -> bytes:
        """A chunk of ``found`` or ``judged``. Raises ``StoreError`` if it is not there."""
        path = self._chunk_path(kind, number)
        data = files.read(path, max_bytes=_MAX_CHUNK)
        if data is None:
            raise StoreError("a part of the run is missing", where=str(path), hint="Delete the folder, and begin anew", code="store_corrupt")
        return data

    def has_chunk(self, kind: str, number: int) -> bool:
        """Whether it is there."""
        return self._chunk_path(kind, number).exists()

    def save_chunk(self, kind: str, number: int, data: bytes) -> None:
        """Keep a chunk: durable when this returns."""
        files.write_atomically(self._chunk_path(kind, number), data)

    def lines(self, kind: str, chunks: int) -> Iterator[bytes]:
        """Every line of all chunks, in order, without its end. Raises ``StoreError`` if a chunk is missing."""
        for number in range(chunks):
            yield from self.require_chunk(kind, number).splitlines()

    def _chunk_path(self, kind: str, number: int) -> Path:
        return self.partial / kind / f"{number:06}.ndjson"

    # ---- what is known of the whole

    def looked_up(self) -> tuple[int, int] | None:
        """``(chunks, rows)`` if the lookup is over."""
        document = self._document("looked-up.json")
        return None if document is None else (int(document["chunks"]), int(document["rows"]))

    def save_looked_up(self, chunks: int, rows: int) -> None:
        """The lookup is over."""
        files.write_atomically(self.partial / "looked-up.json", strict_json.dumps({"chunks": chunks, "rows": rows}))

    def gathered(self) -> tuple[bytes, datetime, dict[str, str]] | None:
        """``(the evidence as Evidence.to_json wrote it, when it was whole, what could not be had and why)`` if it was gathered."""
        document = self._document("gathered.json")
        evidence = files.read(self.partial / "evidence.json", max_bytes=2 * MAX_GATHER_BYTES)
        if document is None or evidence is None:
            return None
        return evidence, timestamps.parse(document["now"]), document["notHad"]

    def save_gathered(self, evidence: bytes, now: datetime, not_had: dict[str, str]) -> None:
        """The evidence is whole."""
        about = strict_json.dumps({"now": timestamps.format(now), "notHad": not_had})
        files.write_all([(self.partial / "evidence.json", evidence), (self.partial / "gathered.json", about)])

    def _document(self, name: str) -> JSONObject | None:
        data = files.read(self.partial / name, max_bytes=MAX_GATHER_BYTES)
        try:
            return None if data is None else strict_json.loads_object(data, what="file of a roster's run", max_bytes=MAX_GATHER_BYTES)
        except FormatError as error:
            raise StoreError("a file of the run is not what was written", where=str(self.partial / name), code="store_corrupt") from error

    # ---- the report

    def begin_report(self) -> Path:
        """An empty folder for the report's files; what a crash left of it is deleted."""
        folder = self.partial / "report"
        try:
            shutil.rmtree(folder, ignore_errors=True)
            (folder / "evidence").mkdir(parents=True)
        except OSError as error:
            raise store_error(error, folder) from error
        return folder

    def finish(self) -> None:
        """Move the report to its place, whole, and delete the working folder. Raises ``ConflictError`` if something is there by now."""
        folder = self.partial / "report"
        try:
            _flush(folder / "evidence")
            _flush(folder)
            # Over an empty folder this works, over anything else it does not.
            folder.rename(self.report)
            _flush(self.report.parent)
            shutil.rmtree(self.partial, ignore_errors=True)
        except FileExistsError as error:
            raise ConflictError("there is something at the report's place already", where=str(self.report), code="file_exists") from error
        except OSError as error:
            raise store_error(error, self.report) from error


class DigestedFile:
    """A file that is written piece by piece, and digested on the way. Durable after ``close``; used in a ``with`` statement."""

    def __init__(self, path: Path) -> None:
        self._path, self._digest = path, hashlib.sha256()
        with _as_store_error(path):
            self._file = path.open("wb", buffering=_BLOCK)

    def write(self, data: bytes) -> None:
        """One more piece. Raises ``StoreError``."""
        self._digest.update(data)
        with _as_store_error(self._path):
            self._file.write(data)

    @property
    def digest(self) -> bytes:
        """SHA-256 of what was written so far."""
        return self._digest.digest()

    def __enter__(self) -> DigestedFile:
        return self

    def __exit__(self, *_: object) -> None:
        with _as_store_error(self._path):
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
            finally:
                self._file.close()


def digest_of(path: Path) -> bytes:
    """SHA-256 of a file of any size. Raises ``StoreError``."""
    with _as_store_error(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def blocks(path: Path) -> Iterator[bytes]:
    """A file of any size in pieces. Raises ``StoreError``."""
    with _as_store_error(path), path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file of any size, without their ends. Raises ``StoreError``, also for a line that is longer than any result."""
    with _as_store_error(path), path.open("rb") as file:
        while line := file.readline(MAX_ROSTER_RESULT_BYTES + 1):
            if len(line) > MAX_ROSTER_RESULT_BYTES:
                raise StoreError("a line of the file is too long", where=str(path), code="store_foreign")
            yield line.rstrip(b"\n")


def _is_taken(report: Path) -> bool:
    with _as_store_error(report):
        return report.exists() and not (report.is_dir() and not any(report.iterdir()))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with _as_store_error(folder):
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, files.PRIVATE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConflictError("another process is at this roster", where=str(folder), hint="Wait for its end", code="run_locked") from error
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _as_store_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise store_error(error, path) from error


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
