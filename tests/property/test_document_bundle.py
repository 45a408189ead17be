"""Bundles of documents: what was put together is taken apart again, and garbage gives ``FormatError`` and nothing else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError
from did_health.ledger.document_bundle import documents_path, encode_documents, parse_documents, parse_documents_path
from did_health.tlog.tiles import Tile

QUICK = settings(max_examples=100, deadline=None)


@QUICK
@given(documents=st.lists(st.binary(max_size=300), min_size=1, max_size=20))
def test_what_was_put_together_is_taken_apart_again(documents: list[bytes]) -> None:
    data = encode_documents(documents)
    assert data is not None
    assert parse_documents(data, len(documents)) == tuple(documents)


@QUICK
@given(data=st.binary(max_size=60), number=st.integers(0, 4))
def test_garbage_is_refused(data: bytes, number: int) -> None:
    try:
        documents = parse_documents(data, number)
    except FormatError:
        return
    assert encode_documents(documents) == data


@QUICK
@given(text=st.text(max_size=30) | st.from_regex(r"documents/(x[0-9]{3}/)?[0-9]{3}(\.p/[0-9]{1,3})?", fullmatch=True))
def test_a_path_has_one_spelling_or_is_refused(text: str) -> None:
    try:
        tile = parse_documents_path(text)
    except FormatError:
        return
    assert documents_path(tile) == text


@QUICK
@given(index=st.integers(0, 10**9), width=st.integers(1, 256))
def test_every_tile_has_a_path(index: int, width: int) -> None:
    tile = Tile(0, index, width)
    assert parse_documents_path(documents_path(tile)) == tile
