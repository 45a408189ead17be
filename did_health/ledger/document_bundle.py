"""The documents of a row of entries in one answer, for whoever copies a log: each document after its length in 4 bytes, big-endian.

They stand in the order of the entries, map heads' documents among them. Which documents they are is for the reader to check, by the hashes
that the entries hold. A log need not have bundles; each document can be had by its hash, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from did_health.errors import FormatError
from did_health.limits import MAX_DOCUMENT_BUNDLE_BYTES
from did_health.tlog.tiles import Tile, parse_entries_path

_LENGTH_BYTES: Final = 4
_FOLDER: Final = "documents"
_OF_ENTRIES: Final = "tile/entries"


def documents_path(tile: Tile) -> str:
    """Where the documents of the entries of a level-0 tile are, below a log's prefix: ``documents/<N>[.p/<W>]``, as C2SP tlog-tiles has paths."""
    return _FOLDER + tile.entries_path.removeprefix(_OF_ENTRIES)


def parse_documents_path(path: str) -> Tile:
    """The tile of such a path. Raises ``FormatError``."""
    if not path.startswith(f"{_FOLDER}/"):
        raise FormatError("the path is not one of a bundle of documents")
    return parse_entries_path(_OF_ENTRIES + path.removeprefix(_FOLDER))


def encode_documents(documents: Sequence[bytes]) -> bytes | None:
    """The bundle; ``None`` where it would have more than ``MAX_DOCUMENT_BUNDLE_BYTES``."""
    if sum(_LENGTH_BYTES + len(document) for document in documents) > MAX_DOCUMENT_BUNDLE_BYTES:
        return None
    return b"".join([len(document).to_bytes(_LENGTH_BYTES, "big") + document for document in documents])


def parse_documents(data: bytes, number: int) -> tuple[bytes, ...]:
    """The ``number`` documents of a bundle. Raises ``FormatError``."""
    if len(data) > MAX_DOCUMENT_BUNDLE_BYTES:
        raise FormatError(f"the bundle of documents has {len(data)} bytes, more than the {MAX_DOCUMENT_BUNDLE_BYTES} allowed")
    documents: list[bytes] = []
    position = 0
    while position < len(data):
        start = position + _LENGTH_BYTES
        position = start + int.from_bytes(data[position:start], "big")
        if position > len(data):
            raise FormatError("the bundle of documents is cut off")
        documents.append(data[start:position])
    if len(documents) != number:
        raise FormatError(f"the bundle has {len(documents)} documents, not {number}")
    return tuple(documents)
