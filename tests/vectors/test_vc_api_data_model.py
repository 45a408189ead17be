"""The inputs of the W3C's data model test suite, sent to the service as the suite sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import shared
from tests.vc_api_parties import VCAPI, vc_api
from tests.vectors.test_vc_data_model import INSTANTS

pytest.importorskip("starlette", reason="services need the extra server")
pytest.importorskip("pyld", reason="JSON-LD needs the extra rdf")
pytestmark = pytest.mark.vectors


@pytest.fixture(scope="module")
def service() -> Iterator[VCAPI]:
    with vc_api() as running:
        yield running


def cases(kind: str) -> list[dict[str, Any]]:
    found = json.loads(shared("vectors", "vc-data-model-2.0", "cases.json").read_bytes())["cases"]
    return [case for case in found if case["id"].startswith("presentation") is (kind == "presentation")]


@pytest.mark.parametrize("issuer", ["eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019-P-384"])
def test_every_credential_is_issued_and_verified_or_refused_as_expected(service: VCAPI, issuer: str) -> None:
    did = service.instance.issuers[issuer].party.did
    for case in cases("credential"):
        document = {name: INSTANTS.get(value, value) if isinstance(value, str) else value for name, value in case["document"].items()}
        if case["id"] != "credential-no-issuer-fail":
            given = document.get("issuer", did)
            document["issuer"] = {"id": did, **given} if isinstance(given, dict) else given
        answer = service.post(f"/issuers/{issuer}/credentials/issue", {"credential": document, "options": {}})
        expected = 400 if case["expected"].startswith("fail") else 201
        assert answer.status_code == expected, (case["id"], answer.text)
        if expected == 201:
            verified = service.verified(answer.json()["verifiableCredential"], checks=["proof"])
            assert verified.status_code == 200, (case["id"], verified.text)


def test_every_presentation_is_proved_and_verified_or_refused_as_expected(service: VCAPI) -> None:
    holder = service.instance.issuers["eddsa-rdfc-2022"].party.did
    for case in cases("presentation"):
        document = case["document"]
        if "holder" in document:
            document["holder"] = {"id": holder} if isinstance(document["holder"], dict) else holder
        for position, credential in enumerate(document.get("verifiableCredential", ())):
            if case["id"].endswith("ok") and "issuer" in credential:
                # The suite signs them with the holder's key.
                document["verifiableCredential"][position] = service.issued(**{"id": ...} | credential | {"issuer": holder})
        answer = service.post("/presentations/prove", {"presentation": document, "options": {}})
        assert answer.status_code == (201 if case["expected"] == "ok" else 400), (case["id"], answer.text)
        if answer.status_code == 201 and "enveloped" not in case["id"]:
            body = {"verifiablePresentation": answer.json()["verifiablePresentation"], "options": {"checks": []}}
            verified = service.post("/presentations/verify", body)
            assert verified.status_code == 200, (case["id"], verified.text)
