"""The main job whole: issue, hold, present, verify, change the status, and every answer that a verification can give."""

from __future__ import annotations

import asyncio
import json

import pytest

from did_health.encoding import timestamps
from did_health.errors import FormatError, VerificationError
from did_health.roles.evidence import Evidence
from did_health.roles.issuer import Issued
from did_health.roles.report import CheckName, Outcome, Report, Verdict
from did_health.roles.verifier import Verifier
from did_health.trust.policy import TrustPolicy
from tests.end_to_end.faults import ACCEPTED, CASES
from tests.town import AUDIENCE, Town

ALL_CHECKS = list(CheckName)


def only_reason(report: Report) -> tuple[str, str, str]:
    """Verdict, check and code of a report with one reason."""
    assert len(report.reasons) == 1, report.codes
    return report.verdict, report.reasons[0].name, report.reasons[0].code


# ---- the main job


def test_a_licence_is_issued_held_presented_and_accepted(town: Town) -> None:
    issued = town.board.issue(town.license(npi="1234567893"), to=town.wallet.did)
    town.wallet.add(Issued.parse(issued.to_json()))
    presentation = town.wallet.present([issued], audience=AUDIENCE, nonce="the main job")
    report = town.verifier.verify(presentation, audience=AUDIENCE, nonce="the main job", purpose="prescriber")
    assert report.verdict is Verdict.ACCEPT
    assert [check.name for check in report.checks] == ALL_CHECKS
    assert {check.outcome for check in report.checks} == {Outcome.PASS}
    assert report.credential.id == issued.id
    assert report.holder == town.wallet.did
    assert report.as_of is not None
    assert report.as_of <= town.clock()
    assert report.verified_at == town.clock()


def test_suspension_reinstatement_and_revocation_are_seen_by_the_very_next_verification(town: Town) -> None:
    issued = town.issue()
    verdicts = [town.show(issued).codes]
    town.board.suspend(issued, reason="an investigation")
    verdicts.append(town.show(issued).codes)
    town.board.reinstate(issued, reason="it ended")
    verdicts.append(town.show(issued).codes)
    town.board.revoke(issued, reason="an order")
    verdicts.append(town.show(issued).codes)
    assert verdicts == [(), ("suspended", "license_suspended"), (), ("revoked", "license_revoked")]


def test_after_a_revocation_the_number_is_issued_anew_and_only_the_new_credential_is_accepted(town: Town) -> None:
    claims = town.license()
    old = town.board.issue(claims, to=town.wallet.did)
    town.board.revoke(old, reason="an order")
    new = town.board.issue(claims, to=town.wallet.did)
    assert town.show(old).verdict is Verdict.REFUSE
    assert town.show(new).verdict is Verdict.ACCEPT


def test_several_credentials_are_each_checked_and_one_bad_one_refuses_the_whole(town: Town) -> None:
    good, bad = town.issue(), town.issue()
    town.board.revoke(bad, reason="an order")
    report = town.show(good, bad)
    assert report.verdict is Verdict.REFUSE
    assert {check.credential for check in report.reasons} == {1}
    assert report.check(CheckName.STATUS, 0).outcome is Outcome.PASS
    assert report.check(CheckName.STATUS, 1).outcome is Outcome.FAIL


def test_credentials_of_an_accepted_report_are_told_apart_from_one(town: Town) -> None:
    report = town.show(town.issue(), town.issue())
    assert len(report.credentials) == 2
    with pytest.raises(ValueError, match="2 credentials"):
        _ = report.credential


def test_sync_and_async_find_the_same(town: Town) -> None:
    issued = town.issue()
    presentation = town.wallet.present([issued], audience=AUDIENCE, nonce="both ways")
    sync = Verifier(town.directory.policy, clock=town.clock, gather=town.verifier._gather).verify(presentation, audience=AUDIENCE, nonce="both ways")
    not_sync = asyncio.run(town.verifier.verify_async(presentation, audience=AUDIENCE, nonce="both ways"))
    assert sync == not_sync
    assert sync.verdict is Verdict.ACCEPT
    assert sync.evidence.items.keys() == not_sync.evidence.items.keys()


def test_async_needs_something_to_gather_with(town: Town) -> None:
    with pytest.raises(ValueError, match="asynchronously"):
        asyncio.run(Verifier(town.directory.policy, clock=town.clock).verify_async(b"{}"))


def test_evidence_carried_in_a_file_verifies_offline(town: Town) -> None:
    issued = town.issue()
    evidence = Evidence.parse(town.evidence(issued).to_json())
    offline = Verifier(town.directory.policy, clock=town.clock)
    assert town.show(issued, verifier=offline, evidence=evidence).verdict is Verdict.ACCEPT
    assert town.show(issued, verifier=offline).verdict is Verdict.INDETERMINATE
    assert offline.missing(issued.to_json(), evidence) == ()
    assert offline.missing(issued.to_json(), Evidence())


def test_evidence_shows_what_was_true_when_it_was_gathered(town: Town) -> None:
    issued = town.issue()
    before, then = town.evidence(issued), town.clock()
    town.ticking(60)
    town.board.revoke(issued, reason="an order")
    assert town.judge(issued, evidence=before, now=then).verdict is Verdict.ACCEPT
    assert "revoked" in town.judge(issued).codes


def test_evidence_of_one_credential_serves_its_neighbours(town: Town) -> None:
    first, second = town.issue(), town.issue()
    assert town.judge(second, evidence=town.evidence(first)).verdict is Verdict.ACCEPT


@pytest.mark.parametrize("name", [name for name in ALL_CHECKS if name is not CheckName.DATA_MODEL])
def test_what_is_waived_shows_as_waived_and_nothing_else_is(town: Town, name: CheckName) -> None:
    report = town.show(town.issue(), waive={name})
    assert [check.name for check in report.checks if check.outcome is Outcome.WAIVED] == [name]
    # Without the presentation's proof nobody is known to be the holder.
    assert report.verdict is (Verdict.INDETERMINATE if name is CheckName.PRESENTATION else Verdict.ACCEPT)


def test_the_data_model_cannot_be_waived(town: Town) -> None:
    with pytest.raises(ValueError, match="data model"):
        town.show(town.issue(), waive={CheckName.DATA_MODEL})


def test_a_report_that_is_not_accepted_gives_no_claims_until_somebody_takes_it_upon_themselves(town: Town) -> None:
    issued = town.issue()
    town.board.suspend(issued, reason="an investigation")
    report = town.show(issued)
    with pytest.raises(VerificationError) as refused:
        _ = report.credential
    assert refused.value.report is report
    assert refused.value.code == "suspended"
    overridden = report.overridden(by="Dr. Night Shift", reason="emergency supply")
    assert overridden.verdict is Verdict.REFUSE
    assert overridden.credential.id == issued.id
    assert overridden.to_json()["override"] == {"by": "Dr. Night Shift", "reason": "emergency supply", "at": timestamps.format(town.clock())}


@pytest.mark.parametrize("policy", ["empty", "no_authority", "no_ledger"])
def test_a_policy_that_trusts_nobody_refuses_everything(town: Town, policy: str) -> None:
    whole = town.directory.policy
    policies = {"empty": TrustPolicy(), "no_authority": TrustPolicy(whole.ledger), "no_ledger": TrustPolicy(None, whole.registry_authority)}
    verifier = Verifier(policies[policy], clock=town.clock, gather=town.verifier._gather)
    report = town.show(town.issue(), verifier=verifier)
    assert only_reason(report) == ("refuse", "issuer", "policy_empty")
    assert verifier.missing(town.issue().to_json(), Evidence()) == ()
    with pytest.raises(VerificationError):
        _ = report.credentials


# ---- every answer


@pytest.mark.parametrize("name", CASES)
def test_every_fault_gets_its_verdict_and_code(town: Town, name: str) -> None:
    case, verdict, check, code = CASES[name]
    report = case(town)
    assert (verdict, check, code) in [(report.verdict, reason.name, reason.code) for reason in report.reasons], report.codes
    assert report.verdict is not Verdict.ACCEPT
    assert json.dumps(report.to_json())


def test_faults_that_stand_alone_are_the_only_reason(town: Town) -> None:
    alone = [
        "status_index_beyond_list",
        "revoked",
        "refresh",
        "restricted",
        "not_logged",
        "expired",
        "not_yet_valid",
        "names_another_board",
        "of_somebody_else",
    ]
    for name in alone:
        case, verdict, check, code = CASES[name]
        assert only_reason(case(town)) == (verdict, check, code)


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_in_order_is_accepted_and_says_why(town: Town, name: str) -> None:
    case, check, code = ACCEPTED[name]
    report = case(town)
    assert report.codes == ()
    assert report.verdict is Verdict.ACCEPT
    assert report.check(CheckName(check)).code == code


@pytest.mark.parametrize("source", [b"", b"garbage", b"[]", b"{}", b'{"type":"Nothing"}', '{"type":["VerifiablePresentation"]}'], ids=repr)
def test_what_is_no_document_is_a_format_error(town: Town, source: bytes | str) -> None:
    with pytest.raises(FormatError):
        town.verifier.verify(source)
    with pytest.raises(FormatError):
        town.verifier.missing(source, Evidence())


def test_time_without_a_zone_is_the_callers_mistake(town: Town) -> None:
    with pytest.raises(ValueError, match="zone"):
        town.verifier.verify(town.issue().to_json(), now=town.clock().replace(tzinfo=None))
