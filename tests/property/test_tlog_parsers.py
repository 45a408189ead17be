"""Garbage gives ``FormatError`` (or ``UnsupportedError`` for a key type) and nothing else; what parses is spelt in one way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError, UnsupportedError
from did_health.keys import Algorithm, signer_from_secret
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import cosign, cosigner_key
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import NoteSigner, Signature, SignedNote, VerifierKey, sign_note
from did_health.tlog.proof import TlogProof
from did_health.tlog.tiles import encode_bundle, entries_path, parse_bundle, parse_entries_path, parse_tile, parse_tile_path, tile_path
from did_health.tlog.witness_policy import WitnessPolicy
from did_health.tlog.witness_protocol import AddCheckpoint, encode_cosignatures, parse_conflict, parse_cosignatures

quick = settings(max_examples=150, deadline=None)

LOG = NoteSigner("log.example", signer_from_secret(Algorithm.ED25519, b"l" * 32))
WITNESS = signer_from_secret(Algorithm.ED25519, b"w" * 32)
TREE = Tree.from_leaf_hashes(leaf_hash(b"%d" % number) for number in range(9))
NOTE = sign_note(Checkpoint("log.example", 9, TREE.root()).encode(), [LOG])
COSIGNATURE = cosign(NOTE, "w.example", WITNESS, 1_700_000_000)
VKEY = str(cosigner_key("w.example", WITNESS.public_key))
POLICY = f"# trust\nlog {LOG.vkey}\nwitness w {VKEY} https://w.example/\ngroup g any w\nquorum g\n".encode()


def text_parser(parse: Callable[[str], Any]) -> Callable[[bytes], Any]:
    return lambda data: parse(data.decode("utf-8", "surrogateescape"))


# parser of bytes, an example that parses, and how the parsed is written again (None: several spellings by specification)
PARSERS: dict[str, tuple[Callable[[bytes], Any], bytes, Callable[[Any], bytes] | None]] = {
    "note": (SignedNote.parse, NOTE.with_signatures([COSIGNATURE]).encode(), SignedNote.encode),
    "signature line": (text_parser(Signature.parse), COSIGNATURE.encode()[:-1].encode(), lambda line: line.encode()[:-1].encode()),
    "verifier key": (text_parser(VerifierKey.parse), VKEY.encode(), lambda key: str(key).encode()),
    "checkpoint": (text_parser(Checkpoint.parse), NOTE.text.encode(), lambda head: head.encode().encode("utf-8", "surrogateescape")),
    "proof": (TlogProof.parse, TlogProof(3, TREE.inclusion_proof(3), NOTE, b"extra").encode(), TlogProof.encode),
    "policy": (WitnessPolicy.parse, POLICY, None),
    "request": (AddCheckpoint.parse, AddCheckpoint(4, TREE.consistency_proof(4), NOTE).encode(), AddCheckpoint.encode),
    "reply": (parse_cosignatures, encode_cosignatures([COSIGNATURE]), encode_cosignatures),
    "conflict": (parse_conflict, b"1234\n", lambda size: f"{size}\n".encode()),
    "bundle": (parse_bundle, encode_bundle([b"one", b"", b"three"]), encode_bundle),
    "tile": (lambda data: parse_tile(data, 2), bytes(64), b"".join),
    "tile path": (text_parser(parse_tile_path), b"tile/3/x001/000.p/17", lambda tile: tile_path(tile.level, tile.index, tile.width).encode()),
    "bundle path": (text_parser(parse_entries_path), b"tile/entries/x001/000.p/17", lambda tile: entries_path(tile.index, tile.width).encode()),
}


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """``data`` with a piece replaced, doubled or cut out: closer to what parses than random bytes are."""
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 8)))
    separators = st.sampled_from([b"\n", b"\n\n", b" ", b"0", b"+", b"=", b"\r", b"\0", b"\xc2\xa0"])
    piece = draw(st.one_of(st.binary(max_size=4), separators, st.just(data[start:end] * 2)))
    return data[:start] + piece + data[end:]


@pytest.mark.parametrize("name", PARSERS)
def test_the_example_parses_and_is_written_as_read(name: str) -> None:
    parse, example, write = PARSERS[name]
    parsed = parse(example)
    assert write is None or write(parsed) == example


@pytest.mark.parametrize("name", PARSERS)
@quick
@given(choice=st.data())
def test_garbage_parses_strictly_or_is_refused(name: str, choice: st.DataObject) -> None:
    parse, example, write = PARSERS[name]
    data = choice.draw(st.one_of(st.binary(max_size=200), damaged(example), damaged(example).flatmap(damaged)))
    try:
        parsed = parse(data)
    except (FormatError, UnsupportedError):
        return
    assert write is None or write(parsed) == data


@quick
@given(text=st.text(max_size=300))
def test_any_text_is_a_policy_or_refused(text: str) -> None:
    try:
        policy = WitnessPolicy.parse(text)
    except (FormatError, UnsupportedError):
        return
    assert WitnessPolicy.parse(policy.encode()) == policy


@quick
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(code) for code in range(32)]), max_size=80), blank=st.integers(0, 3))
def test_every_text_that_can_be_signed_reads_as_written(text: str, blank: int) -> None:
    note = sign_note(text + "\n" * (blank + 1), [LOG])
    assert SignedNote.parse(note.encode()) == note
