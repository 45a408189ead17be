from __future__ import annotations

from typing import Any

import pytest

from did_health.did.did import DID
from did_health.did.methods import webvh
from did_health.did.resolution import dereference, required_urls, resolve
from did_health.errors import ResolutionError
from tests.webvh_samples import BEGIN, LATER, approvals, day, key, new_log, signer, two_entries, witnesses


def resources(log: webvh.Log, file: bytes | None = None) -> dict[str, bytes | None]:
    return {log.did.log_url: log.encode(), log.did.witness_url: file}


def fails(code: str, did: object, available: dict[str, bytes | None]) -> ResolutionError:
    with pytest.raises(ResolutionError) as caught:
        resolve(str(did), available, now=LATER)
    assert caught.value.code == code
    return caught.value


def test_what_to_fetch() -> None:
    log = new_log()
    assert required_urls(str(log.did)) == (log.did.log_url, log.did.witness_url)


@pytest.mark.parametrize("identifier", ["board.example", "QmcASXkJMnprWNJCbyJ5394tCv8JDfrGptUmbCBoy4UtHE:127.0.0.1"])
def test_no_request_for_an_invalid_did(identifier: str) -> None:
    with pytest.raises(ResolutionError) as caught:
        required_urls(DID("webvh", identifier))
    assert caught.value.code == "INVALID_DID"
    with pytest.raises(ResolutionError):
        resolve(DID("webvh", identifier), {}, now=LATER)


def test_document_and_metadata() -> None:
    log = two_entries(watchers=["https://watcher.example"], portable=True)
    result = resolve(str(log.did), resources(log), now=LATER)
    assert result.active_document.raw == log.latest.state
    assert result.active_document.key(f"{log.did}#key-1", "assertionMethod", LATER).multikey == key(100)
    assert result.metadata.to_json() == {
        "created": "2026-01-01T09:00:00Z",
        "updated": "2026-01-02T09:00:00Z",
        "versionId": log.latest.version_id,
        "versionNumber": 2,
        "versionTime": "2026-01-02T09:00:00Z",
        "scid": log.scid,
        "portable": True,
        "ttl": "60",
        "watchers": ["https://watcher.example"],
    }


def test_an_earlier_version() -> None:
    log = two_entries()
    for query in (f"versionId={log.entries[0].version_id}", "versionNumber=1", "versionTime=2026-01-01T10:00:00Z"):
        metadata = resolve(f"{log.did}?{query}", resources(log), now=LATER).metadata
        assert (metadata.version_id, metadata.next_version_id) == (log.entries[0].version_id, log.entries[1].version_id)
        assert (metadata.created, metadata.updated, metadata.next_update) == (BEGIN, day(1), day(1))


def test_no_such_version() -> None:
    log = new_log()
    fails("NOT_FOUND", f"{log.did}?versionNumber=2", resources(log))


def test_no_log() -> None:
    log = new_log()
    fails("NOT_FOUND", log.did, {log.did.log_url: None, log.did.witness_url: None})
    fails("INTERNAL_ERROR", log.did, {})


def test_witness_file_is_needed_only_by_a_witnessed_did() -> None:
    log = new_log()
    assert resolve(str(log.did), {log.did.log_url: log.encode()}, now=LATER).document
    witnessed = new_log(witness=witnesses(1, 7))
    fails("INTERNAL_ERROR", witnessed.did, {witnessed.did.log_url: witnessed.encode()})
    fails("INVALID_DID", witnessed.did, resources(witnessed))
    fails("INVALID_DID", witnessed.did, resources(witnessed, b"[]"))
    metadata = resolve(str(witnessed.did), resources(witnessed, approvals(witnessed, 7)), now=LATER).metadata.to_json()
    assert metadata["witness"] == {"threshold": "1", "witnesses": [{"id": f"did:key:{key(7)}"}]}


def test_an_invalid_log() -> None:
    log = new_log()
    error = fails("INVALID_DID", log.did, {log.did.log_url: log.encode() + b"{}\n", log.did.witness_url: None})
    assert "line 2" in error.where


def test_the_log_of_another_did() -> None:
    log, other = new_log(), new_log(location="other.example/dids/az")
    fails("INVALID_DID", other.did, {other.did.log_url: log.encode(), other.did.witness_url: None})


def test_a_document_that_is_none() -> None:
    log = new_log(document={"verificationMethod": "none"})
    assert "line 1, /state/verificationMethod" in fails("INVALID_DID_DOCUMENT", log.did, resources(log)).where


def test_a_deactivated_did() -> None:
    log = webvh.deactivate(two_entries(), signer=signer(1), now=day(5))
    result = resolve(str(log.did), resources(log), now=LATER)
    assert result.document is None
    assert result.metadata.deactivated
    before: Any = resolve(f"{log.did}?versionNumber=2", resources(log), now=LATER)
    assert before.document.raw == log.entries[1].state
    assert before.metadata.deactivated


def test_a_moved_did_is_found_under_both_names() -> None:
    log = new_log(portable=True)
    moved = webvh.move(log, "new.example", signer=signer(1), now=day(1))
    served = {url: moved.encode() if url.endswith("jsonl") else None for name in (log, moved) for url in (name.did.log_url, name.did.witness_url)}
    result = resolve(str(moved.did), served, now=LATER)
    assert result.metadata.canonical_id is None
    earlier = resolve(str(log.did), served, now=LATER)
    assert earlier.active_document.id == str(moved.did) == earlier.metadata.canonical_id


def test_paths_name_files_beside_the_log() -> None:
    log = new_log()
    for path, url in (("/whois", "whois.vp"), ("/a/b.json", "a/b.json"), ("/a#part", "a#part")):
        result = dereference(f"{log.did}{path}", resources(log), now=LATER)
        assert (result.urls, result.content, result.content_type) == ((f"https://board.example/dids/az/{url}",), None, "text/uri-list")


def test_paths_of_other_methods_mean_nothing() -> None:
    with pytest.raises(ResolutionError) as caught:
        dereference(f"did:key:{key(1)}/whois", {}, now=LATER)
    assert caught.value.code == "NOT_FOUND"
