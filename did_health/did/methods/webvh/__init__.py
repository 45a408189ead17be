"""did:webvh 1.0: a DID whose whole history is a log of hash-chained, signed lines, published over HTTPS.

``create``, ``update``, ``rotate``, ``move`` and ``deactivate`` make lines; ``Log.parse`` and ``read_log`` verify a log, ``verify_appended``
one more line of it. Specification: https://identity.foundation/didwebvh/v1.0/
"""

from __future__ import annotations

from did_health.did.methods.webvh.create import create, multikey_document
from did_health.did.methods.webvh.hashing import next_key_hash
from did_health.did.methods.webvh.log import Log, LogReading, read_log, verify_appended, verify_proposed, verify_settled
from did_health.did.methods.webvh.parameters import NO_WITNESSES, Parameters, WitnessList
from did_health.did.methods.webvh.services import implicit_services, parallel_did_web, path_url, with_implicit_services
from did_health.did.methods.webvh.update import deactivate, move, rotate, update
from did_health.did.methods.webvh.urls import WebvhDID
from did_health.did.methods.webvh.verification import VerifiedEntry
from did_health.did.methods.webvh.witness import WitnessFile, create_witness_proof

__all__ = [
    "create", "update", "rotate", "move", "deactivate", "multikey_document", "next_key_hash",
    "Log", "LogReading", "VerifiedEntry", "Parameters", "WebvhDID", "read_log", "verify_appended", "verify_proposed", "verify_settled",
    "WitnessList", "NO_WITNESSES", "WitnessFile", "create_witness_proof",
    "implicit_services", "with_implicit_services", "path_url", "parallel_did_web",
]
