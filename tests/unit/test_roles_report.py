"""Verdicts follow from outcomes by one table; a report gives claims only when it is accepted or overridden."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from did_health.errors import VerificationError
from did_health.roles.report import Check, CheckName, Outcome, Report, Verdict, verdict_of
from did_health.vc.credential import Credential

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PASS, FAIL, UNKNOWN, WAIVED, CONDITION = "pass", "fail", "unknown", "waived", "condition"


def check(word: str, *, name: CheckName = CheckName.STATUS, code: str = "", as_of: datetime | None = None, credential: int | None = 0) -> Check:
    outcome = Outcome.PASS if word == CONDITION else Outcome(word)
    return Check(name, outcome, code or word, f"it is {word}", as_of, credential, word == CONDITION)


def report(*checks: Check, credentials: tuple[Credential, ...] = ()) -> Report:
    return Report(checks, verdict_of(checks), NOW, "did:key:z1", credentials)


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([], "indeterminate"),
        ([WAIVED], "indeterminate"),
        ([WAIVED, WAIVED], "indeterminate"),
        ([PASS], "accept"),
        ([PASS, WAIVED], "accept"),
        ([PASS, CONDITION], "conditional"),
        ([CONDITION], "conditional"),
        ([CONDITION, WAIVED], "conditional"),
        ([PASS, UNKNOWN], "indeterminate"),
        ([CONDITION, UNKNOWN], "indeterminate"),
        ([UNKNOWN, WAIVED], "indeterminate"),
        ([PASS, FAIL], "refuse"),
        ([UNKNOWN, FAIL], "refuse"),
        ([CONDITION, FAIL, UNKNOWN, PASS, WAIVED], "refuse"),
    ],
)
def test_the_verdict_is_the_worst_that_the_outcomes_allow(outcomes: list[str], verdict: str) -> None:
    checks = [check(word) for word in outcomes]
    assert verdict_of(checks) == verdict
    assert verdict_of(reversed(checks)) == verdict


def test_reasons_are_what_keeps_it_from_a_plain_accept_in_their_order() -> None:
    found = report(check(PASS), check(CONDITION, code="b"), check(WAIVED), check(FAIL, code="a"), check(UNKNOWN, code="b"))
    assert [reason.code for reason in found.reasons] == ["b", "a", "b"]
    assert found.codes == ("b", "a")


def test_as_of_is_the_oldest_time_or_none() -> None:
    assert report(check(PASS)).as_of is None
    assert report(check(PASS, as_of=NOW), check(PASS, as_of=NOW - timedelta(hours=1)), check(PASS)).as_of == NOW - timedelta(hours=1)


def test_checks_are_found_by_name_and_credential() -> None:
    found = report(check(PASS, name=CheckName.PROOF, credential=0), check(FAIL, name=CheckName.PROOF, credential=1))
    assert found.check(CheckName.PROOF).outcome is Outcome.PASS
    assert found.check(CheckName.PROOF, 1).outcome is Outcome.FAIL
    for name, place in ((CheckName.PROOF, 2), (CheckName.STATUS, None)):
        with pytest.raises(KeyError):
            found.check(name, place)


@pytest.mark.parametrize("word", [FAIL, UNKNOWN, CONDITION, WAIVED])
def test_credentials_are_withheld_unless_accepted(word: str) -> None:
    found = report(check(word, code="why"))
    with pytest.raises(VerificationError) as refused:
        _ = found.credentials
    assert refused.value.report is found
    assert refused.value.code == ("verification_failed" if word == WAIVED else "why")
    assert found.overridden(by="Ann", reason="because").credentials == ()


def test_an_override_names_who_and_why_and_leaves_the_verdict() -> None:
    found = report(check(FAIL))
    for by, reason in (("", "because"), ("Ann", " ")):
        with pytest.raises(ValueError, match="who decides"):
            found.overridden(by=by, reason=reason)
    overridden = found.overridden(by="Ann", reason="because", at=NOW + timedelta(minutes=1))
    assert overridden.verdict is Verdict.REFUSE
    assert overridden.override is not None
    assert overridden.override.at == NOW + timedelta(minutes=1)
    assert found.override is None


def test_as_json_it_says_everything_but_the_claims() -> None:
    assert report(check(PASS, as_of=NOW), check(CONDITION, credential=None)).to_json() == {
        "verdict": "conditional",
        "codes": ["condition"],
        "verifiedAt": "2026-03-01T00:00:00Z",
        "asOf": "2026-03-01T00:00:00Z",
        "checks": [
            {"check": "status", "outcome": "pass", "code": "pass", "sentence": "it is pass", "asOf": "2026-03-01T00:00:00Z", "credential": 0},
            {"check": "status", "outcome": "pass", "code": "condition", "sentence": "it is condition", "conditional": True},
        ],
    }
    assert report(check(PASS)).to_json()["asOf"] is None
