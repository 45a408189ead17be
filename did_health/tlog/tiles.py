"""Tiled logs, C2SP tlog-tiles v0.1.0: which static resources a tree of some size consists of, their paths and their bytes.

A tile holds up to 256 hashes: at level 0 of leaves, at level L of full tiles of level L−1. An entry bundle holds the entries of the
level-0 tile with the same index and width. A tile of fewer than 256 hashes is *partial*; once full, nothing of it changes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from did_health.errors import FormatError
from did_health.limits import MAX_ENTRY_BYTES, MAX_TREE_SIZE
from did_health.tlog.lines import HASH_BYTES, parse_decimal
from did_health.tlog.merkle import Tree

FULL_WIDTH: Final = 256
MAX_LEVEL: Final = 63
TILE_HEIGHT: Final = 8
"""Tree levels that one tile spans: 256 = 2^8."""
_LENGTH_BYTES: Final = 2


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Tile ``index`` of ``level``, ``width`` hashes wide. Raises ``ValueError`` for a tile that cannot be."""

    level: int
    index: int
    width: int = FULL_WIDTH

    def __post_init__(self) -> None:
        if not (0 <= self.level <= MAX_LEVEL and 0 <= self.index <= MAX_TREE_SIZE and 1 <= self.width <= FULL_WIDTH):
            raise ValueError(f"there is no tile {self.index} of width {self.width} at level {self.level}")

    @property
    def path(self) -> str:
        """``tile/<L>/<N>[.p/<W>]``, to append to the log's prefix."""
        return f"tile/{self.level}/{_index_path(self.index, self.width)}"

    @property
    def entries_path(self) -> str:
        """``tile/entries/<N>[.p/<W>]`` of the bundle with this tile's leaves. Raises ``ValueError`` above level 0."""
        if self.level:
            raise ValueError("only tiles of level 0 have entries")
        return f"tile/entries/{_index_path(self.index, self.width)}"

    @property
    def start(self) -> int:
        """The number, within the level, of the tile's first hash; at level 0 the index of its first entry."""
        return self.index * FULL_WIDTH


def tile_path(level: int, index: int, width: int = FULL_WIDTH) -> str:
    """The path of a tile (§ Merkle Tree). Raises ``ValueError`` for a tile that cannot be."""
    return Tile(level, index, width).path


def entries_path(index: int, width: int = FULL_WIDTH) -> str:
    """The path of an entry bundle (§ Log entries). Raises ``ValueError`` for a bundle that cannot be."""
    return Tile(0, index, width).entries_path


def parse_tile_path(path: str) -> Tile:
    """The tile of a path ``tile/<L>/<N>[.p/<W>]``. Raises ``FormatError`` for any other spelling."""
    level, _, rest = _after(path, "tile/").partition("/")
    tile = _parse_index(parse_decimal(level, "tile's level"), rest)
    if tile.path != path:
        raise FormatError("the path is not the canonical path of a tile")
    return tile


def parse_entries_path(path: str) -> Tile:
    """The level-0 tile that belongs to the bundle of a path ``tile/entries/<N>[.p/<W>]``. Raises ``FormatError`` for any other spelling."""
    tile = _parse_index(0, _after(path, "tile/entries/"))
    if tile.entries_path != path:
        raise FormatError("the path is not the canonical path of an entry bundle")
    return tile


def tiles_for(old_size: int, new_size: int) -> list[Tile]:
    """The tiles to write when a tree grows from ``old_size`` to ``new_size``, lowest level first; those of level 0 are also the bundles.

    Full tiles that the growth completed, and the partial tiles of ``new_size`` that ``old_size`` did not have (§ Partial Tiles).
    """
    tiles: list[Tile] = []
    level = 0
    while new_size:
        full, partial = divmod(new_size, FULL_WIDTH)
        if new_size > old_size:
            tiles += [Tile(level, index) for index in range(old_size // FULL_WIDTH, full)]
            if partial:
                tiles.append(Tile(level, full, partial))
        level, old_size, new_size = level + 1, old_size >> TILE_HEIGHT, full
    return tiles


def tile_content(tree: Tree, tile: Tile) -> bytes:
    """The tile's hashes side by side, 32 bytes each. Raises ``ValueError`` if the tree is too small for it."""
    return tree.subtree_hashes(TILE_HEIGHT * tile.level, tile.start, tile.start + tile.width)


def parse_tile(data: bytes, width: int = FULL_WIDTH) -> tuple[bytes, ...]:
    """The hashes of a tile of ``width``. Raises ``FormatError`` for another length."""
    if len(data) != width * HASH_BYTES:
        raise FormatError(f"a tile of width {width} has {width * HASH_BYTES} bytes, not {len(data)}")
    return tuple([data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)])


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """An entry bundle: each entry after its length in 2 bytes, big-endian. Raises ``ValueError`` for an entry or a bundle too large."""
    if not 1 <= len(entries) <= FULL_WIDTH or any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise ValueError(f"a bundle holds 1 to {FULL_WIDTH} entries of at most {MAX_ENTRY_BYTES} bytes")
    return b"".join([len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries])


def parse_bundle(data: bytes, width: int | None = None) -> tuple[bytes, ...]:
    """The entries of a bundle, ``width`` of them if given. Raises ``FormatError``."""
    entries: list[bytes] = []
    position = 0
    while position < len(data):
        start = position + _LENGTH_BYTES
        position = start + int.from_bytes(data[position:start], "big")
        if start > len(data) or position > len(data) or len(entries) == FULL_WIDTH:
            raise FormatError("the entry bundle is cut off or has too many entries")
        entries.append(data[start:position])
    if not entries or width not in (None, len(entries)):
        raise FormatError("the entry bundle does not have the entries it should have")
    return tuple(entries)


def _index_path(index: int, width: int) -> str:
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    path = "/".join(reversed(groups))
    return path if width == FULL_WIDTH else f"{path}.p/{width}"


def _after(path: str, prefix: str) -> str:
    if not path.startswith(prefix):
        raise FormatError(f"the path does not start with {prefix}")
    return path.removeprefix(prefix)


def _parse_index(level: int, text: str) -> Tile:
    """Reads loosely: only the caller's comparison with the tile's own path makes the parser strict (``.p/256``, ``x000/001`` …)."""
    number, partial, width = text.partition(".p/")
    digits = number.replace("/", "").replace("x", "").lstrip("0") or "0"
    try:
        return Tile(level, parse_decimal(digits, "tile's index"), parse_decimal(width, "tile's width") if partial else FULL_WIDTH)
    except ValueError as error:
        raise FormatError("there is no such tile") from error
