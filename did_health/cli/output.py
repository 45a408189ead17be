"""What commands print: for people by Rich, for programs one JSON document on standard output. Rich is imported when something is printed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from io import StringIO
from typing import IO, TYPE_CHECKING, Final, NoReturn

from did_health.cli.exits import BROKEN_PIPE
from did_health.encoding import timestamps
from did_health.errors import DidHealthError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from did_health.encoding.strict_json import JSON

# Escape sequences and direction overrides in a stranger's document could repaint the terminal.
_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ud800-\udfff\ufeff]")
_WIDTH_OF_FILES: Final = 160
_BETWEEN_COLUMNS: Final = 3
_LONGEST_WORD: Final = 48
"""An id fits, ``urn:uuid:`` with 36 characters; a DID or URL of more is broken anyway."""


def clean(text: object) -> str:
    """``text`` with everything replaced that a terminal could obey."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", str(text))


def leave_broken_pipe() -> NoReturn:
    """Whoever read the output is gone: end without a word, and without Python's own complaint at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(BROKEN_PIPE)


class Output:
    """Standard output of one command: either ``as_json``, then ``json`` is called once and the rest is for standard error, or for people."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def json(self, document: JSON) -> None:
        """The one document of a command with ``--json``."""
        from did_health.encoding import strict_json

        self.write(strict_json.dumps(document, indent=True) + b"\n")

    def write(self, data: bytes) -> None:
        """Bytes as they are."""
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
        except BrokenPipeError:
            leave_broken_pipe()

    def show(self, *renderables: RenderableType) -> None:
        """Anything of Rich's."""
        for item in renderables:
            _print(sys.stdout, item)

    def line(self, text: str, style: str = "") -> None:
        """One line, never wrapped where it goes to a file."""
        from rich.text import Text

        self.show(Text(clean(text), style=style))

    def heading(self, text: str) -> None:
        """A line that says what follows."""
        self.line(text, "bold")

    def facts(self, facts: Iterable[tuple[str, object]]) -> None:
        """Names and values, one pair a line; long values go on below themselves."""
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_column(style="cyan", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in facts:
            table.add_row(clean(name), value if isinstance(value, Text) else Text(clean(value)))
        self.show(table)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
        """A table; cells fold and lose nothing. On a terminal that is too narrow for its words, each row is shown as facts instead."""
        from rich.box import SIMPLE
        from rich.table import Table
        from rich.text import Text

        texts = [[cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row] for row in rows]
        words = [[column.split(), *(row[place].plain.split() for row in texts)] for place, column in enumerate(columns)]
        longest = [max(len(word) for cell in column for word in [*cell, ""]) for column in words]
        terminal = sys.stdout.isatty()
        if terminal and sum(min(length, _LONGEST_WORD) + _BETWEEN_COLUMNS for length in longest) > _terminal_width():
            self._records(columns, texts, title)
            return
        table = Table(title=title or None, title_justify="left", box=SIMPLE, pad_edge=False)
        for name, column, length in zip(columns, words, longest, strict=True):
            # A column of single words has room; else Rich would break them as soon as another column is long.
            single = terminal and length <= _LONGEST_WORD and all(len(cell) <= 1 for cell in column)
            table.add_column(name, overflow="fold", no_wrap=single)
        for row in texts:
            table.add_row(*row)
        self.show(table)

    def _records(self, columns: Sequence[str], rows: Sequence[Sequence[Text]], title: str) -> None:
        if title:
            self.heading(title)
        for row in rows:
            self.line("")
            self.facts([(column, cell) for column, cell in zip(columns, row, strict=True) if cell.plain not in ("", "-")])

    def document(self, data: bytes) -> None:
        """An indented document, for people to read."""
        self.line(data.decode(errors="replace"))


def note(text: str, style: str = "") -> None:
    """A line on standard error."""
    from rich.text import Text

    _print(sys.stderr, Text(clean(text), style=style))


def report_error(error: DidHealthError, *, as_json: bool) -> None:
    """What is wrong, where, and what to do: on standard error, or as the JSON document of the command."""
    if as_json:
        document = {"code": error.code, "what": error.what, "where": error.where, "hint": error.hint}
        Output(as_json).json({"error": {name: value for name, value in document.items() if value}})
        return
    note(f"Error: {error.what}", "bold red")
    if error.where:
        note(f"Where: {error.where}")
    if error.hint:
        note(f"What to do: {error.hint}")


def when(moment: datetime | None) -> str:
    """A time as text; a dash for none."""
    return timestamps.format(moment) if moment else "-"


def ago(age: timedelta) -> str:
    """An age in one unit."""
    seconds = int(age.total_seconds())
    if seconds < 0:
        return f"{-seconds} s ahead"
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"


def short(text: str, longest: int = 40) -> str:
    """``text`` with its middle left out where it is long; a DID's two ends tell it from others."""
    half = (longest - 1) // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[-half:]}"


def _terminal_width() -> int:
    from rich.console import Console

    return Console(file=sys.stdout).width


def _print(stream: IO[str], item: RenderableType) -> None:
    from rich.console import Console
    from rich.text import Text

    # Rendered first and written after: Rich has its own way of ending a process whose reader went away.
    terminal = stream.isatty()
    rendered = StringIO()
    width = None if terminal else _WIDTH_OF_FILES
    console = Console(file=rendered, force_terminal=terminal, width=width, highlight=False, markup=False, emoji=False)
    console.print(item, soft_wrap=isinstance(item, Text) and not terminal)
    # Rich fills lines with blanks, which only a terminal needs.
    text = rendered.getvalue() if terminal else "\n".join([line.rstrip() for line in rendered.getvalue().split("\n")])
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        leave_broken_pipe()
