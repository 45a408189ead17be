"""The resolver over HTTP against the resolver suite of did:webvh, whose errors are words."""

from __future__ import annotations

import json
from itertools import groupby

import pytest

from did_health.did.resolution import required_urls
from did_health.errors import TransportError
from did_health.roles.evidence import Need
from tests.conftest import shared
from tests.resolver_parties import resolver

pytestmark = pytest.mark.vectors


class Log:
    """The files of one log of the suite, under the URLs of its DIDs."""

    def __init__(self, name: str, did_urls: list[str]) -> None:
        folder = shared("vectors", "did-webvh", "resolver-suite", "logs", name)
        self.files = {url: folder / file for did_url in did_urls for url, file in zip(required_urls(did_url), ("did.jsonl", "did-witness.json"), strict=True)}

    def fetch(self, need: Need) -> bytes | None:
        if need.url not in self.files:
            raise TransportError("it is no part of the suite")
        return self.files[need.url].read_bytes() if self.files[need.url].exists() else None


def test_the_resolver_suite_over_http() -> None:
    cases = json.loads(shared("vectors", "did-webvh", "resolver-suite", "resolver-suite.json").read_bytes())
    assert len(cases) > 20
    for name, group in groupby(cases, key=lambda case: case["log"]):
        of_log = list(group)
        with resolver(Log(name, [case["did_url"] for case in of_log]), word_errors=True) as web:
            for case in of_log:
                response = web.get(case["did_url"])
                result = response.json()
                if case["status"] == "error":
                    assert response.status_code == {"notFound": 404, "invalidDid": 400}[case["didResolutionMetadata"]["error"]], case
                    assert result["didResolutionMetadata"] == case["didResolutionMetadata"], case
                    continue
                assert response.status_code == 200, case
                expected = dict(case["didDocumentMetadata"])
                if name == "missing-witness":  # disputed: the last entry lacks its witnesses, and does not count
                    expected.pop("updated", None)
                metadata = result["didDocumentMetadata"]
                assert {member: metadata[member] for member in expected} == expected, case
