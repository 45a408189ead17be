from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from did_health import limits
from did_health.did.methods import webvh
from did_health.encoding import multibase
from did_health.encoding.data_integrity import jcs_hash_data
from did_health.errors import FormatError, VerificationError
from tests.webvh_samples import LATER, approvals, day, key, new_log, next_line, signer, two_entries, witnesses


def witnessed(threshold: int = 1, *numbers: int) -> webvh.Log:
    return new_log(witness=witnesses(threshold, *(numbers or (7,))))


def merged(*files: bytes) -> bytes:
    return json.dumps([item for file in files for item in json.loads(file)]).encode()


def unapproved_from(log: webvh.Log, file: bytes | None) -> int:
    """The number of the first entry that lacks approval."""
    reading = webvh.read_log(log.encode(), file, now=LATER)
    assert isinstance(reading.fault, VerificationError)
    assert reading.fault.code == "witness_threshold_not_met"
    valid = len(reading.valid.entries) if reading.valid else 0
    assert reading.fault.where == f"line {valid + 1}"
    return valid + 1


def accepted(log: webvh.Log, file: bytes | None) -> bool:
    return webvh.Log.parse(log.encode(), file, now=LATER).witnessed


def test_the_first_entrys_own_witnesses_must_approve_it() -> None:
    log = witnessed()
    assert not log.witnessed
    assert unapproved_from(log, None) == 1
    assert accepted(log, approvals(log, 7))


def test_threshold_counts_witnesses_not_proofs() -> None:
    log = witnessed(2, 7, 8, 9)
    assert unapproved_from(log, approvals(log, 7)) == 1
    assert unapproved_from(log, approvals(log, 7, 7)) == 1
    assert unapproved_from(log, approvals(log, 7, 10)) == 1
    assert accepted(log, approvals(log, 7, 9))
    assert accepted(log, approvals(log, 7, 8, 9))


def test_a_later_proof_covers_earlier_entries() -> None:
    log = webvh.update(witnessed(2, 7, 8), signer=signer(1), now=day(1), ttl=1)
    assert accepted(log, approvals(log, 7, 8))
    assert accepted(log, merged(approvals(log, 7, version=1), approvals(log, 7, 8)))


def test_an_earlier_proof_does_not_cover_later_entries() -> None:
    log = webvh.update(witnessed(), signer=signer(1), now=day(1), ttl=1)
    assert unapproved_from(log, approvals(log, 7, version=1)) == 2


def test_one_witness_far_and_one_near() -> None:
    log = webvh.update(witnessed(2, 7, 8), signer=signer(1), now=day(1), ttl=1)
    assert unapproved_from(log, merged(approvals(log, 7), approvals(log, 8, version=1))) == 2


def test_new_witnesses_of_an_unwitnessed_did_are_active_at_once() -> None:
    log = webvh.update(new_log(), signer=signer(1), now=day(1), witness=witnesses(1, 7))
    assert unapproved_from(log, None) == 2
    assert accepted(log, approvals(log, 7))


def test_old_witnesses_approve_their_replacement() -> None:
    log = webvh.update(witnessed(), signer=signer(1), now=day(1), witness=witnesses(1, 8))
    assert unapproved_from(log, merged(approvals(log, 7, version=1), approvals(log, 8))) == 2
    assert accepted(log, approvals(log, 7))
    longer = webvh.update(log, signer=signer(1), now=day(2), ttl=1)
    assert unapproved_from(longer, approvals(longer, 7)) == 3
    assert accepted(longer, merged(approvals(longer, 7, version=2), approvals(longer, 8)))


def test_old_witnesses_approve_their_dismissal() -> None:
    log = webvh.update(witnessed(), signer=signer(1), now=day(1), witness=webvh.NO_WITNESSES)
    assert unapproved_from(log, approvals(log, 7, version=1)) == 2
    assert accepted(log, approvals(log, 7))
    longer = webvh.update(log, signer=signer(1), now=day(2), ttl=1)
    assert accepted(longer, approvals(log, 7))


def test_proofs_of_unpublished_entries_are_ignored() -> None:
    log = witnessed()
    longer = webvh.update(log, signer=signer(1), now=day(1), ttl=1)
    assert unapproved_from(log, approvals(longer, 7)) == 1
    assert accepted(log, merged(approvals(longer, 7), approvals(log, 7)))


def test_a_bad_later_proof_does_not_hide_a_good_earlier_one() -> None:
    log = webvh.update(witnessed(), signer=signer(1), now=day(1), witness=webvh.NO_WITNESSES)
    log = webvh.update(log, signer=signer(1), now=day(2), ttl=1)
    bad = json.loads(approvals(log, 7, version=3))
    bad[0]["proof"][0]["created"] = "2026-02-02T00:00:00Z"
    assert accepted(log, merged(json.dumps(bad).encode(), approvals(log, 7, version=2)))


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"cryptosuite": "eddsa-rdfc-2022"}, id="another-suite"),
        pytest.param({"proofPurpose": "authentication"}, id="another-purpose"),
        pytest.param({"created": "2026-02-02T00:00:00Z"}, id="changed-options"),
        pytest.param({"verificationMethod": f"did:key:{key(8)}#{key(8)}"}, id="anothers-key"),
        pytest.param({"verificationMethod": None}, id="no-key"),
    ],
)
def test_a_bad_proof_counts_for_nothing(members: dict[str, Any]) -> None:
    log = witnessed(1, 7, 8)
    file = json.loads(approvals(log, 7))
    file[0]["proof"][0].update(members)
    assert unapproved_from(log, json.dumps(file).encode()) == 1


def test_an_expired_proof_counts_for_nothing() -> None:
    log = witnessed()
    options = {**webvh.create_witness_proof(log.latest.version_id, signer(7), LATER), "expires": "2026-02-01T00:00:00Z"}
    del options["proofValue"]
    value = multibase.encode("z", signer(7).sign(jcs_hash_data({"versionId": log.latest.version_id}, options)))
    file = webvh.WitnessFile().adding(log.latest.version_id, {**options, "proofValue": value}).encode()
    assert webvh.Log.parse(log.encode(), file, now=datetime(2026, 1, 31, tzinfo=UTC)).witnessed
    assert unapproved_from(log, file) == 1


def test_verify_appended_wants_the_approvals() -> None:
    log = webvh.update(witnessed(), signer=signer(1), now=day(1), ttl=1)
    first = webvh.verify_appended(None, log.lines[0], LATER, approvals(log, 7, version=1))
    assert first.witnessed
    assert webvh.verify_appended(first, log.lines[1], LATER, approvals(log, 7)).witnessed
    for file in (None, approvals(log, 7, version=1)):
        with pytest.raises(VerificationError) as caught:
            webvh.verify_appended(first, log.lines[1], LATER, file)
        assert caught.value.code == "witness_threshold_not_met"


def test_a_proposed_entry_is_verified_but_not_witnessed() -> None:
    log = witnessed()
    proposed = webvh.verify_proposed(log.with_witness_proofs(approvals(log, 7), now=LATER), next_line(log), LATER)
    assert (len(proposed.entries), proposed.witnessed_through) == (2, 1)
    with pytest.raises(VerificationError):
        proposed.require_witnessed()
    assert proposed.with_witness_proofs(approvals(proposed, 7), now=LATER).require_witnessed().witnessed


class TestFile:
    def test_round_trip(self) -> None:
        file = approvals(two_entries(), 7, 8)
        assert webvh.WitnessFile.parse(file).encode() == file

    def test_items_without_proofs_are_read_and_not_written(self) -> None:
        assert webvh.WitnessFile.parse(b'[{"versionId": "1-Qm"}]').encode() == b"[]\n"

    def test_adding_to_an_entry_that_has_proofs(self) -> None:
        file = webvh.WitnessFile().adding("1-Qm", {"a": 1}).adding("1-Qm", {"b": 2})
        assert file.proofs == (("1-Qm", ({"a": 1}, {"b": 2})),)

    def test_pruning_keeps_the_latest_of_each_witness_and_the_unpublished(self) -> None:
        log = two_entries()
        longer = webvh.update(log, signer=signer(1), now=day(2), ttl=9)
        file = webvh.WitnessFile.parse(merged(approvals(log, 7, 8, version=1), approvals(log, 7, version=2), approvals(longer, 7, 8)))
        pruned = webvh.WitnessFile.parse(file.pruned(log.entries).encode())
        kept = [(version_id[0], sorted(proof["verificationMethod"].partition("#")[2] for proof in proofs)) for version_id, proofs in pruned.proofs]
        assert kept == [("1", [key(8)]), ("2", [key(7)]), ("3", sorted([key(7), key(8)]))]

    def test_pruning_drops_items_that_became_empty(self) -> None:
        log = two_entries()
        file = webvh.WitnessFile.parse(merged(approvals(log, 7, version=1), approvals(log, 7, version=2)))
        assert [version_id[0] for version_id, _ in file.pruned(log.entries).proofs] == ["2"]

    @pytest.mark.parametrize(
        "data", [b"", b"{}", b"[1]", b"[{}]", b'[{"versionId": 1}]', b'[{"versionId": "1", "proof": {}}]', b'[{"versionId": "1", "proof": [1]}]']
    )
    def test_malformed(self, data: bytes) -> None:
        with pytest.raises(FormatError):
            webvh.WitnessFile.parse(data)

    def test_too_large(self) -> None:
        with pytest.raises(FormatError):
            webvh.WitnessFile.parse(b" " * (limits.MAX_DID_WITNESS_BYTES + 1))

    def test_an_unreadable_file_matters_only_where_witnesses_do(self) -> None:
        assert accepted(new_log(), b"not json")
        with pytest.raises(FormatError):
            webvh.Log.parse(witnessed().encode(), b"not json", now=LATER)
