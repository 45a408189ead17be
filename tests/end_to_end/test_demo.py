"""The demo on few people, as a process of its own, and on third-party data: its verdicts, its files, and what must be in none of them."""

import json
import re
import shlex
import stat
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from did_health.cli import main
from did_health.cli.demo import command, run
from did_health.cli.demo.gallery import CASES
from did_health.cli.demo.journal import ACCEPTED, Expected, Journal, Meter
from did_health.cli.demo.run import run_demo
from did_health.cli.demo.summary import Summary
from did_health.cli.demo.town import PASSPHRASE_FILE, create_directory
from did_health.cli.exits import UsageError
from did_health.errors import StoreError
from did_health.health import sample
from did_health.health.fhir import RowError
from did_health.roles.evidence import Evidence
from did_health.roles.report import Verdict
from did_health.roles.verifier import Verifier
from did_health.stores.clock import system_clock
from did_health.stores.directory import open_directory
from did_health.trust.policy import TrustPolicy
from tests.conftest import shared

REQUIRED = {
    "tampered claim": "refuse/proof_invalid",
    "expired": "refuse/expired",
    "not yet valid": "refuse/not_yet_valid",
    "revoked": "refuse/revoked",
    "suspended": "refuse/suspended",
    "replayed nonce": "refuse/nonce_replayed",
    "wrong audience": "refuse/wrong_audience",
    "wrong nonce": "refuse/wrong_nonce",
    "someone else's credential": "refuse/not_the_holder",
    "issuer not accredited": "refuse/issuer_not_accredited",
    "issuer of another profession": "refuse/wrong_profession",
    "stolen key, never logged": "refuse/not_logged",
    "stolen key, borrowed receipt": "refuse/receipt_invalid",
    "status list too old": "indeterminate/evidence_stale",
    "status list not to be had": "indeterminate/status_list_unavailable",
}


class Silent:
    def update(self, done: int, total: int) -> None:
        assert 0 <= done <= total


def silent(step: str) -> Meter:
    return Silent()


def few(data: bytes, number: int) -> bytes:
    return b"\n".join(data.splitlines()[:number])


FOUR_PHYSICIANS = few(sample.practitioners(), 4)
THREE_PATIENTS = few(sample.patients(), 3)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    path = tmp_path_factory.mktemp("small") / "demo"
    return run_demo(path, practitioners=FOUR_PHYSICIANS, patients=THREE_PATIENTS, show=silent)


def test_every_verdict_is_what_it_must_be(small: Summary) -> None:
    assert small.ok
    assert {done.title: str(done.expected) for done in small.journal.verifications if done.step == "gallery"} == REQUIRED
    for done in small.journal.verifications:
        assert done.as_it_must_be, done.to_json()


def test_each_bad_case_fails_for_its_own_reason_alone(small: Summary) -> None:
    # Whatever else is said follows from the reason: who holds it is open when the presentation is no good, a board's message goes with a sanction.
    follows = {"holder_unknown", "license_revoked", "license_suspended", "receipt_invalid"}
    for done in small.journal.verifications:
        if done.step == "gallery":
            assert set(done.report.codes) - {done.expected.code} <= follows, done.to_json()


def test_a_change_of_status_is_seen_by_the_very_next_verification(small: Summary) -> None:
    seen = [(done.report.verdict, done.report.codes[:1]) for done in small.journal.verifications if done.step == "discipline"]
    assert seen == [
        (Verdict.ACCEPT, ()),
        (Verdict.REFUSE, ("suspended",)),
        (Verdict.ACCEPT, ()),
        (Verdict.ACCEPT, ()),
        (Verdict.REFUSE, ("revoked",)),
    ]


def test_everybody_is_served_at_the_counter(small: Summary) -> None:
    at_counter = [done.title for done in small.journal.verifications if done.step == "counter"]
    assert sorted(at_counter) == ["patient's identity"] * 3 + ["pharmacy's permit"] + ["prescriber's licence"] * 3


def test_the_ledger_has_four_witnesses_and_needs_three(small: Summary) -> None:
    assert [(one["witnesses"], one["quorum"]) for one in small.ledgers] == [(4, 3)]
    assert {one["name"] for one in small.institutions} >= {"registry", "nc-medical", "nc-osteopathic", "pharmacy-board", "identity-provider"}


def test_every_artefact_is_there(small: Summary) -> None:
    path = small.journal.path
    assert len(list((path / "credentials").iterdir())) == 4 + 3 + 1 == len(list((path / "wallets").glob("*.wallet")))
    for done in small.journal.verifications:
        assert (path / "presentations" / f"{done.files}.json").exists()
        assert json.loads((path / "reports" / f"{done.files}.json").read_bytes())["verdict"] == done.report.verdict
    assert json.loads((path / "summary.json").read_bytes())["ok"] is True
    assert (path / "published" / "checkpoint").exists()


def test_the_passphrase_is_for_its_owner_only_and_opens_the_directory(small: Summary) -> None:
    file = small.journal.path / PASSPHRASE_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    passphrase, warning, *_ = file.read_text().splitlines()
    assert "demo" in warning
    with open_directory(small.journal.path, passphrase) as directory:
        held = directory.wallet("patient-001").find("PatientIdentityCredential")
    assert held.to_json() == (small.journal.path / "credentials" / "patient-001.json").read_bytes()


def test_an_auditor_comes_to_the_same_verdict_from_the_kept_files(small: Summary) -> None:
    path = small.journal.path
    verifier = Verifier(TrustPolicy.parse((path / "trust-policy.toml").read_bytes()), clock=system_clock)
    audited = [done for done in small.journal.verifications if done.step == "discipline"]
    for done in audited:
        presentation = (path / "presentations" / f"{done.files}.json").read_bytes()
        proof = json.loads(presentation)["proof"]
        evidence = Evidence.parse((path / "evidence" / f"{done.files}.json").read_bytes())
        report = verifier.verify(presentation, audience=proof["domain"], nonce=proof["challenge"], evidence=evidence, now=done.report.verified_at)
        assert (report.verdict, report.codes) == (done.report.verdict, done.report.codes)
    assert len(audited) == 5


def test_the_ledger_holds_nothing_of_any_patient(small: Summary) -> None:
    assert_no_patient_on_the_ledger(small.journal.path)


def invoke(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(command.demo)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout


def test_a_verdict_that_is_not_the_expected_one_makes_the_exit_status_non_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = [replace(CASES[1], expected=ACCEPTED), replace(CASES[2], expected=Expected(Verdict.REFUSE, "expired")), CASES[3]]
    monkeypatch.setattr(run, "run_demo", partial(run_demo, cases=wrong))
    (tmp_path / "practitioners.ndjson").write_bytes(FOUR_PHYSICIANS)
    (tmp_path / "patients.ndjson").write_bytes(few(THREE_PATIENTS, 1))
    inputs = ["--practitioners", str(tmp_path / "practitioners.ndjson"), "--patients", str(tmp_path / "patients.ndjson")]
    status, output = invoke("--dir", str(tmp_path / "demo"), *inputs)
    assert status == 1
    assert output.count("WRONG") == 3
    assert "must be accept" in output
    assert "must be refuse/expired" in output
    summary = json.loads((tmp_path / "demo" / "summary.json").read_bytes())
    assert summary["ok"] is False
    assert [done["title"] for done in summary["verifications"] if not done["ok"]] == ["expired", "not yet valid"]


def test_the_command_prints_one_json_document_and_leaves_progress_to_standard_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from did_health.cli.main import run; run()", "demo", "--json", "--dir", "demo"],
        cwd=tmp_path, capture_output=True, check=False, timeout=300,
    )
    assert done.returncode == 0, done.stderr.decode()
    summary = json.loads(done.stdout)
    assert summary["ok"] is True
    assert (summary["physicians"], summary["patients"]) == (25, 50)
    assert {"nc-medical", "va-medical"} <= {one["name"] for one in summary["institutions"]}
    assert b"gallery of bad cases" in done.stderr
    claims = [json.loads(file.read_bytes())["credential"]["credentialSubject"] for file in (tmp_path / "demo" / "credentials").glob("patient-*.json")]
    assert len(claims) == 50
    assert not [claim["birthDate"] for claim in claims if claim["birthDate"].encode() in done.stdout]


def test_json_is_the_summary_that_is_written_as_well(small: Summary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "run_demo", lambda *_, **__: small)
    status, output = invoke("--json")
    assert status == 0
    assert json.loads(output) == json.loads((small.journal.path / "summary.json").read_bytes())


def test_of_very_many_skipped_rows_the_first_hundred_are_shown(small: Summary, monkeypatch: pytest.MonkeyPatch) -> None:
    account = replace(small.accounts[0], skipped=tuple([RowError(row, "name", "there is no name") for row in range(1, 151)]))
    monkeypatch.setattr(run, "run_demo", lambda *_, **__: replace(small, accounts=(account,)))
    _, output = invoke()
    assert output.count("skipped row") == 100
    assert "50 more: see import.json" in output


def test_a_file_in_the_place_of_the_directory_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("keep")
    with pytest.raises(StoreError):
        create_directory(tmp_path / "file")


def test_an_artefact_that_cannot_be_written_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("in the way")
    with pytest.raises(StoreError) as caught:
        Journal(tmp_path, silent).write("reports/a.json", b"{}")
    assert caught.value.where == str(tmp_path / "reports" / "a.json")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_commands_to_go_on_with_work(small: Summary, place: int, capsys: pytest.CaptureFixture[str]) -> None:
    program, *arguments = shlex.split(small.next_commands()[place])
    assert program == "did-health"
    with pytest.raises(SystemExit) as ended:
        main.run(arguments)
    assert not ended.value.code, capsys.readouterr()


def test_a_directory_that_is_not_empty_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(UsageError, match="not empty"):
        create_directory(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


# ---- third-party data: as imperfect as real ones


SECRET_SHAPES = re.compile(
    rb"[0-9]{3}-[0-9]{2}-[0-9]{4}|999[0-9]{6}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|S[0-9]{8}|X[0-9]{4,9}X"
)
"""Every identifier of a Synthea patient, and SSNs without hyphens."""


def secrets_of(patients: bytes) -> set[bytes]:
    """SSN, record, driver's licence and passport numbers."""
    values = {identifier["value"].encode() for line in patients.splitlines() for identifier in json.loads(line)["identifier"]}
    values |= {value.replace(b"-", b"") for value in values if re.fullmatch(rb"[0-9]{3}-[0-9]{2}-[0-9]{4}", value)}
    assert not [value for value in values if not SECRET_SHAPES.fullmatch(value)], "the search below would miss these"
    return values


def assert_none_of(secrets: set[bytes], path: Path) -> None:
    searched = [file for file in path.rglob("*") if file.is_file()]
    assert len(searched) > 100
    for file in searched:
        assert secrets.isdisjoint(SECRET_SHAPES.findall(file.read_bytes())), file


def assert_no_patient_on_the_ledger(path: Path) -> None:
    subjects = [json.loads(file.read_bytes())["credential"]["credentialSubject"] for file in (path / "credentials").glob("patient-*.json")]
    assert subjects
    # A short name would be found by chance in what is encoded there.
    names = {name for subject in subjects for name in (subject["name"]["family"], subject["name"]["given"]) if len(name) >= 7}
    known = [text.encode() for text in names | {subject["birthDate"] for subject in subjects} | {subject["id"] for subject in subjects}]
    places = [*path.glob("ledger.sqlite*"), *path.glob("witnesses/*"), *(file for file in (path / "published").rglob("*") if file.is_file())]
    assert len(places) > 20
    content = b"\0".join(place.read_bytes() for place in places)
    assert not [text for text in known if text in content]


@pytest.mark.vectors
def test_synthea_with_minted_npis_loses_nobody(tmp_path: Path) -> None:
    patients = shared("data", "synthea", "Patient.ndjson").read_bytes()
    practitioners = shared("data", "synthea", "Practitioner.ndjson").read_bytes()
    summary = run_demo(tmp_path / "demo", practitioners=practitioners, patients=patients, mint_test_npi=True, show=silent)
    assert summary.ok
    assert (summary.physicians, summary.patients) == (60, 300)
    licensed, identified = summary.accounts
    assert (licensed.taken, licensed.skipped, licensed.stand_ins) == (60, (), 0)
    assert sum("replaced by a test NPI" in note.note for note in licensed.notes) == 60
    assert (identified.taken, identified.skipped, identified.stand_ins) == (300, (), 0)
    assert_none_of(secrets_of(patients), tmp_path / "demo")
    assert_no_patient_on_the_ledger(tmp_path / "demo")


@pytest.mark.vectors
def test_synthea_without_minted_npis_tells_every_row_and_goes_on_with_stand_ins(tmp_path: Path) -> None:
    patients = few(shared("data", "synthea", "Patient.ndjson").read_bytes(), 20)
    practitioners = tmp_path / "Practitioner.ndjson"
    practitioners.write_bytes(shared("data", "synthea", "Practitioner.ndjson").read_bytes())
    (tmp_path / "Patient.ndjson").write_bytes(patients)
    status, output = invoke("--dir", str(tmp_path / "demo"), "--practitioners", str(practitioners), "--patients", str(tmp_path / "Patient.ndjson"))
    assert status == 0
    assert "practitioners: 0 taken, 60 skipped, 4 of the sample stand in" in output
    for row in range(1, 61):
        assert f"skipped row {row} (identifier[0].value): an NPI is ten digits" in output
    account = json.loads((tmp_path / "demo" / "import.json").read_bytes())["practitioners"]
    assert [skipped["row"] for skipped in account["skipped"]] == list(range(1, 61))
    assert_none_of(secrets_of(patients), tmp_path / "demo")
    assert_no_patient_on_the_ledger(tmp_path / "demo")
    assert "All " in output
    assert "WRONG" not in output


