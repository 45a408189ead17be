"""``did-health serve board`` and ``board publish`` within this process."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.cli_runs import CLI
from tests.serving import while_serving


@pytest.mark.parametrize("shown", [(), ("--json",)])
def test_it_answers_until_it_is_told_to_end(cli: CLI, monkeypatch: pytest.MonkeyPatch, shown: tuple[str, ...]) -> None:
    answers: list[Any] = []
    # The directory is public: the passphrase is not asked for.
    monkeypatch.delenv("DID_HEALTH_PASSPHRASE")

    def ask(plain: int, _secured: int | None) -> None:
        with httpx.Client(trust_env=False, base_url=f"http://127.0.0.1:{plain}/nc") as client:
            answers.extend([client.get("/licenses", params={"number": "12345"}).json(), client.get("/licenses").status_code])
            answers.append(client.get(f"http://127.0.0.1:{plain}/readyz").status_code)

    thread = while_serving(monkeypatch, ask, 1)
    ran = cli("serve", "board", "--name", "nc-medical", "--listen", "127.0.0.1:0", "--prefix", "/nc", *shown)
    thread.join(10)
    found, *statuses = answers
    assert statuses == [400, 200]
    assert found["results"][0]["credential"]["credentialSubject"]["name"]["family"] == "Adams"
    assert "evidence" in found
    if shown:
        assert ran.json["issuer"] == found["issuer"]
        assert ran.json["publishesBelow"] == "https://ledger.example/nc-medical"
    else:
        assert "/nc/licenses" in ran.out


@pytest.mark.parametrize(
    ("options", "said"),
    [((), "board.name"), (("--name", "none"), "no institution none"), (("--name", "nc-medical", "--listen", "here"), "--listen")],
)
def test_what_is_told_wrongly_is_refused(cli: CLI, options: tuple[str, ...], said: str) -> None:
    assert said in cli("serve", "board", *options, code=2).err


def test_publishing_licences_as_files(cli: CLI) -> None:
    ran = cli("board", "publish", "nc-medical", "--json")
    assert ran.json == {"published": 2, "below": "https://ledger.example/nc-medical/licenses/"}
    assert "Published" in cli("board", "publish", "nc-medical").out
