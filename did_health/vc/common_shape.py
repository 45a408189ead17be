"""The common shape: credentials as this library's issuers write them, told from all others by one pass of one compiled schema.

The shape is a closed JSON Schema: that of the credential's type, and around it an envelope in which every member is named. Whatever
has the shape is

- a credential of the data model 2.0 (``Credential.parse``), once its two timestamps are found to be real and in their order,
- valid under its type's schema, which is the only one that it names, once those timestamps are real,
- secured by one proof of ``eddsa-jcs-2022`` for the purpose ``assertionMethod`` (``Proof.parse``), whose texts are left to read,
- plain and shallow (``strict_json.Survey``), with the member name ``proof`` in one place only,

so that none of this has to be asked again. A presentation has the common shape if all around its credentials is as closed as that.
Nothing is refused for not having the shape: it goes the general way, which is the only one that explains, and the oracle of the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.limits import MAX_CREDENTIALS_PER_PRESENTATION, MAX_ISSUANCE_BATCH, MAX_STATUS_ENTRIES, MAX_URL_CHARACTERS
from did_health.vc.credential import BASE_TYPE
from did_health.vc.packaged import schema_file
from did_health.vc.schema import PACKAGED_PREFIX, Schema
from did_health.vc.validation import CONTEXT_V2

_OWN_CONTEXT: Final = "https://did-health.example/contexts/v1"
_TYPES: Final = frozenset({"PhysicianLicenseCredential"})
"""Types whose credentials are verified often; their subjects are closed, without numbers and without a member ``proof``."""

_TEXT: Final = {"type": "string"}
_CONTEXT: Final = {"const": [CONTEXT_V2, _OWN_CONTEXT]}
# These two are narrower than ``validation.is_url``.
_DID: Final = {"type": "string", "pattern": "^did:[a-z0-9]+:[A-Za-z0-9._:%-]+$", "maxLength": MAX_URL_CHARACTERS}
_URN_UUID: Final = {"type": "string", "pattern": "^urn:uuid:[0-9a-f-]+$", "maxLength": 45}


def _closed(required: JSONObject, optional: JSONObject | None = None) -> JSONObject:
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required), "additionalProperties": False}


_STATUS_ENTRY: Final = _closed(
    {
        "type": {"const": "BitstringStatusListEntry"},
        "statusPurpose": _TEXT,
        "statusListIndex": _TEXT,
        "statusListCredential": _TEXT,
    },
    {
        "statusSize": {"type": "integer", "maximum": 8},
        "statusMessage": {"type": "array", "items": {"type": "object", "additionalProperties": _TEXT}},
    },
)
_PROOF: Final = _closed(
    {
        "type": {"const": "DataIntegrityProof"},
        "cryptosuite": {"const": "eddsa-jcs-2022"},
        "verificationMethod": _TEXT,
        "proofPurpose": {"const": "assertionMethod"},
        "created": _TEXT,
        "@context": _CONTEXT,
        "proofValue": _TEXT,
    }
)


_CONTEXTS: Final = [CONTEXT_V2, _OWN_CONTEXT]
_PRESENTATION_TYPES: Final = ["VerifiablePresentation"]
_PRESENTATION_MEMBERS: Final = frozenset({"@context", "type", "holder", "verifiableCredential", "issuanceReceipt", "proof"})
_PRESENTATION_PROOF_TEXTS: Final = ("type", "cryptosuite", "verificationMethod", "proofPurpose", "created", "domain", "challenge", "proofValue")
_PRESENTATION_PROOF_MEMBERS: Final = frozenset({"@context", *_PRESENTATION_PROOF_TEXTS})
_RECEIPT_MEMBERS: Final = frozenset({"format", "index", "count", "root", "path", "ledgerProof"})


def has_common_shape(document: JSON) -> bool:
    """Whether ``document``, as ``strict_json`` parsed it from text, has the common shape."""
    if type(document) is not dict:
        return False
    types = document.get("type")
    if type(types) is not list or len(types) != 2 or type(types[1]) is not str or types[1] not in _TYPES:
        return False
    if not _shape(types[1])(document):
        return False
    # JSON Schema takes 4.0 for an integer.
    for entry in document["credentialStatus"]:  # noqa: SIM110  # a generator would take thrice as long
        if "statusSize" in entry and type(entry["statusSize"]) is not int:
            return False
    return True


def is_commonly_presented(document: JSONObject) -> bool:
    """Whether ``document``, as ``strict_json`` parsed it from text, is a presentation as this library's wallets write them, whatever it presents.

    It has credentials, no more than are allowed, and one proof of ``eddsa-jcs-2022`` for the purpose ``authentication``, whose texts are left to read; all
    but the credentials is plain, shallow, and without a member ``proof`` but its own.
    """
    if document.keys() != _PRESENTATION_MEMBERS or document["@context"] != _CONTEXTS or document["type"] != _PRESENTATION_TYPES:
        return False
    proof, receipts = document["proof"], document["issuanceReceipt"]
    presented = document["verifiableCredential"]
    if type(document["holder"]) is not str or type(receipts) is not list or type(presented) is not list:
        return False
    if not 0 < len(presented) <= MAX_CREDENTIALS_PER_PRESENTATION:
        return False
    if type(proof) is not dict or proof.keys() != _PRESENTATION_PROOF_MEMBERS or proof["@context"] != _CONTEXTS:
        return False
    for name in _PRESENTATION_PROOF_TEXTS:
        if type(proof[name]) is not str:
            return False
    for receipt in receipts:
        if type(receipt) is not dict or receipt.keys() != _RECEIPT_MEMBERS:
            return False
        for value in receipt.values():
            if type(value) is not str and not (type(value) is int and 0 <= value <= MAX_ISSUANCE_BATCH):
                return False
    return (proof["type"], proof["cryptosuite"], proof["proofPurpose"]) == ("DataIntegrityProof", "eddsa-jcs-2022", "authentication")


@cache
def _shape(name: str) -> Callable[[JSON], bool]:
    """The test of the shape of the type ``name``, one of ``_TYPES``."""
    file = f"{name}.json"
    typed = strict_json.loads_object(schema_file(file))
    subject = typed["properties"]["credentialSubject"]
    envelope = _closed(
        {
            "@context": _CONTEXT,
            "id": _URN_UUID,
            "type": {"const": [BASE_TYPE, name]},
            "issuer": _DID,
            "validFrom": _TEXT,
            "validUntil": _TEXT,
            "credentialSubject": {**subject, "properties": {**subject["properties"], "id": _DID}},
            "credentialSchema": {"const": {"id": PACKAGED_PREFIX + file, "type": "JsonSchema"}},
            "credentialStatus": {"type": "array", "items": _STATUS_ENTRY, "minItems": 1, "maxItems": MAX_STATUS_ENTRIES},
            "proof": _PROOF,
        }
    )
    return Schema.parse(strict_json.dumps({**typed, **envelope})).is_valid
