"""The embedded ledger: what it logs, publishes, answers and writes to its folder."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from did_health.errors import ConflictError, FormatError, StoreError, TransportError, VerificationError
from did_health.keys import generate
from did_health.ledger.entry import Entry, Kind, subject_of
from did_health.ledger.latest import LatestBundle
from did_health.ledger.log import Ledger, prepare
from did_health.ledger.witness import Witness
from did_health.roles.evidence import Need, Source
from did_health.stores.database import Database
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.witness_store import SQLWitnessStore
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import SignedNote, VerifierKey
from did_health.tlog.tiles import parse_bundle, parse_tile
from did_health.tlog.witness_policy import WitnessPolicy, verify_proof
from tests.conftest import repeatable_bytes
from tests.ledger_parties import CHEAP, PASSPHRASE, START, URL, Board, Clock, new_ledger, reopened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[EmbeddedLedger]:
    ledger = new_ledger(tmp_path / "ledger", clock)
    yield ledger
    ledger.close()


@pytest.fixture
def board(ledger: EmbeddedLedger) -> Board:
    return Board("board.example", repeatable_bytes("board")).join(ledger)


def published(ledger: EmbeddedLedger) -> Checkpoint:
    data = ledger.fetch(Need(f"{URL}/checkpoint"))
    assert data is not None
    return Checkpoint.parse(SignedNote.parse(data).text)


def test_it_is_a_ledger_and_a_source(ledger: EmbeddedLedger) -> None:
    as_ledger: Ledger = ledger
    as_source: Source = ledger
    assert as_ledger.origin == "ledger.example"
    assert as_ledger.url == URL
    assert as_source.fetch(Need(f"{URL}/checkpoint")) is None


def test_what_is_logged_is_proven_under_the_policy(ledger: EmbeddedLedger, board: Board) -> None:
    policy = WitnessPolicy.parse(ledger.policy_text)
    logged = ledger.submit([board.status_list(ledger), board.batch(ledger, [bytes(32)])[1]])
    assert [one.index for one in logged] == [2, 3]
    for one in logged:
        verified = verify_proof(one.proof, one.entry, policy, now=int(START.timestamp()))
        assert (verified.checkpoint.size, verified.timestamp, len(verified.cosigners)) == (5, int(START.timestamp()), 4)
        assert one.proof.extra == one.entry
    assert str(policy.logs[0].key) == ledger.vkey


def test_latest_is_the_last_entry_of_its_subject(ledger: EmbeddedLedger, board: Board) -> None:
    subject = subject_of(Kind.STATUS_LIST, "https://board.example/status/1")
    assert ledger.latest(subject) is None
    ledger.submit([board.status_list(ledger, "one")])
    (second,) = ledger.submit([board.status_list(ledger, "two")])
    ledger.submit([board.batch(ledger, [bytes(32)])[1]])
    latest = ledger.latest(subject)
    assert latest is not None
    assert (latest.entry, latest.parsed.seq, latest.index) == (second.entry, 1, 4)
    verify_proof(latest.proof, latest.entry, WitnessPolicy.parse(ledger.policy_text))


def test_the_latest_bundle_contents_and_documents_are_fetched_by_url(ledger: EmbeddedLedger, board: Board) -> None:
    submission = board.status_list(ledger)
    (logged,) = ledger.submit([submission])
    bundle = ledger.fetch(Need(f"{URL}/latest/{logged.parsed.subject.hex()}"))
    assert bundle is not None
    verified = LatestBundle.parse(bundle).verify(logged.parsed.subject, WitnessPolicy.parse(ledger.policy_text))
    assert (verified.entry, verified.index) == (logged.parsed, logged.index)
    assert ledger.fetch(Need(f"{URL}/content/{logged.parsed.content.hex()}")) == submission.content
    ledger.publish("https://board.example/.well-known/did.jsonl", board.log.encode())
    ledger.publish(f"{URL}/about", b"ours")
    assert ledger.fetch(Need("https://board.example/.well-known/did.jsonl")) == board.log.encode()
    assert ledger.fetch(Need(f"{URL}/about")) == b"ours"


@pytest.mark.parametrize(
    "path",
    [
        "content/" + "00" * 32, "latest/zz", "latest/" + "AB" * 32, "content/00",
        "tile/0/001", "tile/0/../../x", "tile/entries/x", "none", "",
    ],
)
def test_what_is_not_there_is_nothing(ledger: EmbeddedLedger, board: Board, path: str) -> None:
    assert ledger.fetch(Need(f"{URL}/{path}")) is None


def test_hosts_that_it_does_not_serve_cannot_be_told(ledger: EmbeddedLedger, board: Board) -> None:
    assert ledger.fetch(Need("https://LEDGER.example/elsewhere")) is None
    with pytest.raises(TransportError) as refused:
        ledger.fetch(Need("https://board.example/status/1"))
    assert refused.value.code == "host_unknown"
    ledger.publish("https://board.example/x", b"x")
    assert ledger.fetch(Need("https://board.example/status/1")) is None


def test_more_bytes_than_wanted_are_refused(ledger: EmbeddedLedger) -> None:
    ledger.publish("https://board.example/x", b"12345")
    assert ledger.fetch(Need("https://board.example/x", 5)) == b"12345"
    with pytest.raises(TransportError) as refused:
        ledger.fetch(Need("https://board.example/x", 4))
    assert refused.value.code == "response_too_large"


@pytest.mark.parametrize("url", ["board.example/x", "https://[::1/x", ""])
def test_what_is_no_url_is_refused(ledger: EmbeddedLedger, url: str) -> None:
    with pytest.raises(FormatError):
        ledger.publish(url, b"")


def test_the_files_are_the_log_in_c2sp_layout(tmp_path: Path, ledger: EmbeddedLedger, board: Board) -> None:
    submitted = [ledger.latest(board.subject).entry]  # type: ignore[union-attr]
    submitted += [one.entry for one in ledger.submit([board.status_list(ledger, url=f"https://board.example/{number}") for number in range(297)])]
    folder = tmp_path / "ledger" / "published"
    entries = [*parse_bundle((folder / "tile/entries/000").read_bytes(), 256), *parse_bundle((folder / "tile/entries/001.p/44").read_bytes(), 44)]
    heads = [entries.pop(), entries.pop(1)]
    assert entries == submitted
    assert [Entry.parse(head).kind for head in heads] == [Kind.MAP_HEAD] * 2
    entries = [entries[0], heads[1], *entries[1:], heads[0]]
    hashes = [*parse_tile((folder / "tile/0/000").read_bytes()), *parse_tile((folder / "tile/0/001.p/44").read_bytes(), 44)]
    assert hashes == [leaf_hash(entry) for entry in entries]
    assert (folder / "tile/1/000.p/1").exists()
    checkpoint = Checkpoint.parse(SignedNote.parse((folder / "checkpoint").read_bytes()).text)
    assert checkpoint == Checkpoint("ledger.example", 300, Tree.from_leaf_hashes(hashes).root()) == published(ledger)
    # The partial tile of the size before is still served.
    assert (folder / "tile/0/000.p/2").exists()
    assert ledger.fetch(Need(f"{URL}/tile/0/000")) == (folder / "tile/0/000").read_bytes()
    assert ledger.fetch(Need(f"{URL}/tile/entries/001.p/44")) == (folder / "tile/entries/001.p/44").read_bytes()
    assert not list(folder.rglob("*.tmp"))


def test_key_files_are_sealed_and_their_owners_alone(tmp_path: Path, ledger: EmbeddedLedger) -> None:
    keys = sorted((tmp_path / "ledger" / "keys").iterdir())
    assert [path.name for path in keys] == ["log.key", *(f"witness-{number}.key" for number in range(1, 5))]
    for path in keys:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"did-health/sealed/v1" in path.read_bytes()


def test_it_goes_on_where_it_was_closed(tmp_path: Path, ledger: EmbeddedLedger, board: Board, clock: Clock) -> None:
    ledger.accept_authority(board.did)
    ledger.close()
    again = reopened(tmp_path / "ledger", clock)
    assert (again.origin, again.vkey, again.policy_text, again.url) == (ledger.origin, ledger.vkey, ledger.policy_text, URL)
    assert again.registry_authorities == {board.did}
    again.submit([board.status_list(again)])
    assert published(again).size == 4
    again.close()


def test_a_did_with_many_lines_goes_on_after_opening(tmp_path: Path, ledger: EmbeddedLedger, board: Board, clock: Clock) -> None:
    log, _ = board.rotated()
    key, line = board.next_key, log.lines[1]
    ledger.submit([prepare(Kind.DID, board.subject, line, author=key.public_key.multikey, signer=key, now=START, previous=ledger.latest(board.subject))])
    ledger.close()
    again = reopened(tmp_path / "ledger", clock)
    again.submit([board.status_list(again)])
    again.close()


def test_a_heartbeat_makes_old_evidence_young(ledger: EmbeddedLedger, board: Board, clock: Clock) -> None:
    policy = WitnessPolicy.parse(ledger.policy_text)
    before = published(ledger)
    clock.move(hours=5)
    ledger.heartbeat()
    latest = ledger.latest(board.subject)
    assert latest is not None
    assert published(ledger) == before
    assert policy.check(latest.proof.checkpoint).timestamp == int((START + timedelta(hours=5)).timestamp())
    assert len(latest.proof.checkpoint.signatures) == 5


def test_an_empty_log_has_no_heartbeat(ledger: EmbeddedLedger) -> None:
    ledger.heartbeat()
    assert ledger.size == 0


def test_witnesses_may_be_named_and_few(tmp_path: Path, clock: Clock) -> None:
    ledger = new_ledger(tmp_path, clock, witness_names=["north.example/w", "south.example/w"], quorum=2, registry_authorities=["did:webvh:Qm:a"])
    policy = WitnessPolicy.parse(ledger.policy_text)
    assert [witness.key.name for witness in policy.witnesses] == ["north.example/w", "south.example/w"]
    assert policy.groups[0].threshold == 2
    assert ledger.registry_authorities == {"did:webvh:Qm:a"}
    Board("board.example", repeatable_bytes("named")).join(ledger)
    ledger.close()


@pytest.mark.parametrize(("witnesses", "quorum"), [(4, 5), (4, 0), (0, 0)])
def test_a_quorum_that_cannot_be_had_is_the_callers_mistake(tmp_path: Path, clock: Clock, witnesses: int, quorum: int) -> None:
    with pytest.raises(ValueError, match="quorum"):
        new_ledger(tmp_path, clock, witness_names=witnesses, quorum=quorum)


def test_a_ledger_is_not_created_over_another(tmp_path: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    with pytest.raises(ConflictError) as exists:
        new_ledger(tmp_path / "ledger", clock)
    assert exists.value.code == "ledger_exists"
    (tmp_path / "ledger" / "ledger.sqlite").unlink()
    with pytest.raises(ConflictError) as keys:
        new_ledger(tmp_path / "ledger", clock)
    assert keys.value.code == "file_exists"


def test_a_bad_url_or_passphrase_leaves_nothing_behind(tmp_path: Path, clock: Clock) -> None:
    def create(url: str, passphrase: str) -> None:
        EmbeddedLedger.create(
            tmp_path / "new", origin="o.example", url=url, clock=clock, random=repeatable_bytes("bad"), passphrase=passphrase, cost=CHEAP
        )

    with pytest.raises(FormatError):
        create("no host", PASSPHRASE)
    with pytest.raises(ValueError, match="passphrase"):
        create(URL, "short")
    assert not (tmp_path / "new").exists()


def test_a_wrong_passphrase_is_told(tmp_path: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    with pytest.raises(VerificationError) as refused:
        EmbeddedLedger.open(tmp_path / "ledger", clock=clock, random=repeatable_bytes("x"), passphrase="another passphrase")
    assert refused.value.code == "wrong_passphrase"


def test_opening_where_there_is_no_ledger_is_told(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(StoreError) as nothing:
        reopened(tmp_path, clock)
    Database.open(tmp_path / "ledger.sqlite").close()
    with pytest.raises(StoreError) as unfinished:
        reopened(tmp_path, clock)
    assert (nothing.value.code, unfinished.value.code) == ("store_missing", "store_missing")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: data.replace(b'"nonce":"', b'"nonce":"A'), "malformed"),
        (lambda data: data.replace(b'"nonce":', b'"no":'), "malformed"),
        (lambda data: data.replace(b'"salt":"', b'"salt":5,"x":"'), "malformed"),
        (lambda data: data.replace(b'"salt":', b'"sal":'), "malformed"),
        (lambda data: data + b" " * 70_000, "store_foreign"),
        (lambda data: b"garbage", "malformed"),
        (lambda data: None, "store_missing"),
    ],
    ids=["nonce_changed", "no_nonce", "salt_is_a_number", "no_salt", "too_long", "garbage", "missing"],
)
def test_a_broken_key_file_is_told(tmp_path: Path, ledger: EmbeddedLedger, clock: Clock, change: object, code: str) -> None:
    path = tmp_path / "ledger" / "keys" / "witness-2.key"
    data = change(path.read_bytes())  # type: ignore[operator]
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
    with pytest.raises((FormatError, StoreError, VerificationError)) as refused:
        reopened(tmp_path / "ledger", clock)
    assert refused.value.code == code


def test_key_files_of_another_ledger_are_refused(tmp_path: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    other = new_ledger(tmp_path / "other", clock, "other")
    other.close()
    for path in (tmp_path / "other" / "keys").iterdir():
        path.replace(tmp_path / "ledger" / "keys" / path.name)
    with pytest.raises(StoreError) as refused:
        reopened(tmp_path / "ledger", clock)
    assert refused.value.code == "store_foreign"


def test_a_changed_submission_is_not_the_logged_one(ledger: EmbeddedLedger, board: Board) -> None:
    (logged,) = ledger.submit([board.status_list(ledger)])
    policy = WitnessPolicy.parse(ledger.policy_text)
    changed = replace(logged.parsed, time=0).encode()
    with pytest.raises(VerificationError) as refused:
        verify_proof(logged.proof, changed, policy)
    assert refused.value.code == "inclusion_proof_invalid"


def test_without_its_mirror_a_ledger_keeps_entries_and_publishes_them_when_it_is_back(tmp_path: Path, clock: Clock) -> None:
    database = Database.open("sqlite://")
    known: dict[str, list[VerifierKey]] = {}
    mirror = Witness("m.example", generate(repeatable_bytes("mirror")), SQLWitnessStore(database), known)
    with pytest.raises(ValueError, match="2 cannot be had of 1"):
        new_ledger(tmp_path / "impossible", clock, mirrors=[mirror], mirror_quorum=2)
    ledger = new_ledger(tmp_path / "ledger", clock, mirrors=[mirror])
    board = Board("board.example", repeatable_bytes("board"))
    # It does not know the log, so it refuses.
    with pytest.raises(StoreError, match="too few mirrors") as refused:
        board.join(ledger)
    assert refused.value.code == "quorum_not_met"
    assert ledger.size == 0
    known["ledger.example"] = [VerifierKey.parse(ledger.vkey)]
    ledger.heartbeat()
    assert ledger.size == 2
    cosigners = WitnessPolicy.parse(ledger.policy_text).check(SignedNote.parse(ledger.fetch(Need(f"{URL}/checkpoint")) or b"")).cosigners
    assert "mirror-1" in {one.witness for one in cosigners}
    ledger.close()
    again = EmbeddedLedger.open(tmp_path / "ledger", clock=clock, random=repeatable_bytes("x"), passphrase=PASSPHRASE, cosigners=[mirror])
    assert again.size == 2
    again.close()
    database.close()
