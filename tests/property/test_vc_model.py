"""Only FormatError (and UnsupportedError for enveloped presentations and schema dialects) escapes from the parsers of the data model."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.encoding import strict_json
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.vc import validation
from did_health.vc.credential import Credential
from did_health.vc.envelope import Envelope
from did_health.vc.integrity import check_digests, digests_of, mismatch
from did_health.vc.presentation import Presentation
from did_health.vc.schema import DIALECT, Schema
from did_health.vc.validation import DataModel
from tests.unit.sample_credentials import V1, V2, credential, credential_1_1, presentation

ENVELOPE = {"@context": V2, "id": "data:application/vc+jwt,a.b.c", "type": "EnvelopedVerifiableCredential"}
QUICK = settings(max_examples=150, deadline=None)

TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from([V1, V2, "did:example:1", "https://a.example", "VerifiableCredential", "VerifiablePresentation", "2026-01-01T00:00:00Z", "sha256-AAAA"]),
)
NAMES = st.one_of(
    st.text(max_size=6),
    st.sampled_from([*credential(), *credential_1_1(), *presentation(), "@value", "@language", "@direction", "digestSRI", "digestMultibase", "mediaType"]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(1 << 63), 1 << 63), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)


def spoiled(whole: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """``whole`` with a few members replaced by anything."""
    return st.dictionaries(st.sampled_from(sorted(whole)), JSON, max_size=3).map(lambda changes: whole | changes)


@QUICK
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_any_bytes_are_a_format_error(source: bytes | str) -> None:
    for parse in (Credential.parse, Presentation.parse):
        with contextlib.suppress(FormatError):
            parse(source)
            raise AssertionError("random bytes were accepted")


@QUICK
@given(st.one_of(spoiled(credential()), spoiled(credential_1_1()), st.dictionaries(NAMES, JSON)))
def test_a_credential_is_read_or_a_format_error(document: dict[str, Any]) -> None:
    try:
        parsed = Credential.parse(document)
    except FormatError as error:
        fault = error
    else:
        _check_views(parsed)
        return
    assert fault.where == "" or fault.where.startswith("/")


def _check_views(parsed: Credential) -> None:
    # What was accepted has views of the right shape.
    assert validation.is_url(parsed.issuer_id)
    assert all(type(name) is str for name in parsed.types)
    assert "VerifiableCredential" in parsed.types
    for many in (parsed.subjects, parsed.schemas, parsed.status_entries, parsed.evidence, parsed.refresh_services, parsed.terms_of_use, parsed.proofs):
        assert all(type(item) is dict for item in many)
    assert parsed.id is None or validation.is_url(parsed.id)
    assert parsed.subject_id is None or validation.is_url(parsed.subject_id)
    if parsed.valid_from and parsed.valid_until:
        assert parsed.valid_from <= parsed.valid_until
    if parsed.data_model is DataModel.V1_1:
        assert parsed.valid_from is not None


@QUICK
@given(st.one_of(spoiled(presentation()), st.dictionaries(NAMES, JSON)))
def test_a_presentation_is_read_or_a_format_error(document: dict[str, Any]) -> None:
    with contextlib.suppress(FormatError, UnsupportedError):
        parsed = Presentation.parse(document)
        assert parsed.holder is None or validation.is_url(parsed.holder)
        assert all(type(item) is dict for item in parsed.credentials)


@QUICK
@given(JSON)
def test_language_values_and_urls_take_any_json(value: Any) -> None:
    validation.is_url(value)
    validation.type_names(value)
    with contextlib.suppress(FormatError):
        validation.language_values(value, "/name")


@QUICK
@given(st.one_of(spoiled(ENVELOPE), st.text().map(lambda text: ENVELOPE | {"id": "data:" + text}), JSON))
def test_an_envelope_is_read_or_a_format_error(document: Any) -> None:
    with contextlib.suppress(FormatError):
        parsed = Envelope.parse(document)
        assert type(parsed.content) is bytes
        assert "/" in parsed.media_type


@QUICK
@given(st.dictionaries(st.sampled_from(["digestSRI", "digestMultibase"]), st.one_of(JSON, st.text(alphabet="uzmfsha2563845-ABab01/+= ")), max_size=2))
def test_digests_are_read_or_a_format_error(item: dict[str, Any]) -> None:
    with contextlib.suppress(FormatError):
        check_digests(item, "")
        assert mismatch(item, digests_of(b"x")) in (None, "digestSRI", "digestMultibase")


SCHEMA_KEYWORDS = st.sampled_from(["type", "properties", "required", "items", "pattern", "format", "enum", "$ref", "anyOf", "not", "maxLength", "minimum"])


@QUICK
@given(st.dictionaries(SCHEMA_KEYWORDS, JSON, max_size=3), JSON)
def test_a_schema_compiles_or_is_a_format_error_and_explains_what_it_refuses(keywords: dict[str, Any], document: Any) -> None:
    try:
        schema = Schema.parse(strict_json.dumps({"$schema": DIALECT, "$id": "https://schemas.example/a.json", **keywords}))
    except (FormatError, UnsupportedError):
        return
    faults = schema.faults(document)
    assert (faults == ()) is schema.is_valid(document)
    if faults:
        with contextlib.suppress(VerificationError):
            schema.check(document)
            raise AssertionError("a refused document passed the check")
