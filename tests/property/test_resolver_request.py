from __future__ import annotations

from typing import Any
from urllib.parse import quote

from hypothesis import example, given, settings
from hypothesis import strategies as st

from did_health.did.did import DIDURL
from did_health.encoding import strict_json
from did_health.errors import ResolutionError
from did_health.services.resolver_request import Form, ResolverRequest

quick = settings(max_examples=200, deadline=None)
names = st.sampled_from(["accept", "versionId", "service", "relativeRef", "noCache", "x", ""])
sent = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=12)
paths = st.sampled_from(["did:web:a.example", "did:web:a.example/b%23c", "did%3Akey%3Az%3Fa%3Db", "did:web:a%3A1"]) | sent
queries = st.lists(st.tuples(names, sent), max_size=4).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))
accepts = st.lists(st.sampled_from([*map(str, Form), "*/*", "text/html", "application/*"]) | sent, max_size=4).map(", ".join)
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.integers(0, 9)
bodies = st.binary(max_size=20) | st.dictionaries(names, values, max_size=2).map(strict_json.dumps)


@quick
@given(paths, queries, accepts, bodies)
@example("did:web:a.example", "%=", "*/*;q", b"{}")
def test_any_request_is_one_for_a_did_url_or_is_refused(path: str, query: str, accept: str, body: bytes) -> None:
    try:
        asked = ResolverRequest.read(path, query, accept, body)
    except ResolutionError as error:
        refusal: ResolutionError | None = error
    else:
        refusal = None
    if refusal is not None:
        assert refusal.code in {"INVALID_DID", "INVALID_DID_URL", "INVALID_OPTIONS", "FEATURE_NOT_SUPPORTED", "REPRESENTATION_NOT_SUPPORTED"}
        return
    assert str(DIDURL.parse(asked.did_url)) == asked.did_url
    assert asked.form in Form


@quick
@given(st.dictionaries(st.text("abcXYZ", min_size=1, max_size=4), st.text(st.characters(max_codepoint=0x7E, min_codepoint=0x20), max_size=8), max_size=3))
def test_parameters_survive_however_they_are_sent(parameters: dict[str, Any]) -> None:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    did_url = f"did:web:a.example?{query}" if query else "did:web:a.example"
    for asked in (
        ResolverRequest.read("did:web:a.example", query, ""),
        ResolverRequest.read(quote(did_url, safe=""), "", ""),
        ResolverRequest.read("did:web:a.example", "", "", strict_json.dumps(parameters)),
        ResolverRequest.read(quote(did_url, safe=""), query, ""),
    ):
        assert dict(DIDURL.parse(asked.did_url).parameters) == parameters
