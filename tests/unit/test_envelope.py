"""VC Data Model 2.0 §4.13.1 and §4.13.2: enveloped credentials and presentations."""

from __future__ import annotations

from typing import Any

import pytest

from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_DOCUMENT_BYTES
from did_health.vc.envelope import Envelope, EnvelopeType, envelope, envelope_type
from did_health.vc.presentation import Presentation
from tests.unit.sample_credentials import V2, Document, credential, presentation

JWT = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"


def enveloped(**changes: Any) -> Document:
    whole: Document = {"@context": V2, "id": f"data:application/vc+jwt,{JWT}", "type": "EnvelopedVerifiableCredential"} | changes
    return {name: value for name, value in whole.items() if value is not ...}


@pytest.mark.parametrize("kind", list(EnvelopeType))
def test_an_envelope_of_text_or_bytes_is_read_again(kind: EnvelopeType) -> None:
    text = Envelope.parse(envelope(kind, "application/vc+jwt", JWT))
    assert (text.type, text.media_type, text.content) == (kind, "application/vc+jwt", JWT.encode())
    message = Envelope.parse(envelope(kind, "application/vc+cose", bytes(range(256))))
    assert (message.type, message.media_type, message.content) == (kind, "application/vc+cose", bytes(range(256)))
    assert JWT not in repr(text)
    assert text.raw == {"@context": V2, "id": f"data:application/vc+jwt,{JWT}", "type": kind.value}


def test_an_envelope_is_written_only_of_url_characters() -> None:
    with pytest.raises(ValueError, match="data: URL"):
        envelope(EnvelopeType.CREDENTIAL, "application/vc+jwt", "a b")
    with pytest.raises(ValueError, match="data: URL"):
        envelope(EnvelopeType.CREDENTIAL, "jwt", JWT)


@pytest.mark.parametrize(
    ("url", "content"),
    [
        ("data:application/vc+jwt;charset=utf-8,a.b.c", b"a.b.c"),
        ("data:APPLICATION/VC+JWT,a%2Eb", b"a.b"),
        ("data:application/vc+cose;BASE64,AAEC", b"\0\1\2"),
        ("data:application/vc+cose;base64url,AP__", b"\0\xff\xff"),
        ("data:application/vc+jwt;base64url,a.b.c", b"a.b.c"),
        ("data:application/vc+sd-jwt,a.b.c~d~", b"a.b.c~d~"),
    ],
)
def test_a_data_url_of_every_form_is_read(url: str, content: bytes) -> None:
    assert Envelope.parse(enveloped(id=url)).content == content


def test_an_envelope_may_be_as_long_as_a_document() -> None:
    assert len(Envelope.parse(enveloped(id="data:application/vc+jwt," + "e" * 100_000)).content) == 100_000


FAULTS: dict[str, tuple[Document, str]] = {
    "context-missing": ({"@context": ...}, "/x/@context"),
    "context-empty": ({"@context": []}, "/x/@context"),
    "context-of-the-examples-only": ({"@context": "https://www.w3.org/ns/credentials/examples/v2"}, "/x/@context"),
    "id-missing": ({"id": ...}, "/x/id"),
    "id-is-no-data-url": ({"id": "https://board.example/vc"}, "/x/id"),
    "id-is-the-jwt": ({"id": JWT}, "/x/id"),
    "id-without-media-type": ({"id": f"data:,{JWT}"}, "/x/id"),
    "id-without-data": ({"id": "data:application/vc+jwt,"}, "/x/id"),
    "id-without-comma": ({"id": "data:application/vc+jwt"}, "/x/id"),
    "id-with-blank": ({"id": "data:application/vc+jwt,a b"}, "/x/id"),
    "id-not-base64": ({"id": "data:application/vc+cose;base64,A"}, "/x/id"),
    "id-not-base64url": ({"id": "data:application/vc+cose;base64url,A"}, "/x/id"),
    "id-too-long": ({"id": "data:application/vc+jwt," + "e" * MAX_DOCUMENT_BYTES}, "/x/id"),
    "id-list": ({"id": [f"data:application/vc+jwt,{JWT}"]}, "/x/id"),
    "type-missing": ({"type": ...}, "/x"),
    "type-of-a-credential": ({"type": "VerifiableCredential"}, "/x"),
    "type-and-another": ({"type": ["EnvelopedVerifiableCredential", "VerifiableCredential"]}, "/x/type"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_envelope_is_refused_where_the_fault_is(fault: str) -> None:
    changes, where = FAULTS[fault]
    with pytest.raises(FormatError) as refused:
        Envelope.parse(enveloped(**changes), "/x")
    assert (refused.value.where, refused.value.code) == (where, "MALFORMED_VALUE_ERROR")


def test_what_is_no_envelope_has_no_type_of_one() -> None:
    for document in (None, "x", {}, credential(), {"type": 5}):
        assert envelope_type(document) is None
    assert envelope_type({"type": ["EnvelopedVerifiablePresentation"]}) is EnvelopeType.PRESENTATION


def test_a_presentation_tells_embedded_credentials_from_enveloped_ones() -> None:
    parsed = Presentation.parse(presentation(verifiableCredential=[enveloped(), credential()]))
    assert parsed.credentials == (credential(),)
    assert [one.content for one in parsed.envelopes] == [JWT.encode()]
    assert Presentation.parse(presentation(verifiableCredential=enveloped())).credentials == ()


def test_an_enveloped_presentation_is_no_presentation_before_it_is_opened() -> None:
    with pytest.raises(UnsupportedError):
        Presentation.parse(enveloped(type="EnvelopedVerifiablePresentation"))
    with pytest.raises(FormatError):
        Presentation.parse(enveloped(type="EnvelopedVerifiablePresentation", id="https://holder.example/vp"))
