"""The signed credentials of the cryptosuites' specifications, sent to the service as they stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import lacking, shared_cases
from tests.vc_api_parties import VCAPI, code, vc_api

pytest.importorskip("starlette", reason="services need the extra server")
pytest.importorskip("pyld", reason="JSON-LD needs the extra rdf")
pytestmark = pytest.mark.vectors

FOLDER = ("vectors", "data-integrity")
FILES = [
    *shared_cases(*FOLDER, "eddsa/*/signed*.json"),
    *shared_cases(*FOLDER, "eddsa/proof-set-chain/proofChainTempDoc1.json"),
    *shared_cases(*FOLDER, "ecdsa/ecdsa-*-2019-*/signed*.json"),
]


@pytest.fixture(scope="module")
def service() -> Iterator[VCAPI]:
    with vc_api() as running:
        yield running


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_vector_is_verified_by_default_and_not_with_another_proof_value(service: VCAPI, file: Path) -> None:
    # EdDSA Cryptosuites 1.0 appendix B, ECDSA Cryptosuites 1.0 appendix A: their issuer is https://vc.example/issuers/5678.
    if not file.exists():
        lacking("third-party data not found")
    document = json.loads(file.read_bytes())
    answer = service.verified(document)
    assert answer.status_code == 200, answer.text
    assert "reserved for examples" in answer.json()["results"]["issuer"]["message"]
    changed = service.verified(document | {"validFrom": "2020-01-01T00:00:00Z"})
    assert changed.status_code == 400
    assert code(changed) == "PROOF_VERIFICATION_ERROR"
