"""What a verifier promises against forged, stolen, moved, replayed, old and foreign things; each test is one promise."""

from __future__ import annotations

import base64
import hashlib
import json
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from did_health.encoding import strict_json, timestamps
from did_health.errors import DidHealthError, VerificationError
from did_health.health.board_accreditation import BoardAccreditation
from did_health.keys import generate
from did_health.ledger.batch import IssuanceBatch, credential_digest
from did_health.ledger.entry import Entry, Kind, subject_of
from did_health.ledger.latest import LatestBundle
from did_health.ledger.log import prepare
from did_health.roles.evidence import Evidence, Item
from did_health.roles.holder import Wallet
from did_health.roles.institution import Institution, InstitutionKeys
from did_health.roles.issuer import Board, Issued
from did_health.roles.report import CheckName, Outcome, Report, Verdict
from did_health.roles.verifier import Verifier
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import NoteSigner, SignedNote, sign_note
from did_health.tlog.proof import TlogProof
from did_health.trust.registry import record_identifier
from tests.any_log import AnyLog
from tests.conftest import repeatable_bytes
from tests.ledger_parties import PASSPHRASE
from tests.town import AUDIENCE, LATER, SECRET_CLAIMS, Town

THIEF = generate(repeatable_bytes("thief"))
THIEF_METHOD = f"did:key:{THIEF.public_key.multikey}#{THIEF.public_key.multikey}"


def refused(report: Report, check: CheckName, code: str) -> None:
    assert report.verdict is Verdict.REFUSE, report.codes
    assert (check, code) in [(reason.name, reason.code) for reason in report.reasons], report.codes


def undecided(report: Report, check: CheckName, code: str) -> None:
    assert report.verdict is Verdict.INDETERMINATE, report.codes
    assert (check, code) in [(reason.name, reason.code) for reason in report.reasons], report.codes


def proof_of(town: Town, subject: bytes) -> TlogProof:
    logged = town.directory.ledger.latest(subject)
    assert logged is not None
    return logged.proof


def list_subject(town: Town, issued: Issued) -> bytes:
    return subject_of(Kind.STATUS_LIST, town.status_url(issued, "revocation"))


def new_board(town: Town, **accreditation: object) -> Institution:
    """A board of its own, accredited for PhysicianLicenseCredential unless ``accreditation`` is empty of dates."""
    board = town.directory.create_institution(f"threat-{town.nonce()}", title="A Board", jurisdiction="US-NC")
    if accreditation:
        accredit(town, board, **accreditation)
    return board


def accredit(town: Town, board: Institution, **changes: object) -> None:
    values: dict[str, object] = {
        "name": "A Board",
        "entity_type": "medical_board",
        "jurisdiction": "US-NC",
        "resource": "PhysicianLicenseCredential",
        "professions": ("MD",),
        "valid_until": LATER,
    }
    town.directory.authority().accredit(BoardAccreditation(**{**values, **changes}), entity=board.did)  # type: ignore[arg-type]


def licence_of(town: Town, board: Institution, **changes: object) -> Issued:
    subject = {"board": {"id": board.did, "name": "A Board", "jurisdiction": "US-NC"}}
    return town.made(by=board, issuer=board.did, subject=subject, credentialStatus=None, **changes)


# ---- stolen keys and forged credentials


def test_what_a_stolen_board_key_signs_without_the_ledger_is_refused(town: Town) -> None:
    refused(town.judge(town.signed(town.draft())), CheckName.RECEIPT, "not_logged")


def test_a_receipt_from_a_ledger_of_the_thiefs_own_is_refused(town: Town) -> None:
    stolen = town.signed(town.draft())
    real = town.directory.ledger
    batch = IssuanceBatch([credential_digest(stolen)])
    submission = town.board.institution.entry(Kind.ISSUANCE_BATCH, town.board.did, batch.content)
    tree = Tree()
    tree.append(leaf_hash(submission.entry))
    note = sign_note(Checkpoint(real.origin, 1, tree.root()).encode(), [NoteSigner(real.origin, THIEF)])
    receipt = batch.receipts(TlogProof(0, (), note, submission.entry))[0]
    refused(town.judge(Issued(stolen, receipt.to_object())), CheckName.RECEIPT, "receipt_invalid")


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


# ---- presentations


def test_a_presentation_is_answered_once(town: Town) -> None:
    presentation = town.wallet.present([town.issue()], audience=AUDIENCE, nonce="once")
    assert town.verifier.verify(presentation, audience=AUDIENCE, nonce="once").verdict is Verdict.ACCEPT
    refused(town.verifier.verify(presentation, audience=AUDIENCE, nonce="once"), CheckName.PRESENTATION, "nonce_replayed")


def test_a_forged_answer_does_not_use_up_the_nonce(town: Town) -> None:
    issued, nonce = town.issue(), town.nonce()
    forged = town.presentation(issued, nonce=nonce, wallet=town.stranger, holder=town.wallet.did)
    refused(town.verifier.verify(forged, audience=AUDIENCE, nonce=nonce), CheckName.PRESENTATION, "wrong_holder")
    assert town.verifier.verify(town.wallet.present([issued], audience=AUDIENCE, nonce=nonce), audience=AUDIENCE, nonce=nonce).verdict is Verdict.ACCEPT


def test_what_was_signed_for_another_audience_or_nonce_is_refused(town: Town) -> None:
    presentation = town.wallet.present([town.issue()], audience=AUDIENCE, nonce="mine")
    refused(town.verifier.verify(presentation, audience="https://other.example", nonce="mine"), CheckName.PRESENTATION, "wrong_audience")
    refused(town.verifier.verify(presentation, audience=AUDIENCE, nonce="another"), CheckName.PRESENTATION, "wrong_nonce")


def test_a_presentation_for_several_audiences_is_refused(town: Town) -> None:
    nonce = town.nonce()
    document = town.presentation(town.issue(), nonce=nonce, audience=[AUDIENCE, "https://other.example"])  # type: ignore[arg-type]
    refused(town.verifier.verify(document, audience=AUDIENCE, nonce=nonce), CheckName.PRESENTATION, "wrong_audience")


def test_somebody_elses_credential_is_refused(town: Town) -> None:
    refused(town.show(town.issue(), wallet=town.stranger), CheckName.HOLDER_BINDING, "not_the_holder")


def test_naming_the_true_holder_does_not_make_a_stranger_the_holder(town: Town) -> None:
    nonce = town.nonce()
    document = town.presentation(town.issue(), nonce=nonce, wallet=town.stranger, holder=town.wallet.did)
    refused(town.verifier.verify(document, audience=AUDIENCE, nonce=nonce), CheckName.PRESENTATION, "wrong_holder")


def test_one_credential_of_somebody_else_among_ones_own_is_refused(town: Town) -> None:
    report = town.show(town.issue(), town.issue(to=town.stranger))
    refused(report, CheckName.HOLDER_BINDING, "not_the_holder")
    assert {reason.credential for reason in report.reasons} == {1}


def test_taking_the_presentation_away_does_not_get_around_holder_binding(town: Town) -> None:
    issued = town.issue()
    for document in (issued.to_json(), {"credential": issued.credential, "issuanceReceipt": issued.receipt, "type": ["VerifiablePresentation"]}):
        undecided(town.verifier.verify(document), CheckName.HOLDER_BINDING, "not_presented")


def test_waiving_the_presentation_does_not_make_whoever_it_names_the_holder(town: Town) -> None:
    document = town.presentation(town.issue(), nonce="x", wallet=town.stranger, holder=town.wallet.did)
    undecided(town.verifier.verify(document, waive={CheckName.PRESENTATION}), CheckName.HOLDER_BINDING, "holder_unknown")


def test_receipts_cannot_be_left_out_or_shuffled(town: Town) -> None:
    first, second, nonce = town.issue(), town.issue(), town.nonce()
    missing = town.presentation(first, nonce=nonce, issuanceReceipt=None)
    refused(town.verifier.verify(missing, audience=AUDIENCE, nonce=nonce), CheckName.RECEIPT, "not_logged")
    shuffled = town.presentation(first, second, nonce=nonce, issuanceReceipt=[second.receipt, first.receipt])
    refused(town.verifier.verify(shuffled, audience=AUDIENCE, nonce=town.nonce()), CheckName.RECEIPT, "receipt_invalid")


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


# ---- who may issue


def test_a_record_about_another_entity_serves_nobody_else(town: Town) -> None:
    authority, board = town.verifier.policy.registry_authority, new_board(town)
    issued = licence_of(town, board)
    mine, theirs = (
        town.latest_url(subject_of(Kind.REGISTRY_RECORD, record_identifier(authority, did, "issue", "PhysicianLicenseCredential")))
        for did in (board.did, town.board.did)
    )
    evidence = town.evidence(town.issue()).with_items(town.evidence(issued).items)
    undecided(town.judge(issued, evidence=evidence.with_items({mine: evidence.items[theirs]})), CheckName.ENTITLEMENT, "ledger_proof_mismatch")


def test_who_may_verify_may_not_therefore_issue(town: Town) -> None:
    board = new_board(town, action="verify")
    refused(town.judge(licence_of(town, board)), CheckName.ENTITLEMENT, "issuer_not_accredited")


def test_a_record_that_says_another_action_than_its_subject_does_not_entitle(town: Town) -> None:
    authority, board = town.directory.authority(), new_board(town, valid_until=LATER)
    record = town.directory.authority().accredit(
        BoardAccreditation(
            name="A Board",
            entity_type="medical_board",
            jurisdiction="US-NC",
            resource="PhysicianLicenseCredential",
            professions=("MD",),
            valid_until=LATER,
            action="verify",
        ),
        entity=board.did,
    )
    identifier = record_identifier(authority.did, board.did, "issue", "PhysicianLicenseCredential")
    town.log_content(Kind.REGISTRY_RECORD, identifier, strict_json.dumps(record), by=authority.institution)
    refused(town.judge(licence_of(town, board)), CheckName.ENTITLEMENT, "issuer_not_accredited")


def test_an_accreditation_that_ended_since_the_issuing_is_refused_now(town: Town) -> None:
    began = town.clock() - timedelta(days=1)
    board = new_board(town, valid_from=began)
    issued = licence_of(town, board)
    assert town.judge(issued).verdict is Verdict.ACCEPT
    town.ticking(60)
    accredit(town, board, valid_from=began, valid_until=town.clock())
    refused(town.judge(issued), CheckName.ENTITLEMENT, "accreditation_ended")


def test_what_was_issued_before_the_accreditation_is_refused_after_it_too(town: Town) -> None:
    board = new_board(town)
    issued = licence_of(town, board)
    town.ticking(60)
    accredit(town, board, valid_from=town.clock())
    refused(town.judge(issued), CheckName.ENTITLEMENT, "accreditation_not_yet_valid")
    assert town.judge(licence_of(town, board)).verdict is Verdict.ACCEPT


@pytest.mark.parametrize("days", [-400, 0], ids=["back_dated", "dated_into_the_accreditation"])
def test_the_issuers_own_dates_do_not_move_the_issuing(town: Town, days: int) -> None:
    board = new_board(town)
    town.ticking(60)
    begins = town.clock() + timedelta(seconds=60)
    issued = licence_of(town, board, validFrom=timestamps.format(begins + timedelta(days=days)))
    accredit(town, board, valid_from=begins if days == 0 else begins - timedelta(days=0))
    town.ticking(120)
    refused(town.judge(issued), CheckName.ENTITLEMENT, "accreditation_not_yet_valid")


def test_a_deactivated_issuer_is_refused(town: Town) -> None:
    board = new_board(town, valid_from=town.clock() - timedelta(days=1))
    issued = licence_of(town, board)
    town.ticking(1)
    board.deactivate()
    refused(town.judge(issued), CheckName.ISSUER, "did_deactivated")


def test_a_retired_key_keeps_proving_what_it_signed_before(town: Town) -> None:
    board = new_board(town, valid_from=town.clock() - timedelta(days=1))
    issued = licence_of(town, board)
    town.ticking(1)
    board.rotate(lambda _: None)
    assert town.judge(issued).verdict is Verdict.ACCEPT
    assert town.judge(licence_of(town, board)).verdict is Verdict.ACCEPT


def test_memory_never_turns_a_no_into_a_yes(town: Town) -> None:
    """One verifier sees good and bad in turns; each answer is that of a verifier without memory."""
    issued = town.issue()
    tampered = Issued({**issued.credential, "name": "x"}, issued.receipt)
    for _ in range(3):
        for item in (issued, tampered, issued):
            fresh = Verifier(town.directory.policy, clock=town.clock, gather=town.verifier._gather)
            assert town.judge(item).codes == town.judge(item, verifier=fresh).codes


# ---- what must not leak


def leaked(text: str) -> list[str]:
    return [secret for secret in SECRET_CLAIMS if secret in text]


def secrets_of(town: Town, wallet: Wallet) -> list[str]:
    keys = town.board.institution.keys
    raw = [keys.assertion.secret, keys.update.secret, keys.next_update.secret, wallet._signer.secret]
    return [PASSPHRASE, *(form for secret in raw for form in (secret.hex(), repr(secret), base64.urlsafe_b64encode(secret).decode().rstrip("=")))]


BAD_CLAIMS: dict[str, Callable[[Town], Report]] = {
    "schema": lambda town: town.judge(town.made(subject={"npi": "SEC-bad", "licenseNumber": ["SEC-x"]})),
    "data_model": lambda town: town.judge(town.draft(validFrom="Zyxwvutsk")),
    "tampered": lambda town: town.judge(Issued({**town.issue().credential, "credentialSubject": {"id": town.wallet.did, "name": "Qqfamily"}}, {})),
    "restrictions": lambda town: town.judge(town.made(subject={"restrictions": [{"code": "SEC-", "text": "Qqfamily"}]})),
    "board": lambda town: town.judge(town.made(subject={"board": {"id": "SEC-", "name": "Qqfamily"}})),
    "revoked": lambda town: revoked(town),
    "accepted": lambda town: town.show(town.issue()),
}


def revoked(town: Town) -> Report:
    issued = town.issue()
    town.board.revoke(issued, reason="Qqfamily's case")
    return town.show(issued)


@pytest.mark.parametrize("name", BAD_CLAIMS)
def test_claims_are_in_no_report_and_in_no_exception_about_one(town: Town, name: str) -> None:
    report = BAD_CLAIMS[name](town)
    assert leaked(json.dumps(report.to_json())) == []
    assert leaked(repr(report)) == []
    if report.verdict is not Verdict.ACCEPT:
        with pytest.raises(VerificationError) as refusal:
            _ = report.credentials
        assert leaked("".join(traceback.format_exception(refusal.value))) == []


def test_claims_and_secrets_are_in_no_repr(town: Town) -> None:
    issued = town.issue()
    row = town.board.issued(issued)
    objects = [
        issued, row, town.wallet, town.board, town.board.institution, town.board.institution.keys, town.directory, town.verifier, town.stranger,
        town.verifier.policy, Evidence(), town.board.history(issued), list(town.board._register.status_lists("")),
    ]  # fmt: skip
    text = repr(objects)
    assert leaked(text) == []
    assert [secret for secret in secrets_of(town, town.wallet) if secret in text] == []


def test_claims_and_secrets_are_in_no_exception(town: Town) -> None:
    issued = town.issue()
    sealed = town.folder / "wallets" / "ann.wallet"
    faults: list[Callable[[], object]] = [
        lambda: town.board.issue(town.license(license_number=issued.credential["credentialSubject"]["licenseNumber"]), to=town.wallet.did),
        lambda: town.board.issue(town.license(jurisdiction="US-SC"), to=town.wallet.did),
        lambda: town.stranger.add(issued),
        lambda: town.directory.wallet("ann", passphrase="correct horse staple"),
        lambda: Wallet.open(sealed.read_bytes()[:-40] + b"}" + bytes(39), PASSPHRASE, clock=town.clock),
        lambda: Issued.parse(issued.to_json()[:-1]),
        lambda: Issued.parse(strict_json.dumps(issued.credential)),
        lambda: town.board.suspend(issued, reason="r", state="SEC-"),
    ]
    for fault in faults:
        with pytest.raises((DidHealthError, ValueError)) as raised:
            fault()
        text = "".join(traceback.format_exception(raised.value)).split("\n")
        # Source lines quote this test, which names no secret.
        told = "\n".join(line for line in text if not line.startswith(" "))
        assert leaked(told) == []
        assert [secret for secret in [*secrets_of(town, town.wallet), "correct horse staple"] if secret in told] == []


def test_nothing_of_a_holder_is_on_the_ledger(town: Town) -> None:
    issued = town.issue()
    town.board.suspend(issued, reason="Qqfamily's case", order="SEC-order")
    files = [path for path in town.folder.rglob("*") if path.is_file() and "registers" not in path.parts]
    assert len(files) > 10
    for path in files:
        data = path.read_bytes()
        assert not any(text.encode() in data for text in (*SECRET_CLAIMS, town.wallet.did, issued.id)), path.name


# ---- keys that were replaced


@pytest.fixture
def rotated(town: Town) -> tuple[Board, Issued, InstitutionKeys]:
    """A board that issued, and then replaced its keys; what it had issued, and the keys that somebody may have stolen."""
    board = town.directory.create_board(f"rotated-{town.nonce()}".lower().replace("_", "-"), title="A Board", jurisdiction="US-NC", professions=["MD"])
    issued = town.issue(board=board)
    stolen = board.institution.keys
    town.ticking(1)
    board.institution.rotate(lambda _: None)
    return board, issued, stolen


def test_what_was_logged_before_a_rotation_stays_good(town: Town, rotated: tuple[Board, Issued, InstitutionKeys]) -> None:
    board, issued, _ = rotated
    assert town.judge(issued).verdict is Verdict.ACCEPT
    board.suspend(issued, reason="seen under the new key")
    refused(town.judge(issued), CheckName.STATUS, "suspended")
    assert town.judge(town.issue(board=board, license_number="after")).verdict is Verdict.ACCEPT


def test_a_retired_key_signs_nothing_more_even_under_a_true_receipt(town: Town, rotated: tuple[Board, Issued, InstitutionKeys]) -> None:
    board, issued, stolen = rotated
    method = f"{board.did}#{stolen.assertion.public_key.multikey}"
    document = {name: value for name, value in issued.credential.items() if name != "proof"}
    forged = town.signed({**document, "id": "urn:uuid:00000000-0000-4000-8000-000000000001"}, signer=stolen.assertion, method=method)
    refused(town.judge(town.logged(forged, by=board.institution)), CheckName.RECEIPT, "key_retired")
    refused(town.judge(Issued(forged, issued.receipt)), CheckName.RECEIPT, "receipt_invalid")
    waived = town.judge(forged, waive=[CheckName.HOLDER_BINDING, CheckName.RECEIPT])
    refused(waived, CheckName.PROOF, "key_retired")


def test_the_ledger_takes_nothing_signed_with_a_retired_key(town: Town, rotated: tuple[Board, Issued, InstitutionKeys]) -> None:
    board, issued, stolen = rotated
    ledger, subject = town.directory.ledger, subject_of(Kind.ISSUANCE_BATCH, board.did)
    method = f"{board.did}#{stolen.assertion.public_key.multikey}"
    content = IssuanceBatch([credential_digest(issued.credential)]).content
    entry = prepare(
        Kind.ISSUANCE_BATCH, subject, content, author=method, signer=stolen.assertion, now=town.clock(), previous=ledger.latest(subject)
    )
    with pytest.raises(VerificationError) as refusal:
        ledger.submit([entry])
    assert refusal.value.code == "INVALID_VERIFICATION_METHOD"
