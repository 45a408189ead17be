"""Proactive negotiation (RFC 9110 §12.5.1): what a client accepts, and which form of a credential it is given."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.limits import MAX_ACCEPT_RANGES
from did_health.services.media_ranges import MediaRange, media_ranges, preferred
from did_health.vc.media_types import CREDENTIAL_FORMS

VC, JSON_LD, JSON = CREDENTIAL_FORMS


@pytest.mark.parametrize(
    ("accept", "ranges"),
    [
        ("", [("*/*", 1.0)]),
        (" ", [("*/*", 1.0)]),
        ("Application/VC", [("application/vc", 1.0)]),
        ("application/ld+json;profile=x; Q=0.5, */*;q=0", [("application/ld+json", 0.5), ("*/*", 0.0)]),
        ("a/b;q=1.5, a/c;q=-1, a/d;q=0.1234, a/e;q=, a/f;q=1.000", [("a/f", 1.0)]),
        (",", [("", 1.0), ("", 1.0)]),
    ],
)
def test_ranges_stand_as_the_header_has_them(accept: str, ranges: list[tuple[str, float]]) -> None:
    assert media_ranges(accept) == tuple(MediaRange(*found) for found in ranges)


def test_only_so_many_ranges_are_looked_at() -> None:
    assert len(media_ranges("a/b," * MAX_ACCEPT_RANGES + "c/d")) == MAX_ACCEPT_RANGES


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", VC),
        ("*/*", VC),
        ("application/*", VC),
        ("application/vc, application/json", VC),
        ("application/json", JSON),
        # What the implementations of Digital Bazaar send, who read a body only if its type speaks of JSON.
        ("application/ld+json, application/json", JSON_LD),
        ("application/json, application/ld+json;q=0.9", JSON),
        # A type that is named is known to the client, unlike what a wildcard stands for.
        ("application/json, text/plain, */*", JSON),
        ("application/json;q=0.8, */*", VC),
        ("application/vc;q=0, */*", JSON_LD),
        ("application/vc;q=0, application/*;q=0.1, application/json;q=0, */*", JSON_LD),
        # Nothing that is acceptable: the header is disregarded.
        ("text/html", VC),
        ("application/json;q=0", VC),
        ("application/json;q=zero", VC),
    ],
)
def test_the_form_with_the_highest_weight_is_chosen(accept: str, chosen: str) -> None:
    assert preferred(accept, CREDENTIAL_FORMS) == chosen


@settings(max_examples=100, deadline=None)
@given(st.text() | st.text(alphabet="aplicton/vj*;q=.01, "))
def test_no_header_is_too_strange(accept: str) -> None:
    assert preferred(accept, CREDENTIAL_FORMS) in CREDENTIAL_FORMS
