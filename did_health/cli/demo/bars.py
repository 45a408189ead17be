"""Progress bars for the demo's steps."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from did_health.cli.demo.journal import Meter


class Bars:
    """A progress bar for every step, on standard error; use it in a ``with`` statement."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<31}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._last: _Bar | None = None

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, step: str) -> Meter:
        """Begin a bar; the one before is full."""
        self.finish()
        self._last = _Bar(self._progress, step)
        return self._last

    def finish(self) -> None:
        """Fill the last bar."""
        if self._last is not None:
            self._last.finish()


class _Bar:
    def __init__(self, progress: Progress, step: str) -> None:
        self._progress, self._total = progress, 1
        self._task = progress.add_task(step, total=1)

    def update(self, done: int, total: int) -> None:
        self._total = total
        self._progress.update(self._task, completed=done, total=total)

    def finish(self) -> None:
        self._progress.update(self._task, completed=self._total, total=self._total)
