"""What a person sees on terminals of other widths: nothing is lost, and no word is broken that has room."""

from __future__ import annotations

import io
import re
import sys

import pytest

from did_health.cli.output import Output

COLUMNS = ("Decision", "Credential", "State", "Is", "Why")
DECISION = "urn:uuid:c840cfd3-6be8-4efa-a8b3-38bf17fbb086"
ROW = (DECISION, "urn:uuid:…ca20efa0d", "suspended", "waiting for approval", "-")
WHEN = "2026-11-23T00:47:43Z"
_STYLE = re.compile("\x1b\\[[0-9;]*m")
REASON = "a long reason of a board " * 9


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, width: int, columns: tuple[str, ...], *rows: tuple[str, ...], title: str = "") -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    # Rich takes a dumb terminal for 80 wide.
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    Output(as_json=False).table(columns, rows, title=title)
    return [_STYLE.sub("", line).rstrip() for line in terminal.getvalue().splitlines()]


def test_a_table_too_wide_for_its_words_is_shown_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, 80, COLUMNS, ROW, ROW, title="2 decisions")
    assert lines[0] == "2 decisions"
    assert lines.count(f"Decision    {DECISION}") == 2
    assert lines.count("Is          waiting for approval") == 2
    # What is not there is not shown.
    assert not any(line.startswith("Why") for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_table_that_has_room_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = [line for line in shown(monkeypatch, 140, COLUMNS, ROW) if "suspended" in line]
    assert row.split()[0] == DECISION


def test_a_long_text_takes_no_room_from_single_words(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, 80, ("When", "State", "Why"), (WHEN, "suspended", REASON.strip()))
    assert any(line.split()[:2] == [WHEN, "suspended"] for line in lines)
    assert " ".join(lines).count("board") == 9
    assert max(map(len, lines)) <= 80


def test_a_word_longer_than_any_terminal_is_broken_and_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, 80, ("URL", "Is"), (f"https://board.example/{'x' * 200}", "there"))
    assert "".join(lines).count("x") == 201
    assert any("there" in line for line in lines)


def test_no_rows_and_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert any("Decision" in line for line in shown(monkeypatch, 140, COLUMNS))
    assert shown(monkeypatch, 140, COLUMNS, ("", "", "", "", ""))
