"""Issuance batches and receipts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from did_health.encoding import cbor
from did_health.encoding.jcs import canonicalize
from did_health.errors import FormatError, VerificationError
from did_health.ledger.batch import IssuanceBatch, IssuanceReceipt, credential_digest, parse_batch_content
from did_health.ledger.entry import Kind, subject_of
from did_health.limits import MAX_ISSUANCE_BATCH
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.witness_policy import WitnessPolicy
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, Board, Clock, new_ledger

NOW = int(START.timestamp())


def digests(count: int) -> list[bytes]:
    return [hashlib.sha256(str(number).encode()).digest() for number in range(count)]


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Board, WitnessPolicy, list[bytes], list[IssuanceReceipt]]:
    folder: Path = tmp_path_factory.mktemp("ledger")
    ledger = new_ledger(folder, Clock())
    board = Board("board.example", repeatable_bytes("batch")).join(ledger)
    credentials = digests(21)
    batch, submission = board.batch(ledger, credentials)
    (entry,) = ledger.submit([submission])
    ledger.close()
    return board, WitnessPolicy.parse(ledger.policy_text), credentials, batch.receipts(entry.proof)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 100])
def test_root_and_paths_are_those_of_the_log_tree(count: int) -> None:
    batch = IssuanceBatch(digests(count))
    tree = Tree.from_leaf_hashes(leaf_hash(digest) for digest in digests(count))
    assert batch.root == tree.root()
    assert [batch.path(index) for index in range(count)] == [tree.inclusion_proof(index) for index in range(count)]
    assert parse_batch_content(batch.content) == (batch.root, count)


@pytest.mark.parametrize("wrong", [[], [bytes(31)]], ids=["empty", "short_digest"])
def test_a_batch_of_no_digests_is_the_callers_mistake(wrong: list[bytes]) -> None:
    with pytest.raises(ValueError):
        IssuanceBatch(wrong)


def test_there_is_no_path_beyond_the_batch() -> None:
    with pytest.raises(ValueError, match="number 3"):
        IssuanceBatch(digests(3)).path(3)


def test_the_credential_digest_covers_its_proof_and_not_its_spelling() -> None:
    document = {"b": 1, "a": {"proof": "z"}}
    assert credential_digest(document) == hashlib.sha256(canonicalize({"a": {"proof": "z"}, "b": 1})).digest()
    assert credential_digest(document) != credential_digest({"b": 1, "a": {}})


def test_every_receipt_of_a_logged_batch_verifies(logged: tuple[Board, WitnessPolicy, list[bytes], list[IssuanceReceipt]]) -> None:
    board, policy, credentials, receipts = logged
    for digest, receipt in zip(credentials, receipts, strict=True):
        facts = IssuanceReceipt.parse(receipt.to_json()).verify(digest, policy, now=NOW)
        assert facts.entry.subject == subject_of(Kind.ISSUANCE_BATCH, board.did)
        assert facts.entry.author == board.author
        assert (facts.timestamp, facts.index, facts.checkpoint.checkpoint.size) == (NOW, 2, 4)
    assert len({receipt.proof_digest for receipt in receipts}) == 1


def test_json_and_object_are_the_same_receipt(logged: tuple[Board, WitnessPolicy, list[bytes], list[IssuanceReceipt]]) -> None:
    receipt = logged[3][5]
    assert json.loads(receipt.to_json()) == receipt.to_object()
    assert IssuanceReceipt.parse(receipt.to_object()) == IssuanceReceipt.parse(receipt.to_json()) == receipt


def test_a_receipt_does_not_fit_another_credential(logged: tuple[Board, WitnessPolicy, list[bytes], list[IssuanceReceipt]]) -> None:
    _, policy, credentials, receipts = logged
    with pytest.raises(VerificationError) as refused:
        receipts[4].verify(credentials[5], policy)
    assert refused.value.code == "inclusion_proof_invalid"


def test_a_tree_of_ones_own_is_not_the_batch_on_the_ledger(logged: tuple[Board, WitnessPolicy, list[bytes], list[IssuanceReceipt]]) -> None:
    _, policy, _, receipts = logged
    forged = IssuanceBatch([b"f" * 32])
    with pytest.raises(VerificationError) as refused:
        IssuanceReceipt(0, 1, forged.root, (), receipts[0].ledger_proof).verify(b"f" * 32, policy)
    assert refused.value.code == "receipt_batch_mismatch"


def test_a_count_other_than_the_logged_one_is_refused(logged: tuple[Board, WitnessPolicy, list[bytes], list[IssuanceReceipt]]) -> None:
    _, policy, credentials, receipts = logged
    with pytest.raises(VerificationError) as refused:
        replace(receipts[0], count=22).verify(credentials[0], policy)
    assert refused.value.code == "receipt_batch_mismatch"


def test_an_empty_policy_refuses_the_receipt(logged: tuple[Board, WitnessPolicy, list[bytes], list[IssuanceReceipt]]) -> None:
    with pytest.raises(VerificationError) as refused:
        logged[3][0].verify(logged[2][0], WitnessPolicy())
    assert refused.value.code == "policy_empty"


def test_the_proof_of_another_kind_of_entry_is_refused(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path, Clock())
    board = Board("board.example", repeatable_bytes("kind"))
    (entry,) = ledger.submit([board.first_line()])
    receipt = IssuanceBatch(digests(1)).receipts(entry.proof)[0]
    with pytest.raises(VerificationError) as refused:
        receipt.verify_ledger_proof(WitnessPolicy.parse(ledger.policy_text))
    assert refused.value.code == "receipt_not_a_batch"


def test_a_ledger_proof_without_its_entry_is_malformed(logged: tuple[Board, WitnessPolicy, list[bytes], list[IssuanceReceipt]]) -> None:
    _, policy, _, receipts = logged
    lines = receipts[0].ledger_proof.split("\n")
    with pytest.raises(FormatError, match="entry"):
        replace(receipts[0], ledger_proof="\n".join([lines[0], *lines[2:]])).verify_ledger_proof(policy)


def test_a_lone_surrogate_in_the_ledger_proof_is_malformed(logged: tuple[Board, WitnessPolicy, list[bytes], list[IssuanceReceipt]]) -> None:
    receipt = replace(logged[3][0], ledger_proof="\ud800")
    with pytest.raises(FormatError):
        receipt.verify_ledger_proof(logged[1])
    assert len(receipt.proof_digest) == 32


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"format": "did-health/issuance-receipt/v0"}, id="another_format"),
        pytest.param({"index": -1}, id="negative_index"),
        pytest.param({"index": 21}, id="index_beyond_count"),
        pytest.param({"index": True}, id="index_is_a_boolean"),
        pytest.param({"count": MAX_ISSUANCE_BATCH + 1}, id="count_over_limit"),
        pytest.param({"root": "AAAA"}, id="short_root"),
        pytest.param({"root": 1}, id="root_is_a_number"),
        pytest.param({"path": "AAAA"}, id="path_cut_off"),
        pytest.param({"path": "A" * 43 * 2000}, id="path_over_long"),
        pytest.param({"path": None}, id="no_path"),
        pytest.param({"ledgerProof": ""}, id="no_ledger_proof"),
    ],
)
def test_malformed_receipt_is_refused(
    logged: tuple[Board, WitnessPolicy, list[bytes], list[IssuanceReceipt]], changes: dict[str, object]
) -> None:
    with pytest.raises(FormatError):
        IssuanceReceipt.parse({**logged[3][0].to_object(), **changes})


@pytest.mark.parametrize(
    "value",
    [[], {1: bytes(32)}, {1: bytes(31), 2: 1}, {1: bytes(32), 2: 0}, {1: bytes(32), 2: MAX_ISSUANCE_BATCH + 1}, {1: bytes(32), 2: True}, {"1": 1, 2: 1}],
    ids=["array", "no_count", "short_root", "count_zero", "count_over_limit", "count_is_a_boolean", "text_key"],
)
def test_malformed_batch_content_is_refused(value: object) -> None:
    with pytest.raises(FormatError):
        parse_batch_content(cbor.dumps(value))
