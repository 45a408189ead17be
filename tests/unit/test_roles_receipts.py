from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from did_health.encoding import strict_json
from did_health.errors import ConflictError, FormatError, StoreError
from did_health.health.purposes import ClaimName
from did_health.health.verification_receipt import ReceiptOverride, VerificationReceipt
from did_health.ledger.batch import ReceiptProof
from did_health.ledger.entry import Kind, subject_of
from did_health.ledger.log import Submission
from did_health.roles.evidence import Evidence
from did_health.roles.holder import Wallet
from did_health.roles.issuer import Board
from did_health.roles.log_review import review_log
from did_health.roles.receipts import ReceiptBook, verify_receipt
from did_health.roles.received_receipt import ReceivedReceipt
from did_health.roles.report import CheckName
from did_health.roles.verifier import Verifier
from did_health.trust.policy import TrustPolicy
from tests.conftest import repeatable_bytes
from tests.ledger_parties import CHEAP
from tests.pharmacy_parties import ASKED, IDENTITY, Pharmacy
from tests.town import Town


@pytest.fixture
def pharmacy(own_town: Town, csp: Board) -> Iterator[Pharmacy]:
    pharmacy = Pharmacy(own_town, csp, f"pharmacy-{own_town.nonce()}")
    yield pharmacy
    pharmacy.close()


@pytest.fixture(scope="module")
def received(own_town: Town, csp: Board) -> ReceivedReceipt:
    """Some receipt."""
    pharmacy = Pharmacy(own_town, csp)
    (one,) = pharmacy.record(pharmacy.patient()).receipts.values()
    pharmacy.close()
    return one


def whole(pharmacy: Pharmacy) -> bool:
    policy = pharmacy.town.directory.policy.ledger
    assert policy is not None
    return review_log(pharmacy.records, pharmacy.institution.did, pharmacy.town.directory.ledger, policy).is_whole


def test_a_receipt_says_who_asked_whom_for_what_and_when(pharmacy: Pharmacy) -> None:
    wallet = pharmacy.patient()
    recorded = pharmacy.record(wallet)
    (received,) = recorded.receipts.values()
    receipt = received.receipt
    assert (received.subject, received.credential["issuer"]) == (wallet.did, pharmacy.institution.did)
    assert (receipt.purpose, receipt.verdict, receipt.reasons, receipt.at) == ("pickup", "accept", (), pharmacy.town.clock())
    assert receipt.claims_requested == ASKED
    assert ClaimName(IDENTITY, "assurance") in receipt.claims_disclosed
    assert receipt.policy_id == pharmacy.policy.policy_id
    entries = wallet.find(IDENTITY).credential["credentialStatus"]
    assert {one.list_url for one in receipt.status_evidence} <= {entry["statusListCredential"] for entry in entries}
    for one in receipt.status_evidence:
        ledger = pharmacy.town.directory.ledger
        logged = ledger.latest(subject_of(Kind.STATUS_LIST, one.list_url))
        assert logged is not None
        assert (logged.parsed.content, one.fetched_at) == (one.digest, pharmacy.town.clock())
    assert receipt.checkpoint is not None
    assert receipt.checkpoint.origin == "ledger.example"
    assert ReceivedReceipt.parse(received.to_json()) == received
    assert VerificationReceipt.from_subject(receipt.to_subject(wallet.did)) == receipt


def test_a_receipt_is_good_under_a_condition_until_it_is_logged(pharmacy: Pharmacy) -> None:
    (received,) = pharmacy.record(pharmacy.patient()).receipts.values()
    early = verify_receipt(received, pharmacy.town.verifier)
    assert (early.verdict, early.codes) == ("conditional", ("receipt_not_logged",))
    assert pharmacy.book.publish() == 1
    logged = pharmacy.book.receipt(received.id)
    assert logged.proof is not None
    report = verify_receipt(logged, pharmacy.town.verifier)
    assert (report.verdict, report.codes) == ("accept", ())
    assert report.check(CheckName.RECEIPT).code == "receipt_logged"
    assert whole(pharmacy)


def test_without_evidence_no_receipt_is_called_forged(pharmacy: Pharmacy) -> None:
    (received,) = pharmacy.record(pharmacy.patient()).receipts.values()
    pharmacy.book.publish()
    logged = pharmacy.book.receipt(received.id)
    report = pharmacy.town.verifier.verify(logged.to_object(), evidence=Evidence(), waive=[CheckName.HOLDER_BINDING])
    assert report.verdict == "indeterminate"
    assert report.check(CheckName.RECEIPT).outcome == "unknown"


def test_one_root_for_many(pharmacy: Pharmacy) -> None:
    patients = [pharmacy.patient() for _ in range(3)]
    received = [next(iter(pharmacy.record(patient).receipts.values())) for patient in patients]
    subject = subject_of(Kind.RECEIPT_BATCH, pharmacy.institution.did)
    assert pharmacy.book.publish() == 3
    assert pharmacy.book.publish() == 0
    latest = pharmacy.town.directory.ledger.latest(subject)
    assert latest is not None
    assert latest.parsed.seq == 0
    for one in received:
        assert verify_receipt(pharmacy.book.receipt(one.id), pharmacy.town.verifier).verdict == "accept"
    pharmacy.record(patients[0])
    assert pharmacy.book.publish() == 1
    assert whole(pharmacy)


def test_everybody_whose_claims_were_shown_gets_their_own(pharmacy: Pharmacy) -> None:
    patient, agent = pharmacy.patient(), pharmacy.patient()
    pharmacy.delegation(patient, agent)
    receipts = pharmacy.record(agent).receipts
    assert set(receipts) == {patient.did, agent.did}
    assert {name.credential for name in receipts[patient.did].receipt.claims_disclosed} == {IDENTITY}
    assert {name.credential for name in receipts[agent.did].receipt.claims_disclosed} == {IDENTITY, "PickupDelegationCredential"}
    patient.keep_receipt(receipts[patient.did])
    with pytest.raises(ValueError, match="somebody else"):
        patient.keep_receipt(receipts[agent.did])


def test_who_did_not_prove_to_be_there_gets_none_and_the_log_has_it(pharmacy: Pharmacy) -> None:
    _, report = pharmacy.show(pharmacy.patient())
    nobody = replace(report, holder=None)
    recorded = pharmacy.book.record(nobody, purpose="pickup", policy_id="p")
    assert recorded.receipts == {}
    (row,) = pharmacy.records.rows(pharmacy.institution.did)
    assert row.document["receipts"] == []
    assert row.document["description"]
    assert pharmacy.book.publish() == 0
    assert whole(pharmacy)


def test_the_rows_of_the_log_keep_what_an_accounting_asks_for(pharmacy: Pharmacy) -> None:
    wallet = pharmacy.patient()
    request, report = pharmacy.show(wallet)
    overridden = report.overridden(by="R. Ph.", reason="known to us")
    pharmacy.book.record(overridden, purpose="pickup", policy_id="p", request=request)
    (row,) = pharmacy.records.rows(pharmacy.institution.did)
    document = row.document
    assert document["recipient"] == pharmacy.institution.did
    assert document["purpose"] == "pickup"
    assert document["date"].startswith("2026-")
    assert f"{IDENTITY}.birthDate" in document["description"]
    assert document["override"] == {"by": "R. Ph.", "reason": "known to us"}


def test_a_crash_between_any_two_steps_loses_nothing_and_logs_nothing_twice(pharmacy: Pharmacy) -> None:
    subject = subject_of(Kind.RECEIPT_BATCH, pharmacy.institution.did)
    ledger = pharmacy.town.directory.ledger

    class Crashing:
        """Records that fail at one step, before or after it is done."""

        def __init__(self, step: str, after: bool) -> None:
            self.step, self.after = step, after

        def __getattr__(self, name: str) -> Any:
            method = getattr(pharmacy.records, name)
            if name != self.step:
                return method

            def crash(*arguments: Any) -> Any:
                if self.after:
                    method(*arguments)
                raise StoreError("crashed")

            return crash

    batches = 0
    for step in ("open_batch", "finish_batch"):
        for after in (False, True):
            (received,) = pharmacy.record(pharmacy.patient()).receipts.values()
            with pytest.raises(StoreError):
                ReceiptBook(pharmacy.institution, Crashing(step, after)).publish()  # type: ignore[arg-type]
            pharmacy.book.publish()
            latest = ledger.latest(subject)
            assert latest is not None
            assert latest.parsed.seq == batches, (step, after)
            batches += 1
            assert verify_receipt(pharmacy.book.receipt(received.id), pharmacy.town.verifier).verdict == "accept"
    assert whole(pharmacy)


def test_of_two_who_publish_at_once_one_does(pharmacy: Pharmacy) -> None:
    pharmacy.record(pharmacy.patient())
    did, ledger = pharmacy.institution.did, pharmacy.town.directory.ledger

    class Slow:
        """Another process publishes between the reading of the ledger and of the batch."""

        def __getattr__(self, name: str) -> Any:
            if name == "open_batch":
                return self.open_batch
            return getattr(pharmacy.records, name)

        def open_batch(self, *arguments: Any) -> Any:
            batch = pharmacy.records.open_batch(*arguments)
            pharmacy.book.publish()
            return batch

    with pytest.raises(ConflictError):
        ReceiptBook(pharmacy.institution, Slow()).publish()  # type: ignore[arg-type]
    latest = ledger.latest(subject_of(Kind.RECEIPT_BATCH, did))
    assert latest is not None
    assert latest.parsed.seq == 0
    assert whole(pharmacy)


def test_a_ledger_elsewhere_is_asked_for_the_proof_of_what_it_has(pharmacy: Pharmacy) -> None:
    """A remote ledger's ``latest`` brings no proof, and answers the same entry as before."""
    pharmacy.record(pharmacy.patient())
    ledger = pharmacy.town.directory.ledger
    subject = subject_of(Kind.RECEIPT_BATCH, pharmacy.institution.did)
    batch = pharmacy.records.open_batch(pharmacy.institution.did, lambda row: row.digest, 10)
    assert batch is not None
    from did_health.ledger.batch import IssuanceBatch
    from did_health.ledger.latest import NewestEntry

    submission = pharmacy.institution.entry_after(None, Kind.RECEIPT_BATCH, subject, IssuanceBatch(batch.members).content)
    (logged,) = ledger.submit([submission])
    asked: list[Submission] = []

    class Remote:
        def latest(self, subject: bytes) -> NewestEntry:
            return NewestEntry(logged.index, logged.entry)

        def submit(self, submissions: Any) -> Any:
            asked.extend(submissions)
            return (logged,)

    remote = type(pharmacy.institution)(
        pharmacy.institution.log, pharmacy.institution.keys, Remote(), pharmacy.town.clock, pharmacy.town.random  # type: ignore[arg-type]
    )
    assert ReceiptBook(remote, pharmacy.records).publish() == 1
    assert asked == [submission]


def test_a_receipt_that_was_never_signed(pharmacy: Pharmacy) -> None:
    with pytest.raises(KeyError):
        pharmacy.book.receipt("urn:uuid:none")


def test_wallets_keep_receipts_and_take_in_the_proof(pharmacy: Pharmacy) -> None:
    wallet = pharmacy.patient()
    (received,) = pharmacy.record(wallet).receipts.values()
    wallet.keep_receipt(received)
    pharmacy.book.publish()
    logged = pharmacy.book.receipt(received.id)
    from did_health.roles.holder import wallet_sealing_key

    key = wallet_sealing_key("a long passphrase", repeatable_bytes("seal"), CHEAP)
    sealed = wallet.sealed(key, repeatable_bytes("nonce"))
    copy = Wallet.reopen(sealed, key, clock=pharmacy.town.clock)
    assert copy.activity == (received,)
    copy.keep_receipt(logged)
    copy.keep_receipt(received)
    assert copy.activity == (logged,)
    wallet.take_in(copy)
    assert wallet.activity == (logged,)
    copy.take_in(Wallet.reopen(sealed, key, clock=pharmacy.town.clock))
    assert copy.activity == (logged,)


def test_wallets_have_a_limit_of_receipts(pharmacy: Pharmacy, monkeypatch: pytest.MonkeyPatch) -> None:
    from did_health.roles import holder

    wallet = pharmacy.patient()
    first, second = (next(iter(pharmacy.record(wallet).receipts.values())) for _ in range(2))
    monkeypatch.setattr(holder, "MAX_ACTIVITY", 1)
    wallet.keep_receipt(first)
    wallet.keep_receipt(first)
    with pytest.raises(ValueError, match="holds 1 receipts"):
        wallet.keep_receipt(second)


def test_a_policy_that_trusts_nobody_believes_no_receipt(pharmacy: Pharmacy) -> None:
    (received,) = pharmacy.record(pharmacy.patient()).receipts.values()
    pharmacy.book.publish()
    report = verify_receipt(pharmacy.book.receipt(received.id), Verifier(TrustPolicy(), clock=pharmacy.town.clock))
    assert (report.verdict, report.codes) == ("refuse", ("policy_empty",))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"credential": 1}, "does not hold"),
        ({"receiptProof": 1}, "does not hold"),
        ({"receiptProof": {}}, "format"),
        ({"credential": {"type": "x"}}, "context"),
    ],
)
def test_documents_that_are_no_receipts(received: ReceivedReceipt, change: dict[str, Any], words: str) -> None:
    with pytest.raises(FormatError, match=words):
        ReceivedReceipt.parse(strict_json.dumps({**received.to_object(), **change}))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("verifier", "did:web:other.example"),
        ("purpose", "marketing"),
        ("verdict", "yes"),
        ("at", 3),
        ("at", "yesterday"),
        ("claimsDisclosed", ["Adams"]),
        ("claimsDisclosed", {}),
        ("reasons", ["Not A Word"]),
        ("receiptId", "no uri"),
        ("statusEvidence", [{"list": "https://x.example/1", "digest": "uAAAA", "fetchedAt": "2026-01-01T00:00:00Z"}]),
        ("statusEvidence", [3]),
        ("checkpoint", {"origin": "x", "size": -1, "root": "A" * 43 + "="}),
        ("checkpoint", {"origin": "x", "size": 1, "root": "AA=="}),
        ("override", {"by": "", "reason": "x"}),
        ("override", {"by": "x"}),
        ("logHead", 7),
        ("logHead", "uAAAA"),
        ("logHead", "z" + "A" * 46),
    ],
)
def test_members_that_no_receipt_has(received: ReceivedReceipt, member: str, value: object) -> None:
    document = json.loads(received.to_json())
    document["credential"]["credentialSubject"][member] = value
    with pytest.raises(FormatError):
        ReceivedReceipt.parse(strict_json.dumps(document))


def test_the_head_of_a_log_is_a_digest(received: ReceivedReceipt) -> None:
    with pytest.raises(FormatError):
        replace(received.receipt, log_head=b"x")
    head = replace(received.receipt, log_head=bytes(range(32)))
    subject = head.to_subject("did:key:z6Mk")
    assert VerificationReceipt.from_subject(subject) == head
    assert subject["logHead"].startswith("uEiA")


def test_an_override_names_who_and_why() -> None:
    with pytest.raises(FormatError):
        ReceiptOverride("x", "")


def test_proofs_of_receipts_and_of_issuing_are_not_each_other(pharmacy: Pharmacy) -> None:
    wallet = pharmacy.patient()
    issuance = wallet.find(IDENTITY).receipt
    assert issuance is not None
    with pytest.raises(FormatError, match="receipt-proof"):
        ReceiptProof.parse(issuance)
    (received,) = pharmacy.record(wallet).receipts.values()
    disguised = ReceivedReceipt(received.credential, {**issuance, "format": "did-health/receipt-proof/v1"})
    report = verify_receipt(disguised, pharmacy.town.verifier)
    assert report.codes == ("receipt_proof_invalid",)


def test_a_batch_has_a_limit_and_the_rest_is_in_the_next(pharmacy: Pharmacy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("did_health.roles.receipts.MAX_RECEIPTS_PER_BATCH", 2)
    patient = pharmacy.patient()
    received = [next(iter(pharmacy.record(patient).receipts.values())) for _ in range(3)]
    assert pharmacy.book.publish() == 3
    assert [len(batch.members) for batch in pharmacy.records.batches(pharmacy.institution.did)] == [3, 2]
    assert all(verify_receipt(pharmacy.book.receipt(one.id), pharmacy.town.verifier).verdict == "accept" for one in received)
    assert whole(pharmacy)


def test_a_wallet_with_a_new_key_goes_on_with_its_activity_log(pharmacy: Pharmacy) -> None:
    wallet = pharmacy.patient()
    (received,) = pharmacy.record(wallet).receipts.values()
    wallet.keep_receipt(received)
    fresh, _ = wallet.with_new_key(pharmacy.town.random)
    assert fresh.activity == (received,)


def test_more_claims_than_a_receipt_can_name(pharmacy: Pharmacy) -> None:
    """A stranger shows a credential of a type of their own; only that something was shown is told of what cannot be named."""
    _, report = pharmacy.show(pharmacy.patient())
    (credential,) = report._credentials
    subject = {"id": "did:web:x.example", **{f"c{number}": 1 for number in range(99)}}
    raw = {**credential.raw, "type": ["VerifiableCredential", "A"], "credentialSubject": subject}
    strange = replace(credential, raw={**raw, "credentialStatus": {"type": "Other"}}, types=("VerifiableCredential", "A"))
    odd = replace(credential, raw={**raw, "credentialSubject": [{"id": 3}, {**subject, "a b": 1}]}, types=("VerifiableCredential", "No Word"))
    recorded = pharmacy.book.record(replace(report, _credentials=(strange, odd)), purpose="pickup", policy_id="p")
    (one,) = recorded.receipts.values()
    assert len(one.receipt.claims_disclosed) == 64
    assert verify_receipt(one, pharmacy.town.verifier).verdict == "conditional"
