"""``roster verify`` and ``roster replay`` as they are typed."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from did_health.cli import roster_output
from tests.cli_runs import CLI

NUMBER = "999"


def collected(cli: CLI, *more: str) -> Path:
    """A roster with brown's licence, which is in a folder of licences."""
    licenses = cli.folder / "licenses"
    licenses.mkdir()
    shutil.copy(cli.folder / "brown.json", licenses / "brown.json")
    path = cli.folder / "roster.csv"
    path.write_text("\n".join(["family,given,license_number,state,npi,credential", f"Brown,Ann,{NUMBER},NC,,", *more, ""]))
    return path


def test_verify_writes_a_signed_report(cli: CLI) -> None:
    path = collected(cli)
    ran = cli("roster", "verify", path, "--report", "r1", "--licenses", "licenses", "--by", "nc-medical", "--workers", 1)
    assert "accept          1" in ran.out
    assert "there is none to compare with" in ran.out
    assert "Nobody signed" not in ran.err
    assert {one.name for one in Path("r1").iterdir()} == {
        "report.json", "rows.ndjson", "rows.csv", "verification-results.json", "report.html", "gone.ndjson", "evidence",
    }  # fmt: skip
    replayed = cli("roster", "replay", "r1", "--signed-by", "nc-medical")
    assert "Every verdict follows" in replayed.out


def test_what_is_unresolved_gives_status_3_and_is_said(cli: CLI) -> None:
    path = collected(cli, "Brown,Ann,,,1234567890,", "Nobody,Ann,1,NC,,", "X,Y,,,,https://elsewhere.example/x")
    ran = cli("roster", "verify", path, "--report", "r1", "--licenses", "licenses", "--json", "--workers", 1, code=3)
    assert ran.json["report"]["unresolved"] == 3
    assert "Nobody signed" in ran.err
    again = cli("roster", "verify", path, "--report", "r2", "--since", "r1", "--licenses", "licenses", "--workers", 1, code=3)
    assert "0 changed, 0 new, 0 gone" in again.out
    assert "3 unresolved: each row" in again.out
    row = cli("roster", "replay", "r1", "--row", 3, "--json", code=3).json
    assert row["result"]["reasons"][0]["column"] == "npi"
    assert row["report"] is None
    assert "indeterminate" in cli("roster", "replay", "r1", "--row", 4, code=3).out
    assert cli("roster", "replay", "r1", "--json").json["differing"] == []


def test_the_last_report_is_not_believed_without_the_right_signature(cli: CLI) -> None:
    path = collected(cli)
    arguments = ("roster", "verify", path, "--licenses", "licenses", "--workers", 1)
    cli(*arguments, "--report", "r1", "--by", "nc-medical")
    assert "0 changed, 0 new" in cli(*arguments, "--report", "r2", "--since", "r1", "--by", "nc-medical").out
    refused = cli(*arguments, "--report", "r3", "--since", "r1", "--since-signed-by", "did:web:other.example", code=1)
    assert "signed by somebody else" in refused.err
    assert "by --since-signed-by" in refused.err
    assert not Path("r3").exists()
    header = Path("r1/report.json")
    header.write_text(header.read_text().replace('"unresolved": 0', '"unresolved": 1'))
    assert "signature of the roster report does not hold" in cli(*arguments, "--report", "r3", "--since", "r1", code=1).err
    assert "whose signature, of which report" in cli(*arguments, "--report", "r3", "--since-signed-by", "nc-medical", code=2).err


def test_one_row_is_replayed_with_every_check_and_its_credential_verified_by_the_same_evidence(cli: CLI) -> None:
    cli("roster", "verify", collected(cli), "--report", "r1", "--licenses", "licenses", "--by", "nc-medical", "--workers", 1)
    made_at = json.loads(Path("r1/report.json").read_text())["madeAt"]
    cli("board", "suspend", "nc-medical", NUMBER, "--reason", "order")
    assert "A C C E P T" in cli("roster", "replay", "r1", "--row", 2, "--save", "kept.json").out
    assert Path("kept.json").read_bytes() == Path("brown.json").read_bytes()
    evidence = ("--evidence", "r1/evidence/ledger.json", "--policy", "r1/evidence/trust-policy.toml", "--waive", "holder_binding")
    assert "A C C E P T" in cli("verify", "kept.json", *evidence, "--at", made_at).out
    later = cli("roster", "replay", "r1", "--row", 2, "--at", "2028-01-01", "--json", code=1).json
    assert "expired" in [reason["code"] for reason in later["result"]["reasons"]]
    assert later["report"]["verdict"] == "refuse"
    assert "Every verdict" not in cli("roster", "replay", "r1", "--at", "2028-01-01").out
    assert cli("roster", "replay", "r1", "--at", "2028-01-01", "--json").json["verdicts"]["refuse"] == 1


def test_under_another_policy_what_differs_is_listed(cli: CLI) -> None:
    path = collected(cli, *[f"Brown,Ann,{NUMBER},NC,,"] * 25)
    cli("roster", "verify", path, "--report", "r1", "--licenses", "licenses", "--workers", 1)
    policy = (cli.town / "trust-policy.toml").read_text()
    Path("own.toml").write_text(policy.replace("registry_authority = \"did:webvh:", "registry_authority = \"did:webvh:Qm"))
    ran = cli("roster", "replay", "r1", "--policy", "own.toml", code=1)
    assert "the report says accept, and it is" in ran.out
    assert "and 6 more" in ran.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("verify", "nothing.csv", "--report", "r"), "no such file"),
        (("verify", "roster.csv", "--report", "r", "--dask", "tcp://127.0.0.1:1", "--workers", 2), "workers of its own"),
        (("verify", "roster.csv", "--report", "licenses"), "something at the report's place"),
        (("verify", "roster.csv", "--report", "r", "--board", "nobody"), "no institution nobody"),
        (("verify", "roster.csv", "--report", "r", "--licenses", "nothing"), "no such file or folder"),
        (("replay", "nothing"), "no such file of a roster's report"),
        (("replay", "licenses", "--save", "x"), "which row's credential"),
    ],
)
def test_what_cannot_be_done(cli: CLI, arguments: tuple[object, ...], complaint: str) -> None:
    collected(cli)
    assert complaint in cli("roster", *arguments, code=2).err


def test_a_row_that_is_not_there_or_has_no_licence(cli: CLI) -> None:
    cli("roster", "verify", collected(cli, "Nobody,Ann,1,NC,,", "x"), "--report", "r1", "--licenses", "licenses", "--workers", 1, code=3)
    assert "no such row" in cli("roster", "replay", "r1", "--row", 99, code=2).err
    assert "no licence for this row" in cli("roster", "replay", "r1", "--row", 3, "--save", "x", code=2).err
    assert "no licence for this row" in cli("roster", "replay", "r1", "--row", 4, "--save", "x", code=2).err
    assert not Path("x").exists()


def test_licences_that_cannot_be_read_are_named(cli: CLI) -> None:
    path = collected(cli)
    for number in range(12):
        Path(f"licenses/{number:02}.json").write_text("x")
    ran = cli("roster", "verify", path, "--report", "r1", "--licenses", "licenses", "--workers", 2)
    assert "Not a credential that can be read: 00.json" in ran.err
    assert "and 2 more" in ran.err


def test_over_the_web_what_cannot_be_had_is_said(cli: CLI) -> None:
    path = collected(cli)
    policy = cli.town / "trust-policy.toml"
    Path("web.toml").write_text(policy.read_text().replace("https://ledger.example", "https://127.0.0.1:9"))
    arguments = ("roster", "verify", path, "--licenses", "licenses", "--policy", "web.toml", "--workers", 1)
    assert "Could not be had" in cli(*arguments, "--report", "r1", code=3).out
    signed = cli(*arguments, "--report", "r2", "--by", "nc-medical", "--json", code=3).json
    assert signed["report"]["madeBy"].endswith("nc-medical")


def test_on_a_dask_cluster(cli: CLI) -> None:
    from distributed import LocalCluster

    path = collected(cli)
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50) as cluster:
        ran = cli("roster", "verify", path, "--report", "r1", "--licenses", "licenses", "--dask", cluster.scheduler_address, "--json")
    assert ran.json["report"]["verdicts"]["accept"] == 1


def test_a_bar_where_a_person_looks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with roster_output.counting_rows(quiet=False) as advance:
        advance("Looking up", 3)
        advance("Verifying", 1)
    shown = capsys.readouterr().err
    assert "Verifying" in shown
    assert "3/3" in shown
    assert "/?" not in shown.partition("Verifying")[2]
