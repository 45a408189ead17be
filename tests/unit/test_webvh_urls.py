from __future__ import annotations

import pytest

from did_health.did.methods.webvh.urls import WebvhDID, did_template
from did_health.errors import FormatError

SCID = "QmcASXkJMnprWNJCbyJ5394tCv8JDfrGptUmbCBoy4UtHE"


def parse(rest: str) -> WebvhDID:
    return WebvhDID.parse(f"did:webvh:{SCID}:{rest}")


def test_parts_of_a_did_with_port_and_path() -> None:
    did = parse("board.example%3A8443:dids:az")
    assert (did.scid, did.host, did.port, did.path) == (SCID, "board.example", 8443, ("dids", "az"))
    assert did.base_url == "https://board.example:8443/dids/az/"
    assert did.log_url == "https://board.example:8443/dids/az/did.jsonl"
    assert did.witness_url == "https://board.example:8443/dids/az/did-witness.json"
    assert did.did_web == "did:web:board.example%3A8443:dids:az"
    assert str(did) == f"did:webvh:{SCID}:board.example%3A8443:dids:az"


def test_without_a_path_the_log_is_well_known() -> None:
    did = parse("board.example")
    assert did.base_url == "https://board.example/"
    assert did.log_url == "https://board.example/.well-known/did.jsonl"
    assert did.witness_url == "https://board.example/.well-known/did-witness.json"


def test_case_of_host_and_of_percent_encoding_does_not_matter() -> None:
    assert parse("Board.Example%3a8443").base_url == "https://board.example:8443/"


def test_path_segments_are_percent_encoded_once() -> None:
    assert parse("board.example:用户").base_url == "https://board.example/%E7%94%A8%E6%88%B7/"
    assert parse("board.example:a%20b").base_url == "https://board.example/a%20b/"
    assert parse("board.example:a%2Cb:x%3Ay").base_url == "https://board.example/a,b/x%3Ay/"


def test_localhost_is_a_host_for_demonstrations() -> None:
    assert parse("localhost%3A8000").log_url == "https://localhost:8000/.well-known/did.jsonl"


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param("", id="no-host"),
        pytest.param("%3A8443", id="port-without-host"),
        pytest.param("example", id="one-label"),
        pytest.param("127.0.0.1", id="ipv4"),
        pytest.param("127.0.0.1%3a8080", id="ipv4-with-port"),
        pytest.param("127.1", id="short-ipv4"),
        pytest.param("a.0x7f000001", id="hexadecimal-last-label"),
        pytest.param("127%2E0%2E0%2E1", id="percent-encoded-host"),
        pytest.param("board.example%3A0443", id="port-with-leading-zero"),
        pytest.param("board.example%3A70000", id="port-beyond-65535"),
        pytest.param("board.example%3A", id="empty-port"),
        pytest.param("-board.example", id="label-with-leading-hyphen"),
        pytest.param("board..example", id="empty-label"),
        pytest.param("a_b.example", id="underscore"),
        pytest.param(".".join(["a" * 60] * 5), id="host-too-long"),
        pytest.param("xn--\ufffd.example", id="not-idna"),
        pytest.param("board.example:", id="empty-segment"),
        pytest.param("board.example:..:admin", id="dot-segment"),
        pytest.param("board.example:%2E%2e:admin", id="encoded-dot-segment"),
        pytest.param("board.example:a%2Fb", id="encoded-slash"),
        pytest.param("board.example:a%5Cb", id="encoded-backslash"),
        pytest.param("board.example:a%0Ab", id="encoded-newline"),
        pytest.param("board.example:a%zzb", id="broken-percent-encoding"),
        pytest.param("board.example:%ff", id="not-utf-8"),
        pytest.param("board.example:\ud800", id="lone-surrogate"),
        pytest.param("board.example/path", id="path"),
        pytest.param("board.example?versionNumber=1", id="query"),
        pytest.param("board.example#key-1", id="fragment"),
        pytest.param("user@board.example", id="user"),
        pytest.param("board.example:" + "a" * 2100, id="did-too-long"),
        pytest.param("board.example:" + "用" * 300, id="url-too-long"),
    ],
)
def test_refused(rest: str) -> None:
    with pytest.raises(FormatError):
        parse(rest)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("did:web:board.example", id="another-method"),
        pytest.param("did:webvh:board.example", id="no-scid"),
        pytest.param(f"did:webvh:{SCID}", id="only-scid"),
        pytest.param(f"did:webvh:{SCID[:-1]}:board.example", id="short-scid"),
        pytest.param(f"did:webvh:{SCID[:-1]}0:board.example", id="scid-not-base58"),
        pytest.param("did:webvh:{SCID}:board.example", id="placeholder"),
    ],
)
def test_refused_whole(text: str) -> None:
    with pytest.raises(FormatError):
        WebvhDID.parse(text)


def test_template_of_a_location() -> None:
    assert did_template("board.example") == "did:webvh:{SCID}:board.example"
    assert did_template("board.example:8443/dids/az/") == "did:webvh:{SCID}:board.example%3A8443:dids:az"
    assert did_template("board.example/{SCID}/a b") == "did:webvh:{SCID}:board.example:{SCID}:a%20b"


@pytest.mark.parametrize("location", ["", "127.0.0.1/x", "https://board.example", "board.example/../x", "board.example:port"])
def test_location_that_makes_no_did(location: str) -> None:
    with pytest.raises(FormatError):
        did_template(location)
