"""Pins in a file, shared by the processes of a machine and kept when they end; see ``roles.pins``.

::

    {"format": "did-health/pins/v1", "pins": {"ledger.example": {"size": 12, "root": "…", "seenAt": "2026-03-01T12:00:00Z"}}}
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Final

from did_health.encoding import strict_json, timestamps
from did_health.encoding.base64 import base64_decode, base64_encode
from did_health.errors import FormatError, StoreError
from did_health.limits import MAX_KEY_FILE_BYTES, MAX_TREE_SIZE
from did_health.roles.pins import Pin
from did_health.stores import files

FORMAT: Final = "did-health/pins/v1"
_ROOT_BYTES: Final = 32
_UNWRITABLE: Final = frozenset({"store_full", "store_read_only"})
_Seen = tuple[int, int, int] | None


class FilePins:
    """The pins in the file at ``path``, which is made with the first of them.

    A file that cannot be written (full disk, read-only medium) ends no verification: what is new is then remembered by this object
    only, and ``unsaved`` says why. Raises ``StoreError`` for a file that cannot be read, or is something else: to go on without it
    would be to forget what was seen.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._seen: _Seen = None
        self._kept: Mapping[str, Pin] = MappingProxyType({})
        self._own: dict[str, Pin] = {}
        self.unsaved: StoreError | None = None
        """Why the newest pins are not in the file, if they are not."""

    def get(self, origin: str) -> Pin | None:
        with self._lock:
            return self._get(origin)

    def replace(self, origin: str, old: Pin | None, new: Pin) -> bool:
        # The file has whole seconds; later is the side on which nothing is refused wrongly.
        if new.seen_at.microsecond:
            new = replace(new, seen_at=new.seen_at.replace(microsecond=0) + timedelta(seconds=1))
        with self._lock:
            try:
                files.make_folder(self._path.parent)
                with files.locked(self._path.parent):
                    if self._get(origin) != old:
                        return False
                    files.write_atomically(self._path, _encode({**self._kept, **self._own, origin: new}))
            except StoreError as error:
                if error.code not in _UNWRITABLE:
                    raise
                self.unsaved = error
                self._own[origin] = new
                return True
            self._own.clear()
            self.unsaved = None
            return True

    def _get(self, origin: str) -> Pin | None:
        self._read()
        kept, own = self._kept.get(origin), self._own.get(origin)
        return own if kept is None or (own is not None and own.size > kept.size) else kept

    def _read(self) -> None:
        """The file anew, if it is another than the one that was read last: it is only ever replaced."""
        try:
            found = os.stat(self._path)
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        except OSError:
            seen = None
        if seen is not None and seen == self._seen:
            return
        data = files.read(self._path, max_bytes=MAX_KEY_FILE_BYTES)
        self._kept = MappingProxyType({}) if data is None else _parse(self._path, data)
        self._seen = seen


def _encode(pins: Mapping[str, Pin]) -> bytes:
    return strict_json.dumps({
        "format": FORMAT,
        "pins": {
            origin: {"size": pin.size, "root": base64_encode(pin.root), "seenAt": timestamps.format(pin.seen_at)} for origin, pin in pins.items()
        },
    }, indent=True)


def _parse(path: Path, data: bytes) -> Mapping[str, Pin]:
    try:
        document = strict_json.loads_object(data, what="file of pins")
        entries = document.get("pins")
        if document.get("format") != FORMAT or not isinstance(entries, dict):
            raise FormatError("the file does not hold pins")
        return MappingProxyType({origin: _pin(entry) for origin, entry in entries.items()})
    except FormatError as error:
        hint = "Restore it from a copy; to start anew, knowing nothing of what was seen before, move it away"
        raise StoreError(f"the file of pins is malformed: {error.what}", where=str(path), hint=hint, code="store_foreign") from error


def _pin(entry: object) -> Pin:
    if not isinstance(entry, dict):
        raise FormatError("a pin is not an object")
    size, root, seen_at = entry.get("size"), entry.get("root"), entry.get("seenAt")
    if type(size) is not int or not 0 <= size <= MAX_TREE_SIZE or not isinstance(root, str) or not isinstance(seen_at, str):
        raise FormatError("a pin has a size, a root and a time")
    raw = base64_decode(root, what="pinned root")
    if len(raw) != _ROOT_BYTES:
        raise FormatError("a pinned root has 32 bytes")
    return Pin(size, raw, timestamps.parse(seen_at))
