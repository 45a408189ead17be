"""The names of ``did_health`` itself: there when they are asked for, and not loaded before."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import did_health

ROSTERS = ("verify_roster", "RosterOrder", "RosterLookup", "LicenseFiles", "PublishedLicenses", "HTTPSource", "RosterReport", "RosterReportFolder")


def test_every_name_is_there_and_typed_as_what_it_is() -> None:
    """What type checkers read under TYPE_CHECKING is what is imported when it runs."""
    tree = ast.parse(Path(did_health.__file__).read_text(encoding="utf-8"))
    typed = {alias.name: node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    for name in did_health.__all__:
        assert typed[name] == did_health._HOME[name]
        assert getattr(did_health, name) is getattr(sys.modules[did_health._HOME[name]], name)
    assert set(did_health.__all__) == set(did_health._HOME) == set(dir(did_health))
    assert set(ROSTERS) <= set(did_health.__all__)


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    asked = "import sys, did_health; print([name for name in sys.modules if name.startswith('did_health.')])"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_another_name_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Roster'"):
        _ = did_health.Roster
