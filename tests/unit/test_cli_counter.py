"""The counter's screen, and what is given to it that it cannot use: each with what it says and the status it ends with."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from did_health.limits import MAX_DOCUMENT_BYTES, MAX_OVERRIDE_NOTE_CHARACTERS, MAX_PORTRAIT_BYTES
from tests.cli_runs import AUDIENCE, CLI, at_work
from tests.pharmacy_runs import CLAIMS, PICTURE, build_pharmacy_town, check, shown


@pytest.fixture(scope="module")
def pharmacy_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pharmacy")
    build_pharmacy_town(path)
    return path


@pytest.fixture
def cli(pharmacy_town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CLI:
    commands = at_work(pharmacy_town, tmp_path, capsys, monkeypatch)
    Path("nothing.json").write_text('{"format": "did-health/evidence/v1", "items": {}}')
    return commands


def prescriber(verdict: str = "accept", *codes: str, schedule: str = "none") -> str:
    at = f"{datetime.now(UTC) - timedelta(minutes=18):%Y-%m-%dT%H:%M:%SZ}"
    document = {"format": "did-health/prescriber-check/v1", "verdict": verdict, "codes": codes, "state": "US-NC", "schedule": schedule}
    registered = ["2", "2N", "3", "3N", "4", "5"]
    Path("prescriber.json").write_text(json.dumps({**document, "registered": registered, "checkedAt": at, "asOf": at}))
    return "prescriber.json"


def rows(cli: CLI) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cli("verifier-log", "show", "main-street", "--json").json
    return found


# ---- the screen


def test_the_screen_has_portrait_prescriber_and_uses(cli: CLI) -> None:
    Path("picture.jpg").write_bytes(PICTURE)
    shown(cli)
    out = check(cli, "--schedule", "none", "--portrait", "picture.jpg", "--prescriber", prescriber()).out
    assert "✓ matches the credential" in out
    assert "NC active, C-II–V, as of " in out  # noqa: RUF001  # as the screen has it
    assert "(18 min ago)" in out
    assert "☐ offer it" in out
    assert not [claim for claim in CLAIMS if claim in out]
    shown(cli, "daughter", "agent")
    out = check(cli, "--who", "agent", "--schedule", "2", "--portrait", "picture.jpg", code=0).out
    assert "held, and nothing vouches for it" in out
    assert "0 of 1 before, counted at this pharmacy alone" in out


def test_another_portrait_and_a_prescriber_who_may_not(cli: CLI) -> None:
    Path("picture.jpg").write_bytes(b"another")
    shown(cli)
    ran = check(cli, "--schedule", "none", "--portrait", "picture.jpg", "--json", code=4)
    assert (ran.json["portrait"], ran.json["codes"]) == ("differs", ["portrait_differs"])
    shown(cli)
    out = check(cli, "--schedule", "none", "--prescriber", prescriber("refuse", "license_of_another_state"), code=1).out
    assert "NC: may not prescribe this: license_of_another_state" in out
    assert "1306.04" in out
    shown(cli)
    told = check(cli, "--schedule", "none", "--prescriber", prescriber(), "--json").json
    assert told["prescriber"].startswith("NC active")


def test_the_age_of_evidence_is_shown_without_a_network(cli: CLI) -> None:
    shown(cli)
    out = check(cli, "--schedule", "2", "--evidence", "nothing.json", code=3).out
    assert "the file has none" in out
    assert "not known" in out
    # Each reason once, however many credentials have it.
    assert out.count("ledger_unavailable") == 1
    nonce = json.loads(Path("request.json").read_bytes())["nonce"]
    cli("verify", "shown.json", "--audience", AUDIENCE, "--nonce", nonce, "--purpose", "pickup", "--save-evidence", "evidence.json")
    shown(cli)
    assert "s ago)" in check(cli, "--schedule", "2", "--evidence", "evidence.json").out


def test_a_request_may_ask_for_the_portraits_digest(cli: CLI) -> None:
    assert "PatientIdentityCredential.portraitDigest" in cli("pickup", "ask", "--audience", AUDIENCE, "--portrait").json["claims"]


def test_an_override_is_a_code_and_its_note_stays_here(cli: CLI) -> None:
    Path("note.txt").write_text("was asked\nby telephone\n")
    override = ("--override-by", "R. Ph.", "--override-reason", "patient_asked", "--override-note", "note.txt")
    shown(cli)
    Path("other.json").write_text('{"family": "Qqfamily", "given": "Zyxwvutsk", "birthDate": "1980-01-02"}')
    answered = ("shown.json", "--request", "request.json", "--patient", "other.json", "--receipts", "r")
    out = cli("pickup", "check", "main-street", *answered, *override, code=1).out
    assert "R. Ph.: The patient was asked" in out
    assert "telephone\n" not in out
    (row,) = rows(cli)
    assert row["override"] == {"by": "R. Ph.", "reason": "patient_asked", "note": "was asked by telephone"}
    (receipt,) = Path("r").iterdir()
    assert "patient_asked" in receipt.read_text()
    assert "telephone" not in receipt.read_text()
    assert "[override: patient_asked]" in cli("verifier-log", "show", "main-street").out


# ---- what cannot be used


def bad_files() -> None:
    files: dict[str, bytes] = {
        "garbage": b"\x89PNG\r\n\x1a\n\x00\x00", "empty": b"", "list.json": b"[]", "number.json": b"7", "other.json": b'{"format": "something/else"}',
        "huge": b" " * (MAX_DOCUMENT_BYTES + 1), "picture": bytes(MAX_PORTRAIT_BYTES + 1), "binary": b"\xff\xfe",
        "long": b"x" * (MAX_OVERRIDE_NOTE_CHARACTERS + 1),
    }  # fmt: skip
    for name, data in files.items():
        Path(name).write_bytes(data)
    Path("folder").mkdir()


WHAT_IS_SHOWN = ["garbage", "empty", "list.json", "number.json", "other.json", "huge", "folder", "missing", "request.json", "patient.json", "nothing.json"]
OVERRIDE = ("--override-by", "R. Ph.", "--override-reason")


def test_what_is_no_presentation_uses_nothing_up(cli: CLI) -> None:
    bad_files()
    shown(cli)
    for name in WHAT_IS_SHOWN:
        ran = cli("pickup", "check", "main-street", name, "--request", "request.json", "--patient", "patient.json", code=2)
        assert name in ran.err, name
        assert ran.err.startswith("Error: "), name
    # Whoever was at fault, the request can still be answered, and the log has what was decided.
    check(cli, "--schedule", "none")
    assert len(rows(cli)) == 1


@pytest.mark.parametrize(
    ("option", "files"),
    [
        ("--request", ("garbage", "empty", "huge", "folder", "missing", "shown.json", "patient.json")),
        ("--patient", ("garbage", "empty", "huge", "folder", "missing", "shown.json", "list.json")),
        ("--portrait", ("empty", "picture", "folder", "missing")),
        ("--prescriber", ("garbage", "empty", "huge", "folder", "missing", "shown.json", "request.json")),
        ("--evidence", ("garbage", "empty", "folder", "missing", "shown.json", "request.json")),
        ("--policy", ("garbage", "empty", "folder", "missing", "shown.json")),
        ("--air-codes", ("garbage", "shown.json", "missing")),
        ("--id-document", ("garbage", "shown.json", "missing")),
        ("--override-note", ("binary", "long", "huge", "folder", "missing")),
    ],
)
def test_files_of_another_kind_use_nothing_up(cli: CLI, option: str, files: tuple[str, ...]) -> None:
    bad_files()
    shown(cli)
    more = {"--override-note": (*OVERRIDE, "other"), "--air-codes": ("--air", "air.json"), "--id-document": ("--air", "air.json")}.get(option, ())
    usual = {"--request": "request.json", "--patient": "patient.json"}
    for name in files:
        given = {**usual, option: name}
        ran = cli("pickup", "check", "main-street", "shown.json", *(word for pair in given.items() for word in pair), *more, code=2)
        assert name in ran.err, (name, ran.err)
    check(cli, "--schedule", "none")
    assert len(rows(cli)) == 1


def test_a_reason_of_ones_own_lists_the_codes(cli: CLI) -> None:
    ran = check(cli, *OVERRIDE, "she is my neighbour", answered=False, code=2)
    assert "person_known (The person is known at this pharmacy)" in " ".join(ran.err.split())
    assert "neighbour" not in ran.err
    assert "who decides, and why" in check(cli, "--override-note", "patient.json", answered=False, code=2).err
    assert rows(cli) == []


def test_what_was_shown_to_another_pharmacy_and_what_comes_too_late(cli: CLI) -> None:
    shown(cli)
    request = json.loads(Path("request.json").read_bytes())
    Path("request.json").write_text(json.dumps({**request, "audience": "https://other.example"}))
    assert "wrong_audience" in check(cli, "--schedule", "none", code=1).out
    shown(cli)
    request = json.loads(Path("request.json").read_bytes())
    Path("request.json").write_text(json.dumps({**request, "madeAt": "2026-01-01T00:00:00Z"}))
    out = check(cli, "--schedule", "none", code=1).out
    assert "request_expired" in out
    assert "Make a new request" in out


def test_a_network_that_is_down_refuses_nobody(cli: CLI) -> None:
    policy = (cli.town / "trust-policy.toml").read_text()
    Path("web.toml").write_text(policy.replace("https://ledger.example", "http://127.0.0.1:9"))
    online = ("--policy", "web.toml", "--allow-host", "127.0.0.1:9")
    shown(cli)
    ran = check(cli, "--schedule", "2", *online, "--pins", "pins.json", "--json", code=3).json
    assert (ran["verdict"], ran["recheck"], ran["nameAndBirthDateAgree"]) == ("indeterminate", True, True)
    assert "still waits" in cli("pickup", "recheck", "main-street", *online, code=3).out
    assert len(rows(cli)) == 1
    (again,) = cli("pickup", "recheck", "main-street", "--json").json
    assert (again["verdict"], again["logRow"]) == ("accept", 1)
    assert rows(cli)[1]["recheckOf"] == rows(cli)[0]["id"] == again["id"]
    assert "[row 0 checked again]" in cli("verifier-log", "show", "main-street").out
    assert "Nothing was changed" in cli("verifier-log", "check", "main-street").out


def test_a_receipt_that_cannot_be_written_can_be_had_later(cli: CLI) -> None:
    shown(cli)
    Path("receipts").write_text("a file where a folder is needed")
    ran = check(cli, "--schedule", "none", "--receipts", "receipts", code=3)
    # What was decided stands, and is told.
    assert "H A N D   O V E R" in ran.out
    assert "receipts" in ran.err
    (row,) = rows(cli)
    assert (row["verdict"], len(row["receipts"])) == ("accept", 1)
    shown(cli)
    Path("air").mkdir()
    error = check(cli, "--schedule", "none", "--air", "air", "--json", code=3).json["error"]
    assert "The verdict, accept, stands in row 1 of the log" in error["hint"]
    identifier = error["hint"].rpartition(" ")[2]
    assert identifier in cli("verifier-log", "receipt", "main-street", identifier).out


def test_a_recheck_that_ends_with_conditions_says_so(cli: CLI) -> None:
    held = [row["id"] for row in cli("wallet", "list", "daughter", "--json").json["credentials"] if "PickupDelegationCredential" in str(row)]
    cli("pickup", "ask", "--audience", AUDIENCE, "--who", "agent", "-o", "request.json")
    nonce = json.loads(Path("request.json").read_bytes())["nonce"]
    cli("wallet", "present", "daughter", *held, "--audience", AUDIENCE, "--nonce", nonce, "-o", "shown.json")
    check(cli, "--who", "agent", "--schedule", "2", "--evidence", "nothing.json", code=3)
    assert "delegator_not_identified" in cli("pickup", "recheck", "main-street", code=4).out


def test_a_verification_names_the_pharmacy_and_the_prescription(cli: CLI) -> None:
    shown(cli, "daughter", "agent")
    nonce = json.loads(Path("request.json").read_bytes())["nonce"]
    arguments = ("shown.json", "--audience", AUDIENCE, "--nonce", nonce, "--purpose", "pickup", "--schedule", "2", "--json")
    assert cli("verify", *arguments, code=3).json["codes"] == ["pharmacy_not_named"]
    assert cli("verify", *arguments, "--pharmacy", "main-street", "--prescription", "uAbC").json["verdict"] == "accept"
    assert cli("verify", *arguments, "--pharmacy", "did:web:other.example", code=1).json["codes"] == ["delegation_for_another_pharmacy"]
    assert "main-street" in cli("verify", *arguments[:-1], "--pharmacy", "main", code=2).err
