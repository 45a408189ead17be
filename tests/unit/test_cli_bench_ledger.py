"""``bench --ledger`` prints what it measured of a ledger and fails on a ratio beyond its limit; how fast anything is, is not tested."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from did_health.cli.bench import command, ledger, measure, serving
from did_health.cli.bench.measure import Ratio
from did_health.errors import StoreError
from tests.cli_runs import CLI
from tests.ledger_parties import Clock, new_ledger
from tests.serving import answering, canned

NAMES = ["append to a ledger / bare verification rate", "append rate, end / start", "make a map proof / U", "verify a map proof / U",
         "verify a latest bundle / U", "size of a latest bundle / kB", "make a latest bundle / U", "memory of the process / MB"]  # fmt: skip
TILES = "tiles served / constant body served"
AT_LEAST = NAMES[:2]
UNLIMITED = [NAMES[6]]
AT_MOST = [name for name in NAMES if name not in AT_LEAST + UNLIMITED]


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CLI:
    return CLI(tmp_path, capsys)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, float], None]:
    """Measurements of next to nothing, with the limits that the test says: what is to be reached, and what not to be exceeded."""
    monkeypatch.setattr(ledger, "BATCH", 4)
    monkeypatch.setattr(ledger, "SAMPLES", 4)
    monkeypatch.setattr(ledger, "UNIT_CALLS", 1)
    monkeypatch.setattr(ledger, "_PER_AUTHOR", 8)
    monkeypatch.setattr(measure, "ROUNDS", 1)
    monkeypatch.setattr(measure, "CALLS", 4)

    def limit(at_least: float, at_most: float) -> None:
        for name in ("LIMIT_APPEND", "LIMIT_STEADY"):
            monkeypatch.setattr(ledger, name, at_least)
        for name in ("LIMIT_PROVE", "LIMIT_MAP_PROOF", "LIMIT_BUNDLE", "LIMIT_BUNDLE_KB", "LIMIT_MEMORY_MB"):
            monkeypatch.setattr(ledger, name, at_most)

    limit(0, 1e9)
    return limit


def test_json_has_the_unit_and_each_ratio_beside_its_limit(cli: CLI, quick: Callable[[float, float], None]) -> None:
    document = cli("bench", "--ledger", "--entries", 50, "--json").json
    assert set(document) == {"U_us", "ratios"}
    assert document["U_us"] > 0
    assert [ratio["name"] for ratio in document["ratios"]] == NAMES
    for ratio in document["ratios"]:
        assert ratio["value"] >= 0
        if ratio["name"] in AT_LEAST:
            assert ratio == {"name": ratio["name"], "value": ratio["value"], "limit": 0, "at_least": True}
        else:
            limit = None if ratio["name"] in UNLIMITED else 1e9
            assert ratio == {"name": ratio["name"], "value": ratio["value"], "limit": limit}


@pytest.mark.parametrize(("at_least", "at_most", "under", "over"), [(1e9, 1e9, len(AT_LEAST), 0), (0, 1e-9, 0, len(AT_MOST))], ids=["under", "over"])
def test_a_ratio_beyond_its_limit_fails_the_command(
    cli: CLI, quick: Callable[[float, float], None], at_least: float, at_most: float, under: int, over: int
) -> None:
    quick(at_least, at_most)
    ran = cli("bench", "--ledger", "--entries", 10, code=1)
    assert (ran.out.count("under"), ran.out.count(" over ")) == (under, over)
    assert ran.out.count("≥") == len(AT_LEAST)


def test_all_within_their_limits_is_success(cli: CLI, quick: Callable[[float, float], None]) -> None:
    ran = cli("bench", "--ledger", "--entries", 2)
    assert all(name in ran.out for name in NAMES)
    assert "under" not in ran.out


def test_a_ledger_with_full_tiles_serves_them_beside_a_constant(cli: CLI, quick: Callable[[float, float], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "BATCH", 300)
    monkeypatch.setattr(serving, "LIMIT_TILES", 0)
    ratios = cli("bench", "--ledger", "--entries", 600, "--json").json["ratios"]
    assert [ratio["name"] for ratio in ratios] == [*NAMES, TILES]
    assert ratios[-1]["value"] > 0
    assert (ratios[-1]["limit"], ratios[-1]["at_least"]) == (0, True)


def test_the_page_has_a_row_for_each_ratio(cli: CLI, quick: Callable[[float, float], None]) -> None:
    page = cli("bench", "--ledger", "--entries", 10, "--markdown").out
    assert page.startswith("# Benchmarks of a ledger\n")
    assert "--entries 10 --markdown" in page
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ")][1:]
    assert [row[0].removeprefix("| ") for row in rows] == NAMES
    assert [row[2][:1] for row in rows] == ["" if name in UNLIMITED else "≥" if name in AT_LEAST else "≤" for name in NAMES]


def test_without_a_server_no_serving_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(serving, "find_spec", lambda _name: None)
    assert serving.tiles(tmp_path, "https://bench.example/log", 10_000) == []


@pytest.mark.parametrize(
    ("answer", "fault"), [(b"HTTP/1.1 404 Not Found\r\n\r\n", "did not answer"), (b"HTTP/1.1 200 OK\r\n\r\nab", "closed")], ids=["not found", "cut off"]
)
def test_an_answer_that_is_none_is_not_measured(answer: bytes, fault: str) -> None:
    with answering(canned(answer)) as place:
        host, _, port = place.partition(":")
        with socket.create_connection((host, int(port))) as connection, pytest.raises(StoreError, match=fault):
            serving._ask([connection], ["/log/tile/0/000"])


def test_a_server_that_does_not_start_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="did not start"), serving._serving(tmp_path, "https://bench.example/log"):
        pass


def test_the_limits_are_those_of_the_issue() -> None:
    assert serving.LIMIT_TILES == 0.5
    assert (ledger.LIMIT_APPEND, ledger.LIMIT_STEADY, ledger.LIMIT_PROVE, ledger.LIMIT_MAP_PROOF) == (0.15, 0.8, 3.0, 1.5)
    assert (ledger.LIMIT_BUNDLE, ledger.LIMIT_BUNDLE_KB, ledger.LIMIT_MEMORY_MB, ledger.WITNESSES, ledger.BATCH) == (9.0, 2.2, 400.0, 3, 1_000)


def test_a_rate_at_its_limit_is_reached() -> None:
    assert not Ratio("x", 2.0, 2.0, at_least=True).is_over
    assert Ratio("x", 1.99, 2.0, at_least=True).is_over


def test_the_command_makes_twenty_thousand_entries_unless_told_otherwise(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []

    def measured(entries: int) -> tuple[float, list[Ratio]]:
        counts.append(entries)
        return 5e-5, [Ratio("x", 1.0, 0.5, at_least=True)]

    monkeypatch.setattr(command, "measure_ledger", measured)
    assert cli("bench", "--ledger", "--json").json == {"U_us": 50.0, "ratios": [{"name": "x", "value": 1.0, "limit": 0.5, "at_least": True}]}
    assert counts == [20_000]


def test_a_bundle_of_nothing_measures_nothing(tmp_path: Path) -> None:
    empty = new_ledger(tmp_path / "ledger", Clock())
    with pytest.raises(StoreError, match="no proof"):
        ledger._bundle(empty, bytes(32))
    empty.close()
