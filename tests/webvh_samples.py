"""Logs for the tests of did:webvh, with keys known by their number, and lines that an attacker could make."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from did_health.did.methods import webvh
from did_health.did.methods.webvh.create import signed_line
from did_health.did.methods.webvh.hashing import generate_scid, replace_placeholder
from did_health.did.methods.webvh.urls import SCID_PLACEHOLDER
from did_health.keys.ed25519 import Ed25519Signer

BEGIN = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LOCATION = "board.example/dids/az"


def day(number: int) -> datetime:
    return BEGIN + timedelta(days=number)


def signer(number: int) -> Ed25519Signer:
    return Ed25519Signer(number.to_bytes(32, "big"))


def key(number: int) -> str:
    return signer(number).public_key.multikey


def commitment(number: int) -> str:
    return webvh.next_key_hash(key(number))


def did_key(number: int) -> str:
    return f"did:key:{key(number)}"


def new_log(*, pre_rotation: bool = False, location: str = LOCATION, update_key: int = 1, **options: Any) -> webvh.Log:
    """A log of one entry, by key 1; with pre-rotation to key 2."""
    return webvh.create(
        location,
        options.pop("document", webvh.multikey_document({"key-1": key(100)})),
        update_keys=options.pop("update_keys", [key(update_key)]),
        signer=signer(update_key),
        next_key_hashes=[commitment(2)] if pre_rotation else [],
        now=options.pop("now", BEGIN),
        **options,
    )


def two_entries(**options: Any) -> webvh.Log:
    return webvh.update(new_log(**options), signer=signer(1), now=day(1), ttl=60)


def next_line(log: webvh.Log, author: int = 1, **changes: Any) -> bytes:
    """A line after ``log`` with any content, hashed and signed by key ``author`` without a question."""
    preliminary = {
        "versionId": log.latest.version_id,
        "versionTime": "2026-01-20T09:00:00Z",
        "parameters": {},
        "state": log.latest.state,
        **changes,
    }
    return signed_line(preliminary, log.latest.version_id, log.latest.version_number + 1, signer(author))


def first_line(author: int = 1, change: Callable[[dict[str, Any]], None] = lambda _: None) -> bytes:
    """A first line, changed before the SCID is computed."""
    preliminary: dict[str, Any] = {
        "versionId": SCID_PLACEHOLDER,
        "versionTime": "2026-01-01T09:00:00Z",
        "parameters": {"method": "did:webvh:1.0", "scid": SCID_PLACEHOLDER, "updateKeys": [key(author)]},
        "state": {"@context": ["https://www.w3.org/ns/did/v1"], "id": "did:webvh:{SCID}:board.example"},
    }
    change(preliminary)
    scid = generate_scid(preliminary)
    return signed_line(replace_placeholder(preliminary, scid), scid, 1, signer(author))


def edited(line: bytes, **members: Any) -> bytes:
    """The line with members replaced and nothing signed again; ``None`` takes a member away."""
    value = {**json.loads(line), **members}
    return json.dumps({name: member for name, member in value.items() if member is not None}).encode()


def witnesses(threshold: int, *numbers: int) -> webvh.WitnessList:
    return webvh.WitnessList(threshold, tuple(did_key(number) for number in numbers))


def approvals(log: webvh.Log, *numbers: int, version: int = 0) -> bytes:
    """``did-witness.json`` with these witnesses' approval of the last entry, or of that version."""
    version_id = log.entries[version - 1].version_id
    return webvh.WitnessFile().adding(version_id, *(webvh.create_witness_proof(version_id, signer(number), LATER) for number in numbers)).encode()
