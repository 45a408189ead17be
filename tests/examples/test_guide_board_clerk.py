"""The guide for a board's clerk, tried as written."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from tests import guides
from tests.cli_runs import CLI


def test_the_guide_for_a_boards_clerk(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DID_HEALTH_DIR", "board")
    page = (guides.GUIDES / "board-clerk.md").read_text()
    for name, block in re.findall(r"`(register\.csv|columns\.toml)`[^`]*```(?:toml)?\n(.*?)```", page, re.DOTALL):
        Path(name).write_text(block)

    def rehearsed() -> None:
        assert cli("board", "list", "nc-medical", "--json").json == []

    imported = "did-health board import nc-medical register.csv --columns columns.toml --wallets --results"
    guides.run_guide(cli, "board-clerk", before={imported: rehearsed}, variables={})
    with Path("results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["outcome"], row["column"]) for row in rows] == [("2", "issued", ""), ("3", "issued", ""), ("4", "refused", "original_issue_date")]
    listed = cli("board", "list", "nc-medical", "--json").json
    assert {one["number"]: one["state"] for one in listed} == {"2010-00421": "active", "2015-00007": "active"}
