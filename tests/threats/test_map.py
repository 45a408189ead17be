"""A log that lies about its map: under signatures and cosignatures that are all in order, its bundles and its heads are refused nevertheless."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from did_health.errors import VerificationError
from did_health.keys import generate
from did_health.ledger.admission import Admitted
from did_health.ledger.entry import Entry, revocation_subject
from did_health.ledger.latest import LatestBundle, NewestEntry
from did_health.ledger.map_head import LoggedHead, MapHead, sign_head
from did_health.ledger.replay import Replay
from did_health.ledger.sequencer import plan
from did_health.roles.evidence import Need
from did_health.stores.embedded import EmbeddedLedger
from did_health.tlog.merkle import Tree
from did_health.tlog.note import NoteSigner
from did_health.tlog.prefix_map_tree import MemoryItems, PrefixTree
from did_health.tlog.witness_policy import PolicyGroup, PolicyLog, PolicyWitness, WitnessPolicy
from tests.any_log import AnyLog, handle, revocation
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, URL, Clock, new_ledger

NOW = int(START.timestamp())
ONE, TWO, NOBODY = (revocation_subject(handle(number)) for number in (1, 2, 9))


def new_log(name: str = "log.example") -> AnyLog:
    signers = {f"w{number}.example": generate(repeatable_bytes(f"witness {number}")) for number in range(4)}
    return AnyLog(NoteSigner(name, generate(repeatable_bytes(name))), signers)


def policy_of(log: AnyLog) -> WitnessPolicy:
    from did_health.tlog.cosignature import cosigner_key

    names = tuple(log.witnesses)
    return WitnessPolicy(
        (PolicyLog(log.signer.key),),
        tuple(PolicyWitness(name, cosigner_key(name, signer.public_key)) for name, signer in log.witnesses.items()),
        (PolicyGroup("witnesses", 3, names),),
        "witnesses",
    )


def newest(log: AnyLog, index: int) -> NewestEntry:
    return NewestEntry(index, log.leaves[index])


def refusal(log: AnyLog, bundle: LatestBundle, subject: bytes) -> str:
    with pytest.raises(VerificationError) as refused:
        LatestBundle.parse(bundle.encode()).verify(subject, policy_of(log), now=NOW)
    return refused.value.code


@pytest.fixture
def log() -> AnyLog:
    """Two batches: leaves 0 to 2 and 3 to 4, the last of each a head."""
    log = new_log()
    log.add(revocation(1), revocation(2))
    log.close()
    log.add(revocation(3))
    log.close()
    return log


def again(log: AnyLog, number: int, index: int) -> bytes:
    """The entry that follows leaf ``index`` in the history of its subject."""
    first = Entry.parse(log.leaves[index])
    return replace(Entry.parse(revocation(number).entry), seq=first.seq + 1, prev=first.digest).encode()


def test_what_a_log_says_truly_is_proved(log: AnyLog) -> None:
    for index, subject in ((0, ONE), (1, TWO)):
        verified = LatestBundle.parse(log.bundle(subject, newest(log, index)).encode()).verify(subject, policy_of(log), now=NOW)
        assert (verified.index, verified.timestamp) == (index, NOW)
        assert verified.entry == Entry.parse(log.leaves[index])
    absent = log.bundle(NOBODY).verify(NOBODY, policy_of(log), now=NOW)
    assert (absent.entry, absent.index, absent.timestamp) == (None, None, NOW)


# ---- bundles


def test_an_older_entry_is_not_the_newest(log: AnyLog) -> None:
    log.add(again(log, 1, 0))
    log.close()
    assert log.bundle(ONE, newest(log, 5)).verify(ONE, policy_of(log)).index == 5
    assert refusal(log, log.bundle(ONE, newest(log, 0)), ONE) == "latest_not_in_map"


def test_a_subject_that_has_entries_is_not_proved_absent(log: AnyLog) -> None:
    assert refusal(log, log.bundle(ONE), ONE) == "latest_not_in_map"
    # By the path of another key, which ends elsewhere.
    assert refusal(log, log.bundle(NOBODY), ONE) in {"map_proof_invalid", "latest_not_in_map"}


def test_a_subject_without_entries_does_not_get_one(log: AnyLog) -> None:
    assert refusal(log, log.bundle(NOBODY, newest(log, 0)), NOBODY) == "latest_of_another_subject"


def test_the_proof_of_a_subject_does_not_serve_for_another(log: AnyLog) -> None:
    assert refusal(log, log.bundle(ONE, newest(log, 0)), TWO) == "latest_of_another_subject"


@pytest.mark.parametrize(
    "change",
    [
        lambda log: replace(newest(log, 0), index=1),
        lambda log: replace(newest(log, 0), flags=1),
        lambda log: NewestEntry(0, replace(Entry.parse(log.leaves[0]), content=bytes(32)).encode()),
        lambda log: NewestEntry(0, replace(Entry.parse(log.leaves[0]), signature=bytes(64)).encode()),
    ],
    ids=["another_place", "other_flags", "another_document", "another_signature"],
)
def test_nothing_of_the_newest_entry_can_be_changed(log: AnyLog, change: Callable[[AnyLog], NewestEntry]) -> None:
    assert refusal(log, log.bundle(ONE, change(log)), ONE) == "latest_not_in_map"


@pytest.mark.parametrize(
    "changes",
    [
        {"root": bytes(range(32))}, {"count": 2}, {"seq": 7}, {"prev": bytes(32)}, {"time": 1}, {"signature": bytes(64)},
    ],
    ids=["root", "count", "seq", "prev", "time", "signature"],
)
def test_nothing_of_the_head_can_be_changed(log: AnyLog, changes: dict[str, object]) -> None:
    bundle = replace(log.bundle(ONE, newest(log, 0)), **changes)  # type: ignore[arg-type]
    assert refusal(log, bundle, ONE) == "inclusion_proof_invalid"


def test_a_map_that_the_last_head_does_not_say_is_refused(log: AnyLog) -> None:
    """The log hides an entry from the map that it shows, but the head was made of another one."""
    honest = log.bundle(ONE, newest(log, 0))
    del log.map[ONE]
    lying = log.bundle(ONE)
    assert refusal(log, lying, ONE) == "map_proof_invalid"
    assert refusal(log, replace(lying, root=log.prefix_tree.root), ONE) == "inclusion_proof_invalid"
    assert honest.verify(ONE, policy_of(log)).index == 0


def test_a_head_that_is_not_the_last_leaf_is_refused(log: AnyLog) -> None:
    """The map of yesterday under the checkpoint of today: the head is in the log, and there are entries after it."""
    assert log.head is not None
    log.add(again(log, 1, 0), mapped=False)
    bundle = log.bundle(ONE, newest(log, 0), head_at=4)
    assert bundle.head_index == 4
    assert refusal(log, bundle, ONE) == "map_head_not_last"
    assert refusal(log, replace(bundle, head_index=5), ONE) == "inclusion_proof_invalid"


def test_a_stale_head_as_the_last_leaf_is_refused(log: AnyLog) -> None:
    stale = log.true_head()
    log.add(again(log, 1, 0), mapped=False)
    log.close(replace(stale, size=3))
    bundle = log.bundle(ONE, newest(log, 0))
    assert refusal(log, bundle, ONE) == "map_head_not_last"
    # The rule says of which size it has to be, so what the log really wrote is not found.
    assert refusal(log, replace(bundle, head_index=len(log.leaves) - 1), ONE) == "inclusion_proof_invalid"


def test_a_bundle_of_another_log_is_refused(log: AnyLog) -> None:
    other = new_log("other.example")
    other.add(revocation(2))
    other.close()
    assert refusal(log, other.bundle(ONE), ONE) == "log_not_in_policy"
    # Nor does its head serve under the checkpoint of the log that one believes.
    mixed = replace(other.bundle(ONE), checkpoint=log.note(), head_index=len(log.leaves) - 1, head_path=log.tree.inclusion_proof(len(log.leaves) - 1))
    assert refusal(log, mixed, ONE) == "inclusion_proof_invalid"


def test_a_bundle_is_as_old_as_its_witnesses_say_and_none_is_of_the_future(log: AnyLog) -> None:
    log.at = START + timedelta(hours=1)
    assert refusal(log, log.bundle(ONE, newest(log, 0)), ONE) == "quorum_not_met"
    log.at = START - timedelta(hours=1)
    assert log.bundle(ONE, newest(log, 0)).verify(ONE, policy_of(log), now=NOW).timestamp == NOW - 3600


# ---- what bundles cannot show: whoever replays the log sees it


def replayed(log: AnyLog) -> Replay:
    replay = Replay(log.signer.name, log.signer.signer.public_key, MemoryItems(), {}, top_bits=2)
    for leaf in log.leaves:
        replay.add(leaf)
    replay.require_closed()
    return replay


def lie(log: AnyLog, how: str) -> None:
    """End the log with one more batch that is not as it should be."""
    if how == "two_heads":
        log.close()
        return
    if how == "hidden_entry":
        log.add(again(log, 1, 0), mapped=False)
        log.close()
        return
    log.add(revocation(4))
    head = log.true_head()
    match how:
        case "wrong_root":
            log.close(replace(head, root=bytes(range(32))))
        case "wrong_count":
            log.close(replace(head, count=head.count - 1))
        case "stale_head":
            log.close(replace(head, size=3))
        case "invented_entry":
            log.map[NOBODY] = bytes(32)
            log.close()
        case "another_signature":
            log.close()
            log.leaves[-1] = replace(Entry.parse(log.leaves[-1]), signature=bytes(64)).encode()
        case "another_name":
            entry = sign_head(head, None, signer=NoteSigner("other.example", log.signer.signer), time=NOW)
            log.leaves.append(entry.encode())
        case "history_cut":
            log.add(revocation(1))
            log.close()


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("wrong_root", "map_head_wrong"),
        ("wrong_count", "map_head_wrong"),
        ("stale_head", "map_head_wrong"),
        ("hidden_entry", "map_head_wrong"),
        ("invented_entry", "map_head_wrong"),
        ("two_heads", "map_head_repeated"),
        ("no_head", "map_head_missing"),
        ("another_signature", "entry_signature_invalid"),
        ("another_name", "map_head_foreign"),
        ("history_cut", "entry_out_of_order"),
    ],
)
def test_whoever_replays_the_log_sees_the_lie(log: AnyLog, how: str, code: str) -> None:
    before = replayed(log)
    assert (before.size, before.tree.count) == (5, 3)
    lie(log, how)
    with pytest.raises(VerificationError) as seen:
        replayed(log)
    assert seen.value.code == code


def test_a_log_without_entries_needs_no_head() -> None:
    replayed(new_log())


# ---- the log itself


def admitted(number: int) -> Admitted:
    submission = revocation(number)
    return Admitted(Entry.parse(submission.entry), submission.entry, submission.content)


def test_the_log_signs_nothing_against_rule_l() -> None:
    signer = new_log().signer
    items, tree = MemoryItems(), Tree()
    prefix_tree = PrefixTree(items, 2)

    def signed(*entries: Admitted, previous: LoggedHead | None = None) -> str:
        with pytest.raises(VerificationError) as refused:
            plan(tree, prefix_tree, entries, previous=previous, signer=signer, now=START)
        assert tree.size == size
        return refused.value.code

    size = 0
    assert signed() == "map_head_repeated"
    batch = plan(tree, prefix_tree, [admitted(1)], previous=None, signer=signer, now=START)
    previous = LoggedHead(batch.head.entry, MapHead.parse(batch.head.content))
    size = tree.size
    # The map was not brought up to the batch.
    assert signed(admitted(2), previous=previous) == "map_head_mismatch"
    items.put({one.entry.subject: prefix_tree.prepare({}).root for one in batch.entries})
    prefix_tree.commit(batch.map_update)
    assert signed(batch.head, previous=previous) == "map_head_repeated"
    assert signed(admitted(2), batch.head, previous=previous) == "map_head_repeated"
    assert signed(admitted(2), previous=LoggedHead(batch.head.entry, replace(previous.head, size=7))) == "map_head_mismatch"


def test_an_embedded_ledger_heals_a_map_that_was_changed_in_its_database(tmp_path: Path) -> None:
    import sqlite3

    from tests.ledger_parties import reopened

    clock = Clock()
    ledger = new_ledger(tmp_path / "ledger", clock)
    ledger.submit([revocation(1), revocation(2)])
    ledger.close()
    connection = sqlite3.connect(tmp_path / "ledger" / "ledger.sqlite")
    connection.execute("DELETE FROM map_items WHERE position = 0")
    connection.commit()
    connection.close()
    healed = reopened(tmp_path / "ledger", clock)
    assert proved(healed, ONE) == 0
    assert proved(healed, NOBODY) is None
    healed.close()


def proved(ledger: EmbeddedLedger, subject: bytes) -> int | None:
    data = ledger.fetch(Need(f"{URL}/latest/{subject.hex()}"))
    assert data is not None
    return LatestBundle.parse(data).verify(subject, WitnessPolicy.parse(ledger.policy_text)).index


def test_an_embedded_ledger_proves_what_it_has_and_what_it_has_not(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path / "ledger", Clock())
    assert ledger.bundle(ONE) is None
    ledger.submit([revocation(1)])
    assert (proved(ledger, ONE), proved(ledger, TWO)) == (0, None)
    ledger.submit([revocation(2)])
    assert (proved(ledger, ONE), proved(ledger, TWO)) == (0, 2)
    ledger.close()
