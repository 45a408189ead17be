"""The third-party vectors of transparency logs: RFC 6962 trees, notes, checkpoints, cosignatures, tiles, proofs, policies, witnesses.

Where a vector is older or narrower than the specification, the test says so and holds to the specification.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest

from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, signer_from_secret
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import cosignature_time, verified_cosignatures
from did_health.tlog.merkle import EMPTY_ROOT, Tree, leaf_hash, node_hash, verify_consistency, verify_inclusion
from did_health.tlog.note import NoteSigner, Signature, SignatureType, SignedNote, VerifierKey, cosigned_message, open_note, sign_note
from did_health.tlog.proof import TlogProof
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
from did_health.tlog.witness_policy import WitnessPolicy
from did_health.tlog.witness_protocol import SIZE_CONTENT_TYPE, AddCheckpoint, WitnessRefusal, WitnessState, add_checkpoint, monitoring_path
from tests.conftest import shared

pytestmark = pytest.mark.vectors


def load(name: str) -> Any:
    return json.loads(shared("vectors", "tlog", name).read_text("utf-8"))


def octets(case: dict[str, str], name: str) -> bytes:
    return case[f"{name}Utf8"].encode() if f"{name}Utf8" in case else bytes.fromhex(case[f"{name}Hex"])


def test_rfc6962_hashes_and_roots() -> None:
    vectors = load("rfc6962-tree.json")
    assert vectors["emptyRoot"] == EMPTY_ROOT.hex() == Tree().root().hex()
    for case in vectors["leafHashes"]:
        assert leaf_hash(octets(case, "leaf")).hex() == case["hash"]
    for case in vectors["nodeHashes"]:
        assert node_hash(octets(case, "left"), octets(case, "right")).hex() == case["hash"]
    tree = Tree()
    for size, leaf in enumerate(vectors["leavesHex"], 1):
        tree.append(leaf_hash(bytes.fromhex(leaf)))
        assert tree.root().hex() == vectors["rootOfFirstN"][str(size)]


def test_inclusion_proofs() -> None:
    cases = load("merkle-inclusion.json")["cases"]
    for case in cases:
        proof = [b64decode(value) for value in case["proof"] or []]
        arguments = (b64decode(case["leafHash"]), case["leafIdx"], case["treeSize"], proof, b64decode(case["root"]))
        if case["wantErr"]:
            with pytest.raises(VerificationError) as caught:
                verify_inclusion(*arguments)
            assert caught.value.code == "inclusion_proof_invalid", case["id"]
        else:
            verify_inclusion(*arguments)
    assert {case["wantErr"] for case in cases} == {True, False}


def test_consistency_proofs() -> None:
    cases = load("merkle-consistency.json")["cases"]
    for case in cases:
        proof = [b64decode(value) for value in case["proof"] or []]
        arguments = (case["size1"], b64decode(case["root1"]), case["size2"], b64decode(case["root2"]), proof)
        if case["wantErr"]:
            with pytest.raises(VerificationError) as caught:
                verify_consistency(*arguments)
            assert caught.value.code == "consistency_proof_invalid", case["id"]
        else:
            verify_consistency(*arguments)
    assert {case["wantErr"] for case in cases} == {True, False}


NOTE_ERRORS = {
    "malformed note": (FormatError, "malformed"),
    "invalid signature": (VerificationError, "note_signature_invalid"),
    "no verifiable signatures": (VerificationError, "note_unverified"),
}


def test_signed_notes() -> None:
    for case in load("signed-notes.json")["cases"]:
        known = [VerifierKey.parse(vkey) for vkey in case["vkeys"]]
        assert [str(key) for key in known] == case["vkeys"]
        data, expected = case["note"].encode(), case["expected"]
        if "error" in expected:
            error, code = NOTE_ERRORS[expected["error"]]
            with pytest.raises(error) as caught:
                open_note(SignedNote.parse(data), known)
            assert caught.value.code == code, case["id"]
            continue
        note = SignedNote.parse(data)
        assert note.encode() == data
        assert [key.name for key in open_note(note, known)] == expected["verified"]
        assert {signature.name for signature in note.signatures} == {*expected["verified"], *expected.get("unverified", ())}
        if "origin" in expected:
            root = b64decode(expected["rootBase64"])
            assert Checkpoint.parse(note.text) == Checkpoint(expected["origin"], expected["size"], root)


def test_signing_gives_the_published_line() -> None:
    for case in load("signed-notes.json")["sign"]:
        _, _, name, key_id, secret = case["skey"].split("+", 4)
        kind, seed = b64decode(secret)[0], b64decode(secret)[1:]
        assert kind == SignatureType.ED25519
        signer = NoteSigner(name, signer_from_secret(Algorithm.ED25519, seed))
        assert signer.key.key_id.hex() == key_id
        assert sign_note(case["text"], [signer]).encode().decode() == f"{case['text']}\n{case['signatureLine']}\n"


def test_bad_verifier_keys() -> None:
    errors = {"wrong key length": FormatError, "unknown algorithm": UnsupportedError}
    for case in load("signed-notes.json")["badVkeys"]:
        with pytest.raises(errors[case["reason"]]):
            VerifierKey.parse(case["vkey"])


def test_checkpoint_bodies() -> None:
    """The set's roots are not 32 bytes long, which a checkpoint's must be; with a real root its verdicts hold.

    One is older than tlog-checkpoint, which wants extension lines that are not empty.
    """
    root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    for case in load("checkpoint-bodies.json")["cases"]:
        if case["id"] == "trailing-newlines" or not case["parses"]:
            with pytest.raises(FormatError):
                Checkpoint.parse(case["body"])
            continue
        with pytest.raises(FormatError, match="root"):
            Checkpoint.parse(case["body"])
        lines = case["body"].split("\n")
        body = "\n".join([*lines[:2], root, *lines[3:]])
        checkpoint = Checkpoint.parse(body)
        assert (checkpoint.origin, str(checkpoint.size), checkpoint.root) == (lines[0], lines[1], b64decode(root))
        assert checkpoint.encode() == body
        assert checkpoint.extensions == tuple(lines[3:-1])


def test_cosignatures() -> None:
    for case in load("cosignatures.json")["cases"]:
        key = VerifierKey.parse(case["cosignerVkey"])
        note = SignedNote.parse(case["note"].encode())
        assert key.type is SignatureType.COSIGNATURE
        assert note.encode() == case["note"].encode()
        assert case["expected"]["valid"]
        assert verified_cosignatures(note, [key]) == {key: case["expected"]["timestamp"]}
        assert open_note(note, [key]) == [key]
        changed = SignedNote(note.text.replace("300", "301"), note.signatures)
        with pytest.raises(VerificationError):
            verified_cosignatures(changed, [key])
        origin = Checkpoint.parse(note.text).origin
        assert monitoring_path(origin) == f"{case['originHash']}/checkpoint"


def test_cosignature_of_the_specification() -> None:
    example = load("cosignatures.json")["c2spExample"]
    note = SignedNote.parse(example["note"].encode())
    assert cosignature_time(note.signatures[-1]) == example["timestamp"]
    assert cosigned_message(note.text, example["timestamp"]).decode() == example["signedMessage"]


def test_cosignature_times_and_verifier_keys() -> None:
    vectors = load("cosignatures.json")
    for case in vectors["timestamps"]:
        data = b64decode(case["signatureBase64"])
        assert cosignature_time(Signature("witness.example", data[:4], data[4:])) == case["time"]
    for case in vectors["vkeys"]:
        if case["valid"]:
            key = VerifierKey.parse(case["vkey"])
            assert (key.type, str(key)) == (case["type"], case["vkey"])
        else:
            with pytest.raises((FormatError, UnsupportedError)):
                VerifierKey.parse(case["vkey"])


def test_tiled_log() -> None:
    log = load("tiles-log/log.json")
    key = VerifierKey.parse(log["vkey"])
    entries = [entry.encode() for entry in log["entriesUtf8"]]
    tree = Tree.from_leaf_hashes(map(leaf_hash, entries))
    for size, root in log["roots"].items():
        assert tree.root(int(size)).hex() == root
    for case in log["inclusion"]:
        proof = tree.inclusion_proof(case["index"], case["size"])
        assert [value.hex() for value in proof] == case["proof"]
        verify_inclusion(leaf_hash(entries[case["index"]]), case["index"], case["size"], proof, tree.root(case["size"]))
    for case in log["consistency"]:
        proof = tree.consistency_proof(case["from"], case["to"])
        assert [value.hex() for value in proof] == case["proof"]
        verify_consistency(case["from"], tree.root(case["from"]), case["to"], tree.root(case["to"]), proof)
    folder = shared("vectors", "tlog", "tiles-log")
    notes = [SignedNote.parse(path.read_bytes()) for path in sorted(folder.glob("checkpoint*"))]
    assert len(notes) == 9
    for note in notes:
        assert open_note(note, [key]) == [key]
        checkpoint = Checkpoint.parse(note.text)
        assert checkpoint == Checkpoint(log["origin"], checkpoint.size, tree.root(checkpoint.size))
        [tile] = tiles_for(0, checkpoint.size)
        assert (folder / tile.path).read_bytes() == tile_content(tree, tile)
        assert parse_tile((folder / tile.path).read_bytes(), tile.width) == tuple(map(leaf_hash, entries[: checkpoint.size]))
        bundle = (folder / tile.entries_path).read_bytes()
        assert parse_bundle(bundle, tile.width) == tuple(entries[: checkpoint.size])
        assert encode_bundle(entries[: checkpoint.size]) == bundle


def test_tile_paths() -> None:
    vectors = load("tile-paths.json")
    for case in vectors["tilePath"]:
        assert tile_path(case["level"], case["index"], case.get("p") or 256) == case["wantPath"]
    for case in vectors["entriesPath"]:
        assert entries_path(case["N"], case.get("p") or 256) == case["wantPath"]
        assert parse_entries_path(case["wantPath"]) == Tile(0, case["N"], case.get("p") or 256)
    for case in vectors["entriesPathForIndex"]:
        index = case["seq"] // 256
        width = min(case["logSize"] - index * 256, 256)
        assert entries_path(index, width) == case["wantPath"]
    for case in vectors["parse"]:
        path = f"tile/{case['pathLevel']}/{case['pathIndex']}"
        if case.get("wantErr"):
            with pytest.raises(FormatError):
                parse_tile_path(path)
        else:
            assert parse_tile_path(path) == Tile(case["wantLevel"], case["wantIndex"], case["wantP"] or 256)
            assert parse_tile_path(path).path == path


def test_proof_files() -> None:
    """The set's checkpoints are a placeholder, which is refused; with a real note its verdicts hold."""
    checkpoint = shared("vectors", "tlog", "tiles-log", "checkpoint").read_bytes()
    for case in load("tlog-proofs.json")["cases"]:
        with pytest.raises(FormatError):
            TlogProof.parse(case["text"].encode())
        head, _, placeholder = case["text"].rpartition("\n\n")
        assert placeholder in ("test checkpoint\n", "checkpoint\n")
        data = f"{head}\n\n".encode() + checkpoint
        if case["parses"]:
            assert TlogProof.parse(data).encode() == data
        else:
            with pytest.raises(FormatError):
                TlogProof.parse(data)


def test_witness_policies() -> None:
    for case in load("witness-policies.json")["cases"]:
        if not case["valid"]:
            with pytest.raises(FormatError):
                WitnessPolicy.parse(case["policy"])
            continue
        policy = WitnessPolicy.parse(case["policy"])
        assert WitnessPolicy.parse(policy.encode()) == policy
        [group] = policy.groups
        assert group.name == policy.quorum
        assert group.threshold == case.get("threshold", len(group.members))


def test_witness_add_checkpoint() -> None:
    """One witness, nine requests in order. The set answers 403 to an unknown log, tlog-witness v1.0.0 says 404.

    The second request's signature is not even canonical base64, and is still to be answered 403.
    """
    vectors = load("witness-add-checkpoint.json")
    log = VerifierKey.parse(vectors["log"]["vkey"])
    assert log.raw.hex() == vectors["log"]["publicKeyHex"]
    known = {vectors["log"]["origin"]: [log]}
    state = WitnessState()
    for step in vectors["steps"]:
        if step["status"] == 200:
            state = replay(step["requestBody"].encode(), known, state)
            continue
        with pytest.raises(WitnessRefusal) as caught:
            replay(step["requestBody"].encode(), known, state)
        assert caught.value.status == (404 if step["body"] == "unknown log" else step["status"])
        if step["bodyAssert"] == "==":
            assert (caught.value.body, caught.value.content_type) == (step["body"], SIZE_CONTENT_TYPE)
        else:
            assert step["body"] in caught.value.body
    assert [step["status"] for step in vectors["steps"]] == [200, 403, 403, 422, 422, 200, 409, 200, 409]
    assert state.size == 5


def replay(body: bytes, known: dict[str, list[VerifierKey]], state: WitnessState) -> WitnessState:
    try:
        request = AddCheckpoint.parse(body)
    except FormatError as error:
        raise WitnessRefusal.malformed(error) from error
    assert request.encode() == body
    return add_checkpoint(request, known, state)
