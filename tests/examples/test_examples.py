"""The examples and README's Python are what a newcomer copies: they run as written."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples"


def run(name: str, directory: Path) -> Any:
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"](str(directory))


def test_issue_and_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = run("issue_and_verify", tmp_path)
    assert report.verdict == "accept"
    assert "verdict: accept" in capsys.readouterr().out


def test_suspend_and_reinstate(tmp_path: Path) -> None:
    assert run("suspend_and_reinstate", tmp_path) == ["accept", "refuse", "accept", "refuse"]


def test_verify_offline(tmp_path: Path) -> None:
    assert run("verify_offline", tmp_path) == ["accept", "indeterminate"]


def test_lost_phone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("lost_phone", tmp_path) == ["accept", "refuse"]
    assert "whoever has the phone: refuse revoked" in capsys.readouterr().out


def test_patient_pickup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("patient_pickup", tmp_path) == ["accept", "refuse", "refuse", "indeterminate", "accept", "refuse"]
    printed = capsys.readouterr().out
    for code in ("birth_date_mismatch", "nonce_replayed", "expired"):
        assert code in printed


def test_daughter_picks_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("daughter_picks_up", tmp_path) == ["conditional", "refuse", "accept", "refuse", "refuse", "indeterminate"]
    printed = capsys.readouterr().out
    assert "AIR03, AIR04, AIR05" in printed
    for code in ("delegation_scope_exceeded", "delegation_used_up", "revoked"):
        assert code in printed
    assert "90-106.1" in printed


def test_activity_log(tmp_path: Path) -> None:
    assert run("activity_log", tmp_path) == ["accept", "accept"]
    assert len((tmp_path / "activity.csv").read_text().splitlines()) == 3
    assert '"AuditEvent"' in (tmp_path / "activity.json").read_text()


def test_monthly_roster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    untold = ["indeterminate"] * 4
    assert run("monthly_roster", tmp_path) == [["accept", "refuse", *untold], ["accept", "accept", *untold]]
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert [row[2] for row in rows] == ["same", "changed", "same", "same", "same", "same"]
    assert [row[3] for row in rows[2:]] == ["not_found", "name_mismatch", "did_unavailable", "status_list_unavailable"]


def test_license_a_physician(tmp_path: Path) -> None:
    accepted, wrong, *refused = run("license_a_physician", tmp_path)
    assert (accepted, wrong) == ("accept", "refuse wrong_profession")
    assert [sentence.partition(":")[0] for sentence in refused] == ["not issued"] * 2


def test_across_state_lines(tmp_path: Path) -> None:
    assert run("across_state_lines", tmp_path) == [
        "the letter: accept", "wv: accept", "me: accept", "co: accept",
        "a letter by Connecticut: refuse not_a_principal_state",
        "the letter on day 366: refuse expired", "on day 366, wv: accept", "on day 366, me: accept", "on day 366, co: accept",
        "another letter: accept",
        *(f"after Virginia's order, {name}: refuse principal_suspended principal_license_suspended" for name in ("wv", "me", "co")),
        "and the other letter: refuse principal_suspended principal_license_suspended",
    ]  # fmt: skip


def test_emergency_suspension(tmp_path: Path) -> None:
    assert run("emergency_suspension", tmp_path) == [
        "before, Virginia: accept",
        "before, Maine: accept",
        "suspended, Virginia: refuse suspended license_summary_suspension",
        "suspended, Maine: refuse principal_suspended principal_license_summary_suspension",
        "from a cache 1 h old: accept",
        "from a cache 25 h old: indeterminate evidence_stale",
        "Virginia has reinstated, Virginia: accept",
        "Virginia has reinstated, Maine: refuse license_compact_derived",
        "so has Maine, Virginia: accept",
        "so has Maine, Maine: accept",
    ]


def test_prescriber_at_fill(tmp_path: Path) -> None:
    verdicts = [line.partition(": ")[2] for line in run("prescriber_at_fill", tmp_path)]
    assert verdicts == [
        "accept", "refuse license_of_another_state", "indeterminate license_not_found", "refuse act_restricted", "conditional license_restricted",
        "conditional license_restricted exempt_from_registration", "refuse license_restricted expired",
    ]  # fmt: skip


def test_every_example_is_tested() -> None:
    tests = Path(__file__).read_text()
    assert [path.stem for path in EXAMPLES.glob("*.py") if f'run("{path.stem}"' not in tests] == []


def test_the_readmes_python_has_ten_lines_and_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    assert len(block.splitlines()) <= 10
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("accept 20")


def test_the_readmes_links_lead_somewhere() -> None:
    for page in (REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
