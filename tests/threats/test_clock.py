"""The clock of a ledger is set back: the log stays one history, whoever replays it finds nothing wrong, and nothing looks newer than it is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from did_health.cli.published import PublishedLog
from did_health.errors import DidHealthError
from did_health.ledger.entry import revocation_subject
from did_health.roles.evidence import Need
from did_health.stores.embedded import EmbeddedLedger
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import SignedNote
from did_health.tlog.witness_policy import WitnessPolicy
from tests.any_log import handle, revocation
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, URL, Board, Clock, reopened, size_published

BACK = timedelta(days=3)


def witnessed(ledger: EmbeddedLedger, number: int) -> int:
    """When a quorum saw the newest state, by the proof of this entry."""
    subject = revocation_subject(handle(number))
    bundle = ledger.bundle(subject)
    assert bundle is not None
    found = bundle.verify(subject, WitnessPolicy.parse(ledger.policy_text), now=int(START.timestamp()))
    assert found.entry is not None
    assert found.timestamp is not None
    return found.timestamp


def test_the_log_goes_on_and_nothing_looks_newer_than_it_is(folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    ledger.submit([revocation(1)])
    seen = Checkpoint.parse(SignedNote.parse(ledger.fetch(Need(f"{URL}/checkpoint")) or b"").text)
    clock.time -= BACK
    ledger.submit([revocation(2, at=clock())])
    ledger.heartbeat()
    assert witnessed(ledger, 1) == witnessed(ledger, 2) == int((START - BACK).timestamp())
    # Of another process, too.
    ledger.close()
    again = reopened(folder, clock)
    again.submit([revocation(3, at=clock())])
    clock.time += BACK
    again.heartbeat()
    again.submit([revocation(4)])
    assert witnessed(again, 2) == witnessed(again, 4) == int(START.timestamp())
    assert size_published(again) == 8
    log = PublishedLog(folder)
    leaves = list(log.entries())
    assert Tree.from_leaf_hashes(map(leaf_hash, leaves)).root(seen.size) == seen.root
    log.check(WitnessPolicy.parse(again.policy_text).logs[0].key.public_key, lambda digest: again.fetch(Need(f"{URL}/content/{digest.hex()}")))
    again.close()


def test_what_is_of_the_future_by_it_is_refused_until_it_is_right(ledger: EmbeddedLedger, clock: Clock) -> None:
    board = Board("board.example", repeatable_bytes("board"))
    clock.time -= BACK
    with pytest.raises(DidHealthError) as refused:
        ledger.submit([board.first_line()])
    assert refused.value.code == "version_time_in_future"
    assert ledger.size == 0
    clock.time += BACK
    board.join(ledger)
    assert ledger.size == 2
