"""What a board's monitor notices of a log that does wrong by it, of the network between them, and of its witnesses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from did_health.keys import generate
from did_health.ledger.entry import Entry, Kind, revocation_subject
from did_health.ledger.log import prepare
from did_health.ledger.monitor import Level, Mine
from did_health.tlog.witness_protocol import monitoring_path
from tests.any_log import AUTHOR, KEY, handle, revocation
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START
from tests.mirror_parties import Files, add, batch, wrong
from tests.monitor_parties import forked, watching
from tests.serving import serving

LIST = bytes([7]) * 32
OTHER_KEY = generate(repeatable_bytes("thief"))
MINE = Mine({LIST: "the status list https://board.example/status/1/revocation"}, {AUTHOR: KEY.public_key})


def written(number: int, *, author: str = AUTHOR, signer: object = KEY) -> bytes:
    """An entry about the watched list."""
    return prepare(Kind.STATUS_LIST, LIST, b"%d" % number, author=author, signer=signer, now=START).entry  # type: ignore[arg-type]


@pytest.mark.parametrize(("entry", "said"), [
    (written(1, author="did:webvh:Qm:thief.example#key", signer=OTHER_KEY), "none of yours"),
    (written(1, signer=OTHER_KEY), "key did not sign it"),
])
def test_an_entry_about_my_list_that_i_did_not_write_is_noticed(tmp_path: Path, entry: bytes, said: str) -> None:
    """By its author, and a log that writes my name into an entry has not got my signature."""
    with watching(tmp_path, 1, mine=MINE) as (board, files):
        assert board.codes() == []
        board.log.add(entry)
        board.log.close()
        files.lay(board.log)
        assert board.codes() == ["foreign_entry"]
        alarm = board.told[-1].alarm
        assert (alarm.level, alarm.about, alarm.details["index"]) == (Level.CRITICAL, "entry 2", 2)
        assert said in alarm.what
        # Told once.
        assert board.codes() == []


def test_my_own_entries_are_no_alarm(tmp_path: Path) -> None:
    with watching(tmp_path, 1, mine=MINE) as (board, files):
        board.log.add(written(1))
        board.log.close()
        files.lay(board.log)
        assert board.codes() == []


def test_what_a_stolen_key_writes_is_noticed_by_those_who_keep_a_list(tmp_path: Path) -> None:
    """Signed with the true key, in my name, about something that I do not even watch."""
    first = Entry.parse(written(1))
    with watching(tmp_path, 1, mine=replace(MINE, known=frozenset({first.digest, Entry.parse(revocation(1).entry).content}))) as (board, files):
        board.log.add(first.encode())
        board.log.close()
        files.lay(board.log)
        assert board.codes() == []
        batch(board.log, 2)
        files.lay(board.log)
        assert board.codes() == ["foreign_entry"]
        assert "your key signed it" in board.told[-1].alarm.what
        assert board.told[-1].alarm.details["subject"] == revocation_subject(handle(2)).hex()


def test_two_trees_of_one_size_are_noticed_whoever_shows_the_other(tmp_path: Path) -> None:
    """The log shows the board one history; a mirror, and a witness at its monitoring prefix, have another of the same size."""
    for name, path in (("mirror", "/checkpoint"), ("witness", f"/{monitoring_path('log.example')}")):
        with watching(tmp_path / name, 1, 2) as (board, _files):
            others = Files({path: forked(board.log, 3, 4).note().encode()})
            with serving(others) as url:
                board.mirrors = [url] if name == "mirror" else ()
                board.witness_urls = {} if name == "mirror" else {"w1.example": url}
                assert board.codes() == ["log_forked"]
                alarm = board.told[-1].alarm
                assert alarm.level is Level.CRITICAL
                # Both, with the log's signatures: the proof.
                assert alarm.details["checkpoint"].encode() == others.files[path]
                assert alarm.details["otherCheckpoint"].encode() == board.log.note().encode()
            # For good: the proof is on the disk.
            board.mirrors, board.witness_urls = (), {}
            assert board.codes() == []
            assert board.look().worst is Level.CRITICAL


def test_a_larger_tree_that_does_not_continue_what_was_seen_is_noticed(tmp_path: Path) -> None:
    with watching(tmp_path, 1, 2) as (board, files):
        assert board.codes() == []
        other = forked(board.log, 3, 4)
        batch(other, 5)
        files.lay(other)
        assert board.codes() == ["log_inconsistent"]
        assert board.told[-1].alarm.level is Level.CRITICAL
        assert board.told[-1].alarm.details["otherCheckpoint"].encode() == board.log.note().encode()
        # If it was the network that lied, it is over when the log is itself again.
        files.lay(board.log)
        assert board.codes() == ["-log_inconsistent"]


def test_a_log_that_goes_back_is_noticed_after_a_restart_too(tmp_path: Path) -> None:
    with watching(tmp_path, 1, 2) as (board, files):
        old = files.files["/checkpoint"]
        batch(board.log, 3)
        files.lay(board.log)
        assert board.codes() == []
        files.files["/checkpoint"] = old
        assert board.codes() == ["log_rolled_back"]
        del files.files["/checkpoint"]
        assert board.codes() == []
        assert "shows 0 leaves" in board.look().holding[0].what
        files.lay(board.log)
        assert board.codes() == ["-log_rolled_back"]


def test_a_log_that_keeps_from_me_what_others_have_is_noticed(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, files):
        batch(board.log, 2)
        with serving(Files({"/checkpoint": board.log.note().encode()})) as url:
            board.mirrors = [url]
            # A moment's lead is nothing.
            assert board.codes() == []
            board.clock.move(seconds=301)
            assert board.codes() == ["log_withheld"]
            files.lay(board.log)
            assert board.codes() == ["-log_withheld"]


def test_a_lying_map_head_is_noticed(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, files):
        assert board.codes() == []
        add(board.log, 2)
        board.log.close(wrong(board.log.true_head(), root=bytes(32)))
        files.lay(board.log)
        assert board.codes() == ["map_head_wrong"]
        assert board.told[-1].alarm.details["checkpoint"].encode() == board.log.note().encode()


def test_a_head_that_grows_old_is_noticed_and_its_end_too(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, files):
        board.clock.move(seconds=3600)
        assert board.codes() == []
        board.clock.move(seconds=1)
        assert board.codes()[0] == "head_stale"
        assert board.codes() == []
        board.log.at = board.clock()
        files.lay(board.log)
        assert "-head_stale" in board.codes()


def test_a_head_is_stale_also_when_the_log_does_not_answer(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, files):
        assert board.codes() == []
        files.files.clear()
        files.statuses += [500]
        assert board.codes() == ["log_unreachable"]
        board.clock.move(hours=2)
        files.statuses += [500]
        assert "head_stale" in board.codes()


def test_a_witness_that_is_silent_is_noticed_and_the_quorum_is_not_blamed(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, files):
        assert board.codes() == []
        board.clock.move(seconds=3601)
        gone = board.log.witnesses["w2.example"]
        board.log.at = board.clock()
        board.log.witnesses = {name: key for name, key in board.log.witnesses.items() if name != "w2.example"}
        files.lay(board.log)
        board.log.witnesses = {**board.log.witnesses, "w2.example": gone}
        assert board.codes() == ["witness_silent"]
        assert board.told[-1].alarm.about == "w2.example"
        files.lay(board.log)
        assert board.codes() == ["-witness_silent"]


def test_a_head_without_a_quorum_is_noticed(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, files):
        batch(board.log, 2)
        everybody = board.log.witnesses
        board.log.witnesses = {name: everybody[name] for name in ("w0.example", "w1.example")}
        files.lay(board.log)
        board.log.witnesses = everybody
        assert board.codes() == ["quorum_not_met"]
