"""``bench`` prints what it measured and fails on a ratio over its limit; how fast anything is, is not tested."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from did_health.cli.bench import command, importing, issuing, measure, verifying, workshop
from did_health.cli.bench.measure import Ratio
from did_health.errors import VerificationError
from did_health.stores import directory
from tests.cli_runs import CLI
from tests.ledger_parties import CHEAP

UNLIMITED = "full verification of a default licence / U"
NAMES = ["proof of a licence / U", "full verification of a licence / U", UNLIMITED, "presentation of a licence / U", "issue a licence / bare signature",
         "issue_many of 3 licences / U each", "import did_health / ms"]  # fmt: skip


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CLI:
    return CLI(tmp_path, capsys)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Measurements of next to nothing, with every limit set to what the test says."""
    monkeypatch.setattr(workshop, "LICENCES", 4)
    monkeypatch.setattr(workshop, "BATCHES", 2)
    monkeypatch.setattr(issuing, "UNIT_CALLS", 1)
    monkeypatch.setattr(importing, "ROUNDS", 1)
    monkeypatch.setattr(measure, "ROUNDS", 1)
    monkeypatch.setattr(measure, "CALLS", 4)
    monkeypatch.setattr(directory, "DEFAULT_COST", CHEAP)

    def limit(value: float) -> None:
        for module, name in ((verifying, "LIMIT_PROOF"), (verifying, "LIMIT_FULL"), (verifying, "LIMIT_PRESENTATION"), (issuing, "LIMIT_ISSUE"),
                             (issuing, "LIMIT_REGISTER"), (importing, "LIMIT_IMPORT_MS")):  # fmt: skip
            monkeypatch.setattr(module, name, value)

    limit(1e9)
    return limit


def test_json_has_the_unit_and_each_ratio_beside_its_limit(cli: CLI, quick: Callable[[float], None]) -> None:
    document = cli("bench", "--licences", 3, "--json").json
    assert set(document) == {"U_us", "ratios"}
    assert document["U_us"] > 0
    assert [ratio["name"] for ratio in document["ratios"]] == NAMES
    for ratio in document["ratios"]:
        assert set(ratio) == {"name", "value", "limit"}
        assert ratio["limit"] == (None if ratio["name"] == UNLIMITED else 1e9)


def test_a_ratio_over_its_limit_fails_the_command(cli: CLI, quick: Callable[[float], None]) -> None:
    quick(1e-9)
    ran = cli("bench", "--licences", 3, code=1)
    assert ran.out.count("over") == len(NAMES) - 1
    quick(1e9)
    ran = cli("bench", "--licences", 3)
    assert "over" not in ran.out
    assert all(name in ran.out for name in NAMES)


def test_the_limits_are_those_of_the_issue() -> None:
    limits = (verifying.LIMIT_PROOF, verifying.LIMIT_FULL, verifying.LIMIT_PRESENTATION, issuing.LIMIT_ISSUE, issuing.LIMIT_REGISTER, importing.LIMIT_IMPORT_MS)
    assert limits == (1.5, 2.2, 4.0, 3.0, 6.0, 120.0)


def test_a_ratio_at_its_limit_is_not_over() -> None:
    assert not Ratio("x", 2.0, 2.0).is_over
    assert Ratio("x", 2.01, 2.0).is_over
    assert not Ratio("x", 2.01, None).is_over


def test_every_item_has_its_turn() -> None:
    seen: list[str] = []
    work = measure.rotating("abc", seen.append)
    for _ in range(4):
        work()
    assert seen == ["a", "b", "c", "a"]


def test_a_licence_that_is_refused_measures_nothing(quick: Callable[[float], None]) -> None:
    with workshop.workshop() as shop:
        shop.board.revoke(shop.licences[0], reason="a test")
        with pytest.raises(VerificationError, match="no verification"):
            verifying.accepted(shop.verifier.verify(shop.licences[0].to_json(), evidence=shop.evidence))


def test_the_command_measures_ten_thousand_licences_unless_told_otherwise(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []

    def measured(licences: int) -> tuple[float, list[Ratio]]:
        counts.append(licences)
        return 5e-5, [Ratio("x", 1.0, 2.0)]

    monkeypatch.setattr(command, "measure", measured)
    assert cli("bench", "--json").json == {"U_us": 50.0, "ratios": [{"name": "x", "value": 1.0, "limit": 2.0}]}
    assert counts == [10_000]
