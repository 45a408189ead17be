"""The inputs of the W3C test suite for the VC Data Model 2.0, as far as the pure data model decides them.

The suite hands its inputs to an issuer, which adds what an issuer adds: its own ``issuer`` (or its ``id``, in an object that has none), and real
instants for the words PAST DATE and FUTURE DATE. So do these tests.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.vc import rdf
from did_health.vc.credential import Credential
from did_health.vc.presentation import Presentation, self_asserted
from tests.conftest import shared, shared_cases

pytestmark = pytest.mark.vectors

ISSUER = "did:example:issuer"
INSTANTS = {"PAST DATE": "2020-01-01T00:00:00Z", "FUTURE DATE": "2090-01-01T00:00:00Z"}

NEEDS_JSON_LD = {
    "credential-redef-type2-fail",  # a protected term is defined again
    "credential-type-unmapped-fail",  # a type is mapped to no URL
}
"""Well-formed JSON of the right shape, which only JSON-LD processing can refuse."""


def _cases() -> list[Any]:
    (path,) = shared_cases("vectors", "vc-data-model-2.0", "cases.json")
    if not path.exists():
        return [pytest.param(None, id="missing")]
    return [pytest.param(case, id=case["id"]) for case in json.loads(Path(path).read_bytes())["cases"]]


def issued(document: dict[str, Any]) -> dict[str, Any]:
    """``document`` as the suite's issuer would complete it."""
    document = {name: INSTANTS.get(value, value) if isinstance(value, str) else value for name, value in document.items()}
    issuer = document.setdefault("issuer", ISSUER)
    if isinstance(issuer, dict) and "id" not in issuer:
        document["issuer"] = {"id": ISSUER, **issuer}
    return document


def parse(case: dict[str, Any]) -> object:
    if case["id"].startswith("presentation"):
        presentation = Presentation.parse(case["document"])
        return [Credential.parse(credential) for credential in presentation.credentials]
    # This one is about the very member that the suite's issuer would add.
    return Credential.parse(case["document"] if case["id"] == "credential-no-issuer-fail" else issued(case["document"]))


@pytest.mark.parametrize("case", _cases())
def test_the_data_model_gives_the_expected_verdict(case: dict[str, Any] | None) -> None:
    if case is None:
        shared("vectors", "vc-data-model-2.0", "cases.json")
        return
    if case["id"] in NEEDS_JSON_LD:
        pytest.importorskip("pyld", reason="JSON-LD needs the extra rdf")
        assert parse(case) is not None
        with pytest.raises(FormatError):
            rdf.canonical_nquads(issued(case["document"]))
    elif case["expected"].startswith("fail"):
        with pytest.raises(FormatError):
            parse(case)
    else:
        # ok, and the three "see-note" ones, whose fault is who secured them and not their shape.
        assert parse(case) is not None


SELF_ASSERTED = (
    "presentation-self-asserted-vc-no-holder",
    "presentation-self-asserted-vc-holder-mismatch",
    "presentation-self-asserted-vc-issuer-mismatch",
)
"""The cases that the suite gives no verdict on. §4.13.4 does: the holder of each has to be there and be the issuer, and is not."""


@pytest.mark.parametrize("name", SELF_ASSERTED)
def test_a_credential_without_a_proof_needs_its_issuer_as_the_holder(name: str) -> None:
    found = json.loads(shared("vectors", "vc-data-model-2.0", "cases.json").read_bytes())["cases"]
    document = next(case["document"] for case in found if case["id"] == name)
    with pytest.raises(FormatError):
        self_asserted(Presentation.parse(document))
    issuer = document["verifiableCredential"][0]["issuer"]
    assert self_asserted(Presentation.parse(document | {"holder": issuer})) == tuple(document["verifiableCredential"])


def test_the_enveloped_credential_is_opened() -> None:
    found = json.loads(shared("vectors", "vc-data-model-2.0", "cases.json").read_bytes())["cases"]
    document = next(case["document"] for case in found if case["id"] == "presentation-enveloped-vc-ok")
    (envelope,) = Presentation.parse(document).envelopes
    assert envelope.media_type == "application/vc-ld+jwt"
    assert envelope.content.count(b".") == 2


def test_none_of_the_cases_was_left_out() -> None:
    found = json.loads(shared("vectors", "vc-data-model-2.0", "cases.json").read_bytes())["cases"]
    assert len(found) == 81
    assert {case["id"] for case in found} >= NEEDS_JSON_LD
