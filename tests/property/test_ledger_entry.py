"""The parsers of the ledger: whatever comes in, one entry or one refusal comes out."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.encoding import cbor
from did_health.errors import FormatError, UnsupportedError
from did_health.ledger.batch import IssuanceReceipt, parse_batch_content
from did_health.ledger.entry import Entry, Kind
from did_health.ledger.latest import LatestBundle
from did_health.ledger.map_head import MapHead

_HASHES = st.binary(min_size=32, max_size=32)
_SCALARS = st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.text(max_size=40) | st.binary(max_size=70) | _HASHES


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    seq = draw(st.integers(0, 1 << 50))
    author = draw(st.text("abcdefghijklmnopqrstuvwxyz:#.-0123456789", min_size=1, max_size=80))
    time, signature = draw(st.integers(0, 1 << 37)), draw(st.binary(min_size=64, max_size=64))
    return Entry(draw(st.sampled_from(Kind)), draw(_HASHES), seq, draw(_HASHES) if seq else None, draw(_HASHES), author, time, signature)


@given(entries())
@settings(deadline=None, max_examples=100)
def test_parse_reads_what_encode_writes(entry: Entry) -> None:
    assert Entry.parse(entry.encode()) == entry


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=200)
def test_garbage_is_no_entry(data: bytes) -> None:
    with suppress(FormatError, UnsupportedError):
        assert Entry.parse(data).encode() == data


@given(st.dictionaries(st.integers(0, 10), _SCALARS, max_size=10))
@settings(deadline=None, max_examples=200)
def test_any_map_is_an_entry_or_refused(members: dict[int, object]) -> None:
    with suppress(FormatError, UnsupportedError):
        Entry.parse(cbor.dumps({1: 1, **members}))


@given(entries(), st.integers(1, 9), _SCALARS)
@settings(deadline=None, max_examples=200)
def test_an_entry_with_another_member_is_an_entry_or_refused(entry: Entry, key: int, value: object) -> None:
    data = cbor.dumps({**cbor.loads(entry.encode()), key: value})
    with suppress(FormatError, UnsupportedError):
        assert Entry.parse(data).encode() == data


@given(st.binary(max_size=80) | st.builds(lambda root, count: cbor.dumps({1: root, 2: count}), _SCALARS, _SCALARS))
@settings(deadline=None, max_examples=200)
def test_garbage_is_no_batch(data: bytes) -> None:
    with suppress(FormatError):
        root, count = parse_batch_content(data)
        assert cbor.dumps({1: root, 2: count}) == data


_MEMBER = st.none() | st.integers() | st.text(max_size=20) | st.sampled_from(["A" * 43, "", 0, 1])
_MEMBERS = st.fixed_dictionaries(
    {"format": st.just("did-health/issuance-receipt/v1")},
    optional=dict.fromkeys(("index", "count", "root", "path", "ledgerProof"), _MEMBER),
)


@given(st.binary(max_size=100) | _MEMBERS)
@settings(deadline=None, max_examples=200)
def test_garbage_is_no_receipt(receipt: bytes | dict[str, object]) -> None:
    with suppress(FormatError):
        parsed = IssuanceReceipt.parse(receipt)
        assert IssuanceReceipt.parse(parsed.to_json()) == parsed


_NOTE = b"log.example\n3\n" + b"A" * 43 + b"=\n\n" + "\u2014 log.example AAAAAAAA\n".encode()
_BUNDLE = {
    1: 1, 2: cbor.dumps([0, b"", b"", bytes(32)]), 3: 2, 4: bytes(64), 5: [1, bytes(32), 7, bytes(64), bytes(32), 2], 6: _NOTE, 7: [0, b"entry", 0],
}


@given(st.binary(max_size=200) | st.dictionaries(st.integers(0, 8), _SCALARS, max_size=8).map(cbor.dumps))
@settings(deadline=None, max_examples=200)
def test_garbage_is_no_bundle_and_no_map_head(data: bytes) -> None:
    for parse in (LatestBundle.parse, MapHead.parse):
        with suppress(FormatError, UnsupportedError):
            assert parse(data).encode() == data


@given(st.integers(1, 7), _SCALARS | st.lists(_SCALARS, max_size=6))
@settings(deadline=None, max_examples=200)
def test_a_bundle_with_another_member_is_a_bundle_or_refused(key: int, value: object) -> None:
    assert LatestBundle.parse(cbor.dumps(_BUNDLE)).count == 2
    data = cbor.dumps({**_BUNDLE, key: value})
    with suppress(FormatError, UnsupportedError):
        assert LatestBundle.parse(data).encode() == data
