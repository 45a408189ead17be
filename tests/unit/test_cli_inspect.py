from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from did_health.cli.explain.detect import explain
from did_health.cli.explain.logs import explain_receipt
from did_health.errors import FormatError
from did_health.keys import Algorithm, generate
from did_health.ledger.batch import batch_content
from did_health.ledger.map_head import MapHead
from did_health.tlog.note import NoteSigner, sign_note
from did_health.tlog.tiles import parse_bundle
from tests.cli_runs import CLI, documents
from tests.conftest import repeatable_bytes

KEY = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
RANDOM = repeatable_bytes("inspect")


def kind_of(cli: CLI, content: bytes | str | dict[str, Any]) -> dict[str, Any]:
    data = json.dumps(content).encode() if isinstance(content, dict) else content.encode() if isinstance(content, str) else content
    Path("thing").write_bytes(data)
    words = cli("inspect", "thing").out
    assert words.rstrip().endswith("Nothing of this was verified.")
    found: dict[str, Any] = cli("inspect", "thing", "--json").json
    assert found["verified"] is False
    return found


def facts(found: dict[str, Any]) -> dict[str, str]:
    return {fact["name"]: fact["value"] for fact in found["facts"]}


def issued() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path("brown.json").read_bytes())
    return document


def test_issued_credential_and_its_parts(cli: CLI) -> None:
    found = kind_of(cli, issued())
    assert found["kind"] == "issued-credential"
    assert [part["kind"] for part in found["parts"]] == ["credential", "issuance-receipt"]
    credential, receipt = found["parts"]
    assert "licenseNumber" in facts(credential)["Claims about"]
    assert "suspension: entry" in facts(credential)["Status"]
    assert receipt["parts"][0]["kind"] == "tlog-proof"
    assert [part["kind"] for part in receipt["parts"][0]["parts"]] == ["checkpoint", "ledger-entry"]
    assert kind_of(cli, issued()["issuanceReceipt"])["kind"] == "issuance-receipt"


def test_claims_are_named_and_not_shown(cli: CLI) -> None:
    for content in (issued(), issued()["credential"], json.loads(cli.shown().read_bytes())):
        text = json.dumps(kind_of(cli, content))
        assert "name.family" in text
        assert "Brown" not in text
        assert "Adams" not in text


def test_unsigned_credential_of_two_subjects(cli: CLI) -> None:
    credential = issued()["credential"]
    del credential["proof"], credential["credentialSchema"]
    credential["credentialSubject"] = [credential["credentialSubject"], {"id": "did:example:2", "friend": {"id": "did:example:3"}}]
    credential["credentialStatus"] = {"type": "SomethingElse", "id": "https://x.example/1"}
    credential["type"] = "VerifiableCredential"
    found = kind_of(cli, credential)
    assert found["parts"][0]["kind"] == "no-proof"
    assert "2 subjects" in found["meaning"][0]
    assert "SomethingElse" in facts(found)["Status"]
    assert "friend.id" in facts(found)["Claims about"]


def test_presentation(cli: CLI) -> None:
    found = kind_of(cli, cli.shown().read_bytes())
    assert [part["kind"] for part in found["parts"]] == ["proof", "credential"]
    assert facts(found["parts"][0])["Domain"] == "https://pharmacy.example"
    bare = json.loads(cli.shown().read_bytes())
    del bare["issuanceReceipt"]
    assert facts(kind_of(cli, bare))["Issuance receipts"] == "0"


def test_proofs(cli: CLI) -> None:
    proof = issued()["credential"]["proof"]
    assert kind_of(cli, proof)["kind"] == "proof"
    assert "cannot check" in kind_of(cli, {**proof, "cryptosuite": "made-up-2030"})["title"]
    assert "no meaning" in kind_of(cli, {**proof, "proofPurpose": "dancing"})["meaning"][0]


def test_dids_and_keys(cli: CLI) -> None:
    did = json.loads((cli.town / "institutions" / "nc-medical.json").read_bytes())["did"]
    assert cli("inspect", f"did:key:{KEY}", "--json").json["parts"][0]["kind"] == "key"
    assert cli("inspect", did, "--json").json["kind"] == "did"
    assert cli("inspect", f"{did}/a?b=c#d", "--json").json["kind"] == "did-url"
    assert "does not know" in cli("inspect", "did:unheard:of").out
    assert "cannot be told" in cli("inspect", "did:key:zzz").out
    assert "Ed25519" in cli("inspect", KEY).out
    assert kind_of(cli, f"{KEY}\n")["kind"] == "key"
    assert kind_of(cli, did)["kind"] == "did"
    cli("inspect", "did:", code=2)
    cli("inspect", "z6Mkgarbage0", code=2)


def test_jwk(cli: CLI) -> None:
    signer = generate(RANDOM, Algorithm.P256)
    assert "P-256" in kind_of(cli, {**signer.public_key.jwk, "kid": "one"})["title"]
    private = kind_of(cli, {**signer.public_key.jwk, "d": "SECRETSECRET"})
    assert private["kind"] == "private-key"
    assert "SECRETSECRET" not in json.dumps(private)
    assert "does not verify with" in kind_of(cli, {"kty": "RSA", "n": "AQAB", "e": "AQAB"})["title"]


def test_did_document_log_and_resolution(cli: CLI) -> None:
    did = json.loads((cli.town / "institutions" / "nc-medical.json").read_bytes())["did"]
    resolution = cli("did", "resolve", did, "--json").json
    assert kind_of(cli, resolution)["parts"][0]["kind"] == "did-document"
    document = {**resolution["didDocument"], "service": [{"id": "#s", "type": "T", "serviceEndpoint": {"a": 1}}, {"id": "#t", "type": "T", "serviceEndpoint": "https://x.example"}]}
    document["verificationMethod"].append({**document["verificationMethod"][0], "id": "#unused"})
    assert "2 services" in kind_of(cli, document)["meaning"][0]
    line = next(data for data in documents(cli.town) if b'"versionId"' in data and did.encode() in data)
    assert kind_of(cli, line)["title"].endswith("1 version")
    cli("did", "deactivate", "nc-medical", "--yes")
    resolution = cli("did", "resolve", did, "--json").json
    assert kind_of(cli, resolution)["meaning"] == ["The DID is deactivated."]
    assert kind_of(cli, {"didDocument": None})["kind"] == "resolution"
    lines = sorted((data for data in documents(cli.town) if b'"versionId"' in data and b"nc-medical" in data), key=lambda one: one[14:20])
    found = kind_of(cli, b"\n".join(lines) + b"\n")
    assert "deactivates" in found["meaning"][1]
    Path("broken.jsonl").write_bytes(lines[0] + b'\n{"versionId":1}\n')
    assert "line 2" in cli("inspect", "broken.jsonl", code=2).err
    Path("broken.jsonl").write_bytes((lines[0] + b"\n") * 4000)
    assert "bytes" in cli("inspect", "broken.jsonl", code=2).err


def test_notes_and_keys_of_logs(cli: CLI) -> None:
    found = kind_of(cli, (cli.town / "published" / "checkpoint").read_bytes())
    assert found["kind"] == "checkpoint"
    assert "cosigned at" in facts(found)["Signed by witness-1"]
    signer = NoteSigner("poet", generate(RANDOM))
    note = sign_note("roses\nviolets\n", [signer])
    assert kind_of(cli, note.encode())["kind"] == "note"
    late = note.encode().decode().split("— ")[0] + "— poet " + __import__("base64").b64encode(b"abcd" + b"\x7f" * 72).decode() + "\n"
    assert "every calendar" in json.dumps(kind_of(cli, late))
    assert kind_of(cli, signer.vkey)["kind"] == "verifier-key"


def test_ledger_entries_and_proofs(cli: CLI) -> None:
    entry = parse_bundle(next((cli.town / "published" / "tile" / "entries" / "000.p").iterdir()).read_bytes())[0]
    assert kind_of(cli, entry)["kind"] == "ledger-entry"
    head = kind_of(cli, MapHead(7, bytes(32), 3).encode())
    assert (head["kind"], facts(head)["Keys"]) == ("map-head", "3")
    known = "https://ledger.example/nc-medical/status/1/revocation"
    for url, kinds in (("https://nobody.example/list", ["checkpoint"]), (known, ["checkpoint", "ledger-entry"])):
        cli("ledger", "prove", "status-list", url, "--latest", "-o", "latest")
        bundle = kind_of(cli, Path("latest").read_bytes())
        assert (bundle["kind"], [part["kind"] for part in bundle["parts"]]) == ("latest-bundle", kinds)
    assert kind_of(cli, batch_content(bytes(32), 7))["title"].endswith("7 credentials")
    cli("ledger", "prove", "--index", 1, "-o", "p")
    from did_health.tlog.proof import TlogProof

    proof = TlogProof.parse(Path("p").read_bytes())
    other = TlogProof(proof.index, proof.hashes, proof.checkpoint, b"not an entry")
    assert kind_of(cli, other.encode())["parts"][1]["kind"] == "extra"
    assert len(kind_of(cli, TlogProof(proof.index, proof.hashes, proof.checkpoint).encode())["parts"]) == 1
    receipt = {**issued()["issuanceReceipt"], "ledgerProof": "\ud800"}
    Path("x").write_text(json.dumps(receipt))
    cli("inspect", "x", code=2)
    with pytest.raises(FormatError, match="surrogate"):
        explain_receipt(receipt)


def test_status_list(cli: CLI) -> None:
    cli("board", "suspend", "nc-medical", "12345", "--reason", "r")
    lists = [data for data in documents(cli.town) if b"BitstringStatusListCredential" in data]
    found = [kind_of(cli, data) for data in lists]
    assert {one["kind"] for one in found} == {"status-list"}
    assert {facts(one)["Entries that are set"] for one in found} == {"0", "1"}


def test_entries_of_long_status_lists_are_not_counted() -> None:
    from did_health.cli.explain.credentials import _set_entries
    from did_health.vc.status import StatusList

    assert _set_entries(StatusList.empty((1 << 20) + 8)) is None


def test_places_of_a_directory(cli: CLI) -> None:
    cli.verify(cli.shown(), "--save-evidence", "ev.json")
    report = cli.verify(cli.shown(nonce="n2"), "--json", nonce="n2").out
    assert kind_of(cli, Path("ev.json").read_bytes())["kind"] == "evidence"
    assert kind_of(cli, report)["title"] == "A verification report: accept"
    assert kind_of(cli, {"verdict": "accept", "checks": 7})["kind"] == "report"
    assert kind_of(cli, (cli.town / "institutions" / "nc-medical.json").read_bytes())["kind"] == "institution"
    assert kind_of(cli, (cli.town / "wallets" / "adams.wallet").read_bytes())["title"].endswith("a holder's key and credentials")
    policy = kind_of(cli, (cli.town / "trust-policy.toml").read_bytes())
    assert policy["parts"][0]["kind"] == "witness-policy"
    assert "trusts nobody" in kind_of(cli, 'format = "did-health/trust-policy/v1"\n')["title"]
    assert kind_of(cli, (cli.town / "trust-policy.toml").read_text().split("'''")[1].strip() + "\n")["kind"] == "witness-policy"
    assert "ledger, a register" in kind_of(cli, (cli.town / "ledger.sqlite").read_bytes())["meaning"][0]
    assert "not made by" in kind_of(cli, b"SQLite format 3\x00" + bytes(100))["meaning"][0]
    assert kind_of(cli, {"resourceType": "Patient", "name": [{"family": "Roe"}]})["kind"] == "fhir"
    Path("x").write_text('{"format":"did-health/sealed/v1"}')
    assert "malformed" in cli("inspect", "x", code=2).err


@pytest.mark.parametrize("content", [
    b"", b"\xff\xfe\x00", b"garbage", b"{}", b'{"format":"other"}', b'{"type":7}', b"[1]", b"a+b", b"\xa1\x00", b"\xa9" + bytes(100),
    b"c2sp.org/tlog-proof@v1\n", b'{"credential":1,"issuanceReceipt":2}', b'{"a":1,"a":2}', b"log x\nquorum none\n", "x\n\n— y z\n".encode(),
])
def test_garbage_is_a_usage_error(cli: CLI, content: bytes) -> None:
    Path("x").write_bytes(content)
    assert cli("inspect", "x", code=2).err.startswith("Error: ")
    assert cli("inspect", "x", "--json", code=2).json["error"]["what"]


def test_standard_input(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(KEY.encode())))
    assert "Ed25519" in cli("inspect", "-").out
    assert "no such file" in cli("inspect", "missing", code=2).err
    assert "directory" in cli("inspect", ".", code=2).err


def test_a_file_named_like_a_did_is_a_file(cli: CLI) -> None:
    Path("did:key:file").write_text(KEY)
    assert cli("inspect", "did:key:file", "--json").json["kind"] == "key"
    assert explain(KEY.encode()).kind == "key"
