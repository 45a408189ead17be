"""A log as static files in C2SP tlog-tiles layout, which any web server can hand out: ``checkpoint`` and ``tile/…``.

Documents are not among them: they stay in the database, because a file for each would take longer than all the rest of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from did_health.errors import FormatError
from did_health.limits import MAX_DOCUMENT_BYTES
from did_health.stores import files
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree
from did_health.tlog.note import SignedNote
from did_health.tlog.tiles import encode_bundle, tile_content, tiles_for

CHECKPOINT = "checkpoint"
# A full bundle of the longest entries has 16 MiB and a little.
_MAX_FILE_BYTES = 256 * (MAX_DOCUMENT_BYTES // 16 + 2)


class TileFiles:
    """The published files below ``folder``. Everything but the checkpoint never changes, so writing it twice does no harm."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written = 0

    def reached(self, published: int) -> int:
        """Up to which size the tiles are surely here, of a log that has ``published`` leaves published, maybe by other processes elsewhere."""
        return min(published, max(self._written, self._checkpoint_size()))

    def _checkpoint_size(self) -> int:
        note = self.read(CHECKPOINT)
        try:
            return Checkpoint.parse(SignedNote.parse(note).text).size if note else 0
        except FormatError:
            return 0

    def write_tiles(self, tree: Tree, old_size: int, new_size: int, entries: Callable[[int, int], Sequence[bytes]]) -> None:
        """The tiles and entry bundles by which a log of ``new_size`` differs from one of ``old_size``; ``entries(start, end)`` reads leaves."""
        written: list[tuple[Path, bytes]] = []
        for tile in tiles_for(old_size, new_size):
            written.append((self._folder / tile.path, tile_content(tree, tile)))
            if tile.level == 0:
                written.append((self._folder / tile.entries_path, encode_bundle(entries(tile.start, tile.start + tile.width))))
        files.write_all(written)
        self._written = new_size

    def write_checkpoint(self, note: bytes) -> None:
        """Replace the checkpoint, when everything it commits to is there."""
        files.write_atomically(self._folder / CHECKPOINT, note)

    def read(self, path: str) -> bytes | None:
        """A file by its path below the log's prefix, which the caller has parsed as one of a tile; ``None`` if it is not published."""
        return files.read(self._folder / path, max_bytes=_MAX_FILE_BYTES)
