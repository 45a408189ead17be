"""A hosted DID that has witnesses (did:webvh 1.0, "DID Witnesses"): its ``did-witness.json`` is served beside its ``did.jsonl``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from did_health.did.methods import webvh
from did_health.errors import VerificationError
from did_health.keys import generate
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, Board
from tests.ledger_service import ledger_service


def witnessed_board() -> tuple[Board, bytes]:
    """A board whose DID has one witness, and the file with that witness's approval of the first line."""
    board, witness = Board("board.example", repeatable_bytes("witnessed")), generate(repeatable_bytes("did witness"))
    board.log = webvh.create(
        "board.example", board._document, update_keys=[board.update_key.public_key.multikey], signer=board.update_key, next_key_hashes=[],
        witness=webvh.WitnessList(1, (f"did:key:{witness.public_key.multikey}",)), now=START,
    )  # fmt: skip
    version = board.log.latest.version_id
    return board, json.dumps([{"versionId": version, "proof": [webvh.create_witness_proof(version, signer=witness, now=START)]}]).encode()


def test_whoever_resolves_a_witnessed_did_finds_its_approvals(tmp_path: Path) -> None:
    board, approvals = witnessed_board()
    with ledger_service(tmp_path / "ledger") as service:
        # Not taken without them, and nothing is hosted.
        assert service.post([board.first_line()]).json()["code"] == "witness_threshold_not_met"
        assert service.get("hosted/board.example/.well-known/did.jsonl").status_code == 421
        service.ledger.publish(board.log.did.witness_url, approvals)
        assert service.post([board.first_line()]).status_code == 200
        path = board.log.did.witness_url.removeprefix("https://")
        answers = [service.get(f"hosted/{path}"), service.get(path.partition("/")[2], Host="board.example")]
        for answer in answers:
            assert (answer.status_code, answer.content) == (200, approvals)
            assert answer.headers["content-type"].startswith("application/json")
            # did:webvh wants it fetched anew, as the log itself.
            assert answer.headers["cache-control"] == "public, no-cache"
        lines = service.get(f"hosted/{board.log.did.log_url.removeprefix('https://')}").content
    assert webvh.Log.parse(lines, answers[0].content, now=START).did.text == board.did
    with pytest.raises(VerificationError, match="approval"):
        webvh.Log.parse(lines, now=START)


def test_a_did_without_witnesses_has_no_such_file(tmp_path: Path) -> None:
    with ledger_service(tmp_path / "ledger") as service:
        board = Board("board.example", repeatable_bytes("plain"))
        assert service.post([board.first_line()]).status_code == 200
        assert service.get(f"hosted/{board.log.did.witness_url.removeprefix('https://')}").status_code == 404
