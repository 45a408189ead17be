"""A mirror judges once more who wrote what: a log that lets somebody write in another's name is caught, by documents and keys that it logged itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from did_health.did.methods import webvh
from did_health.errors import VerificationError
from did_health.keys import generate
from did_health.ledger.entry import Entry, Kind, subject_of
from did_health.ledger.log import SequencedEntry, Submission, prepare
from did_health.ledger.map_head import LoggedHead
from did_health.stores.mirror import Mirror
from tests.any_log import KEY, AnyLog, revocation
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, Board, Clock
from tests.mirror_parties import Files, Mirroring, mirroring, new_log
from tests.serving import serving

LIST = "https://nc.example/status/1"


class Nothing:
    """A ledger on which no subject has an entry."""

    def latest(self, _subject: bytes) -> SequencedEntry | None:
        return None


@dataclass
class Scene:
    log: AnyLog
    files: Files
    mirroring: Mirroring

    def batch(self, *submissions: Submission) -> None:
        self.log.add(*submissions)
        self.log.close()
        for one in submissions:
            self.files.files[f"/content/{hashlib.sha256(one.content).hexdigest()}"] = one.content
        self.files.lay(self.log, numbers=10)

    @property
    def mirror(self) -> Mirror:
        return self.mirroring.mirror

    def caught(self, *submissions: Submission) -> tuple[str, str]:
        """The code of the alarm that a batch sets off, and where; nothing of it is kept."""
        taken = self.mirror.taken
        self.batch(*submissions)
        with pytest.raises(VerificationError):
            self.mirror.follow()
        alarm = self.mirror.alarm
        assert alarm is not None
        assert alarm.checkpoint == self.log.note().encode().decode()
        assert self.mirror.taken == taken
        return alarm.code, alarm.what


@pytest.fixture
def board() -> Board:
    return Board("nc.example", repeatable_bytes("board"))


@pytest.fixture
def scene(tmp_path: Path, board: Board) -> Iterator[Scene]:
    """A mirror that follows a log on which the board's DID is."""
    log, files = new_log(), Files()
    with serving(files) as source, mirroring(tmp_path / "m", log.signer.key, source) as running:
        scene = Scene(log, files, running)
        scene.batch(board.first_line())
        assert scene.mirror.follow()
        yield scene


def status_list(board: Board, issuer: Board | None = None, **options: object) -> Submission:
    content = json.dumps({"id": LIST, "issuer": (issuer or board).did}).encode()
    return board.signed(Kind.STATUS_LIST, subject_of(Kind.STATUS_LIST, LIST), content, Nothing(), **options)  # type: ignore[arg-type]


def forged(submission: Submission) -> Submission:
    entry = Entry.parse(submission.entry)
    return Submission(replace(entry, signature=entry.signature[:-1] + bytes([entry.signature[-1] ^ 1])).encode(), submission.content)


def test_entries_of_those_who_may_write_them_are_taken(scene: Scene, board: Board) -> None:
    scene.batch(revocation(1), status_list(board), revocation(2))
    assert scene.mirror.follow()
    assert scene.mirror.alarm is None
    assert scene.mirror.size == scene.mirror.taken == 6


def test_a_did_and_what_it_signs_may_come_in_one_batch(scene: Scene) -> None:
    other = Board("other.example", repeatable_bytes("other"))
    _, batch = other.batch(Nothing(), [bytes(32)])  # type: ignore[arg-type]
    scene.batch(other.first_line(), batch)
    assert scene.mirror.follow()
    assert scene.mirror.alarm is None


def test_a_rotated_key_is_judged_by_the_newest_line_also_after_a_restart(scene: Scene, board: Board, tmp_path: Path) -> None:
    rotated, _ = board.rotated()
    first = Entry.parse(scene.log.leaves[0])
    line = Entry.create(
        kind=Kind.DID, subject=board.subject, content=hashlib.sha256(rotated.lines[1]).digest(), author=board.next_key.public_key.multikey,
        now=START, signer=board.next_key, previous=first,
    )  # fmt: skip
    scene.mirror.close()
    source = scene.mirror._source
    restarted = Mirror.open(tmp_path / "m", scene.log.signer.key, scene.mirror.url, source, clock=Clock())
    scene.batch(Submission(line.encode(), rotated.lines[1]))
    assert restarted.follow()
    scene.batch(status_list(board))
    assert restarted.follow()
    assert restarted.alarm is None
    restarted.close()


FORGERIES: list[tuple[str, Callable[[Board], Submission], str]] = [
    ("a revocation with a broken signature", lambda _: forged(revocation(1)), "entry_signature_invalid"),
    ("a status list with a broken signature", lambda board: forged(status_list(board)), "entry_signature_invalid"),
    ("a status list signed with another key", lambda board: status_list(board, signer=KEY), "entry_signature_invalid"),
    ("a status list that another issued", lambda board: status_list(board, Board("x.example", repeatable_bytes("x"))), "author_not_entitled"),
    ("a status list of a DID that is not logged", lambda _: status_list(Board("nc.example", repeatable_bytes("x"))), "author_unknown"),
    ("a status list that is no JSON", lambda board: board.signed(Kind.STATUS_LIST, bytes(32), b"{", Nothing()), "malformed"),  # type: ignore[arg-type]
    ("a key that the DID does not have", lambda board: status_list(board, author=f"{board.did}#other"), "INVALID_VERIFICATION_METHOD"),
]


@pytest.mark.parametrize(("forgery", "code"), [case[1:] for case in FORGERIES], ids=[case[0] for case in FORGERIES])
def test_what_its_author_could_not_write_ends_the_trust_in_the_log(scene: Scene, board: Board, forgery: Callable[[Board], Submission], code: str) -> None:
    found, what = scene.caught(revocation(7), forgery(board))
    assert found == code
    assert "entry 3" in what


def test_a_line_of_a_did_by_a_key_that_did_not_sign_it(scene: Scene) -> None:
    other = Board("other.example", repeatable_bytes("other"))
    line = prepare(Kind.DID, other.subject, other.log.lines[0], author=KEY.public_key.multikey, signer=KEY, now=START)
    assert scene.caught(line)[0] == "author_not_entitled"


def test_what_a_handle_that_is_not_the_subjects_reveals(scene: Scene) -> None:
    entry = Entry.parse(revocation(1).entry)
    wrong = prepare(Kind.REVOCATION, entry.subject, b"no handle of it" + bytes(17), author=entry.author, signer=KEY, now=START)
    assert scene.caught(wrong)[0] == "author_not_entitled"


def test_a_line_is_judged_by_the_time_that_its_batchs_head_says(scene: Scene) -> None:
    scene.log.at = START - timedelta(hours=2)
    other = Board("other.example", repeatable_bytes("other"))
    assert scene.caught(other.first_line())[0] == "version_time_in_future"


def test_a_line_that_was_in_time_stays_good_when_a_later_head_says_an_earlier_time(scene: Scene, board: Board) -> None:
    # The log's clock was set back.
    scene.log.at = START - timedelta(hours=2)
    scene.batch(status_list(board))
    assert scene.mirror.follow()
    assert scene.mirror.alarm is None


def test_what_the_log_alone_knows_is_left_to_verifiers(scene: Scene, board: Board) -> None:
    record = json.dumps({"issuer": board.did}).encode()
    registry = board.signed(Kind.REGISTRY_RECORD, subject_of(Kind.REGISTRY_RECORD, "a b c d"), record, Nothing())  # type: ignore[arg-type]
    witnessed = Board("witnessed.example", repeatable_bytes("witnessed"))
    witness = f"did:key:{generate(repeatable_bytes('did witness')).public_key.multikey}"
    witnessed.log = webvh.create(
        witnessed.host,
        witnessed._document,
        update_keys=[witnessed.update_key.public_key.multikey],
        signer=witnessed.update_key,
        next_key_hashes=[webvh.next_key_hash(witnessed.next_key.public_key.multikey)],
        now=START - timedelta(hours=1),
        witness=webvh.WitnessList(1, (witness,)),
    )
    _, batch = witnessed.batch(Nothing(), [bytes(32)])  # type: ignore[arg-type]
    scene.batch(registry, witnessed.first_line(), batch)
    assert scene.mirror.follow()
    assert scene.mirror.alarm is None


def test_an_entry_of_another_version_is_no_alarm(scene: Scene) -> None:
    from did_health.encoding import cbor
    from did_health.errors import UnsupportedError

    members = cbor.loads(revocation(1).entry)
    data = cbor.dumps({**members, 1: 2})
    scene.log.leaves.append(data)
    assert isinstance(scene.log.head, LoggedHead)
    scene.log.close()
    scene.files.lay(scene.log, numbers=10)
    with pytest.raises(UnsupportedError):
        scene.mirror.follow()
    assert scene.mirror.alarm is None
