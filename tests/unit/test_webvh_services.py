from __future__ import annotations

from typing import Any

import pytest

from did_health.did.methods import webvh
from did_health.errors import FormatError, ResolutionError
from tests.webvh_samples import day, new_log, signer


def test_implicit_services() -> None:
    files, whois = webvh.implicit_services(new_log().did)
    assert files == {"id": "#files", "type": "relativeRef", "serviceEndpoint": "https://board.example/dids/az/"}
    assert whois["serviceEndpoint"] == "https://board.example/dids/az/whois.vp"
    assert whois["type"] == "LinkedVerifiablePresentation"
    assert webvh.implicit_services(new_log(location="board.example").did)[0]["serviceEndpoint"] == "https://board.example/"


@pytest.mark.parametrize("prefix", ["", "did"])
def test_a_service_of_the_document_goes_before_the_implicit_one(prefix: str) -> None:
    did = new_log().did
    own = {"id": f"{did if prefix else ''}#files", "type": "relativeRef", "serviceEndpoint": "https://files.example"}
    document: dict[str, Any] = {"id": str(did), "service": [own]}
    services = webvh.with_implicit_services(document, did)["service"]
    assert [service["id"] for service in services] == [own["id"], "#whois"]
    assert document["service"] == [own]
    assert webvh.path_url(did, document, "/governance/issuers.json") == "https://files.example/governance/issuers.json"


def test_paths() -> None:
    log = new_log()
    assert webvh.path_url(log.did, log.latest.state, "/governance/issuers.json") == "https://board.example/dids/az/governance/issuers.json"
    assert webvh.path_url(log.did, log.latest.state, "/whois") == "https://board.example/dids/az/whois.vp"
    assert webvh.path_url(log.did, log.latest.state, "/whois/x") == "https://board.example/dids/az/whois/x"


@pytest.mark.parametrize("path", ["", "x", "/../x", "/a/%2e%2E/x", "/."])
def test_paths_out_of_the_folder(path: str) -> None:
    log = new_log()
    with pytest.raises(ResolutionError) as caught:
        webvh.path_url(log.did, log.latest.state, path)
    assert caught.value.code == "INVALID_DID_URL"


@pytest.mark.parametrize("endpoint", ["http://files.example", "ftp://files.example", ["https://files.example"], None])
def test_endpoints_that_are_not_https(endpoint: Any) -> None:
    log = new_log()
    with pytest.raises(ResolutionError) as caught:
        webvh.path_url(log.did, {"service": [{"id": "#files", "serviceEndpoint": endpoint}]}, "/x")
    assert caught.value.code == "INVALID_DID"


def test_services_that_are_no_list() -> None:
    with pytest.raises(FormatError):
        webvh.with_implicit_services({"service": {}}, new_log().did)


def test_parallel_did_web() -> None:
    log = new_log()
    document = webvh.parallel_did_web(log)
    assert document["id"] == "did:web:board.example:dids:az"
    assert document["assertionMethod"] == ["did:web:board.example:dids:az#key-1"]
    assert document["verificationMethod"][0]["controller"] == "did:web:board.example:dids:az"
    assert document["alsoKnownAs"] == [str(log.did)]
    assert [service["id"] for service in document["service"]] == ["#files", "#whois"]
    assert log.scid not in str(document["verificationMethod"])


def test_parallel_did_web_has_no_name_twice() -> None:
    names = ["did:web:board.example:dids:az", "https://board.example/", "did:webvh:{SCID}:board.example:dids:az", "https://board.example/"]
    log = new_log(document={"alsoKnownAs": names})
    assert webvh.parallel_did_web(log)["alsoKnownAs"] == ["https://board.example/", str(log.did)]


def test_parallel_did_web_of_an_empty_document() -> None:
    with pytest.raises(ResolutionError):
        webvh.parallel_did_web(webvh.deactivate(new_log(), signer=signer(1), now=day(1), state={}))


@pytest.mark.parametrize("names", ["text", [1]])
def test_parallel_did_web_of_malformed_names(names: Any) -> None:
    with pytest.raises(FormatError):
        webvh.parallel_did_web(new_log(document={"alsoKnownAs": names}))
