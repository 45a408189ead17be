"""``did-health serve registry`` within this process."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from did_health.cli import serve_registry
from did_health.stores.directory import open_directory
from did_health.trust.policy import TrustPolicy
from did_health.trust.trqp.query import Query, QueryKind
from tests.cli_runs import CLI
from tests.ledger_parties import PASSPHRASE
from tests.registry_parties import FRAMEWORK, LICENSE, post
from tests.serving import while_serving

FRAMED = ("--governance-framework", FRAMEWORK)


def query(cli: CLI) -> Query:
    policy = TrustPolicy.parse((cli.town / "trust-policy.toml").read_bytes())
    board = json.loads((cli.town / "institutions" / "nc-medical.json").read_bytes())["did"]
    return Query.asking(QueryKind.AUTHORIZATION, entity=board, authority=policy.registry_authority, action="issue", resource=LICENSE)


@pytest.mark.parametrize("shown", [(), ("--json",)])
def test_it_answers_until_it_is_told_to_end(cli: CLI, monkeypatch: pytest.MonkeyPatch, shown: tuple[str, ...]) -> None:
    answers: list[Any] = []
    # Records are public: the passphrase is not asked for.
    monkeypatch.delenv("DID_HEALTH_PASSPHRASE")

    def ask(plain: int, secured: int | None) -> None:
        answers.append(post(f"http://127.0.0.1:{plain}/trqp", query(cli)).json())
        answers.append(httpx.get(f"https://127.0.0.1:{secured}/trqp/metadata", trust_env=False, verify=False).json())
        answers.append(httpx.get(f"http://127.0.0.1:{plain}/readyz", trust_env=False).status_code)

    thread = while_serving(monkeypatch, ask)
    places = ("--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--prefix", "/trqp")
    ran = cli("serve", "registry", "--dir", cli.town, *FRAMED, *places, *shown)
    thread.join(10)
    answer, metadata, ready = answers
    assert (answer["authorized"], ready) == (True, 200)
    assert metadata["governance_framework"] == FRAMEWORK
    if shown:
        assert ran.json["authority"] == answer["authority_id"]
        assert [re.sub(r":\d+/", "/", url) for url in ran.json["urls"]] == ["http://127.0.0.1/trqp", "https://127.0.0.1/trqp"]
    else:
        assert "/trqp" in ran.out
        assert FRAMEWORK in ran.out


def test_a_file_configures_it(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    file = cli.folder / "services.toml"
    file.write_text(f'format = "did-health/services/v1"\n[registry]\ndir = "town"\ngovernance_framework = "{FRAMEWORK}"\nlisten = "127.0.0.1:0"\n')
    found: list[Any] = []
    thread = while_serving(monkeypatch, lambda plain, _: found.append(post(f"http://127.0.0.1:{plain}", query(cli)).json()["authorized"]), 1)
    cli("serve", "registry", "--config", file, "--json")
    thread.join(10)
    assert found == [True]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--dir", "town"), "governance_framework"),
        (("--governance-framework", "http://plain.example", "--dir", "."), "--governance-framework"),
        (("--governance-framework", "https://a b.example", "--dir", "."), "--governance-framework"),
        (FRAMED, "--policy"),
        ((*FRAMED, "--policy", "empty.toml"), "names no registry authority"),
        ((*FRAMED, "--dir", "town", "--key", "key.pem"), "--certificate"),
    ],
)
def test_what_is_told_wrongly_is_refused(cli: CLI, options: tuple[str, ...], said: str) -> None:
    (cli.folder / "empty.toml").write_text('format = "did-health/trust-policy/v1"\n')
    assert said in cli("serve", "registry", *options, code=2).err


def test_without_a_directory_there_is_nothing_to_read(cli: CLI, tmp_path: Path) -> None:
    assert "there is no such file" in cli("serve", "registry", *FRAMED, "--dir", tmp_path / "none", code=2).err


def test_with_a_policy_alone_ledgers_are_asked_over_https(cli: CLI) -> None:
    """The town's ledger has a URL at which nobody answers: neither yes nor no."""
    from contextlib import ExitStack

    from did_health.roles.ledger_state import Unproven
    from did_health.services.config import Config
    from did_health.services.sections.registry import RegistrySettings

    text = f'format = "did-health/services/v1"\n[registry]\npolicy = "town/trust-policy.toml"\ngovernance_framework = "{FRAMEWORK}"\n'
    settings = Config.parse(text.encode(), {}, folder=cli.folder).section(RegistrySettings)
    with ExitStack() as stack, pytest.raises(Unproven) as unknown:
        serve_registry.opened_registry(settings, stack).answer(query(cli))
    assert unknown.value.code == "ledger_unavailable"


def test_the_directorys_own_ledger_goes_on_beside_it(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the authority logs while the registry runs is in its next answer."""
    found: list[Any] = []

    def ask(plain: int, _secured: int | None) -> None:
        with open_directory(cli.town, PASSPHRASE) as town:
            new = town.create_board("sc-medical", title="SC", jurisdiction="US-SC", professions=["MD"])
        asked = query(cli)
        of_new = Query.asking(QueryKind.AUTHORIZATION, entity=new.institution.did, authority=asked.authority, action="issue", resource=LICENSE)
        found.append(post(f"http://127.0.0.1:{plain}", of_new).json()["authorized"])

    thread = while_serving(monkeypatch, ask, 1)
    cli("serve", "registry", "--dir", cli.town, *FRAMED, "--listen", "127.0.0.1:0", "--json")
    thread.join(20)
    assert found == [True]
