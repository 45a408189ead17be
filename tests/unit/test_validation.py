from __future__ import annotations

from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.limits import MAX_URL_CHARACTERS
from did_health.vc import validation
from did_health.vc.validation import DataModel

URLS = [
    "did:example:123",
    "did:web:board.example#key-1",
    "urn:uuid:343cf54b-2c38-480e-b6e8-7302332eae75",
    "https://board.example",
    "HTTP://board.example/a?b=c#d",
    "https://[2001:db8::1]:8443/%20",
    "https://bücher.example/é",
    "data:application/vc+jwt,eyJ",
    "mailto:a@b.example",
    "urn:" + "a" * (MAX_URL_CHARACTERS - 4),
]
NOT_URLS = [
    "",
    "a",
    ":",
    "did:",
    "//board.example",
    "/path",
    "1a:b",
    "https ://board.example",
    "https:board.example",
    "https:///path",
    "http://?q",
    "https://",
    "did:a b",
    "did:a\n",
    "did:a\u0085",
    'did:"',
    "did:<a>",
    "did:{a}",
    "did:a|b",
    "did:a\\b",
    "did:a^b",
    "did:a`b",
    "\u00e9:b",
    "urn:" + "a" * (MAX_URL_CHARACTERS - 3),
    None,
    5,
    b"did:example:1",
    ["did:example:1"],
]


@pytest.mark.parametrize("text", URLS)
def test_a_url(text: str) -> None:
    assert validation.is_url(text)
    validation.identifier(text, "/id")


@pytest.mark.parametrize("value", NOT_URLS)
def test_not_a_url(value: Any) -> None:
    assert not validation.is_url(value)
    with pytest.raises(FormatError, match="URL"):
        validation.identifier(value, "/id")


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("A", ("A",)),
        (["A"], ("A",)),
        (["A", "B"], ("A", "B")),
        ("https://a.example/#B", ("https://a.example/#B",)),
        *((value, None) for value in ("", [], [""], [None], {}, None, 5, "@id", ["A", "b: c"])),
    ],
)
def test_type_names(value: Any, names: tuple[str, ...] | None) -> None:
    assert validation.type_names(value) == names


def test_language_values_of_every_form() -> None:
    for value in ("text", {"@value": "text"}, ["a", {"@value": "b", "@language": "zh-Hant-TW", "@direction": "ltr"}]):
        validation.language_values(value, "/name")


def test_a_pointer_names_the_very_object_even_among_equal_ones() -> None:
    twins = [{"type": "A"}, {"type": "A", "id": "x"}, {"type": "A", "id": "x"}]
    rules = {name: rule for name, _, rule in validation.CREDENTIAL_RULES[DataModel.V2_0]}
    with pytest.raises(FormatError) as refused:
        rules["evidence"](twins, "/evidence")
    assert refused.value.where == "/evidence/1/id"


def test_an_error_of_a_timestamp_keeps_its_advice() -> None:
    with pytest.raises(FormatError, match="Write it as") as refused:
        validation.instant("tomorrow", "/validFrom")
    assert refused.value.where == "/validFrom"
