from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli_runs import CLI

ORDER: dict[str, Any] = {
    "id": "2026-17", "issued": "2026-03-01", "effective": "2026-03-01", "entity": "Board",
    "actions": [{"code": "suspended", "stayed": True}, {"code": "probation", "effective": "2099-01-01", "expires": "2099-12-31"}],
}  # fmt: skip


def states(cli: CLI, credential: str = "12345") -> list[tuple[str, str]]:
    return [(one["state"], one["status"]) for one in cli("board", "docket", "nc-medical", credential, "--json").json]


def test_a_decision_is_entered_shown_and_withdrawn(cli: CLI) -> None:
    assert "Nothing is pending" in cli("board", "docket", "nc-medical").out
    assert "Nothing was ever decided" in cli("board", "docket", "nc-medical", "12345").out
    ran = cli("board", "decide", "nc-medical", "12345", "suspended", "--reason", "order", "--effective", "2099-01-01", "--by", "clerk")
    assert "scheduled" in ran.out
    (pending,) = cli("board", "docket", "nc-medical", "--json").json
    assert (pending["enteredBy"], pending["axis"], pending["status"]) == ("clerk", "discipline", "scheduled")
    cli.verify(cli.shown())
    assert "withdrawn" in cli("board", "withdraw", "nc-medical", pending["id"], "--why", "entered twice", "--by", "clerk").out
    history = cli("board", "docket", "nc-medical", "12345")
    assert "entered twice" in history.out
    assert cli("board", "docket", "nc-medical", "--json").json == []


def test_the_history_says_who_entered_what_and_why(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "account-of-pat")
    cli("board", "suspend", "nc-medical", "12345", "--reason", "summary", "--order", "2026-17")
    cli("board", "reinstate", "nc-medical", "12345", "--reason", "vacated", "--by", "director")
    monkeypatch.setenv("COLUMNS", "200")
    told = [line.split() for line in cli("board", "docket", "nc-medical", "12345").out.splitlines()]
    entered = [line for line in told if "entered" in line]
    assert [("account-of-pat" in line, "summary" in line) for line in entered] == [(True, True), (False, False)]
    assert [("director" in line, "vacated" in line) for line in entered] == [(False, False), (True, True)]


def test_an_account_without_a_name_says_who_decides(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise OSError("no account")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert "--by" in cli("board", "suspend", "nc-medical", "12345", "--reason", "r", code=2).err
    assert states(cli) == []


def test_a_state_of_either_axis_is_decided_and_cleared(cli: CLI) -> None:
    shown = cli.shown()
    cli("board", "decide", "nc-medical", "12345", "probation", "--reason", "consent order", "--until", "2099-01-01")
    assert cli.verify(shown, "--json", code=4).json["codes"] == ["license_probation"]
    assert "renewal or discipline" in cli("board", "decide", "nc-medical", "12345", "active", "--reason", "done", code=2).err
    cli("board", "decide", "nc-medical", "12345", "active", "--axis", "discipline", "--reason", "done")
    cli.verify(shown)
    assert states(cli) == [("probation", "in force"), ("active", "in force")]


def test_an_order_is_read_from_a_file(cli: CLI) -> None:
    Path("order.json").write_text(json.dumps(ORDER))
    entered = cli("board", "order", "nc-medical", "12345", "order.json", "--by", "clerk", "--json").json
    assert [(one["state"], one["status"]) for one in entered] == [("stayed_suspension", "in force"), ("probation", "scheduled")]
    assert cli.verify(cli.shown(), "--json", code=4).json["codes"] == ["license_stayed"]
    assert "Nothing was due" in cli("board", "tick", "nc-medical").out
    assert cli("board", "tick", "nc-medical", "--json").json == []


def said(ran: Any) -> str:
    """What a command tells beside its result, whatever the width of the terminal."""
    return " ".join(ran.err.split())


def test_a_day_is_one_of_the_boards_state_and_the_command_says_so(cli: CLI) -> None:
    clocks = "by the clocks of North Carolina (UTC-05:00 to UTC-04:00)"
    ran = cli("board", "decide", "nc-medical", "12345", "probation", "--reason", "r", "--effective", "2098-01-01", "--until", "2098-12-31", "--json")
    assert f"--effective 2098-01-01 is a day {clocks}: from 2098-01-01T04:00:00Z." in said(ran)
    assert f"--until 2098-12-31 is a day {clocks}: until 2099-01-01T05:00:00Z." in said(ran)
    (decision,) = ran.json
    assert (decision["effective"], decision["until"]) == ("2098-01-01T04:00:00Z", "2099-01-01T05:00:00Z")
    lifted = cli("board", "reinstate", "nc-medical", "12345", "--reason", "r", "--effective", "2098-01-01")
    assert f"--effective 2098-01-01 is a day {clocks}: from 2098-01-01T05:00:00Z." in said(lifted)
    clear = cli("board", "decide", "nc-medical", "12345", "active", "--axis", "discipline", "--reason", "r", "--effective", "2098-01-01", "--json")
    assert clear.json[0]["effective"] == "2098-01-01T05:00:00Z"
    moment = cli("board", "decide", "nc-medical", "12345", "suspended", "--reason", "r", "--effective", "2098-01-01T00:00:00Z", "--json")
    assert (moment.json[0]["effective"], said(moment)) == ("2098-01-01T00:00:00Z", "")
    Path("order.json").write_text(json.dumps(ORDER))
    assert f"The order's dates are days {clocks}." in said(cli("board", "order", "nc-medical", "12345", "order.json"))


@pytest.mark.parametrize(
    ("content", "words"), [("{", "order.json"), (json.dumps({**ORDER, "actions": [{"code": "fired"}]}), "/actions/0/code"), ("[]", "order.json")]
)
def test_a_malformed_order_is_refused_and_nothing_is_entered(cli: CLI, content: str, words: str) -> None:
    Path("order.json").write_text(content)
    assert words in cli("board", "order", "nc-medical", "12345", "order.json", code=2).err
    assert states(cli) == []


def test_a_board_with_rules_waits_for_a_second_person_and_lets_undo(cli: CLI) -> None:
    cli("board", "init", "va", "--title", "Virginia", "--jurisdiction", "US-VA", "--profession", "MD", "--second-person", "revoked", "--undo-hours", "1")
    cli(
        "board", "issue", "va", "--family", "Clark", "--given", "Cy", "--license-number", "V1", "--issued-on", "2010-01-01", "--valid-until", "2099-01-01",
        "--wallet", "brown",
    )  # fmt: skip
    done = cli("board", "revoke", "va", "V1", "--reason", "order", "--by", "clerk", "--json").json
    assert done["state"] == "waiting for approval"
    assert "second person" in cli("board", "approve", "va", done["decision"], "--by", "clerk", code=2).err
    assert cli("board", "approve", "va", done["decision"], "--by", "director", "--json").json[0]["status"] == "scheduled"
    suspended = cli("board", "suspend", "va", "V1", "--reason", "wrong one", "--json").json["decision"]
    assert cli("board", "undo", "va", suspended, "--why", "wrong one", "--json").json[0]["status"] == "undone"
    assert "undone" in cli("board", "undo", "va", suspended, "--why", "again", code=2).err
    assert "--second-person" in cli("board", "init", "wv", "--title", "W", "--jurisdiction", "US-WV", "--second-person", "fired", code=2).err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("decide", "nc-medical", "4711", "suspended", "--reason", "r"), "no credential with this id or number"),
        (("decide", "nc-medical", "12345", "fired", "--reason", "r"), "not a state of a licence"),
        (("decide", "nc-medical", "12345", "active", "--axis", "both", "--reason", "r"), "--axis"),
        (("decide", "nc-medical", "12345", "suspended", "--reason", "r", "--until", "soon"), "--until"),
        (("decide", "nc-medical", "12345", "suspended", "--reason", "r", "--until", "2026-02-30"), "--until"),
        (("decide", "nc-medical", "12345", "revoked", "--reason", "r", "--until", "2099-01-01"), "for ever"),
        (("approve", "nc-medical", "urn:uuid:none", "--by", "x"), "no such credential or decision"),
        (("undo", "nc-medical", "urn:uuid:none", "--why", "x"), "no such credential or decision"),
        (("docket", "nc-medical", "4711"), "no credential with this id or number"),
        (("docket", "nowhere"), "there is no institution nowhere"),
    ],
)
def test_what_cannot_be_decided_is_said(cli: CLI, arguments: tuple[str, ...], words: str) -> None:
    assert words in cli("board", *arguments, code=2).err


def test_a_cascade_without_compact_licences_decides_nothing(cli: CLI) -> None:
    assert "Nothing was to be decided" in cli("board", "cascade", "nc-medical").out
    assert "under no compact" in cli("board", "cascade", "nc-medical", "12345", "--acted", "US-VA", code=2).err
    assert "--acted" in cli("board", "cascade", "nc-medical", "12345", code=2).err
    assert "--acted" in cli("board", "cascade", "nc-medical", "12345", "--acted", "Virginia", code=2).err


def test_a_cascade_follows_the_principal_licence(cli: CLI) -> None:
    claims = {
        "validUntil": "2099-01-01T00:00:00Z",
        "credentialSubject": {
            "name": {"family": "Clark", "given": "Cy"}, "profession": "MD", "licenseNumber": "C1", "licenseClass": "compact_expedited",
            "originalIssueDate": "2010-01-01", "compact": {"name": "IMLC", "splLicense": "urn:uuid:0b1c6b1e-6d3f-4d5e-9c55-1c1ad8f3a4b0"},
        },
    }  # fmt: skip
    Path("claims.json").write_text(json.dumps(claims))
    cli("board", "issue", "nc-medical", "claims.json", "--wallet", "brown")
    ran = cli("board", "cascade", "nc-medical", code=3)
    assert "principal_license_unknown" in ran.err
    done = cli("board", "cascade", "nc-medical", "C1", "--acted", "US-VA", "--order", "7", "--json").json
    assert (done[0]["state"], done[0]["status"]) == ("compact_derived", "in force")
    assert done[0]["until"] > done[0]["effective"]
