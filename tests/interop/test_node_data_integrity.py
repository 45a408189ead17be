"""Digital Bazaar's implementations of the EdDSA and ECDSA suites in JavaScript verify what we sign, and we what they do.

It needs Node 18 and npm (see ``conftest``); where they are not, the tests skip. Suites of selective disclosure: ``test_node_disclosure``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from did_health.encoding import multibase
from did_health.encoding.strict_json import JSONObject
from did_health.keys import Algorithm, PublicKey, generate, public_key_from_multikey
from did_health.keys.base import ExportableSigner
from did_health.vc.contexts import CONTEXTS
from did_health.vc.proofs import add_proof, verify_proofs
from tests.conftest import repeatable_bytes
from tests.interop.conftest import RunNode

Ask = Callable[..., list[dict[str, Any]]]
SECRET_HEADERS = {Algorithm.ED25519: "8026", Algorithm.P256: "8626", Algorithm.P384: "8726"}


class Party(NamedTuple):
    """A suite and the key of an issuer that signs with it."""

    suite: str
    signer: ExportableSigner

    @property
    def did(self) -> str:
        return f"did:key:{self.signer.public_key.multikey}"

    @property
    def method(self) -> str:
        return f"{self.did}#{self.signer.public_key.multikey}"

    def document(self) -> JSONObject:
        return {
            "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/security/suites/ed25519-2020/v1"],
            "type": ["VerifiableCredential"],
            "issuer": {"id": self.did, "name": "Ä Board"},
            "name": {"@value": "A licence", "@language": "en"},
            "description": {"@value": "رخصة", "@language": "ar", "@direction": "rtl"},
            "validFrom": "2026-01-01T00:00:00Z",
            "validUntil": "2036-01-01T00:00:00Z",
            "credentialSubject": [{"name": "Jane \U0001f600", "description": 'A "physician"\n'}, {"name": "Jane \U0001f600", "description": "Another"}],
            "evidence": [{"type": ["JsonSchema"], "name": "one"}],
        }

    def signed(self) -> JSONObject:
        return add_proof(self.document(), suite=self.suite, signer=self.signer, verification_method=self.method)

    def request(self, **members: Any) -> dict[str, Any]:
        public = self.signer.public_key
        # Theirs is an Ed25519 seed with the public key behind it.
        secret = self.signer.secret + (public.raw if public.algorithm is Algorithm.ED25519 else b"")
        pair = {
            "@context": "https://w3id.org/security/multikey/v1",
            "type": "Multikey",
            "id": self.method,
            "controller": self.did,
            "publicKeyMultibase": public.multikey,
            "secretKeyMultibase": multibase.encode("z", bytes.fromhex(SECRET_HEADERS[public.algorithm]) + secret),
        }
        return {"suite": self.suite, "keyPair": pair, **members}


ED25519 = generate(repeatable_bytes("node ed25519"))
P256 = generate(repeatable_bytes("node p256"), Algorithm.P256)
P384 = generate(repeatable_bytes("node p384"), Algorithm.P384)
PARTIES = [
    Party("eddsa-jcs-2022", ED25519),
    Party("eddsa-rdfc-2022", ED25519),
    Party("Ed25519Signature2020", ED25519),
    Party("ecdsa-jcs-2019", P256),
    Party("ecdsa-jcs-2019", P384),
    Party("ecdsa-rdfc-2019", P256),
    Party("ecdsa-rdfc-2019", P384),
]


@pytest.fixture(scope="module")
def ask(run_node: RunNode) -> Ask:
    """``requests → answers`` of the script; skips where it cannot be run."""
    urls = (
        "https://www.w3.org/ns/credentials/v2",
        "https://w3id.org/security/multikey/v1",
        "https://w3id.org/security/suites/ed25519-2020/v1",
        "https://www.w3.org/ns/did/v1",
    )

    def ask(*requests: dict[str, Any]) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = run_node("data_integrity.mjs", {"contexts": {url: CONTEXTS[url] for url in urls}, "requests": requests})
        return answers

    return ask


def verify(document: JSONObject) -> JSONObject:
    def key(method: str, _purpose: str, _controller: str | None) -> PublicKey:
        return public_key_from_multikey(method.rpartition("#")[2])

    (verified,) = verify_proofs(document, key, purpose="assertionMethod")
    return verified.document


def test_it_verifies_what_we_signed_and_refuses_what_was_changed(ask: Ask) -> None:
    signed = [(party, party.signed()) for party in PARTIES]
    good = ask(*(party.request(verify=document) for party, document in signed))
    bad = ask(*(party.request(verify={**document, "validUntil": "2046-01-01T00:00:00Z"}) for party, document in signed))
    assert [answer["verified"] for answer in good] == [True] * len(PARTIES), good
    assert [answer["verified"] for answer in bad] == [False] * len(PARTIES)


def test_we_verify_what_it_signed(ask: Ask) -> None:
    answers = ask(*(party.request(issue=party.document()) for party in PARTIES))
    for party, answer in zip(PARTIES, answers, strict=True):
        assert verify(answer["document"]) == party.document()
