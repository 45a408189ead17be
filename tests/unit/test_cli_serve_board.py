"""``did-health serve board`` and ``board publish`` within this process."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from did_health.roles.evidence import Need
from did_health.roles.issuer import Issued
from did_health.stores import office
from did_health.stores.clock import system_clock
from did_health.stores.front_end import FrontEnd
from tests.cli_runs import CLI, interrupted
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
    assert ran.json == {"published": 2, "below": "https://ledger.example/nc-medical/licenses/", "publishing": True}
    assert "From now on" in cli("board", "publish", "nc-medical").out


def served(cli: CLI) -> set[str]:
    """The ids of the licences that the ledger serves, each with a receipt."""
    with closing(FrontEnd.open(cli.town, clock=system_clock)) as ledger:
        found = {one["id"]: ledger.fetch(Need(f"https://ledger.example/nc-medical/licenses/{one['id'].removeprefix('urn:uuid:')}.json")) for one in listed(cli)}
    return {identifier for identifier, content in found.items() if content is not None and Issued.parse(content).receipt is not None}


def listed(cli: CLI) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cli("board", "list", "nc-medical", "--json").json
    return found


LICENSE = ("--family", "Ng", "--given", "Kim", "--issued-on", "2010-01-01", "--valid-until", "2030-01-01", "--wallet", "brown", "--json")


def test_what_is_issued_later_is_published_at_once_and_no_more_when_that_is_stopped(cli: CLI) -> None:
    before = cli("board", "issue", "nc-medical", "--license-number", "L-1", *LICENSE).json["id"]
    assert served(cli) == set()
    cli("board", "publish", "nc-medical")
    assert before in served(cli)
    cli("board", "issue", "nc-medical", "--license-number", "L-2", *LICENSE)
    Path("rows.csv").write_text("family,given,license_number\n" + "".join(f"Jones,Jo,I-{number}\n" for number in range(4)))
    cli("board", "import", "nc-medical", "rows.csv", "--wallets", "--batch", "3")
    # A decision that restricts issues anew.
    restriction = {"code": "no_schedule_2", "text": "May not prescribe Schedule II.", "from": "2026-03-01"}
    action = {"code": "restricted", "restrictions": [restriction]}
    order = {"id": "2026-17", "issued": "2026-03-01", "effective": "2026-03-01", "entity": "Board", "actions": [action]}
    Path("order.json").write_text(json.dumps(order))
    cli("board", "order", "nc-medical", "L-2", "order.json")
    everything = {one["id"] for one in listed(cli)}
    assert served(cli) == everything
    assert len(everything) == 2 + 2 + 4 + 1
    assert "nothing more" in cli("board", "publish", "nc-medical", "--stop").out
    assert cli("board", "publish", "nc-medical", "--stop", "--json").json == {"publishing": False}
    cli("board", "issue", "nc-medical", "--license-number", "L-3", *LICENSE)
    assert served(cli) == everything


def test_what_a_crash_left_out_is_published_when_the_board_is_used_next(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("board", "publish", "nc-medical")
    Path("rows.csv").write_text("family,given,license_number\n" + "".join(f"Jones,Jo,I-{number}\n" for number in range(3)))
    with interrupted(monkeypatch, office, "publish_issued", at_call=1):
        cli("board", "import", "nc-medical", "rows.csv", "--wallets", code=130)
    assert len(listed(cli)) == 5
    assert cli("board", "import", "nc-medical", "rows.csv", "--wallets", "--json").json["unchanged"] == 3
    assert served(cli) == {one["id"] for one in listed(cli)}
