"""What the demo did: every verification with what it must say and what it said, how long each step took, and the files to look at."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.roles.report import Report, Verdict
from did_health.stores import files


@dataclass(frozen=True, slots=True)
class Expected:
    """The verdict that a verification must end with and its first reason (empty where nothing may stand against it)."""

    verdict: Verdict
    code: str = ""

    def met_by(self, report: Report) -> bool:
        """Whether the report says exactly this."""
        return report.verdict is self.verdict and report.codes[:1] == ((self.code,) if self.code else ())

    def __str__(self) -> str:
        return f"{self.verdict}/{self.code}" if self.code else str(self.verdict)


ACCEPTED = Expected(Verdict.ACCEPT)


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification of the demo; ``files`` names its artefacts (``<files>.json`` in presentations/, reports/ and evidence/)."""

    step: str
    title: str
    expected: Expected
    report: Report
    seconds: float
    files: str

    @property
    def as_it_must_be(self) -> bool:
        """Whether verdict and reason are the expected ones."""
        return self.expected.met_by(self.report)

    def to_json(self) -> JSONObject:
        """Without any claim."""
        as_of = self.report.as_of
        return {
            "step": self.step,
            "title": self.title,
            "expected": {"verdict": self.expected.verdict, "code": self.expected.code or None},
            "verdict": self.report.verdict,
            "codes": list(self.report.codes),
            "asOf": timestamps.format(as_of) if as_of else None,
            "milliseconds": round(self.seconds * 1000, 1),
            "files": self.files,
            "ok": self.as_it_must_be,
        }


class Meter(Protocol):
    """Shows how far a long step is."""

    def update(self, done: int, total: int) -> None:
        """``done`` of ``total`` are through."""


ShowStep = Callable[[str], Meter]
"""Begins to show a step by its name; the meter of the step before is complete."""


class Journal:
    """Collects verifications and the seconds of every step, and writes artefacts below ``path``, readable by their owner only."""

    def __init__(self, path: Path, show: ShowStep, stopwatch: Callable[[], float] = time.perf_counter) -> None:
        self.path = path
        self.verifications: list[Verification] = []
        self.seconds: dict[str, float] = {}
        self._show = show
        self._stopwatch = stopwatch

    @contextmanager
    def step(self, name: str) -> Iterator[Meter]:
        """Time a step and show its progress."""
        start = self._stopwatch()
        yield self._show(name)
        self.seconds[name] = self._stopwatch() - start

    def verified(
        self, step: str, title: str, expected: Expected, presentation: bytes, verify: Callable[[], Report], *, name: str, keep_evidence: bool = False
    ) -> Verification:
        """Run one verification, remember it, and write the presentation, the report and (if wanted) the evidence to files called ``name``."""
        start = self._stopwatch()
        report = verify()
        done = Verification(step, title, expected, report, self._stopwatch() - start, name)
        self.verifications.append(done)
        self.write(f"presentations/{name}.json", presentation)
        self.write(f"reports/{name}.json", strict_json.dumps(report.to_json(), indent=True))
        if keep_evidence:
            self.write(f"evidence/{name}.json", report.evidence.to_json())
        return done

    def write(self, name: str, data: bytes) -> None:
        """Write an artefact. Not flushed to the disk one by one, as keys and ledgers are: these only show what happened."""
        path = self.path / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, files.PRIVATE), "wb") as file:
                file.write(data)
        except OSError as error:
            raise files.store_error(error, path) from error

    @property
    def as_it_must_be(self) -> bool:
        """Whether every verification ended as it must."""
        return all(done.as_it_must_be for done in self.verifications)
