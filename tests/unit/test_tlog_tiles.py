from __future__ import annotations

import pytest

from did_health.errors import FormatError
from did_health.limits import MAX_ENTRY_BYTES
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.tiles import (
    Tile,
    encode_bundle,
    entries_path,
    parse_bundle,
    parse_entries_path,
    parse_tile,
    parse_tile_path,
    tile_content,
    tile_path,
    tiles_for,
)

LEAVES = [leaf_hash(b"%d" % number) for number in range(70_000)]
TREE = Tree.from_leaf_hashes(LEAVES)


def test_the_path_of_the_specification() -> None:
    assert tile_path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert entries_path(1_000, 7) == "tile/entries/x001/000.p/7"


def test_a_tree_of_70000_leaves_has_the_tiles_that_the_specification_counts() -> None:
    tiles = tiles_for(0, 70_000)
    full = [sum(tile.width == 256 for tile in tiles if tile.level == level) for level in range(4)]
    partial = [tile for tile in tiles if tile.width < 256]
    assert full == [273, 1, 0, 0]
    assert partial == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert tiles_for(0, 256) == [Tile(0, 0), Tile(1, 0, 1)]


def test_growth_writes_exactly_the_tiles_that_were_not_there() -> None:
    sizes = [0, 1, 2, 255, 256, 257, 512, 700, 65_535, 65_536, 65_537, 70_000]
    for old in sizes:
        for new in sizes:
            if new >= old:
                assert sorted(tiles_for(old, new)) == sorted(set(tiles_for(0, new)) - set(tiles_for(0, old)))


def test_nothing_to_write_without_growth() -> None:
    assert tiles_for(0, 0) == tiles_for(300, 300) == tiles_for(300, 20) == []


def test_each_level_hashes_the_full_tiles_below_it() -> None:
    assert tile_content(TREE, Tile(0, 1)) == b"".join(LEAVES[256:512])
    level_1 = parse_tile(tile_content(TREE, Tile(1, 1, 17)), 17)
    for number, value in enumerate(level_1, 256):
        assert value == Tree.from_leaf_hashes(parse_tile(tile_content(TREE, Tile(0, number)))).root()
    assert tile_content(TREE, Tile(2, 0, 1)) == TREE.root(65_536)
    for tile in tiles_for(0, 70_000):
        assert len(tile_content(TREE, tile)) == 32 * tile.width
    with pytest.raises(ValueError, match="no subtrees"):
        tile_content(TREE, Tile(0, 273, 113))


def test_tiles_and_bundles_that_cannot_be() -> None:
    for level, index, width in ((-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257), (0, 1 << 63, 1)):
        with pytest.raises(ValueError, match="no tile"):
            tile_path(level, index, width)
    with pytest.raises(ValueError, match="level 0"):
        _ = Tile(1, 0).entries_path


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        ("empty", ""),
        ("no prefix", "0/000"),
        ("no index", "tile/0"),
        ("leading zero in level", "tile/00/000"),
        ("level 64", "tile/64/000"),
        ("short group", "tile/0/01"),
        ("long group", "tile/0/0001"),
        ("group too many", "tile/0/x000/001"),
        ("x on the last group", "tile/0/x001"),
        ("no x before the last group", "tile/0/001/002"),
        ("width 0", "tile/0/000.p/0"),
        ("width 256", "tile/0/000.p/256"),
        ("leading zero in width", "tile/0/000.p/01"),
        ("no width", "tile/0/000.p/"),
        ("two widths", "tile/0/000.p/1.p/1"),
        ("query", "tile/0/000?"),
        ("parent folder", "tile/0/../000"),
        ("bundle", "tile/entries/000"),
        ("index of 2^63", "tile/0/x009/x223/x372/x036/x854/x775/808"),
    ],
)
def test_malformed_tile_path(fault: str, path: str) -> None:
    with pytest.raises(FormatError):
        parse_tile_path(path)


@pytest.mark.parametrize("path", ["", "tile/0/000", "tile/entries/0", "tile/entries/x000/001", "tile/entries/000.p/256", "tile/entries/000.p/x"])
def test_malformed_bundle_path(path: str) -> None:
    with pytest.raises(FormatError):
        parse_entries_path(path)


def test_paths_read_as_written() -> None:
    for tile in (Tile(0, 0), Tile(63, 999_999, 255), Tile(2, 1_000, 1), Tile(0, (1 << 63) - 1)):
        assert parse_tile_path(tile.path) == tile
    assert parse_entries_path(entries_path(123_456, 3)) == Tile(0, 123_456, 3)


def test_bundles_read_as_written() -> None:
    for entries in ((b"",), (b"one", b"", b"three"), (b"x" * MAX_ENTRY_BYTES,), tuple([b"e"] * 256)):
        assert parse_bundle(encode_bundle(entries)) == parse_bundle(encode_bundle(entries), len(entries)) == entries


def test_bundles_too_large_or_empty_are_the_callers_mistake() -> None:
    for entries in ([], [b""] * 257, [b"x" * (MAX_ENTRY_BYTES + 1)]):
        with pytest.raises(ValueError, match="bundle"):
            encode_bundle(entries)


@pytest.mark.parametrize(
    ("fault", "data", "width"),
    [
        ("empty", b"", None),
        ("half a length", b"\0", None),
        ("cut entry", b"\0\3on", None),
        ("cut after a whole entry", b"\0\1a\0", None),
        ("257 entries", b"\0\0" * 257, None),
        ("fewer than asked", b"\0\0", 2),
        ("more than asked", b"\0\0\0\0", 1),
    ],
)
def test_malformed_bundle(fault: str, data: bytes, width: int | None) -> None:
    with pytest.raises(FormatError):
        parse_bundle(data, width)


def test_a_tile_of_another_length_is_malformed() -> None:
    for data, width in ((b"", 1), (bytes(31), 1), (bytes(64), 1), (bytes(32), 256)):
        with pytest.raises(FormatError):
            parse_tile(data, width)
