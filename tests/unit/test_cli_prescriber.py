"""``did-health prescriber check`` against a directory that is served from the same folder."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from did_health.cli.serve_board import opened_directory
from did_health.roles.checked_prescriber import CheckedPrescriber
from did_health.services.board_app import board_app
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.rate_limit import RateLimit
from did_health.services.sections.board import BoardSettings
from tests.cli_runs import CLI
from tests.serving import serving

NPI = "1234567893"


@pytest.fixture
def board(cli: CLI) -> Iterator[str]:
    until = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
    named = ("--family", "Clark", "--given", "Cy", "--license-number", "77", "--issued-on", "2010-01-01", "--valid-until", until, "--npi", NPI)
    cli("board", "issue", "nc-medical", *named, "--wallet", "brown")
    with opened_directory(BoardSettings("nc-medical", cli.town)) as (directory, _):
        app = board_app(directory, ready=lambda: None, log=JSONLog("board", io.StringIO()), limit=RateLimit(600), metrics=Metrics("board"))
        with serving(app) as url:
            yield url


def test_a_prescriber_is_looked_up(cli: CLI, board: str) -> None:
    options = ("--npi", NPI, "--state", "US-NC", "--board", board, "--allow-host", "127.0.0.1")
    ran = cli("prescriber", "check", *options, "--schedule", "none", "--json")
    assert (ran.json["verdict"], ran.json["npi"]) == ("accept", NPI)
    cli("prescriber", "check", *options, "--schedule", "none", "-o", "kept.json")
    assert Path("kept.json").stat().st_mode & 0o777 == 0o600
    kept = CheckedPrescriber.parse(Path("kept.json").read_bytes())
    assert (kept.line, kept.schedule) == ("NC active", "none")
    shown = cli("prescriber", "check", *options, "--schedule", "2", "--exempt", "military, 1301.23", code=4).out
    assert "C O N D I T I O N A L" in shown
    assert "military, 1301.23" in shown
    assert cli("prescriber", "check", *options, "--schedule", "2", "--json", code=3).json["codes"] == ["registration_not_found"]
    cli("board", "suspend", "nc-medical", "77", "--reason", "an order")
    # What the directory keeps for some seconds is not asked again by the command, whose evidence has to say it.
    assert cli("prescriber", "check", *options, "--schedule", "none", "--policy", "trust-policy.toml", code=2).err
    assert cli("prescriber", "check", "--npi", NPI, "--state", "US-VA", "--schedule", "none", "--board", board, "--allow-host", "127.0.0.1", code=1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--npi", "1"), "npi"),
        (("--schedule", "two"), "schedule"),
        (("--board", "nowhere"), "directory"),
        (("--state", "NC"), "state"),
    ],
)
def test_what_is_asked_wrongly_is_refused(cli: CLI, options: tuple[str, str], said: str) -> None:
    asked = {"--npi": NPI, "--state": "US-NC", "--schedule": "2", "--board": "https://board.example", **dict([options])}
    assert said in cli("prescriber", "check", *(word for pair in asked.items() for word in pair), code=2).err


def test_a_board_that_is_not_allowed_is_not_asked(cli: CLI) -> None:
    ran = cli("prescriber", "check", "--npi", NPI, "--state", "US-NC", "--schedule", "2", "--board", "http://127.0.0.1:1", "--json", code=3)
    assert ran.json["codes"] == ["license_directory_unavailable"]
