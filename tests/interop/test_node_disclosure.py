"""Digital Bazaar's implementations of bbs-2023 and ecdsa-sd-2023 in JavaScript verify what we issue and derive, and we what they do.

It needs Node 18 and npm (see ``conftest``); where they are not, the tests skip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from did_health.encoding import multikey
from did_health.encoding.strict_json import JSONObject
from did_health.keys import Algorithm, PublicKey, public_key_from_multikey, signer_from_secret
from did_health.keys.base import ExportableSigner
from did_health.vc.contexts import CONTEXTS
from did_health.vc.proofs import add_proof, derive_proof, verify_proofs
from tests.conftest import repeatable_bytes
from tests.interop.conftest import RunNode

SUITES = {"bbs-2023": (Algorithm.BLS12381G2, "bls12_381-g2-priv"), "ecdsa-sd-2023": (Algorithm.P256, "p256-priv")}
URLS = ("https://www.w3.org/ns/credentials/v2", "https://w3id.org/security/multikey/v1", "https://www.w3.org/ns/did/v1")
MANDATORY, SELECTIVE = ["/issuer", "/validUntil"], ["/name", "/credentialSubject/name", "/credentialStatus/statusPurpose"]


@dataclass(frozen=True)
class Issuer:
    """An issuer with a key for one suite, whom both implementations know."""

    suite: str
    run_node: RunNode

    @property
    def signer(self) -> ExportableSigner:
        return signer_from_secret(SUITES[self.suite][0], bytes(31) + b"\x2a")

    @property
    def did(self) -> str:
        return f"did:key:{self.signer.public_key.multikey}"

    @property
    def method(self) -> str:
        return f"{self.did}#{self.signer.public_key.multikey}"

    @property
    def document(self) -> JSONObject:
        return {
            "@context": [URLS[0]],
            "type": ["VerifiableCredential"],
            "issuer": {"id": self.did, "name": "A Board"},
            "name": "A licence",
            "validFrom": "2026-01-01T00:00:00Z",
            "validUntil": "2036-01-01T00:00:00Z",
            "credentialSubject": {"name": "Jane", "description": {"@value": "طبيبة", "@language": "ar", "@direction": "rtl"}},
            "credentialStatus": {
                "type": "BitstringStatusListEntry",
                "statusPurpose": "revocation",
                "statusListIndex": "94567",
                "statusListCredential": "https://board.example/status/1",
            },
        }

    def issue(self, seed: str = "issue") -> JSONObject:
        return add_proof(
            self.document,
            suite=self.suite,
            signer=self.signer,
            verification_method=self.method,
            mandatory_pointers=MANDATORY,
            random=repeatable_bytes(seed),
        )

    def ask(self, *requests: dict[str, Any]) -> list[dict[str, Any]]:
        """The script's answers to ``requests``."""
        pair = {
            "@context": URLS[1],
            "type": "Multikey",
            "id": self.method,
            "controller": self.did,
            "publicKeyMultibase": self.signer.public_key.multikey,
            "secretKeyMultibase": multikey.encode_secret(SUITES[self.suite][1], self.signer.secret),
        }
        given = {"suite": self.suite, "contexts": {url: CONTEXTS[url] for url in URLS}, "keyPair": pair, "requests": requests}
        answers: list[dict[str, Any]] = self.run_node("disclosure.mjs", given)
        return answers


@pytest.fixture(params=SUITES)
def issuer(request: pytest.FixtureRequest, run_node: RunNode) -> Issuer:
    return Issuer(request.param, run_node)


def derive(base: JSONObject, seed: str = "derive") -> JSONObject:
    return derive_proof(base, SELECTIVE, random=repeatable_bytes(seed))


def key(method: str, _purpose: str, _controller: str | None) -> PublicKey:
    return public_key_from_multikey(method.rpartition("#")[2])


def verify(document: JSONObject) -> JSONObject:
    (verified,) = verify_proofs(document, key, purpose="assertionMethod")
    return verified.document


def test_it_verifies_what_we_derived_and_refuses_what_was_changed(issuer: Issuer) -> None:
    ours = [derive(issuer.issue(str(number)), str(number)) for number in range(3)]
    changed = {**ours[0], "name": "Another licence"}
    *good, bad = issuer.ask(*({"verify": document} for document in (*ours, changed)))
    assert [answer["verified"] for answer in good] == [True] * 3, good
    assert bad["verified"] is False


def test_we_verify_what_it_derived_of_what_we_issued(issuer: Issuer) -> None:
    (answer,) = issuer.ask({"derive": issuer.issue(), "pointers": SELECTIVE})
    assert verify(answer["document"]) == verify(derive(issuer.issue()))
    # Deriving by ecdsa-sd-2023 leaves nothing to chance.
    assert answer["document"]["proof"] == derive(issuer.issue())["proof"] or issuer.suite == "bbs-2023"


def test_we_derive_and_verify_what_it_issued(issuer: Issuer) -> None:
    (answer,) = issuer.ask({"issue": issuer.document, "pointers": MANDATORY})
    derived = derive(answer["document"])
    assert verify(derived) == verify(derive(issuer.issue()))
    assert issuer.ask({"verify": derived})[0]["verified"] is True
