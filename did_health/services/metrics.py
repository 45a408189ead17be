"""Counters of a service, written as OpenMetrics 1.0 text.

Our own forty lines and not the Prometheus client: a service counts a dozen things, and that client keeps its counters in a process-wide
registry, which two services in one process (tests, ``federation``) would share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

CONTENT_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of durations in seconds."""


@dataclass(slots=True)
class _Durations:
    counts: list[int] = field(default_factory=lambda: [0] * (len(_BUCKETS) + 1))
    total: float = 0.0


class Metrics:
    """The metrics of one service, named ``did_health_<service>_…``. Safe for several threads.

    Labels come from the program (routes, statuses, names of configuration), never from a request, so their number is bounded.
    """

    def __init__(self, service: str) -> None:
        self._prefix = f"did_health_{service}_"
        self._lock = Lock()
        self._counters: dict[str, dict[tuple[tuple[str, str], ...], int]] = {}
        self._durations: dict[str, dict[tuple[tuple[str, str], ...], _Durations]] = {}
        self._gauges: dict[str, Callable[[], Mapping[tuple[tuple[str, str], ...], float]]] = {}
        self._helps: dict[str, str] = {}

    def counter(self, name: str, help_text: str) -> None:
        """Announce a counter, so that it is written before it is first counted."""
        self._helps[name] = help_text
        self._counters[name] = {}

    def durations(self, name: str, help_text: str) -> None:
        """Announce a histogram of seconds; by convention its name ends in ``_seconds``."""
        self._helps[name] = help_text
        self._durations[name] = {}

    def gauge(self, name: str, help_text: str, read: Callable[[], Mapping[tuple[tuple[str, str], ...], float]]) -> None:
        """Announce a gauge, whose values by label pairs are asked for when the metrics are written."""
        self._helps[name] = help_text
        self._gauges[name] = read

    def count(self, name: str, **labels: str) -> None:
        """Add one to a counter."""
        self.add(name, 1, **labels)

    def add(self, name: str, amount: int, **labels: str) -> None:
        """Add to a counter."""
        key = tuple(labels.items())
        with self._lock:
            self._counters[name][key] = self._counters[name].get(key, 0) + amount

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Add a duration to a histogram."""
        with self._lock:
            durations = self._durations[name].setdefault(tuple(labels.items()), _Durations())
            durations.total += seconds
            durations.counts[next((place for place, bound in enumerate(_BUCKETS) if seconds <= bound), len(_BUCKETS))] += 1

    def text(self) -> bytes:
        """The exposition (OpenMetrics 1.0 §ABNF): families, then ``# EOF``."""
        gauges = {name: read() for name, read in self._gauges.items()}
        lines: list[str] = []
        with self._lock:
            for name, counts in self._counters.items():
                lines += self._family(name, "counter")
                lines += [f"{self._prefix}{name}_total{_braces(labels)} {count}" for labels, count in sorted(counts.items())]
            for name, by_labels in self._durations.items():
                lines += self._family(name, "histogram", unit="seconds")
                for labels, durations in sorted(by_labels.items()):
                    lines += self._histogram(name, labels, durations)
        for name, values in gauges.items():
            lines += self._family(name, "gauge")
            lines += [f"{self._prefix}{name}{_braces(labels)} {value}" for labels, value in sorted(values.items())]
        return "\n".join([*lines, "# EOF", ""]).encode()

    def _family(self, name: str, kind: str, *, unit: str = "") -> list[str]:
        full = f"{self._prefix}{name}"
        return [f"# TYPE {full} {kind}", *([f"# UNIT {full} {unit}"] if unit else []), f"# HELP {full} {_escaped(self._helps[name])}"]

    def _histogram(self, name: str, labels: tuple[tuple[str, str], ...], durations: _Durations) -> list[str]:
        lines = []
        below = 0
        for bound, count in zip((*map(str, _BUCKETS), "+Inf"), durations.counts, strict=True):
            below += count
            lines.append(f"{self._prefix}{name}_bucket{_braces((*labels, ('le', bound)))} {below}")
        return [*lines, f"{self._prefix}{name}_count{_braces(labels)} {below}", f"{self._prefix}{name}_sum{_braces(labels)} {durations.total:.6f}"]


def _braces(labels: tuple[tuple[str, str], ...]) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{inside}}}" if inside else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
