"""What has been verified once is not verified again: a bounded memory of results, by the content that they were drawn from."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

Result = TypeVar("Result")
_CAPACITY: Final = 4096


class Memo:
    """Remembers results of pure functions, the oldest dropped first. Errors are not remembered.

    Safe for several threads: at worst a result is computed twice. Keys hold the content itself, so that no two contents can be taken
    for one another.
    """

    __slots__ = ("_capacity", "_results")

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._results: dict[Hashable, Any] = {}

    def get(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """The remembered result of ``key``, or that of ``compute()``, which is then remembered."""
        result: Result
        try:
            result = self._results[key]
        except KeyError:
            result = compute()
        else:
            return result
        self.remember(key, result)
        return result

    def known(self, key: Hashable) -> Any:
        """The remembered result of ``key``; ``None`` if there is none."""
        return self._results.get(key)

    def remember(self, key: Hashable, result: object) -> None:
        """Remember what was worked out elsewhere."""
        if len(self._results) >= self._capacity:
            self._results.pop(next(iter(self._results)), None)
        self._results[key] = result
