"""What a shift needs, planned and reviewed; bundles as files, and what in them is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from did_health.encoding import strict_json
from did_health.encoding.base64 import base64_encode
from did_health.errors import FormatError, VerificationError
from did_health.ledger.entry import Kind, subject_of
from did_health.limits import MAX_SHIFT_BOARDS, MAX_SHIFT_TYPES, MAX_STATUS_SETS
from did_health.roles.evidence import Evidence, Item
from did_health.roles.ledger_state import LedgerState
from did_health.roles.memo import Memo
from did_health.roles.report import Verdict
from did_health.roles.shift import COUNTERS, ShiftOrder, review
from did_health.roles.shift_bundle import ShiftBundle, policy_digest
from did_health.roles.verifier import Verifier
from did_health.trust.policy import TrustPolicy
from did_health.vc.status import StatusPurpose
from tests.town import Town

TYPES = ("PhysicianLicenseCredential",)


def order(town: Town, *, types: tuple[str, ...] = TYPES, signer: str | None = None) -> ShiftOrder:
    return ShiftOrder("pharmacy", (town.board.did, town.other.did), types, signer)


def state(town: Town, evidence: Evidence) -> LedgerState:
    return LedgerState(town.directory.policy, evidence, Memo())


def bundle(town: Town, *, signed: bool = True) -> ShiftBundle:
    signer = town.board.institution if signed else None
    wanted = order(town, signer=signer.did if signer else None)
    evidence = town.verifier.collect(wanted.missing)
    return ShiftBundle.make(wanted, town.directory.policy, evidence, now=town.clock(), signer=signer)


# ---- planning and review


def test_with_what_was_gathered_every_board_can_be_verified_offline(town: Town) -> None:
    mine, theirs = town.issue(), town.issue(board=town.other)
    evidence = town.verifier.collect(order(town).missing)
    for issued in (mine, theirs):
        offline = Verifier(town.directory.policy, clock=town.clock)
        assert town.judge(issued, verifier=offline, evidence=evidence).verdict is Verdict.ACCEPT
    found = review(order(town), state(town, evidence), town.clock())
    assert found.is_whole
    assert found.as_of is not None
    assert {one.code for one in found.findings} == {"newest", "accredited"}


def test_nothing_is_asked_for_twice_or_when_it_is_there(town: Town) -> None:
    evidence = town.verifier.collect(order(town).missing)
    asked: list[str] = []

    def plan(facts: Any) -> Any:
        needs = order(town).missing(facts)
        asked.extend(need.url for need in needs)
        return needs

    assert town.verifier.collect(plan).items.keys() == evidence.items.keys()
    assert sorted(asked) == sorted(set(evidence))


def test_absence_is_evidence_too(town: Town) -> None:
    wanted = order(town, types=COUNTERS["pharmacy"])
    evidence = town.verifier.collect(wanted.missing)
    found = review(wanted, state(town, evidence), town.clock())
    assert found.is_whole
    assert [one.code for one in found.findings if one.what == "PatientIdentityCredential"] == ["not_accredited"] * 2
    refresh = subject_of(Kind.STATUS_LIST, f"{town.board.institution.base_url}/status/1/{StatusPurpose.REFRESH}")
    assert town.latest_url(refresh) in evidence


def test_what_is_missing_is_told_and_the_rest_stands(town: Town) -> None:
    evidence = town.verifier.collect(order(town).missing)
    lists = [one.what for one in review(order(town), state(town, evidence), town.clock()).findings if "/status/" in one.what]
    assert len(lists) == 6
    content = town.directory.ledger.latest(subject_of(Kind.STATUS_LIST, lists[0]))
    assert content is not None
    less = evidence.without([f"{town.directory.ledger.url}/content/{content.parsed.content.hex()}"])
    found = review(order(town), state(town, less), town.clock())
    assert [(one.what, one.code) for one in found.findings if not one.proved] == [(lists[0], "status_list_unavailable")]
    assert not found.is_whole
    nothing = review(order(town), state(town, Evidence()), town.clock())
    assert not any(one.proved for one in nothing.findings)
    assert (nothing.as_of, dict(nothing.accepted_until(town.directory.policy))) == (None, {})


def test_the_oldest_proof_says_until_when_each_purpose_accepts_it(town: Town) -> None:
    policy = replace(town.directory.policy, max_age={"default": timedelta(hours=24), "schedule_2": timedelta(hours=1)})
    town.ticking(60)
    town.directory.ledger.heartbeat()
    found = review(order(town), state(town, town.verifier.collect(order(town).missing)), town.clock())
    assert found.as_of == town.clock()
    assert found.accepted_until(policy) == {"default": town.clock() + timedelta(hours=24), "schedule_2": town.clock() + timedelta(hours=1)}
    expiring = replace(found, findings=(*found.findings, replace(found.findings[0], expires=town.clock() + timedelta(minutes=5))))
    assert set(expiring.accepted_until(policy).values()) == {town.clock() + timedelta(minutes=5)}


def test_set_after_set_of_lists_is_looked_for_up_to_a_limit(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LedgerState, "has_list", lambda *_: True)
    needs: list[str] = []

    def plan(facts: Any) -> Any:
        wanted = order(town).missing(facts)
        needs.extend(need.url for need in wanted)
        return ()

    town.verifier.collect(plan)
    base = town.board.institution.base_url
    for number, there in ((MAX_STATUS_SETS, True), (MAX_STATUS_SETS + 1, False)):
        subject = subject_of(Kind.STATUS_LIST, f"{base}/status/{number}/revocation")
        assert (town.latest_url(subject) in needs) is there


def test_a_verifier_without_sources_collects_nothing(town: Town) -> None:
    with pytest.raises(ValueError, match="nothing to gather"):
        Verifier(town.directory.policy, clock=town.clock).collect(order(town).missing)


# ---- the file


def test_what_is_written_is_read_again_and_its_signature_holds(town: Town) -> None:
    one = bundle(town)
    again = ShiftBundle.parse(one.to_json())
    assert (again, again.document) == (one, one.document)
    assert again.is_signed
    assert again.document["proof"]["cryptosuite"] == "eddsa-jcs-2022"
    assert again.policy_digest == policy_digest(town.directory.policy)
    known = state(town, again.evidence)
    assert again.verify_signature(known, town.clock()) == town.board.did
    assert again.verify_signature(known, town.clock(), by=town.board.did) == town.board.did


def refusal(town: Town, one: ShiftBundle, *, by: str | None = None) -> str:
    with pytest.raises(VerificationError) as refused:
        one.verify_signature(state(town, one.evidence), town.clock(), by=by)
    return refused.value.code


def test_whose_signature_it_has_to_be(town: Town) -> None:
    assert refusal(town, bundle(town), by=town.other.did) == "bundle_of_another_signer"
    assert refusal(town, bundle(town, signed=False), by=town.board.did) == "bundle_not_signed"
    unsigned = bundle(town, signed=False)
    assert unsigned.verify_signature(state(town, unsigned.evidence), town.clock()) is None
    with pytest.raises(ValueError, match="another signer"):
        ShiftBundle.make(order(town), town.directory.policy, Evidence(), now=town.clock(), signer=town.board.institution)


def leave_out_an_item(document: dict[str, Any]) -> None:
    document["evidence"]["items"].popitem()


def date_an_item_back(document: dict[str, Any]) -> None:
    next(iter(document["evidence"]["items"].values()))["fetchedAt"] = "2020-01-01T00:00:00Z"


def make_it_younger(document: dict[str, Any]) -> None:
    document["madeAt"] = "2030-01-01T00:00:00Z"


def serve_another_board(document: dict[str, Any]) -> None:
    document["boards"] = document["boards"][:1]


@pytest.mark.parametrize("change", [leave_out_an_item, date_an_item_back, make_it_younger, serve_another_board], ids=lambda change: change.__name__)
def test_whatever_is_changed_breaks_the_signature(town: Town, change: Callable[[dict[str, Any]], None]) -> None:
    document = strict_json.loads_object(bundle(town).to_json())
    change(document)
    assert refusal(town, ShiftBundle.from_object(document)) == "bundle_signature_invalid"


def test_a_signature_by_somebody_else_in_the_name_of_the_maker(town: Town) -> None:
    document = dict(bundle(town).document)
    del document["proof"]
    for by in (town.other.institution, town.board.institution):
        forged = town.signed(document, signer=town.other.institution.keys.assertion, method=by.verification_method)
        assert refusal(town, ShiftBundle.from_object(forged)) == "bundle_signature_invalid"
    # The signer's log has to be in it: without, nobody can tell whose key it is.
    bare = town.signed({**document, "evidence": Evidence().to_object()})
    assert refusal(town, ShiftBundle.from_object(bare)) == "bundle_signature_invalid"


@pytest.mark.parametrize("change", [
    {"format": "did-health/shift-bundle/v2"}, {"extra": 1}, {"for": 5}, {"madeAt": None}, {"madeAt": "today"}, {"madeBy": None}, {"madeBy": 5},
    {"madeBy": "somebody"}, {"policyDigest": "AA=="}, {"policyDigest": "?"}, {"policyDigest": 5}, {"boards": []}, {"boards": "did:web:x.example"},
    {"boards": ["nobody"]}, {"boards": ["did:web:x.example"] * 2}, {"boards": [f"did:web:x{n}.example" for n in range(MAX_SHIFT_BOARDS + 1)]},
    {"types": []}, {"types": [""]}, {"types": [5]}, {"types": [f"T{n}" for n in range(MAX_SHIFT_TYPES + 1)]}, {"evidence": None}, {"evidence": {}},
    {"evidence": {"format": "did-health/evidence/v1", "items": {"u": 5}}}, {"proof": None, "madeBy": None},
])  # fmt: skip
def test_a_malformed_bundle_is_refused(town: Town, change: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        ShiftBundle.parse(strict_json.dumps({**bundle(town).document, **change}))


@pytest.mark.parametrize("name", ["for", "madeAt", "madeBy", "policyDigest", "boards", "types", "evidence", "proof"])
def test_a_bundle_without_a_member_is_refused(town: Town, name: str) -> None:
    document = dict(bundle(town).document)
    del document[name]
    with pytest.raises(FormatError):
        ShiftBundle.from_object(document)


def test_comments_in_a_policy_do_not_matter_for_its_digest(town: Town) -> None:
    policy = town.directory.policy
    assert policy_digest(TrustPolicy.parse(f"# a comment\n{policy.encode()}")) == policy_digest(policy)
    assert policy_digest(replace(policy, max_age={"default": timedelta(hours=1)})) != policy_digest(policy)
    assert len(base64_encode(policy_digest(policy))) == 44


def test_a_stale_item_in_a_bundle_is_as_old_as_it_is(town: Town) -> None:
    """A bundle proves what its checkpoints prove, whenever it says that it was made."""
    issued = town.issue()
    one = bundle(town, signed=False)
    fresh_looking = Evidence({url: Item(item.content, town.clock() + timedelta(hours=30)) for url, item in one.evidence.items.items()})
    town.ticking(30 * 3_600)
    report = town.judge(issued, verifier=Verifier(town.directory.policy, clock=town.clock), evidence=fresh_looking)
    assert report.verdict is Verdict.INDETERMINATE
    assert "evidence_stale" in report.codes
