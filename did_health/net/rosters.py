"""A roster from its file to its report: look every row up, gather the evidence once, judge on any executor, write the report.

Each step leaves what it has done in the run's folder (``stores.roster_run``), so that a run that was killed goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from did_health.encoding import timestamps
from did_health.encoding.base64 import base64_encode
from did_health.errors import EdgeError, FormatError
from did_health.limits import MAX_CONCURRENT_REQUESTS, MAX_GATHER_BYTES, MAX_ROSTER_CHUNK_ROWS, MAX_ROSTER_DAYS, MAX_ROSTER_WORKERS
from did_health.net.gather import GatheredEvidence
from did_health.net.roster_lookup import RosterLookup
from did_health.net.roster_report_files import Progress, ReportFiles
from did_health.roles.documents import Document
from did_health.roles.evidence import Evidence, Need
from did_health.roles.facts import Facts
from did_health.roles.institution import Institution
from did_health.roles.roster.csv_input import read_csv
from did_health.roles.roster.fhir_input import read_fhir
from did_health.roles.roster.found import read_found
from did_health.roles.roster.judge import PURPOSE, JudgeSetup, judge_chunk
from did_health.roles.roster.plan import BATCH, RosterPlan, needs
from did_health.roles.roster.report import RosterReport
from did_health.roles.roster.row import RosterFault, RosterRow
from did_health.roles.shift_bundle import policy_digest
from did_health.roles.verifier import Verifier
from did_health.stores.roster_reports import RosterReportFolder
from did_health.stores.roster_run import RosterRun, blocks, digest_of
from did_health.trust.policy import TrustPolicy

CHUNK_ROWS: Final = 500
FREQUENCY_DAYS: Final = 30
_BLANK: Final = b" \t\r\n\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class RosterOrder:
    """What to verify, and into which report. ``signer`` signs; ``purpose`` picks the age of evidence allowed.

    ``before`` is the last report, which must have been signed by ``before_signed_by`` (a DID): by default the DID of ``signer``. If nobody signs this one
    either, it may be anybody's, and a signature that it has must hold.

    ``workers`` is how many chunks are given to the executor at a time; one worker's memory is bounded by ``chunk_rows``.
    """

    roster: Path
    report: Path
    before: Path | None = None
    signer: Institution | None = None
    purpose: str = PURPOSE
    frequency_days: int = FREQUENCY_DAYS
    chunk_rows: int = CHUNK_ROWS
    workers: int = 1
    before_signed_by: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.workers <= MAX_ROSTER_WORKERS:
            raise ValueError(f"1 to {MAX_ROSTER_WORKERS} workers are given rows at a time")
        if not 0 < self.chunk_rows <= MAX_ROSTER_CHUNK_ROWS or not 0 < self.frequency_days <= MAX_ROSTER_DAYS:
            raise ValueError(f"a chunk has 1 to {MAX_ROSTER_CHUNK_ROWS} rows, and 1 to {MAX_ROSTER_DAYS} days are between two reports")


def verify_roster(
    order: RosterOrder,
    verifier: Verifier,
    lookup: RosterLookup,
    *,
    clock: Callable[[], datetime],
    executor: Executor | None = None,
    progress: Progress = lambda _what, _count: None,
) -> RosterReport:
    """Verify a roster and write its report: whole, or nothing at its place. Without ``executor`` all is done by the caller's thread.

    ``verifier`` gathers evidence (``Verifier.collect``) under its trust policy, which may not be empty (``ValueError``). Raises ``FormatError`` for a
    file that is no roster, or a report before that is none; ``VerificationError`` for a report before that was changed, or whose signature does not hold
    under the policy or is not the right one's; ``ConflictError`` if there is a report already; ``EdgeError`` if a worker was lost: the same call then goes
    on where it was.
    """
    policy = verifier.policy
    text = policy.encode()
    before = None if order.before is None else _report_before(order, order.before, policy)
    digest = digest_of(order.roster)
    identity = {
        "roster": base64_encode(digest), "policy": base64_encode(policy_digest(policy)), "purpose": order.purpose, "chunkRows": order.chunk_rows,
        "signer": order.signer.did if order.signer else None, "frequencyDays": order.frequency_days,
        "before": None if before is None else base64_encode(before.header.digest),
    }  # fmt: skip
    with RosterRun.opened(order.report, identity) as run:
        chunks, rows = _look_up(run, order, lookup, progress)
        evidence, now, not_had = _gather(run, chunks, verifier, order, clock, progress)
        setup = JudgeSetup(text, evidence, now, order.purpose)
        _judge(run, chunks, setup, executor, order.workers, progress)
        writing = ReportFiles(run, order.signer, order.frequency_days, before, setup, not_had, digest, rows, policy_digest(policy))
        report = writing.write(chunks, verifier, progress)
        run.finish()
    return report


def read_roster(path: Path) -> Iterator[RosterRow | RosterFault]:
    """The rows of a file: FHIR if it begins with a brace, CSV otherwise. Raises ``FormatError``, ``StoreError``."""
    head = next((block for block in blocks(path)), b"").lstrip(_BLANK)
    return read_fhir(blocks(path)) if head.startswith(b"{") else read_csv(blocks(path))


def _report_before(order: RosterOrder, path: Path, policy: TrustPolicy) -> RosterReportFolder:
    before = RosterReportFolder.open(path)
    before.require_whole()
    # Under the policy of this run: whoever could write a report there could write a policy beside it.
    before.verify_signature(policy, by=order.before_signed_by or (order.signer.did if order.signer else None))
    return before


def _look_up(run: RosterRun, order: RosterOrder, lookup: RosterLookup, progress: Progress) -> tuple[int, int]:
    if (known := run.looked_up()) is not None:
        return known
    try:
        return _look_up_rows(run, order, lookup, progress)
    except FormatError as error:
        # What is no roster leaves nothing behind that would stand in the way of one.
        run.discard()
        if str(order.roster) not in error.where:
            error.where = f"{order.roster} {error.where}".rstrip()
        raise


def _look_up_rows(run: RosterRun, order: RosterOrder, lookup: RosterLookup, progress: Progress) -> tuple[int, int]:
    rows, number, total = read_roster(order.roster), 0, 0
    # Where sources are asked over a network, most of the time is spent on waiting.
    with ThreadPoolExecutor(MAX_CONCURRENT_REQUESTS) as threads:
        while chunk := list(islice(rows, order.chunk_rows)):
            if not run.has_chunk("found", number):
                found = threads.map(lookup.found, chunk) if lookup.asks_network(chunk) else map(lookup.found, chunk)
                run.save_chunk("found", number, b"".join([one.encode() for one in found]))
            number, total = number + 1, total + len(chunk)
            progress("Looking up", len(chunk))
    if not total:
        raise FormatError("there is no row in the roster", where=str(order.roster), hint="A line of CSV for each practitioner, or FHIR Practitioners")
    run.save_looked_up(number, total)
    return number, total


def _gather(
    run: RosterRun, chunks: int, verifier: Verifier, order: RosterOrder, clock: Callable[[], datetime], progress: Progress
) -> tuple[bytes, datetime, dict[str, str]]:
    if (known := run.gathered()) is not None:
        return known
    gathering = _Gathering(verifier, order.signer.did if order.signer else None)
    plan, waiting = RosterPlan(), list[Document]()
    for found in read_found(run.lines("found", chunks)):
        waiting += plan.pick(found.candidates)
        if len(waiting) >= BATCH:
            gathering.gather(waiting)
            waiting.clear()
        progress("Gathering evidence", 1)
    gathering.gather(waiting)
    # Read after the last fetch: nothing of the evidence is from the future then.
    now = clock()
    evidence = gathering.evidence.to_json()
    run.save_gathered(evidence, now, gathering.failures)
    # As it was written: a run that goes on must judge for the same second.
    return evidence, timestamps.parse(timestamps.format(now)), gathering.failures


@dataclass(slots=True)
class _Gathering:
    """Evidence that grows; what could not be had once is not asked for again."""

    verifier: Verifier
    signer: str | None
    evidence: Evidence = field(default_factory=Evidence)
    failures: dict[str, str] = field(default_factory=dict)
    size: int = 0

    def gather(self, documents: list[Document]) -> None:
        batch = list(documents)
        if self.size > MAX_GATHER_BYTES or not (batch or self.signer):
            return

        def plan(facts: Facts) -> list[Need]:
            return [need for need in needs(batch, self.signer, facts) if need.url not in self.failures]

        got = self.verifier.collect(plan, self.evidence)
        self.size += sum(len(item.content or b"") for item in got.items.values())
        self.evidence = self.evidence.with_items(got.items)
        if isinstance(got, GatheredEvidence):
            self.failures.update(got.failures)


def _judge(run: RosterRun, chunks: int, setup: JudgeSetup, executor: Executor | None, workers: int, progress: Progress) -> None:
    """Every chunk that is not judged yet; only a few are in memory at a time."""

    def done(number: int, lines: bytes) -> None:
        run.save_chunk("judged", number, lines)
        progress("Verifying", lines.count(b"\n"))

    left = (number for number in range(chunks) if not run.has_chunk("judged", number))
    if executor is None:
        for number in left:
            done(number, judge_chunk(setup, run.require_chunk("found", number)))
        return
    running: dict[Future[bytes], int] = {}
    try:
        while True:
            for number in islice(left, workers + 1 - len(running)):
                running[executor.submit(judge_chunk, setup, run.require_chunk("found", number))] = number
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                done(running.pop(future), future.result())
    except BrokenExecutor as error:
        raise EdgeError("a worker was lost", hint="Run the same command again: it goes on where it was", code="worker_lost") from error
    finally:
        for future in running:
            future.cancel()
