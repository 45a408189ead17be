from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from did_health.keys.sealed import open_sealed
from tests.cli_runs import CLI
from tests.ledger_parties import PASSPHRASE
from tests.serving import serving

KEY = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


def did_of(cli: CLI, name: str = "nc-medical") -> str:
    return str(json.loads((cli.town / "institutions" / f"{name}.json").read_bytes())["did"])


def test_create_an_institution(cli: CLI) -> None:
    made = cli("did", "create", "clinic", "--title", "A Clinic", "--json").json
    assert made["did"].endswith(":ledger.example:clinic")
    assert "Directory" in cli("did", "create", "second", "--title", "A Clinic").out
    assert made["logUrl"] == "https://ledger.example/clinic/did.jsonl"
    assert cli("did", "resolve", made["did"], "--json").json["didDocument"]["id"] == made["did"]


def test_create_makes_the_directory(cli: CLI) -> None:
    made = cli("did", "create", "clinic", "--title", "A Clinic", "--dir", cli.folder / "new", "--host", "log.example", "--algorithm", "p-256", "--json").json
    assert ":log.example:clinic" in made["did"]
    assert (cli.folder / "new" / "trust-policy.toml").exists()


def test_create_a_key(cli: CLI) -> None:
    made = cli("did", "create", "--method", "key", "-o", "me.key", "--json").json
    assert made["did"].startswith("did:key:z6Mk")
    secret, _ = open_sealed(Path("me.key").read_bytes(), PASSPHRASE, content="key")
    assert json.loads(secret)["algorithm"] == "Ed25519"
    assert Path("me.key").stat().st_mode & 0o777 == 0o600
    assert "already" in cli("did", "create", "--method", "key", "-o", "me.key", code=2).err
    assert "did:key:zDn" in cli("did", "create", "--method", "key", "-o", "other.key", "--algorithm", "P-256").out
    assert "did:key:zUC" in cli("did", "create", "--method", "key", "-o", "bbs.key", "--algorithm", "BLS12381G2").out


@pytest.mark.parametrize(("arguments", "words"), [
    (["--method", "key"], "--output"),
    (["--method", "ion", "x"], "webvh or key"),
    (["clinic"], "--title"),
    (["--title", "A Clinic"], "NAME"),
    (["nc-medical", "--title", "Again"], "already"),
    (["No Name", "--title", "A Clinic"], "short word"),
    (["clinic", "--title", "A Clinic", "--algorithm", "RSA"], "P-384"),
    (["clinic", "--title", "A Clinic", "--algorithm", "BLS12381G2"], "There are: Ed25519, P-256, P-384"),
])
def test_create_refuses(cli: CLI, arguments: list[str], words: str) -> None:
    ran = cli("did", "create", *arguments, code=1 if words == "already" else 2)
    assert words in ran.err


def test_resolve_by_the_ledger_without_a_passphrase(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DID_HEALTH_PASSPHRASE")
    did = did_of(cli)
    ran = cli("did", "resolve", did)
    assert '"assertionMethod"' in ran.out
    assert "versionId" in ran.out


def test_resolve_versions_and_parts(cli: CLI) -> None:
    did = did_of(cli)
    first = cli("did", "resolve", did, "--json").json
    cli("did", "rotate", "nc-medical")
    second = cli("did", "resolve", did, "--json").json
    (old,), (new,) = (version["didDocument"]["verificationMethod"] for version in (first, second))
    assert new["id"] != old["id"]
    version = first["didDocumentMetadata"]["versionId"]
    assert cli("did", "resolve", did, "--version-number", 1, "--json").json["didDocument"] == first["didDocument"]
    assert cli("did", "resolve", did, "--version-id", version, "--json").json["didDocument"] == first["didDocument"]
    at = second["didDocumentMetadata"]["updated"]
    assert f"at {at}" in cli("did", "resolve", did, "--version-time", at).out
    key = new["id"]
    assert cli("did", "resolve", key, "--json").json["contentStream"]["id"] == key
    cli("did", "resolve", old["id"], code=1)
    assert cli("did", "resolve", f"{did}?versionNumber=1", "--json").json["didDocument"] == first["didDocument"]
    assert cli("did", "resolve", f"{did}/whois.vp", "--json").json["contentStream"][0].startswith("https://ledger.example/nc-medical/")
    cli("did", "resolve", key, "--version-number", 1, code=2)
    cli("did", "resolve", did, "--version-number", 7, code=1)
    assert "--version-time" in cli("did", "resolve", did, "--version-time", "yesterday", code=2).err


def test_resolve_a_key_needs_nothing(cli: CLI) -> None:
    assert cli("did", "resolve", KEY, "--dir", "nowhere", "--json").json["didDocument"]["id"] == KEY
    assert KEY in cli("did", "resolve", KEY).out


@pytest.mark.parametrize(("did", "code"), [("garbage", 2), ("did:unknown:x", 2), ("did:key:zzz", 2), ("did:web:localhost%3A1", 3)])
def test_resolve_failures(cli: CLI, did: str, code: int) -> None:
    assert "Error" in cli("did", "resolve", did, code=code).err
    assert cli("did", "resolve", did, "--json", code=code).json["error"]["code"]


def test_resolve_over_http(cli: CLI) -> None:
    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        body = json.dumps({"id": did}).encode()
        found = scope["path"] == "/.well-known/did.json"
        await send({"type": "http.response.start", "status": 200 if found else 404, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": body})  # type: ignore[operator]

    with serving(app) as base:
        host = base.removeprefix("http://").replace("127.0.0.1", "localhost")
        did = f"did:web:{host.replace(':', '%3A')}"
        # did:web is HTTPS, which this server does not speak; nothing is concluded from that.
        assert cli("did", "resolve", did, "--allow-host", host, "--json", code=3).json["error"]["code"]


def test_a_log_whose_witnesses_cannot_be_read(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    from did_health.cli import fetching
    from did_health.errors import TransportError

    real = fetching._fetched

    def broken(url: str, found: object) -> bytes | None:
        if url.endswith("did-witness.json"):
            raise TransportError("the network is down")
        return real(url, found)  # type: ignore[arg-type]

    monkeypatch.setattr(fetching, "_fetched", broken)
    assert cli("did", "resolve", did_of(cli), "--json").json["didDocument"]


def test_deactivate(cli: CLI) -> None:
    did = did_of(cli)
    assert "--yes" in cli("did", "deactivate", "nc-medical", code=2).err
    assert cli("did", "deactivate", "nc-medical", "--yes", "--json").json == {"did": did, "deactivated": True}
    assert cli("did", "resolve", did, "--json").json["didDocument"] is None
    assert "deactivated" in cli("did", "resolve", did).out
    assert "already" in cli("did", "deactivate", "nc-medical", "--yes", code=2).err
    assert "deactivated" in cli("did", "rotate", "nc-medical", code=2).err
    assert "deactivated" in cli("board", "suspend", "nc-medical", "999", "--reason", "r", code=1).err


def test_deactivate_in_words(cli: CLI) -> None:
    assert "is deactivated" in cli("did", "deactivate", "nc-medical", "--yes").out


def test_rotate(cli: CLI) -> None:
    rotated = cli("did", "rotate", "nc-medical", "--json").json
    assert rotated["versionId"].startswith("2-")
    shown = cli.shown()
    assert cli.verify(shown, "--json").json["verdict"] == "accept"
    assert "no-board" in cli("did", "rotate", "no-board", code=2).err


def test_rotate_names_services(cli: CLI) -> None:
    services = {"TRQP": "https://registry.example", "egfURI": "https://registry.example/framework?v=1"}
    did = cli("did", "rotate", "registry", *(part for kind, url in services.items() for part in ("--service", f"{kind}={url}")), "--json").json["did"]
    cli("did", "rotate", "registry")
    named = cli("did", "resolve", did, "--json").json["didDocument"]["service"]
    assert [(one["type"], one["serviceEndpoint"]) for one in named] == list(services.items())
    # What the authority said before is still believed.
    assert cli.verify(cli.shown(), "--json").json["verdict"] == "accept"


@pytest.mark.parametrize("given", [("TRQP",), ("TRQP=https://a.example", "TRQP=https://b.example"), ("TRQP=http://a.example",), ("=https://a.example",)])
def test_rotate_refuses_what_is_no_service(cli: CLI, given: tuple[str, ...]) -> None:
    cli("did", "rotate", "registry", *(part for one in given for part in ("--service", one)), code=2)
    assert cli("did", "rotate", "registry", "--json").json["versionId"].startswith("2-")


def test_missing_directory(cli: CLI) -> None:
    assert "board init" in cli("did", "rotate", "nc-medical", "--dir", "nowhere", code=2).err


def test_a_foreign_database(cli: CLI) -> None:
    shutil.copytree(cli.town, cli.folder / "foreign")
    for name in ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"):
        (cli.folder / "foreign" / name).unlink(missing_ok=True)
    (cli.folder / "foreign" / "ledger.sqlite").write_bytes(b"something else entirely, which is no database" * 100)
    ran = cli("did", "rotate", "nc-medical", "--dir", cli.folder / "foreign", code=1)
    assert "not a database" in ran.err
