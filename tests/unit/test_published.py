"""The published files of a ledger over real HTTP, from a source that is a dictionary."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from did_health.errors import StoreError, TransportError
from did_health.limits import MAX_URL_CHARACTERS
from did_health.net.fetch import HTTPSource
from did_health.roles.evidence import Need
from did_health.services.published import published_app
from tests.serving import HOST, serving

DIGEST = "ab" * 32
LIST = b'{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential","BitstringStatusListCredential"]}'
PUBLISHED = {
    "https://ledger.example/checkpoint": b"ledger.example\n0\n",
    "https://ledger.example/tile/0/x001/000.p/5": b"\0" * 160,
    "https://ledger.example/tile/entries/000": b"\0\1a",
    f"https://ledger.example/content/{DIGEST}": b"\xa0",
    f"https://ledger.example/latest/{DIGEST}": b"\xa0",
    "https://ledger.example/nc/did.jsonl": b"[]\n",
    "https://ledger.example/nc/did.json": b"{}",
    "https://ledger.example/nc/status/1": LIST,
    "https://ledger.example/nc/status/single-type": b'{"type":"VerifiableCredential"}',
    "https://ledger.example/nc/other": b'{"type":"Other"}',
    "https://ledger.example/nc/text": b"\x00text",
    "https://ledger.example/a%3Ab": b"encoded",
    "https://other.example:8443/checkpoint": b"other.example\n0\n",
}


class Shelf:
    def fetch(self, need: Need) -> bytes | None:
        if need.url.endswith("/elsewhere"):
            raise TransportError("nothing is served from this host here")
        if need.url.endswith("/broken"):
            raise StoreError("the database is locked", where="/srv/secret-path/ledger.sqlite")
        if need.url.endswith("/bug"):
            raise RuntimeError("secret internals")
        return PUBLISHED.get(need.url)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serving(published_app(Shelf(), ["ledger.example"])) as base:
        yield base


@pytest.fixture(scope="module")
def two_hosts() -> Iterator[str]:
    with serving(published_app(Shelf(), ["Ledger.example", "other.example:8443"])) as base:
        yield base


FOR_EVER = "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("path", "media_type", "kept"),
    [
        ("/checkpoint", "text/plain; charset=utf-8", "public, max-age=5"),
        ("/tile/0/x001/000.p/5", "application/octet-stream", FOR_EVER),
        ("/tile/entries/000", "application/octet-stream", FOR_EVER),
        (f"/content/{DIGEST}", "application/octet-stream", FOR_EVER),
        (f"/latest/{DIGEST}", "application/cbor", "public, max-age=5"),
        ("/nc/did.jsonl", "text/jsonl; charset=utf-8", "public, no-cache"),
        ("/nc/did.json", "application/json", "public, no-cache"),
        ("/nc/status/1", "application/vc", "public, no-cache"),
        ("/nc/status/single-type", "application/vc", "public, no-cache"),
        ("/nc/other", "application/json", "public, no-cache"),
        ("/nc/text", "application/octet-stream", "public, no-cache"),
        ("/a%3Ab", "application/octet-stream", "public, no-cache"),
    ],
)
def test_content_type_and_caching(site: str, path: str, media_type: str, kept: str) -> None:
    response = httpx.get(site + path, trust_env=False)
    assert response.status_code == 200
    assert response.content == PUBLISHED["https://ledger.example" + path]
    assert response.headers["content-type"] == media_type
    assert response.headers["cache-control"] == kept
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [("*/*", "application/vc"), ("application/ld+json, application/json", "application/ld+json"), ("application/json", "application/json")],
)
def test_a_credential_is_called_what_the_client_knows(site: str, accept: str, media_type: str) -> None:
    """VC Data Model 2.0 §6.2.1: less precise media types are in use; RFC 9110 §8.8.1, §12.5.5: each form has a tag, caches tell them apart."""
    url = site + "/nc/status/1"
    response = httpx.get(url, headers={"Accept": accept}, trust_env=False)
    assert (response.headers["content-type"], response.headers["vary"], response.content) == (media_type, "Accept", LIST)
    tag = response.headers["etag"]
    assert httpx.get(url, headers={"Accept": accept, "If-None-Match": tag}, trust_env=False).status_code == 304
    assert httpx.get(url, headers={"Accept": "application/ld+json;q=0, application/vc;q=0.5", "If-None-Match": tag}, trust_env=False).status_code == (
        304 if media_type == "application/vc" else 200
    )


def test_what_has_one_form_varies_by_no_header(site: str) -> None:
    response = httpx.get(site + "/nc/did.json", headers={"Accept": "application/vc"}, trust_env=False)
    assert (response.headers["content-type"], "vary" in response.headers) == ("application/json", False)


def test_our_own_source_reads_it(site: str) -> None:
    with HTTPSource({HOST}) as source:
        assert source.fetch(Need(site + "/nc/status/1")) == LIST
        assert source.fetch(Need(site + "/nc/status/2")) is None


def test_head_and_query(site: str) -> None:
    response = httpx.head(site + "/checkpoint", trust_env=False)
    assert response.status_code == 200
    assert response.content == b""
    assert response.headers["content-length"] == str(len(PUBLISHED["https://ledger.example/checkpoint"]))
    assert httpx.get(site + "/checkpoint?x=1", trust_env=False).status_code == 200


def test_unchanged_content_is_not_sent_again(site: str) -> None:
    tag = httpx.get(site + "/nc/did.jsonl", trust_env=False).headers["etag"]
    assert tag == f'"{hashlib.sha256(b"[]" + bytes([10])).hexdigest()}"'
    again = httpx.get(site + "/nc/did.jsonl", headers={"If-None-Match": f'"other", {tag}'}, trust_env=False)
    assert (again.status_code, again.content) == (304, b"")
    assert httpx.get(site + "/nc/did.jsonl", headers={"If-None-Match": '"other"'}, trust_env=False).status_code == 200


def problem_of(response: httpx.Response) -> dict[str, object]:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    document = json.loads(response.content)
    assert document["status"] == response.status_code
    assert set(document) == {"type", "title", "status", "detail"}
    return dict(document)


@pytest.mark.parametrize("path", ["/", "/none", "/elsewhere", "/../etc/passwd", "/%2e%2e/x", "/tile/0/-1", "//checkpoint", "/%7f"])
def test_nothing_there(site: str, path: str) -> None:
    response = httpx.get(site + path, trust_env=False)
    assert response.status_code == 404
    assert problem_of(response)["title"] == "Not Found"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_read_only(site: str, method: str) -> None:
    response = httpx.request(method, site + "/checkpoint", trust_env=False)
    assert response.status_code == 405
    assert "GET" in response.headers["allow"]
    problem_of(response)


def test_overlong_path(site: str) -> None:
    response = httpx.get(site + "/" + "a" * MAX_URL_CHARACTERS, trust_env=False)
    assert response.status_code == 414
    problem_of(response)


def test_store_that_fails_is_temporary_and_shows_no_internals(site: str) -> None:
    response = httpx.get(site + "/broken", trust_env=False)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    problem_of(response)
    assert b"secret" not in response.content
    assert b"sqlite" not in response.content


def test_bug_shows_no_internals(site: str) -> None:
    response = httpx.get(site + "/bug", trust_env=False)
    assert response.status_code == 500
    problem_of(response)
    assert b"internals" not in response.content


@pytest.mark.parametrize(
    ("host", "status", "start"),
    [
        ("ledger.example", 200, b"ledger"),
        ("LEDGER.example:443", 200, b"ledger"),
        ("other.example:8443", 200, b"other"),
        ("other.example", 421, b"{"),
        ("third.example", 421, b"{"),
    ],
)
def test_host_chooses_among_several(two_hosts: str, host: str, status: int, start: bytes) -> None:
    response = httpx.get(two_hosts + "/checkpoint", headers={"Host": host}, trust_env=False)
    assert response.status_code == status
    assert response.content.startswith(start)


def test_no_host() -> None:
    with pytest.raises(ValueError, match="at least one host"):
        published_app(Shelf(), [])


def test_starlette_is_imported_only_when_an_app_is_made() -> None:
    code = "import sys, did_health.services.published; sys.exit('starlette' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
