"""The MUSTs of ToIP TRQP 2.0 (section "Conformance"), one test each: those of an endpoint, of a consumer, and of the HTTPS binding."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest

from did_health.errors import FormatError
from did_health.net.exchange import HTTPExchange
from did_health.net.trust_registry import TrustRegistryClient
from did_health.trust.trqp.query import Query, QueryKind
from tests.registry_parties import FRAMEWORK, UNKNOWN, RegistryTown, post
from tests.serving import HOST, answering, serving

WHO = ("entity_id", "authority_id", "action", "resource")
YES = {QueryKind.AUTHORIZATION: "authorized", QueryKind.RECOGNITION: "recognized"}
_CONTEXT = {"type": "object", "properties": {"time": {"type": "string"}}, "additionalProperties": {"type": "string"}}


def request_schema() -> dict[str, Any]:
    """What the schemas of both queries demand."""
    return {"type": "object", "required": list(WHO), "properties": {**{name: {"type": "string"} for name in WHO}, "context": _CONTEXT}}


def response_schema(kind: QueryKind) -> dict[str, Any]:
    """What the schema of an answer demands."""
    texts = {name: {"type": "string"} for name in (*WHO, "message")}
    times = {name: {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"} for name in ("time_requested", "time_evaluated")}
    properties = {**texts, **times, YES[kind]: {"type": "boolean"}, "context": _CONTEXT}
    return {"type": "object", "required": [*WHO, "time_evaluated", YES[kind]], "properties": properties}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RegistryTown, str]]:
    made = RegistryTown(tmp_path_factory.mktemp("registry"))
    with serving(made.app()) as url:
        yield made, url
    made.town.close()


def refused(place: tuple[RegistryTown, str], kind: QueryKind = QueryKind.AUTHORIZATION, **changes: Any) -> bool:
    town, url = place
    asked = town.authorization() if kind is QueryKind.AUTHORIZATION else town.recognition()
    return post(f"{url}/{kind}", {**asked.to_object(), **changes}).status_code == 400


class TestEndpoint:
    def test_1_it_answers_both_kinds_of_queries(self, place: tuple[RegistryTown, str]) -> None:
        town, url = place
        assert post(url, town.authorization()).json()["authorized"] is True
        assert post(url, town.recognition()).json()["recognized"] is True

    @pytest.mark.parametrize("member", WHO)
    def test_2_1_identifiers_are_strings_of_rfc_3986(self, place: tuple[RegistryTown, str], member: str) -> None:
        for value in (["did:web:a.example"], "did:web:a example", "did:web:%zz"):
            assert refused(place, **{member: value})

    def test_2_2_an_authority_id_is_unique_everywhere(self, place: tuple[RegistryTown, str]) -> None:
        assert refused(place, authority_id="the-authority")
        # Of recognition "the entity_id MUST also be an authority_id" (section "Identifiers").
        assert refused(place, QueryKind.RECOGNITION, entity_id="the-commission")

    def test_2_3_action_and_resource_are_not_empty(self, place: tuple[RegistryTown, str]) -> None:
        assert refused(place, action="")
        assert refused(place, resource="")

    def test_2_4_a_context_is_an_object_and_its_time_one_of_rfc_3339(self, place: tuple[RegistryTown, str]) -> None:
        for context in (["time"], "2026-03-01T12:00:00Z", {"time": "1 March 2026"}):
            assert refused(place, context=context)

    def test_2_4_the_time_is_the_one_as_of_which_the_statement_is_valid(self, place: tuple[RegistryTown, str]) -> None:
        town, url = place
        answers = [post(url, town.authorization(at=moment)).json() for moment in (town.later(days=-1), town.later(days=1), town.later(days=3_000))]
        assert [answer["authorized"] for answer in answers] == [False, True, False]

    @pytest.mark.parametrize("entity", [None, UNKNOWN])
    @pytest.mark.parametrize("with_time", [False, True])
    def test_3_answers_are_as_the_schemas_have_them(self, place: tuple[RegistryTown, str], entity: str | None, with_time: bool) -> None:
        town, url = place
        changes: dict[str, Any] = {**({"entity": entity} if entity else {}), **({"at": town.later(days=1)} if with_time else {})}
        for query in (town.authorization(**changes), town.recognition(**changes)):
            answer = post(url, query).json()
            jsonschema.validate(answer, response_schema(query.kind))
            assert {name: answer[name] for name in WHO} == {name: query.to_object()[name] for name in WHO}
            assert answer.get("time_requested") == query.context.get("time")

    def test_4_the_governance_framework_is_found_by_the_authority_id(self, place: tuple[RegistryTown, str]) -> None:
        town, url = place
        found = httpx.get(f"{url}/metadata", params={"authority_id": town.authority.did}, trust_env=False).json()
        assert found["governance_framework"] == FRAMEWORK


class Overheard:
    """A server that keeps the request that it was sent, and hangs up."""

    def __init__(self) -> None:
        self.heard = b""

    def __call__(self, connection: socket.socket) -> None:
        while b"}" not in self.heard.partition(b"\r\n\r\n")[2]:
            self.heard += connection.recv(65536)


def sent(place: tuple[RegistryTown, str], query: Query) -> tuple[bytes, dict[bytes, bytes], Any]:
    """The request line, the headers and the body of what the client sends."""
    overheard, exchange = Overheard(), HTTPExchange([HOST])
    with answering(overheard) as host, pytest.raises(Exception, match="connection"):
        TrustRegistryClient(f"http://{host}/r", exchange, clock=place[0].town.clock).ask(query)
    exchange.close()
    head, _, body = overheard.heard.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    return line, dict(header.lower().split(b": ", 1) for header in headers), json.loads(body)


class TestConsumer:
    def test_1_its_queries_are_as_the_schemas_have_them(self, place: tuple[RegistryTown, str]) -> None:
        town = place[0]
        for query in (town.authorization(), town.recognition(at=town.later(days=1), jurisdiction="US")):
            jsonschema.validate(json.loads(query.to_json()), request_schema())

    @pytest.mark.parametrize("changes", [{"entity": "a b"}, {"authority": "somebody"}, {"action": ""}, {"resource": ""}, {"resource": "ä"}])
    def test_2_it_does_not_make_queries_of_what_is_no_identifier(self, place: tuple[RegistryTown, str], changes: dict[str, str]) -> None:
        with pytest.raises(FormatError):
            place[0].authorization(**changes)

    def test_2_3_its_context_is_an_object_with_a_time_of_rfc_3339(self, place: tuple[RegistryTown, str]) -> None:
        town = place[0]
        assert town.authorization(at=town.town.clock()).to_object()["context"] == {"time": "2026-03-01T12:00:00Z"}

    def test_3_it_understands_the_answers_of_both_kinds(self, place: tuple[RegistryTown, str]) -> None:
        town, url = place
        exchange = HTTPExchange([HOST])
        client = TrustRegistryClient(url, exchange, clock=town.town.clock)
        answers = [client.ask(query) for query in (town.authorization(), town.recognition(), town.recognition(entity=UNKNOWN))]
        exchange.close()
        assert [answer and answer.granted for answer in answers] == [True, True, False]


class TestHTTPSBinding:
    def test_1_requests_have_their_content_type(self, place: tuple[RegistryTown, str]) -> None:
        town, url = place
        assert sent(place, town.authorization())[1][b"content-type"] == b"application/json"
        assert post(url, town.authorization(), **{"Content-Type": "text/plain"}).status_code == 415

    def test_2_and_3_queries_are_posted_to_the_path_of_their_kind(self, place: tuple[RegistryTown, str]) -> None:
        town = place[0]
        for query, line in ((town.authorization(), b"POST /r/authorization HTTP/1.1"), (town.recognition(), b"POST /r/recognition HTTP/1.1")):
            found, _, body = sent(place, query)
            assert (found, body) == (line, query.to_object())

    def test_4_errors_are_problem_details_with_their_status(self, place: tuple[RegistryTown, str]) -> None:
        town, url = place
        answers = [
            post(f"{url}/authorization", b"{"), post(url, town.authorization(authority=UNKNOWN)), post(f"{url}/elsewhere", b"{}"),
            httpx.get(f"{url}/recognition", trust_env=False),
        ]  # fmt: skip
        assert [answer.status_code for answer in answers] == [400, 404, 404, 405]
        for answer in answers:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code

    def test_5_a_query_that_is_answered_is_200_in_json(self, place: tuple[RegistryTown, str]) -> None:
        town, url = place
        for query in (town.authorization(), town.authorization(entity=UNKNOWN), town.recognition()):
            answer = post(url, query)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
