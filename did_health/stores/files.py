"""Files that are whole or not there: written beside their place, made durable, then moved into it."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from did_health.errors import ConflictError, StoreError

PRIVATE = 0o600
PUBLIC = 0o644


def write_atomically(path: Path, data: bytes, *, mode: int = PUBLIC) -> None:
    """Put ``data`` at ``path``; after a crash the old content or the new one is there, whole. Raises ``StoreError``."""
    write_all([(path, data)], mode=mode)


def write_all(files: Iterable[tuple[Path, bytes]], *, mode: int = PUBLIC) -> None:
    """As ``write_atomically`` for each file, in this order, with one flush for every folder. Makes missing folders."""
    folders: dict[Path, None] = {}
    for path, data in files:
        try:
            if path.parent not in folders:
                path.parent.mkdir(parents=True, exist_ok=True)
                folders[path.parent] = None
            _replace(path, data, mode)
        except OSError as error:
            raise store_error(error, path) from error
    for folder in folders:
        try:
            _flush_folder(folder)
        except OSError as error:
            raise store_error(error, folder) from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write piece by piece, which is put in the place of ``path`` at the end of the block, durable; an exception leaves nothing behind.

    Raises ``StoreError``.
    """
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), PUBLIC)
            os.fsync(file.fileno())
        temporary.replace(path)
        temporary = None
        _flush_folder(path.parent)
    except OSError as error:
        raise store_error(error, path) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, unless it is there. Raises ``StoreError``."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise store_error(error, path) from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes and threads, which ask for it in the same way, from changing files of a folder. Raises ``StoreError``."""
    path = folder / ".lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
    except OSError as error:
        raise store_error(error, path) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise store_error(error, path) from error
        yield
    finally:
        os.close(descriptor)


def create_private(path: Path, data: bytes) -> None:
    """Write a secret file that only its owner may read; raises ``ConflictError`` if there is one, for it may be somebody's only key."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _write_beside(path, data, PRIVATE)
        try:
            # Unlike a rename, a link fails when the name is taken, also by another process a moment ago.
            os.link(temporary, path)
        finally:
            temporary.unlink()
        _flush_folder(path.parent)
    except FileExistsError as error:
        raise ConflictError("a key file is there already", where=str(path), hint="Choose another folder, or move it away", code="file_exists") from error
    except OSError as error:
        raise store_error(error, path) from error


def read(path: Path, *, max_bytes: int) -> bytes | None:
    """The file's content, or ``None`` if there is none. Raises ``StoreError``, also for a file of more than ``max_bytes``."""
    return _read(path, max_bytes, private=False)


def read_private(path: Path, *, max_bytes: int) -> bytes | None:
    """As ``read``; also raises ``StoreError`` if users outside the file's group may read or write it. Symbolic links are followed."""
    return _read(path, max_bytes, private=True)


def store_error(error: OSError, path: Path) -> StoreError:
    """What the system said, as an error of our tree."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StoreError("there is no room to write", where=str(path), hint="Free some space and try again; nothing was lost", code="store_full")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreError("the place may not be read or written", where=str(path), hint="Check its owner and permissions", code="store_read_only")
    return StoreError(f"a file could not be read or written: {error.strerror}", where=str(path), code="store_unavailable")


def _read(path: Path, max_bytes: int, *, private: bool) -> bytes | None:
    try:
        with path.open("rb") as file:
            # Of the open file, not of the name, which could change in between.
            if private and os.fstat(file.fileno()).st_mode & stat.S_IRWXO:
                raise StoreError("everybody on this machine may read or change the secret file", where=str(path), hint="Run: chmod 600", code="store_open")
            data = file.read(max_bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise store_error(error, path) from error
    if len(data) > max_bytes:
        raise StoreError(f"the file is larger than the {max_bytes} bytes allowed", where=str(path), code="store_foreign")
    return data


def _replace(path: Path, data: bytes, mode: int) -> None:
    temporary = _write_beside(path, data, mode)
    try:
        # Renaming makes it whole for readers; the folder's flush makes the name durable.
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write_beside(path: Path, data: bytes, mode: int) -> Path:
    """The data, durable, in a file of another name in the same folder."""
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
