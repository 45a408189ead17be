"""The trust registry over HTTP on the loopback: answers, refusals, not knowing, and nothing of what was asked in the log."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from did_health.errors import StoreError
from did_health.limits import MAX_TRQP_QUERY_BYTES
from did_health.roles.evidence import Need
from did_health.trust.trqp.query import QueryKind
from tests.ledger_service import problem_of
from tests.registry_parties import COMMISSION, FRAMEWORK, LICENSE, UNKNOWN, RegistryTown, post
from tests.serving import serving

TRACED = "d4f34c12-9b7a-4e3a-a5d1-7e4f8c2c9f10"


class Place(RegistryTown):
    """With its registry behind HTTP at ``url``."""

    url: str
    log: io.StringIO


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("registry"))
    made.log = io.StringIO()
    with serving(made.app(prefix="/registry", log=made.log)) as base:
        made.url = f"{base}/registry"
        yield made
    made.town.close()


def get(url: str, **query: str) -> httpx.Response:
    return httpx.get(url, params=query or None, trust_env=False)


def test_an_authorization(place: Place) -> None:
    response = post(place.url, place.authorization(jurisdiction="US-NC", at=place.later(days=1)), **{"X-Request-ID": TRACED})
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert (response.headers["x-request-id"], response.headers["cache-control"]) == (TRACED, "no-store")
    document = response.json()
    assert {name: document[name] for name in ("entity_id", "authority_id", "action", "resource", "authorized", "time_requested", "time_evaluated")} == {
        "entity_id": place.board, "authority_id": place.authority.did, "action": "issue", "resource": LICENSE, "authorized": True,
        "time_requested": "2026-03-02T12:00:00Z", "time_evaluated": "2026-03-01T12:00:00Z",
    }  # fmt: skip
    assert document["context"] == {"time": "2026-03-02T12:00:00Z", "jurisdiction": "US-NC"}
    assert document["did_health"]["code"] == "stated"
    assert document["did_health"]["statement"]["jurisdiction"] == "US-NC"


def test_a_recognition(place: Place) -> None:
    document = post(place.url, place.recognition()).json()
    assert document["recognized"] is True
    assert "authorized" not in document
    assert "time_requested" not in document
    assert post(place.url, place.recognition(entity=UNKNOWN)).json()["recognized"] is False


def test_an_unknown_entity_is_not_authorized(place: Place) -> None:
    document = post(place.url, place.authorization(entity=UNKNOWN)).json()
    assert (document["authorized"], document["did_health"]["code"]) == (False, "not_stated")


def test_what_was_not_looked_at_is_said(place: Place) -> None:
    document = post(f"{place.url}/authorization", {**place.authorization().to_object(), "context": {"weekday": "Sunday"}, "reason": [1]}).json()
    assert document["authorized"] is True
    assert document["did_health"]["ignored"] == ["/reason", "/context/weekday"]
    assert document["context"] == {"weekday": "Sunday"}


@pytest.mark.parametrize("changes", [{"authority": UNKNOWN}, {"action": "recognize"}])
def test_what_it_does_not_speak_of_is_not_found(place: Place, changes: dict[str, str]) -> None:
    (member,) = changes
    problem = problem_of(post(place.url, place.authorization(**changes)), 404, f"{member}_not_recognized")
    assert problem["where"] == ("/action" if member == "action" else "/authority_id")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"entity_id": 7}, "/entity_id"),
        ({"entity_id": "a b"}, "/entity_id"),
        ({"authority_id": "auth-service-A"}, "/authority_id"),
        ({"action": ""}, "/action"),
        ({"resource": None}, "/resource"),
        ({"context": []}, "/context"),
        ({"context": {"time": "yesterday"}}, "/context/time"),
        ({"context": {"jurisdiction": "Carolina"}}, "/context/jurisdiction"),
    ],
)
def test_a_malformed_query_is_a_problem_that_names_the_place(place: Place, changes: dict[str, Any], where: str) -> None:
    document = {**place.authorization().to_object(), **changes}
    for kind in QueryKind:
        if kind is QueryKind.RECOGNITION:
            document |= {"action": changes.get("action", "recognize")}
        assert problem_of(post(f"{place.url}/{kind}", document), 400, "malformed")["where"] == where


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"entity_id":"a","entity_id":"a"}'])
def test_bodies_that_are_no_json_object(place: Place, body: bytes) -> None:
    problem_of(post(f"{place.url}/authorization", body), 400, "malformed")


def test_a_query_is_sent_as_json_and_bounded(place: Place) -> None:
    data = place.authorization().to_json()
    for media_type in ("text/plain", "", "application/json-patch+json"):
        assert post(f"{place.url}/authorization", data, **{"Content-Type": media_type}).status_code == 415
    assert post(f"{place.url}/authorization", data, **{"Content-Type": "Application/JSON; charset=utf-8"}).status_code == 200
    assert post(f"{place.url}/authorization", b" " * (MAX_TRQP_QUERY_BYTES + 1)).status_code == 413


def test_only_post_is_answered(place: Place) -> None:
    refused = get(f"{place.url}/authorization")
    assert (refused.status_code, refused.headers["content-type"]) == (405, "application/problem+json")
    assert post(f"{place.url.removesuffix('/registry')}/authorization", place.authorization().to_json()).status_code == 404


@pytest.mark.parametrize("traced", ["x" * 36, "d4f34c12", f"{TRACED}0"])
def test_only_a_uuid_is_repeated(place: Place, traced: str) -> None:
    assert "x-request-id" not in post(place.url, place.authorization(), **{"X-Request-ID": traced}).headers


def test_a_refusal_is_traced_too(place: Place) -> None:
    assert post(place.url, place.authorization(authority=UNKNOWN), **{"X-Request-ID": TRACED}).headers["x-request-id"] == TRACED


def test_the_framework_and_the_version_are_found_by_the_authority(place: Place) -> None:
    for query in ({}, {"authority_id": place.authority.did}):
        assert get(f"{place.url}/metadata", **query).json() == {
            "trqp_version": "2.0", "authority_id": place.authority.did, "governance_framework": FRAMEWORK,
            "queries": ["authorization", "recognition"], "context": ["time", "jurisdiction", "profession"],
        }  # fmt: skip
    problem_of(get(f"{place.url}/metadata", authority_id=UNKNOWN), 404, "authority_not_recognized")


def test_a_stale_registry_is_not_ready_and_says_neither_yes_nor_no(place: Place) -> None:
    as_of = place.registry.as_of()
    base = place.url.removesuffix("/registry")
    assert get(f"{base}/readyz").status_code == 200
    place.town.clock.move(days=2)
    try:
        for query in (place.authorization(), place.authorization(entity=UNKNOWN), place.recognition()):
            response = post(place.url, query)
            problem = problem_of(response, 503, "evidence_stale")
            assert problem["as_of"] == as_of.isoformat().replace("+00:00", "Z")
            assert response.headers["retry-after"] == "5"
            assert not {"authorized", "recognized"} & problem.keys()
        problem_of(get(f"{base}/readyz"), 503, "evidence_stale")
        assert get(f"{base}/healthz").status_code == 200
    finally:
        place.town.clock.move(days=-2)
    assert post(place.url, place.authorization()).json()["authorized"] is True


def test_a_ledger_that_fails_is_no_answer_either(place: Place) -> None:
    class Failing:
        def fetch(self, _need: Need) -> bytes | None:
            raise StoreError("the disk is gone", where="/secret/place")

    with serving(place.app(place.opened([Failing()]))) as url:
        response = post(url, place.authorization())
        assert (response.status_code, response.headers["content-type"]) == (503, "application/problem+json")
        assert "secret" not in response.text
        assert get(f"{url}/readyz").status_code == 503
    with serving(place.app(place.opened([]))) as url:
        problem_of(post(url, place.authorization()), 503, "ledger_unavailable")


def test_nobody_asks_too_often(place: Place) -> None:
    with serving(place.app(per_minute=2)) as url:
        assert [post(url, place.recognition()).status_code for _ in range(3)] == [200, 200, 429]
        assert get(f"{url}/healthz").status_code == 200


def test_it_counts_answers_and_logs_nothing_of_the_questions(place: Place) -> None:
    for query in (place.authorization(), place.authorization(entity=COMMISSION), place.recognition(authority=UNKNOWN)):
        post(place.url, query)
    post(f"{place.url}/authorization", b"{")
    text = get(f"{place.url.removesuffix('/registry')}/metrics").text
    counted = {"authorization": ("stated", "not_stated", "malformed"), "recognition": ("authority_not_recognized",)}
    for kind, code in [(kind, code) for kind, codes in counted.items() for code in codes]:
        assert f'did_health_registry_queries_total{{kind="{kind}",code="{code}"}}' in text
    lines = [json.loads(line) for line in place.log.getvalue().splitlines()]
    assert {line["route"] for line in lines if line["event"] == "request"} >= {"/registry/authorization", "/registry/recognition"}
    for secret in (place.board, COMMISSION, UNKNOWN, LICENSE):
        assert secret not in place.log.getvalue()


def test_its_age_is_the_policys(place: Place) -> None:
    """The purpose ``registry`` of the trust policy says how old a proof may be."""
    policy = place.town.directory.policy
    assert policy.max_age_for("registry") == policy.max_age_for("default") == timedelta(days=1)
