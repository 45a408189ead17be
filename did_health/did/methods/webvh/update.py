"""Continuing a log: new document, rotated keys, other parameters, a new location, the end (did:webvh 1.0, "Update (Rotate)", "Deactivate (Revoke)")."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from did_health.did.methods.webvh.create import DocumentBuilder, signed_line
from did_health.did.methods.webvh.hashing import replace_text
from did_health.did.methods.webvh.log import Log, verify_proposed
from did_health.did.methods.webvh.parameters import ParameterChanges, WitnessList
from did_health.did.methods.webvh.urls import SCID_PLACEHOLDER, did_template
from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import VerificationError
from did_health.keys import Signer


def update(
    log: Log,
    *,
    signer: Signer,
    now: datetime,
    state: JSONObject | DocumentBuilder | None = None,
    update_keys: Sequence[str] | None = None,
    next_key_hashes: Sequence[str] | None = None,
    witness: WitnessList | None = None,
    watchers: Sequence[str] | None = None,
    portable: bool | None = None,
    ttl: int | None = None,
) -> Log:
    """``log`` with one more entry; ``None`` leaves a thing as it is, an empty list (``NO_WITNESSES``) ends it.

    ``state`` is the whole new DID document, or a function that makes it from the DID. Under pre-rotation ``signer`` holds a key that
    the last entry committed to, ``update_keys`` is that key unless more are given, and ``next_key_hashes`` must be given: without it
    nobody could sign the entry after.

    Raises ``ValueError`` if it is not, and ``FormatError`` or ``VerificationError`` for an entry that does not continue the log.
    """
    if log.parameters.pre_rotation:
        if next_key_hashes is None:
            raise ValueError("pre-rotation is active: give next_key_hashes (an empty list ends pre-rotation)")
        if update_keys is None:
            update_keys = (signer.public_key.multikey,)
    changes = ParameterChanges(
        update_keys=_tuple(update_keys),
        next_key_hashes=_tuple(next_key_hashes),
        witness=witness,
        watchers=_tuple(watchers),
        portable=portable,
        ttl=ttl,
    )
    document = state(str(log.did)) if callable(state) else state
    return _continue(log, changes, log.latest.state if document is None else document, signer, now)


def rotate(log: Log, *, signer: Signer, new_keys: Sequence[str], now: datetime, next_key_hashes: Sequence[str] | None = None) -> Log:
    """``log`` with the update keys replaced by ``new_keys`` (Multikeys) and the document unchanged; see ``update``."""
    return update(log, signer=signer, now=now, update_keys=new_keys, next_key_hashes=next_key_hashes)


def move(log: Log, location: str, *, signer: Signer, now: datetime, next_key_hashes: Sequence[str] | None = None) -> Log:
    """``log`` with the DID renamed to ``location`` (``host[:port][/path]``), SCID and history kept ("DID Portability").

    Each mention of the old DID in the document becomes the new one, and ``alsoKnownAs`` names the old one.
    """
    old = str(log.did)
    new = did_template(location).replace(SCID_PLACEHOLDER, log.scid)
    document = replace_text(log.latest.state, old, new)
    document["alsoKnownAs"] = [*dict.fromkeys([*log.latest.state.get("alsoKnownAs", ()), old])]
    return update(log, signer=signer, now=now, state=document, next_key_hashes=next_key_hashes)


def deactivate(log: Log, *, signer: Signer, now: datetime, state: JSONObject | DocumentBuilder | None = None) -> Log:
    """``log`` with its last entry, after which none is valid.

    It empties ``updateKeys`` as the specification advises. Under pre-rotation that would take two entries, of which the second could no
    longer follow the first once that says ``deactivated``; the one entry made here ends pre-rotation and the DID at once.
    """
    rotating = log.parameters.pre_rotation
    changes = ParameterChanges(
        update_keys=(signer.public_key.multikey,) if rotating else (), next_key_hashes=() if rotating else None, deactivated=True
    )
    document = state(str(log.did)) if callable(state) else state
    return _continue(log, changes, log.latest.state if document is None else document, signer, now)


def _continue(log: Log, changes: ParameterChanges, state: JSONObject, signer: Signer, now: datetime) -> Log:
    preliminary: JSONObject = {
        "versionId": log.latest.version_id,
        "versionTime": _version_time(log, now),
        "parameters": changes.to_json(),
        "state": state,
    }
    line = signed_line(preliminary, log.latest.version_id, log.latest.version_number + 1, signer)
    return verify_proposed(log, line, now)


def _version_time(log: Log, now: datetime) -> str:
    """Whole seconds, unless the previous entry is of this same second: versionTime must increase and must not be in the future."""
    text = timestamps.format(now)
    if timestamps.parse(text) > log.latest.version_time:
        return text
    if now <= log.latest.version_time:
        raise VerificationError("the clock is not after the previous entry's versionTime", code="version_time_not_increasing")
    return now.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _tuple(values: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
