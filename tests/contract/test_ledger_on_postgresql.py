"""A whole ledger whose log is in PostgreSQL: the same promises, and a stand-by that takes over with a folder of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from did_health.errors import ConflictError, StoreError
from did_health.ledger.latest import LatestBundle
from did_health.roles.evidence import Need
from did_health.stores.embedded import EmbeddedLedger
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import SignedNote
from did_health.tlog.tiles import parse_bundle
from did_health.tlog.witness_policy import WitnessPolicy
from tests.conftest import repeatable_bytes
from tests.ledger_parties import CHEAP, PASSPHRASE, URL, Board, Clock


def create(folder: Path, url: str) -> EmbeddedLedger:
    return EmbeddedLedger.create(
        folder, origin="ledger.example", url=URL, clock=Clock(), random=repeatable_bytes("ledger"), passphrase=PASSPHRASE, cost=CHEAP, database_url=url
    )


def opened(folder: Path, url: str | None) -> EmbeddedLedger:
    return EmbeddedLedger.open(folder, clock=Clock(), random=os.urandom, passphrase=PASSPHRASE, database_url=url)


def files_of(folder: Path) -> dict[str, bytes]:
    root = folder / "published"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_ledger_on_postgresql_logs_proves_and_opens_again(tmp_path: Path, url: str) -> None:
    ledger = create(tmp_path / "a", url)
    board = Board("board.example", repeatable_bytes("board")).join(ledger)
    (logged,) = ledger.submit([board.status_list(ledger)])
    ledger.close()
    assert not (tmp_path / "a" / "ledger.sqlite").exists()
    again = opened(tmp_path / "a", url)
    bundle = again.fetch(Need(f"{URL}/latest/{logged.parsed.subject.hex()}"))
    assert bundle is not None
    assert LatestBundle.parse(bundle).verify(logged.parsed.subject, WitnessPolicy.parse(again.policy_text)).entry == logged.parsed
    absent = again.fetch(Need(f"{URL}/latest/{bytes(32).hex()}"))
    assert absent is not None
    assert LatestBundle.parse(absent).verify(bytes(32), WitnessPolicy.parse(again.policy_text)).entry is None
    again.close()


def test_one_database_holds_one_ledger_and_a_folder_without_it_none(tmp_path: Path, url: str) -> None:
    create(tmp_path / "a", url).close()
    with pytest.raises(ConflictError) as exists:
        create(tmp_path / "b", url)
    assert exists.value.code == "ledger_exists"
    assert not (tmp_path / "b").exists()
    with pytest.raises(StoreError) as missing:
        opened(tmp_path / "a", None)
    assert missing.value.code == "store_missing"


def test_a_stand_by_with_a_folder_of_its_own_publishes_all_that_the_first_one_did(tmp_path: Path, url: str) -> None:
    first = create(tmp_path / "a", url)
    board = Board("board.example", repeatable_bytes("board")).join(first)
    (tmp_path / "b").mkdir()
    # The witnesses are elsewhere in truth; here both ask the same.
    for name in ("keys", "witnesses"):
        (tmp_path / "b" / name).symlink_to(tmp_path / "a" / name)
    second = opened(tmp_path / "b", url)
    for number in range(3):
        first.submit([board.status_list(first, f"{number}")])
    first.close()
    second.submit([board.status_list(second, "last")])
    second.close()
    files = files_of(tmp_path / "b")
    checkpoint = Checkpoint.parse(SignedNote.parse(files["checkpoint"]).text)
    tree = Tree()
    tree.extend([leaf_hash(entry) for entry in parse_bundle(files[f"tile/entries/000.p/{checkpoint.size}"])])
    assert (tree.size, tree.root()) == (checkpoint.size, checkpoint.root)


def test_a_stand_by_that_never_wrote_has_the_tiles_of_the_checkpoint_it_serves(tmp_path: Path, url: str) -> None:
    first = create(tmp_path / "a", url)
    board = Board("board.example", repeatable_bytes("board")).join(first)
    first.submit([board.status_list(first)])
    (tmp_path / "b").mkdir()
    for name in ("keys", "witnesses"):
        (tmp_path / "b" / name).symlink_to(tmp_path / "a" / name)
    second = opened(tmp_path / "b", url)
    mine, theirs = files_of(tmp_path / "b"), files_of(tmp_path / "a")
    assert mine["checkpoint"] == theirs["checkpoint"]
    assert set(mine) <= set(theirs)
    assert all(theirs[name] == data for name, data in mine.items())
    first.submit([board.status_list(first, "more")])
    second.heartbeat()
    assert files_of(tmp_path / "b").keys() - {"checkpoint"} <= files_of(tmp_path / "a").keys()
    assert f"tile/0/000.p/{second.size}" in files_of(tmp_path / "b")
    first.close()
    second.close()
