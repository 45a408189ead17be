"""A report's folder, read again: its header, its rows, and the evidence for them.

::

    report.json                 the header, signed, with the digests of the files below
    rows.ndjson, rows.csv       the rows, for programs and for spreadsheets
    verification-results.json   the rows as FHIR R4 VerificationResult
    report.html                 the page to read and to print
    gone.ndjson                 what the report before had and this one has not
    evidence/ledger.json        DID logs, registry records, status lists with their proofs, once for all rows
    evidence/found.ndjson       the rows of the roster with the credentials that were found for them, as they came
    evidence/trust-policy.toml  the policy
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import StoreError, VerificationError
from did_health.limits import MAX_GATHER_BYTES, MAX_POLICY_BYTES, MAX_ROSTER_REPORT_BYTES
from did_health.roles.evidence import Evidence
from did_health.roles.ledger_state import LedgerState
from did_health.roles.memo import Memo
from did_health.roles.roster.found import Found, read_found
from did_health.roles.roster.judge import Judge, JudgeSetup
from did_health.roles.roster.report import RosterReport
from did_health.roles.roster.result import Outcome, outcome_of, parse_result
from did_health.stores import files
from did_health.stores.roster_run import digest_of, lines_of
from did_health.trust.policy import TrustPolicy

HEADER: Final = "report.json"
ROWS: Final = "rows.ndjson"
TABLE: Final = "rows.csv"
FHIR: Final = "verification-results.json"
PAGE: Final = "report.html"
GONE: Final = "gone.ndjson"
LEDGER: Final = "evidence/ledger.json"
FOUND: Final = "evidence/found.ndjson"
POLICY: Final = "evidence/trust-policy.toml"
FILES: Final = (ROWS, TABLE, FHIR, PAGE, GONE, LEDGER, FOUND, POLICY)


@dataclass(frozen=True, slots=True)
class RosterReportFolder:
    """A report that lies in ``path``. Nothing of it is verified but what ``require_whole`` says."""

    path: Path
    header: RosterReport

    @classmethod
    def open(cls, path: str | Path) -> RosterReportFolder:
        """Read its header. Raises ``StoreError`` (``store_missing``) if there is none, ``FormatError``."""
        path = Path(path)
        return cls(path, RosterReport.parse(_read(path / HEADER, MAX_ROSTER_REPORT_BYTES)))

    def require_whole(self) -> None:
        """Compare every file with its digest in the header. Raises ``VerificationError`` (``report_changed``) for one that was changed or is gone."""
        if set(self.header.files) != set(FILES):
            raise VerificationError("the report does not list the files that a report has", where=str(self.path / HEADER), code="report_changed")
        for name, digest in self.header.files.items():
            path = self.path / name
            if not path.is_file() or digest_of(path) != digest:
                raise VerificationError("a file of the report was changed since it was made, or is gone", where=str(path), code="report_changed")

    def verify_signature(self, policy: TrustPolicy, *, by: str | None = None) -> str | None:
        """The DID of who signed, ``None`` if nobody did; with ``by`` (a DID) it must have been signed by that one.

        Whose key it was is proved by the report's own evidence, under ``policy``. Raises ``VerificationError`` (see ``RosterReport.verify_signature``).
        """
        state = LedgerState(policy, Evidence.parse(self.evidence()), Memo())
        try:
            return self.header.verify_signature(state, by=by)
        except VerificationError as error:
            raise VerificationError(error.what, where=str(self.path / HEADER), hint=error.hint, code=error.code) from error

    def judge(self, policy: TrustPolicy | None = None, *, at: datetime | None = None) -> Judge:
        """Who judges the rows of ``found`` anew, from the report's evidence: under its own policy and for its own time, or under ``policy``, as of ``at``."""
        text = policy.encode() if policy else self.policy().decode(errors="replace")
        return Judge(JudgeSetup(text, self.evidence(), at or self.header.made_at, self.header.purpose))

    def policy(self) -> bytes:
        """The trust policy's text."""
        return _read(self.path / POLICY, MAX_POLICY_BYTES)

    def evidence(self) -> bytes:
        """The evidence as ``Evidence.to_json`` wrote it."""
        return _read(self.path / LEDGER, 2 * MAX_GATHER_BYTES)

    def found(self) -> Iterator[Found]:
        """What was found for each row, in the order of ``rows``. Raises ``FormatError``, ``StoreError``."""
        return read_found(lines_of(self.path / FOUND))

    def rows(self) -> Iterator[JSONObject]:
        """The results (see ``roles.roster.result``). Raises ``FormatError``, ``StoreError``."""
        return map(parse_result, lines_of(self.path / ROWS))

    def outcomes(self) -> dict[str, tuple[Outcome, ...]]:
        """What every key ended with; several different ones if several rows had it.

        Of equal ones there is one in memory, so that a payer's roster has room.
        """
        same: dict[tuple[Outcome, ...], tuple[Outcome, ...]] = {}
        found: dict[str, tuple[Outcome, ...]] = {}
        for row in self.rows():
            if key := row["key"]:
                outcome, known = outcome_of(row), found.get(key, ())
                if outcome not in known:
                    ended = (*known, outcome)
                    found[key] = same.setdefault(ended, ended)
        return found


def _read(path: Path, max_bytes: int) -> bytes:
    data = files.read(path, max_bytes=max_bytes)
    if data is None:
        hint = "Make a report with: did-health roster verify"
        raise StoreError("there is no such file of a roster's report", where=str(path), hint=hint, code="store_missing")
    return data
