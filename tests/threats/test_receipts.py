"""What receipts and a verifier's log promise: no claim is in them, none can be forged, and what was deleted is missed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from did_health.encoding import strict_json
from did_health.errors import VerificationError
from did_health.ledger.batch import IssuanceBatch, credential_digest
from did_health.ledger.entry import Kind, subject_of
from did_health.ledger.log import prepare
from did_health.roles.holder import Wallet
from did_health.roles.institution import Institution, InstitutionKeys
from did_health.roles.issuer import Board
from did_health.roles.log_review import LogReview, review_log
from did_health.roles.receipts import verify_receipt
from did_health.roles.received_receipt import ReceivedReceipt
from did_health.roles.report import CheckName
from did_health.roles.verifier_log import KeptReceipt
from did_health.stores.tables import receipt_batches, verification_receipts, verifier_log
from did_health.vc.proofs.data_integrity import add_proof
from tests.cli_runs import documents
from tests.pharmacy_parties import Pharmacy
from tests.town import SECRET_CLAIMS, Town

CLAIMS = (*SECRET_CLAIMS, "1980-01-01")


@pytest.fixture(scope="module")
def kept(own_town: Town, csp: Board, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Institution]:
    """A store with five rows in its log, of which the ledger has the heads of the third and the fourth."""
    path = Path(tmp_path_factory.mktemp("kept")) / "kept.sqlite"
    pharmacy = Pharmacy(own_town, csp, database=str(path))
    patient = pharmacy.patient()
    for number in range(5):
        pharmacy.record(patient)
        if number in (2, 3):
            pharmacy.book.publish()
    pharmacy.close()
    return path, pharmacy.institution


@pytest.fixture
def pharmacy(own_town: Town, csp: Board, kept: tuple[Path, Institution], tmp_path: Path) -> Iterator[Pharmacy]:
    """Each test has a copy of that store; none of them may publish."""
    shutil.copy(kept[0], tmp_path / "copy.sqlite")
    pharmacy = Pharmacy(own_town, csp, institution=kept[1], database=str(tmp_path / "copy.sqlite"))
    yield pharmacy
    pharmacy.close()


@pytest.fixture(scope="module")
def shared(own_town: Town, csp: Board) -> Iterator[Pharmacy]:
    """A pharmacy whose store nobody touches."""
    pharmacy = Pharmacy(own_town, csp, "shared")
    yield pharmacy
    pharmacy.close()


def reviewed(pharmacy: Pharmacy, *held: ReceivedReceipt) -> LogReview:
    policy = pharmacy.town.directory.policy.ledger
    assert policy is not None
    return review_log(pharmacy.records, pharmacy.institution.did, pharmacy.town.directory.ledger, policy, held)


def received(pharmacy: Pharmacy, wallet: Wallet) -> ReceivedReceipt:
    recorded = pharmacy.record(wallet)
    pharmacy.book.publish()
    return pharmacy.book.receipt(recorded.receipts[wallet.did].id)


def test_no_claim_is_in_receipts_logs_or_ledger(shared: Pharmacy) -> None:
    wallet = shared.patient()
    one = received(shared, wallet)
    rows = [row.content for row in shared.records.rows(shared.institution.did)]
    for data in (one.to_json(), *rows, *documents(shared.town.folder)):
        for claim in CLAIMS:
            assert claim.encode() not in data
    # Nor is it in the ledger who was there.
    for data in documents(shared.town.folder):
        assert wallet.did.encode() not in data
        assert one.id.encode() not in data


def test_no_claim_shows_in_the_representation_of_a_receipt(shared: Pharmacy) -> None:
    wallet = shared.patient()
    one = received(shared, wallet)
    kept = shared.records.receipt(shared.institution.did, one.id)
    (row, *_) = shared.records.rows(shared.institution.did)
    for thing in (one, kept, row):
        assert wallet.did not in repr(thing)


def forged_by_the_holder(pharmacy: Pharmacy, wallet: Wallet, one: dict[str, Any]) -> dict[str, Any]:
    """Signed by the patient, in the pharmacy's name."""
    signer = wallet._signer
    method = f"{wallet.did}#{wallet.did.removeprefix('did:key:')}"
    return add_proof(one, suite="eddsa-jcs-2022", signer=signer, verification_method=method, created=pharmacy.town.clock())


def of_another_institution(pharmacy: Pharmacy, wallet: Wallet, one: dict[str, Any]) -> dict[str, Any]:
    """Signed by a board, in the pharmacy's name."""
    return pharmacy.town.board.institution.secured(one, created=pharmacy.town.clock())


def naming_another_verifier(pharmacy: Pharmacy, wallet: Wallet, one: dict[str, Any]) -> dict[str, Any]:
    one["credentialSubject"]["verifier"] = pharmacy.town.board.did
    return pharmacy.institution.secured(one, created=pharmacy.town.clock())


def with_claims_in_it(pharmacy: Pharmacy, wallet: Wallet, one: dict[str, Any]) -> dict[str, Any]:
    one["credentialSubject"]["birthDate"] = "1980-01-01"
    return pharmacy.institution.secured(one, created=pharmacy.town.clock())


def from_the_future(pharmacy: Pharmacy, wallet: Wallet, one: dict[str, Any]) -> dict[str, Any]:
    one["credentialSubject"]["at"] = "2099-01-01T00:00:00Z"
    return pharmacy.institution.secured(one, created=pharmacy.town.clock())


def that_cannot_be_read(pharmacy: Pharmacy, wallet: Wallet, one: dict[str, Any]) -> dict[str, Any]:
    one["credentialSubject"]["purpose"] = "marketing"
    return pharmacy.institution.secured(one, created=pharmacy.town.clock())


@pytest.mark.parametrize(
    ("forge", "code"),
    [
        (forged_by_the_holder, "wrong_controller"),
        (of_another_institution, "wrong_controller"),
        (naming_another_verifier, "receipt_of_another_verifier"),
        (with_claims_in_it, "schema_violated"),
        (from_the_future, "receipt_from_the_future"),
        (that_cannot_be_read, "receipt_malformed"),
    ],
)
def test_a_forged_receipt_is_refused(
    shared: Pharmacy, forge: Callable[[Pharmacy, Wallet, dict[str, Any]], dict[str, Any]], code: str
) -> None:
    wallet = shared.patient()
    document = json.loads(json.dumps(received(shared, wallet).credential))
    del document["proof"]
    report = verify_receipt(ReceivedReceipt(forge(shared, wallet, document)), shared.town.verifier)
    assert report.verdict == "refuse"
    assert code in report.codes


def test_a_changed_receipt_is_refused(shared: Pharmacy) -> None:
    one = json.loads(received(shared, shared.patient()).to_json())
    one["credential"]["credentialSubject"]["verdict"] = "refuse"
    report = verify_receipt(ReceivedReceipt.parse(strict_json.dumps(one)), shared.town.verifier)
    assert {"proof_invalid", "receipt_proof_invalid"} <= set(report.codes)


def test_the_proof_of_another_verifiers_batch_is_refused(shared: Pharmacy) -> None:
    """A receipt that is in a batch, but not in one of its own verifier."""
    other = Pharmacy(shared.town, shared.csp, f"other-{shared.town.nonce()}")
    (mine,) = shared.record(shared.patient()).receipts.values()
    kept = shared.records.receipt(shared.institution.did, mine.id)
    assert kept is not None
    other.records.append(other.institution.did, b'{"format":"did-health/verifier-log/v1","receipts":[]}', [kept])
    other.book.publish()
    disguised = other.book.receipt(mine.id)
    assert disguised.proof is not None
    report = verify_receipt(ReceivedReceipt(mine.credential, disguised.proof), shared.town.verifier)
    assert report.codes == ("receipt_proof_invalid",)
    other.close()


# ---- keys that were replaced


@pytest.fixture
def rotated(own_town: Town, csp: Board) -> Iterator[tuple[Pharmacy, ReceivedReceipt, InstitutionKeys]]:
    """A pharmacy that gave and logged a receipt, and then replaced its keys; the keys are those that somebody may have stolen."""
    pharmacy = Pharmacy(own_town, csp, f"rotated-{own_town.nonce()}")
    one, stolen = received(pharmacy, pharmacy.patient()), pharmacy.institution.keys
    own_town.ticking(1)
    pharmacy.institution.rotate(lambda _: None)
    yield pharmacy, one, stolen
    pharmacy.close()


def forged_with(pharmacy: Pharmacy, one: ReceivedReceipt, stolen: InstitutionKeys) -> dict[str, Any]:
    """Another receipt of the same time and person, as a thief of the old key would sign it."""
    document = {name: value for name, value in one.credential.items() if name != "proof"} | {"id": "urn:uuid:00000000-0000-4000-8000-000000000001"}
    method = f"{pharmacy.institution.did}#{stolen.assertion.public_key.multikey}"
    return pharmacy.town.signed(document, signer=stolen.assertion, method=method, created=one.receipt.at)


def test_a_receipt_that_was_logged_outlives_the_key_that_signed_it(rotated: tuple[Pharmacy, ReceivedReceipt, InstitutionKeys]) -> None:
    pharmacy, one, _ = rotated
    assert verify_receipt(one, pharmacy.town.verifier).verdict == "accept"
    later = received(pharmacy, pharmacy.patient())
    assert verify_receipt(later, pharmacy.town.verifier).verdict == "accept"
    assert verify_receipt(one, pharmacy.town.verifier).verdict == "accept"
    assert reviewed(pharmacy).findings == ()


def test_a_receipt_that_was_not_logged_in_time_cannot_be_told_from_a_forged_one(own_town: Town, csp: Board) -> None:
    pharmacy = Pharmacy(own_town, csp, f"late-{own_town.nonce()}")
    (one,) = pharmacy.record(pharmacy.patient()).receipts.values()
    own_town.ticking(1)
    pharmacy.institution.rotate(lambda _: None)
    report = verify_receipt(one, own_town.verifier)
    assert (report.verdict, report.codes) == ("indeterminate", ("key_retired",))
    pharmacy.book.publish()
    late = verify_receipt(pharmacy.book.receipt(one.id), own_town.verifier)
    assert (late.verdict, late.codes) == ("indeterminate", ("key_retired",))
    assert "only after that" in late.check(CheckName.RECEIPT).sentence
    pharmacy.close()


def test_a_stolen_retired_key_forges_no_old_receipt(rotated: tuple[Pharmacy, ReceivedReceipt, InstitutionKeys]) -> None:
    pharmacy, one, stolen = rotated
    forged, verifier = forged_with(pharmacy, one, stolen), pharmacy.town.verifier
    # Bare: nobody can tell when it was signed. Under the proof of a true receipt: it is not the one in that batch.
    assert verify_receipt(ReceivedReceipt(forged), verifier).codes == ("key_retired",)
    borrowed = verify_receipt(ReceivedReceipt(forged, one.proof), verifier)
    assert (borrowed.verdict, borrowed.codes) == ("refuse", ("receipt_proof_invalid",))
    # Nor does the ledger take a batch of the thief's, whatever day stands in the receipt.
    ledger, subject = pharmacy.town.directory.ledger, subject_of(Kind.RECEIPT_BATCH, pharmacy.institution.did)
    content, method = IssuanceBatch([credential_digest(forged)]).content, forged["proof"]["verificationMethod"]
    entry = prepare(Kind.RECEIPT_BATCH, subject, content, author=method, signer=stolen.assertion, now=pharmacy.town.clock(), previous=ledger.latest(subject))
    with pytest.raises(VerificationError) as refusal:
        ledger.submit([entry])
    assert refusal.value.code == "INVALID_VERIFICATION_METHOD"
    # And a batch of somebody else's is not the pharmacy's.
    elsewhere = pharmacy.town.logged(forged)
    assert elsewhere.receipt is not None
    disguised = {**elsewhere.receipt, "format": "did-health/receipt-proof/v1"}
    assert verify_receipt(ReceivedReceipt(forged, disguised), verifier).codes == ("receipt_proof_invalid",)


def test_a_retired_key_signs_no_receipt_even_into_a_true_batch(rotated: tuple[Pharmacy, ReceivedReceipt, InstitutionKeys]) -> None:
    """Somebody has put it into the pharmacy's own store, and the pharmacy logs it."""
    pharmacy, one, stolen = rotated
    forged = forged_with(pharmacy, one, stolen)
    kept = KeptReceipt(str(forged["id"]), credential_digest(forged), strict_json.dumps(forged))
    pharmacy.records.append(pharmacy.institution.did, b'{"format":"did-health/verifier-log/v1","receipts":[]}', [kept])
    pharmacy.book.publish()
    report = verify_receipt(pharmacy.book.receipt(kept.id), pharmacy.town.verifier)
    assert (report.verdict, report.codes) == ("indeterminate", ("key_retired",))


def test_without_the_check_of_the_receipt_a_retired_key_proves_nothing(rotated: tuple[Pharmacy, ReceivedReceipt, InstitutionKeys]) -> None:
    pharmacy, one, _ = rotated
    report = pharmacy.town.verifier.verify(one.to_object(), waive=[CheckName.HOLDER_BINDING, CheckName.RECEIPT])
    assert (report.verdict, report.codes) == ("refuse", ("key_retired",))


@pytest.mark.parametrize("proof", [7, "x", [], {"format": "did-health/issuance-receipt/v1"}])
def test_what_is_no_proof_proves_nothing(shared: Pharmacy, proof: object) -> None:
    (one,) = shared.record(shared.patient()).receipts.values()
    report = shared.town.verifier.verify({"credential": one.credential, "receiptProof": proof}, waive=[CheckName.HOLDER_BINDING])  # type: ignore[dict-item]
    assert (report.verdict, report.codes) == ("refuse", ("receipt_proof_invalid",))


def test_a_log_that_nobody_touched_is_whole(pharmacy: Pharmacy) -> None:
    review = reviewed(pharmacy)
    assert (review.findings, review.rows, review.batches, review.covered) == ((), 5, 2, 3)


LOG, RECEIPTS, BATCHES = verifier_log, verification_receipts, receipt_batches
TAMPERINGS: dict[str, tuple[list[Any], set[str]]] = {
    "the first row deleted": ([delete(LOG).where(LOG.c.position == 0)], {"row_missing"}),
    "a row in the middle deleted": ([delete(LOG).where(LOG.c.position == 1)], {"row_missing"}),
    "the rows up to the head deleted": ([delete(LOG).where(LOG.c.position >= 3)], {"head_contradicted"}),
    "all rows deleted": ([delete(LOG)], {"head_contradicted"}),
    "a row changed": ([update(LOG).where(LOG.c.position == 1).values(content=b'{"format":"did-health/verifier-log/v1"}')], {"row_changed"}),
    "a row made unreadable": ([update(LOG).where(LOG.c.position == 1).values(content=b"{")], {"row_changed", "row_malformed"}),
    "a row of another format": ([update(LOG).where(LOG.c.position == 1).values(content=b"{}")], {"row_changed", "row_malformed"}),
    "a row cut out and the next one mended": (
        [delete(LOG).where(LOG.c.position == 1), update(LOG).where(LOG.c.position == 2).values(position=1)], {"row_changed", "row_missing"},
    ),
    "a receipt deleted": ([delete(RECEIPTS).where(RECEIPTS.c.place == 0)], {"receipt_missing"}),
    "a receipt changed": ([update(RECEIPTS).where(RECEIPTS.c.place == 0).values(document=b"{}")], {"receipt_missing"}),
    "the newest batch deleted": ([delete(BATCHES).where(BATCHES.c.number == 1)], {"batch_missing"}),
    "an older batch deleted": ([delete(BATCHES).where(BATCHES.c.number == 0)], {"batch_missing"}),
    "log and batches deleted": ([delete(LOG), delete(BATCHES), delete(RECEIPTS)], {"batch_missing"}),
    "a batch with other members": (
        [update(BATCHES).where(BATCHES.c.number == 1).values(members=bytes(64))], {"head_contradicted", "batch_unproved", "batch_changed"},
    ),
    "a batch of half a digest": ([update(BATCHES).where(BATCHES.c.number == 1).values(members=bytes(40))], {"batch_changed"}),
    "a batch of nothing": ([update(BATCHES).where(BATCHES.c.number == 1).values(members=b"")], {"batch_changed"}),
    "a batch whose proof is garbage": ([update(BATCHES).where(BATCHES.c.number == 1).values(ledger_proof="x")], {"batch_unproved"}),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_was_deleted_or_changed_shows(pharmacy: Pharmacy, name: str) -> None:
    statements, codes = TAMPERINGS[name]
    with pharmacy.database.write() as connection:
        for statement in statements:
            connection.execute(statement)
    review = reviewed(pharmacy)
    assert codes <= {finding.code for finding in review.findings}, review.findings
    assert not review.is_whole


def test_rows_rewritten_from_the_first_on_contradict_the_heads_on_the_ledger(pharmacy: Pharmacy) -> None:
    """Whoever has the store can compute a new chain; the ledger has the old one's heads."""
    did = pharmacy.institution.did
    kept = list(pharmacy.records.rows(did))
    with pharmacy.database.write() as connection:
        connection.execute(delete(LOG))
    for row in kept[1:]:
        pharmacy.records.append(did, row.content, [])
    assert {finding.code for finding in reviewed(pharmacy).findings} >= {"head_contradicted"}


def cut_after(pharmacy: Pharmacy, position: int) -> None:
    with pharmacy.database.write() as connection:
        connection.execute(delete(LOG).where(LOG.c.position > position))


def test_rows_after_the_newest_head_are_those_that_only_holders_vouch_for(pharmacy: Pharmacy) -> None:
    cut_after(pharmacy, 3)
    review = reviewed(pharmacy)
    assert review.is_whole
    assert (review.rows, review.covered) == (4, 3)


def test_who_holds_a_receipt_misses_its_row_and_the_row_before(pharmacy: Pharmacy) -> None:
    first, second = (next(iter(pharmacy.record(pharmacy.patient()).receipts.values())) for _ in range(2))
    assert [one.receipt.log_head for one in (first, second)] == [row.digest for row in list(pharmacy.records.rows(pharmacy.institution.did))[4:6]]
    assert verify_receipt(second, pharmacy.town.verifier).verdict == "conditional"
    assert reviewed(pharmacy, first, second).is_whole
    # The last row alone is cut off: whoever it was about has its receipt.
    cut_after(pharmacy, 5)
    assert [(one.code, one.where) for one in reviewed(pharmacy, first, second).findings] == [("row_missing", second.id)]
    # And the one before it.
    cut_after(pharmacy, 4)
    assert {one.where for one in reviewed(pharmacy, first, second).findings} == {first.id, second.id}
    assert len(reviewed(pharmacy, second).findings) == 2


def test_a_row_of_nobody_is_missed_by_whoever_came_after(pharmacy: Pharmacy) -> None:
    """It names no receipt, and no head was logged since; it is cut out, and all rows after it are written anew."""
    did = pharmacy.institution.did
    pharmacy.records.append(did, b'{"format":"did-health/verifier-log/v1","receipts":[]}', [])
    (later,) = pharmacy.record(pharmacy.patient()).receipts.values()
    kept = list(pharmacy.records.rows(did))
    assert reviewed(pharmacy, later).is_whole
    cut_after(pharmacy, 4)
    pharmacy.records.append(did, kept[6].content, [])
    assert reviewed(pharmacy).is_whole
    (finding,) = reviewed(pharmacy, later).findings
    assert (finding.code, finding.where) == ("row_missing", later.id)
    assert "was there when a receipt was signed" in finding.sentence


def test_the_first_receipt_of_a_log_names_no_row_before_it(own_town: Town, csp: Board) -> None:
    pharmacy = Pharmacy(own_town, csp, f"first-{own_town.nonce()}")
    (one,) = pharmacy.record(pharmacy.patient()).receipts.values()
    assert one.receipt.log_head == b""
    assert "logHead" not in one.credential["credentialSubject"]
    assert reviewed(pharmacy, one).is_whole
    pharmacy.close()


def test_another_verifiers_proof_does_not_make_a_batch(pharmacy: Pharmacy) -> None:
    other = Pharmacy(pharmacy.town, pharmacy.csp, f"other-{pharmacy.town.nonce()}")
    with pharmacy.database.read() as connection:
        rows = connection.execute(select(BATCHES)).all()
    for row in rows:
        with other.database.write() as connection:
            connection.execute(BATCHES.insert().values(**{**row._asdict(), "verifier": other.institution.did}))
    assert {finding.code for finding in reviewed(other).findings} == {"head_contradicted", "batch_unproved"}
    other.close()


def test_a_digest_on_the_ledger_tells_nothing_that_could_be_guessed(shared: Pharmacy) -> None:
    """Two receipts that say the same have different digests, for each has random ids and a signature over them."""
    wallet = shared.patient()
    first, second = received(shared, wallet), received(shared, wallet)
    assert credential_digest(first.credential) != credential_digest(second.credential)
    latest = shared.town.directory.ledger.latest(subject_of(Kind.RECEIPT_BATCH, shared.institution.did))
    assert latest is not None
    assert wallet.did.encode() not in latest.entry
