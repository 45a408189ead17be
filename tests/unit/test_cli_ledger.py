from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from did_health.cli.output import ago
from did_health.encoding.base64 import base64_decode
from did_health.ledger.entry import Entry
from did_health.tlog.proof import TlogProof
from tests.cli_runs import CLI


@pytest.fixture(autouse=True)
def _no_passphrase(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DID_HEALTH_PASSPHRASE")


def did_of(cli: CLI) -> str:
    return str(json.loads((cli.town / "institutions" / "nc-medical.json").read_bytes())["did"])


def size_of(cli: CLI) -> int:
    return int((cli.town / "published" / "checkpoint").read_text().splitlines()[1])


def test_show(cli: CLI) -> None:
    shown = cli("ledger", "show", "--json").json
    assert shown["origin"] == "ledger.example"
    assert shown["size"] == size_of(cli)
    assert len(shown["cosigners"]) == 4
    assert shown["root"] in cli("ledger", "show").out
    assert "by a quorum" in cli("ledger", "show").out


def test_show_without_a_ledger(cli: CLI) -> None:
    ran = cli("ledger", "show", "--dir", "nowhere", "--policy", cli.town / "trust-policy.toml", code=2)
    assert "no published ledger" in ran.err


@pytest.mark.parametrize("kind", ["did", "status-list", "registry-record", "issuance-batch"])
def test_prove_and_check(cli: CLI, kind: str) -> None:
    did = did_of(cli)
    authority = json.loads((cli.town / "institutions" / "registry.json").read_bytes())["did"]
    identifier = {
        "status-list": "https://ledger.example/nc-medical/status/1/revocation",
        "registry-record": f"{authority} {did} issue PhysicianLicenseCredential",
    }.get(kind, did)
    proved = cli("ledger", "prove", kind, identifier, "-o", "x.tlog-proof", "--json").json
    assert proved["size"] == size_of(cli)
    checked = cli("ledger", "check", "x.tlog-proof", "--json").json
    assert checked["valid"]
    assert checked["kind"] == kind
    assert checked["index"] == proved["index"]
    text = cli("ledger", "check", "x.tlog-proof", "--policy", cli.town / "trust-policy.toml", "--dir", "nowhere").out
    assert "The proof holds." in text
    assert f": {kind}, number" in text


def test_prove_by_index(cli: CLI) -> None:
    printed = cli("ledger", "prove", "--index", 0).out
    assert TlogProof.parse(printed.encode()).index == 0
    assert cli("ledger", "prove", "--index", 0, "--json").json["proof"] == printed
    assert f"Entry 3 of {size_of(cli)}" in cli("ledger", "prove", "--index", 3, "-o", "three").out


@pytest.mark.parametrize(("arguments", "words"), [
    ((), "KIND"),
    (("did",), "KIND"),
    (("did", "did:webvh:x:y", "--index", "1"), "KIND"),
    (("did", "did:key:zx"), "did:webvh"),
    (("did", "did:webvh:nobody:ledger.example:x"), "no entry about this"),
    (("revocation", "x"), "status-list"),
    (("poem", "x"), "status-list"),
    (("--index", "99"), "entries 0 to "),
])
def test_prove_refuses(cli: CLI, arguments: tuple[str, ...], words: str) -> None:
    assert words in cli("ledger", "prove", *arguments, code=2).err


def test_check_the_whole_log(cli: CLI) -> None:
    checked = cli("ledger", "check", "--json").json
    assert checked["valid"]
    assert checked["entries"].keys() == {"did", "registry-record", "status-list", "issuance-batch", "map-head"}
    assert checked["entries"]["did"] == 2
    assert sum(checked["entries"].values()) == checked["documents"] == checked["size"] == size_of(cli)
    text = cli("ledger", "check").out
    assert "holds together" in text
    assert f"all {size_of(cli)} parse" in text


def bundle(town: Path) -> Path:
    return max((town / "published" / "tile" / "entries" / "000.p").iterdir(), key=lambda path: int(path.name))


def tile(town: Path) -> Path:
    return town / "published" / "tile" / "0" / "000.p" / bundle(town).name


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def cut_bundle(town: Path) -> None:
    bundle(town).write_bytes(bundle(town).read_bytes()[:-1])


def swap_entries(town: Path) -> None:
    from did_health.tlog.tiles import encode_bundle, parse_bundle

    entries = list(parse_bundle(bundle(town).read_bytes()))
    entries[0], entries[1] = entries[1], entries[0]
    bundle(town).write_bytes(encode_bundle(entries))


def repeat_entry(town: Path) -> None:
    from did_health.tlog.tiles import encode_bundle, parse_bundle

    entries = list(parse_bundle(bundle(town).read_bytes()))
    entries[1] = entries[0]
    bundle(town).write_bytes(encode_bundle(entries))


def change_document(town: Path) -> None:
    connection = sqlite3.connect(town / "ledger.sqlite")
    connection.execute("UPDATE contents SET data = x'00' WHERE digest = (SELECT content FROM entries WHERE position = 3)")
    connection.commit()
    connection.close()


def forge_head(town: Path) -> None:
    from dataclasses import replace

    from did_health.tlog.tiles import encode_bundle, parse_bundle

    entries = list(parse_bundle(bundle(town).read_bytes()))
    entries[1] = replace(Entry.parse(entries[1]), content=bytes(32)).encode()
    bundle(town).write_bytes(encode_bundle(entries))


def change_root(checkpoint: Path) -> None:
    lines = checkpoint.read_text().split("\n")
    lines[2] = base64.b64encode(bytes(32)).decode()
    checkpoint.write_text("\n".join(lines))


@pytest.mark.parametrize(("damage", "words"), [
    (lambda town: flip(bundle(town), 2), "entry 0"),
    (cut_bundle, "bundle"),
    (swap_entries, "map head"),
    (repeat_entry, "history"),
    (lambda town: flip(tile(town)), "tile"),
    (lambda town: tile(town).unlink(), "missing"),
    (lambda town: bundle(town).unlink(), "missing"),
    (lambda town: change_document(town), "not the one that was logged"),
    (lambda town: forge_head(town), "map head"),
    (lambda town: change_root(town / "published" / "checkpoint"), "signature"),
])
def test_damage_is_found(cli: CLI, damage: Callable[[Path], None], words: str) -> None:
    damage(cli.town)
    ran = cli("ledger", "check", code=1)
    assert words in ran.err


def test_missing_documents_are_counted(cli: CLI) -> None:
    (cli.town / "ledger.sqlite").rename(cli.town / "elsewhere.sqlite")
    assert cli("ledger", "check", "--json").json["documents"] == 0


LIST = "https://ledger.example/nc-medical/status/1/revocation"


def test_a_bundle_proves_the_newest_entry(cli: CLI) -> None:
    assert "is the newest" in cli("ledger", "prove", "status-list", LIST, "--latest", "-o", "latest.cbor").out
    checked = cli("ledger", "check", "latest.cbor", "--json").json
    assert (checked["valid"], checked["kind"], checked["size"]) == (True, "status-list", size_of(cli))
    text = cli("ledger", "check", "latest.cbor", "status-list", LIST, "--policy", cli.town / "trust-policy.toml", "--dir", "nowhere").out
    assert "The bundle holds." in text
    assert f"{checked['index']}: status-list" in text
    assert "another subject" in cli("ledger", "check", "latest.cbor", "status-list", "https://other.example/1", code=1).err
    printed = cli("ledger", "prove", "status-list", LIST, "--latest", "--json").json
    assert base64_decode(printed["bundle"]) == Path("latest.cbor").read_bytes()


def test_a_bundle_proves_that_there_is_nothing(cli: CLI) -> None:
    nothing = ("status-list", "https://nobody.example/list")
    assert "no entry" in cli("ledger", "prove", *nothing, "--latest", "-o", "none.cbor").out
    assert "there is none" in cli("ledger", "check", "none.cbor", *nothing).out
    assert cli("ledger", "check", "none.cbor", *nothing, "--json").json["index"] is None
    assert "does not name" in cli("ledger", "check", "none.cbor", code=2).err
    cli("ledger", "check", "none.cbor", "status-list", LIST, code=1)


def test_a_proof_that_was_tampered_with(cli: CLI) -> None:
    from did_health.tlog.proof import TlogProof

    proof = TlogProof.parse(cli("ledger", "prove", "--index", 0).out.encode())
    Path("x").write_bytes(TlogProof(1, proof.hashes, proof.checkpoint, proof.extra).encode())
    assert "x" in cli("ledger", "check", "x", code=1).err
    Path("x").write_bytes(TlogProof(0, proof.hashes, proof.checkpoint).encode())
    assert "does not hold its entry" in cli("ledger", "check", "x", code=2).err
    Path("x").write_bytes(b"garbage")
    assert "tlog-proof" in cli("ledger", "check", "x", code=2).err


def test_a_policy_without_a_ledger(cli: CLI) -> None:
    Path("empty.toml").write_text('format = "did-health/trust-policy/v1"\n')
    assert "names no ledger" in cli("ledger", "check", "--policy", "empty.toml", code=2).err


def test_a_policy_without_witnesses(cli: CLI) -> None:
    policy = (cli.town / "trust-policy.toml").read_text()
    lines = [line for line in policy.splitlines() if not line.startswith(("witness", "group", "quorum"))]
    lines.insert(lines.index("'''"), "quorum none")
    Path("none.toml").write_text("\n".join(lines) + "\n")
    shown = cli("ledger", "show", "--policy", "none.toml", "--json").json
    assert shown["witnessedAt"] is None
    assert "Witnessed" not in cli("ledger", "show", "--policy", "none.toml").out


@pytest.mark.parametrize(("age", "text"), [
    (timedelta(seconds=5), "5 s ago"), (timedelta(minutes=5), "5 min ago"), (timedelta(hours=5), "5 h ago"), (timedelta(days=5), "5 days ago"),
    (timedelta(seconds=-5), "5 s ahead"),
])
def test_ages(age: timedelta, text: str) -> None:
    assert ago(age) == text
