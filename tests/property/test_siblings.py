"""Licences of one batch are verified as each of them would be alone: the general way is the oracle, for members of every kind, changed in any place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.ledger.batch import IssuanceBatch, credential_digest
from did_health.ledger.entry import Kind
from did_health.roles.checks.steps import Checks
from did_health.roles.documents import logged_credential
from did_health.roles.evidence import Evidence
from did_health.roles.issuer import Issued
from did_health.roles.report import CheckName, Verdict
from did_health.roles.verifier import Verifier
from tests.property.test_common_shape import edits, outcome
from tests.town import AUDIENCE, Town

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
BARE = (CheckName.HOLDER_BINDING,)
GOOD = 4
RESTRICTED = {"restrictions": [{"code": "no-schedule-2", "text": "no C-II", "from": "2020-01-01", "scope": {"schedules": ["2", "2N"]}}]}


class Batch:
    """Licences of every kind that were logged together, the first ``GOOD`` of them faultless, and the evidence for all."""

    def __init__(self, town: Town) -> None:
        self.town = town
        board = town.board.institution
        claims = json.loads(json.dumps(town.issue().credential["credentialSubject"]))
        elsewhere = {"board": {**claims["board"], "jurisdiction": "US-SC"}}
        others: list[JSONObject] = [
            {"subject": {"profession": "DO"}}, {"subject": elsewhere}, {"subject": RESTRICTED}, {"subject": {"id": town.stranger.did}},
            {"validUntil": "2021-01-01T00:00:00Z", "validFrom": "2020-01-01T00:00:00Z"}, {"validFrom": "2027-06-01T00:00:00Z"}, {"validUntil": None},
            {"subject": {"board": {**claims["board"], "id": town.other.institution.did}}},
        ]  # fmt: skip
        suspended = town.issue()
        town.board.suspend(suspended.credential["id"], reason="order 7")
        marked = {"credentialStatus": suspended.credential["credentialStatus"]}
        drafts = [town.draft(**change) for change in ({}, {}, {}, {}, *others, marked)]
        signed = [town.signed(draft) for draft in drafts]
        signed.append(town.signed(town.draft(), signer=town.other.institution.keys.assertion))
        batch = IssuanceBatch([credential_digest(one) for one in signed])
        (entry,) = board.submit(board.entry(Kind.ISSUANCE_BATCH, board.did, batch.content))
        self.members = [Issued(one, receipt.to_object()) for one, receipt in zip(signed, batch.receipts(entry.proof), strict=True)]
        self.evidence: Evidence = town.evidence(self.members[0])
        self.now: datetime = town.clock()

    def warmed(self, now: datetime) -> Verifier:
        """A verifier that has met the family at ``now``: the first time the general way is gone, the second time it is remembered."""
        verifier = Verifier(self.town.directory.policy, clock=self.town.clock)
        for member in self.members[:2]:
            verifier.verify(text_of(member), evidence=self.evidence, now=now, waive=BARE)
        return verifier

    def both(self, text: bytes, now: datetime, **options: Any) -> tuple[Any, Any]:
        """The report of a verifier that knows the family, and of one that has never verified anything."""
        known, fresh = self.warmed(now), Verifier(self.town.directory.policy, clock=self.town.clock)
        return tuple(outcome(lambda one=one: one.verify(text, evidence=self.evidence, now=now, **options).to_json()) for one in (known, fresh))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def batch(town: Town) -> Batch:
    return Batch(town)


@pytest.fixture
def general(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How often the general way was gone."""
    gone: list[int] = []
    in_steps = Checks._in_steps

    def counted(self: Checks, index: int, *arguments: Any) -> Any:
        gone.append(index)
        return in_steps(self, index, *arguments)

    monkeypatch.setattr(Checks, "_in_steps", counted)
    return gone


def text_of(item: Issued) -> bytes:
    return strict_json.dumps(logged_credential(item.credential, item.receipt))


def test_siblings_do_not_go_the_general_way(batch: Batch, general: list[int]) -> None:
    verifier = batch.warmed(batch.now)
    assert len(general) == 2
    for member in batch.members[:GOOD]:
        report = verifier.verify(text_of(member), evidence=batch.evidence, now=batch.now, waive=BARE)
        assert report.verdict is Verdict.ACCEPT
        assert report.credential.raw == member.credential
    assert len(general) == 2


def test_nothing_is_remembered_for_another_moment_evidence_or_purpose(batch: Batch, general: list[int]) -> None:
    verifier = batch.warmed(batch.now)
    later = batch.now + timedelta(seconds=1)
    again = Evidence(batch.evidence.items)
    for options in ({"now": later}, {"evidence": again}, {"purpose": "pickup"}, {"max_age": timedelta(hours=1)}):
        begun = len(general)
        verifier.verify(text_of(batch.members[0]), waive=BARE, **({"evidence": batch.evidence, "now": batch.now} | options))
        assert len(general) == begun + 1


@pytest.mark.parametrize("days", [0, 1, 400, 3000])
def test_each_member_has_the_report_that_it_would_have_alone(batch: Batch, days: int) -> None:
    now = batch.now + timedelta(days=days)
    verdicts = set()
    for member in batch.members:
        known, fresh = batch.both(text_of(member), now, waive=BARE)
        assert known == fresh
        verdicts.add(fresh["verdict"])
    assert days or verdicts == {"accept", "refuse", "conditional"}


def test_members_are_presented_by_their_holder_alone(batch: Batch, town: Town) -> None:
    for wallet in (town.wallet, town.stranger):
        for member in batch.members:
            text = strict_json.dumps(town.presentation(member, nonce="n", wallet=wallet))
            known, fresh = batch.both(text, town.clock(), audience=AUDIENCE, nonce="n")
            assert known == fresh


def test_a_presentation_of_siblings_finds_its_family_again(batch: Batch, town: Town, general: list[int]) -> None:
    text = strict_json.dumps(town.presentation(*batch.members[:3], nonce="n"))
    verifier, now = Verifier(town.directory.policy, clock=town.clock), town.clock()
    reports = [verifier.verify(text, evidence=batch.evidence, now=now, audience=AUDIENCE, nonce="n").to_json() for _ in range(3)]
    assert reports[0] == reports[1] == reports[2]
    assert reports[0]["verdict"] == "accept"
    assert len(general) == 6


@QUICK
@given(data=st.data())
def test_changed_members_have_the_report_of_the_general_way(batch: Batch, data: st.DataObject) -> None:
    member = batch.members[data.draw(st.integers(0, len(batch.members) - 1))]
    document = data.draw(edits(json.loads(text_of(member))))
    try:
        text = strict_json.dumps(document)
    except FormatError:
        return
    known, fresh = batch.both(text, batch.now, waive=BARE)
    assert known == fresh


@QUICK
@given(data=st.data())
def test_changed_receipts_have_the_report_of_the_general_way(batch: Batch, data: st.DataObject) -> None:
    one, other = (batch.members[data.draw(st.integers(0, GOOD - 1))] for _ in range(2))
    receipt = data.draw(edits(json.loads(json.dumps(other.receipt))))
    changed = {**one.receipt, **{name: receipt[name] for name in receipt if data.draw(st.booleans())}} if isinstance(receipt, dict) else receipt  # type: ignore[dict-item]
    known, fresh = batch.both(strict_json.dumps(logged_credential(one.credential, changed)), batch.now, waive=BARE)
    assert known == fresh
