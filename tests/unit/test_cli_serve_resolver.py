"""``did-health serve resolver`` within this process, and what it refuses to start with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli_runs import CLI
from tests.serving import while_serving


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CLI:
    return CLI(tmp_path, capsys)


@pytest.mark.parametrize(("options", "error"), [([], {"type": "https://www.w3.org/ns/did#INVALID_DID"}), (["--word-errors"], "invalidDid")])
def test_it_resolves_until_it_is_told_to_end(cli: CLI, monkeypatch: pytest.MonkeyPatch, options: list[str], error: Any) -> None:
    answers: list[Any] = []

    def ask(plain: int, secured: int | None) -> None:
        with httpx.Client(trust_env=False) as client:
            answers.extend([secured, client.get(f"http://127.0.0.1:{plain}/identifiers/x").json()["didResolutionMetadata"]["error"]])

    thread = while_serving(monkeypatch, ask, 1)
    ran = cli("serve", "resolver", "--listen", "127.0.0.1:0", *options)
    thread.join(10)
    assert answers[0] is None
    assert answers[1] == error if isinstance(error, str) else error.items() <= answers[1].items()
    assert "/identifiers/<DID or DID URL>" in ran.out


def test_it_serves_https_besides(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[int] = []

    def ask(_plain: int, secured: int | None) -> None:
        with httpx.Client(trust_env=False, verify=False) as client:
            answers.append(client.get(f"https://127.0.0.1:{secured}/identifiers/did:x:y").status_code)

    thread = while_serving(monkeypatch, ask)
    ran = cli("serve", "resolver", "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--json")
    thread.join(10)
    assert answers == [501]
    assert [url.partition(":")[0] for url in ran.json["urls"]] == ["http", "https"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--listen", "here"], "--listen"),
        (["--listen", "127.0.0.1:0", "--tls-listen", "there"], "--tls-listen"),
        (["--certificate", "a.pem"], "--key together"),
        (["--requests-per-minute", "0"], "requests-per-minute"),
    ],
)
def test_what_is_told_wrongly_is_refused(cli: CLI, options: list[str], said: str) -> None:
    assert said in cli("serve", "resolver", *options, code=2).err
