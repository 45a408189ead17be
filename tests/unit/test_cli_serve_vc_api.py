"""``did-health serve vc-api``: inside the test's process until SIGTERM, over HTTP and HTTPS, and what it refuses before that."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from did_health.services.certificate import Certificate
from tests.cli_runs import CLI
from tests.serving import while_serving

V2 = "https://www.w3.org/ns/credentials/v2"
OWN = "https://context.example/v1"
TOKEN = "0123456789abcdef"


def test_it_serves_http_and_https_until_it_is_told_to_end(cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyld", reason="JSON-LD needs the extra rdf")
    answers: list[Any] = []
    (tmp_path / "context.jsonld").write_text(json.dumps({"@context": {"colour": "https://context.example/#colour"}}))
    (tmp_path / "tokens").write_text(f"# ours\n{TOKEN}\n")
    made = Certificate.self_made(("localhost", "127.0.0.1"), datetime.now(UTC))
    (tmp_path / "chain.pem").write_bytes(made.chain)
    (tmp_path / "key.pem").write_bytes(made.key)

    def ask(plain: int, secured: int | None) -> None:
        trusting = ssl.create_default_context(cadata=made.chain.decode())
        with httpx.Client(trust_env=False, verify=trusting) as client:
            issuers = client.get(f"https://127.0.0.1:{secured}/issuers").json()
            document = {"@context": [V2, OWN], "type": ["VerifiableCredential"], "issuer": issuers["eddsa-rdfc-2022-status"]["id"],
                        "credentialSubject": {"id": "did:example:1"}, "colour": "red"}  # fmt: skip
            body = {"credential": document, "options": {}}
            for base in (f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{secured}"):
                url = base + "/issuers/eddsa-rdfc-2022-status/credentials/issue"
                answers.append(client.post(url, json=body).status_code)
                issued = client.post(url, json=body, headers={"Authorization": f"Bearer {TOKEN}"}).json()["verifiableCredential"]
                answers.append(issued["credentialStatus"]["statusListCredential"])

    thread = while_serving(monkeypatch, ask)
    ran = cli(
        "serve", "vc-api", "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--certificate", tmp_path / "chain.pem", "--key", tmp_path / "key.pem",
        "--url", "https://issuer.example/", "--context", f"{OWN}={tmp_path / 'context.jsonld'}", "--tokens", tmp_path / "tokens", "--json",
    )  # fmt: skip
    thread.join(10)
    assert answers[0::2] == [401, 401]
    assert all(url.startswith("https://issuer.example/status/") for url in answers[1::2])
    told = ran.json
    assert told["baseUrl"] == "https://issuer.example"
    assert [url.partition(":")[0] for url in told["urls"]] == ["http", "https"]
    assert told["issuers"]["bbs-2023"]["id"].startswith("did:key:zUC")
    assert told["issuers"]["ecdsa-sd-2023"]["id"].startswith("did:key:zDna")
    assert TOKEN not in ran.err
    events = [json.loads(line)["event"] for line in ran.err.splitlines()]
    assert events[0] == "started"
    assert events[-1] == "ended"


def test_without_a_certificate_it_makes_one_for_itself(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = []

    def ask(_plain: int, secured: int | None) -> None:
        chain = ssl.get_server_certificate(("127.0.0.1", secured or 0))
        with httpx.Client(trust_env=False, verify=ssl.create_default_context(cadata=chain)) as client:
            answers.append(client.get(f"https://127.0.0.1:{secured}/healthz").status_code)

    thread = while_serving(monkeypatch, ask)
    ran = cli("serve", "vc-api", "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0")
    thread.join(10)
    assert answers == [200]
    assert "https://127.0.0.1:" in ran.out
    assert "P-384 issuer" in ran.out


def test_it_serves_http_alone_and_strictly_if_it_is_told(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyld", reason="JSON-LD needs the extra rdf")
    answers: list[Any] = []

    def ask(plain: int, secured: int | None) -> None:
        with httpx.Client(trust_env=False, base_url=f"http://127.0.0.1:{plain}") as client:
            issuer = client.get("/issuers").json()["eddsa-rdfc-2022"]["id"]
            document = {"@context": [V2, "https://www.w3.org/ns/credentials/examples/v2"], "type": ["VerifiableCredential"], "issuer": issuer,
                        "credentialSubject": {"id": "did:example:1"}}  # fmt: skip
            answers.extend([secured, client.post("/credentials/issue", json={"credential": document}).status_code])

    thread = while_serving(monkeypatch, ask, 1)
    cli("serve", "vc-api", "--listen", "127.0.0.1:0", "--strict-contexts")
    thread.join(10)
    assert answers == [None, 400]


def test_keys_that_are_kept_are_the_same_at_each_start(cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    for options in (["--keys", tmp_path / "keys"], ["--keys", tmp_path / "keys"], []):
        with monkeypatch.context() as patched:
            thread = while_serving(patched, lambda _plain, _secured: None, 1)
            ran = cli("serve", "vc-api", "--listen", "127.0.0.1:0", "--json", *options)
            thread.join(10)
        told.append({name: issuer["id"] for name, issuer in ran.json["issuers"].items()})
    assert told[0] == told[1]
    assert set(told[0].values()).isdisjoint(told[2].values())
    assert len(set(told[0].values())) == 4
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0
    (tmp_path / "wrong").write_text("another passphrase\n")
    refused = cli("serve", "vc-api", "--keys", tmp_path / "keys", "--passphrase-file", tmp_path / "wrong", "--json", code=2)
    assert refused.json["error"]["code"] == "wrong_passphrase"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--listen", "here"], "--listen"),
        (["--tls-listen", "there"], "--tls-listen"),
        (["--certificate", "a.pem"], "--key together"),
        (["--certificate", "a.pem", "--key", "b.pem"], "--tls-listen"),
        (["--context", "https://a.example"], "URL=FILE"),
        (["--requests-per-minute", "0"], "requests-per-minute"),
    ],
)
def test_what_is_told_wrongly_is_refused(cli: CLI, options: list[str], said: str) -> None:
    place = [] if "--listen" in options else ["--listen", "127.0.0.1:0"]
    assert said in cli("serve", "vc-api", *place, *options, code=2).err


def test_files_that_hold_something_else_are_refused(cli: CLI, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for options in (["--tokens"], ["--context"]):
        value = f"https://a.example={tmp_path / 'file'}" if options == ["--context"] else str(tmp_path / "file")
        assert str(tmp_path / "file") in cli("serve", "vc-api", *options, value, code=2).err
    given = ("--certificate", tmp_path / "file", "--key", tmp_path / "file")
    ran = cli("serve", "vc-api", "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", *given, code=2)
    assert "certificate" in ran.err
