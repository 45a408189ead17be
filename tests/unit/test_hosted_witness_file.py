"""A hosted DID that has witnesses (did:webvh 1.0, "DID Witnesses"): the approvals come with its lines, and are served beside its ``did.jsonl``."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from did_health.did.methods import webvh
from did_health.encoding import cbor
from did_health.errors import DidHealthError, FormatError, VerificationError
from did_health.keys import Signer, generate
from did_health.ledger.entry import Kind, did_subject
from did_health.ledger.log import LoggedEntry, Submission, prepare
from did_health.ledger.submission_format import encode_request, parse_request
from did_health.limits import MAX_DID_WITNESS_BYTES
from did_health.roles.evidence import Need
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.tile_files import TileFiles
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, Board, Clock, new_ledger, reopened
from tests.ledger_service import ledger_service

WITNESS = generate(repeatable_bytes("did witness"))
OTHER = generate(repeatable_bytes("other witness"))


def witness_list(signer: Signer) -> webvh.WitnessList:
    return webvh.WitnessList(1, (f"did:key:{signer.public_key.multikey}",))


def witnessed_board(seed: str = "witnessed") -> Board:
    """A board whose DID has one witness, and no pre-rotation."""
    board = Board("board.example", repeatable_bytes(seed))
    board.log = webvh.create(
        "board.example", board._document, update_keys=[board.update_key.public_key.multikey], signer=board.update_key, next_key_hashes=[],
        witness=witness_list(WITNESS), now=START - timedelta(hours=1),
    )  # fmt: skip
    return board


def approvals(log: webvh.Log, signer: Signer = WITNESS, file: webvh.WitnessFile | None = None) -> bytes:
    """``did-witness.json`` with a witness's approval of the newest line, added to those in ``file``."""
    version = log.latest.version_id
    return (file or webvh.WitnessFile()).adding(version, webvh.create_witness_proof(version, signer, START)).encode()


def line(board: Board, proofs: bytes | None, previous: LoggedEntry | None = None) -> Submission:
    """The newest line of the board's log, with these approvals."""
    key = board.update_key
    submission = prepare(Kind.DID, board.subject, board.log.lines[-1], author=key.public_key.multikey, signer=key, now=START, previous=previous)
    return replace(submission, witness_proofs=proofs)


def continued(board: Board, **changes: object) -> None:
    board.log = webvh.update(board.log, signer=board.update_key, now=START - timedelta(minutes=30 - len(board.log.entries)), **changes)  # type: ignore[arg-type]


def hosted(ledger: EmbeddedLedger, url: str) -> bytes | None:
    ledger.host()
    return ledger.fetch(Need(url))


def refusal(ledger: EmbeddedLedger, *submissions: Submission) -> str:
    before = ledger.size
    with pytest.raises(DidHealthError) as caught:
        ledger.submit(submissions)
    assert ledger.size == before
    return caught.value.code


def test_whoever_resolves_a_witnessed_did_finds_its_approvals(tmp_path: Path) -> None:
    board = witnessed_board()
    proofs = approvals(board.log)
    with ledger_service(tmp_path / "ledger") as service:
        # Not taken without them, and nothing is hosted.
        assert service.post([line(board, None)]).json()["code"] == "witness_threshold_not_met"
        assert service.get("hosted/board.example/.well-known/did.jsonl").status_code == 421
        remote = service.remote()
        remote.submit([line(board, proofs)])
        # An answer that was lost does no harm.
        assert service.post([line(board, proofs)]).status_code == 200
        remote.publish(board.log.did.log_url, board.log.encode())
        remote.close()
        path = board.log.did.witness_url.removeprefix("https://")
        answers = [service.get(f"hosted/{path}"), service.get(path.partition("/")[2], Host="board.example")]
        for answer in answers:
            assert (answer.status_code, answer.content) == (200, proofs)
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
        refused = service.post([line(board, approvals(board.log))])
        assert (refused.status_code, refused.json()["code"]) == (422, "witness_proofs_unexpected")
        assert service.post([board.first_line()]).status_code == 200
        # Nor does an entry of another kind bring one.
        with_proofs = replace(board.status_list(service.ledger), witness_proofs=b"[]")
        assert service.post([with_proofs]).json()["code"] == "witness_proofs_unexpected"
        assert service.get(f"hosted/{board.log.did.witness_url.removeprefix('https://')}").status_code == 404


def test_each_line_brings_what_approves_the_whole_log(tmp_path: Path) -> None:
    ledger, board = new_ledger(tmp_path / "ledger", Clock()), witnessed_board()
    (first,) = ledger.submit([line(board, approvals(board.log))])
    before = hosted(ledger, board.log.did.witness_url)
    one = webvh.WitnessFile.parse(before or b"")
    continued(board, witness=witness_list(OTHER))
    # It is the witnesses so far who approve their successors; and nobody but them.
    for proofs in (approvals(board.log, OTHER), b"[]", before, None):
        assert refusal(ledger, line(board, proofs, first)) == "witness_threshold_not_met"
    assert refusal(ledger, line(board, b"{", first)) == FormatError.default_code
    assert hosted(ledger, board.log.did.witness_url) == before
    (second,) = ledger.submit([line(board, approvals(board.log, file=one), first)])
    continued(board)
    # The new witnesses' word alone leaves the lines before without any that a reader could find.
    assert refusal(ledger, line(board, approvals(board.log, OTHER), second)) == "witness_threshold_not_met"
    both = webvh.WitnessFile.parse(hosted(ledger, board.log.did.witness_url) or b"")
    ledger.submit([line(board, approvals(board.log, OTHER, both), second)])
    found, log = hosted(ledger, board.log.did.witness_url), hosted(ledger, board.log.did.log_url)
    assert webvh.Log.parse(log or b"", found, now=START).lines == board.log.lines
    ledger.close()


def test_what_was_published_in_the_ledgers_process_for_a_later_line_stays(tmp_path: Path) -> None:
    ledger, board = new_ledger(tmp_path / "ledger", Clock()), witnessed_board()
    (first,) = ledger.submit([line(board, approvals(board.log))])
    continued(board)
    newer = approvals(board.log)
    ledger.publish(board.log.did.witness_url, newer)
    ledger.submit([line(board, None, first)])
    assert hosted(ledger, board.log.did.witness_url) == newer
    ledger.close()


def test_another_did_of_the_same_place_does_not_replace_them(tmp_path: Path) -> None:
    ledger, board, thief = new_ledger(tmp_path / "ledger", Clock()), witnessed_board(), witnessed_board("thief")
    proofs = approvals(board.log)
    # In one batch, and after it.
    ledger.submit([line(board, proofs), line(thief, approvals(thief.log))])
    assert hosted(ledger, board.log.did.witness_url) == proofs
    late = witnessed_board("late")
    ledger.submit([line(late, approvals(late.log))])
    assert hosted(ledger, board.log.did.witness_url) == proofs
    assert ledger.hosts("board.example")
    assert not ledger.hosts("")
    ledger.close()


def test_a_crash_before_publication_does_not_lose_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """What no handler catches."""

    def killed(*_: object) -> None:
        raise Killed

    ledger, board = new_ledger(tmp_path / "ledger", Clock()), witnessed_board()
    with monkeypatch.context() as patch:
        patch.setattr(TileFiles, "write_tiles", killed)
        with pytest.raises(Killed):
            ledger.submit([line(board, approvals(board.log))])
    ledger.close()
    again = reopened(tmp_path / "ledger", Clock())
    assert again.latest(did_subject(board.did)) is not None
    assert hosted(again, board.log.did.witness_url) == approvals(board.log)
    again.close()


def test_the_request_carries_them_or_not() -> None:
    with_proofs, without = Submission(b"e", b"d", b"[]"), Submission(b"e", b"d")
    assert parse_request(encode_request([with_proofs, without])) == (with_proofs, without)


@pytest.mark.parametrize(("item", "code"), [
    ([b"e", b"d", None], "malformed"), ([b"e", b"d", b"[]", b""], "malformed"), ([b"e"], "malformed"),
    ([b"e", b"d", bytes(MAX_DID_WITNESS_BYTES + 1)], "submission_too_large"),
])  # fmt: skip
def test_malformed_items(item: list[cbor.CBOR], code: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_request(cbor.dumps({1: 1, 2: [item]}))
    assert (caught.value.code, caught.value.where) == (code, "key 2, item 0")


def test_the_file_is_json_that_others_read() -> None:
    (item,) = json.loads(approvals(witnessed_board().log))
    assert item["versionId"].startswith("1-")
