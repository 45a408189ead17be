"""A number belongs to at most one credential that is in force; a revocation frees it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from did_health.errors import ConflictError
from did_health.roles.register import IssuedCredential, StatusChange
from did_health.stores.database import Database
from did_health.stores.register_store import SQLRegister

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BOARD = "did:webvh:Qm:board.example"
TYPE = "PhysicianLicenseCredential"


@pytest.fixture
def register(tmp_path: Path) -> Iterator[SQLRegister]:
    database = Database.open(tmp_path / "register.sqlite")
    yield SQLRegister(database)
    database.close()


def row(name: str, number: str = "L-1") -> IssuedCredential:
    return IssuedCredential(f"urn:uuid:{name}", BOARD, TYPE, "did:key:z1", number, "https://board.example/status/1", ord(name[0]), NOW, b"{}", b"{}")


def change(name: str, purpose: str, value: int = 1) -> StatusChange:
    return StatusChange(f"urn:uuid:{name}", purpose, value, "an order", "", NOW, NOW)


def test_a_revocation_frees_the_number(register: SQLRegister) -> None:
    register.add([row("a")])
    assert register.numbers(BOARD, TYPE, ["L-1"]) == {"L-1"}
    register.change([change("a", "revocation")], ())
    assert register.numbers(BOARD, TYPE, ["L-1"]) == frozenset()
    register.add([row("b")])
    assert register.numbers(BOARD, TYPE, ["L-1"]) == {"L-1"}
    assert [found.id for found in register.find(BOARD, number="L-1")] == ["urn:uuid:b", "urn:uuid:a"]


def test_a_number_can_be_freed_again_and_again(register: SQLRegister) -> None:
    for name in "abc":
        register.add([row(name)])
        register.change([change(name, "revocation")], ())
        register.change([change(name, "revocation")], ())
    assert len(register.find(BOARD, number="L-1")) == 3


@pytest.mark.parametrize(("purpose", "value"), [("suspension", 1), ("message", 11), ("refresh", 1), ("revocation", 0)])
def test_nothing_but_a_revocation_frees_it(register: SQLRegister, purpose: str, value: int) -> None:
    register.add([row("a")])
    register.change([change("a", purpose, value)], ())
    with pytest.raises(ConflictError):
        register.add([row("b")])
    assert register.get("urn:uuid:b") is None


def test_the_same_number_twice_in_one_addition_is_refused(register: SQLRegister) -> None:
    register.add([row("a")])
    register.change([change("a", "revocation")], ())
    with pytest.raises(ConflictError):
        register.add([row("b"), row("c")])
    assert register.get("urn:uuid:b") is None
