"""``ledger audit`` and ``ledger show`` of a log behind a URL: true ones, wrong ones, and servers that fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from did_health.encoding import cbor
from did_health.ledger.entry import Entry, Kind
from did_health.ledger.log import prepare
from did_health.ledger.map_head import head_subject
from did_health.tlog.tiles import encode_bundle, parse_bundle
from did_health.tlog.witness_protocol import monitoring_path
from tests.any_log import AUTHOR, KEY, AnyLog, handle, revocation
from tests.cli_runs import CLI
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, Board
from tests.ledger_service import Service, ledger_service
from tests.mirror_parties import Files, add, batch, new_log, wrong
from tests.monitor_parties import policy_of, witnessed_log
from tests.serving import HOST, serving


@pytest.fixture
def log() -> AnyLog:
    """Three batches, and leaves enough for a tile of the second level."""
    log = new_log()
    batch(log, 1, 2)
    batch(log, *range(3, 300))
    batch(log, 300)
    return log


@pytest.fixture
def files(log: AnyLog) -> Files:
    files = Files()
    files.lay(log)
    return files


@pytest.fixture
def url(files: Files) -> Iterator[str]:
    with serving(files) as url:
        yield url


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with ledger_service(tmp_path_factory.mktemp("ledger") / "ledger") as service:
        board = Board("board.example", repeatable_bytes("board")).join(service.ledger)
        service.ledger.submit([board.status_list(service.ledger)])
        yield service


def audit(cli: CLI, url: str, log: AnyLog, *more: object, code: int = 0) -> str:
    ran = cli("ledger", "audit", url, "--vkey", log.signer.vkey, "--allow-host", HOST, *more, code=code)
    return ran.out + ran.err


def test_a_log_that_holds_together(cli: CLI, log: AnyLog, url: str) -> None:
    text = audit(cli, url, log)
    assert "The log holds together." in text
    assert f"all {len(log.leaves)} parse" in text
    assert f"{log.prefix_tree.count} subjects, root {log.prefix_tree.root.hex()}" in text
    assert "Cosigner" not in text
    told = cli("ledger", "audit", f"{url}/", "--vkey", log.signer.vkey, "--allow-host", HOST, "--json").json
    assert told["entries"] == {"revocation": 300, "map-head": 3}
    assert (told["valid"], told["documents"], told["authorsJudged"], told["root"]) == (True, 300, True, log.tree.root().hex())


def test_a_ledger_with_boards_under_its_policy(cli: CLI, service: Service, tmp_path: Path) -> None:
    policy = tmp_path / "policy.txt"
    policy.write_text(service.ledger.policy_text)
    told = cli("ledger", "audit", service.base, "--policy", policy, "--allow-host", HOST, "--json").json
    assert told["entries"] == {"did": 1, "status-list": 1, "map-head": 2}
    assert len(told["cosigners"]) == 4
    # Other witnesses, none of whom has seen it.
    strangers = policy_of(witnessed_log(1), service.base, {}).encode().splitlines(keepends=True)[1:]
    policy.write_text("".join([service.ledger.policy_text.splitlines(keepends=True)[0], *strangers]))
    assert "too few witnesses" in cli("ledger", "audit", service.base, "--policy", policy, "--allow-host", HOST, code=1).err


def forged_author(log: AnyLog) -> int:
    log.add(replace(Entry.parse(revocation(7001).entry), signature=bytes(64)).encode())
    return len(log.leaves) - 1


def unentitled(log: AnyLog) -> int:
    log.add(prepare(Kind.SCHEMA, bytes(32), handle(1), author=AUTHOR, signer=KEY, now=START))
    return len(log.leaves) - 1


def out_of_order(log: AnyLog) -> int:
    add(log, 1)
    return len(log.leaves) - 1


def no_entry(log: AnyLog) -> int:
    log.leaves.append(b"\xff")
    return len(log.leaves) - 1


@pytest.mark.parametrize(("spoil", "words"), [
    (forged_author, "signature"), (unentitled, "are on the ledger"), (out_of_order, "history"), (no_entry, "CBOR"),
])
def test_the_first_wrong_entry_is_named(cli: CLI, log: AnyLog, files: Files, url: str, spoil: Callable[[AnyLog], int], words: str) -> None:
    """Also where others come after it, and the batch's head lies, too."""
    add(log, 6000)
    index = spoil(log)
    if spoil is not no_entry:
        add(log, 6000)
        log.close(wrong(log.true_head(), root=bytes(32)))
    files.files[f"/content/{Entry.parse(revocation(7001).entry).content.hex()}"] = handle(7001)
    files.files[f"/content/{Entry.parse(revocation(6000).entry).content.hex()}"] = handle(6000)
    files.lay(log)
    text = audit(cli, url, log, code=1)
    assert f"does not hold together: entry {index}" in text
    assert words in text


def test_a_wrong_map_head_and_none_at_all(cli: CLI, log: AnyLog, files: Files, url: str) -> None:
    add(log, 400)
    files.lay(log)
    assert f"entry {len(log.leaves) - 1}" in audit(cli, url, log, code=1)
    log.close(wrong(log.true_head(), count=1))
    files.lay(log)
    text = audit(cli, url, log, code=1)
    assert f"entry {len(log.leaves) - 1}" in text
    assert "map head" in text


def test_an_entry_of_a_later_version_cannot_be_told(cli: CLI, log: AnyLog, files: Files, url: str) -> None:
    log.add(cbor.dumps({1: 2}), mapped=False)
    log.close()
    files.lay(log)
    text = audit(cli, url, log, code=3)
    assert "cannot be told" in text
    assert f"entry {len(log.leaves) - 2}" in text


def changed(files: Files, path: str, data: bytes) -> None:
    assert path in files.files
    files.files[path] = data


@pytest.mark.parametrize(("spoil", "words"), [
    (lambda files, log: changed(files, "/checkpoint", b"garbage"), "does not hold together"),
    (lambda files, log: changed(files, "/checkpoint", new_log("other.example").note().encode()), "does not hold together"),
    (lambda files, log: changed(files, "/tile/0/000", bytes(256 * 32)), "signed root"),
    (lambda files, log: changed(files, "/tile/0/000", bytes(9)), "of no use"),
    (lambda files, log: changed(files, "/tile/1/000.p/1", bytes(32)), "a tile is not"),
    (lambda files, log: changed(files, "/tile/entries/000", encode_bundle([log.leaves[1], *log.leaves[1:256]])), "entry 0 is not the one"),
    (lambda files, log: changed(files, f"/content/{Entry.parse(log.leaves[0]).content.hex()}", b"else"), "digest"),
    (lambda files, log: files.files.pop(f"/content/{Entry.parse(log.leaves[0]).content.hex()}"), "does not have content/"),
    (lambda files, log: files.files.pop("/tile/entries/000"), "does not have tile/entries/000"),
])
def test_what_is_served_and_is_not_the_logs(
    cli: CLI, log: AnyLog, files: Files, url: str, spoil: Callable[[Files, AnyLog], object], words: str
) -> None:
    spoil(files, log)
    assert words in audit(cli, url, log, code=1)


def test_a_server_that_does_not_answer_tells_nothing(cli: CLI, log: AnyLog, files: Files, url: str) -> None:
    files.statuses = [500]
    assert "cannot be told" in audit(cli, url, log, code=3)
    files.files.clear()
    assert "no checkpoint" in audit(cli, url, log, code=3)
    assert "cannot be told" in audit(cli, "http://127.0.0.1:1", log, code=3)
    ran = cli("ledger", "audit", "http://127.0.0.1:1", "--vkey", log.signer.vkey, code=3)
    assert "Use https, or allow the host" in ran.err


def test_which_log_it_is_has_to_be_said(cli: CLI, log: AnyLog, tmp_path: Path) -> None:
    assert "--policy" in cli("ledger", "audit", "https://log.example", code=2).err
    cli("ledger", "audit", "https://log.example", "--vkey", "garbage", code=2)
    policy = tmp_path / "two.txt"
    policy.write_text(f"log {log.signer.vkey}\nlog {new_log('other.example').signer.vkey}\nquorum none\n")
    assert "which log" in cli("ledger", "audit", "https://log.example", "--policy", policy, code=2).err
    policy.write_text('format = "did-health/trust-policy/v1"\n')
    assert "names no ledger" in cli("ledger", "audit", "https://log.example", "--policy", policy, code=2).err


# ---- show


def test_the_state_of_a_log_behind_a_url(cli: CLI, service: Service, tmp_path: Path) -> None:
    policy = tmp_path / "policy.txt"
    policy.write_text(service.ledger.policy_text)
    behind = Files()
    with serving(behind) as mirror:
        options = ("--policy", policy, "--allow-host", HOST, "--mirror", service.base, "--mirror", mirror, "--mirror", "http://127.0.0.1:1")
        told = cli("ledger", "show", service.base, *options, "--json").json
        assert (told["size"], told["map"]["keys"], told["unpublished"], told["silent"]) == (4, 2, None, [])
        assert [(one["size"], one["behind"]) for one in told["lag"]] == [(4, 0), (None, None), (None, None)]
        text = cli("ledger", "show", f"{service.base}/", *options).out
        assert "2 subjects" in text
        assert "it has nothing of this log" in text
        assert told["map"]["root"] in text
        behind.files["/checkpoint"] = b"garbage"
        assert "signatures" in cli("ledger", "show", service.base, *options).out
    assert "status 404" in cli("ledger", "show", f"{service.base}/nowhere", "--policy", policy, "--allow-host", HOST, code=3).err


def test_witnesses_that_are_behind_or_ahead(cli: CLI, service: Service, tmp_path: Path) -> None:
    log = witnessed_log(1)
    batch(log, 2)
    witness = Files({f"/{monitoring_path('log.example')}": log.note().encode()})
    stale = Files({"/checkpoint": replace(log, leaves=log.leaves[:2]).note().encode()})
    other = Files({"/checkpoint": new_log("other.example").note().encode()})
    latest = Files()
    everybody = log.witnesses
    log.witnesses = {name: key for name, key in everybody.items() if name != "w3.example"}
    latest.files[f"/latest/{head_subject('log.example').hex()}"] = log.bundle(bytes(32)).encode()
    log.witnesses = everybody
    with serving(witness) as at_witness, serving(stale) as at_mirror, serving(other) as at_other, serving(latest) as url:
        policy = tmp_path / "policy.txt"
        policy.write_text(policy_of(log, url, {"w1.example": at_witness}).encode())
        options = ("--policy", policy, "--allow-host", HOST, "--mirror", at_mirror, "--mirror", at_other)
        text = cli("ledger", "show", url, *options).out
        told = cli("ledger", "show", url, *options, "--json").json
    assert told["silent"] == ["w3.example"]
    assert [(one["place"], one["behind"]) for one in told["lag"]] == [(at_mirror, 2), (at_other, None), ("witness w1.example", 0)]
    assert "has not cosigned" in text
    assert "2 entries" in text


def test_mirrors_need_a_url(cli: CLI) -> None:
    assert "behind a URL" in cli("ledger", "show", "--mirror", "https://m1.example", code=2).err


def test_what_is_stored_and_not_published(cli: CLI) -> None:
    told = cli("ledger", "show", "--json").json
    assert told["unpublished"] == 0
    assert told["map"]["keys"] > 3
    assert "everything that is stored is published" in cli("ledger", "show").out
    with sqlite3.connect(cli.town / "ledger.sqlite") as connection:
        connection.execute("UPDATE checkpoint SET published_size = published_size - 2")
    connection.close()
    assert "2 entries are stored and not published" in cli("ledger", "show").out
    (cli.town / "ledger.sqlite").rename(cli.town / "elsewhere.sqlite")
    told = cli("ledger", "show", "--json").json
    assert (told["unpublished"], told["map"]) == (None, None)
    assert "Lag" not in cli("ledger", "show").out


def test_a_last_entry_that_is_none(cli: CLI) -> None:
    (bundle,) = sorted((cli.town / "published" / "tile" / "entries" / "000.p").iterdir(), key=lambda path: int(path.name))[-1:]
    entries = parse_bundle(bundle.read_bytes())
    bundle.write_bytes(encode_bundle([*entries[:-1], b"\xff"]))
    assert str(bundle) in cli("ledger", "show", code=1).err
    # Not a map head: then there is none to show.
    bundle.write_bytes(encode_bundle([*entries[:-1], entries[0]]))
    assert cli("ledger", "show", "--json").json["map"] is None


def test_an_empty_log_has_no_head(cli: CLI) -> None:
    log = new_log()
    (cli.town / "published" / "checkpoint").write_bytes(log.note().encode())
    policy = cli.folder / "empty.txt"
    policy.write_text(f"log {log.signer.vkey}\nquorum none\n")
    shown = cli("ledger", "show", "--policy", policy, "--json").json
    assert (shown["size"], shown["map"]) == (0, None)
