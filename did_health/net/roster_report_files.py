"""Writing a roster's report: one pass over the results for all files but the page, nothing held but counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from did_health.encoding import strict_json, timestamps
from did_health.limits import MAX_ROSTER_NOTES
from did_health.roles.evidence import Evidence
from did_health.roles.institution import Institution
from did_health.roles.roster.csv_output import csv_header, csv_row
from did_health.roles.roster.fhir_output import BUNDLE_END, bundle_entry, bundle_start
from did_health.roles.roster.judge import JudgeSetup
from did_health.roles.roster.page import page
from did_health.roles.roster.provenance import checkpoints_of
from did_health.roles.roster.report import GONE, RosterReport, RosterSummary
from did_health.roles.roster.result import Outcome, compared, parse_result
from did_health.roles.verifier import Verifier
from did_health.stores import files, roster_reports
from did_health.stores.roster_reports import RosterReportFolder
from did_health.stores.roster_run import DigestedFile, RosterRun, lines_of
from did_health.tlog.checkpoint import Checkpoint

Progress = Callable[[str, int], None]
"""Called with what is being done, and how many more rows are done."""


@dataclass(slots=True)
class ReportFiles:
    """The files of one report; made for one call of ``write``."""

    run: RosterRun
    signer: Institution | None
    frequency_days: int
    before: RosterReportFolder | None
    setup: JudgeSetup
    not_had: dict[str, str]
    roster_digest: bytes
    rows: int
    policy_digest: bytes
    verdicts: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    as_of: str = ""
    digests: dict[str, bytes] = field(default_factory=dict)

    def write(self, chunks: int, verifier: Verifier, progress: Progress) -> RosterReport:
        folder = self.run.begin_report()
        self._write_rows(folder, chunks, progress)
        self._write_file(folder, roster_reports.LEDGER, [self.setup.evidence])
        self._write_file(folder, roster_reports.POLICY, [self.setup.policy.encode()])
        self._write_file(folder, roster_reports.FOUND, (line + b"\n" for line in self.run.lines("found", chunks)))
        summary = self._summary(verifier)
        rows = folder / roster_reports.ROWS
        self._write_file(folder, roster_reports.PAGE, page(summary.to_document(), lambda: map(parse_result, lines_of(rows))))
        report = RosterReport.make(self._summary(verifier), self.signer)
        files.write_atomically(folder / roster_reports.HEADER, report.to_json())
        return report

    def _write_rows(self, folder: Path, chunks: int, progress: Progress) -> None:
        known = None if self.before is None else self.before.outcomes()
        gone = dict(known or {})
        made_by = self.signer.did if self.signer else ""
        next_scheduled = self._summary_of({}).next_scheduled
        names = (roster_reports.ROWS, roster_reports.TABLE, roster_reports.FHIR)
        with DigestedFile(folder / names[0]) as rows, DigestedFile(folder / names[1]) as table, DigestedFile(folder / names[2]) as fhir:
            table.write(csv_header())
            fhir.write(bundle_start(self.setup.now))
            for place, line in enumerate(self.run.lines("judged", chunks), start=1):
                result = compared(parse_result(line), known)
                gone.pop(result["key"], None)
                self.verdicts[result["verdict"]] += 1
                self.changes[result["change"]] += 1
                if as_of := result.get("asOf"):
                    self.as_of = min(self.as_of or as_of, as_of)
                rows.write(strict_json.dumps(result) + b"\n")
                table.write(csv_row(result))
                entry = bundle_entry(
                    result, place, made_at=self.setup.now, next_scheduled=next_scheduled, frequency_days=self.frequency_days, made_by=made_by
                )
                fhir.write((b",\n" if place > 1 else b"") + strict_json.dumps(entry))
                progress("Writing the report", 1)
            fhir.write(BUNDLE_END)
        self.digests |= dict(zip(names, (rows.digest, table.digest, fhir.digest), strict=True))
        self._write_file(folder, roster_reports.GONE, map(_gone, gone.items()))
        self.changes[GONE] = len(gone)

    def _write_file(self, folder: Path, name: str, pieces: Iterable[bytes]) -> None:
        with DigestedFile(folder / name) as file:
            for piece in pieces:
                file.write(piece)
        self.digests[name] = file.digest

    def _summary(self, verifier: Verifier) -> RosterSummary:
        ledger = verifier.policy.ledger
        prefixes = tuple(f"{log.url}/latest/" for log in (ledger.logs if ledger else ()) if log.url)
        evidence = Evidence.parse(self.setup.evidence)
        trees = checkpoints_of(evidence, [url for url in evidence if url.startswith(prefixes)])
        return self._summary_of(self.digests, tuple(sorted(trees, key=lambda tree: (tree.origin, tree.size))[:MAX_ROSTER_NOTES]))

    def _summary_of(self, digests: dict[str, bytes], checkpoints: tuple[Checkpoint, ...] = ()) -> RosterSummary:
        return RosterSummary(
            made_at=self.setup.now,
            made_by=self.signer.did if self.signer else None,
            roster_digest=self.roster_digest,
            rows=self.rows,
            verdicts=self.verdicts,
            changes=self.changes,
            before=None if self.before is None else self.before.header.digest,
            policy_digest=self.policy_digest,
            purpose=self.setup.purpose,
            checkpoints=checkpoints,
            as_of=timestamps.parse(self.as_of) if self.as_of else None,
            not_had=self.not_had,
            frequency_days=self.frequency_days,
            files=dict(digests),
        )


def _gone(item: tuple[str, Sequence[Outcome]]) -> bytes:
    key, (outcome, *_) = item
    return strict_json.dumps({"key": key, "verdict": outcome.verdict, "codes": list(outcome.codes)}) + b"\n"
