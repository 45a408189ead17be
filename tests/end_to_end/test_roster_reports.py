"""The reports of rosters: what changed since the last one, what was changed in one, and how one is replayed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from did_health.cli.roster_replay import opened
from did_health.errors import VerificationError
from did_health.roles.roster.report import RosterReport
from did_health.stores.roster_reports import RosterReportFolder
from tests.roster_parties import NAME, CredentialingOffice
from tests.town import Town


def test_the_next_report_says_what_changed(office: CredentialingOffice, town: Town) -> None:
    stays, turns, leaves, comes = (town.issue() for _ in range(4))
    rows = office.collect(stays, turns, leaves, comes)
    office.write(*rows[:3], f"{NAME},bad,,,")
    first = office.verify("first")
    assert first.document["changes"] == {"new": 0, "same": 0, "changed": 0, "not_compared": 4, "gone": 0}
    town.board.suspend(turns, reason="order")
    town.ticking(60)
    office.write(rows[0], rows[1], rows[3], f"{NAME},bad,,,")
    second = office.verify("second", before="first")
    assert second.document["changes"] == {"new": 1, "same": 1, "changed": 1, "not_compared": 1, "gone": 1}
    assert [row["change"] for row in office.results("second")] == ["same", "changed", "new", "not_compared"]
    assert office.results("second")[1]["before"] == {"verdict": "accept", "codes": []}
    (gone,) = [json.loads(line) for line in (office.folder / "second" / "gone.ndjson").read_text().splitlines()]
    assert gone["verdict"] == "accept"
    assert gone["key"].endswith(leaves.credential["credentialSubject"]["licenseNumber"])
    assert second.document["before"] == json.loads(second.to_json())["before"]
    page = (office.folder / "second" / "report.html").read_text()
    assert "changed, was accept" in page


def test_a_licence_that_stands_twice_is_compared_row_by_row(office: CredentialingOffice, town: Town) -> None:
    licence = town.issue()
    (row,) = office.collect(licence)
    another = row.replace(NAME, "Otherwise,Ann")
    office.write(row, another)
    office.verify("first")
    assert office.verify("second", before="first").document["changes"] | {"same": 0} == dict.fromkeys(("new", "same", "changed", "not_compared", "gone"), 0)
    assert [one["change"] for one in office.results("second")] == ["same", "same"]
    town.board.suspend(licence, reason="order")
    town.ticking(60)
    office.write(another, row)
    office.verify("third", before="second")
    assert [(one["verdict"], one["change"]) for one in office.results("third")] == [("indeterminate", "same"), ("refuse", "changed")]


def test_a_report_before_that_was_changed_is_not_compared_with(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    office.verify("first")
    rows = office.folder / "first" / "rows.ndjson"
    rows.write_bytes(rows.read_bytes().replace(b"accept", b"refuse"))
    with pytest.raises(VerificationError, match="was changed") as caught:
        office.verify("second", before="first")
    assert caught.value.code == "report_changed"
    assert not (office.folder / "second").exists()


def test_a_report_before_must_be_signed_by_the_same_or_by_who_is_named(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    office.verify("first", signer=town.other.institution)
    with pytest.raises(VerificationError, match="somebody else") as caught:
        office.verify("second", before="first")
    assert (caught.value.code, caught.value.where) == ("report_of_another_signer", str(office.folder / "first" / "report.json"))
    assert not (office.folder / "second").exists()
    assert office.verify("named", before="first", before_signed_by=town.other.did).document["changes"]["same"] == 1
    assert office.verify("unsigned", before="first", signer=None).document["changes"]["same"] == 1


def test_a_report_before_that_nobody_signed_is_not_believed_by_who_signs(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    office.verify("first", signer=None)
    with pytest.raises(VerificationError) as caught:
        office.verify("second", before="first")
    assert caught.value.code == "report_not_signed"
    assert office.verify("unsigned", before="first", signer=None).document["changes"]["same"] == 1


@pytest.mark.parametrize("signed", [True, False])
def test_a_report_before_whose_signature_does_not_hold(office: CredentialingOffice, town: Town, *, signed: bool) -> None:
    office.write(*office.collect(town.issue()))
    office.verify("first")
    header = office.folder / "first" / "report.json"
    header.write_text(header.read_text().replace('"unresolved": 0', '"unresolved": 1'))
    with pytest.raises(VerificationError) as caught:
        office.verify("second", before="first", **({} if signed else {"signer": None}))
    assert caught.value.code == "report_signature_invalid"
    assert not (office.folder / "second").exists()


def test_a_report_before_from_elsewhere_brings_no_trust_with_it(office: CredentialingOffice, town: Town, tmp_path: Path) -> None:
    """Whoever forges a report can lay a policy beside it under which its signature holds: this run's policy decides."""
    forger = CredentialingOffice(tmp_path / "forger", Town(tmp_path / "elsewhere", seed="elsewhere"))
    try:
        forger.write(*forger.collect(forger.town.issue()))
        forger.verify("first")
        office.write(*office.collect(town.issue()))
        with pytest.raises(VerificationError) as caught:
            office.verify("second", before=str(forger.folder / "first"), before_signed_by=forger.town.board.did)
        assert caught.value.code == "report_signature_invalid"
        kept = RosterReportFolder.open(forger.folder / "first")
        assert [kept.judge().result(found)["verdict"] for found in kept.found()] == ["accept"]
    finally:
        forger.town.close()


def test_a_report_can_be_replayed_years_later(office: CredentialingOffice, town: Town) -> None:
    item = town.issue()
    office.write(*office.collect(item), f"{NAME},,NOBODYS,NC,")
    office.verify()
    town.board.revoke(item, reason="order")
    town.ticking(3600)
    replayed = opened(office.folder / "report", None, town.board.did, None)
    assert replayed.signer == town.board.did
    found = list(replayed.folder.found())
    assert [replayed.judge.result(one)["verdict"] for one in found] == ["accept", "indeterminate"]
    report = replayed.judge.report(found[0])
    assert report is not None
    assert report.verdict == "accept"
    assert replayed.judge.report(found[1]) is None


@pytest.mark.parametrize("name", ["rows.csv", "report.html", "evidence/ledger.json", "evidence/found.ndjson"])
def test_a_replay_sees_that_a_file_was_changed(office: CredentialingOffice, town: Town, name: str) -> None:
    office.write(*office.collect(town.issue()))
    office.verify()
    path = office.folder / "report" / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(VerificationError) as caught:
        opened(office.folder / "report", None, None, None)
    assert caught.value.code == "report_changed"


def test_a_replay_sees_that_the_header_was_changed_or_signed_by_another(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    office.verify()
    with pytest.raises(VerificationError) as caught:
        opened(office.folder / "report", None, town.other.did, None)
    assert caught.value.code == "report_of_another_signer"
    header = office.folder / "report" / "report.json"
    header.write_text(header.read_text().replace('"unresolved": 0', '"unresolved": 1'))
    with pytest.raises(VerificationError) as caught:
        opened(office.folder / "report", None, None, None)
    assert caught.value.code == "report_signature_invalid"


def test_an_unsigned_report_says_so(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    assert office.verify(signer=None).made_by is None
    with pytest.raises(VerificationError) as caught:
        opened(office.folder / "report", None, town.board.did, None)
    assert caught.value.code == "report_not_signed"
    assert opened(office.folder / "report", None, None, None).signer is None


def test_the_header_can_be_read_again(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    made = office.verify()
    folder = RosterReportFolder.open(office.folder / "report")
    assert folder.header == made
    assert RosterReport.parse(made.to_json()).digest == made.digest
