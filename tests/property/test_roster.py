"""Garbage in a roster: a result for every row, or ``FormatError``; nothing else."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError
from did_health.roles.roster.csv_input import COLUMNS, read_csv
from did_health.roles.roster.fhir_input import read_fhir
from did_health.roles.roster.found import Found, read_found
from did_health.roles.roster.judge import JudgeSetup, judge_chunk
from did_health.roles.roster.lookup import Chosen, Doubt, choose
from did_health.roles.roster.report import RosterReport
from did_health.roles.roster.result import of_fault, parse_result
from did_health.roles.roster.row import RosterFault, RosterRow
from tests.town import Town

GARBAGE = settings(max_examples=100, deadline=None)
TEXT = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)
WORDS = st.sampled_from(["", "Adams", "Ann", "1234567893", "A-1", "NC", "did:web:x.example", '"', ",", "\x00", "{}", "é"]) | st.text(max_size=6)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@GARBAGE
@given(st.binary(max_size=300))
def test_bytes_that_are_no_csv(data: bytes) -> None:
    try:
        found = list(read_csv(data))
    except FormatError:
        return
    assert all(isinstance(one, RosterRow | RosterFault) for one in found)


@GARBAGE
@given(st.lists(st.lists(WORDS, max_size=9), max_size=6))
def test_each_line_of_csv_is_one_row(rows: list[list[str]]) -> None:
    lines = [",".join(cells).replace("\n", " ").replace("\r", " ") for cells in rows]
    data = "\n".join([",".join(COLUMNS), *lines]).encode(errors="replace")
    found = list(read_csv(data))
    assert len({one.row for one in found}) == len(found)
    assert {one.row for one in found} <= set(range(2, len(lines) + 2))
    # Only a line of nothing but commas and blanks is no row.
    silent = [line for number, line in enumerate(lines, start=2) if number not in {one.row for one in found}]
    assert all(not line.strip().replace(",", "").replace('"', "").strip() for line in silent)
    for one in found:
        read = list(read_found(Found(one).encode().splitlines() if isinstance(one, RosterRow) else Found(None, fault=one).encode().splitlines()))
        assert len(read) == 1
        if isinstance(one, RosterFault):
            assert parse_result(json.dumps(of_fault(one)).encode())["verdict"] == "indeterminate"


@GARBAGE
@given(st.lists(st.dictionaries(st.sampled_from(["id", "name", "identifier", "qualification", "practitioner"]), JSON, max_size=4), max_size=4), st.booleans())
def test_fhir_that_makes_no_sense(resources: list[dict[str, object]], role: bool) -> None:
    kind = "PractitionerRole" if role else "Practitioner"
    data = "\n".join(json.dumps({"resourceType": kind, **one}) for one in resources).encode()
    found = list(read_fhir(data))
    assert all(isinstance(one, RosterRow | RosterFault) for one in found)
    assert {one.row for one in found} >= set(range(1, len(resources) + 1))


@GARBAGE
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_candidates_that_are_no_licence(candidate: bytes) -> None:
    assert isinstance(choose(RosterRow(2, "Adams", "Ann", "1234567893"), [candidate]), Chosen | Doubt)


@GARBAGE
@given(JSON, JSON, JSON)
def test_credentials_that_are_nearly_licences(subject: object, issuer: object, status: object) -> None:
    credential = {"type": ["VerifiableCredential", "PhysicianLicenseCredential"], "issuer": issuer, "credentialSubject": subject, "credentialStatus": status}
    assert isinstance(choose(RosterRow(2, "Adams", "Ann", "1234567893"), [json.dumps({"credential": credential}).encode()]), Doubt)


@GARBAGE
@given(st.dictionaries(st.sampled_from(["id", "validUntil", "credentialStatus", "proof", "@context", "credentialSchema"]), JSON, max_size=4))
def test_a_licence_with_garbage_in_it_gets_a_result(town: Town, changes: dict[str, object]) -> None:
    known = town.issue(npi="1234567893") if not KNOWN else KNOWN[0]
    KNOWN[:] = [known]
    setup = JudgeSetup(town.directory.policy.encode(), EVIDENCE.setdefault("all", town.evidence(known).to_json()), town.clock())
    candidate = json.dumps({"credential": {**known.credential, **changes}, "issuanceReceipt": known.receipt}).encode()
    row = RosterRow(2, "Qqfamily", "Zyxwvutsk", "1234567893")
    (line,) = judge_chunk(setup, Found(row, (candidate,)).encode()).splitlines()
    assert parse_result(line)["verdict"] in (("accept",) if not changes else ("refuse", "indeterminate", "accept"))


KNOWN: list = []  # type: ignore[type-arg]
EVIDENCE: dict[str, bytes] = {}


@GARBAGE
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_lines_of_a_journal_and_headers_of_a_report(data: bytes) -> None:
    for parse in (lambda: list(read_found(data.splitlines())), lambda: parse_result(data), lambda: RosterReport.parse(data)):
        try:
            parse()
        except FormatError:
            continue


@GARBAGE
@given(st.dictionaries(st.sampled_from(["madeAt", "madeBy", "files", "roster", "policyDigest", "frequencyDays", "purpose"]), JSON, max_size=4))
def test_headers_that_are_nearly_a_reports(changes: dict[str, object]) -> None:
    from tests.unit.test_roster_report import summary

    document = RosterReport.make(summary(), None).document | changes
    with suppress(FormatError):
        RosterReport.parse(json.dumps(document).encode())
