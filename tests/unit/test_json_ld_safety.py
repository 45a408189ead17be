"""What JSON-LD may do to a signed document, and must not: Data Integrity 1.0 §2.4, §4.6, §5.6, §5.14.

For every suite that reads JSON-LD, when a proof is made, when one is verified, and when one is derived.
"""

from __future__ import annotations

import copy
import socket
import time
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.keys import Algorithm, generate
from did_health.vc.contexts import CREDENTIALS_V1, CREDENTIALS_V2
from did_health.vc.proofs import add_proof, derive_proof, verify_proofs
from did_health.vc.rdf import canonical_nquads
from tests.conftest import repeatable_bytes

ED25519 = generate(repeatable_bytes("ed25519"))
P256 = generate(repeatable_bytes("p256"), Algorithm.P256)
SIGNERS = {"eddsa-rdfc-2022": ED25519, "Ed25519Signature2020": ED25519, "ecdsa-rdfc-2019": P256, "ecdsa-sd-2023": P256}
every_suite = pytest.mark.parametrize("suite", SIGNERS)
OWN = "https://context.example/v1"
OWN_CONTEXTS: dict[str, JSONObject] = {
    OWN: {"@context": {"@protected": True, "salary": "https://vocabulary.example/salary", "knows": {"@id": "https://vocabulary.example/knows", "@type": "@id"}}}
}


def credential(**members: Any) -> JSONObject:
    return {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:board",
        "credentialSubject": {"id": "did:example:physician", "name": "Ann"},
        **members,
    }


def sign(suite: str, document: JSONObject, **options: Any) -> JSONObject:
    chosen = {"random": repeatable_bytes("base")} if suite == "ecdsa-sd-2023" else {}
    return add_proof(document, suite=suite, signer=SIGNERS[suite], verification_method="did:example:board#1", **chosen, **options)


def verify(suite: str, document: JSONObject, **options: Any) -> Any:
    return verify_proofs(document, lambda *_: SIGNERS[suite].public_key, purpose="assertionMethod", **options)


def refusals(suite: str, document: JSONObject, contexts: dict[str, JSONObject] | None = None) -> set[str]:
    """The codes by which a document is refused, as it is signed, verified and, with its suite, derived from; raises if it is not."""
    chosen = {"contexts": contexts} if contexts else {}
    proof = sign(suite, credential())["proof"]
    carrier = {**document, "proof": proof}
    if suite == "Ed25519Signature2020":
        carrier["@context"] = [*document["@context"], "https://w3id.org/security/suites/ed25519-2020/v1"]
    attempts: list[Callable[[], Any]] = [lambda: sign(suite, document, **chosen)]
    if suite == "ecdsa-sd-2023":
        derived = derive_proof(sign(suite, credential()), [""])["proof"]
        attempts += [lambda: derive_proof(carrier, [""], **chosen), lambda: verify(suite, {**document, "proof": derived}, **chosen)]
    else:
        attempts.append(lambda: verify(suite, carrier, **chosen))
    codes = set()
    for attempt in attempts:
        with pytest.raises(FormatError) as caught:
            attempt()
        codes.add(caught.value.code)
    return codes


# nothing is fetched


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@every_suite
@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("contexts", "known"),
    [
        pytest.param([CREDENTIALS_V2, "https://elsewhere.example/v1"], {}, id="unknown context"),
        pytest.param([CREDENTIALS_V2, "http://127.0.0.1:1/v1"], {}, id="address of this machine"),
        pytest.param([CREDENTIALS_V2, "file:///etc/passwd"], {}, id="file"),
        pytest.param([CREDENTIALS_V2, "v1"], {}, id="relative reference"),
        pytest.param([CREDENTIALS_V2, OWN], {OWN: {"@context": ["https://elsewhere.example/v1"]}}, id="context that names another"),
        pytest.param([CREDENTIALS_V2, OWN], {OWN: {"@context": {"@import": "https://elsewhere.example/v1"}}}, id="context that imports another"),
        pytest.param(
            [CREDENTIALS_V2, OWN],
            {OWN: {"@context": {"VerifiableCredential": {"@id": "urn:x:a", "@context": "https://elsewhere.example/v1"}}}},
            id="scoped context elsewhere",
        ),
    ],
)
def test_no_context_is_ever_fetched(suite: str, contexts: list[str], known: dict[str, JSONObject]) -> None:
    """§2.4, §5.14."""
    assert refusals(suite, credential(**{"@context": contexts}), known) == {"PROOF_TRANSFORMATION_ERROR"}


@every_suite
@pytest.mark.usefixtures("no_network")
def test_the_contexts_of_the_specifications_are_there(suite: str) -> None:
    """§2.4: to be treated as already resolved."""
    urls = ["https://w3id.org/security/data-integrity/v2", "https://w3id.org/security/multikey/v1", "https://w3id.org/security/jwk/v1"]
    document = sign(suite, credential(**{"@context": [CREDENTIALS_V2, *urls]}))
    assert verify(suite, derive_proof(document, [""]) if suite == "ecdsa-sd-2023" else document)


# nothing is lost


@every_suite
@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"salary": 1}, id="undefined term"),
        pytest.param({"credentialSubject": {"id": "did:example:physician", "salary": 1}}, id="undefined term of the subject"),
        pytest.param({"type": ["VerifiableCredential", "Undefined"]}, id="undefined type"),
        pytest.param({"credentialSubject": {"id": "physician-1"}}, id="relative id"),
        pytest.param({"issuer": "board"}, id="relative reference"),
    ],
)
def test_what_json_ld_would_drop_is_refused(suite: str, members: JSONObject) -> None:
    """§2.4.3."""
    assert refusals(suite, credential(**members)) == {"DATA_LOSS_DETECTION_ERROR"}


@every_suite
def test_a_member_of_the_proof_that_its_contexts_do_not_define_is_refused(suite: str) -> None:
    """§2.4.3: added behind the signature, it would not be noticed."""
    document = copy.deepcopy(sign(suite, credential()))
    if suite == "ecdsa-sd-2023":
        document = derive_proof(document, [""])
    document["proof"]["salary"] = 1
    with pytest.raises(FormatError) as caught:
        verify(suite, document)
    assert caught.value.code == "DATA_LOSS_DETECTION_ERROR"


# nothing is given another meaning


@every_suite
@pytest.mark.parametrize(
    "context",
    [
        pytest.param({"name": "https://vocabulary.example/name"}, id="term of the data model"),
        pytest.param({"VerifiableCredential": "https://vocabulary.example/Other"}, id="type of the data model"),
        pytest.param({"id": "https://vocabulary.example/id"}, id="id"),
        pytest.param({"DataIntegrityProof": "https://vocabulary.example/Other"}, id="type of proofs"),
    ],
)
def test_protected_terms_are_not_redefined(suite: str, context: JSONObject) -> None:
    """§3, last requirement: terms are protected; JSON-LD 1.1 §4.1.11."""
    document = credential(**{"@context": [CREDENTIALS_V2, OWN]})
    assert refusals(suite, document, {OWN: {"@context": context}}) == {"PROOF_TRANSFORMATION_ERROR"}


@every_suite
def test_terms_of_a_type_stay_those_of_the_type(suite: str) -> None:
    """JSON-LD 1.1 §4.1.8: a context of the document does not reach what a type defines for itself, such as a credential's issuer."""
    contexts: dict[str, JSONObject] = {OWN: {"@context": {"issuer": "https://vocabulary.example/issuer"}}}
    document = credential(**{"@context": [CREDENTIALS_V2, OWN]})
    assert canonical_nquads(document, contexts=contexts) == canonical_nquads(credential())
    signed = sign(suite, document, contexts=contexts)
    assert verify(suite, derive_proof(signed, [""], contexts=contexts) if suite == "ecdsa-sd-2023" else signed, contexts=contexts)


@every_suite
@pytest.mark.parametrize(
    "document",
    [
        pytest.param(credential(**{"@context": [CREDENTIALS_V2, {"salary": "https://vocabulary.example/salary"}]}, salary=1), id="beside the others"),
        pytest.param(credential(**{"@context": [CREDENTIALS_V2, {"@vocab": "https://vocabulary.example/"}]}, salary=1), id="vocabulary for everything"),
        pytest.param(
            credential(credentialSubject={"id": "did:example:a", "@context": {"salary": "https://vocabulary.example/salary"}, "salary": 1}), id="in the subject"
        ),
        pytest.param(credential(credentialSubject={"id": "did:example:a", "@context": None}), id="none at all"),
    ],
)
def test_contexts_inside_a_document_are_refused(suite: str, document: JSONObject) -> None:
    """§4.6 step 3: known contexts only, and where they belong."""
    assert refusals(suite, document) == {"PROOF_TRANSFORMATION_ERROR"}


@every_suite
def test_contexts_that_are_put_in_place_of_the_signed_ones_do_not_verify(suite: str) -> None:
    """§2.4.1."""
    document = sign(suite, credential(**{"@context": [CREDENTIALS_V2, OWN]}, salary=1), contexts=OWN_CONTEXTS)
    if suite == "ecdsa-sd-2023":
        document = derive_proof(document, [""], contexts=OWN_CONTEXTS)
    assert verify(suite, document, contexts=OWN_CONTEXTS)
    other = "https://other.example/v1"
    contexts = {**OWN_CONTEXTS, other: {"@context": {"salary": "https://vocabulary.example/debt"}}}
    swapped = {**document, "@context": [other if url == OWN else url for url in document["@context"]]}
    with pytest.raises(Exception, match="does not verify"):
        verify(suite, swapped, contexts=contexts)


@every_suite
@pytest.mark.parametrize("contexts", [{"salary": "https://vocabulary.example/salary"}, [CREDENTIALS_V1], OWN, [None], 5])
def test_contexts_that_are_put_into_the_proof_are_refused(suite: str, contexts: Any) -> None:
    """§2.4.2: the options of a proof are read under the document's contexts, so that its own would be under no signature."""
    document = copy.deepcopy(sign(suite, credential()))
    if suite == "ecdsa-sd-2023":
        document = derive_proof(document, [""])
    document["proof"]["@context"] = contexts
    with pytest.raises(FormatError) as caught:
        verify(suite, document, contexts=OWN_CONTEXTS)
    assert caught.value.code == "PROOF_TRANSFORMATION_ERROR"
    document["proof"]["@context"] = document["@context"]
    assert verify(suite, document)
    document["proof"]["@context"] = CREDENTIALS_V2
    assert verify(suite, document)


# nothing takes for ever


@every_suite
def test_eight_blank_nodes_that_all_know_each_other_are_refused_at_once(suite: str) -> None:
    """§5.6; RDF Dataset Canonicalization §7.1."""
    nodes = [{"id": f"_:n{number}", "knows": [f"_:n{other}" for other in range(8) if other != number]} for number in range(8)]
    document = credential(**{"@context": [CREDENTIALS_V2, OWN]}, knows=nodes)
    started = time.perf_counter()
    assert refusals(suite, document, OWN_CONTEXTS) == {"PROOF_TRANSFORMATION_ERROR"}
    # Two or three refusals, most of whose time is JSON-LD's.
    assert time.perf_counter() - started < 1
