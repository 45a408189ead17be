from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli_runs import CLI

OPTIONS = ("--family", "Clark", "--given", "Cy", "--license-number", "77", "--issued-on", "2010-01-01", "--valid-until", "2030-01-01")
SOMEBODY = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


def holder(cli: CLI, name: str = "brown") -> str:
    return str(cli("wallet", "list", name, "--json").json["did"])


def state(cli: CLI, number: str) -> str:
    return str(cli("board", "list", "nc-medical", "--number", number, "--json").json[0]["state"])


def test_init_makes_directory_and_board(cli: CLI) -> None:
    arguments = ("board", "init", "va-pharmacy", "--title", "Virginia Board of Pharmacy", "--jurisdiction", "US-VA", "--entity-type", "pharmacy_board")
    made = cli(*arguments, "--resource", "PharmacyCredential", "--dir", "new", "--json").json
    assert made["did"].endswith(":ledger.example:va-pharmacy")
    assert cli("board", "list", "va-pharmacy", "--dir", "new").out.startswith("Virginia Board of Pharmacy has issued nothing")
    Path("claims.json").write_text(json.dumps({
        "type": "PharmacyCredential", "validUntil": "2030-01-01T00:00:00Z",
        "credentialSubject": {"name": "Corner", "licenseNumber": "P1", "jurisdiction": "US-VA", "class": "community"},
    }))
    issued = cli("board", "issue", "va-pharmacy", "claims.json", "--to", holder(cli), "--dir", "new", "--json").json
    assert issued["credential"]["type"][1] == "PharmacyCredential"
    second = cli("board", "init", "nc-2", "--title", "Another Board", "--jurisdiction", "US-NC", "--profession", "MD", "--dir", "new")
    assert "Accredited by" in second.out


@pytest.mark.parametrize(("arguments", "code"), [
    (("nc-medical", "--title", "T", "--jurisdiction", "US-NC"), 1),
    (("x", "--title", "T", "--jurisdiction", "US-XX"), 2),
    (("X Y", "--title", "T", "--jurisdiction", "US-NC"), 2),
    (("x", "--title", "T"), 2),
    (("x", "--title", "T", "--jurisdiction", "US-NC", "--entity-type", "club"), 2),
])
def test_init_refuses(cli: CLI, arguments: tuple[str, ...], code: int) -> None:
    cli("board", "init", *arguments, code=code)


@pytest.mark.parametrize("arguments", [
    ("x", "--title", "T", "--jurisdiction", "US-XX"),
    ("X Y", "--title", "T", "--jurisdiction", "US-NC"),
    ("x", "--title", "", "--jurisdiction", "US-NC"),
    ("x", "--title", "T", "--jurisdiction", "US-NC", "--entity-type", "club"),
    ("x", "--title", "T", "--jurisdiction", "US-NC", "--profession", "MD", "--profession", "MD"),
    ("x", "--title", "T", "--jurisdiction", "US-NC", "--algorithm", "RSA"),
    ("x", "--title", "T", "--jurisdiction", "US-NC", "--host", "https://x.example"),
    ("x", "--title", "T", "--jurisdiction", "US-NC", "--host", "a b"),
])
def test_wrong_usage_leaves_no_directory(cli: CLI, arguments: tuple[str, ...]) -> None:
    cli("board", "init", *arguments, "--dir", "new", code=2)
    assert not Path("new").exists()


def test_init_into_a_file(cli: CLI) -> None:
    Path("file").write_text("x")
    assert "directory is needed" in cli("board", "init", "x", "--title", "T", "--jurisdiction", "US-NC", "--dir", "file", code=2).err


def test_init_into_a_folder_of_something_else(cli: CLI) -> None:
    Path("other").mkdir()
    Path("other/file").write_text("x")
    cli("board", "init", "x", "--title", "T", "--jurisdiction", "US-NC", "--dir", "other", code=2)
    assert [path.name for path in Path("other").iterdir()] == ["file"]


def test_init_where_nothing_may_be_read(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refused)
    assert "permissions" in cli("board", "init", "x", "--title", "T", "--jurisdiction", "US-NC", "--dir", "other", code=1).err


def test_issue_by_options_into_a_wallet(cli: CLI) -> None:
    ran = cli("board", "issue", "nc-medical", *OPTIONS, "--npi", "1234567893", "--wallet", "brown")
    assert "wallet brown" in ran.out
    assert "Clark" not in ran.out
    assert cli.verify(cli.shown(wallet="brown"), "--json").json["verdict"] == "accept"


def test_issue_to_a_did(cli: CLI) -> None:
    ran = cli("board", "issue", "nc-medical", *OPTIONS, "--to", holder(cli))
    assert ran.json["credential"]["credentialSubject"]["licenseNumber"] == "77"
    assert "Issued urn:uuid:" in ran.err
    again = ("--family", "Dee", "--given", "D", "--license-number", "78", "--issued-on", "2010-01-01", "--valid-until", "2030-01-01T00:00:00Z")
    assert cli("board", "issue", "nc-medical", *again, "--to", holder(cli), "-o", "dee.json", "--json").json["file"] == "dee.json"
    assert cli("wallet", "add", "brown", "dee.json")


@pytest.mark.parametrize(("arguments", "words", "code"), [
    ((*OPTIONS,), "one holder", 2),
    ((*OPTIONS, "--to", SOMEBODY, "--wallet", "brown"), "one holder", 2),
    ((*OPTIONS, "--to", "nobody"), "DID", 2),
    ((*OPTIONS, "--to", "did:key:zbad"), "nobody can hold", 2),
    ((*OPTIONS, "--to", "did:jwk:e30"), "nobody can hold", 2),
    ((*OPTIONS, "--wallet", "nobody"), "no wallet nobody", 2),
    ((*OPTIONS[2:], "--to", SOMEBODY), "--family", 2),
    ((*OPTIONS, "--npi", "1", "--to", SOMEBODY), "npi", 2),
    ((*OPTIONS[:-1], "soon", "--to", SOMEBODY), "--valid-until", 2),
    ((*OPTIONS[:6], "--issued-on", "x", "--valid-until", "2030-01-01", "--to", SOMEBODY), "--issued-on", 2),
    ((*OPTIONS, "brown.json", "--to", SOMEBODY), "twice", 2),
    ((*OPTIONS[:4], "--license-number", "12345", *OPTIONS[6:], "--to", SOMEBODY), "has been issued", 1),
])
def test_issue_refuses(cli: CLI, arguments: tuple[str, ...], words: str, code: int) -> None:
    ran = cli("board", "issue", "nc-medical", *arguments, code=code)
    assert words in ran.err
    assert "order 0" not in ran.err
    assert "Clark" not in ran.err


GOOD: dict[str, Any] = {
    "validUntil": "2030-01-01T00:00:00Z",
    "credentialSubject": {
        "name": {"family": "Eve", "given": "E"}, "profession": "MD", "licenseNumber": "5", "licenseClass": "full", "originalIssueDate": "2010-01-01",
    },
}


@pytest.mark.parametrize(("change", "place"), [
    ({"credentialSubject": []}, "/credentialSubject"),
    ({"type": "LibraryCard"}, "/type"),
    ({"type": 7}, "/type"),
    ({"validUntil": None}, "/validUntil"),
    ({"validUntil": "tomorrow"}, "/validUntil"),
    ({"validUntil": ...}, "/validUntil"),
    ({"validFrom": "2040-01-01T00:00:00Z"}, "/validUntil"),
    ({"credentialSubject": {**GOOD["credentialSubject"], "profession": "shaman"}}, "/profession"),
])
def test_faulty_claims(cli: CLI, change: dict[str, Any], place: str) -> None:
    Path("claims.json").write_text(json.dumps({name: value for name, value in {**GOOD, **change}.items() if value is not ...}))
    ran = cli("board", "issue", "nc-medical", "claims.json", "--to", SOMEBODY, code=2)
    assert f"claims.json {place}" in ran.err
    assert "Eve" not in ran.err
    assert "shaman" not in ran.err


def test_suspend_reinstate_revoke_by_number_and_id(cli: CLI) -> None:
    shown = cli.shown()
    credential = cli("board", "list", "nc-medical", "--number", "12345", "--json").json[0]["id"]
    assert state(cli, "12345") == "active"
    done = cli("board", "suspend", "nc-medical", "12345", "--reason", "r", "--order", "2026-1", "--json").json
    assert (done["id"], done["state"]) == (credential, "suspended")
    assert state(cli, "12345") == "suspended"
    assert "suspended" in cli.verify(shown, "--json", code=1).json["codes"]
    cli("board", "reinstate", "nc-medical", credential, "--reason", "r", "--effective", "2020-01-01")
    assert state(cli, "12345") == "active"
    cli.verify(shown)
    assert "revoked" in cli("board", "revoke", "nc-medical", "12345", "--reason", "r", "--state", "surrendered").out
    assert state(cli, "12345") == "surrendered"
    assert "revoked" in cli.verify(shown, "--json", code=1).json["codes"]
    assert "revoked for ever" in cli("board", "reinstate", "nc-medical", "12345", "--reason", "r", code=2).err
    assert state(cli, "999") == "active"


@pytest.mark.parametrize(("command", "arguments", "words"), [
    ("suspend", ("4711", "--reason", "r"), "no credential with this id or number"),
    ("suspend", ("", "--reason", "r"), "no credential"),
    ("suspend", ("12345", "--reason", " "), "reason"),
    ("suspend", ("12345", "--reason", "r", "--effective", "some day"), "--effective"),
    ("suspend", ("12345", "--reason", "r", "--state", "revoked"), "summary_suspension"),
    ("revoke", ("12345", "--reason", "r", "--state", "active"), "issued_in_error"),
    ("revoke", ("12345",), "--reason"),
])
def test_changes_that_are_refused(cli: CLI, command: str, arguments: tuple[str, ...], words: str) -> None:
    assert words in cli("board", command, "nc-medical", *arguments, code=2).err


def test_list(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DID_HEALTH_PASSPHRASE")
    text = cli("board", "list", "nc-medical").out
    assert "North Carolina Medical Board: 2 issued" in text
    assert "Adams" not in text
    assert "Nothing has this number" in cli("board", "list", "nc-medical", "--number", "4711").out
    assert "registry" in cli("board", "list", "nobody", code=2).err
    assert "board init" in cli("board", "list", "nobody", "--dir", "nowhere", code=2).err
    cli("board", "list", "registry", code=2)


def test_suspension_by_bit_alone_is_seen(cli: CLI) -> None:
    from did_health.cli.session import register
    from did_health.roles.register_states import states
    from did_health.vc.status import StatusList, StatusPurpose

    with register(cli.town, "nc-medical") as (institution, rows):
        (row,) = rows.find(institution.did, number="12345")
        for bits, expected in (({"revocation"}, "revoked"), ({"suspension"}, "suspended"), (set(), "active")):
            state_of = states(rows)
            state_of(row)
            lists = next(cell.cell_contents for cell in state_of.__closure__[0].cell_contents.__closure__ if isinstance(cell.cell_contents, dict))
            lists.clear()
            for name in bits:
                lists[f"{row.status_set}/{StatusPurpose(name)}"] = StatusList.empty(131_072).with_status({row.index: 1})
            assert state_of(row) == expected


def test_a_credential_that_could_not_be_written_is_not_lost(cli: CLI) -> None:
    Path("taken").write_bytes(b"a file where a folder would have to be")
    ran = cli("board", "issue", "nc-medical", *OPTIONS, "--wallet", "brown", "-o", "taken/licence.json", code=1)
    (row,) = cli("board", "list", "nc-medical", "--number", "77", "--json").json
    assert f"board list nc-medical --credential {row['id']}" in ran.err
    issued = cli("board", "list", "nc-medical", "--credential", row["id"]).out
    assert json.loads(issued)["credential"]["id"] == row["id"]
    Path("again.json").write_text(issued)
    cli("wallet", "add", "brown", "again.json")
    assert "no credential with this id" in cli("board", "list", "nc-medical", "--credential", "urn:x", code=2).err


def test_a_day_in_the_claims_is_one_of_the_state_that_they_name(cli: CLI) -> None:
    kind = "PrescriberRegistrationCredential"
    cli("board", "init", "dea", "--title", "Registrations", "--jurisdiction", "US", "--entity-type", "registry", "--resource", kind)
    claims = {
        "type": kind, "validFrom": "2026-01-01", "validUntil": "2029-12-31",
        "credentialSubject": {"deaNumber": "AP5836727", "schedules": ["2"], "state": "US-TN"},
    }  # fmt: skip
    Path("claims.json").write_text(json.dumps(claims))
    ran = cli("board", "issue", "dea", "claims.json", "--to", holder(cli), "--json")
    issued = ran.json["credential"]
    assert (issued["validFrom"], issued["validUntil"]) == ("2026-01-01T06:00:00Z", "2030-01-01T05:59:59Z")
    assert "validUntil 2029-12-31 is a day by the clocks of Tennessee (UTC-06:00 to UTC-04:00)" in " ".join(ran.err.split())
    for member, value in (("validUntil", "2029-02-30"), ("validFrom", 7), ("validUntil", "soon")):
        Path("claims.json").write_text(json.dumps({**claims, member: value}))
        assert f"/{member}" in cli("board", "issue", "dea", "claims.json", "--to", holder(cli), code=2).err
