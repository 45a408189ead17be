"""The three hashes of did:webvh 1.0: SCID, entry hash, pre-rotation key hash. Each is base58btc(multihash(SHA-256 of …))."""

from __future__ import annotations

from did_health.did.methods.webvh.urls import SCID_PLACEHOLDER
from did_health.encoding import strict_json
from did_health.encoding.jcs import canonicalize
from did_health.encoding.multibase import base58btc_encode
from did_health.encoding.multihash import sha2_256
from did_health.encoding.strict_json import JSONObject


def hash_text(data: bytes) -> str:
    """``base58btc(multihash(data))`` under SHA-256, the one hash that version 1.0 permits."""
    return base58btc_encode(sha2_256(data))


def next_key_hash(multikey: str) -> str:
    """The commitment to a future update key ("Pre-Rotation Key Hash Generation")."""
    return hash_text(multikey.encode())


def entry_hash(unsigned: JSONObject, predecessor: str) -> str:
    """The entry hash ("Generate Entry Hash").

    ``unsigned`` is the entry without ``proof``; ``predecessor`` the previous entry's ``versionId``, or the SCID for the first entry.
    """
    return hash_text(canonicalize({**unsigned, "versionId": predecessor}))


def generate_scid(preliminary: JSONObject) -> str:
    """The SCID of a preliminary first entry that holds the placeholder wherever the SCID will stand ("Generate SCID")."""
    return hash_text(canonicalize(preliminary))


def replace_placeholder(preliminary: JSONObject, scid: str) -> JSONObject:
    """The entry with the SCID in place of every placeholder ("Create", step 5.2)."""
    return replace_text(preliminary, SCID_PLACEHOLDER, scid)


def computed_scid(unsigned: JSONObject, scid: str) -> str:
    """What the SCID of this first entry must be ("Verify SCID", steps 5 to 7)."""
    return generate_scid({**replace_text(unsigned, scid, SCID_PLACEHOLDER), "versionId": SCID_PLACEHOLDER})


def replace_text(document: JSONObject, old: str, new: str) -> JSONObject:
    """``document`` with ``old`` replaced by ``new`` throughout its JSON text, member names included.

    Both are free of characters that JSON escapes, so that text and values agree.
    """
    return strict_json.loads_object(strict_json.dumps(document).replace(old.encode(), new.encode()), what="DID log entry")
