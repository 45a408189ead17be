from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.health.act import Act
from did_health.health.air_segment import AIRCodes, AIRSegment, ShownDocument
from did_health.health.dated_tables import DatedTable, packaged_table
from did_health.health.identification_rules import identification_rules, rules_for, unknown_rule
from did_health.health.identity_document import DOCUMENT_TYPES
from did_health.health.override_reasons import check_override, override_reasons, packaged_override_reasons
from did_health.health.person_match import names_agree
from did_health.health.person_name import PersonName
from did_health.health.pickup_delegation import RELATIONSHIPS
from did_health.limits import MAX_OVERRIDE_NOTE_CHARACTERS

CODES = AIRCodes.of(packaged_table("asap-air-codes"))


def table(name: str, *rows: dict[str, Any]) -> DatedTable:
    known = packaged_table(name)
    return replace(known, rows=tuple(MappingProxyType({"source": next(iter(known.sources)), **row}) for row in rows))


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        (("Núñez-O'Hara", "Ana María"), ("NUNEZ O'HARA", "Ana"), True),
        (("Adams", "Ann"), ("adams", "ANN"), True),
        (("Adams", "Ann Marie"), ("Adams", "Ann-Marie"), True),
        (("Adams", "Ann Marie"), ("Adams", "Marie"), False),
        (("Adams", "Ann"), ("Adam", "Ann"), False),
        (("Adams", "Ann"), ("Adams", "Anna"), False),
        (("Adams", "Ann", "", "Jr."), ("Adams", "Ann", "", "Sr."), False),
        (("Adams", "Ann", "", "Jr."), ("Adams", "Ann", "", "JR"), True),
        (("Adams", "Ann", "Dr.", "Jr."), ("Adams", "Ann"), True),
        (("---", "Ann"), ("---", "Ann"), False),
        (("Adams", "---"), ("Adams", "Ann"), False),
    ],
)
def test_whether_two_names_can_be_one_persons(one: tuple[str, ...], other: tuple[str, ...], agree: bool) -> None:
    assert names_agree(PersonName(*one), PersonName(*other)) is agree
    assert names_agree(PersonName(*other), PersonName(*one)) is agree


def test_rules_of_states_have_a_source_and_no_credential_suffices_by_default() -> None:
    rules = identification_rules(packaged_table("identification-rules"))
    assert len({rule.jurisdiction for rule in rules}) == 30
    for rule in rules:
        assert rule.source.seen_on is not None
        assert rule.source.url.startswith("http")
        assert not rule.credential_suffices


@pytest.mark.parametrize(
    ("schedule", "state", "when"),
    [
        ("2", "US-NC", ["always"]), ("3", "US-NC", ["some_drugs"]), ("none", "US-NC", []), ("", "US-NC", ["always", "some_drugs"]), ("5", "US-NC", []),
        ("2", "US-VA", ["unknown_person"]), ("4", "US-VA", ["discretion"]), ("4", "US-WV", ["always"]), ("5", "US-WV", []),
        ("2", "US-ME", ["discretion", "unknown_person"]), ("3", "US-TX", ["unknown_person"]),
        ("5", "US-WY", ["always"]), ("5", "US-VT", []), ("2", "US-CA", []), ("2", "", []),
    ],
)  # fmt: skip
def test_which_rules_hold(schedule: str, state: str, when: list[str]) -> None:
    rules = identification_rules(packaged_table("identification-rules"))
    assert [rule.when for rule in rules_for(rules, Act("pickup", schedule, state))] == when


RULE = {"jurisdiction": "US-NC", "schedules": ["2"], "when": "always", "documents": ["Passport"]}


@pytest.mark.parametrize(
    ("schedule", "state", "is_asked"),
    [
        ("2", "US-NC", False), ("none", "US-CA", False), ("none", "", False),
        ("2", "US-CA", True), ("", "US-CA", True), ("5", "US-NC", True), ("2", "", True),
        # A law that lets a pharmacist ask does not say that nothing obliges them.
        ("4", "US-OR", True), ("4", "US-VA", True), ("2", "US-ME", False),
    ],
)  # fmt: skip
def test_what_is_not_known_is_never_a_no(schedule: str, state: str, is_asked: bool) -> None:
    act = Act("pickup", schedule, state)
    sentence = unknown_rule(rules_for(identification_rules(packaged_table("identification-rules")), act), act)
    assert bool(sentence) is is_asked
    assert not is_asked or "ask for one" in sentence


def test_a_source_that_lists_no_documents_is_a_rule_all_the_same() -> None:
    (rule,) = identification_rules(table("identification-rules", {**RULE, "documents": [], "when": "unknown_person", "note": "A note."}))
    assert (rule.documents, rule.when, rule.note) == ((), "unknown_person", "A note.")


def test_a_rule_that_another_source_disputes_still_holds() -> None:
    rules = identification_rules(packaged_table("identification-rules"))
    disputed = [rule for rule in rules if rule.disputed_by]
    assert {rule.jurisdiction for rule in disputed} == {"US-FL", "US-GA", "US-MA", "US-ME", "US-NM", "US-NV"}
    assert all(rules_for(rules, Act("pickup", "2", rule.jurisdiction)) for rule in disputed)


def test_a_row_without_a_list_of_documents_is_no_rule() -> None:
    with pytest.raises(FormatError):
        identification_rules(table("identification-rules", {name: value for name, value in RULE.items() if name != "documents"}))


def test_a_rule_may_take_a_credential_for_the_document() -> None:
    (rule,) = identification_rules(table("identification-rules", {**RULE, "credentialSuffices": True}))
    assert rule.credential_suffices


@pytest.mark.parametrize(
    "change",
    [
        {"jurisdiction": "NC"}, {"jurisdiction": 3}, {"schedules": []}, {"schedules": ["9"]}, {"schedules": "2"}, {"when": "sometimes"}, {"when": 2},
        {"documents": "Passport"}, {"documents": ["LibraryCard"]}, {"credentialSuffices": "no"},
    ],
)  # fmt: skip
def test_rows_that_are_no_rules(change: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        identification_rules(table("identification-rules", {**RULE, **change}))


def test_the_fields_of_somebody_who_picks_up() -> None:
    document = ShownDocument.from_json({"type": "DriversLicense", "jurisdiction": "US-NC", "number": "12345", "name": {"family": "Other", "given": "Daughter"}})
    segment = AIRSegment.picking_up(
        CODES, relationship="parent", person=PersonName("By", "Credential"), pharmacist=PersonName("Pharm", "Pat"), document=document
    )
    assert segment.to_json() == {
        "AIR03": "NC", "AIR04": "06", "AIR05": "12345", "AIR06": "02", "AIR07": "Other", "AIR08": "Daughter", "AIR09": "Pharm", "AIR10": "Pat", "AIR11": "02",
    }  # fmt: skip
    assert list(segment.values) == [f"AIR{number:02d}" for number in range(3, 12)]


def test_what_is_not_known_is_empty() -> None:
    segment = AIRSegment.picking_up(CODES, relationship="self", person=None, pharmacist=None, document=None)
    assert segment.to_json() == {"AIR06": "01", "AIR11": "02"}
    bare = ShownDocument.from_json({"type": "LibraryCard", "jurisdiction": "US", "number": "1"})
    assert AIRSegment.picking_up(CODES, relationship="x", person=PersonName("A", "B"), pharmacist=None, document=bare).to_json() == {
        "AIR03": "US", "AIR04": "99", "AIR05": "1", "AIR06": "99", "AIR07": "A", "AIR08": "B", "AIR11": "02",
    }  # fmt: skip


def test_every_relationship_and_document_has_a_code_in_the_table_that_ships() -> None:
    assert all(source.seen_on for source in packaged_table("asap-air-codes").sources.values())
    assert CODES.codes["AIR06"].keys() >= RELATIONSHIPS
    assert CODES.codes["AIR04"].keys() >= DOCUMENT_TYPES


def test_a_pharmacys_own_codes() -> None:
    words = [("AIR04", "A", "Passport"), ("AIR06", "B", "self"), ("AIR11", "C", "x")]
    rows = [{"field": field, "code": code, "meaning": meaning} for field, code, meaning in words]
    codes = AIRCodes.of(table("asap-air-codes", *rows))
    assert (codes.code("AIR04", "Passport"), codes.code("AIR04", "DriversLicense")) == ("A", "")
    for place in range(3):
        with pytest.raises(FormatError):
            AIRCodes.of(table("asap-air-codes", *rows[:place], *rows[place + 1 :]))
    with pytest.raises(FormatError):
        AIRCodes.of(table("asap-air-codes", *rows, {"field": "AIR05", "code": "1", "meaning": "x"}))


@pytest.mark.parametrize(
    "value", [3, {}, {"type": "Passport", "jurisdiction": "US", "number": ""}, {"type": "P", "jurisdiction": "US", "number": "1", "name": 3}]
)
def test_what_is_no_document(value: object) -> None:
    with pytest.raises(FormatError):
        ShownDocument.from_json(value)


REASONS = packaged_override_reasons()


def test_reasons_of_overrides_are_codes_with_a_meaning() -> None:
    assert {"person_known", "no_network", "other"} <= set(REASONS)
    for code in REASONS:
        check_override(code, "", REASONS)
        check_override(code, "x" * MAX_OVERRIDE_NOTE_CHARACTERS, REASONS)


@pytest.mark.parametrize(
    ("reason", "note"),
    [("known here for years", ""), ("", ""), ("other", "x" * (MAX_OVERRIDE_NOTE_CHARACTERS + 1)), ("other", "two\nlines")],
    ids=["free_text", "none", "note_too_long", "note_of_two_lines"],
)
def test_a_reason_that_is_no_code_and_a_note_that_is_none(reason: str, note: str) -> None:
    with pytest.raises(FormatError) as refused:
        check_override(reason, note, REASONS)
    assert "years" not in str(refused.value)


@pytest.mark.parametrize(
    "rows",
    [[{"code": "Known", "meaning": "m"}], [{"meaning": "m"}], [{"code": "known"}], [{"code": "known", "meaning": "m"}] * 2],
    ids=["no_word", "no_code", "no_meaning", "twice"],
)
def test_reasons_with_a_fault(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(FormatError):
        override_reasons(table("override-reasons", *rows))
