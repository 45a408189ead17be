from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from did_health.did.methods import webvh
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys.base import Algorithm
from did_health.keys.nist import NISTSigner
from tests.webvh_samples import BEGIN, LATER, commitment, day, key, new_log, signer, two_entries, witnesses


class TestCreate:
    def test_the_first_line(self) -> None:
        log = new_log(pre_rotation=True, portable=True, ttl=60, watchers=["https://watcher.example"])
        entry = json.loads(log.lines[0])
        did = f"did:webvh:{log.scid}:board.example:dids:az"
        assert list(entry) == ["versionId", "versionTime", "parameters", "state", "proof"]
        assert entry["versionId"] == log.latest.version_id == f"1-{log.latest.entry.entry_hash}"
        assert entry["versionTime"] == "2026-01-01T09:00:00Z"
        assert entry["parameters"] == {
            "method": "did:webvh:1.0",
            "scid": log.scid,
            "updateKeys": [key(1)],
            "nextKeyHashes": [commitment(2)],
            "watchers": ["https://watcher.example"],
            "portable": True,
            "ttl": 60,
        }
        assert str(log.did) == entry["state"]["id"] == did
        assert entry["state"]["assertionMethod"] == [f"{did}#key-1"]
        assert entry["proof"][0]["verificationMethod"] == f"did:key:{key(1)}#{key(1)}"
        assert b"\n" not in log.lines[0]
        assert webvh.Log.parse(log.encode(), now=LATER) == log

    def test_only_what_is_asked_for_is_set(self) -> None:
        assert set(json.loads(new_log().lines[0])["parameters"]) == {"method", "scid", "updateKeys"}

    def test_a_document_may_be_given_with_the_placeholder(self) -> None:
        log = new_log(document={"service": [{"id": "{SCID}#x", "type": "X", "serviceEndpoint": "https://{SCID}.example/"}]})
        assert log.latest.state["id"] == str(log.did)
        assert log.latest.state["@context"] == ["https://www.w3.org/ns/did/v1"]
        assert log.latest.state["service"][0]["serviceEndpoint"] == f"https://{log.scid}.example/"

    def test_the_scid_may_be_part_of_the_path(self) -> None:
        log = new_log(location="host.example/{SCID}")
        assert log.did.log_url == f"https://host.example/{log.scid}/did.jsonl"

    def test_same_input_same_did(self) -> None:
        assert new_log().encode() == new_log().encode()

    def test_document_of_another_did(self) -> None:
        with pytest.raises(FormatError):
            new_log(document={"id": "did:webvh:{SCID}:other.example"})

    def test_signer_who_is_not_listed(self) -> None:
        with pytest.raises(VerificationError) as caught:
            new_log(update_keys=[key(2)])
        assert caught.value.code == "key_not_authorized"

    def test_signer_of_another_algorithm(self) -> None:
        other = NISTSigner(Algorithm.P256, bytes(31) + b"\x01")
        with pytest.raises(UnsupportedError):
            webvh.create("board.example", {}, update_keys=[other.public_key.multikey], signer=other, next_key_hashes=[], now=BEGIN)

    def test_document_with_services_and_other_names(self) -> None:
        build = webvh.multikey_document(
            {"a": key(5), "b": key(6)},
            purposes=["assertionMethod"],
            services=[{"id": "#status", "type": "Status", "serviceEndpoint": "https://s.example/"}, {"id": "urn:x", "type": "X", "serviceEndpoint": "urn:y"}],
            also_known_as=["https://board.example/"],
        )
        document = build("did:example:1")
        assert document["assertionMethod"] == ["did:example:1#a", "did:example:1#b"]
        assert "authentication" not in document
        assert [service["id"] for service in document["service"]] == ["did:example:1#status", "urn:x"]
        assert document["alsoKnownAs"] == ["https://board.example/"]


class TestUpdate:
    def test_new_document(self) -> None:
        log = webvh.update(new_log(), signer=signer(1), now=day(1), state=webvh.multikey_document({"key-2": key(101)}))
        assert log.latest.state["verificationMethod"][0]["id"] == f"{log.did}#key-2"
        assert json.loads(log.lines[1])["parameters"] == {}
        assert webvh.Log.parse(log.encode(), now=LATER) == log

    def test_document_as_an_object(self) -> None:
        state = {**new_log().latest.state, "alsoKnownAs": ["https://board.example/"]}
        assert webvh.update(new_log(), signer=signer(1), now=day(1), state=state).latest.state == state

    def test_without_a_new_document_the_old_one_stays(self) -> None:
        assert two_entries().latest.state == new_log().latest.state

    def test_parameters(self) -> None:
        changes: dict[str, Any] = {"watchers": ["https://w.example"], "portable": False, "ttl": 5, "next_key_hashes": [commitment(3)]}
        log = webvh.update(new_log(portable=True), signer=signer(1), now=day(1), **changes)
        assert (log.parameters.watchers, log.parameters.portable, log.parameters.ttl) == (("https://w.example",), False, 5)
        assert log.parameters.pre_rotation

    def test_rotation_without_pre_rotation(self) -> None:
        log = webvh.rotate(new_log(), signer=signer(1), new_keys=[key(2)], now=day(1))
        assert (log.update_author_keys, log.latest.update_keys) == ((key(1),), (key(2),))

    def test_rotation_with_pre_rotation(self) -> None:
        log = new_log(pre_rotation=True)
        for number in (2, 3, 4):
            log = webvh.update(log, signer=signer(number), now=day(number), next_key_hashes=[commitment(number + 1)])
            assert log.update_author_keys == log.latest.update_keys == (key(number),)
        assert webvh.Log.parse(log.encode(), now=LATER) == log

    def test_several_keys_under_pre_rotation(self) -> None:
        log = webvh.update(new_log(pre_rotation=True), signer=signer(2), now=day(1), next_key_hashes=[commitment(3), commitment(4), "decoy"])
        log = webvh.update(log, signer=signer(3), now=day(2), update_keys=[key(3), key(4)], next_key_hashes=[])
        assert log.latest.update_keys == (key(3), key(4))

    def test_pre_rotation_asks_for_the_next_commitment(self) -> None:
        with pytest.raises(ValueError, match="next_key_hashes"):
            webvh.update(new_log(pre_rotation=True), signer=signer(2), now=day(1))

    def test_pre_rotation_can_end(self) -> None:
        log = webvh.update(new_log(pre_rotation=True), signer=signer(2), now=day(1), next_key_hashes=[])
        log = webvh.rotate(log, signer=signer(2), new_keys=[key(9)], now=day(2))
        assert log.latest.update_keys == (key(9),)

    def test_two_updates_in_one_second(self) -> None:
        log = webvh.update(new_log(), signer=signer(1), now=BEGIN + timedelta(milliseconds=20), ttl=1)
        log = webvh.update(log, signer=signer(1), now=BEGIN + timedelta(milliseconds=40), ttl=2)
        assert json.loads(log.lines[2])["versionTime"] == "2026-01-01T09:00:00.040000Z"
        assert webvh.Log.parse(log.encode(), now=BEGIN + timedelta(milliseconds=40)) == log

    def test_a_clock_that_went_back(self) -> None:
        with pytest.raises(VerificationError) as caught:
            webvh.update(new_log(), signer=signer(1), now=BEGIN, ttl=1)
        assert caught.value.code == "version_time_not_increasing"

    def test_by_a_stranger(self) -> None:
        with pytest.raises(VerificationError):
            webvh.update(new_log(), signer=signer(2), now=day(1), ttl=1)

    def test_witnesses_are_to_be_asked(self) -> None:
        log = webvh.update(new_log(), signer=signer(1), now=day(1), witness=witnesses(1, 7))
        assert not log.witnessed
        assert log.witnessed_through == 1


class TestMove:
    def test_history_and_scid_stay(self) -> None:
        log = new_log(portable=True, document={"alsoKnownAs": ["https://board.example/"], "service": [{"id": "did:webvh:{SCID}:board.example:dids:az#s"}]})
        moved = webvh.move(log, "new.example:8443/az", signer=signer(1), now=day(1))
        assert str(moved.did) == f"did:webvh:{log.scid}:new.example%3A8443:az"
        assert moved.latest.state["alsoKnownAs"] == ["https://board.example/", str(log.did)]
        assert moved.latest.state["service"][0]["id"] == f"{moved.did}#s"
        assert moved.is_known_as(str(log.did))
        assert webvh.Log.parse(moved.encode(), now=LATER) == moved

    def test_there_and_back(self) -> None:
        log = new_log(portable=True)
        away = webvh.move(log, "new.example", signer=signer(1), now=day(1))
        back = webvh.move(away, "board.example/dids/az", signer=signer(1), now=day(2))
        assert str(back.did) == str(log.did)
        assert str(away.did) in back.latest.state["alsoKnownAs"]

    def test_with_pre_rotation(self) -> None:
        log = webvh.move(new_log(portable=True, pre_rotation=True), "new.example", signer=signer(2), now=day(1), next_key_hashes=[commitment(3)])
        assert log.update_author_keys == (key(2),)

    def test_not_portable(self) -> None:
        with pytest.raises(VerificationError) as caught:
            webvh.move(new_log(), "new.example", signer=signer(1), now=day(1))
        assert caught.value.code == "not_portable"


class TestDeactivate:
    @pytest.mark.parametrize(("pre_rotation", "author"), [(False, 1), (True, 2)])
    def test_the_end(self, pre_rotation: bool, author: int) -> None:
        log = webvh.deactivate(new_log(pre_rotation=pre_rotation), signer=signer(author), now=day(1))
        assert log.deactivated
        assert not log.parameters.pre_rotation
        assert webvh.Log.parse(log.encode(), now=LATER) == log
        with pytest.raises(VerificationError) as caught:
            webvh.update(log, signer=signer(author), now=day(2), ttl=1)
        assert caught.value.code == "did_deactivated"

    def test_update_keys_are_emptied(self) -> None:
        assert webvh.deactivate(new_log(), signer=signer(1), now=day(1)).latest.update_keys == ()

    @pytest.mark.parametrize("last", [{}, lambda did: {"id": did}])
    def test_with_a_last_document(self, last: Any) -> None:
        log = webvh.deactivate(new_log(), signer=signer(1), now=day(1), state=last)
        assert log.latest.state == (last if isinstance(last, dict) else {"id": str(log.did)})
