"""What becomes of the rows of an import, in a register on disk; each test has numbers of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from did_health.health.fhir.practitioners import LicenseDefaults
from did_health.health.fhir.rows import Imported, RowError
from did_health.health.license_csv import read_licenses_csv
from did_health.health.physician_license import PhysicianLicense
from did_health.health.restrictions import Restriction
from did_health.roles.issuer import Board, Issued
from did_health.roles.license_import import License, LicenseImport, RowOutcome, RowResult, professions_of
from did_health.roles.license_rules import PhysicianRules
from tests.town import LATER, Town

MD = PhysicianRules(frozenset({"MD"}))


class Kept:
    """One holder for all; remembers what it was given."""

    def __init__(self, did: str) -> None:
        self._did, self.kept = did, list[str]()

    def knows(self, row: License) -> bool:
        return row.claims.number != "NOBODY"

    def did(self, row: License) -> str:
        return row.holder or self._did

    def keep(self, row: License, issued: Issued) -> None:
        self.kept.append(issued.id)

    def wallet(self, row: License) -> str:
        return ""


class Import:
    def __init__(self, town: Town) -> None:
        self.town, self.board, self.numbers = town, town.board, count(1)
        self.holders = Kept(town.wallet.did)
        self.defaults = LicenseDefaults(date(2020, 1, 1), LATER)

    def rows(self, *lines: str, header: str = "family,given,license_number") -> list[Imported[PhysicianLicense] | RowError]:
        return list(read_licenses_csv("\n".join((header, *lines)).encode(), defaults=self.defaults))

    def run(self, *lines: str, header: str = "family,given,license_number", dry_run: bool = False, board: Board | None = None) -> list[RowResult]:
        importing = LicenseImport(board or self.board, MD, self.holders, dry_run=dry_run)
        return list(importing.run(self.rows(*lines, header=header)))

    def number(self) -> str:
        return f"IMP-{next(self.numbers)}"

    def claims(self, result: RowResult) -> dict[str, Any]:
        found: dict[str, Any] = Issued.of(self.board.issued(result.credential)).credential["credentialSubject"]
        return found


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Import]:
    town = Town(Path(tmp_path_factory.mktemp("imports")), seed="imports")
    yield Import(town)
    town.close()


def test_the_same_rows_again_issue_nothing(imports: Import) -> None:
    lines = [f"Adams,Ann,{imports.number()}", f"Baker,Bo,{imports.number()}"]
    first, again = imports.run(*lines), imports.run(*lines)
    assert [one.outcome for one in first] == [RowOutcome.ISSUED] * 2
    assert [(one.outcome, one.credential) for one in again] == [(RowOutcome.UNCHANGED, one.credential) for one in first]
    # Other defaults on another day change nothing either.
    imports.defaults = LicenseDefaults(date(2021, 1, 1), LATER + timedelta(days=9))
    assert [one.outcome for one in imports.run(*lines)] == [RowOutcome.UNCHANGED] * 2


def test_what_has_changed_is_issued_anew_to_the_same_holder(imports: Import) -> None:
    number = imports.number()
    (first,) = imports.run(f"Adams,Ann,{number},1234567893", header="family,given,license_number,npi")
    (married,) = imports.run(f"Adams-Baker,Ann,{number},", header="family,given,license_number,npi")
    assert (married.outcome, married.credential != first.credential) == (RowOutcome.CHANGED, True)
    # An empty cell erases nothing.
    assert imports.claims(married)["npi"] == "1234567893"
    assert imports.board.issued(married.credential).subject == imports.board.issued(first.credential).subject
    assert imports.holders.kept[-1] == married.credential
    (again,) = imports.run(f"Adams-Baker,Ann,{number}")
    assert again.outcome is RowOutcome.UNCHANGED


def test_the_boards_own_restrictions_stay(imports: Import) -> None:
    number = imports.number()
    (first,) = imports.run(f"Adams,Ann,{number}")
    rule = Restriction("no_schedule_2", "No Schedule II drugs", date(2026, 1, 1))
    claims = PhysicianLicense.from_subject(imports.claims(first), valid_until=imports.defaults.valid_until)
    imports.board.reissue(first.credential, type(claims)(**{**{name: getattr(claims, name) for name in claims.__slots__}, "restrictions": (rule,)}))
    (same,) = imports.run(f"Adams,Ann,{number}")
    assert same.outcome is RowOutcome.UNCHANGED
    (changed,) = imports.run(f"Adams,Anna,{number}")
    assert imports.claims(changed)["restrictions"][0]["code"] == "no_schedule_2"


def test_revoked_stays_revoked_and_suspended_is_not_issued_anew(imports: Import) -> None:
    numbers = imports.number(), imports.number()
    revoked, suspended = imports.run(*(f"Adams,Ann,{number}" for number in numbers))
    imports.board.revoke(revoked.credential, reason="an order")
    imports.board.suspend(suspended.credential, reason="an order")
    same = imports.run(*(f"Adams,Ann,{number}" for number in numbers))
    assert [one.outcome for one in same] == [RowOutcome.UNCHANGED] * 2
    assert "stays so" in same[0].notes[0]
    first, second = imports.run(*(f"Adams,Anna,{number}" for number in numbers))
    assert first.outcome is RowOutcome.UNCHANGED
    assert (second.outcome, second.column) == (RowOutcome.REFUSED, "license_number")
    assert "stands against" in second.problem


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ("Adams,Ann,{},DO,,,", "profession", "DO"),
        ("Adams,Ann,{},MD,1890-01-01,,", "original_issue_date", "first"),
        ("Adams,Ann,{},MD,2027-01-01,,", "original_issue_date", "first"),
        ("Adams,Ann,{},MD,2010-01-01,2011-01-01,", "valid_until", "ended"),
        ("Adams,Ann,{},MD,,,US-VA", "jurisdiction", "US-VA"),
        ("Adams,Ann,NOBODY,MD,,,", "holder", "nobody"),
    ],
)
def test_what_a_board_cannot_state_is_refused(imports: Import, cells: str, column: str, words: str) -> None:
    header = "family,given,license_number,profession,issue_date,expires,state"
    (result,) = imports.run(cells.format(imports.number()), header=header)
    assert (result.outcome, result.column, result.refused) == (RowOutcome.REFUSED, column, True)
    assert words in result.problem
    assert result.hint


def test_a_known_number_of_somebody_else_is_refused(imports: Import) -> None:
    number = imports.number()
    header = "family,given,license_number,npi,holder,expires"
    imports.run(f"Adams,Ann,{number},1234567893,,", header=header)
    (other,) = imports.run(f"Adams,Ann,{number},1245319599,,", header=header)
    assert "somebody" in other.problem
    (other,) = imports.run(f"Baker,Bo,{number},,,", header=header)
    assert "somebody" in other.problem
    (moved,) = imports.run(f"Adams,Anna,{number},,{imports.town.stranger.did},", header=header)
    assert (moved.column, moved.outcome) == ("holder", RowOutcome.REFUSED)
    (ended,) = imports.run(f"Adams,Anna,{number},,,2021-01-01", header=header)
    assert (ended.column, ended.outcome) == ("valid_until", RowOutcome.REFUSED)


def test_a_number_stands_once_in_a_file_also_across_windows(imports: Import) -> None:
    number = imports.number()
    importing = LicenseImport(imports.board, MD, imports.holders)
    (first,) = importing.run(imports.rows(f"Adams,Ann,{number}"))
    bad, second = importing.run([RowError(7, "npi", "wrong", "correct it"), *imports.rows("", f"Adams,Anna,{number}")])
    assert first.outcome is RowOutcome.ISSUED
    assert (bad.row, bad.column, bad.problem, bad.hint) == (7, "npi", "wrong", "correct it")
    assert (second.outcome, second.column) == (RowOutcome.REFUSED, "license_number")
    assert "row 2" in second.problem


def test_a_rehearsal_writes_nothing(imports: Import) -> None:
    number = imports.number()
    before = len(list(imports.board.all()))
    (result,) = imports.run(f"Adams,Ann,{number}", dry_run=True)
    assert (result.outcome, result.credential) == (RowOutcome.ISSUED, "")
    imports.run(f"Adams,Ann,{number}")
    (result,) = imports.run(f"Adams,Anna,{number}", dry_run=True)
    assert (result.outcome, result.credential) == (RowOutcome.CHANGED, "")
    assert len(list(imports.board.all())) == before + 1


def test_what_the_registry_says_of_a_board(imports: Import) -> None:
    authority = imports.town.directory.policy.registry_authority
    assert professions_of(imports.board.institution, authority) == {"MD", "DO"}
    assert professions_of(imports.board.institution, imports.board.did) == frozenset()


def test_notes_come_along(imports: Import) -> None:
    from did_health.health.fhir.rows import RowNote

    (row,) = imports.rows(f"Adams,Ann,{imports.number()}")
    assert isinstance(row, Imported)
    noted = Imported(row.row, "", row.claims, (RowNote(2, "npi", "was looked at"),), row.unstated)
    (result,) = LicenseImport(imports.board, MD, imports.holders).run([noted])
    assert result.notes == ("npi: was looked at",)
