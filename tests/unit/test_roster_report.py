"""A report's header and its files: what is refused, what is escaped, what is compared."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from did_health.errors import ConflictError, FormatError, StoreError
from did_health.limits import MAX_ROSTER_NOTES, MAX_ROSTER_RESULT_BYTES
from did_health.roles.evidence import Evidence, Item
from did_health.roles.roster.csv_output import HEADER, csv_header, csv_row
from did_health.roles.roster.fhir_output import bundle_entry
from did_health.roles.roster.page import page
from did_health.roles.roster.provenance import Provenance, checkpoints_of
from did_health.roles.roster.report import RosterReport, RosterSummary
from did_health.roles.roster.result import Change, Outcome, compared, of_fault, parse_result
from did_health.roles.roster.row import RosterFault
from did_health.stores import roster_run
from did_health.stores.roster_reports import RosterReportFolder
from did_health.stores.roster_run import DigestedFile, RosterRun, blocks, digest_of, lines_of
from did_health.trust.policy import TrustPolicy
from tests.town import Town

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def summary(**changes: Any) -> RosterSummary:
    members: dict[str, Any] = {
        "made_at": NOW, "made_by": None, "roster_digest": b"\1" * 32, "rows": 2, "verdicts": {"accept": 1, "indeterminate": 1}, "changes": {"new": 2},
        "before": None, "policy_digest": b"\2" * 32, "purpose": "credentialing", "checkpoints": (), "as_of": None, "not_had": {}, "frequency_days": 30,
        "files": {"rows.ndjson": b"\3" * 32},
    }  # fmt: skip
    return RosterSummary(**{**members, **changes})


def result(**changes: Any) -> dict[str, Any]:
    return {"row": 2, "key": "k", "family": "Adams", "given": "Ann", "verdict": "accept", "reasons": [], "change": "same", **changes}


def test_the_header_tells_what_is_unresolved_and_when_it_is_due_again() -> None:
    document = RosterReport.make(summary(not_had={f"https://{number}.example": "no" for number in range(MAX_ROSTER_NOTES + 5)}), None).document
    assert document["unresolved"] == 1
    assert document["nextScheduled"] == "2026-03-31"
    assert len(document["notHad"]) == MAX_ROSTER_NOTES
    assert document["notHadCount"] == MAX_ROSTER_NOTES + 5
    assert document["verdicts"] == {"accept": 1, "conditional": 0, "refuse": 0, "indeterminate": 1}


def test_a_summary_is_signed_by_whom_it_names(town: Town) -> None:
    with pytest.raises(ValueError, match="another signer"):
        RosterReport.make(summary(), town.board.institution)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "x"}, {"more": 1}, {"madeAt": 5}, {"madeBy": 5}, {"madeBy": "did:web:x.example"}, {"frequencyDays": 0}, {"frequencyDays": "30"},
        {"roster": 5}, {"roster": {"rows": "2"}}, {"files": []}, {"files": {"rows.csv": 5}}, {"files": {"rows.csv": "AAAA"}}, {"policyDigest": None},
        {"purpose": "A B"},
        {"proof": {}},
    ],
)  # fmt: skip
def test_headers_that_are_none(changes: dict[str, Any]) -> None:
    document = RosterReport.make(summary(), None).document | changes
    with pytest.raises(FormatError):
        RosterReport.parse(json.dumps(document).encode())
    document.pop("verdicts")
    with pytest.raises(FormatError):
        RosterReport.from_object(document)


def test_a_signed_header_names_a_did(town: Town) -> None:
    signed = RosterReport.make(summary(made_by=town.board.did), town.board.institution).document
    with pytest.raises(FormatError):
        RosterReport.from_object(signed | {"madeBy": "nobody"})


# ---- rows


def test_what_is_compared_between_reports() -> None:
    row = result(verdict="refuse", reasons=[{"code": "revoked"}, {"code": "revoked"}])
    assert compared(row, None)["change"] == Change.NOT_COMPARED
    assert compared(row, {})["change"] == Change.NEW
    assert compared(row, {"k": (Outcome("refuse", ("revoked",)),)})["change"] == Change.SAME
    changed = compared(row, {"k": (Outcome("refuse", ("suspended",)),)})
    assert changed["change"] == Change.CHANGED
    assert changed["before"] == {"verdict": "refuse", "codes": ["suspended"]}
    assert compared(of_fault(RosterFault(3, "npi", "wrong")), {})["change"] == Change.NOT_COMPARED


@pytest.mark.parametrize("line", [
    b"[]", b"{}", b'{"row":1,"key":"","verdict":"perhaps","reasons":[]}', b'{"row":1,"key":"","verdict":"accept","reasons":[{}]}', b"x",
])  # fmt: skip
def test_lines_that_are_no_results(line: bytes) -> None:
    with pytest.raises(FormatError):
        parse_result(line)
    assert parse_result(b' {"row":1,"key":"","verdict":"accept","reasons":[]}')["row"] == 1


def test_no_cell_is_a_formula_for_a_spreadsheet() -> None:
    names = ["=HYPERLINK(1)", "+1", "-1", "@x"]
    table = csv_header() + b"".join(csv_row(result(family=name, reasons=[{"code": "x", "sentence": 'a, "b"'}])) for name in names)
    rows = list(csv.reader(StringIO(table.decode())))
    assert tuple(rows[0]) == HEADER
    assert [row[1] for row in rows[1:]] == [f"'{name}" for name in names]
    assert rows[1][HEADER.index("reasons")] == 'a, "b"'


def test_a_row_by_its_licence_number_in_fhir() -> None:
    options: dict[str, Any] = {"made_at": NOW, "next_scheduled": date(2026, 3, 31), "frequency_days": 30, "made_by": ""}
    reasons, lists = [{"code": "x", "sentence": "s"}], [{"url": "u", "problem": "p"}]
    row = result(licenseNumber="A-1", state="US-NC", verdict="conditional", reasons=reasons, statusLists=lists)
    resource = bundle_entry(row, 1, **options)["resource"]
    assert resource["target"][0]["identifier"]["value"] == "A-1"
    assert resource["frequency"]["repeat"] == {"frequency": 1, "period": 30, "periodUnit": "d"}
    assert "validator" not in resource
    assert "identifier" not in bundle_entry(result(), 1, **options)["resource"]["target"][0]
    assert bundle_entry(row, 1, **options)["fullUrl"] != bundle_entry(row, 2, **options)["fullUrl"]


def test_the_page_escapes_everything_and_runs_nothing() -> None:
    rows = [
        result(family="<script>alert(1)</script>", given='"><img src=x>', verdict="refuse", reasons=[{"code": "x", "sentence": "<b>&"}]),
        result(change="changed", before={"verdict": "refuse", "codes": []}),
    ]
    not_had = {f"https://{number}.example/<i>": "<u>" for number in range(12)}
    document = RosterReport.make(summary(not_had=not_had, before=b"\4" * 32), None).document
    text = b"".join(page(document, lambda: rows)).decode()
    assert "<script" not in text
    assert "<img" not in text
    assert "<b>" not in text.partition("</dl>")[2]
    assert "&lt;script&gt;" in text
    assert text.count("<tr class") == 4
    assert "changed, was refuse" in text
    assert '<td class="all" colspan="8">none</td>' not in text
    assert b"".join(page(document, lambda: [result()])).count(b'<td class="all" colspan="8">none</td>') == 1
    assert "http" not in text.replace("http-equiv", "").partition("<body>")[0]
    assert "… and 2 more" in text


def test_the_page_is_written_while_rows_are_read() -> None:
    """A payer's roster is never held in memory as a whole."""
    read: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(2_000):
            read.append(number)
            yield result(row=number)

    ahead, written = 0, 0
    for piece in page(RosterReport.make(summary(), None).document, rows):
        ahead = max(ahead, len(read) - 2_000 - written)
        written += piece.count(b"<tr class")
    assert written == 2_000
    assert len(read) == 4_000
    assert ahead <= 2


# ---- provenance


def test_what_is_not_proved_is_left_out(town: Town) -> None:
    empty = Provenance(town.directory.policy, Evidence(), NOW)
    found = empty.of(town.board.did, "PhysicianLicenseCredential", ("https://x.example/status",))
    assert found == {"statusLists": [{"url": "https://x.example/status", "problem": "ledger_unavailable"}]}
    assert empty.of("nonsense", "X", ()) == {"statusLists": []}
    garbage = Evidence({"https://x.example": Item(b"garbage", NOW), "https://y.example": Item(None, NOW)})
    assert checkpoints_of(garbage, ["https://x.example", "https://y.example", "https://z.example"]) == []


def test_an_issuer_without_a_record_has_none_to_name(town: Town) -> None:
    item = town.issue()
    evidence = town.evidence(item)
    found = Provenance(town.directory.policy, evidence, town.clock())
    assert "registryRecord" in found.of(town.board.did, "PhysicianLicenseCredential", ())
    assert "registryRecord" not in found.of(town.board.did, "PharmacyCredential", ())
    assert TrustPolicy().is_empty


# ---- the run's folder


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RosterRun]:
    with RosterRun.opened(tmp_path / "report", {"roster": "x"}) as opened:
        yield opened


def test_a_run_is_worked_on_by_one_process(run: RosterRun) -> None:
    with pytest.raises(ConflictError) as caught, RosterRun.opened(run.report, {"roster": "x"}):
        pass
    assert caught.value.code == "run_locked"


def test_parts_that_are_missing_or_are_not_what_was_written(run: RosterRun) -> None:
    assert run.looked_up() is None
    assert run.gathered() is None
    with pytest.raises(StoreError) as caught:
        list(run.lines("found", 1))
    assert caught.value.code == "store_corrupt"
    (run.partial / "looked-up.json").write_text("x")
    with pytest.raises(StoreError) as caught:
        run.looked_up()
    assert caught.value.code == "store_corrupt"


def test_a_report_is_not_moved_over_another(run: RosterRun) -> None:
    run.begin_report()
    run.report.mkdir()
    (run.report / "something").write_text("")
    with pytest.raises((ConflictError, StoreError)):
        run.finish()
    assert (run.report / "something").exists()


def test_places_that_may_not_be_written(run: RosterRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError):
        run.begin_report()
    monkeypatch.undo()
    run.begin_report()
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StoreError):
        run.finish()

    def taken(*_: object, **__: object) -> None:
        raise FileExistsError(17, "there")

    monkeypatch.setattr(Path, "rename", taken)
    with pytest.raises(ConflictError):
        run.finish()


def test_files_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    with DigestedFile(path) as file:
        file.write(b"a\n")
        file.write(b"b")
    assert digest_of(path) == file.digest
    assert b"".join(blocks(path)) == b"a\nb"
    assert list(lines_of(path)) == [b"a", b"b"]
    path.write_bytes(b"x" * (MAX_ROSTER_RESULT_BYTES + 1))
    with pytest.raises(StoreError):
        list(lines_of(path))
    for failing in (lambda: digest_of(tmp_path), lambda: list(blocks(tmp_path)), lambda: DigestedFile(tmp_path)):
        with pytest.raises(StoreError):
            failing()

    def full(_descriptor: int) -> None:
        raise OSError(28, "no room")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError) as caught, DigestedFile(tmp_path / "other"):
        pass
    assert caught.value.code == "store_full"
    assert roster_run._MAX_CHUNK > MAX_ROSTER_RESULT_BYTES


def test_folders_that_hold_no_report(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        RosterReportFolder.open(tmp_path)
    assert caught.value.code == "store_missing"
    (tmp_path / "report.json").write_bytes(RosterReport.make(summary(), None).to_json())
    with pytest.raises(Exception, match="does not list the files"):
        RosterReportFolder.open(tmp_path).require_whole()
