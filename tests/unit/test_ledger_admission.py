"""Who may put what on the ledger, and every way of being refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from did_health.did.methods import webvh
from did_health.errors import ConflictError, DidHealthError, FormatError, UnsupportedError, VerificationError
from did_health.keys import generate
from did_health.ledger.admission import admit
from did_health.ledger.batch import batch_content
from did_health.ledger.entry import Entry, Kind, revocation_subject, subject_of
from did_health.ledger.log import Submission, prepare
from did_health.ledger.sequencer import Staged, admit_all
from did_health.limits import MAX_AUTHOR_ENTRIES_PER_HOUR, MAX_BATCH_ENTRIES, MAX_DOCUMENT_BYTES
from did_health.stores.embedded import EmbeddedLedger
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, Board, Clock, new_ledger

THROWAWAY = generate(repeatable_bytes("throwaway"))
THROWAWAY_AUTHOR = f"did:key:{THROWAWAY.public_key.multikey}#{THROWAWAY.public_key.multikey}"
HANDLE = b"h" * 32


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[EmbeddedLedger]:
    ledger = new_ledger(tmp_path, Clock())
    yield ledger
    ledger.close()


@pytest.fixture
def board(ledger: EmbeddedLedger) -> Board:
    return Board("board.example", repeatable_bytes("board")).join(ledger)


def refusal(ledger: EmbeddedLedger, *submissions: Submission) -> str:
    """The code with which the batch is refused; nothing of it may have been written."""
    before = ledger.size
    with pytest.raises(DidHealthError) as refused:
        ledger.submit(submissions)
    assert ledger.size == before
    return refused.value.code


def revocation(handle: bytes = HANDLE, author: str = THROWAWAY_AUTHOR) -> Submission:
    return prepare(Kind.REVOCATION, revocation_subject(HANDLE), handle, author=author, signer=THROWAWAY, now=START)


# ---- what is admitted


def test_a_did_begins_and_goes_on_with_the_key_it_committed_to(ledger: EmbeddedLedger, board: Board) -> None:
    log, _ = board.rotated()
    key = board.next_key
    previous = ledger.latest(board.subject)
    (logged,) = ledger.submit([prepare(Kind.DID, board.subject, log.lines[1], author=key.public_key.multikey, signer=key, now=START, previous=previous)])
    assert logged.parsed.seq == 1
    assert logged.index == 2


def test_a_did_of_one_batch_may_write_in_the_same_batch(ledger: EmbeddedLedger) -> None:
    board = Board("board.example", repeatable_bytes("same batch"))
    logged = ledger.submit([board.first_line(), board.status_list(ledger), board.batch(ledger, [bytes(32)])[1]])
    assert [one.index for one in logged] == [0, 1, 2]


def test_two_entries_of_one_subject_in_one_batch_follow_each_other(ledger: EmbeddedLedger, board: Board) -> None:
    first = board.status_list(ledger, "one")
    second_content = first.content.replace(b"one", b"two")
    entry = Entry.parse(first.entry)
    second = Submission(
        Entry.create(
            kind=Kind.STATUS_LIST,
            subject=entry.subject,
            content=hashlib.sha256(second_content).digest(),
            author=board.author,
            now=START,
            signer=board.issuing_key,
            previous=entry,
        ).encode(),
        second_content,
    )
    ledger.submit([first, second])
    latest = ledger.latest(entry.subject)
    assert latest is not None
    assert latest.parsed.seq == 1


def test_a_deactivation_is_logged_and_ends_the_right_to_write(ledger: EmbeddedLedger, board: Board) -> None:
    key = board.next_key
    log = webvh.deactivate(board.log, signer=key, now=START - timedelta(minutes=1))
    ledger.submit(
        [prepare(Kind.DID, board.subject, log.lines[1], author=key.public_key.multikey, signer=key, now=START, previous=ledger.latest(board.subject))]
    )
    assert refusal(ledger, board.status_list(ledger)) == "author_unknown"


def test_a_registry_record_of_the_authority_is_admitted(ledger: EmbeddedLedger, board: Board) -> None:
    subject = subject_of(Kind.REGISTRY_RECORD, f"{board.did} did:web:other issue PhysicianLicenseCredential")
    record = board.signed(Kind.REGISTRY_RECORD, subject, json.dumps({"issuer": board.did}).encode(), ledger)
    assert refusal(ledger, record) == "author_not_entitled"
    ledger.accept_authority(board.did)
    assert ledger.registry_authorities == {board.did}
    assert ledger.submit([record])[0].parsed.kind is Kind.REGISTRY_RECORD


def test_a_schema_is_admitted_under_its_author_and_id(ledger: EmbeddedLedger, board: Board) -> None:
    schema = board.signed(Kind.SCHEMA, subject_of(Kind.SCHEMA, f"{board.did} https://board.example/s.json"), b'{"$id":"https://board.example/s.json"}', ledger)
    ledger.submit([schema])


def test_a_revocation_is_admitted_from_anybody_who_knows_the_handle(ledger: EmbeddedLedger) -> None:
    (logged,) = ledger.submit([revocation()])
    assert logged.parsed.content == revocation_subject(HANDLE)


def test_a_did_with_witnesses_needs_their_published_approval(ledger: EmbeddedLedger) -> None:
    board = Board("board.example", repeatable_bytes("witnessed"))
    witness = generate(repeatable_bytes("did witness"))
    witness_did = f"did:key:{witness.public_key.multikey}"
    board.log = webvh.create(
        "board.example",
        board._document,
        update_keys=[board.update_key.public_key.multikey],
        signer=board.update_key,
        next_key_hashes=[],
        witness=webvh.WitnessList(1, (witness_did,)),
        now=START - timedelta(hours=1),
    )
    assert refusal(ledger, board.first_line()) == "witness_threshold_not_met"
    proof = webvh.create_witness_proof(board.log.latest.version_id, signer=witness, now=START)
    ledger.publish(board.log.did.witness_url, json.dumps([{"versionId": board.log.latest.version_id, "proof": [proof]}]).encode())
    ledger.submit([board.first_line()])
    ledger.submit([board.status_list(ledger)])


# ---- what is refused


def test_a_wrong_document_is_refused(ledger: EmbeddedLedger, board: Board) -> None:
    assert refusal(ledger, replace(board.status_list(ledger), content=b"{}")) == "entry_content_mismatch"


def test_a_document_over_the_limit_is_refused(ledger: EmbeddedLedger, board: Board) -> None:
    subject = subject_of(Kind.SCHEMA, "big")
    assert refusal(ledger, board.signed(Kind.SCHEMA, subject, bytes(MAX_DOCUMENT_BYTES + 1), ledger)) == "malformed"


def test_a_broken_signature_is_refused(ledger: EmbeddedLedger, board: Board) -> None:
    submission = board.status_list(ledger)
    entry = Entry.parse(submission.entry)
    broken = replace(entry, signature=bytes([entry.signature[0] ^ 1]) + entry.signature[1:])
    assert refusal(ledger, Submission(broken.encode(), submission.content)) == "entry_signature_invalid"


def test_a_key_that_is_not_the_named_one_is_refused(ledger: EmbeddedLedger, board: Board) -> None:
    submission = board.signed(Kind.ISSUANCE_BATCH, subject_of(Kind.ISSUANCE_BATCH, board.did), batch_content(bytes(32), 1), ledger, signer=THROWAWAY)
    assert refusal(ledger, submission) == "entry_signature_invalid"


@pytest.mark.parametrize("content", [b"not CBOR", batch_content(bytes(31), 1)], ids=["not_cbor", "short_root"])
def test_a_malformed_batch_is_refused(ledger: EmbeddedLedger, board: Board, content: bytes) -> None:
    assert refusal(ledger, board.signed(Kind.ISSUANCE_BATCH, subject_of(Kind.ISSUANCE_BATCH, board.did), content, ledger)) == "malformed"


def test_somebody_elses_batch_is_refused(ledger: EmbeddedLedger, board: Board) -> None:
    other = Board("other.example", repeatable_bytes("other")).join(ledger)
    submission = other.signed(Kind.ISSUANCE_BATCH, subject_of(Kind.ISSUANCE_BATCH, board.did), batch_content(bytes(32), 1), ledger)
    assert refusal(ledger, submission) == "author_not_entitled"


def test_a_status_list_of_another_issuer_is_refused(ledger: EmbeddedLedger, board: Board) -> None:
    url = "https://board.example/status/1"
    for content in ({"id": url, "issuer": "did:web:else"}, {"id": "https://else.example/1", "issuer": board.did}):
        submission = board.signed(Kind.STATUS_LIST, subject_of(Kind.STATUS_LIST, url), json.dumps(content).encode(), ledger)
        assert refusal(ledger, submission) == "author_not_entitled"


def test_a_status_list_stays_with_the_issuer_that_began_it(ledger: EmbeddedLedger, board: Board) -> None:
    ledger.submit([board.status_list(ledger)])
    other = Board("other.example", repeatable_bytes("other")).join(ledger)
    assert refusal(ledger, other.status_list(ledger, url="https://board.example/status/1")) == "author_not_entitled"


def test_nobody_can_be_first_at_somebody_elses_url(ledger: EmbeddedLedger, board: Board) -> None:
    other = Board("other.example", repeatable_bytes("other")).join(ledger)
    assert refusal(ledger, other.status_list(ledger, url="https://board.example/status/1")) == "author_not_entitled"
    ledger.submit([board.status_list(ledger)])


@pytest.mark.parametrize("content", [b"{}", b'{"issuer":5}', b'{"issuer":{}}', b"[]", b"nonsense"], ids=["no_issuer", "number", "no_id", "array", "garbage"])
def test_a_status_list_without_issuer_is_malformed(ledger: EmbeddedLedger, board: Board, content: bytes) -> None:
    assert refusal(ledger, board.signed(Kind.STATUS_LIST, bytes(32), content, ledger)) == "malformed"


def test_a_status_list_without_id_is_malformed(ledger: EmbeddedLedger, board: Board) -> None:
    assert refusal(ledger, board.signed(Kind.STATUS_LIST, bytes(32), json.dumps({"issuer": board.did}).encode(), ledger)) == "malformed"


def test_a_record_with_another_issuer_than_the_authority_is_refused(ledger: EmbeddedLedger, board: Board) -> None:
    ledger.accept_authority(board.did)
    assert refusal(ledger, board.signed(Kind.REGISTRY_RECORD, bytes(32), b'{"issuer":"did:web:else"}', ledger)) == "author_not_entitled"


def test_a_schema_under_another_subject_is_refused(ledger: EmbeddedLedger, board: Board) -> None:
    assert refusal(ledger, board.signed(Kind.SCHEMA, subject_of(Kind.SCHEMA, "x"), b'{"$id":"x"}', ledger)) == "author_not_entitled"


def test_a_line_of_another_did_is_refused(ledger: EmbeddedLedger, board: Board) -> None:
    other = Board("other.example", repeatable_bytes("other"))
    key = other.update_key
    submission = prepare(Kind.DID, subject_of(Kind.DID, "x"), other.log.lines[0], author=key.public_key.multikey, signer=key, now=START)
    assert refusal(ledger, submission) == "author_not_entitled"


def test_a_line_submitted_by_somebody_else_is_refused(ledger: EmbeddedLedger) -> None:
    other = Board("other.example", repeatable_bytes("other"))
    submission = prepare(Kind.DID, other.subject, other.log.lines[0], author=THROWAWAY.public_key.multikey, signer=THROWAWAY, now=START)
    assert refusal(ledger, submission) == "author_not_entitled"


def test_an_author_who_is_not_on_the_ledger_is_refused(ledger: EmbeddedLedger) -> None:
    stranger = Board("stranger.example", repeatable_bytes("stranger"))
    assert refusal(ledger, stranger.status_list(ledger)) == "author_unknown"


def test_an_author_under_a_name_it_never_had_is_refused(ledger: EmbeddedLedger, board: Board) -> None:
    elsewhere = board.author.replace("board.example", "elsewhere.example")
    assert refusal(ledger, board.signed(Kind.SCHEMA, bytes(32), b"{}", ledger, author=elsewhere)) == "author_unknown"


def test_a_did_key_writes_nothing_but_revocations(ledger: EmbeddedLedger) -> None:
    submission = prepare(Kind.SCHEMA, bytes(32), b"{}", author=THROWAWAY_AUTHOR, signer=THROWAWAY, now=START)
    assert refusal(ledger, submission) == "malformed"


def test_a_key_without_the_right_purpose_is_refused(ledger: EmbeddedLedger, board: Board) -> None:
    assert refusal(ledger, board.signed(Kind.SCHEMA, bytes(32), b"{}", ledger, author=f"{board.did}#other")) == "INVALID_VERIFICATION_METHOD"


def test_a_wrong_handle_revokes_nothing(ledger: EmbeddedLedger) -> None:
    assert refusal(ledger, revocation(b"x" * 32)) == "author_not_entitled"
    assert refusal(ledger, revocation(b"x" * 31)) == "malformed"


@pytest.mark.parametrize("fragment", ["", "#", "#z6Mkother"])
def test_a_revocation_by_no_proper_key_is_refused(ledger: EmbeddedLedger, fragment: str) -> None:
    assert refusal(ledger, revocation(author=THROWAWAY_AUTHOR.partition("#")[0] + fragment)) == "author_unknown"


def test_a_handle_is_published_once(ledger: EmbeddedLedger) -> None:
    ledger.submit([revocation()])
    again = prepare(
        Kind.REVOCATION,
        revocation_subject(HANDLE),
        HANDLE,
        author=THROWAWAY_AUTHOR,
        signer=THROWAWAY,
        now=START,
        previous=ledger.latest(revocation_subject(HANDLE)),
    )
    assert refusal(ledger, again) == "already_revoked"


def test_a_map_head_is_the_logs_own(ledger: EmbeddedLedger, board: Board) -> None:
    assert refusal(ledger, board.signed(Kind.MAP_HEAD, bytes(32), b"{}", ledger)) == "map_head_reserved"


def test_one_bad_entry_refuses_its_whole_batch(ledger: EmbeddedLedger, board: Board) -> None:
    assert refusal(ledger, board.status_list(ledger), replace(revocation(), content=b"")) == "entry_content_mismatch"
    assert ledger.latest(subject_of(Kind.STATUS_LIST, "https://board.example/status/1")) is None


@pytest.mark.parametrize("count", [0, MAX_BATCH_ENTRIES + 1])
def test_a_batch_has_entries_and_not_too_many(ledger: EmbeddedLedger, count: int) -> None:
    assert refusal(ledger, *[revocation()] * count) == "malformed"


def test_malformed_and_newer_entries_are_told_apart(ledger: EmbeddedLedger) -> None:
    with pytest.raises(FormatError):
        ledger.submit([Submission(b"\xff", b"")])
    with pytest.raises(UnsupportedError):
        ledger.submit([Submission(b"\xa1\x01\x02", b"")])


# ---- with a state of one's own


@dataclass
class KnownState:
    """An empty ledger on which one author has written much."""

    written: int = 0
    asked: int = 0
    registry_authorities: frozenset[str] = field(default_factory=frozenset)
    replayed: bool = False

    def expect(self, subjects: object) -> None:
        pass

    def latest(self, subject: bytes) -> Entry | None:
        return None

    def did_log(self, subject: bytes) -> None:
        return None

    def witness_proofs(self, did: webvh.WebvhDID) -> bytes | None:
        return None

    def entries_within_hour(self, author: str) -> int:
        self.asked += 1
        return self.written


def test_an_author_over_the_rate_is_refused() -> None:
    admit(revocation(), KnownState(MAX_AUTHOR_ENTRIES_PER_HOUR - 1), now=START)
    with pytest.raises(VerificationError) as refused:
        admit(revocation(), KnownState(MAX_AUTHOR_ENTRIES_PER_HOUR), now=START)
    assert refused.value.code == "rate_exceeded"


def test_the_rate_counts_within_a_batch() -> None:
    state = KnownState(MAX_AUTHOR_ENTRIES_PER_HOUR - 1)
    handle = b"other" + bytes(27)
    other = prepare(Kind.REVOCATION, revocation_subject(handle), handle, author=THROWAWAY_AUTHOR, signer=THROWAWAY, now=START)
    with pytest.raises(VerificationError) as refused:
        admit_all([revocation(), other], state, now=START)
    assert refused.value.code == "rate_exceeded"
    assert state.asked == 1


def test_a_gap_and_a_wrong_predecessor_are_out_of_order() -> None:
    state = Staged(KnownState())
    first = admit(revocation(), state, now=START)
    state.stage(first)
    for seq, prev in ((2, first.entry.digest), (1, bytes(32))):
        entry = replace(first.entry, seq=seq, prev=prev)
        with pytest.raises(VerificationError) as refused:
            admit(Submission(entry.encode(), HANDLE), state, now=START)
        assert refused.value.code == "entry_out_of_order"
    with pytest.raises(ConflictError) as superseded:
        admit(revocation(), state, now=START)
    assert superseded.value.code == "entry_superseded"
