"""Credentials for the tests of the data model: whole, with no meaning, and easy to spoil."""

from __future__ import annotations

import copy
from typing import Any

V2 = "https://www.w3.org/ns/credentials/v2"
V1 = "https://www.w3.org/2018/credentials/v1"
DIGEST = "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"
DIGEST_58 = "zQmSK9pGKFnmc77pqyNAPJyPKt8rMqctngfg3vwuMArwGYZ"
LIST_URL = "https://board.example/status/revocation"

Document = dict[str, Any]

_CREDENTIAL: Document = {
    "@context": [V2, "https://did-health.example/contexts/v1", {"@vocab": "https://board.example/terms#"}],
    "id": "urn:uuid:343cf54b-2c38-480e-b6e8-7302332eae75",
    "type": ["VerifiableCredential", "ExampleCredential"],
    "name": "Example",
    "description": [{"@value": "Beispiel", "@language": "de"}, {"@value": "مثال", "@language": "ar", "@direction": "rtl"}],
    "issuer": {"id": "did:web:board.example", "name": {"@value": "Board of Medicine", "@language": "en"}},
    "validFrom": "2026-01-01T00:00:00Z",
    "validUntil": "2027-01-01T00:00:00+01:00",
    "credentialSubject": {"id": "did:key:z6MkpJySvETLnxhQG9DzEdmKJtysBDjuuTeDfUj1uNNCUqcj", "licenseNumber": "A-1"},
    "credentialSchema": {"id": "https://schemas.example/example.json", "type": "JsonSchema", "digestMultibase": DIGEST},
    "credentialStatus": [
        {
            "id": f"{LIST_URL}#7",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "7",
            "statusListCredential": LIST_URL,
        }
    ],
    "refreshService": {"type": "ExampleRefresh", "id": "https://board.example/refresh"},
    "termsOfUse": [{"type": "ExampleTerms"}],
    "evidence": {"type": "ExampleEvidence", "id": "https://board.example/evidence/1"},
    "relatedResource": [
        {"id": "https://board.example/a.png", "digestSRI": "sha256-AAAA sha384-BBBB==?x", "mediaType": "image/png"},
        {"id": "https://board.example/b.png", "digestMultibase": [DIGEST, DIGEST_58]},
    ],
    "proof": {"type": "DataIntegrityProof", "proofValue": "z1"},
    "unknownMember": {"survives": True},
}

_OLD: Document = {
    "@context": [V1, "https://www.w3.org/2018/credentials/examples/v1"],
    "id": "http://example.edu/credentials/3732",
    "type": ["VerifiableCredential", "UniversityDegreeCredential"],
    "issuer": "https://example.edu/issuers/14",
    "issuanceDate": "2020-01-01T19:23:24Z",
    "expirationDate": "2030-01-01T19:23:24Z",
    "credentialSubject": {"id": "did:example:1", "degree": {"type": "BachelorDegree"}},
    "credentialStatus": {"id": "https://example.edu/status/24", "type": "CredentialStatusList2017"},
    "refreshService": {"id": "https://example.edu/refresh/3732", "type": "ManualRefreshService2018"},
}


def credential(**changes: Any) -> Document:
    """A 2.0 credential with every member that the data model knows; ``changes`` replace members, ``...`` removes one."""
    return _changed(_CREDENTIAL, changes)


def credential_1_1(**changes: Any) -> Document:
    """A 1.1 credential, changed likewise."""
    return _changed(_OLD, changes)


def presentation(**changes: Any) -> Document:
    """A presentation of one credential, changed likewise."""
    whole: Document = {
        "@context": [V2],
        "id": "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5",
        "type": ["VerifiablePresentation"],
        "holder": "did:key:z6MkpJySvETLnxhQG9DzEdmKJtysBDjuuTeDfUj1uNNCUqcj",
        "verifiableCredential": [credential()],
        "proof": [{"type": "DataIntegrityProof", "proofValue": "z1"}],
    }
    return _changed(whole, changes)


def _changed(whole: Document, changes: Document) -> Document:
    document = copy.deepcopy(whole) | {name: value for name, value in changes.items() if value is not ...}
    return {name: value for name, value in document.items() if changes.get(name) is not ...}
