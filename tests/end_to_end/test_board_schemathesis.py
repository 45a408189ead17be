"""A board's directory keeps to the OpenAPI document that it serves, whatever schemathesis makes up from it: no status and no shape undocumented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from did_health.services.board_openapi import document
from tests.board_parties import PublicBoards

schemathesis = pytest.importorskip("schemathesis", reason="it is of the extra dev")

NPI = "1234567893"
QUESTIONS = ({"npi": NPI}, {"number": "SEC-1"}, {"name": "qqf"}, {"npi": NPI, "limit": 1}, {"npi": NPI, "after": "1"}, {"given": "Ann"})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ExitStack() as stack:
        boards = PublicBoards(tmp_path_factory.mktemp("boards"), stack)
        for _ in range(3):
            boards.town.issue(npi=NPI)
        yield boards.clients["nc"].base_url


# Any text may stand for a file's name: there is nothing to break in it.
@pytest.mark.parametrize(("path", "mode"), [("/licenses", "POSITIVE"), ("/licenses", "NEGATIVE"), ("/licenses/{name}", "POSITIVE")])
def test_every_answer_is_as_the_document_says(place: str, path: str, mode: str) -> None:
    operation = schemathesis.openapi.from_url(f"{place}/openapi.json")[path]["GET"]
    checks = [
        schemathesis.specs.openapi.checks.status_code_conformance,
        schemathesis.specs.openapi.checks.content_type_conformance,
        schemathesis.specs.openapi.checks.response_schema_conformance,
    ]

    @settings(max_examples=30, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode]))
    def answered(case: Any) -> None:
        case.call_and_validate(checks=checks)

    answered()
    for query in QUESTIONS if path.endswith("licenses") else ():
        operation.Case(query=query).call_and_validate(checks=checks)


def test_the_document_is_served_to_anybody(place: str) -> None:
    response = httpx.get(f"{place}/openapi.json", trust_env=False)
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.json() == document()
