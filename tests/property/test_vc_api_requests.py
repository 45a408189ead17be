"""Only FormatError escapes from the parsers of the VC-API's requests."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError
from did_health.services.bearer import BearerTokens
from did_health.services.vc_api.requests import CHECKS, Body

QUICK = settings(max_examples=150, deadline=None)
NAMES = st.sampled_from([
    "type", "cryptosuite", "verificationMethod", "proofPurpose", "created", "expires", "domain", "challenge", "mandatoryPointers", "credentialId",
    "credentialStatus", "checks", "expectedProofPurpose", "returnCredential", "returnPresentation", "selectivePointers", "statusPurpose", "statusListIndex",
    "statusListCredential", "status", "options", "credential",
])  # fmt: skip
TEXTS = st.one_of(st.text(max_size=8), st.sampled_from(["/a", "proof", "BitstringStatusListEntry", "2026-01-01T00:00:00Z", "vp+jwt"]))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=10,
)


@QUICK
@given(st.binary(max_size=100))
def test_any_bytes_are_a_format_error(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        Body.parse(data)
        raise AssertionError("random bytes were accepted")


@QUICK
@given(st.dictionaries(NAMES, JSON, max_size=5))
def test_a_request_is_read_or_a_format_error(members: dict[str, Any]) -> None:
    body = Body(members)
    for read in (body.securing, body.selective_pointers, body.status_update, lambda: body.document("credential")):
        with contextlib.suppress(FormatError):
            read()
    with contextlib.suppress(FormatError):
        assert set(body.verifying().checks) <= set(CHECKS)


@QUICK
@given(st.text(max_size=100))
def test_a_file_of_tokens_is_read_or_a_format_error(text: str) -> None:
    with contextlib.suppress(FormatError):
        assert BearerTokens.parse(text).demanded
