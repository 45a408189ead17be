"""DIDs and DID URLs, DID Core 1.0 §3."""

from __future__ import annotations

import pytest

from did_health.did.did import DID, DIDURL
from did_health.errors import FormatError
from did_health.limits import MAX_DID_CHARACTERS


@pytest.mark.parametrize(
    ("text", "method", "identifier"),
    [
        ("did:web:board.example", "web", "board.example"),
        ("did:web:board.example%3A8443:boards:tx", "web", "board.example%3A8443:boards:tx"),
        ("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "key", "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"),
        ("did:3:a", "3", "a"),
        ("did:example::a", "example", ":a"),
        ("did:example:a._-%C3%A9", "example", "a._-%C3%A9"),
    ],
)
def test_did_text_and_parts(text: str, method: str, identifier: str) -> None:
    """§3.1."""
    did = DID.parse(text)
    assert (did.method, did.identifier, str(did)) == (method, identifier, text)
    assert did == DID(method, identifier)
    assert hash(did) == hash(DID(method, identifier))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "did",
        "did:",
        "did:web",
        "did:web:",
        "did:web:a:",
        "did::a",
        "DID:web:a",
        "did:Web:a",
        "did:we-b:a",
        "did:web:a b",
        "did:web:a%",
        "did:web:a%4",
        "did:web:a%GG",
        "did:web:bücher.example",
        "did:web:a\n",
        " did:web:a",
        "did:web:a#key-1",
        "did:web:a/path",
        "did:web:a?query",
        "did:key:@",
        "did:web:" + "a" * MAX_DID_CHARACTERS,
    ],
)
def test_text_that_is_no_did(text: str) -> None:
    """§3.1."""
    with pytest.raises(FormatError) as caught:
        DID.parse(text)
    assert caught.value.code == "INVALID_DID"


def test_a_did_of_bad_parts_cannot_be_made() -> None:
    with pytest.raises(FormatError):
        DID("web", "a#b")


def test_dids_differ_by_case() -> None:
    """§3.1: compared as they are."""
    assert DID.parse("did:web:A.example") != DID.parse("did:web:a.example")


def test_url_of_a_fragment() -> None:
    assert DID.parse("did:web:board.example").url("key-1") == "did:web:board.example#key-1"


def test_did_url_parts() -> None:
    """§3.2."""
    text = "did:web:board.example/a/b;c?service=files&relativeRef=%2Fcv%3Fv%3D1&empty&versionTime=2026-01-01T00:00:00+01:00#part/1"
    url = DIDURL.parse(text)
    assert str(url) == text
    assert str(url.did) == "did:web:board.example"
    assert url.path == "/a/b;c"
    assert url.fragment == "part/1"
    assert dict(url.parameters) == {"service": "files", "relativeRef": "/cv?v=1", "empty": "", "versionTime": "2026-01-01T00:00:00+01:00"}


@pytest.mark.parametrize("text", ["did:web:a", "did:web:a#", "did:web:a?", "did:web:a?#", "did:web:a/", "did:web:a//b", "did:web:a?x=1&&y=2"])
def test_did_url_text_is_kept(text: str) -> None:
    assert str(DIDURL.parse(text)) == text


def test_absent_and_empty_parts_differ() -> None:
    assert DIDURL.parse("did:web:a").fragment is None
    assert DIDURL.parse("did:web:a#").fragment == ""
    assert DIDURL.parse("did:web:a").query is None
    assert DIDURL.parse("did:web:a?").query == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#key-1",
        "https://board.example/#key-1",
        "did:web#key-1",
        "did:web:a#b#c",
        "did:web:a#b c",
        "did:web:a?b[c]",
        "did:web:a/%zz",
        "did:web:a/ä",
        "did:web:a?b=1&b=2",
        "did:web:a?b=%FF",
        "did:web:a#" + "b" * 2 * MAX_DID_CHARACTERS,
        "did:web:a#" + "b" * MAX_DID_CHARACTERS,
    ],
)
def test_text_that_is_no_did_url(text: str) -> None:
    """§3.2; RFC 3986 §3."""
    with pytest.raises(FormatError) as caught:
        DIDURL.parse(text)
    assert caught.value.code == "INVALID_DID_URL"


@pytest.mark.parametrize("parts", [("path", None, None), ("", "a#b", None), ("", None, "a b"), ("/a?b", None, None), ("/a", "b?c", "d#e")])
def test_a_did_url_of_bad_parts_cannot_be_made(parts: tuple[str, str | None, str | None]) -> None:
    with pytest.raises(FormatError):
        DIDURL(DID.parse("did:web:a"), *parts)
