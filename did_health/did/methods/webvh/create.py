"""Making a DID: the first entry of its log (did:webvh 1.0, "Create (Register)")."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from did_health.did.methods.webvh.hashing import entry_hash, generate_scid, replace_placeholder
from did_health.did.methods.webvh.log import Log, verify_proposed
from did_health.did.methods.webvh.parameters import METHOD, ParameterChanges, WitnessList
from did_health.did.methods.webvh.proof import create_proof
from did_health.did.methods.webvh.urls import SCID_PLACEHOLDER, did_template
from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.keys import Signer

DocumentBuilder = Callable[[str], JSONObject]
"""From the DID (with ``{SCID}`` in the place of the SCID) to the DID document."""

DID_CONTEXT: Final = "https://www.w3.org/ns/did/v1"
MULTIKEY_CONTEXT: Final = "https://w3id.org/security/multikey/v1"


def create(
    location: str,
    document: JSONObject | DocumentBuilder,
    *,
    update_keys: Sequence[str],
    signer: Signer,
    next_key_hashes: Sequence[str],
    now: datetime,
    witness: WitnessList | None = None,
    watchers: Sequence[str] = (),
    portable: bool = False,
    ttl: int | None = None,
) -> Log:
    """A new DID at ``location`` (``host[:port][/path]``), published by serving ``log.encode()`` at ``log.did.log_url``.

    ``document`` is the DID document with ``{SCID}`` wherever the SCID will stand, or a function that makes it from the DID so written;
    its ``id`` is filled in if missing. ``update_keys`` are Multikeys, that of ``signer`` among them. ``next_key_hashes`` (see
    ``next_key_hash``) switches pre-rotation on; an empty list leaves it off, and a stolen key then takes the DID over. ``ttl`` in seconds.
    With a ``witness`` list the log is to be approved before it is published (``log.witnessed``).

    Raises ``FormatError`` or ``VerificationError`` for arguments that make no valid entry.
    """
    template = did_template(location)
    state = document(template) if callable(document) else document
    state = {**({"@context": [DID_CONTEXT]} if "@context" not in state else {}), "id": template, **state}
    if state["id"] != template:
        raise FormatError("the DID document is of another DID than the location's", where="/id")
    parameters = ParameterChanges(
        METHOD,
        SCID_PLACEHOLDER,
        tuple(update_keys),
        tuple(next_key_hashes) or None,
        witness or None,
        tuple(watchers) or None,
        portable or None,
        ttl=ttl,
    )
    preliminary: JSONObject = {
        "versionId": SCID_PLACEHOLDER,
        "versionTime": timestamps.format(now),
        "parameters": parameters.to_json(),
        "state": state,
    }
    scid = generate_scid(preliminary)
    # verify_proposed is the check that this entry is one that everybody else will accept.
    return verify_proposed(None, signed_line(replace_placeholder(preliminary, scid), scid, 1, signer), now)


def signed_line(preliminary: JSONObject, predecessor: str, number: int, signer: Signer) -> bytes:
    """The JSON line of an entry: its hash over ``predecessor`` put into the versionId, its proof added ("Create", steps 5.3 to 6)."""
    unsigned = {**preliminary, "versionId": f"{number}-{entry_hash(preliminary, predecessor)}"}
    return strict_json.dumps({**unsigned, "proof": [create_proof(unsigned, signer, unsigned["versionTime"])]})


def multikey_document(
    keys: Mapping[str, str],
    *,
    purposes: Sequence[str] = ("authentication", "assertionMethod"),
    services: Sequence[JSONObject] = (),
    also_known_as: Sequence[str] = (),
) -> DocumentBuilder:
    """A builder of a plain DID document: ``keys`` maps fragments (``key-1``) to Multikeys, each for all ``purposes``."""

    def build(did: str) -> JSONObject:
        methods = [{"id": f"{did}#{name}", "type": "Multikey", "controller": did, "publicKeyMultibase": key} for name, key in keys.items()]
        document: JSONObject = {"@context": [DID_CONTEXT, MULTIKEY_CONTEXT], "id": did}
        if also_known_as:
            document["alsoKnownAs"] = list(also_known_as)
        document["verificationMethod"] = methods
        for purpose in purposes:
            document[purpose] = [method["id"] for method in methods]
        if services:
            document["service"] = [{**service, "id": did + service["id"] if service["id"].startswith("#") else service["id"]} for service in services]
        return document

    return build
