"""Progress on standard error, shown only where a person looks at it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final


@contextmanager
def counting(what: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Count something whose end is not known; gives the function that says how many more are done."""
    if quiet or not sys.stderr.isatty():
        yield lambda _count: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}: {task.completed:.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda count: progress.advance(task, count)


READING: Final = "Reading"


@contextmanager
def importing(file: Path, *, quiet: bool) -> Iterator[Callable[[str, int], None]]:
    """Show how much of a file is read, and what is done with it; gives the function that says of ``READING`` how many more bytes are read, and of anything
    else how many more are done."""
    if quiet or not sys.stderr.isatty():
        yield lambda _what, _count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:14}"), BarColumn(), TextColumn("{task.fields[shown]:>7}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}
        done: Counter[str] = Counter()
        size = file.stat().st_size if file.is_file() else 0

        def advance(what: str, count: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=size if what == READING and size else None, shown="")
            done[what] += count
            share = f"{100 * done[what] // size} %" if size else ""
            progress.update(tasks[what], completed=done[what], shown=share if what == READING else str(done[what]))

        yield advance
