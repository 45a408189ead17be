"""``bench --roster`` prints what it measured and fails on a ratio over its limit; how fast anything is, is not tested."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from did_health.cli.bench import measure, roster
from did_health.errors import VerificationError
from tests.cli_runs import CLI

NAMES = ["verify a licence of a roster / U", "the same, of 11 / of 2", "verify a default licence of a roster / U", "two workers / one",
         "memory of a worker / MB", "memory of the main process / MB", "whole run with two workers, a licence / U"]  # fmt: skip


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CLI:
    return CLI(tmp_path, capsys)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A roster of next to nothing by threads instead of processes, with every limit set to what the test says."""

    @contextmanager
    def threads(workers: int) -> object:  # type: ignore[misc]
        pool: Executor
        with ThreadPoolExecutor(workers) as pool:
            yield pool

    monkeypatch.setattr(roster, "processes", threads)
    monkeypatch.setattr(roster, "BOARDS", ("nc", "sc"))
    monkeypatch.setattr(roster, "FEW", 2)
    monkeypatch.setattr(roster, "CHUNK_ROWS", 4)
    monkeypatch.setattr(roster, "ISSUED_AT_ONCE", 3)
    monkeypatch.setattr(measure, "ROUNDS", 1)
    monkeypatch.setattr(measure, "CALLS", 4)

    def limit(value: float) -> None:
        for name in ("LIMIT_ROW", "LIMIT_GROWTH", "LIMIT_MEMORY_MB"):
            monkeypatch.setattr(roster, name, value)
        monkeypatch.setattr(roster, "LIMIT_SPEEDUP", 0.0)

    limit(1e9)
    return limit


def test_json_has_each_ratio_beside_its_limit(cli: CLI, quick: Callable[[float], None]) -> None:
    document = cli("bench", "--roster", "--rows", 11, "--json").json
    assert document["U_us"] > 0
    assert [ratio["name"] for ratio in document["ratios"]] == NAMES
    assert all(ratio["value"] > 0 for ratio in document["ratios"])


def test_a_ratio_over_its_limit_fails_the_command(cli: CLI, quick: Callable[[float], None]) -> None:
    quick(1e-9)
    assert cli("bench", "--roster", "--rows", 10, code=1).out.count(" over ") == 4


def test_what_is_refused_is_not_measured() -> None:
    with pytest.raises(VerificationError, match="revoked"):
        roster._require_accepted([b'{"row":1,"key":"","verdict":"refuse","reasons":[{"code":"revoked"}]}'])


def test_memory_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    with_proc = roster.used_megabytes()
    monkeypatch.setattr(Path, "exists", lambda _self: False)
    assert roster.used_megabytes() > 1
    assert with_proc > 1
