"""Measured: a roster of really issued licences of five boards: a row's verification, more workers, more rows, memory, and the whole run."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from did_health.cli.bench.measure import Ratio, Work
from did_health.cli.bench.workshop import PURPOSES, licence
from did_health.keys.sealed import SealingCost
from did_health.net.roster_lookup import RosterLookup
from did_health.net.roster_workers import processes
from did_health.net.rosters import CHUNK_ROWS, RosterOrder, read_roster, verify_roster
from did_health.net.verifiers import embedded_verifier
from did_health.roles.holder import Wallet
from did_health.roles.roster.found import read_found
from did_health.roles.roster.judge import JudgeSetup, judge_chunk
from did_health.roles.roster.plan import RosterPlan, needs
from did_health.roles.roster.result import parse_result
from did_health.roles.status_publisher import PURPOSES as PURPOSES_BY_DEFAULT
from did_health.stores.clock import system_clock
from did_health.stores.directory import Directory, open_directory
from did_health.stores.license_files import LicenseFiles
from did_health.stores.roster_reports import ROWS
from did_health.stores.roster_run import lines_of
from did_health.vc.status import StatusPurpose

LIMIT_ROW: Final = 2.5
LIMIT_SPEEDUP: Final = 1.8
LIMIT_MEMORY_MB: Final = 300.0
LIMIT_GROWTH: Final = 1.15
BOARDS: Final = ("nc", "sc", "va", "ga", "tn")
FEW: Final = 1_000
DEFAULT: Final = 5_000
"""How many licences are verified as boards issue them by default, with a third status list; for information, there is no limit."""
ISSUED_AT_ONCE: Final = 5_000
_PASSPHRASE: Final = "bench only, nothing is kept"  # noqa: S105  # of a directory that is deleted
# The keys are thrown away, and sealing them well would be all that is seen of memory.
_SEALING: Final = SealingCost(operations=1, memory_bytes=8192)


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything lies: the directory, the roster and the licences."""

    folder: Path

    @property
    def roster(self) -> Path:
        """The roster."""
        return self.folder / "roster.csv"

    @property
    def licenses(self) -> Path:
        """Every licence as its board gave it out."""
        return self.folder / "licenses.ndjson"

    def directory(self, *, create: bool = False) -> Directory:
        """The directory, opened; or made."""
        return open_directory(self.folder / "town", _PASSPHRASE, create=create, cost=_SEALING)


def roster(rows: int, yardstick: Work) -> list[Ratio]:
    """Every ratio of a roster of ``rows`` licences; ``yardstick`` is one bare verification."""
    with TemporaryDirectory(prefix="did-health-bench-") as path:
        place = Place(Path(path))
        _issue(place, rows, PURPOSES)
        setup, chunks = _found(place)
        try:
            each, unit, grown, count = _judged(setup, chunks(), yardstick)
            _, _, few, _ = _judged(setup, islice(chunks(), max(1, FEW // CHUNK_ROWS)), yardstick)
            one, one_mb = _in_workers(1, setup, chunks())
            two, two_mb = _in_workers(2, setup, chunks())
        finally:
            (place.folder / "index.sqlite").unlink(missing_ok=True)
        whole, main_mb = _whole_run(place)
    boards = f"licences of {len(BOARDS)} boards"
    return [
        Ratio("verify a licence of a roster / U", each / unit, LIMIT_ROW, f"{count} {boards}, of the 2 kB of bench, with the row read and its result written"),
        Ratio(f"the same, of {count} / of {FEW}", grown / few, LIMIT_GROWTH, "time per licence in its own U, medians of chunks"),
        _default(yardstick, min(rows, DEFAULT), boards),
        Ratio("two workers / one", one / two, LIMIT_SPEEDUP, f"processes; {one:.1f} s and {two:.1f} s", at_least=True),
        Ratio("memory of a worker / MB", max(one_mb, two_mb), LIMIT_MEMORY_MB, "at most, of each of the two"),
        Ratio("memory of the main process / MB", main_mb, LIMIT_MEMORY_MB, "at most, in a run from the roster's file to the report"),
        Ratio("whole run with two workers, a licence / U", whole / count / unit, None, f"{whole:.1f} s: lookup, evidence, verification, five files of report"),
    ]


def _default(yardstick: Work, rows: int, boards: str) -> Ratio:
    with TemporaryDirectory(prefix="did-health-bench-") as path:
        place = Place(Path(path))
        _issue(place, rows, PURPOSES_BY_DEFAULT)
        setup, chunks = _found(place)
        each, unit, _, count = _judged(setup, chunks(), yardstick)
    return Ratio("verify a default licence of a roster / U", each / unit, None, f"{count} {boards}, with the list of messages")


def _issue(place: Place, rows: int, purposes: Sequence[StatusPurpose]) -> None:
    """Licences with these status lists."""
    with place.directory(create=True) as directory, place.roster.open("w") as roster_file, place.licenses.open("wb") as licenses:
        roster_file.write("family,given,license_number,state\n")
        holder = Wallet.create(clock=system_clock, random=os.urandom).did
        for place_of_board, state in enumerate(BOARDS):
            title, jurisdiction = f"{state.upper()} Medical Board", f"US-{state.upper()}"
            board = directory.create_board(f"{state}-medical", title=title, jurisdiction=jurisdiction, professions=["MD"], purposes=purposes)
            numbers = range(place_of_board, rows, len(BOARDS))
            for start in range(0, len(numbers), ISSUED_AT_ONCE):
                some = numbers[start : start + ISSUED_AT_ONCE]
                # A number of its own for every licence: by it the row is looked up.
                orders = [(replace(licence(number), license_number=f"{number:08}"), holder) for number in some]
                for number, issued in zip(some, board.issue_many(orders), strict=True):
                    claims = orders[number // len(BOARDS) - start][0]
                    licenses.write(issued.to_json() + b"\n")
                    roster_file.write(f"{claims.name.family},{claims.name.given},{claims.license_number},{state.upper()}\n")


def _found(place: Place) -> tuple[JudgeSetup, Callable[[], Iterator[bytes]]]:
    """What workers are given: the setup, and the chunks of rows with their licences."""
    index = LicenseFiles([place.licenses], place.folder / "index.sqlite")
    lookup, folder = RosterLookup(place.folder, (index,)), place.folder / "found"
    folder.mkdir()
    picked, plan, rows = [], RosterPlan(), read_roster(place.roster)
    for number in range(sys.maxsize):
        chunk = [lookup.found(row) for row in islice(rows, CHUNK_ROWS)]
        if not chunk:
            break
        picked += plan.pick(candidate for found in chunk for candidate in found.candidates)
        (folder / f"{number:06}").write_bytes(b"".join([found.encode() for found in chunk]))
    index.close()
    with place.directory() as directory:
        evidence = embedded_verifier(directory).collect(lambda facts: needs(picked, None, facts))
        setup = JudgeSetup(directory.policy.encode(), evidence.to_json(), system_clock())
    return setup, lambda: (path.read_bytes() for path in sorted(folder.iterdir()))


def _judged(setup: JudgeSetup, chunks: Iterator[bytes], yardstick: Work) -> tuple[float, float, float, int]:
    """``(seconds of a licence, seconds of U, their ratio, licences)``: the smallest means of a chunk, for noise only ever adds; the ratio is the median."""
    judge_chunk(setup, b"")
    count = 0
    spent: list[float] = []
    units: list[float] = []
    for chunk in chunks:
        rows = [found.encode() for found in read_found(chunk.splitlines())]
        lines, on_rows, on_yardstick = [], 0.0, 0.0
        # By turns, as everywhere here: each finds the processor's caches as the other left them.
        for row in rows:
            begun = perf_counter()
            yardstick()
            between = perf_counter()
            lines.append(judge_chunk(setup, row))
            on_rows += perf_counter() - between
            on_yardstick += between - begun
        spent.append(on_rows / len(rows))
        units.append(on_yardstick / len(rows))
        count += len(rows)
        _require_accepted(lines)
    ratios = [each / unit for each, unit in zip(spent, units, strict=True)]
    return min(spent), min(units), median(ratios), count


def _in_workers(workers: int, setup: JudgeSetup, chunks: Iterator[bytes]) -> tuple[float, float]:
    """``(seconds of all chunks, megabytes of the largest worker)``; the workers are up, and have read the evidence, before the clock starts."""
    with processes(workers) as pool:
        for future in [pool.submit(judge_chunk, setup, b"") for _ in range(4 * workers)]:
            future.result()
        begun = perf_counter()
        for _ in _results(pool, setup, chunks, workers):
            pass
        spent = perf_counter() - begun
        return spent, max(future.result() for future in [pool.submit(used_megabytes) for _ in range(4 * workers)])


def _results(pool: Executor, setup: JudgeSetup, chunks: Iterator[bytes], workers: int) -> Iterator[bytes]:
    running = [pool.submit(judge_chunk, setup, chunk) for chunk in islice(chunks, workers + 1)]
    while running:
        yield running.pop(0).result()
        running += [pool.submit(judge_chunk, setup, chunk) for chunk in islice(chunks, 1)]


def _whole_run(place: Place) -> tuple[float, float]:
    """``(seconds, megabytes)`` of a run in a process of its own, whose memory holds nothing of what was done here."""
    with processes(1) as pool:
        return pool.submit(whole_run, place).result()


def whole_run(place: Place) -> tuple[float, float]:
    """From the roster's file to its report, by two workers."""
    begun = perf_counter()
    index = LicenseFiles([place.licenses], place.folder / "index.sqlite")
    order = RosterOrder(place.roster, place.folder / "report", workers=2)
    with place.directory() as directory, processes(2) as pool:
        verify_roster(order, embedded_verifier(directory), RosterLookup(place.folder, (index,)), clock=system_clock, executor=pool)
    spent = perf_counter() - begun
    _require_accepted(lines_of(place.folder / "report" / ROWS))
    return spent, used_megabytes()


def used_megabytes() -> float:
    """The most memory that this process has had."""
    status = Path("/proc/self/status")
    if status.exists():
        # A process that was spawned begins, in what getrusage says, with the memory of the one that spawned it.
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024 / 1e6
    # In KiB, but for macOS, which tells bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _require_accepted(lines: Iterator[bytes] | Sequence[bytes]) -> None:
    """Raises ``VerificationError`` for any other verdict: the way to a refusal is another one."""
    from did_health.errors import VerificationError

    for line in lines:
        result = parse_result(line)
        if result["verdict"] != "accept":
            raise VerificationError(f"what was measured is no verification: {result['reasons'][0]['code']}")
