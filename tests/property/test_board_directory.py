from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError
from did_health.health.public_listing import Lookup, folded, listing_of
from did_health.roles.board_directory import FORMAT, DirectoryAnswer

LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3), max_leaves=12)
ENTRY = st.fixed_dictionaries({"credential": JSON, "issuanceReceipt": JSON}, optional={"state": JSON, "inForce": JSON, "location": JSON})
ANSWER = st.fixed_dictionaries(
    {"format": st.just(FORMAT), "issuer": st.just("did:x:y") | JSON, "results": st.lists(ENTRY, max_size=3) | JSON}, optional={"next": JSON, "evidence": JSON}
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | ANSWER.map(lambda one: json.dumps(one).encode()))
def test_an_answer_is_one_or_is_refused(data: bytes) -> None:
    try:
        answer = DirectoryAnswer.parse(data)
    except FormatError:
        return
    assert DirectoryAnswer.parse(answer.to_json()) == answer


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["npi", "number", "name", "given", "holder", "type"]), st.text(max_size=30)))
def test_a_lookup_is_one_or_is_refused(members: dict[str, str]) -> None:
    try:
        Lookup(**members)
    except FormatError:
        return
    assert sum(bool(members.get(name)) for name in ("npi", "number", "name", "holder")) == 1


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_any_subject_has_a_listing(subject: Any) -> None:
    listing = listing_of("PhysicianLicenseCredential", subject)
    assert listing is not None
    assert folded(listing.name) == listing.name
