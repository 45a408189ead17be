"""``roster replay``: a report held against its own digests, signature and evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from did_health.cli import session
from did_health.cli.exits import CONDITIONAL, FAILED, INDETERMINATE, OK, UsageError
from did_health.cli.output import Output, when
from did_health.cli.roster_output import STYLES

if TYPE_CHECKING:
    from did_health.encoding.strict_json import JSONObject
    from did_health.roles.roster.judge import Judge
    from did_health.stores.roster_reports import RosterReportFolder
    from did_health.trust.policy import TrustPolicy

_SHOWN: Final = 20
_STATUS: Final = {"accept": OK, "refuse": FAILED, "conditional": CONDITIONAL, "indeterminate": INDETERMINATE}


@dataclass(frozen=True, slots=True)
class Replayed:
    """A whole report and its judge; ``signer`` is who signed it, the signature verified; ``now`` is when it is judged for."""

    folder: RosterReportFolder
    judge: Judge
    signer: str | None
    now: datetime


def opened(path: Path, policy: TrustPolicy | None, signed_by: str | None, at: datetime | None) -> Replayed:
    """A report whose files and signature hold. Raises ``VerificationError`` for one whose do not, ``StoreError``, ``FormatError``."""
    from did_health.stores.roster_reports import RosterReportFolder
    from did_health.trust.policy import TrustPolicy

    folder = RosterReportFolder.open(path)
    folder.require_whole()
    trusted = policy or TrustPolicy.parse(folder.policy().decode(errors="replace"))
    signer = folder.verify_signature(trusted, by=signed_by)
    return Replayed(folder, folder.judge(trusted, at=at), signer, at or folder.header.made_at)


def one_row(out: Output, replayed: Replayed, row: int, save: Path | None) -> int:
    """Show a row's verification with every check; gives the exit status of its verdict. Raises ``UsageError`` if there is no such row."""
    from did_health.cli.report_output import show_report
    from did_health.roles.roster.lookup import Chosen, choose

    for found in replayed.folder.found():
        place = found.row.row if found.row else found.fault.row if found.fault else 0
        if place != row:
            continue
        result, report = replayed.judge.result(found), replayed.judge.report(found)
        if save is not None:
            chosen = choose(found.row, found.candidates) if found.row else None
            if not isinstance(chosen, Chosen):
                raise UsageError("there is no licence for this row", where=f"--row {row}")
            session.write_file(save, chosen.source)
        if out.as_json:
            out.json({"signedBy": replayed.signer, "judgedFor": when(replayed.now), "result": result, "report": report.to_json() if report else None})
        elif report is not None:
            show_report(out, report)
        else:
            out.line(f"Row {row} is indeterminate: {'; '.join(_words(result))}", "magenta")
        return _STATUS[result["verdict"]]
    raise UsageError("there is no such row in the report", where=f"--row {row}", hint="The numbers are those of the roster's lines; see rows.csv")


def all_rows(out: Output, replayed: Replayed, *, compare: bool) -> int:
    """Judge every row; with ``compare`` (as of the report's own time) hold each against what the report says. Gives the exit status."""
    from collections import Counter

    from did_health.roles.roster.result import outcome_of

    verdicts: Counter[str] = Counter()
    differing: list[JSONObject] = []
    for found, said in zip(replayed.folder.found(), replayed.folder.rows(), strict=True):
        result = replayed.judge.result(found)
        verdicts[result["verdict"]] += 1
        if compare and (result["row"] != said["row"] or outcome_of(result) != outcome_of(said)):
            differing.append({"row": said["row"], "said": said["verdict"], "now": result["verdict"]})
    if out.as_json:
        document: JSONObject = {"signedBy": replayed.signer, "judgedFor": when(replayed.now), "verdicts": {one: verdicts[one] for one in STYLES}}
        out.json(document | ({"differing": differing} if compare else {}))
    else:
        _show(out, replayed, verdicts, differing, compare=compare)
    return FAILED if differing else OK


def _show(out: Output, replayed: Replayed, verdicts: dict[str, int], differing: list[JSONObject], *, compare: bool) -> None:
    from rich.text import Text

    out.table(("Verdict", "Rows"), [(Text(verdict, style=style), verdicts[verdict]) for verdict, style in STYLES.items()])
    out.facts([("Signed by", replayed.signer or "nobody"), ("Judged for", when(replayed.now))])
    if not compare:
        return
    if not differing:
        out.line("Every verdict follows from the evidence beside the report.", "green")
    for one in differing[:_SHOWN]:
        out.line(f"Row {one['row']}: the report says {one['said']}, and it is {one['now']}", "bold red")
    if len(differing) > _SHOWN:
        out.line(f"… and {len(differing) - _SHOWN} more.", "bold red")


def _words(result: JSONObject) -> list[str]:
    from did_health.roles.roster.result import words_of

    return list(words_of(result))
