"""``bench --counter`` prints what it measured and fails on a pickup over its limit; how fast anything is, is not tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from did_health.cli.bench import counter, measure
from did_health.errors import VerificationError
from tests.cli_runs import CLI

NAMES = ["a pickup by the directory's ledger, p95 / ms", "a pickup from cached evidence, p95 / ms", "pickup check --evidence, a process each, p95 / ms"]


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CLI:
    monkeypatch.setattr(measure, "ROUNDS", 1)
    monkeypatch.setattr(measure, "CALLS", 4)
    for name in ("LIMIT_CACHED_MS", "LIMIT_LEDGER_MS"):
        monkeypatch.setattr(counter, name, 1e9)
    return CLI(tmp_path, capsys)


def test_each_way_is_printed_beside_its_limit(cli: CLI) -> None:
    document = cli("bench", "--counter", "--pickups", 2, "--json").json
    assert [ratio["name"] for ratio in document["ratios"]] == NAMES
    assert all(ratio["value"] > 0 for ratio in document["ratios"])
    # What a whole process takes is told, and is no promise.
    assert [ratio["limit"] is None for ratio in document["ratios"]] == [False, False, True]


def test_a_pickup_over_its_limit_fails_the_command(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter, "LIMIT_CACHED_MS", 1e-9)
    assert cli("bench", "--counter", "--pickups", 1, code=1).out.count(" over ") == 1


def test_the_limits_are_those_of_the_counter() -> None:
    assert (counter.LIMIT_CACHED_MS, counter.LIMIT_LEDGER_MS) == (300.0, 2_000.0)


def test_what_is_refused_is_not_measured() -> None:
    with pytest.raises(VerificationError, match="status 3"):
        counter.require_accepted("status 3", ())


def test_the_percentiles_are_those_of_what_was_measured() -> None:
    ratio = counter._ratio("n", [number / 1000 for number in range(1, 102)], None, "how")
    assert ratio.value == pytest.approx(96.0)
    assert ratio.detail.startswith("p50 51.0 ms")
