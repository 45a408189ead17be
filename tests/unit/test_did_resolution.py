"""DID Resolution 1.0 (Candidate Recommendation of July 2026): resolving and dereferencing, statement by statement."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from did_health.did import resolution as resolution_module
from did_health.did.did import DID
from did_health.did.document import DIDDocument
from did_health.did.method import DocumentMetadata, Resolution, ResolutionOptions, Resources
from did_health.did.methods.table import METHODS
from did_health.did.resolution import URI_LIST, dereference, error_metadata, expand_relative_urls, required_urls, resolve
from did_health.errors import ResolutionError

BOARD = "did:web:board.example"
URL = "https://board.example/.well-known/did.json"
KEY = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
DOCUMENT: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/did/v1"],
    "id": BOARD,
    "verificationMethod": [{"id": "#key-1", "type": "Multikey", "controller": BOARD, "publicKeyMultibase": KEY}],
    "assertionMethod": ["#key-1"],
    "service": [
        {"id": "#files", "type": "Files", "serviceEndpoint": "https://files.example/dir/8377464"},
        {"id": f"{BOARD}#mirrors", "type": ["Files", "Mirror"], "serviceEndpoint": ["https://a.example/m/", {"b": 1}, "https://b.example/m/?q=1"]},
        {"id": "#object", "type": "Object", "serviceEndpoint": {"uri": "https://c.example"}},
        {"id": "#mail", "type": "Mail", "serviceEndpoint": "mailto:board@board.example"},
        {"id": "#broken", "type": "Broken", "serviceEndpoint": "https://[1"},
        {"id": "#anchored", "type": "Anchored", "serviceEndpoint": "https://d.example/a#b"},
    ],
}
RESOURCES: dict[str, bytes | None] = {URL: json.dumps(DOCUMENT).encode()}
METADATA = DocumentMetadata(
    created=datetime(2026, 1, 1, tzinfo=UTC),
    updated=datetime(2026, 2, 1, 3, 4, 5, 678, tzinfo=UTC),
    version_id="2-abc",
    next_version_id="3-def",
    next_update=datetime(2026, 3, 1, tzinfo=UTC),
    canonical_id="did:versioned:a",
    equivalent_id=("did:versioned:b",),
    extra={"scid": "abc", "portable": False},
)


class VersionedMethod:
    """A method that shows what it was asked for; ``did:versioned:gone`` is deactivated."""

    name = "versioned"

    def __init__(self) -> None:
        self.asked: list[ResolutionOptions] = []

    def urls(self, did: DID) -> tuple[str, ...]:
        return (f"https://versions.example/{did.identifier}",)

    def resolve(self, did: DID, resources: Resources, options: ResolutionOptions, now: datetime) -> Resolution:
        self.asked.append(options)
        if did.identifier == "gone":
            return Resolution(did, None, DocumentMetadata(deactivated=True))
        return Resolution(did, DIDDocument.parse({"id": str(did)}), METADATA)


@pytest.fixture
def versioned(monkeypatch: pytest.MonkeyPatch) -> VersionedMethod:
    method = VersionedMethod()
    monkeypatch.setattr(resolution_module, "METHODS", {**METHODS, "versioned": method})
    return method


def refusal(did_url: str, now: datetime, **options: str) -> str:
    with pytest.raises(ResolutionError) as caught:
        dereference(did_url, RESOURCES, now=now, **options)
    return caught.value.code


@pytest.mark.parametrize(
    ("did", "expected"),
    [
        ("", "INVALID_DID"),
        ("board.example", "INVALID_DID"),
        ("did:web:", "INVALID_DID"),
        ("did:web:board.example#a#b", "INVALID_DID_URL"),
        ("https://board.example/did.json", "INVALID_DID_URL"),
        ("did:health:1234", "METHOD_NOT_SUPPORTED"),
        ("did:WEB:board.example", "INVALID_DID"),
    ],
)
def test_what_is_no_did_that_we_know(did: str, expected: str, now: datetime) -> None:
    """§4.4 steps 1 and 2."""
    for attempt in (lambda: required_urls(did), lambda: resolve(did, {}, now=now)):
        with pytest.raises(ResolutionError) as caught:
            attempt()
        assert caught.value.code == expected


def test_errors_as_resolution_metadata() -> None:
    """§4.2, error; §11: an object of RFC 9457 whose type is a URL."""
    with pytest.raises(ResolutionError) as caught:
        required_urls("did:health:1234")
    problem = error_metadata(caught.value)["error"]
    assert problem == {
        "type": "https://www.w3.org/ns/did#METHOD_NOT_SUPPORTED",
        "title": "the DID method health is not supported",
        "detail": "We know key, jwk, web, webvh",
    }
    assert error_metadata(ResolutionError("x", code="INVALID_VERIFICATION_METHOD")) == {
        "error": {"type": "https://w3id.org/security#INVALID_VERIFICATION_METHOD", "title": "x"}
    }


def test_a_naive_time_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="time zone"):
        resolve(BOARD, RESOURCES, now=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        ResolutionOptions(version_time=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_did_url_resolves_to_the_document_it_is_in(now: datetime) -> None:
    """§5.4.1."""
    assert required_urls(f"{BOARD}#key-1") == (URL,)
    assert resolve(f"{BOARD}#key-1", RESOURCES, now=now).active_document.id == BOARD


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("", ResolutionOptions()),
        ("#key-1", ResolutionOptions()),
        ("?service=files", ResolutionOptions()),
        ("?versionId=2-abc", ResolutionOptions(version_id="2-abc")),
        ("?versionTime=2026-01-01T00:00:00Z#key", ResolutionOptions(version_time=datetime(2026, 1, 1, tzinfo=UTC))),
        ("?versionNumber=12", ResolutionOptions(version_number=12)),
        ("?versionNumber=1&versionId=1-a", ResolutionOptions("1-a", version_number=1)),
    ],
)
def test_parameters_choose_the_version(suffix: str, options: ResolutionOptions, versioned: VersionedMethod, now: datetime) -> None:
    """§3.1, versionId and versionTime; versionNumber is did:webvh's."""
    resolve(f"did:versioned:a{suffix}", {}, now=now)
    assert versioned.asked == [options]


def test_options_choose_the_version(versioned: VersionedMethod, now: datetime) -> None:
    """§4.1."""
    options = ResolutionOptions(version_number=2)
    resolve("did:versioned:a", {}, now=now, options=options)
    resolve("did:versioned:a?versionNumber=2", {}, now=now, options=options)
    assert versioned.asked == [options, options]


@pytest.mark.parametrize("suffix", ["?versionNumber=1", "?versionId=1"])
def test_options_that_contradict_the_did_url(suffix: str, versioned: VersionedMethod, now: datetime) -> None:
    """§11, INVALID_OPTIONS."""
    with pytest.raises(ResolutionError) as caught:
        resolve(f"did:versioned:a{suffix}", {}, now=now, options=ResolutionOptions(version_number=2))
    assert caught.value.code == "INVALID_OPTIONS"
    assert versioned.asked == []


@pytest.mark.parametrize(
    "suffix", ["?versionNumber=", "?versionNumber=one", "?versionNumber=-1", "?versionNumber=1234567890", "?versionTime=yesterday", "?versionTime=2026-01-01"]
)
def test_malformed_versions(suffix: str, versioned: VersionedMethod, now: datetime) -> None:
    """§3.1: a time is normalised to UTC and has no fraction of a second."""
    with pytest.raises(ResolutionError) as caught:
        resolve(f"did:versioned:a{suffix}", {}, now=now)
    assert caught.value.code == "INVALID_OPTIONS"


def test_document_metadata_under_the_names_of_the_specification(versioned: VersionedMethod, now: datetime) -> None:
    """§4.3."""
    assert resolve("did:versioned:a", {}, now=now).metadata.to_json() == {
        "created": "2026-01-01T00:00:00Z",
        "updated": "2026-02-01T03:04:05Z",
        "versionId": "2-abc",
        "nextVersionId": "3-def",
        "nextUpdate": "2026-03-01T00:00:00Z",
        "canonicalId": "did:versioned:a",
        "equivalentId": ["did:versioned:b"],
        "scid": "abc",
        "portable": False,
    }


def test_a_deactivated_did_is_an_answer_without_a_document(versioned: VersionedMethod, now: datetime) -> None:
    """§4.3, deactivated; §4.4."""
    resolution = resolve("did:versioned:gone", {}, now=now)
    assert resolution.document is None
    assert resolution.metadata.to_json() == {"deactivated": True}
    with pytest.raises(ResolutionError) as caught:
        _ = resolution.active_document
    assert caught.value.code == "DEACTIVATED"
    assert refusal("did:versioned:gone#key-1", now) == "DEACTIVATED"


def test_dereferencing_a_did_gives_the_document(now: datetime) -> None:
    """§5.4.1: without path, parameters or fragment."""
    for accept in ("", "application/did"):
        result = dereference(BOARD, RESOURCES, now=now, accept=accept)
        assert result.content == DOCUMENT
        assert result.resolution.did == DID.parse(BOARD)


def test_dereferencing_a_fragment(now: datetime) -> None:
    """§5.4.2; the option verificationRelationship, §5.1."""
    method = dereference(f"{BOARD}#key-1", RESOURCES, now=now, relationship="assertionMethod").content
    assert method == {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": f"{BOARD}#key-1",
        "type": "Multikey",
        "controller": BOARD,
        "publicKeyMultibase": KEY,
    }
    service = dereference(f"{BOARD}#files", RESOURCES, now=now).content
    assert service is not None
    assert service["serviceEndpoint"] == "https://files.example/dir/8377464"


def test_a_part_of_a_document_without_context(now: datetime) -> None:
    """§5.4.2."""
    did = f"did:key:{KEY}"
    bare = {URL: json.dumps({name: value for name, value in DOCUMENT.items() if name != "@context"}).encode()}
    assert "@context" not in (dereference(f"{BOARD}#key-1", bare, now=now).content or {})
    assert (dereference(f"{did}#{KEY}", {}, now=now).content or {})["publicKeyMultibase"] == KEY


@pytest.mark.parametrize(
    ("suffix", "options", "expected"),
    [
        ("#key-2", {}, "NOT_FOUND"),
        ("#", {}, "NOT_FOUND"),
        ("#key-2", {"relationship": "assertionMethod"}, "INVALID_VERIFICATION_METHOD"),
        ("#files", {"relationship": "assertionMethod"}, "INVALID_VERIFICATION_METHOD"),
        ("#key-1", {"relationship": "authentication"}, "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        ("/path", {}, "NOT_FOUND"),
        ("?versionId=1", {}, "FEATURE_NOT_SUPPORTED"),
        ("?service=nothing", {}, "NOT_FOUND"),
        ("?service=files&serviceType=Mirror", {}, "NOT_FOUND"),
        ("?relativeRef=/a", {}, "INVALID_DID_URL"),
        ("?a=1&a=2", {}, "INVALID_DID_URL"),
        ("", {"accept": "text/html"}, "REPRESENTATION_NOT_SUPPORTED"),
        ("", {"accept": URI_LIST}, "REPRESENTATION_NOT_SUPPORTED"),
        ("?service=files", {"accept": "text/html"}, "REPRESENTATION_NOT_SUPPORTED"),
        ("?service=object", {"accept": URI_LIST}, "NOT_FOUND"),
        ("?service=anchored#c", {"accept": URI_LIST}, "INVALID_DID_URL"),
        ("?service=mail&relativeRef=/a", {"accept": URI_LIST}, "INVALID_DID_URL"),
        ("?service=broken&relativeRef=/a", {"accept": URI_LIST}, "INVALID_DID_DOCUMENT"),
        ("?service=files&relativeRef=https:%2F%2Fevil.example%2F", {"accept": URI_LIST}, "INVALID_DID_URL"),
        ("?service=files&relativeRef=//evil.example/", {"accept": URI_LIST}, "INVALID_DID_URL"),
        ("?service=files&relativeRef=javascript:alert", {"accept": URI_LIST}, "INVALID_DID_URL"),
        ("?service=files&relativeRef=%5C%5Cevil.example", {"accept": URI_LIST}, "INVALID_DID_URL"),
        ("?service=files&relativeRef=/a%0Ab", {"accept": URI_LIST}, "INVALID_DID_URL"),
        ("?service=files&relativeRef=/a%23b", {"accept": URI_LIST}, "INVALID_DID_URL"),
    ],
)
def test_did_urls_that_name_nothing(suffix: str, options: dict[str, str], expected: str, now: datetime) -> None:
    """§5.4, §11; a relativeRef stays on the server that the document names (§13.7.1)."""
    assert refusal(BOARD + suffix, now, **options) == expected


def test_dereferencing_what_is_no_did_url(now: datetime) -> None:
    """§5.4, §11."""
    assert refusal("board.example", now) == "INVALID_DID_URL"


@pytest.mark.parametrize(
    ("query", "urls"),
    [
        ("service=files", ["https://files.example/dir/8377464"]),
        ("service=%23files", ["https://files.example/dir/8377464"]),
        ("service=did:web:board.example%23files", ["https://files.example/dir/8377464"]),
        ("service=files&relativeRef=%2Fsome%2Fpath%3Fquery", ["https://files.example/some/path?query"]),
        ("service=files&relativeRef=cv.pdf", ["https://files.example/dir/cv.pdf"]),
        ("service=files&relativeRef=../../../cv.pdf", ["https://files.example/cv.pdf"]),
        ("service=files&relativeRef=%2Fsome%2Fpath%3Fquery#frag", ["https://files.example/some/path?query#frag"]),
        ("service=mail", ["mailto:board@board.example"]),
        ("service=anchored", ["https://d.example/a#b"]),
        ("service=mirrors&relativeRef=a%2520b", ["https://a.example/m/a%20b", "https://b.example/m/a%20b"]),
        ("serviceType=Mirror", ["https://a.example/m/", "https://b.example/m/?q=1"]),
        ("serviceType=Files", ["https://files.example/dir/8377464", "https://a.example/m/", "https://b.example/m/?q=1"]),
        ("service=mirrors&serviceType=Files&relativeRef=?x", ["https://a.example/m/?x", "https://b.example/m/?x"]),
    ],
)
def test_urls_of_services(query: str, urls: list[str], now: datetime) -> None:
    """§3.1, service, serviceType and relativeRef; §5.4.1, with accept text/uri-list; RFC 3986 §5."""
    result = dereference(f"{BOARD}?{query}", RESOURCES, now=now, accept=URI_LIST)
    assert list(result.urls) == urls
    assert result.content is None
    assert result.content_type == URI_LIST


def test_services_as_a_document_with_only_them(now: datetime) -> None:
    """§5.4.1: the selected services alone."""
    result = dereference(f"{BOARD}?service=files", RESOURCES, now=now)
    assert result.content == {**DOCUMENT, "service": DOCUMENT["service"][:1]}
    assert result.content_type == "application/did"


def test_relative_urls_become_absolute_where_parts_are_named() -> None:
    """§4.1, expandRelativeUrls."""
    document = {
        "id": "did:web:a.example",
        "verificationMethod": [{"id": "#key-1", "controller": "did:web:a.example"}, {"id": "did:web:b.example#key-2"}],
        "authentication": ["#key-1", "did:web:b.example#key-2", {"id": "?versionId=1#key-3"}, 5, {}],
        "service": [{"id": "#files", "serviceEndpoint": "/x"}],
        "alsoKnownAs": ["#same"],
        "assertionMethod": "#key-1",
    }
    assert expand_relative_urls(document) == {
        "id": "did:web:a.example",
        "verificationMethod": [{"id": "did:web:a.example#key-1", "controller": "did:web:a.example"}, {"id": "did:web:b.example#key-2"}],
        "authentication": ["did:web:a.example#key-1", "did:web:b.example#key-2", {"id": "did:web:a.example?versionId=1#key-3"}, 5, {}],
        "service": [{"id": "did:web:a.example#files", "serviceEndpoint": "/x"}],
        "alsoKnownAs": ["#same"],
        "assertionMethod": "#key-1",
    }
