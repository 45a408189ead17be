"""Whatever rows a table has, reading it gives rules or ``FormatError``; and what agrees never weighs more than all categories together."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError
from did_health.health.assurance import Assurance
from did_health.health.dated_tables import DatedTable
from did_health.health.identity_matching import MatchRules, Stated, packaged_rules
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_name import PersonName

WORDS = st.sampled_from(["assurance", "category", "attribute", "match", "name", "birth_date", "IAL2", "NIST", "x"])
VALUES = WORDS | st.integers(-1, 9) | st.none() | st.booleans() | st.lists(WORDS, max_size=1)
MEMBERS = st.sampled_from(["kind", "framework", "level", "rank", "category", "most", "attribute", "weight", "match", "assurance"])
ROWS = st.lists(st.dictionaries(MEMBERS, VALUES, max_size=6), max_size=5)
TEXTS = st.text(min_size=1, max_size=12).map(str.strip).filter(bool)


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_a_table_is_read_or_refused(rows: list[dict[str, Any]]) -> None:
    table = {"table": "t", "compiledOn": "2026-01-01", "sources": {"a": {"title": "A", "url": "https://a.example"}}, "rows": rows}
    for row in rows:
        row["source"] = "a"
    with suppress(FormatError):
        MatchRules.of(DatedTable.parse(json.dumps(table).encode()))


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS, st.dates(date(1900, 1, 1), date(2020, 1, 1)), st.text(max_size=30), st.text(max_size=30))
def test_anything_can_be_stated(family: str, given_name: str, born: date, phone: str, email: str) -> None:
    assurance = Assurance("HL7", "IDIAL1.8", date(2026, 1, 1), "in_person")
    identity = PatientIdentity(
        name=PersonName("Brook", "Ada"), birth_date=date(1971, 8, 14), assurance=assurance, valid_until=datetime(2028, 1, 1, tzinfo=UTC),
        phone="555-555-0100", email="ada@mail.example",
    )  # fmt: skip
    try:
        name = PersonName(family, given_name)
    except FormatError:
        name = None  # one that no document could bear
    stated = Stated(name=name, birth_date=born, phone=phone, email=email)
    found = packaged_rules(today=date(2026, 12, 1)).weigh(identity, stated, now=datetime(2026, 2, 1, tzinfo=UTC))
    assert 0 <= found.weight <= 20
    assert not set(found.agreeing) & set(found.differing)
    assert not (found.levels and found.differing)
