from __future__ import annotations

from dataclasses import replace

import pytest

from did_health.errors import FormatError, VerificationError
from did_health.keys import Algorithm, signer_from_secret
from did_health.limits import MAX_NOTE_BYTES, MAX_NOTE_SIGNATURES, MAX_PROOF_HASHES
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import cosign, cosigner_key, verified_cosignatures
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import NoteSigner, Signature, SignedNote, sign_note
from did_health.tlog.witness_protocol import (
    SIZE_CONTENT_TYPE,
    AddCheckpoint,
    WitnessRefusal,
    WitnessState,
    add_checkpoint,
    encode_cosignatures,
    monitoring_path,
    parse_conflict,
    parse_cosignatures,
)

LOG = NoteSigner("log.example", signer_from_secret(Algorithm.ED25519, b"l" * 32))
STRANGER = NoteSigner("log.example", signer_from_secret(Algorithm.ED25519, b"s" * 32))
KNOWN = {"log.example": [LOG.key]}
TREE = Tree.from_leaf_hashes(leaf_hash(b"%d" % number) for number in range(20))
OTHER = Tree.from_leaf_hashes(leaf_hash(b"other %d" % number) for number in range(20))


def request(old: int, new: int, tree: Tree = TREE, signer: NoteSigner = LOG, origin: str = "log.example") -> AddCheckpoint:
    return AddCheckpoint(old, tree.consistency_proof(old, new) if old <= new else (), sign_note(Checkpoint(origin, new, tree.root(new)).encode(), [signer]))


def state(size: int, tree: Tree = TREE) -> WitnessState:
    return WitnessState(size, tree.root(size))


def refused(asked: AddCheckpoint, recorded: WitnessState) -> WitnessRefusal:
    with pytest.raises(WitnessRefusal) as caught:
        add_checkpoint(asked, KNOWN, recorded)
    return caught.value


def test_a_growing_log_is_followed_from_nothing() -> None:
    recorded = WitnessState()
    for size in (0, 1, 5, 5, 8, 20):
        recorded = add_checkpoint(request(recorded.size, size), KNOWN, recorded)
        assert recorded == state(size)


def test_the_same_size_and_root_again_is_a_heartbeat() -> None:
    assert add_checkpoint(request(7, 7), KNOWN, state(7)) == state(7)


def test_unknown_origin_is_404() -> None:
    assert refused(request(0, 5, origin="elsewhere.example"), WitnessState()).status == 404


def test_an_untrusted_or_bad_signature_is_403() -> None:
    assert refused(request(0, 5, signer=STRANGER), WitnessState()).status == 403
    forged = request(0, 5)
    note = SignedNote(forged.note.text, (Signature("log.example", LOG.key.key_id, bytes(64)),))
    assert refused(replace(forged, note=note), WitnessState()).status == 403


def test_an_old_size_above_the_new_one_is_400() -> None:
    assert refused(request(6, 5), state(6)).status == 400


def test_an_old_size_that_was_not_recorded_is_409_and_tells_the_recorded_one() -> None:
    for asked, recorded in ((request(0, 8), state(5)), (request(3, 8), state(5)), (request(6, 8), state(5)), (request(5, 8), WitnessState())):
        refusal = refused(asked, recorded)
        assert (refusal.status, refusal.content_type) == (409, SIZE_CONTENT_TYPE)
        assert parse_conflict(refusal.body.encode()) == recorded.size


def test_another_root_of_the_same_size_is_409() -> None:
    assert refused(request(5, 5, OTHER), state(5)).status == 409
    wrong_empty_tree = AddCheckpoint(0, (), sign_note(Checkpoint("log.example", 0, bytes(32)).encode(), [LOG]))
    assert refused(wrong_empty_tree, WitnessState()).status == 409


def test_a_split_view_is_422() -> None:
    assert refused(request(5, 8, OTHER), state(5)).status == 422


def test_a_proof_of_a_wrong_length_is_422() -> None:
    asked = request(5, 8)
    assert refused(replace(asked, proof=asked.proof[:-1]), state(5)).status == 422
    assert refused(replace(request(0, 8), proof=asked.proof), WitnessState()).status == 422
    assert refused(replace(request(5, 5), proof=asked.proof), state(5)).status == 422


def test_a_note_that_is_no_checkpoint_is_malformed() -> None:
    with pytest.raises(FormatError):
        add_checkpoint(AddCheckpoint(0, (), sign_note("hello\n", [LOG])), KNOWN, WitnessState())


def test_a_refusal_is_a_verification_error_with_a_body() -> None:
    refusal = refused(request(5, 8, OTHER), state(5))
    assert isinstance(refusal, VerificationError)
    assert refusal.code == "witness_refused"
    assert refusal.body == "the consistency proof does not verify\n"
    assert refusal.content_type == "text/plain; charset=utf-8"


def test_requests_read_as_written() -> None:
    for asked in (request(0, 1), request(5, 8), request(19, 20)):
        assert AddCheckpoint.parse(asked.encode()) == asked
    longest = replace(request(5, 8), proof=(bytes(32),) * MAX_PROOF_HASHES)
    assert AddCheckpoint.parse(longest.encode()) == longest


NOTE = request(0, 1).note.encode()
HASH_LINE = b"A" * 43 + b"=\n"


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        ("empty", b""),
        ("no checkpoint", b"old 0\n"),
        ("no old size", b"\n" + NOTE),
        ("other word", b"new 0\n\n" + NOTE),
        ("leading zero", b"old 00\n\n" + NOTE),
        ("negative", b"old -1\n\n" + NOTE),
        ("two sizes", b"old 0\nold 0\n\n" + NOTE),
        ("short hash", b"old 1\nAAAA\n\n" + NOTE),
        ("carriage returns", b"old 0\r\n\r\n" + NOTE),
        ("not UTF-8", b"old \xff\n\n" + NOTE),
        ("64 proof lines", b"old 1\n" + HASH_LINE * (MAX_PROOF_HASHES + 1) + b"\n" + NOTE),
        ("too long", b"old 1\n\n" + b"a" * 2 * MAX_NOTE_BYTES),
        ("unsigned", b"old 0\n\nlog.example\n0\n" + HASH_LINE),
    ],
)
def test_malformed_request_is_400(fault: str, body: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        AddCheckpoint.parse(body)
    assert WitnessRefusal.malformed(caught.value).status == 400


@pytest.mark.parametrize("signature", ["AAAAAAB=", "!", "AAAAAA==", ""])
def test_a_request_whose_signature_is_spelt_wrongly_is_403(signature: str) -> None:
    with pytest.raises(FormatError) as caught:
        AddCheckpoint.parse(f"old 0\n\nlog.example\n1\n{HASH_LINE.decode()}\n— log.example {signature}\n".encode())
    assert WitnessRefusal.malformed(caught.value).status == 403


def test_replies_read_as_written() -> None:
    witness = signer_from_secret(Algorithm.ED25519, b"w" * 32)
    note = request(0, 5).note
    lines = [cosign(note, name, witness, 1_700_000_000) for name in ("w1.example", "w2.example")]
    received = parse_cosignatures(encode_cosignatures(lines))
    assert received == tuple(lines)
    key = cosigner_key("w1.example", witness.public_key)
    assert verified_cosignatures(note.with_signatures(received), [key]) == {key: 1_700_000_000}


def test_malformed_replies() -> None:
    line = "— witness.example AAAAAAA=\n".encode()
    assert len(parse_cosignatures(line * MAX_NOTE_SIGNATURES)) == MAX_NOTE_SIGNATURES
    for body in (b"", b"\n", line[:-1], line + b"\n", b"hello\n", b"\xff\n", line * (MAX_NOTE_SIGNATURES + 1), b"\n" * MAX_NOTE_BYTES * 2):
        with pytest.raises(FormatError):
            parse_cosignatures(body)
    for body in (b"", b"5", b"05\n", b"5\n\n", b"\xff\n", b"9" * 5_000 + b"\n"):
        with pytest.raises(FormatError):
            parse_conflict(body)


def test_a_witness_shows_what_it_saw_below_the_hash_of_the_origin() -> None:
    path = monitoring_path("rome2026h1.example.org")
    assert path == "000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706/checkpoint"
