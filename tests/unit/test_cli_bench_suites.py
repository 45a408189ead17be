"""``bench --suites`` prints what it measured beside what others took; how fast anything is, is not tested."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from did_health.cli.bench import markdown, measure, peers, suites, workshop
from did_health.cli.bench.peers import Peer, on_node, on_python
from did_health.cli.bench.suites import SecuredLicences
from did_health.encoding import strict_json
from did_health.errors import DidHealthError, TransportError
from did_health.stores import directory
from did_health.vc import rdf
from tests.cli_runs import CLI
from tests.conftest import REPOSITORY, lacking
from tests.ledger_parties import CHEAP

SUITES = ["eddsa-rdfc-2022", "ecdsa-jcs-2019", "vc+jwt", "ecdsa-sd-2023", "bbs-2023"]
ALL = ["bare P-256 verification / U", *(f"{suite} / U" for suite in SUITES)]


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CLI:
    return CLI(tmp_path, capsys)


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """Measurements of next to nothing."""
    small = ((workshop, "LICENCES", 2), (workshop, "BATCHES", 1), (measure, "ROUNDS", 1), (measure, "CALLS", 2), (directory, "DEFAULT_COST", CHEAP))
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in small:
            patch.setattr(module, name, value)
        yield


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    def set_all(value: float) -> None:
        for name in ("LIMIT_EDDSA_RDFC", "LIMIT_ECDSA_JCS", "LIMIT_JWT", "LIMIT_ECDSA_SD", "LIMIT_BBS"):
            monkeypatch.setattr(suites, name, value)

    set_all(1e9)
    return set_all


@pytest.fixture(scope="module")
def cases(_quick: None) -> list[SecuredLicences]:
    with workshop.workshop() as shop:
        return suites.secured_licences(shop)


def nothing() -> None:
    return None


def test_each_suite_is_printed_beside_its_limit_and_its_peers(cli: CLI, limit: Callable[[float], None]) -> None:
    document = cli("bench", "--suites", "--json").json
    assert [ratio["name"] for ratio in document["ratios"]] == ALL
    assert [ratio["limit"] for ratio in document["ratios"]] == [None] + [1e9] * 5
    others = {ratio["name"]: [peer["name"].split()[0] for peer in ratio.get("peers", ())] for ratio in document["ratios"]}
    assert others == {name: [] for name in ALL} | {"eddsa-rdfc-2022 / U": ["pyld"], "vc+jwt / U": ["joserfc"]}


def test_a_suite_over_its_limit_fails_the_command(cli: CLI, limit: Callable[[float], None]) -> None:
    limit(1e-9)
    ran = cli("bench", "--suites", code=1)
    assert ran.out.count("over") == 5
    assert all(name in ran.out for name in ALL)
    assert "joserfc" in ran.out


def test_the_page_has_a_row_for_each_suite_and_says_what_is_missing(cli: CLI, limit: Callable[[float], None], tmp_path: Path) -> None:
    page = cli("bench", "--suites", "--markdown", "--peers", tmp_path).out
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert [row.split()[1] for row in rows] == ["verified", "bare", *SUITES]
    assert "Not measured: bbs-2023, on Node: " in page


def test_the_page_in_the_documentation_was_made_by_the_command() -> None:
    page = (REPOSITORY / "docs" / "benchmarks.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert [row.split()[1] for row in rows] == ["verified", "bare", *SUITES]
    before, after = markdown._PAGE.split("{unit:.0f}")[0], markdown._PAGE.rpartition("{notes}")[2]
    assert page.startswith(before)
    assert page.endswith(after)
    for row in rows[2:]:
        value, limit = (float(cell) for cell in row.split("|")[2:4])
        assert value <= limit, row


def test_the_limits_are_those_of_the_issue() -> None:
    limits = (suites.LIMIT_EDDSA_RDFC, suites.LIMIT_ECDSA_JCS, suites.LIMIT_JWT, suites.LIMIT_ECDSA_SD, suites.LIMIT_BBS)
    assert limits == (6.0, 2.5, 2.0, 60.0, 120.0)


def test_of_fifteen_messages_five_are_disclosed(cases: list[SecuredLicences]) -> None:
    mandatory = 3
    derived = strict_json.loads(cases[4].secured[0])
    assert len(rdf.quads({name: value for name, value in derived.items() if name != "proof"})) == mandatory + 5
    with workshop.workshop() as shop:
        whole = suites._small(shop.licences[0].credential)
    assert len(rdf.quads(whole)) == mandatory + 15


@pytest.mark.parametrize("place", range(5), ids=SUITES)
def test_what_is_measured_is_verified(place: int, cases: list[SecuredLicences]) -> None:
    case = cases[place]
    assert len(set(case.secured)) == 2
    for secured in case.secured:
        case.verify(secured)
    changed = case.secured[0].replace(b'"MD"', b'"DO"') if place != 2 else case.secured[0][:-8] + case.secured[1][-8:]
    with pytest.raises(DidHealthError):
        case.verify(changed)


def test_peers_on_python_refuse_what_was_changed(cases: list[SecuredLicences]) -> None:
    swapped = replace(cases[0], key=cases[2].key)
    with pytest.raises(Exception, match="forged"):
        on_python([swapped], nothing)


def test_a_peer_that_is_not_installed_is_named(cases: list[SecuredLicences], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(peers, "version", missing)
    assert on_python(cases, nothing)[1] == Peer("vc+jwt", "joserfc", None, "joserfc is not installed")


def test_without_node_its_peers_are_named(cases: list[SecuredLicences], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peers, "which", lambda _: None)
    assert {peer.why for peer in on_node(cases, tmp_path, 1.0)} == {"node is not installed"}


def scripted(folder: Path, *lines: str) -> Path:
    if shutil.which("node") is None:
        lacking("node is not installed")
    (folder / "node_modules").mkdir()
    (folder / peers.SCRIPT).write_text("\n".join(("import {readFileSync} from 'node:fs';", "const task = JSON.parse(readFileSync(0, 'utf8'));", *lines)))
    return folder


def test_peers_on_node_are_asked_with_every_document_they_need(cases: Sequence[SecuredLicences], tmp_path: Path) -> None:
    answer = "{suite: item.suite, name: `${item.secured.length} ${item.jwk?.kty} ${Object.keys(task.documents).length}`, seconds: 3}"
    folder = scripted(tmp_path, f"console.log(JSON.stringify({{node: 'v0', peers: task.cases.map(item => ({answer}))}}));")
    found = on_node(cases, folder, 2.0)
    contexts = len(rdf.CONTEXTS) + 2 * len(cases)
    keys = ["OKP", "undefined", "OKP", "undefined", "undefined"]
    assert found == [Peer(suite, f"2 {key} {contexts} on Node v0", 1.5) for suite, key in zip(SUITES, keys, strict=True)]
    assert json.dumps(peers._task(cases))


def test_a_peer_on_node_that_refuses_ends_the_measurement(cases: Sequence[SecuredLicences], tmp_path: Path) -> None:
    folder = scripted(tmp_path, "throw new Error(`${task.cases[0].suite} is refused`);")
    with pytest.raises(TransportError, match="eddsa-rdfc-2022 is refused"):
        on_node(cases, folder, 2.0)
