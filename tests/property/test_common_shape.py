"""Whatever has the common shape is what the general way finds it to be: that way is the oracle, for credentials changed in any place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from did_health.encoding import strict_json
from did_health.encoding.jcs import canonicalize_slowly
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.health.credential_schemas import SCHEMAS, schema_of
from did_health.keys import public_key_from_multikey
from did_health.roles.documents import logged_credential, parse_document
from did_health.roles.issuer import Issued
from did_health.roles.report import CheckName, Report, Verdict
from did_health.roles.verifier import Verifier
from did_health.vc.common_shape import has_common_shape, is_commonly_presented
from did_health.vc.credential import Credential
from did_health.vc.presentation import Presentation
from did_health.vc.proofs.data_integrity import verify_common_presentation, verify_common_proof, verify_proofs
from did_health.vc.proofs.proof import parse_proofs
from tests.property.test_roles import VALUES, changed, paths
from tests.town import AUDIENCE, Town

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TIMESTAMPS = st.from_regex(r"\A20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,3})?(Z|\+[01][0-9]:[03]0)\Z")
TEXTS = st.one_of(
    TIMESTAMPS, st.text(max_size=12), st.sampled_from(["did:key:z6Mk", "did:example:a b", "https://", "urn:uuid:", "0x1", "DataIntegrityProof", "proof", "z1"])
)
ADDED = st.sampled_from(["proof", "id", "name", "statusSize", "statusMessage", "expires", "domain", "challenge", "digestSRI", "evidence", "𐀀", "ﬀ"])


@pytest.fixture(scope="module")
def licence(town: Town) -> Issued:
    return town.issue(npi="1234567893", degree="MD")


@st.composite
def edits(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    """``document`` with one to three places changed, dropped or added to."""
    for _ in range(draw(st.integers(1, 3))):
        places = paths(document)
        place = draw(st.sampled_from(places))
        name, value = draw(ADDED), draw(st.one_of(TEXTS, VALUES))
        kind = draw(st.sampled_from(["text", "value", "drop", "add", "more"]))

        def edit(old: Any, kind: str = kind, name: str = name, value: Any = value) -> Any:
            if kind == "drop":
                return ...
            if kind == "add" and isinstance(old, dict):
                return {**old, name: value}
            if kind == "add" and isinstance(old, list):
                return [*old, value]
            if kind == "more" and isinstance(old, str):
                return old + str(value)
            return value

        document = changed(document, place, edit)
    return document


def outcome(work: Any) -> Any:
    """What ``work`` gives, or the kind, code and place of its refusal."""
    try:
        return work()
    except (FormatError, UnsupportedError, VerificationError) as error:
        return type(error), error.code, error.where


def fields(credential: Credential) -> tuple[Any, ...]:
    return credential.raw, credential.data_model, credential.types, credential.issuer_id, credential.valid_from, credential.valid_until


def test_what_boards_issue_has_the_common_shape(licence: Issued) -> None:
    assert has_common_shape(licence.credential)
    assert Credential.parse_common(licence.credential).is_common
    assert not Credential.parse(licence.credential).is_common
    document = strict_json.dumps(logged_credential(licence.credential, licence.receipt))
    assert [part.is_common for part in parse_document(document).parts] == [True]
    # Blanks, and objects that were never text, go the general way.
    assert [part.is_common for part in parse_document(document + b"\n").parts] == [False]
    assert [part.is_common for part in parse_document(json.loads(document)).parts] == [False]


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"type": "x"}, {"type": ["VerifiableCredential", 7]}, {"type": ["VerifiableCredential", "PharmacyCredential"]}]
)
def test_anything_else_has_it_not(value: Any) -> None:
    assert not has_common_shape(value)


def test_a_size_written_as_a_float_is_not_common(licence: Issued) -> None:
    document = json.loads(json.dumps(licence.credential))
    entry = next(entry for entry in document["credentialStatus"] if "statusSize" in entry)
    entry["statusSize"] = float(entry["statusSize"])
    assert not has_common_shape(document)


@QUICK
@given(data=st.data())
def test_the_common_shape_is_never_more_than_the_general_rules(licence: Issued, data: st.DataObject) -> None:
    document = data.draw(edits(json.loads(json.dumps(licence.credential))))
    if not has_common_shape(document):
        return
    found = outcome(lambda: fields(Credential.parse_common(document)))
    assert found == outcome(lambda: fields(Credential.parse(document)))
    if found[0] is not document:
        return
    credential = Credential.parse(document)
    schema = schema_of("PhysicianLicenseCredential")
    assert schema is not None
    schema.check(document)
    assert SCHEMAS.check(credential) == (schema.id,)
    survey = strict_json.survey(document)
    assert survey.plain
    assert survey.depth < 8
    proofs = outcome(lambda: parse_proofs(document))
    assert proofs[0] is FormatError or (len(proofs) == 1 and proofs[0].cryptosuite.name == "eddsa-jcs-2022" and proofs[0].purpose == "assertionMethod")


@QUICK
@given(data=st.data())
def test_common_proofs_hold_or_fail_as_all_do(town: Town, licence: Issued, data: st.DataObject) -> None:
    document = data.draw(edits(json.loads(json.dumps(licence.credential))))
    if not has_common_shape(document):
        return
    key, board, now = town.board.institution.keys.assertion.public_key, town.board.institution.did, town.clock()
    common = outcome(lambda: verify_common_proof(document, canonicalize_slowly(document), lambda *_: key, now=now, controller=board))
    general = outcome(lambda: verify_proofs(document, lambda *_: key, purpose="assertionMethod", now=now, controller=board))
    assert common == (general if isinstance(general[0], type) else None)


def presented(town: Town, licence: Issued) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(town.wallet.present([licence], audience=AUDIENCE, nonce="either way"))
    return document


def parsed(presentation: Presentation) -> tuple[Any, ...]:
    return presentation.raw, presentation.data_model, presentation.types, presentation.holder, presentation.credentials


def test_what_wallets_present_has_the_common_shape(town: Town, licence: Issued) -> None:
    document = presented(town, licence)
    for source, is_common in ((strict_json.dumps(document), True), (strict_json.dumps(document, indent=True), False), (document, False)):
        presentation = parse_document(source).presentation
        assert presentation is not None
        assert presentation.is_common is is_common


@pytest.mark.parametrize("count", [0, 33])
def test_no_credentials_or_too_many_are_not_commonly_presented(town: Town, licence: Issued, count: int) -> None:
    document = presented(town, licence)
    document["verifiableCredential"] *= count
    assert not is_commonly_presented(document)


@QUICK
@given(data=st.data())
def test_common_presentations_are_never_more_than_the_general_rules(town: Town, licence: Issued, data: st.DataObject) -> None:
    around = {**presented(town, licence), "verifiableCredential": []}
    document = data.draw(edits(around)) | {"verifiableCredential": [licence.credential]}
    if not is_commonly_presented(document):
        return
    survey = strict_json.survey({**document, "verifiableCredential": []})
    assert survey.plain
    assert survey.depth < 5
    found = outcome(lambda: parsed(Presentation.parse_common(document)))
    assert found == outcome(lambda: parsed(Presentation.parse(document)))
    domain, challenge = data.draw(st.sampled_from([(AUDIENCE, "either way"), ("https://else.example", "either way"), (AUDIENCE, ""), ("", "either way")]))
    key, now = public_key_from_multikey(str(town.wallet.did).removeprefix("did:key:")), town.clock()
    common = outcome(
        lambda: verify_common_presentation(document, canonicalize_slowly(document), lambda *_: key, now=now, domain=domain, challenge=challenge)
    )
    general = outcome(lambda: verify_proofs(document, lambda *_: key, purpose="authentication", now=now, domain=domain, challenge=challenge))
    assert common == (general if isinstance(general[0], type) else general[0].verification_method)


def reports(town: Town, licence: Issued, document: dict[str, Any], **options: Any) -> tuple[Any, Any]:
    """The report on ``document`` as text, and as the object that goes the general way; or how it was refused."""
    verifier = Verifier(town.directory.policy, clock=town.clock)
    evidence = town.evidence(licence)
    try:
        text = strict_json.dumps(document)
    except FormatError:
        return None, None  # integers that no text can hold

    def verify(source: bytes | dict[str, Any]) -> Report:
        return verifier.verify(source, evidence=evidence, now=town.clock(), **options)

    # Not ``document`` itself: it may hold an infinity, which the text has as null.
    return outcome(lambda: verify(text).to_json()), outcome(lambda: verify(json.loads(text)).to_json())


@QUICK
@given(data=st.data(), signed=st.booleans())
def test_reports_are_the_same_by_either_way(town: Town, licence: Issued, data: st.DataObject, signed: bool) -> None:
    credential = data.draw(edits(json.loads(json.dumps(licence.credential))))
    if signed:
        try:
            bare = {name: value for name, value in credential.items() if name != "proof"}
            credential = town.signed(bare)
        except FormatError:
            return
    by_text, by_object = reports(town, licence, logged_credential(credential, licence.receipt), waive=(CheckName.HOLDER_BINDING,))
    assert by_text == by_object


@QUICK
@given(data=st.data())
@example(None)
def test_reports_on_presentations_are_the_same_by_either_way(town: Town, licence: Issued, data: st.DataObject | None) -> None:
    presentation = json.loads(town.wallet.present([licence], audience=AUDIENCE, nonce="either way"))
    document = data.draw(edits(presentation)) if data is not None else presentation
    by_text, by_object = reports(town, licence, document, audience=AUDIENCE, nonce="either way")
    assert by_text == by_object
    assert (by_text["verdict"] == Verdict.ACCEPT) if data is None else True
