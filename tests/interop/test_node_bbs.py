"""Digital Bazaar's implementation of bbs-2023 in JavaScript verifies what we issue and derive, and we what it does.

It needs Node 18 and npm, which fetches the packages that ``node/package.json`` names; where that cannot be done the tests skip.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from did_health.encoding import multikey
from did_health.encoding.strict_json import JSONObject
from did_health.keys import Algorithm, PublicKey, public_key_from_multikey, signer_from_secret
from did_health.vc.contexts import CONTEXTS
from did_health.vc.proofs import add_proof, derive_proof, verify_proofs
from tests.conftest import repeatable_bytes

SOURCE = Path(__file__).parent / "node"
SIGNER = signer_from_secret(Algorithm.BLS12381G2, bytes(31) + b"\x2a")
DID = f"did:key:{SIGNER.public_key.multikey}"
METHOD = f"{DID}#{SIGNER.public_key.multikey}"
DOCUMENT: JSONObject = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": {"id": DID, "name": "A Board"},
    "name": "A licence",
    "validFrom": "2026-01-01T00:00:00Z",
    "validUntil": "2036-01-01T00:00:00Z",
    "credentialSubject": {"name": "Jane", "description": "A physician"},
    "credentialStatus": {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": "https://board.example/status/1",
    },
}
MANDATORY, SELECTIVE = ["/issuer", "/validUntil"], ["/name", "/credentialSubject/name", "/credentialStatus/statusPurpose"]

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """``requests → answers`` of the script; skips where it cannot be run."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node and npm are not installed")
    folder = tmp_path_factory.mktemp("node") / "bbs"
    shutil.copytree(SOURCE, folder)
    install = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--fetch-retries=0", "--fetch-timeout=20000"]
    try:
        installed = subprocess.run(install, cwd=folder, capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm cannot fetch the packages: it takes too long")
    if installed.returncode:
        pytest.skip("npm cannot fetch the packages")
    urls = ("https://www.w3.org/ns/credentials/v2", "https://w3id.org/security/multikey/v1", "https://www.w3.org/ns/did/v1")
    pair = {
        "@context": "https://w3id.org/security/multikey/v1",
        "type": "Multikey",
        "id": METHOD,
        "controller": DID,
        "publicKeyMultibase": SIGNER.public_key.multikey,
        "secretKeyMultibase": multikey.encode_secret("bls12_381-g2-priv", SIGNER.secret),
    }

    def ask(*requests: dict[str, Any]) -> list[dict[str, Any]]:
        given = json.dumps({"contexts": {url: CONTEXTS[url] for url in urls}, "keyPair": pair, "requests": requests})
        done = subprocess.run([node, "bbs.mjs"], cwd=folder, input=given, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        return answers

    return ask


def issue(seed: str = "issue") -> JSONObject:
    return add_proof(DOCUMENT, suite="bbs-2023", signer=SIGNER, verification_method=METHOD, mandatory_pointers=MANDATORY, random=repeatable_bytes(seed))


def derive(base: JSONObject, seed: str = "derive") -> JSONObject:
    return derive_proof(base, SELECTIVE, random=repeatable_bytes(seed))


def key(method: str, _purpose: str, _controller: str | None) -> PublicKey:
    return public_key_from_multikey(method.rpartition("#")[2])


def verify(document: JSONObject) -> JSONObject:
    (verified,) = verify_proofs(document, key, purpose="assertionMethod")
    return verified.document


def test_it_verifies_what_we_derived_and_refuses_what_was_changed(ask: Ask) -> None:
    ours = [derive(issue(str(number)), str(number)) for number in range(3)]
    changed = {**ours[0], "name": "Another licence"}
    *good, bad = ask(*({"verify": document} for document in (*ours, changed)))
    assert [answer["verified"] for answer in good] == [True] * 3, good
    assert bad["verified"] is False


def test_we_verify_what_it_derived_of_what_we_issued(ask: Ask) -> None:
    (answer,) = ask({"derive": issue(), "pointers": SELECTIVE})
    assert verify(answer["document"]) == verify(derive(issue()))


def test_we_derive_and_verify_what_it_issued(ask: Ask) -> None:
    (answer,) = ask({"issue": DOCUMENT, "pointers": MANDATORY})
    derived = derive(answer["document"])
    assert verify(derived) == verify(derive(issue()))
    assert ask({"verify": derived})[0]["verified"] is True
