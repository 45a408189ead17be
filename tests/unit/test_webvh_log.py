from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from did_health import limits
from did_health.did.methods import webvh
from did_health.did.methods.webvh import log as log_module
from did_health.did.methods.webvh.entry import LogEntry
from did_health.errors import DidHealthError, FormatError, ResolutionError, UnsupportedError, VerificationError
from did_health.keys.base import Algorithm
from did_health.keys.nist import NISTSigner
from tests.webvh_samples import BEGIN, LATER, day, edited, first_line, key, new_log, next_line, signer, two_entries


def refused(log: webvh.Log | None, line: bytes, code: str, now: datetime = LATER) -> DidHealthError:
    with pytest.raises(DidHealthError) as caught:
        webvh.verify_appended(log, line, now)
    assert caught.value.code == code
    assert caught.value.where.startswith(f"line {len(log.entries) + 1 if log else 1}")
    return caught.value


def test_a_log_survives_encoding() -> None:
    log = two_entries()
    again = webvh.Log.parse(log.encode(), now=LATER)
    assert again == log
    assert again.lines == tuple(log.encode().splitlines())
    assert [entry.version_number for entry in again.entries] == [1, 2]
    assert again.entries[0].version_time == BEGIN
    assert again.latest.update_keys == (key(1),)
    assert again.latest.signers == again.update_author_keys == (key(1),)
    assert again.latest.did == again.did
    assert again.parameters.ttl == 60
    assert again.witnessed


def test_a_missing_last_newline_does_not_matter_and_a_blank_line_does() -> None:
    data = two_entries().encode()
    assert len(webvh.Log.parse(data[:-1], now=LATER).entries) == 2
    with pytest.raises(FormatError):
        webvh.Log.parse(data + b"\n", now=LATER)


def test_a_log_begins_and_continues_line_by_line() -> None:
    log = two_entries()
    begun = webvh.verify_appended(None, log.lines[0], LATER)
    assert webvh.verify_appended(begun, log.lines[1], LATER) == log


def test_verify_appended_leaves_the_previous_log_alone() -> None:
    log = new_log()
    webvh.verify_appended(log, next_line(log), LATER)
    assert len(log.entries) == 1


def test_empty_log() -> None:
    for data in (b"", b"\n"):
        with pytest.raises(FormatError):
            webvh.Log.parse(data, now=LATER)


def test_naive_time_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="time zone"):
        webvh.Log.parse(new_log().encode(), now=datetime(2026, 3, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        new_log().version(version_time=datetime(2026, 3, 1))  # noqa: DTZ001


class TestLine:
    line = new_log().lines[0]

    @pytest.mark.parametrize(
        "members",
        [
            pytest.param({"versionId": 1}, id="version-id-a-number"),
            pytest.param({"versionId": "0-Qm"}, id="version-zero"),
            pytest.param({"versionId": "1"}, id="version-without-hash"),
            pytest.param({"versionId": "1-O0"}, id="hash-not-base58"),
            pytest.param({"versionTime": 1}, id="time-a-number"),
            pytest.param({"versionTime": "2026-01-01"}, id="time-without-hour"),
            pytest.param({"versionTime": "2026-01-01T09:00:00+01:00"}, id="time-not-utc"),
            pytest.param({"versionTime": "2026-02-30T09:00:00Z"}, id="no-such-day"),
            pytest.param({"state": "document"}, id="state-a-text"),
            pytest.param({"parameters": None}, id="no-parameters"),
            pytest.param({"parameters": []}, id="parameters-a-list"),
            pytest.param({"proof": None}, id="no-proof"),
            pytest.param({"proof": []}, id="empty-proof"),
            pytest.param({"proof": "z1"}, id="proof-a-text"),
            pytest.param({"proof": ["z1"]}, id="proofs-of-text"),
            pytest.param({"proof": [json.loads(line)["proof"][0]] * 17}, id="too-many-proofs"),
            pytest.param({"more": 1}, id="undefined-member"),
        ],
    )
    def test_malformed(self, members: dict[str, Any]) -> None:
        with pytest.raises(FormatError):
            LogEntry.parse(edited(self.line, **members))

    @pytest.mark.parametrize(
        "members",
        [
            pytest.param({"type": "Ed25519Signature2020"}, id="another-type"),
            pytest.param({"proofPurpose": "authentication"}, id="another-purpose"),
            pytest.param({"@context": []}, id="context"),
            pytest.param({"previousProof": "urn:x"}, id="chain"),
            pytest.param({"created": 1}, id="created-a-number"),
            pytest.param({"created": "now"}, id="created-not-a-time"),
            pytest.param({"expires": "never"}, id="expires-not-a-time"),
            pytest.param({"proofValue": None}, id="no-proof-value"),
            pytest.param({"proofValue": "u" + "A" * 86}, id="proof-value-in-base64"),
            pytest.param({"proofValue": "z1"}, id="signature-too-short"),
            pytest.param({"verificationMethod": key(1)}, id="key-without-did"),
            pytest.param({"verificationMethod": f"did:key:{key(1)}"}, id="key-without-fragment"),
            pytest.param({"verificationMethod": f"did:key:{key(1)}#{key(2)}"}, id="key-with-anothers-fragment"),
        ],
    )
    def test_malformed_proof(self, members: dict[str, Any]) -> None:
        proof = {**json.loads(self.line)["proof"][0], **members}
        with pytest.raises(FormatError) as caught:
            LogEntry.parse(edited(self.line, proof=[proof]))
        assert caught.value.where.startswith("/proof/0") or not caught.value.where

    def test_two_lines_are_not_one(self) -> None:
        with pytest.raises(FormatError):
            LogEntry.parse(self.line + b"\n")

    def test_other_suites_and_keys_are_not_supported(self) -> None:
        proof = json.loads(self.line)["proof"][0]
        p256 = NISTSigner(Algorithm.P256, bytes(31) + b"\x01").public_key.multikey
        for members in ({"cryptosuite": "eddsa-rdfc-2022"}, {"verificationMethod": f"did:key:{p256}#{p256}"}):
            with pytest.raises(UnsupportedError):
                LogEntry.parse(edited(self.line, proof=[{**proof, **members}]))

    def test_a_single_proof_may_stand_without_a_list(self) -> None:
        proof = json.loads(self.line)["proof"][0]
        assert webvh.verify_appended(None, edited(self.line, proof=proof), LATER).did == new_log().did

    def test_utc_may_be_written_as_an_offset(self) -> None:
        line = first_line(change=lambda entry: entry.update(versionTime="2026-01-01T09:00:00+00:00"))
        assert webvh.verify_appended(None, line, LATER).latest.version_time == BEGIN


class TestFirstEntry:
    def test_changed_content(self) -> None:
        refused(None, edited(first_line(), state={"id": "did:webvh:x:board.example"}), "entry_hash_mismatch")

    def test_scid_of_other_content(self) -> None:
        # Hash and signature are right, so only the SCID gives away that this is not the entry that began the DID.
        entry = json.loads(first_line())
        entry["parameters"]["ttl"] = 7
        refused(None, _resigned_first(entry), "scid_mismatch")

    def test_document_of_another_scid(self) -> None:
        other = "did:webvh:QmcASXkJMnprWNJCbyJ5394tCv8JDfrGptUmbCBoy4UtHE:board.example"
        refused(None, first_line(change=lambda entry: entry["state"].update(id=other)), "scid_mismatch")

    def test_placeholder_left_over(self) -> None:
        # As text replacement turns the SCID back into the placeholder, both lines have one SCID; only one of them can count.
        entry = json.loads(first_line(change=lambda entry: entry["state"].update(alsoKnownAs=["urn:{SCID}"])))
        entry["state"]["alsoKnownAs"] = ["urn:{SCID}"]
        refused(None, _resigned_first(entry), "scid_mismatch")

    def test_document_without_id(self) -> None:
        refused(None, first_line(change=lambda entry: entry["state"].pop("id")), "malformed")
        refused(None, first_line(change=lambda entry: entry.update(state={})), "malformed")

    def test_not_number_one(self) -> None:
        refused(None, two_entries().lines[1], "version_out_of_order")

    def test_signed_by_a_key_it_does_not_list(self) -> None:
        refused(None, first_line(author=1, change=lambda entry: entry["parameters"].update(updateKeys=[key(2)])), "key_not_authorized")

    def test_from_the_future(self) -> None:
        refused(None, first_line(), "version_time_in_future", BEGIN - timedelta(seconds=1))
        assert webvh.verify_appended(None, first_line(), BEGIN)


class TestLaterEntry:
    log = new_log()

    def test_number_skipped_or_repeated(self) -> None:
        refused(two_entries(), two_entries().lines[1], "version_out_of_order")
        refused(self.log, self.log.lines[0], "version_out_of_order")

    def test_time_not_after_the_previous(self) -> None:
        for text in ("2026-01-01T09:00:00Z", "2025-01-01T09:00:00Z"):
            refused(self.log, next_line(self.log, versionTime=text), "version_time_not_increasing")

    def test_time_in_the_future(self) -> None:
        refused(self.log, next_line(self.log, versionTime="9999-06-15T00:00:00Z"), "version_time_in_future")

    def test_another_predecessor(self) -> None:
        other = new_log(location="other.example")
        refused(self.log, next_line(other), "entry_hash_mismatch")

    def test_changed_signature(self) -> None:
        line = next_line(self.log)
        proof = {**json.loads(line)["proof"][0], "created": "2026-01-21T09:00:00Z"}
        refused(self.log, edited(line, proof=[proof]), "proof_invalid")

    def test_every_proof_must_be_authorized(self) -> None:
        line = next_line(self.log)
        stranger = json.loads(next_line(self.log, author=2))["proof"]
        refused(self.log, edited(line, proof=json.loads(line)["proof"] + stranger), "key_not_authorized")

    def test_two_authorized_proofs(self) -> None:
        log = new_log(update_keys=[key(1), key(2)])
        proofs = [json.loads(next_line(log, author=number))["proof"][0] for number in (1, 2)]
        assert webvh.verify_appended(log, edited(next_line(log), proof=proofs), LATER).latest.signers == (key(1), key(2))

    def test_expired_proof(self) -> None:
        line = next_line(self.log)
        unsigned = {name: member for name, member in json.loads(line).items() if name != "proof"}
        expiring = _proof_with(unsigned, expires="2026-02-01T00:00:00Z")
        line = edited(line, proof=[expiring])
        assert webvh.verify_appended(self.log, line, datetime(2026, 1, 31, tzinfo=UTC))
        refused(self.log, line, "proof_expired")

    def test_key_of_the_entry_itself_is_not_yet_active(self) -> None:
        refused(self.log, next_line(self.log, author=2, parameters={"updateKeys": [key(2)]}), "key_not_authorized")

    def test_old_key_after_a_rotation(self) -> None:
        rotated = webvh.rotate(self.log, signer=signer(1), new_keys=[key(2)], now=day(1))
        refused(rotated, next_line(rotated, author=1), "key_not_authorized")
        assert webvh.verify_appended(rotated, next_line(rotated, author=2), LATER).update_author_keys == (key(2),)

    def test_parameters_that_cannot_stand_here(self) -> None:
        error = refused(self.log, next_line(self.log, parameters={"scid": self.log.scid}), "malformed")
        assert error.where == "line 2, /parameters/scid"

    def test_document_without_id(self) -> None:
        refused(self.log, next_line(self.log, state={}), "malformed")

    def test_nothing_follows_deactivation(self) -> None:
        ended = webvh.verify_appended(self.log, next_line(self.log, parameters={"deactivated": True}), LATER)
        refused(ended, next_line(ended, versionTime="2026-01-21T09:00:00Z"), "did_deactivated")

    def test_a_deactivated_did_may_have_an_empty_document(self) -> None:
        ended = webvh.verify_appended(self.log, next_line(self.log, parameters={"deactivated": True}, state={}), LATER)
        assert ended.deactivated
        assert ended.did == self.log.did

    def test_move_of_a_did_that_is_not_portable(self) -> None:
        moved = {"id": str(self.log.did).replace("board", "other"), "alsoKnownAs": [str(self.log.did)]}
        refused(self.log, next_line(self.log, state=moved), "not_portable")

    @pytest.mark.parametrize("known_as", [None, [], "text", ["did:webvh:another"]])
    def test_move_without_the_previous_name(self, known_as: Any) -> None:
        log = new_log(portable=True)
        moved = {"id": str(log.did).replace("board", "other"), **({} if known_as is None else {"alsoKnownAs": known_as})}
        refused(log, next_line(log, state=moved), "not_portable")

    def test_move_in_the_entry_that_gives_up_portability(self) -> None:
        log = new_log(portable=True)
        moved = {"id": str(log.did).replace("board", "other"), "alsoKnownAs": [str(log.did)]}
        refused(log, next_line(log, state=moved, parameters={"portable": False}), "not_portable")

    def test_move_to_another_scid(self) -> None:
        log = new_log(portable=True)
        moved = {"id": "did:webvh:QmcASXkJMnprWNJCbyJ5394tCv8JDfrGptUmbCBoy4UtHE:board.example", "alsoKnownAs": [str(log.did)]}
        refused(log, next_line(log, state=moved), "scid_mismatch")


class TestVersions:
    log = webvh.update(two_entries(), signer=signer(1), now=day(2), ttl=120)

    def test_the_latest_unless_asked(self) -> None:
        assert self.log.version() is self.log.latest

    def test_by_id_number_and_time(self) -> None:
        second = self.log.entries[1]
        assert self.log.version(version_id=second.version_id) is second
        assert self.log.version(version_number=2) is second
        assert self.log.version(version_time=day(1)) is second
        assert self.log.version(version_time=day(2) - timedelta(seconds=1)) is second
        assert self.log.version(version_time=LATER) is self.log.latest
        assert self.log.version(version_id=second.version_id, version_number=2, version_time=day(1)) is second

    @pytest.mark.parametrize(
        "wanted",
        [
            {"version_number": 0},
            {"version_number": 4},
            {"version_id": "1-QmNothing"},
            {"version_time": BEGIN - timedelta(seconds=1)},
            {"version_number": 1, "version_time": LATER},
            {"version_number": 3, "version_time": BEGIN},
        ],
    )
    def test_none_such(self, wanted: dict[str, Any]) -> None:
        with pytest.raises(ResolutionError) as caught:
            self.log.version(**wanted)
        assert caught.value.code == "NOT_FOUND"

    def test_versions_before_a_fault_are_found(self) -> None:
        data = self.log.encode() + b'{"broken'
        reading = webvh.read_log(data, now=LATER)
        assert isinstance(reading.fault, FormatError)
        assert reading.fault.where.startswith("line 4")
        assert reading.valid == self.log
        assert reading.version(version_number=2) == self.log.entries[1]
        assert reading.version(version_time=day(1)) == self.log.entries[1]

    @pytest.mark.parametrize("wanted", [{}, {"version_number": 4}, {"version_time": day(2)}, {"version_time": LATER}])
    def test_a_fault_is_told_where_it_matters(self, wanted: dict[str, Any]) -> None:
        reading = webvh.read_log(self.log.encode() + b'{"broken', now=LATER)
        with pytest.raises(FormatError):
            reading.version(**wanted)

    def test_a_log_without_a_valid_entry_has_no_version(self) -> None:
        reading = webvh.read_log(b"{}", now=LATER)
        assert reading.valid is None
        with pytest.raises(FormatError):
            reading.version(version_number=1)

    def test_names_of_the_did(self) -> None:
        assert self.log.is_known_as(str(self.log.did))
        assert not self.log.is_known_as("did:webvh:another")


class TestWhoMaySignNext:
    def test_without_pre_rotation_the_listed_keys(self) -> None:
        log = new_log(update_keys=[key(1), key(2)])
        assert [log.may_sign_next(key(number)) for number in (1, 2, 3)] == [True, True, False]

    def test_with_pre_rotation_the_committed_keys(self) -> None:
        log = new_log(pre_rotation=True)
        assert [log.may_sign_next(key(number)) for number in (1, 2, 3)] == [False, True, False]

    def test_nobody_after_the_end(self) -> None:
        log = webvh.verify_appended(new_log(), next_line(new_log(), parameters={"deactivated": True}), LATER)
        assert not log.may_sign_next(key(1))


class TestLimits:
    def test_bytes(self) -> None:
        with pytest.raises(FormatError, match="bytes"):
            webvh.Log.parse(b" " * (limits.MAX_DID_LOG_BYTES + 1), now=LATER)

    def test_entries(self, monkeypatch: pytest.MonkeyPatch) -> None:
        log = two_entries()
        monkeypatch.setattr(log_module, "MAX_DID_LOG_ENTRIES", 2)
        assert len(webvh.Log.parse(log.encode(), now=LATER).entries) == 2
        with pytest.raises(FormatError, match="entries"):
            webvh.Log.parse(log.encode() + b"{}\n", now=LATER)
        with pytest.raises(FormatError, match="entries"):
            webvh.verify_appended(log, next_line(log), LATER)

    def test_bytes_of_the_extended_log(self, monkeypatch: pytest.MonkeyPatch) -> None:
        log = new_log()
        line = next_line(log)
        monkeypatch.setattr(log_module, "MAX_DID_LOG_BYTES", len(log.encode()) + len(line) + 1)
        assert webvh.verify_appended(log, line, LATER)
        monkeypatch.setattr(log_module, "MAX_DID_LOG_BYTES", len(log.encode()) + len(line))
        with pytest.raises(FormatError, match="bytes"):
            webvh.verify_appended(log, line, LATER)


def test_error_is_a_verification_error_for_well_formed_lines() -> None:
    assert isinstance(refused(new_log(), next_line(new_log(), author=2), "key_not_authorized"), VerificationError)


def _resigned_first(entry: dict[str, Any]) -> bytes:
    """A first entry whose content was changed after the SCID was computed, hashed and signed again."""
    from did_health.did.methods.webvh.create import signed_line

    scid = entry["parameters"]["scid"]
    return signed_line({name: member for name, member in entry.items() if name != "proof"}, scid, 1, signer(1))


def _proof_with(unsigned: dict[str, Any], **options: str) -> dict[str, Any]:
    from did_health.encoding import multibase
    from did_health.encoding.data_integrity import jcs_hash_data

    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": f"did:key:{key(1)}#{key(1)}",
        "proofPurpose": "assertionMethod",
        **options,
    }
    return {**proof, "proofValue": multibase.encode("z", signer(1).sign(jcs_hash_data(unsigned, proof)))}
