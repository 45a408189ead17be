"""What somebody with a stolen key, a foreign log or a hold of the web server can do to a did:webvh DID, and how it is noticed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from did_health.did.methods import webvh
from did_health.did.resolution import resolve
from did_health.errors import DidHealthError, VerificationError
from tests.webvh_samples import LATER, approvals, commitment, day, edited, key, new_log, next_line, signer, two_entries, witnesses


def refused(log: webvh.Log | None, line: bytes, *codes: str) -> None:
    with pytest.raises(DidHealthError) as caught:
        webvh.verify_appended(log, line, LATER)
    assert caught.value.code in codes


class TestStolenUpdateKey:
    """The thief has key 1, which signed the first entry; key 2 was committed to and is in a safe."""

    log = new_log(pre_rotation=True)

    @pytest.mark.parametrize(
        ("author", "parameters", "code"),
        [
            pytest.param(1, {}, "malformed", id="leaves-both-lists-out"),
            pytest.param(1, {"nextKeyHashes": []}, "malformed", id="switches-pre-rotation-off"),
            pytest.param(1, {"updateKeys": [key(1)], "nextKeyHashes": []}, "pre_rotation_violated", id="keeps-the-stolen-key"),
            pytest.param(666, {"updateKeys": [key(666)], "nextKeyHashes": [commitment(667)]}, "pre_rotation_violated", id="brings-an-own-key"),
            pytest.param(666, {"updateKeys": [key(2), key(666)], "nextKeyHashes": []}, "pre_rotation_violated", id="adds-an-own-key"),
            pytest.param(1, {"updateKeys": [key(2)], "nextKeyHashes": []}, "key_not_authorized", id="knows-the-next-key-but-not-its-secret"),
            pytest.param(1, {"updateKeys": [], "nextKeyHashes": []}, "key_not_authorized", id="empties-the-keys"),
            pytest.param(1, {"updateKeys": None, "nextKeyHashes": None}, "key_not_authorized", id="empties-the-keys-with-null"),
            pytest.param(1, {"deactivated": True}, "malformed", id="ends-the-did"),
            pytest.param(1, {"deactivated": True, "updateKeys": [], "nextKeyHashes": []}, "key_not_authorized", id="ends-the-did-properly"),
        ],
    )
    def test_cannot_continue_the_log(self, author: int, parameters: dict[str, Any], code: str) -> None:
        refused(self.log, next_line(self.log, author=author, parameters=parameters), code)

    def test_the_owner_can(self) -> None:
        line = next_line(self.log, author=2, parameters={"updateKeys": [key(2)], "nextKeyHashes": [commitment(3)]})
        assert webvh.verify_appended(self.log, line, LATER).update_author_keys == (key(2),)

    def test_pre_rotation_holds_for_the_entry_that_ends_it(self) -> None:
        line = next_line(self.log, author=2, parameters={"updateKeys": [key(2)], "nextKeyHashes": []})
        assert not webvh.verify_appended(self.log, line, LATER).parameters.pre_rotation

    def test_a_rewritten_first_entry_is_another_did(self) -> None:
        rewritten = new_log(pre_rotation=True, document={"service": []})
        assert rewritten.scid != self.log.scid
        with pytest.raises(DidHealthError):
            resolve(str(self.log.did), {self.log.did.log_url: rewritten.encode(), self.log.did.witness_url: None}, now=LATER)

    def test_without_pre_rotation_the_thief_wins(self) -> None:
        log = new_log()
        line = next_line(log, author=1, parameters={"updateKeys": [key(666)]})
        assert webvh.verify_appended(log, line, LATER).latest.update_keys == (key(666),)

    def test_witnesses_stop_a_thief_too(self) -> None:
        log = new_log(witness=witnesses(1, 7))
        log = log.with_witness_proofs(approvals(log, 7), now=LATER)
        refused(log, next_line(log, parameters={"witness": {}}), "witness_threshold_not_met")
        refused(log, next_line(log, parameters={"witness": {"threshold": 1, "witnesses": [{"id": f"did:key:{key(666)}"}]}}), "witness_threshold_not_met")


class TestServer:
    """Whoever holds the web server can leave out, shuffle and replay, but not write."""

    log = webvh.update(two_entries(), signer=signer(1), now=day(2), ttl=120)

    def resolved(self, data: bytes) -> dict[str, Any]:
        return resolve(str(self.log.did), {self.log.did.log_url: data, self.log.did.witness_url: None}, now=LATER).metadata.to_json()

    def test_a_rolled_back_log_shows_in_the_version(self) -> None:
        # Valid by itself, as did:webvh cannot know better; that is what the ledger's newest entry is compared with.
        whole, rolled_back = self.resolved(self.log.encode()), self.resolved(b"\n".join(self.log.lines[:2]))
        assert (whole["versionNumber"], rolled_back["versionNumber"]) == (3, 2)
        assert rolled_back["versionId"] == self.log.entries[1].version_id != whole["versionId"]
        assert rolled_back["updated"] < whole["updated"]

    @pytest.mark.parametrize("order", [(1, 2), (0, 2), (1, 0, 2), (0, 1, 1, 2), (0, 2, 1)])
    def test_lines_left_out_or_shuffled(self, order: tuple[int, ...]) -> None:
        with pytest.raises(VerificationError):
            webvh.Log.parse(b"\n".join(self.log.lines[index] for index in order), now=LATER)

    def test_any_changed_byte(self) -> None:
        line = bytearray(self.log.lines[1])
        for position in range(len(line)):
            line[position] ^= 1
            with pytest.raises(DidHealthError):
                webvh.verify_appended(webvh.Log.parse(self.log.lines[0], now=LATER), bytes(line), LATER)
            line[position] ^= 1


class TestReplay:
    """The same keys control two DIDs; a line of the one is shown as one of the other."""

    mine, other = new_log(), new_log(location="other.example")

    def test_line_of_another_did(self) -> None:
        refused(self.mine, next_line(self.other), "entry_hash_mismatch")

    def test_line_of_another_did_with_this_dids_name(self) -> None:
        line = next_line(self.other)
        proof = json.loads(line)["proof"]
        renamed = json.loads(line.replace(self.other.scid.encode(), self.mine.scid.encode()).replace(b"other.example", b"board.example:dids:az"))
        refused(self.mine, edited(line, **{**renamed, "proof": proof}), "entry_hash_mismatch")

    def test_line_of_a_fork(self) -> None:
        fork = webvh.update(self.mine, signer=signer(1), now=day(1), ttl=1)
        taken = webvh.update(self.mine, signer=signer(1), now=day(1), ttl=2)
        refused(taken, next_line(fork), "entry_hash_mismatch")

    def test_witness_proof_of_another_did(self) -> None:
        log, other = (new_log(witness=witnesses(1, 7), location=location) for location in ("board.example", "other.example"))
        moved = json.loads(approvals(other, 7))
        moved[0]["versionId"] = log.latest.version_id
        for file in (approvals(other, 7), json.dumps(moved).encode()):
            with pytest.raises(VerificationError):
                webvh.Log.parse(log.encode(), file, now=LATER)
