"""What a verifier promises against forged, stolen, moved, replayed, old and foreign things; each test is one promise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from did_health.errors import VerificationError
from did_health.keys import generate
from did_health.ledger.batch import IssuanceBatch, credential_digest
from did_health.ledger.entry import Entry, Kind, subject_of
from did_health.ledger.latest import LatestBundle
from did_health.ledger.log import prepare
from did_health.roles.evidence import Item
from did_health.roles.issuer import Issued
from did_health.roles.report import CheckName, Outcome, Report, Verdict
from did_health.roles.verifier import Verifier
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import NoteSigner, SignedNote, sign_note
from did_health.tlog.proof import TlogProof
from tests.any_log import AnyLog
from tests.conftest import repeatable_bytes
from tests.town import AUDIENCE, Town
from tests.verdicts import refused, undecided

THIEF = generate(repeatable_bytes("thief"))
THIEF_METHOD = f"did:key:{THIEF.public_key.multikey}#{THIEF.public_key.multikey}"


def proof_of(town: Town, subject: bytes) -> TlogProof:
    logged = town.directory.ledger.latest(subject)
    assert logged is not None
    return logged.proof


def list_subject(town: Town, issued: Issued) -> bytes:
    return subject_of(Kind.STATUS_LIST, town.status_url(issued, "revocation"))


# ---- stolen keys and forged credentials


def test_what_a_stolen_board_key_signs_without_the_ledger_is_refused(town: Town) -> None:
    refused(town.judge(town.signed(town.draft())), CheckName.RECEIPT, "not_logged")


def from_the_thiefs_ledger(town: Town, origin: str) -> Issued:
    stolen = town.signed(town.draft())
    batch = IssuanceBatch([credential_digest(stolen)])
    submission = town.board.institution.entry(Kind.ISSUANCE_BATCH, town.board.did, batch.content)
    tree = Tree()
    tree.append(leaf_hash(submission.entry))
    note = sign_note(Checkpoint(origin, 1, tree.root()).encode(), [NoteSigner(origin, THIEF)])
    receipt = batch.receipts(TlogProof(0, (), note, submission.entry))[0]
    return Issued(stolen, receipt.to_object())


def test_a_receipt_from_a_ledger_of_the_thiefs_own_is_refused(town: Town) -> None:
    refused(town.judge(from_the_thiefs_ledger(town, town.directory.ledger.origin)), CheckName.RECEIPT, "receipt_invalid")


def test_a_receipt_from_a_ledger_that_the_policy_does_not_name_is_not_believed(town: Town) -> None:
    """It may be the thief's, or that of boards whom the verifier's policy lacks: nobody can tell, and nobody can read the claims."""
    report = town.judge(from_the_thiefs_ledger(town, "thief.example"))
    undecided(report, CheckName.RECEIPT, "log_not_in_policy")
    with pytest.raises(VerificationError):
        _ = report.credentials


def test_a_receipt_moved_to_another_credential_is_refused(town: Town) -> None:
    stolen, honest = town.signed(town.draft()), town.issue()
    refused(town.judge(Issued(stolen, honest.receipt)), CheckName.RECEIPT, "receipt_invalid")


def test_a_receipt_for_another_place_in_the_batch_is_refused(town: Town) -> None:
    first, second = town.board.issue_many([(town.license(), town.wallet.did), (town.license(), town.wallet.did)])
    refused(town.judge(Issued(first.credential, second.receipt)), CheckName.RECEIPT, "receipt_invalid")
    refused(town.judge(Issued(first.credential, {**first.receipt, "index": 1})), CheckName.RECEIPT, "receipt_invalid")


@pytest.mark.parametrize("seen_before", [False, True])
def test_a_batch_of_the_thiefs_own_under_a_genuine_ledger_proof_is_refused(town: Town, seen_before: bool) -> None:
    stolen, honest = town.signed(town.draft()), town.issue()
    if seen_before:
        assert town.judge(honest).verdict is Verdict.ACCEPT
    batch = IssuanceBatch([credential_digest(stolen)])
    receipt = batch.receipts(TlogProof.parse(honest.receipt["ledgerProof"].encode()))[0]
    refused(town.judge(Issued(stolen, receipt.to_object())), CheckName.RECEIPT, "receipt_invalid")
    if seen_before:
        assert town.judge(honest).verdict is Verdict.ACCEPT


def test_a_batch_that_another_issuer_logged_proves_nothing(town: Town) -> None:
    stolen = town.signed(town.draft())
    refused(town.judge(town.logged(stolen, by=town.other.institution)), CheckName.RECEIPT, "receipt_of_another_issuer")


def test_an_entry_that_is_no_batch_is_no_receipt(town: Town) -> None:
    issued = town.issue()
    other = proof_of(town, list_subject(town, issued)).encode().decode()
    refused(town.judge(Issued(issued.credential, {**issued.receipt, "ledgerProof": other})), CheckName.RECEIPT, "receipt_invalid")


def test_a_proof_by_another_key_is_refused(town: Town) -> None:
    """Under the board's name, under the thief's own, and by another board."""
    by_thief = town.signed(town.draft(), signer=THIEF)
    refused(town.judge(town.logged(by_thief)), CheckName.PROOF, "proof_invalid")
    refused(town.judge(town.logged(town.signed(town.draft(), signer=THIEF, method=THIEF_METHOD))), CheckName.PROOF, "wrong_controller")
    refused(town.judge(town.logged(town.signed(town.draft(), by=town.other.institution))), CheckName.PROOF, "wrong_controller")


def test_a_strangers_proof_beside_the_issuers_is_refused(town: Town) -> None:
    doubly = town.signed(town.signed(town.draft()), signer=THIEF, method=THIEF_METHOD)
    refused(town.judge(town.logged(doubly)), CheckName.PROOF, "wrong_controller")


def test_a_strangers_proof_beside_the_holders_is_refused(town: Town) -> None:
    nonce = town.nonce()
    document = town.presented(town.presentation(town.issue(), nonce=nonce), nonce=nonce, wallet=town.stranger)
    refused(town.verifier.verify(document, audience=AUDIENCE, nonce=nonce), CheckName.PRESENTATION, "wrong_holder")


def test_a_proof_made_for_another_purpose_is_refused(town: Town) -> None:
    refused(town.judge(town.logged(town.signed(town.draft(), purpose="authentication"))), CheckName.PROOF, "proof_invalid")
    nonce = town.nonce()
    document = town.presentation(town.issue(), nonce=nonce)
    del document["proof"]
    document = town.presented(document, nonce=nonce, purpose="assertionMethod")
    refused(town.verifier.verify(document, audience=AUDIENCE, nonce=nonce), CheckName.PRESENTATION, "presentation_proof_invalid")


def test_a_proof_that_expired_is_refused(town: Town) -> None:
    issued = town.logged(town.signed(town.draft(), expires=town.clock() + timedelta(seconds=30)))
    assert town.judge(issued).verdict is Verdict.ACCEPT
    town.ticking(30)
    refused(town.judge(issued), CheckName.PROOF, "proof_invalid")


def test_a_credential_of_no_particular_type_is_nothing_that_anybody_may_issue(town: Town) -> None:
    refused(town.judge(town.made(type=["VerifiableCredential"], credentialSchema=None)), CheckName.ENTITLEMENT, "issuer_not_accredited")


def test_a_second_type_needs_an_accreditation_of_its_own(town: Town) -> None:
    issued = town.made(type=["VerifiableCredential", "PhysicianLicenseCredential", "PharmacyCredential"])
    refused(town.judge(issued), CheckName.ENTITLEMENT, "issuer_not_accredited")


def test_two_subjects_do_not_smuggle_in_another_profession(town: Town) -> None:
    draft = town.draft()
    second = json.loads(json.dumps(draft["credentialSubject"])) | {"profession": "DDS"}
    draft["credentialSubject"] = [draft["credentialSubject"], second]
    assert town.judge(town.logged(town.signed(draft))).verdict is Verdict.REFUSE
    assert town.judge(town.logged(town.signed(draft)), waive={CheckName.SCHEMA}).verdict is Verdict.REFUSE


def test_leaving_the_status_out_changes_what_was_signed(town: Town) -> None:
    issued = town.issue()
    town.board.revoke(issued, reason="an order")
    stripped = {name: value for name, value in issued.credential.items() if name != "credentialStatus"}
    refused(town.judge(Issued(stripped, issued.receipt)), CheckName.PROOF, "proof_invalid")


# ---- old things shown as new


def test_a_rolled_back_did_log_is_noticed(town: Town) -> None:
    name = f"rotating-{town.nonce()}"
    board = town.directory.create_board(name, title="Rotating Board", jurisdiction="US-NC", professions=["MD"])
    issued = board.issue(town.license(), to=town.wallet.did)
    old = board.institution.log.encode()
    town.ticking(1)
    rotated = town.directory.rotate(name)
    evidence = town.evidence(issued)
    assert town.judge(issued, evidence=evidence).verdict is Verdict.ACCEPT
    undecided(town.judge(issued, evidence=evidence.with_items({rotated.log.did.log_url: Item(old, town.clock())})), CheckName.ISSUER, "did_log_not_latest")


def test_an_old_status_list_under_the_new_entry_is_noticed(town: Town) -> None:
    issued = town.issue()
    old = next(content for url, content in contents(town, issued) if url == list_content_url(town, issued))
    town.ticking(1)
    town.board.revoke(issued, reason="an order")
    evidence = town.evidence(issued)
    swapped = evidence.with_items({list_content_url(town, issued): Item(old, town.clock())})
    report = town.judge(issued, evidence=swapped)
    assert [reason.code for reason in report.reasons if reason.outcome is Outcome.UNKNOWN] == ["status_list_not_latest"]
    assert report.verdict is Verdict.REFUSE  # for the message list says so too


def contents(town: Town, issued: Issued) -> list[tuple[str, bytes]]:
    return [(url, item.content) for url, item in town.evidence(issued).items.items() if item.content is not None]


def list_content_url(town: Town, issued: Issued) -> str:
    entry = Entry.parse(proof_of(town, list_subject(town, issued)).extra or b"")
    return f"{town.directory.ledger.url}/content/{entry.content.hex()}"


def test_old_evidence_as_a_whole_serves_no_longer_than_the_policy_allows(town: Town) -> None:
    issued = town.issue()
    old = town.evidence(issued)
    town.ticking(60)
    town.board.revoke(issued, reason="an order")
    assert town.judge(issued, evidence=old).verdict is Verdict.ACCEPT
    town.ticking(24 * 3_600)
    undecided(town.judge(issued, evidence=old), CheckName.STATUS, "evidence_stale")
    refused(town.judge(issued), CheckName.STATUS, "revoked")


def test_a_purpose_can_ask_for_fresher_evidence(town: Town) -> None:
    issued = town.issue()
    evidence = town.evidence(issued)
    policy = replace(town.directory.policy, max_age={"default": timedelta(hours=24), "prescriber": timedelta(minutes=5)})
    verifier = Verifier(policy, clock=town.clock)
    town.ticking(301)
    assert town.judge(issued, evidence=evidence, verifier=verifier).verdict is Verdict.ACCEPT
    undecided(town.judge(issued, evidence=evidence, verifier=verifier, purpose="prescriber"), CheckName.STATUS, "evidence_stale")


@pytest.mark.parametrize("verifier_knows", [False, True], ids=["new_verifier", "verifier_with_memory"])
def test_a_clock_set_back_decides_nothing(town: Town, verifier_knows: bool) -> None:
    town.ticking(7_200)
    issued = town.issue()
    town.directory.ledger.heartbeat()
    evidence = town.evidence(issued)
    verifier = Verifier(town.directory.policy, clock=town.clock)
    if verifier_knows:
        assert town.judge(issued, evidence=evidence, verifier=verifier).verdict is Verdict.ACCEPT
    back = town.judge(issued, evidence=evidence, verifier=verifier, now=town.clock() - timedelta(hours=1), waive={CheckName.VALIDITY, CheckName.PROOF})
    assert back.verdict is Verdict.INDETERMINATE
    assert {reason.code for reason in back.reasons} == {"evidence_from_the_future"}


def test_an_answer_that_there_is_nothing_needs_a_proof(town: Town) -> None:
    issued = town.issue()
    url = town.latest_url(list_subject(town, issued))
    absent = town.evidence(issued).with_items({url: Item(None, town.clock())})
    undecided(town.judge(issued, evidence=absent), CheckName.STATUS, "ledger_proof_missing")


def test_a_proof_that_there_is_nothing_grows_old_too(town: Town) -> None:
    issued = town.issue()
    subject = list_subject(town, issued)
    for hours, code in ((0, "status_list_not_logged"), (-48, "evidence_stale")):
        proof = AnyLog.like(town.directory.ledger, town.clock() + timedelta(hours=hours)).absence(subject)
        absent = town.evidence(issued).with_items({town.latest_url(subject): Item(proof, town.clock())})
        undecided(town.judge(issued, evidence=absent), CheckName.STATUS, code)


# ---- what does not come from the ledger


def forged_latest(town: Town, issued: Issued, change: Callable[[LatestBundle], LatestBundle]) -> Report:
    evidence = town.evidence(issued)
    url = town.latest_url(list_subject(town, issued))
    bundle = LatestBundle.parse(evidence.items[url].content or b"")
    return town.judge(issued, evidence=evidence.with_items({url: Item(change(bundle).encode(), town.clock())}))


def with_newest(bundle: LatestBundle, **changes: object) -> LatestBundle:
    assert bundle.newest is not None
    entry = replace(Entry.parse(bundle.newest.entry), **changes)  # type: ignore[arg-type]
    return replace(bundle, newest=replace(bundle.newest, entry=entry.encode()))


def with_signatures(note: SignedNote, name: str) -> SignedNote:
    """A note as somebody might change it."""
    signed = note.signatures
    match name:
        case "another_log_key":
            return sign_note(note.text, [NoteSigner(note.text.partition("\n")[0], THIEF)])
        case "too_few_cosignatures":
            return SignedNote(note.text, signed[:3])
        case "one_witness_many_times":
            return SignedNote(note.text, (*signed[:2], *signed[1:2] * 3))
        case _:
            return SignedNote(note.text, signed[1:])


NOTES = ("another_log_key", "too_few_cosignatures", "one_witness_many_times", "no_log_signature")
FORGED_BUNDLES: dict[str, Callable[[LatestBundle], LatestBundle]] = {
    "another_content": lambda bundle: with_newest(bundle, content=hashlib.sha256(b"forged").digest()),
    "another_number": lambda bundle: with_newest(bundle, seq=99, prev=bytes(32)),
    "another_place": lambda bundle: replace(bundle, newest=replace(bundle.newest, index=0)),  # type: ignore[type-var]
    "no_entry": lambda bundle: replace(bundle, newest=None),
    "a_hash_less": lambda bundle: replace(bundle, head_path=bundle.head_path[:-1]),
    "another_map": lambda bundle: replace(bundle, root=bytes(32)),
    **{name: lambda bundle, name=name: replace(bundle, checkpoint=with_signatures(bundle.checkpoint, name)) for name in NOTES},  # type: ignore[misc]
}
FORGED_PROOFS: dict[str, Callable[[TlogProof], TlogProof]] = {
    "another_content": lambda proof: replace(proof, extra=replace(Entry.parse(proof.extra or b""), content=hashlib.sha256(b"forged").digest()).encode()),
    "another_place": lambda proof: replace(proof, index=proof.index ^ 1),
    "a_hash_less": lambda proof: replace(proof, hashes=proof.hashes[:-1]),
    **{name: lambda proof, name=name: replace(proof, checkpoint=with_signatures(proof.checkpoint, name)) for name in NOTES},  # type: ignore[misc]
}


@pytest.mark.parametrize("name", FORGED_BUNDLES)
def test_a_forged_proof_of_the_newest_entry_is_refused(town: Town, name: str) -> None:
    refused(forged_latest(town, town.issue(), FORGED_BUNDLES[name]), CheckName.STATUS, "ledger_proof_invalid")


def test_the_proof_of_former_times_is_no_proof_of_the_newest_entry(town: Town) -> None:
    issued = town.issue()
    evidence = town.evidence(issued)
    url = town.latest_url(list_subject(town, issued))
    proof = Item(proof_of(town, list_subject(town, issued)).encode(), town.clock())
    undecided(town.judge(issued, evidence=evidence.with_items({url: proof})), CheckName.STATUS, "ledger_proof_malformed")


def test_a_receipt_with_a_forged_ledger_proof_is_refused(town: Town) -> None:
    issued = town.issue()
    for change in FORGED_PROOFS.values():
        proof = change(TlogProof.parse(issued.receipt["ledgerProof"].encode())).encode().decode()
        refused(town.judge(Issued(issued.credential, {**issued.receipt, "ledgerProof": proof})), CheckName.RECEIPT, "receipt_invalid")


def test_a_batch_entry_by_a_key_that_the_issuer_does_not_list_is_refused(town: Town) -> None:
    """Should a log ever admit it: here one whose key and witnesses the policy believes, and that judges nothing."""
    stolen = town.signed(town.draft())
    batch = IssuanceBatch([credential_digest(stolen)])
    submission = prepare(
        Kind.ISSUANCE_BATCH, subject_of(Kind.ISSUANCE_BATCH, town.board.did), batch.content, author=THIEF_METHOD, signer=THIEF, now=town.clock()
    )
    receipt = batch.receipts(unjudged(town, submission.entry))[0]
    refused(town.judge(Issued(stolen, receipt.to_object())), CheckName.RECEIPT, "receipt_invalid")


def unjudged(town: Town, leaf: bytes) -> TlogProof:
    """A proof under the true keys of log and witnesses of a tree that holds nothing but ``leaf``."""
    log = AnyLog.like(town.directory.ledger, town.clock())
    log.add(leaf)
    return TlogProof(0, (), log.note(), leaf)


def test_the_proof_of_one_subject_does_not_serve_for_another(town: Town) -> None:
    issued = town.issue()
    mine = town.latest_url(list_subject(town, issued))
    suspension = town.latest_url(subject_of(Kind.STATUS_LIST, town.status_url(issued, "suspension")))
    evidence = town.evidence(issued)
    undecided(town.judge(issued, evidence=evidence.with_items({mine: evidence.items[suspension]})), CheckName.STATUS, "ledger_proof_mismatch")


def test_a_status_list_of_another_issuer_says_nothing(town: Town) -> None:
    foreign = town.status_url(town.issue(board=town.other), "revocation")
    entry = {**town.issue().credential["credentialStatus"][0], "statusListCredential": foreign}
    refused(town.judge(town.made(credentialStatus=entry)), CheckName.STATUS, "status_list_wrong_issuer")


def test_a_status_list_that_cannot_be_had_is_neither_yes_nor_no(town: Town) -> None:
    issued = town.issue()
    evidence = town.evidence(issued)
    without_list = town.judge(issued, evidence=evidence.without([list_content_url(town, issued)]))
    undecided(without_list, CheckName.STATUS, "status_list_unavailable")
    assert Outcome.FAIL not in {check.outcome for check in without_list.checks}


def test_one_list_that_cannot_be_had_does_not_hide_another_that_says_no(town: Town) -> None:
    issued = town.issue()
    town.board.suspend(issued, reason="an investigation")
    evidence = town.evidence(issued)
    report = town.judge(issued, evidence=evidence.without([list_content_url(town, issued)]))
    refused(report, CheckName.STATUS, "suspended")
    assert "status_list_unavailable" in report.codes
