"""HL7 Identity Matching: what agrees is weighed, categories are capped, and a level takes weight and assurance both."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from did_health.errors import FormatError, VerificationError
from did_health.health.address import Address
from did_health.health.assurance import Assurance
from did_health.health.dated_tables import DatedTable, packaged_table
from did_health.health.identity_document import IdentityDocument
from did_health.health.identity_matching import TABLE, MatchRules, MatchWeight, Stated, packaged_rules
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_name import PersonName

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOME = Address(("1 Test Street", "Apt 2"), "Raleigh", "US-NC", "27601", "US")
IDENTITY = PatientIdentity(
    name=PersonName("Peña-Brook", "Ada Marie"),
    birth_date=date(1971, 8, 14),
    assurance=Assurance("HL7 Identity Matching", "IDIAL1.8", date(2026, 1, 1), "in_person"),
    valid_until=datetime(2028, 1, 1, tzinfo=UTC),
    address=HOME,
    phone="+1 (555) 555-0100",
    email="Ada@mail.example",
    portrait_digest="uABCDEFGHIJKLMNOPQRSTUVWXYZ",
    id_document=IdentityDocument("DriversLicense", "US-NC", "4821"),
    digital_identifier="urn:uuid:5d2b1f5e-4f0c-4a93-9a55-2f1a0e9b8f11",
)
NAME = {"name": PersonName("pena brook", "ADA MARIE")}
BIRTH = {"birth_date": date(1971, 8, 14)}
PHONE = {"phone": "555.555.0100"}
EMAIL = {"email": "ada@MAIL.example"}
ADDRESS = {"address": Address(("1 test street apt 2",), postal_code="27601-1234")}
DOCUMENT = {"id_document": IdentityDocument("DriversLicense", "US-NC", "4821")}
PORTRAIT = {"portrait_digest": IDENTITY.portrait_digest}
IDENTIFIER = {"digital_identifier": IDENTITY.digital_identifier}


def weigh(identity: PatientIdentity = IDENTITY, now: datetime = NOW, **stated: Any) -> MatchWeight:
    return packaged_rules(today=NOW.date()).weigh(identity, Stated(**stated), now=now)


@pytest.mark.parametrize(
    ("stated", "weight", "levels"),
    [
        ({}, 0, ()),
        (NAME, 3, ()),
        (BIRTH, 2, ()),
        (NAME | BIRTH, 5, ()),
        (NAME | BIRTH | PHONE, 9, ("L0",)),
        (NAME | BIRTH | PHONE | EMAIL, 10, ("L0", "L1")),
        (NAME | BIRTH | PHONE | EMAIL | ADDRESS | DOCUMENT | PORTRAIT, 10, ("L0", "L1")),
        (NAME | BIRTH | ADDRESS, 9, ("L0",)),
        (NAME | BIRTH | IDENTIFIER, 10, ("L0", "L1")),
        (NAME | IDENTIFIER, 8, ()),
        (NAME | IDENTIFIER | DOCUMENT, 12, ("L0", "L1")),
    ],
)
def test_what_agrees_is_weighed_and_each_category_capped(stated: dict[str, Any], weight: int, levels: tuple[str, ...]) -> None:
    found = weigh(**stated)
    assert (found.weight, found.levels, found.differing) == (weight, levels, ())
    assert len(found.agreeing) == len(stated)


@pytest.mark.parametrize(
    ("framework", "level", "levels"),
    [
        ("HL7", "IDIAL1", ()),
        ("HL7 Identity Matching", "IDIAL1.4", ()),
        ("HL7 Identity Matching", "IDIAL1.5", ("L0",)),
        ("HL7 Identity Matching", "IDIAL1.6", ("L0",)),
        ("HL7 Identity Matching", "IDIAL1.8", ("L0", "L1")),
        ("HL7 Identity Matching", "IDIAL2", ("L0", "L1", "L2")),
        ("NIST 800-63A-4", "IAL2", ("L0", "L1", "L2")),
        ("NIST 800-63A-4", "IAL1", ()),
        ("Somebody", "IAL2", ()),
        ("HL7", "IDIAL9", ()),
    ],
)
def test_a_level_takes_the_assurance_too_and_an_unknown_one_reaches_none(framework: str, level: str, levels: tuple[str, ...]) -> None:
    identity = replace(IDENTITY, assurance=Assurance(framework, level, date(2026, 1, 1), "in_person"))
    found = weigh(identity, **NAME, **BIRTH, **IDENTIFIER)
    assert (found.weight, found.levels) == (10, levels)


@pytest.mark.parametrize(
    ("stated", "differs"),
    [
        ({"birth_date": date(1971, 8, 15)}, "birth_date"),
        ({"name": PersonName("Brook", "Ada Marie")}, "name"),
        ({"name": PersonName("Peña-Brook", "Bea")}, "name"),
        ({"phone": "555-555-0101"}, "phone"),
        ({"email": "bea@mail.example"}, "email"),
        ({"address": replace(HOME, postal_code="27602")}, "address"),
        ({"address": replace(HOME, lines=("2 Test Street",))}, "address"),
        ({"address": replace(HOME, postal_code="", city="Durham")}, "address"),
        ({"id_document": IdentityDocument("DriversLicense", "US-NC", "4822")}, "document_last4"),
        ({"portrait_digest": "uZZZZZZZZZZZZZZZZZZZZZZZZZZ"}, "portrait"),
        ({"digital_identifier": "urn:uuid:0"}, "digital_identifier"),
    ],
)
def test_one_thing_that_differs_leaves_no_level(stated: dict[str, Any], differs: str) -> None:
    found = weigh(**(NAME | BIRTH | PHONE | EMAIL | IDENTIFIER | stated))
    assert (found.differing, found.levels) == ((differs,), ())


@pytest.mark.parametrize(
    "stated",
    [
        {"address": Address(("1 Test Street",))},
        {"address": replace(HOME, lines=())},
        {"id_document": IdentityDocument("Passport", "US", "4821")},
        {"id_document": IdentityDocument("DriversLicense", "US-NC")},
        {"phone": "unlisted"},
    ],
)
def test_what_cannot_be_compared_neither_agrees_nor_differs(stated: dict[str, Any]) -> None:
    assert weigh(**stated) == MatchWeight(0, (), (), ())


def test_an_address_agrees_by_city_and_state_where_there_is_no_zip() -> None:
    assert weigh(address=replace(HOME, postal_code="", city="RALEIGH")).agreeing == ("address",)


def test_an_expired_proofing_reaches_no_level() -> None:
    stated = NAME | BIRTH | IDENTIFIER
    # The last day is over in American Samoa at 11:00 UTC.
    assert weigh(now=datetime(2029, 1, 2, 10, 59, tzinfo=UTC), **stated).levels == ("L0", "L1")
    assert weigh(now=datetime(2029, 1, 2, 11, tzinfo=UTC), **stated) == replace(weigh(**stated), levels=())


def test_an_identity_without_an_attribute_is_not_contradicted_by_it() -> None:
    bare = replace(IDENTITY, address=None, phone="", email="", portrait_digest="", id_document=None, digital_identifier="")
    found = weigh(bare, **NAME, **BIRTH, **PHONE, **EMAIL, **ADDRESS, **DOCUMENT, **PORTRAIT, **IDENTIFIER)
    assert (found.weight, found.differing) == (5, ())


# ---- the table


def test_every_row_of_the_table_has_a_source_and_none_is_left_over() -> None:
    table = packaged_table(TABLE)
    assert {row["kind"] for row in table.rows} == {"assurance", "category", "attribute", "match"}
    assert len({json.dumps(dict(row), sort_keys=True) for row in table.rows}) == len(table.rows)
    assert packaged_rules(today=NOW.date()).rank(IDENTITY.assurance) == 18


ROWS: list[dict[str, Any]] = [dict(row) for row in packaged_table(TABLE).rows]


def rules(rows: list[dict[str, Any]]) -> MatchRules:
    document = {"table": "t", "compiledOn": "2026-01-01", "sources": {"a": {"title": "A", "url": "https://a.example"}}}
    return MatchRules.of(DatedTable.parse(json.dumps({**document, "rows": [{**row, "source": "a"} for row in rows]}).encode()))


def test_a_later_table_changes_the_weights_without_any_code() -> None:
    changes = {"attribute": {"weight": 4}, "category": {"most": 4}}
    rows = [{**row, **changes[row["kind"]]} if "name" in (row.get("attribute"), row.get("category")) else row for row in ROWS]
    assert rules(rows).weigh(IDENTITY, Stated(**NAME), now=NOW).weight == 4


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ({"kind": "planet"}, "/rows/0/kind"),
        ({}, "/rows/0/kind"),
        ({"kind": "assurance", "framework": "HL7", "level": "IDIAL1"}, "/rows/0/rank"),
        ({"kind": "assurance", "framework": "HL7", "level": "IDIAL1", "rank": "1"}, "/rows/0/rank"),
        ({"kind": "category", "category": "x", "most": 0}, "/rows/0/most"),
        ({"kind": "attribute", "attribute": "shoe_size", "category": "x", "weight": 1}, "/rows/0/attribute"),
        ({"kind": "attribute", "attribute": "name", "category": "x", "weight": 1}, "/rows"),
        ({"kind": "match", "match": "L0", "weight": 9, "assurance": "IDIAL7"}, "/rows/0/assurance"),
        ({"kind": "match", "match": "L0", "weight": True, "assurance": "IDIAL7"}, "/rows/0/weight"),
        ({"kind": 7}, "/rows/0/kind"),
    ],
)
def test_a_row_that_means_nothing_is_refused_by_its_place(row: dict[str, Any], where: str) -> None:
    with pytest.raises(FormatError) as caught:
        rules([row])
    assert caught.value.where == where


def test_rules_that_are_too_old_are_refused() -> None:
    with pytest.raises(VerificationError) as refused:
        packaged_rules(today=date(2029, 1, 1))
    assert refused.value.code == "table_stale"
    with pytest.raises(VerificationError):
        packaged_rules(today=date(2027, 1, 1), max_age=timedelta(days=7))
