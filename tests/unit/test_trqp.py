"""TRQP 2.0 without any transport: identifiers, queries, answers, and what a record answers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.limits import (
    MAX_TRQP_ANSWER_BYTES,
    MAX_TRQP_CONTEXT_CHARACTERS,
    MAX_TRQP_CONTEXT_MEMBERS,
    MAX_TRQP_IDENTIFIER_CHARACTERS,
    MAX_TRQP_MESSAGE_CHARACTERS,
    MAX_TRQP_QUERY_BYTES,
)
from did_health.tlog.checkpoint import Checkpoint
from did_health.trust.registry import RegistryRecord
from did_health.trust.trqp.answer import Answer, Basis
from did_health.trust.trqp.evaluation import NotRecognized, evaluate, require_answerable
from did_health.trust.trqp.identifiers import identifier
from did_health.trust.trqp.query import Query, QueryKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUTHORITY = "did:web:authority.example"
BOARD = "did:web:board.example"
AUTHORIZATION, RECOGNITION = QueryKind
RECORD = RegistryRecord(
    AUTHORITY, BOARD, "Board", "medical_board", "US-NC", ("MD", "DO"), "issue", "PhysicianLicenseCredential",
    NOW - timedelta(days=10), NOW + timedelta(days=10),
)  # fmt: skip
RECOGNIZED = replace(RECORD, action="recognize", entity_type="registry", jurisdiction="US", professions=())


def body(**changes: Any) -> bytes:
    document = {"entity_id": BOARD, "authority_id": AUTHORITY, "action": "issue", "resource": "PhysicianLicenseCredential", **changes}
    return json.dumps({name: value for name, value in document.items() if value is not None}).encode()


def query(**changes: Any) -> Query:
    return Query.parse(AUTHORIZATION, body(**changes))


class TestIdentifiers:
    @pytest.mark.parametrize(
        "text",
        [
            "did:webvh:QmZ:ledger.example:nc-medical", "https://registry.example/a/b?c=d/e?#f/?", "urn:uuid:0b7c", "country:state:driverlicense",
            "engineer-license", "user-1234", "a/b", "/a", "//host", "//host:80/a:b", "http://u:p@[2001:db8::1]:80/", "http://[v1.a:b]/", "a%2Fb",
            "?q", "#f", "./a:b", "mailto:a@b.example", "~_.!$&'()*+,;=@", "http:", "http:///a",
        ],
    )  # fmt: skip
    def test_uri_references(self, text: str) -> None:
        assert identifier(text, "/x") == text

    @pytest.mark.parametrize(
        "text",
        [
            "", "a b", "ä", "a\n", "1:2", ":a", "a:b c", "<a>", "a%2", "a%zz", "a[b]", "http://[::g]/", "http://[1::2::3]/", "http://[127.0.0.1]/",
            "a#b#c", "a\\b", "\u202ea", "http://a:b:c/",
        ],
    )  # fmt: skip
    def test_what_is_no_uri_reference(self, text: str) -> None:
        with pytest.raises(FormatError) as refused:
            identifier(text, "/x")
        assert refused.value.where == "/x"

    @pytest.mark.parametrize("value", [None, 7, True, [], {}])
    def test_what_is_no_string(self, value: object) -> None:
        with pytest.raises(FormatError):
            identifier(value, "/x")

    def test_a_unique_one_has_a_scheme(self) -> None:
        assert identifier("https://a.example", "/x", unique=True)
        for text in ("auth-service-A", "//host", "a/b:c"):
            with pytest.raises(FormatError) as refused:
                identifier(text, "/x", unique=True)
            assert "unique" in refused.value.what

    def test_its_length_is_bounded(self) -> None:
        assert identifier("a" * MAX_TRQP_IDENTIFIER_CHARACTERS, "/x")
        with pytest.raises(FormatError):
            identifier("a" * (MAX_TRQP_IDENTIFIER_CHARACTERS + 1), "/x")


class TestQueries:
    def test_what_is_asked_is_sent_as_the_schema_has_it(self) -> None:
        asked = Query.asking(AUTHORIZATION, entity=BOARD, authority=AUTHORITY, action="issue", resource="X", at=NOW, jurisdiction="US-NC", profession="MD")
        assert json.loads(asked.to_json()) == {
            "entity_id": BOARD, "authority_id": AUTHORITY, "action": "issue", "resource": "X",
            "context": {"time": "2026-03-01T12:00:00Z", "jurisdiction": "US-NC", "profession": "MD"},
        }  # fmt: skip
        assert Query.parse(AUTHORIZATION, asked.to_json()) == asked
        assert (asked.time, asked.ignored) == (NOW, ())

    def test_without_conditions_there_is_no_context(self) -> None:
        asked = query()
        assert "context" not in json.loads(asked.to_json())
        assert asked.time is None

    @pytest.mark.parametrize("time", ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00+00:00", "2026-03-01T12:00:00.000Z"])
    def test_times_in_utc(self, time: str) -> None:
        assert query(context={"time": time}).time == NOW

    def test_a_blank_time_is_now(self) -> None:
        assert query(context={"time": ""}).time is None

    @pytest.mark.parametrize("time", ["2026-03-01T12:00:00", "2026-03-01", "now", "2026-03-01T12:00:00-05:00", "2026-02-30T12:00:00Z", "1772366400", " "])
    def test_times_that_are_none(self, time: str) -> None:
        with pytest.raises(FormatError) as refused:
            query(context={"time": time})
        assert refused.value.where == "/context/time"

    @pytest.mark.parametrize("member", ["entity_id", "authority_id", "action", "resource"])
    @pytest.mark.parametrize("value", [None, "", 7, ["did:web:a.example"], {"id": "did:web:a.example"}, "a b"])
    def test_the_four_members_have_to_be_there(self, member: str, value: object) -> None:
        with pytest.raises(FormatError) as refused:
            query(**{member: value})
        assert refused.value.where == f"/{member}"

    @pytest.mark.parametrize("context", [[], "time", 7, True, {"time": 7}, {"x": None}, {"x": {}}])
    def test_a_context_is_an_object_of_strings(self, context: object) -> None:
        with pytest.raises(FormatError) as refused:
            query(context=context)
        assert refused.value.where.startswith("/context")

    def test_null_is_no_context(self) -> None:
        with pytest.raises(FormatError):
            Query.parse(AUTHORIZATION, body()[:-1] + b',"context":null}')

    def test_a_context_is_bounded(self) -> None:
        most = {f"m{number}": "" for number in range(MAX_TRQP_CONTEXT_MEMBERS)}
        assert len(query(context=most).context) == MAX_TRQP_CONTEXT_MEMBERS
        longest = "x" * (MAX_TRQP_CONTEXT_CHARACTERS - 1)
        assert query(context={"m": longest}).context == {"m": longest}
        for context in ({**most, "n": ""}, {"m": longest + "x"}):
            with pytest.raises(FormatError):
                query(context=context)

    def test_a_query_is_bounded(self) -> None:
        with pytest.raises(FormatError):
            query(x="y" * MAX_TRQP_QUERY_BYTES)

    @pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{", b'{"entity_id":"a","entity_id":"b"}', b"\xff"])
    def test_bodies_that_are_no_query(self, data: bytes) -> None:
        with pytest.raises(FormatError):
            Query.parse(RECOGNITION, data)

    def test_what_is_not_known_is_named(self) -> None:
        asked = query(context={"locator": "x", "a/b~": "", "time": ""}, reason=7)
        assert asked.ignored == ("/reason", "/context/locator", "/context/a~1b~0")

    @pytest.mark.parametrize(("name", "value"), [("jurisdiction", "North Carolina"), ("jurisdiction", ""), ("jurisdiction", "us-nc"), ("profession", "M D")])
    def test_conditions_that_mean_nothing_are_no_no(self, name: str, value: str) -> None:
        with pytest.raises(FormatError) as refused:
            evaluate(query(context={name: value}), RECORD, now=NOW)
        assert refused.value.where == f"/context/{name}"

    def test_an_authority_that_is_recognized_is_one_everywhere(self) -> None:
        with pytest.raises(FormatError) as refused:
            Query.parse(RECOGNITION, body(entity_id="service-42"))
        assert refused.value.where == "/entity_id"
        assert Query.parse(AUTHORIZATION, body(entity_id="service-42")).entity == "service-42"


class TestEvaluation:
    @pytest.mark.parametrize(
        ("context", "granted", "code"),
        [
            ({}, True, "stated"),
            ({"jurisdiction": "US-NC", "profession": "DO"}, True, "stated"),
            ({"jurisdiction": "US-SC"}, False, "wrong_jurisdiction"),
            ({"jurisdiction": "US"}, False, "wrong_jurisdiction"),
            ({"profession": "PA"}, False, "wrong_profession"),
            ({"time": "2026-02-19T12:00:00Z"}, True, "stated"),
            ({"time": "2026-02-19T11:59:59Z"}, False, "not_yet_valid"),
            ({"time": "2026-03-11T11:59:59Z"}, True, "stated"),
            ({"time": "2026-03-11T12:00:00Z"}, False, "ended"),
            ({"locator": "US-SC"}, True, "stated"),
        ],
    )
    def test_what_a_record_answers(self, context: dict[str, str], granted: bool, code: str) -> None:
        decision = evaluate(query(context=context), RECORD, now=NOW)
        assert (decision.granted, decision.code) == (granted, code)

    def test_of_the_future_it_says_that_it_can_change(self) -> None:
        assert "can change" in evaluate(query(context={"time": "2026-03-02T00:00:00Z"}), RECORD, now=NOW).message
        assert "can change" not in evaluate(query(), RECORD, now=NOW).message
        assert "can change" not in evaluate(query(context={"time": "2027-03-02T00:00:00Z"}), RECORD, now=NOW).message

    @pytest.mark.parametrize(
        "record",
        [
            None,
            replace(RECORD, entity="did:web:other.example"),
            replace(RECORD, authority="did:web:other.example"),
            replace(RECORD, resource="PharmacyCredential"),
            replace(RECORD, action="verify"),
        ],
    )
    def test_no_statement_and_one_about_something_else_are_a_no(self, record: RegistryRecord | None) -> None:
        decision = evaluate(query(), record, now=NOW)
        assert (decision.granted, decision.code) == (False, "not_stated")

    def test_recognition_and_authorization_do_not_answer_each_other(self) -> None:
        recognition = Query.parse(RECOGNITION, body(action="recognize"))
        assert evaluate(recognition, RECOGNIZED, now=NOW).granted
        for kind, action, record in ((AUTHORIZATION, "recognize", RECOGNIZED), (RECOGNITION, "issue", RECORD)):
            with pytest.raises(NotRecognized) as refused:
                evaluate(Query.parse(kind, body(action=action)), record, now=NOW)
            assert (refused.value.where, refused.value.code) == ("/action", "action_not_recognized")

    def test_a_registry_speaks_for_one_authority(self) -> None:
        require_answerable(query(), AUTHORITY)
        with pytest.raises(NotRecognized) as refused:
            require_answerable(query(), BOARD)
        assert (refused.value.where, refused.value.code) == ("/authority_id", "authority_not_recognized")


class TestAnswers:
    def answer(self, **changes: Any) -> dict[str, Any]:
        asked = Query.asking(AUTHORIZATION, entity=BOARD, authority=AUTHORITY, action="issue", resource="X", at=NOW)
        document: dict[str, Any] = json.loads(Answer(asked, True, NOW, "yes").to_json())
        return {name: value for name, value in {**document, **changes}.items() if value is not None}

    def parse(self, document: dict[str, Any]) -> Answer:
        asked = Query.asking(AUTHORIZATION, entity=BOARD, authority=AUTHORITY, action="issue", resource="X", at=NOW)
        return Answer.parse(asked, json.dumps(document).encode())

    def test_it_says_what_was_asked_and_what_is_so(self) -> None:
        assert self.answer() == {
            "entity_id": BOARD, "authority_id": AUTHORITY, "action": "issue", "resource": "X", "context": {"time": "2026-03-01T12:00:00Z"},
            "authorized": True, "time_requested": "2026-03-01T12:00:00Z", "time_evaluated": "2026-03-01T12:00:00Z", "message": "yes",
        }  # fmt: skip
        assert self.parse(self.answer()).granted

    def test_what_it_rests_on_is_beside_it(self) -> None:
        basis = Basis("stated", NOW, bytes(32), (Checkpoint("ledger.example", 7, bytes(32)),), bytes(32), RECORD)
        document = json.loads(Answer(query(context={"locator": "x"}), True, NOW, "yes", basis).to_json())
        assert document["did_health"] == {
            "code": "stated", "as_of": "2026-03-01T12:00:00Z", "ledger_subject": "00" * 32, "ignored": ["/context/locator"],
            "checkpoints": [{"origin": "ledger.example", "size": 7, "root": "A" * 43 + "="}],
            "statement": {
                "sha256": "00" * 32, "jurisdiction": "US-NC", "professions": ["MD", "DO"],
                "valid_from": "2026-02-19T12:00:00Z", "valid_until": "2026-03-11T12:00:00Z",
            },
        }  # fmt: skip
        none = json.loads(Answer(query(), False, NOW, "", Basis("not_stated", NOW, bytes(32), ())).to_json())
        assert set(none["did_health"]) == {"code", "as_of", "ledger_subject", "checkpoints"}
        assert "message" not in none

    def test_an_open_window_has_no_ends(self) -> None:
        basis = Basis("stated", NOW, bytes(32), (), bytes(32), replace(RECORD, valid_from=None, valid_until=None))
        assert set(basis.to_object()["statement"]) == {"sha256", "jurisdiction", "professions"}

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"entity_id": "did:web:other.example"}, "/entity_id"),
            ({"authority_id": None}, "/authority_id"),
            ({"action": "verify"}, "/action"),
            ({"resource": ["X"]}, "/resource"),
            ({"authorized": None}, "/authorized"),
            ({"authorized": "true"}, "/authorized"),
            ({"authorized": 1}, "/authorized"),
            ({"authorized": None, "recognized": True}, "/authorized"),
            ({"time_evaluated": None}, "/time_evaluated"),
            ({"time_evaluated": ""}, "/time_evaluated"),
            ({"time_evaluated": "today"}, "/time_evaluated"),
            ({"time_evaluated": 7}, "/time_evaluated"),
            ({"time_requested": "2026-03-01T12:00:01Z"}, "/time_requested"),
            ({"time_requested": None}, "/time_requested"),
            ({"message": 7}, "/message"),
        ],
    )
    def test_answers_to_something_else_and_what_is_no_answer(self, changes: dict[str, Any], where: str) -> None:
        with pytest.raises(FormatError) as refused:
            self.parse(self.answer(**changes))
        assert refused.value.where == where

    def test_an_answer_for_a_time_that_nobody_asked_about(self) -> None:
        times = {"time_evaluated": "2026-03-01T12:00:00Z", "time_requested": "2020-01-01T00:00:00Z"}
        with pytest.raises(FormatError) as refused:
            Answer.parse(query(), json.dumps({**query().to_object(), **times, "authorized": True}).encode())
        assert refused.value.code == "another_time"

    def test_a_message_is_cut_and_can_be_printed(self) -> None:
        message = self.parse(self.answer(message="\x1b[31m" + "x" * 2 * MAX_TRQP_MESSAGE_CHARACTERS)).message
        assert message.isprintable()
        assert len(message) == MAX_TRQP_MESSAGE_CHARACTERS - 1

    def test_an_answer_is_bounded(self) -> None:
        with pytest.raises(FormatError):
            self.parse(self.answer(padding="x" * MAX_TRQP_ANSWER_BYTES))
