"""The monitor's rules: whose entry is whose, what begins and ends, what is overdue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from did_health.errors import FormatError
from did_health.keys import generate
from did_health.ledger.entry import Entry, Kind, did_subject, subject_of
from did_health.ledger.log import prepare
from did_health.ledger.monitor import (
    Ahead,
    Alarm,
    Level,
    Limits,
    Mine,
    Notice,
    Seen,
    changes,
    named_subject,
    overdue,
    own_author,
    subjects_of_did,
)
from did_health.tlog.witness_policy import Cosigned
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, Board

BOARD = Board("board.example", repeatable_bytes("board"))
LINE = Entry.parse(BOARD.first_line().entry)
MULTIKEY = BOARD.update_key.public_key.multikey
LIMITS = Limits(head=100, witness=200, ahead=50)
AT = int(START.timestamp())
WITNESSES = ("w1", "w2")


def alarm(code: str = "head_stale", about: str = "", level: Level = Level.WARNING) -> Alarm:
    return Alarm(level, code, "log.example", about, "what", START, {"n": 1})


def test_conditions_begin_once_and_end_once_and_keep_their_beginning() -> None:
    later = START + timedelta(minutes=1)
    after, told = changes({}, [alarm(), alarm()], START)
    assert told == [Notice(alarm(), START)]
    after, told = changes(after, [replace(alarm(), since=later, what="older"), alarm("witness_silent", "w1")], later)
    assert [(notice.alarm.code, notice.ended) for notice in told] == [("witness_silent", False)]
    assert after[alarm().id] == replace(alarm(), what="older")
    after, told = changes(after, [], later)
    assert after == {}
    assert {(notice.alarm.code, notice.ended) for notice in told} == {("head_stale", True), ("witness_silent", True)}


def test_the_same_thing_has_the_same_id() -> None:
    assert alarm().id == replace(alarm(), since=START + timedelta(days=1), what="else").id
    assert len({alarm().id, alarm("other").id, alarm(about="w1").id, replace(alarm(), origin="other").id}) == 4


@pytest.mark.parametrize("notice", [Notice(alarm(), START), Notice(alarm(level=Level.CRITICAL), START, ended=True)])
def test_notices_are_read_as_they_are_told(notice: Notice) -> None:
    members = notice.to_json()
    assert Notice.from_json(members) == notice
    assert members["event"] == ("ended" if notice.ended else "alarm")
    for name in ("format", "event", "time", "level", "code", "origin", "about", "what", "since", "details"):
        with pytest.raises(FormatError):
            Notice.from_json({**members, name: 7})


def test_authors_and_their_keys() -> None:
    key = BOARD.update_key.public_key
    for text, method in ((MULTIKEY, MULTIKEY), (f"did:webvh:Qm:b.example#{MULTIKEY}", f"did:webvh:Qm:b.example#{MULTIKEY}"),
                         (f"did:webvh:Qm:b.example#key={MULTIKEY}", "did:webvh:Qm:b.example#key")):  # fmt: skip
        assert own_author(text) == (method, key)
    for text in ("", "did:webvh:Qm:b.example#key", "#=", "zzz", f"{MULTIKEY}=", f"={MULTIKEY}"):
        with pytest.raises(FormatError):
            own_author(text)


def test_subjects_by_their_names() -> None:
    assert named_subject("00" * 32) == bytes(32)
    assert named_subject(f"did {BOARD.did}") == BOARD.subject
    assert named_subject("registry-record a b c d") == subject_of(Kind.REGISTRY_RECORD, "a b c d")
    for text in ("", "did", "did did:key:zx", "map-head log.example", "revocation x", "gg" * 32, "poem x", "00"):
        with pytest.raises(FormatError):
            named_subject(text)


def test_what_an_institution_has() -> None:
    found = subjects_of_did(BOARD.did)
    assert {did_subject(BOARD.did), subject_of(Kind.ISSUANCE_BATCH, BOARD.did), subject_of(Kind.RECEIPT_BATCH, BOARD.did)} <= found.keys()
    assert found[subject_of(Kind.STATUS_LIST, "https://board.example/status/1/suspension")] == "the status list https://board.example/status/1/suspension"
    with pytest.raises(FormatError):
        subjects_of_did("did:key:zx")


def foreign(mine: Mine, entry: Entry = LINE) -> str | None:
    found = mine.foreign("log.example", 5, entry, START)
    return found.what if found else None


def test_whose_entry_is_whose() -> None:
    watched, key = {BOARD.subject: "the DID"}, BOARD.update_key.public_key
    assert foreign(Mine({})) is None
    assert "none of yours" in str(foreign(Mine(watched)))
    assert foreign(Mine(watched, {MULTIKEY: key})) is None
    assert "did not sign" in str(foreign(Mine(watched, {MULTIKEY: key}), replace(LINE, time=1)))
    # In my name, about something that is not watched.
    assert foreign(Mine({}, {MULTIKEY: key})) is None
    assert "did not sign" in str(foreign(Mine({}, {MULTIKEY: key}), replace(LINE, time=1)))
    found = Mine(watched).foreign("log.example", 5, LINE, START)
    assert found is not None
    assert (found.level, found.about, found.details["entry"], found.details["seq"]) == (Level.CRITICAL, "entry 5", LINE.digest.hex(), 0)


def test_what_is_known_to_be_mine() -> None:
    watched, keys = {BOARD.subject: "the DID"}, {MULTIKEY: BOARD.update_key.public_key}
    stranger = {"z6Mkother": generate(repeatable_bytes("other")).public_key}
    assert foreign(Mine(watched, {}, frozenset({LINE.digest}))) is None
    assert foreign(Mine(watched, {}, frozenset({LINE.content}))) is None
    assert foreign(Mine(watched, keys, frozenset({LINE.content}))) is None
    assert foreign(Mine(watched, stranger, frozenset({LINE.digest}))) is None
    assert "none of yours" in str(foreign(Mine(watched, stranger, frozenset({LINE.content}))))
    assert "none of yours" in str(foreign(Mine(watched, {}, frozenset())))
    assert "not among" in str(foreign(Mine(watched, keys, frozenset())))
    assert "not among" in str(foreign(Mine({}, keys, frozenset())))
    other = prepare(Kind.SCHEMA, bytes(32), b"x", author="did:web:a#b", signer=BOARD.issuing_key, now=START)
    assert foreign(Mine(watched, keys, frozenset()), Entry.parse(other.entry)) is None


def codes(seen: Seen, *, after: int = 0, witnesses: tuple[str, ...] = WITNESSES) -> set[tuple[str, str]]:
    return {(one.code, one.about) for one in overdue("log.example", seen, witnesses, LIMITS, START + timedelta(seconds=after))}


def test_heads_and_witnesses_grow_overdue_at_their_limits() -> None:
    seen = replace(Seen(AT - 1000), witnessed_at=AT).with_cosigners([Cosigned("w1", AT), Cosigned("w2", AT + 50)])
    assert codes(seen, after=100) == set()
    assert codes(seen, after=101) == {("head_stale", "")}
    assert codes(seen, after=201) == {("head_stale", ""), ("witness_silent", "w1")}
    assert codes(seen, after=251) == {("head_stale", ""), ("witness_silent", "w1"), ("witness_silent", "w2")}
    # Nobody witnesses, nobody is silent.
    assert codes(seen, after=10_000, witnesses=()) == set()


def test_what_was_never_seen_counts_from_the_first_look() -> None:
    assert codes(Seen(AT), after=100) == set()
    assert codes(Seen(AT), after=201) == {("head_stale", ""), ("witness_silent", "w1"), ("witness_silent", "w2")}
    said = [one.what for one in overdue("log.example", Seen(AT), ("w1",), LIMITS, START + timedelta(seconds=201))]
    assert "no quorum" in said[0]
    assert "not cosigned at all" in said[1]


def test_older_cosignatures_do_not_make_a_witness_older() -> None:
    seen = Seen(AT).with_cosigners([Cosigned("w1", AT)]).with_cosigners([Cosigned("w1", AT - 9), Cosigned("w2", 1)])
    assert seen.cosigned == {"w1": AT, "w2": 1}


def test_a_log_behind_others_is_given_a_moment() -> None:
    seen = Seen(AT, published=4).with_ahead("m1", 6, AT).with_ahead("m1", 8, AT + 40)
    assert seen.ahead == {"m1": Ahead(8, AT)}
    assert codes(seen, after=50, witnesses=()) == set()
    assert codes(seen, after=51, witnesses=()) == {("log_withheld", "m1")}
    assert seen.reached(7).ahead.keys() == {"m1"}
    assert seen.reached(8) == Seen(AT, published=8)
    assert seen.reached(2).published == 4
