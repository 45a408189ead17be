"""Measuring: a piece of work and its yardstick in turns, so that whatever else the machine does slows both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")
Work = Callable[[], object]

ROUNDS = 40
CALLS = 25


@dataclass(frozen=True, slots=True)
class Ratio:
    """One thing that was measured: ``value`` is what it took, in the unit that ``name`` tells, ``limit`` what it may take at most, if anybody said.

    With ``at_least`` it is the other way round: a rate, say, that has to be reached. ``detail`` says how it was measured: sizes and numbers.
    """

    name: str
    value: float
    limit: float | None
    detail: str = ""
    at_least: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it is on the wrong side of its limit."""
        return self.limit is not None and (self.value < self.limit if self.at_least else self.value > self.limit)


def in_turns(work: Work, yardstick: Work) -> tuple[float, float]:
    """Seconds of one call of each: the smallest mean of a round, for noise only ever adds.

    The two are called by turns, so that each finds the processor's caches as the other left them.
    """
    means: list[tuple[float, float]] = []
    for _ in range(ROUNDS + 1):
        spent_on_work = spent_on_yardstick = 0.0
        for _ in range(CALLS):
            start = perf_counter()
            yardstick()
            between = perf_counter()
            work()
            end = perf_counter()
            spent_on_yardstick += between - start
            spent_on_work += end - between
        means.append((spent_on_work / CALLS, spent_on_yardstick / CALLS))
    # The first round warms up.
    return min(mean for mean, _ in means[1:]), min(mean for _, mean in means[1:])


def rotating(items: Sequence[T], work: Callable[[T], object]) -> Work:
    """``work`` on each item in turn, over and over: nothing that is remembered of one helps with the next."""
    following: Iterator[T] = cycle(items)
    return lambda: work(next(following))
