"""What a JCS cryptosuite signs (Data Integrity EdDSA §3.3, ECDSA §3.3): SHA of the proof options, then SHA of the document, each in JCS.

Here and not beside the credential suites, because did:webvh signs its log lines in the same way.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from did_health.encoding.jcs import Canonicalize, canonicalize
from did_health.encoding.strict_json import JSONObject

HashName = Literal["sha256", "sha384"]


def jcs_hash_data(document: JSONObject, proof_options: JSONObject, hash_name: HashName = "sha256", canonicalize: Canonicalize = canonicalize) -> bytes:
    """The bytes to sign: 64 (96 for SHA-384).

    ``document`` comes without its ``proof`` (or, in a proof chain, with the proofs before this one), ``proof_options`` without
    ``proofValue``; ``canonicalize`` may be a quicker kin of JCS's. Raises ``FormatError`` for what JCS cannot hold.
    """
    digest = hashlib.sha256 if hash_name == "sha256" else hashlib.sha384
    return digest(canonicalize(proof_options)).digest() + digest(canonicalize(document)).digest()
