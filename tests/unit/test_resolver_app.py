"""The resolver over HTTP, by the statements of DID Resolution 1.0 §12.1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.resolver_parties import DOCUMENT, ENDED, KEY, LOG, WEB, Resolver, resolver

RESOLUTION, DEREFERENCING, DOCUMENT_FORM, URIS = "application/did-resolution", "application/did-url-dereferencing", "application/did", "text/uri-list"
BOARD, GONE = str(LOG.did), str(ENDED.did)


@pytest.fixture(scope="module")
def web() -> Iterator[Resolver]:
    with resolver() as running:
        yield running


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    result: dict[str, Any] = response.json()
    assert response.status_code == status, result
    if response.headers["content-type"] == DEREFERENCING:
        assert (result["content"], result["contentStream"]) == (None, None)
        metadata = result["dereferencingMetadata"]
    else:
        assert response.headers["content-type"] == RESOLUTION
        assert (result["didDocument"], result["didDocumentMetadata"]) == (None, {})
        metadata = result["didResolutionMetadata"]
    assert metadata["error"]["type"].rpartition("#")[2] == code
    assert metadata["error"]["title"]
    return result


@pytest.mark.parametrize("did", [KEY, WEB, BOARD])
@pytest.mark.parametrize("accept", [None, "*/*", RESOLUTION, "application/*", "text/html, */*;q=0.8", f"{RESOLUTION};q=0.9, {DOCUMENT_FORM};q=0.5"])
def test_a_did_is_resolved_with_its_metadata(web: Resolver, did: str, accept: str | None) -> None:
    response = web.get(did, accept)
    assert (response.status_code, response.headers["content-type"]) == (200, RESOLUTION)
    assert response.headers["access-control-allow-origin"] == "*"
    result = response.json()
    assert set(result) == {"didDocument", "didResolutionMetadata", "didDocumentMetadata"}
    assert result["didDocument"]["id"] == did
    assert result["didResolutionMetadata"] == {"contentType": "application/did"}


@pytest.mark.parametrize("form", ["application/did", "application/did+json", "application/did+ld+json"])
def test_a_document_alone_is_of_the_form_that_is_accepted(web: Resolver, form: str) -> None:
    response = web.get(BOARD, form)
    assert (response.status_code, response.headers["content-type"]) == (200, form)
    assert response.json() == web.get(BOARD).json()["didDocument"]


def test_a_document_without_a_context_is_not_json_ld(web: Resolver) -> None:
    assert web.get(WEB, "application/did+json").json() == DOCUMENT
    refused(web.get(WEB, "application/did+ld+json"), 406, "REPRESENTATION_NOT_SUPPORTED")


@pytest.mark.parametrize("accept", ["text/html", "application/json", "application/x-none, text/plain", "*/*;q=0", "application/did;q=2", ";"])
def test_other_forms_are_not_acceptable(web: Resolver, accept: str) -> None:
    refused(web.get(KEY, accept), 406, "REPRESENTATION_NOT_SUPPORTED")


def test_encoded_dids_are_decoded_once(web: Resolver) -> None:
    assert web.client.get(f"/identifiers/{quote(KEY, safe='')}").json()["didDocument"]["id"] == KEY
    assert web.client.get(f"/1.0/identifiers/{KEY}").json()["didDocument"]["id"] == KEY
    # A port in a did:web is percent-encoded in the DID itself.
    refused(web.client.get("/identifiers/did:web:localhost%3A8443"), 404, "NOT_FOUND")
    refused(web.client.get(f"/identifiers/{quote('did:web:localhost%3A8443', safe='')}"), 404, "NOT_FOUND")


NO_DIDS = ["", "a%0Ab", "not-a-did", "did:example", "did:web:", "%ff", "%2", "did%3Akey%3A%C3%A9", "d" * 7000, "?versionId=1", "not-a-did?service=x"]


@pytest.mark.parametrize("path", NO_DIDS)
def test_what_is_no_did_is_invalid(web: Resolver, path: str) -> None:
    refused(web.client.get(f"/identifiers/{path}"), 400, "INVALID_DID")


@pytest.mark.parametrize(
    ("did_url", "status", "code"),
    [
        ("did:unsupported:123456789abcdefghi", 501, "METHOD_NOT_SUPPORTED"),
        ("did:web:nobody.example", 404, "NOT_FOUND"),
        ("did:key:z0OIl", 400, "INVALID_DID"),
        ("did:key:z6MkBroken", 500, "UNSUPPORTED_PUBLIC_KEY_TYPE"),
        ("did:web:broken.example", 500, "INVALID_DID_DOCUMENT"),
        ("did:web:x.silent.example", 500, "INTERNAL_ERROR"),
        (f"{WEB}?relativeRef=x", 400, "INVALID_DID_URL"),
        (f"{WEB}?service=x%2", 400, "INVALID_OPTIONS"),
        (f"{WEB}?serviceType=x&serviceType=y", 400, "INVALID_OPTIONS"),
        (f"{WEB}?service=files&relativeRef=file%23section", 400, "INVALID_DID_URL"),
        (f"{WEB}?service=nothing", 404, "NOT_FOUND"),
        (f"{WEB}#nothing", 404, "NOT_FOUND"),
        (f"{WEB}/path", 404, "NOT_FOUND"),
        (f"{KEY}?versionId=1", 501, "FEATURE_NOT_SUPPORTED"),
        (f"{BOARD}?versionNumber=7", 404, "NOT_FOUND"),
        (f"{BOARD}?versionNumber=x", 400, "INVALID_OPTIONS"),
    ],
)
def test_errors_have_the_status_of_their_type(web: Resolver, did_url: str, status: int, code: str) -> None:
    refused(web.get(did_url), status, code)


def test_nothing_internal_is_told(web: Resolver) -> None:
    for host, event in (("silent", "fetch"), ("wild", "resolution")):
        result = refused(web.get(f"did:web:x.{host}.example"), 500, "INTERNAL_ERROR")
        assert host not in str(result)
        assert host not in web.log.getvalue()
        assert f'"event":"{event}"' in web.log.getvalue()


def test_a_deactivated_did_is_gone(web: Resolver) -> None:
    for accept in (None, RESOLUTION, DOCUMENT_FORM):
        response = web.get(GONE, accept)
        assert (response.status_code, response.headers["content-type"]) == (410, RESOLUTION)
        assert response.json()["didDocument"] is None
        assert response.json()["didDocumentMetadata"]["deactivated"] is True
    result = refused(web.get(f"{GONE}#key-1"), 410, "DEACTIVATED")
    assert result["contentMetadata"] == {"deactivated": True}
    # An earlier version is there, and the DID is gone all the same.
    response = web.get(f"{GONE}?versionNumber=1")
    assert (response.status_code, response.json()["didDocument"]["id"]) == (410, GONE)


def test_versions_are_chosen_by_the_did_url_or_by_options(web: Resolver) -> None:
    first = LOG.entries[0].version_id
    for response in (
        web.get(f"{BOARD}?versionId={first}"),
        web.get(BOARD, versionId=first),
        web.get(BOARD, versionNumber="1"),
        web.get(f"{BOARD}?versionNumber=1", versionNumber="1"),
        web.client.post(f"/identifiers/{BOARD}", json={"versionId": first}),
        web.get(BOARD, versionTime="2026-01-01T12:00:00Z"),
    ):
        assert response.status_code == 200, response.text
        assert response.json()["didDocumentMetadata"]["versionId"] == first
    refused(web.get(f"{BOARD}?versionNumber=1", versionNumber="2"), 400, "INVALID_OPTIONS")


NO_TIMES = ["2025-10-07 12:30:45", "2025-13-07T12:30:45Z", "2025-10-07T00:00:00", "2025-10-07T00:00:00+02:00", "2025-10-07T00:00:00.123Z", "x"]


@pytest.mark.parametrize("time", NO_TIMES)
def test_times_are_in_utc_and_whole_seconds(web: Resolver, time: str) -> None:
    refused(web.get(BOARD, versionTime=time), 400, "INVALID_OPTIONS")


@pytest.mark.parametrize("name", ["service", "serviceType", "relativeRef", "versionId", "versionTime", "hl", "accept"])
@pytest.mark.parametrize("value", ["🔥", "Привет", "foo\u200bbar"])
def test_parameters_are_ascii(web: Resolver, name: str, value: str) -> None:
    refused(web.client.get(f"/identifiers/{WEB}", params={name: value}), 400, "INVALID_OPTIONS")


def test_options_are_checked(web: Resolver) -> None:
    assert web.get(KEY, noCache="true").status_code == 200
    assert web.get(KEY, expandRelativeUrls="false", somethingElse="x").status_code == 200
    assert web.get(KEY, accept=DOCUMENT_FORM).headers["content-type"] == DOCUMENT_FORM
    refused(web.get(KEY, accept="text/html"), 406, "REPRESENTATION_NOT_SUPPORTED")
    refused(web.get(KEY, noCache="perhaps"), 400, "INVALID_OPTIONS")
    refused(web.get(KEY, expandRelativeUrls="1"), 400, "INVALID_OPTIONS")
    refused(web.client.get(f"/identifiers/{KEY}?noCache=true&noCache=false"), 400, "INVALID_OPTIONS")


def test_relative_urls_are_expanded_if_that_is_wanted(web: Resolver) -> None:
    services = [{**service, "id": WEB + service["id"]} for service in DOCUMENT["service"]]
    assert web.get(WEB, expandRelativeUrls="true").json()["didDocument"] == {**DOCUMENT, "service": services}
    assert web.get(f"{WEB}?service=files", DOCUMENT_FORM, expandRelativeUrls="true").json()["service"] == services[:1]


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"versionId": 1}', b'{"versionId": "\xc3\xa9"}', b'{"a": "b", "a": "b"}'])
def test_a_body_is_an_object_of_texts(web: Resolver, body: bytes) -> None:
    refused(web.client.post(f"/identifiers/{KEY}", content=body), 400, "INVALID_OPTIONS")


def test_a_body_is_bounded(web: Resolver) -> None:
    assert web.client.post(f"/identifiers/{KEY}", content=b" " * 20_000).status_code == 413
    assert web.client.post(f"/identifiers/{KEY}").status_code == 200


def test_a_fragment_is_dereferenced(web: Resolver) -> None:
    response = web.get(f"{WEB}#key-1")
    assert (response.status_code, response.headers["content-type"]) == (200, DEREFERENCING)
    result = response.json()
    assert result["content"] == result["contentStream"] == DOCUMENT["verificationMethod"][0]
    assert result["dereferencingMetadata"] == {"contentType": "application/did"}
    assert web.get(f"{WEB}#key-1", DOCUMENT_FORM).json() == result["content"]
    assert web.get(f"{WEB}#key-1", verificationRelationship="authentication").json()["content"] == result["content"]
    wrong = refused(web.get(f"{WEB}#key-1", verificationRelationship="assertionMethod"), 500, "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD")
    assert wrong["dereferencingMetadata"]["error"]["type"].startswith("https://w3id.org/security#")


def test_a_document_as_a_whole_is_dereferenced_too(web: Resolver) -> None:
    assert web.get(WEB, DEREFERENCING).json()["content"] == DOCUMENT
    refused(web.get(f"{WEB}#key-1", RESOLUTION), 400, "INVALID_DID")


def test_services_are_selected(web: Resolver) -> None:
    for response in (web.get(f"{WEB}?service=linkedDomain"), web.get(WEB, service="linkedDomain"), web.get(WEB, service="#linkedDomain")):
        assert (response.status_code, response.headers["content-type"]) == (200, DEREFERENCING)
        assert response.json()["content"] == {**DOCUMENT, "service": [DOCUMENT["service"][1]]}
    assert len(web.get(f"{WEB}?serviceType=Files", DOCUMENT_FORM).json()["service"]) == 2


@pytest.mark.parametrize(
    ("did_url", "location"),
    [
        (f"{WEB}?service=files", "https://files.example/of/clinic/"),
        (f"{WEB}?service=files&relativeRef=a/b%3Fc", "https://files.example/of/clinic/a/b?c"),
        (f"{WEB}?service=files&relativeRef=/resume.pdf#intro", "https://files.example/resume.pdf#intro"),
        (f"{WEB}?service=linkedDomain#a", "https://clinic.example/#a"),
        (f"{WEB}?serviceType=LinkedDomains", "https://clinic.example/"),
    ],
)
def test_a_service_is_somewhere_else(web: Resolver, did_url: str, location: str) -> None:
    response = web.get(did_url, URIS)
    assert (response.status_code, response.headers["location"], response.content) == (303, location, b"")
    encoded = web.client.get(f"/identifiers/{quote(did_url, safe='')}", headers={"Accept": URIS})
    assert encoded.headers["location"] == location


def test_a_service_without_a_url_is_nowhere(web: Resolver) -> None:
    refused(web.get(f"{WEB}?service=mapped", URIS), 404, "NOT_FOUND")
    refused(web.get(f"{WEB}?service=files&relativeRef=//evil.example/", URIS), 400, "INVALID_DID_URL")
    refused(web.get(WEB, URIS), 406, "REPRESENTATION_NOT_SUPPORTED")


def test_a_path_is_a_file_beside_the_log(web: Resolver) -> None:
    response = web.get(f"{BOARD}/whois.vp")
    assert (response.status_code, response.content) == (303, b"")
    assert response.headers["location"].startswith("https://board.example/")
    assert response.headers["location"].endswith("whois.vp")


def test_errors_may_be_words() -> None:
    with resolver(word_errors=True) as web:
        expected = {
            "did:web:nobody.example": "notFound",
            "x": "invalidDid",
            "did:x:y": "methodNotSupported",
            f"{WEB}#x%2": "invalidDidUrl",
            "did:web:broken.example": "invalidDid",
        }
        for did_url, word in expected.items():
            result = web.get(did_url).json()
            metadata = result.get("didResolutionMetadata") or result["dereferencingMetadata"]
            assert metadata["error"] == word
        assert web.get(KEY, "text/html").json()["didResolutionMetadata"]["error"] == "representationNotSupported"


def test_a_client_may_not_ask_without_end() -> None:
    with resolver(requests_per_minute=2) as web:
        assert [web.get(KEY).status_code for _ in range(3)][-1] == 429
