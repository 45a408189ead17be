"""The public directory's index, on every kind of database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from did_health.encoding import strict_json
from did_health.health.public_listing import Lookup
from did_health.roles.register import IssuedCredential, Register
from did_health.stores.database import Database
from did_health.stores.register_store import SQLRegister
from tests.contract.test_migrations import VERSION_1
from tests.contract.test_stores import BOARD, credential

NPI = "1234567893"


@pytest.fixture
def register(database: Database) -> Register:
    return SQLRegister(database)


def licensed(place: int, /, family: str, given: str = "Ann", npi: str = "", **changes: object) -> IssuedCredential:
    subject = {"name": {"family": family, "given": given}} | ({"npi": npi} if npi else {})
    return credential(place, document=strict_json.dumps({"credentialSubject": subject}), **changes)


def ids(register: Register, lookup: Lookup, **more: int) -> list[str]:
    return [one.credential.id.removeprefix("urn:uuid:") for one in register.listed(BOARD, lookup, **more)]


def test_public_credentials_are_found_by_npi_number_name_and_holder(register: Register) -> None:
    pharmacy = credential(4, type="PharmacyCredential", document=b'{"credentialSubject": {"name": "Adams Pharmacy", "npi": "1234567893"}}')
    register.add([licensed(1, "Adams", npi=NPI), licensed(2, "Núñez", "María José"), licensed(3, "Adamson", "Bo"), pharmacy])
    assert ids(register, Lookup(npi=NPI)) == ["4", "1"]
    assert ids(register, Lookup(npi=NPI, type="PhysicianLicenseCredential")) == ["1"]
    assert ids(register, Lookup(number="L-3")) == ["3"]
    assert ids(register, Lookup(name="ADAMS")) == ["4", "3", "1"]
    assert ids(register, Lookup(name="adams", given="a")) == ["1"]
    assert ids(register, Lookup(name="nunez", given="maria  JOSE")) == ["2"]
    assert ids(register, Lookup(holder="did:key:1")) == ["4", "1"]
    for lookup in (Lookup(npi="1245319599"), Lookup(number="L-9"), Lookup(name="ad%"), Lookup(name="a_ams"), Lookup(holder="did:key:9")):
        assert ids(register, lookup) == []
    assert register.listed("did:webvh:Qm:other", Lookup(npi=NPI)) == []


def test_patients_and_letters_are_never_listed(register: Register) -> None:
    private = [
        licensed(number, "Adams", npi=NPI, type=kind)
        for number, kind in enumerate(("PatientIdentityCredential", "LetterOfQualificationCredential", "BoardAccreditationCredential", "NewCredential"), 1)
    ]
    register.add(private)
    for lookup in (Lookup(npi=NPI), Lookup(name="adams"), Lookup(number="L-1"), Lookup(holder="did:key:1")):
        assert ids(register, lookup) == []
    assert [register.public(BOARD, one.id) for one in private] == [None] * 4


def test_a_document_that_cannot_be_read_is_found_by_its_number_alone(register: Register) -> None:
    register.add([credential(1, document=b"\xff no JSON")])
    assert ids(register, Lookup(number="L-1")) == ["1"]
    assert ids(register, Lookup(name="adams")) == []


def test_a_public_credential_by_its_id(register: Register) -> None:
    register.add([licensed(1, "Adams")])
    found = register.public(BOARD, "urn:uuid:1")
    assert found is not None
    assert found.number == "L-1"
    assert register.public("did:webvh:Qm:other", "urn:uuid:1") is None


def test_the_newest_come_first_and_page_by_page(register: Register) -> None:
    register.add([licensed(number, "Smith") for number in range(1, 8)])
    first = register.listed(BOARD, Lookup(name="smith"), limit=3)
    assert [one.credential.id for one in first] == ["urn:uuid:7", "urn:uuid:6", "urn:uuid:5"]
    assert ids(register, Lookup(name="smith"), before=first[-1].position, limit=10) == ["4", "3", "2", "1"]


def test_what_was_issued_anew_is_listed_as_not_in_force(register: Register) -> None:
    register.add([licensed(1, "Adams", number="L-1")])
    register.add([licensed(2, "Adams-Baker", number="L-1")], superseding=["urn:uuid:1"])
    assert [(one.credential.id, one.in_force) for one in register.listed(BOARD, Lookup(number="L-1"))] == [("urn:uuid:2", True), ("urn:uuid:1", False)]
    assert ids(register, Lookup(name="adams")) == ["2", "1"]


def test_the_newest_of_each_number(register: Register) -> None:
    register.add([credential(1), credential(2), credential(3, type="PharmacyCredential")])
    register.add([credential(4, number="L-1")], superseding=["urn:uuid:1"])
    found = register.newest(BOARD, "PhysicianLicenseCredential", ["L-1", "L-2", "L-3", "L-9", ""])
    assert {number: one.id for number, one in found.items()} == {"L-1": "urn:uuid:4", "L-2": "urn:uuid:2"}
    assert register.newest(BOARD, "PhysicianLicenseCredential", []) == {}


def test_an_older_register_is_listed_when_it_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1.read_text())
    rows = [
        (1, "PhysicianLicenseCredential", licensed(1, "Núñez", npi=NPI).document),
        (2, "PatientIdentityCredential", licensed(2, "Núñez", npi=NPI).document),
        (3, "PhysicianLicenseCredential", b"\xff no JSON"),
    ]
    for number, kind, document in rows:
        connection.execute(
            "INSERT INTO credentials (id, issuer, type, subject, number, status_set, status_index, issued_at, document, receipt)"
            f" VALUES ('urn:uuid:{number}', '{BOARD}', '{kind}', 'did:key:z', 'L-{number}', 's', {number}, 1, ?, x'')",
            (document,),
        )
    connection.commit()
    connection.close()
    database = Database.open(path)
    register = SQLRegister(database)
    assert ids(register, Lookup(name="nunez")) == ids(register, Lookup(npi=NPI)) == ["1"]
    assert ids(register, Lookup(number="L-3")) == ["3"]
    assert ids(register, Lookup(number="L-2")) == []
    database.close()
