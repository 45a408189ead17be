"""Bringing a board's register up to a file: for each row a licence is issued, issued anew, left as it is, or refused.

What the file does not say stays as it was issued: an empty cell erases nothing, and restrictions, board orders and the compact are the
board's own decisions, which no file changes. So the same file again does nothing. A revoked licence stays revoked, and one against which
something stands is not issued anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol

from did_health.errors import FormatError
from did_health.health.claim_types import claims_of
from did_health.health.claims import CredentialClaims
from did_health.health.fhir.rows import Imported, RowError
from did_health.health.license_state import LicenseState
from did_health.health.local_days import local_days
from did_health.health.physician_license import PhysicianLicense
from did_health.ledger.entry import Kind, subject_of
from did_health.limits import MAX_DOCUMENT_BYTES
from did_health.roles.evidence import Need
from did_health.roles.institution import Institution
from did_health.roles.issuer import Board, Issued
from did_health.roles.license_rules import Claims, LicenseRules
from did_health.roles.register import IssuedCredential
from did_health.trust.registry import ACTION_ISSUE, RegistryRecord, record_identifier
from did_health.vc.credential import Credential

License = Imported[CredentialClaims]


class RowOutcome(StrEnum):
    """What became of a row."""

    ISSUED = "issued"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    """Issued anew, under the same number to the same holder."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row; ``column``, ``problem`` and ``hint`` say why it was refused: where, what is wrong, what to do."""

    row: int
    outcome: RowOutcome
    number: str = ""
    credential: str = ""
    wallet: str = ""
    column: str = ""
    problem: str = ""
    hint: str = ""
    notes: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether nothing was done for the row because of what is in it."""
        return self.outcome is RowOutcome.REFUSED


class Holders(Protocol):
    """To whom licences are issued."""

    def knows(self, row: License) -> bool:
        """Whether there is a holder for a row; nothing is made yet. Raises ``FormatError`` if it cannot be told who it is."""

    def did(self, row: License) -> str:
        """The DID of the holder of a row that ``knows``; a wallet may be made for it, and is durable when this returns."""

    def keep(self, row: License, issued: Issued) -> None:
        """Put a credential that was issued for a row where its holder finds it; to do it twice is harmless."""

    def wallet(self, row: License) -> str:
        """The name of the holder's wallet; empty where there is none."""


@dataclass(frozen=True, slots=True)
class _Wanted(Generic[Claims]):
    """A row that is to be issued, or with ``replacing`` issued anew."""

    row: Imported[Claims]
    claims: Claims
    replacing: IssuedCredential | None


class LicenseImport(Generic[Claims]):
    """Imports windows of rows into ``board``, one after the other, and remembers by number which rows there were.

    ``rules`` are those of the kind of licence, with what the registry lets the board issue (see ``record_of``). With ``dry_run`` everything is judged and
    nothing is written.
    """

    def __init__(self, board: Board, rules: LicenseRules[Claims], holders: Holders, *, dry_run: bool = False) -> None:
        self._board, self._rules, self._holders, self._dry_run = board, rules, holders, dry_run
        self._rows: dict[str, int] = {}
        # Whose holders may not have them yet, because a crash came in between.
        self._last_batch = frozenset(board.last_issued())

    def run(self, window: Sequence[Imported[Claims] | RowError]) -> Iterator[RowResult]:
        """The results of some rows, in their order. What is issued is issued together; raises as ``Board.issue_many`` does."""
        numbers = [row.claims.number for row in window if not isinstance(row, RowError)]
        known = self._board.newest(self._rules.credential_type, numbers)
        revoked = self._board.revoked(list(known.values()))
        judged = [_refused_row(row) if isinstance(row, RowError) else self._judged(row, known, revoked) for row in window]
        done = {} if self._dry_run else self._carried_out([one for one in judged if isinstance(one, _Wanted)])
        for one in judged:
            if isinstance(one, RowResult):
                yield one
                continue
            outcome = RowOutcome.ISSUED if one.replacing is None else RowOutcome.CHANGED
            # By number: a row may have several licences, and each number is wanted once.
            credential = done[one.claims.number].id if one.claims.number in done else ""
            yield RowResult(one.row.row, outcome, one.claims.number, credential, self._holders.wallet(one.row), notes=notes_of(one.row))

    def _judged(self, row: Imported[Claims], known: Mapping[str, IssuedCredential], revoked: Collection[str]) -> RowResult | _Wanted[Claims]:
        number = row.claims.number
        try:
            # Another state's licences first: their numbers are none of this board's.
            row.claims.to_subject("did:example:holder", self._board.details)
            if (first := self._rows.get(number)) is not None:
                raise FormatError(f"the same licence number stands in row {first}", where="license_number", hint="Leave one of the two")
            self._rows[number] = row.row
            self._rules.require_possible(row.claims, local_days(self._board.details.jurisdiction).newest_day(self._board.institution.clock()))
            # Asked for those too who have a holder already, so that the same file is told the same again.
            has_holder = self._holders.knows(row)
            previous = known.get(number)
            if previous is not None:
                return self._of_known(row, previous, is_revoked=previous.id in revoked)
            if row.claims.valid_until <= self._board.institution.clock():
                raise FormatError("the licence has ended already", where="valid_until", hint="Give the end of the renewed licence, or leave the row out")
            if not has_holder:
                raise FormatError("nobody is named to whom the licence is issued", where="holder", hint="Name the holder's DID, or have wallets made")
        except FormatError as error:
            place = error.where.strip("/").replace("/", ".")
            return RowResult(row.row, RowOutcome.REFUSED, number, column=place, problem=error.what, hint=error.hint, notes=notes_of(row))
        return _Wanted(row, row.claims, None)

    def _of_known(self, row: Imported[Claims], previous: IssuedCredential, *, is_revoked: bool) -> RowResult | _Wanted[Claims]:
        if is_revoked:
            note = "it is revoked and stays so: a reinstatement is a new credential, which the board issues by itself"
            return self._unchanged(row, previous, (note,))
        merged, issued = self._merged(row, previous)
        if merged == issued:
            if previous.id in self._last_batch and not self._dry_run:
                self._holders.keep(row, Issued.of(previous))
            return self._unchanged(row, previous)
        if not self._rules.is_same_holder(row.claims, issued):
            raise FormatError(
                "this number was issued to somebody with another name and NPI", where="license_number", hint="Is it the right number? If so, revoke that first"
            )
        if row.holder and row.holder != previous.subject:
            raise FormatError("the licence is another holder's", where="holder", hint="See: did-health board replace-holder")
        if merged.valid_until <= self._board.institution.clock():
            raise FormatError("the licence has ended already, and says something else than before", where="valid_until", hint="Give the new end")
        if self._board.is_suspended(previous.id) or self._board.docket.state(previous.id) != LicenseState():
            raise FormatError(
                "something stands against the licence: it is not issued anew as it is", where="license_number", hint="See: did-health board docket"
            )
        return _Wanted(row, merged, previous)

    def _merged(self, row: Imported[Claims], previous: IssuedCredential) -> tuple[Claims, Claims]:
        """The claims that hold after the row, and those that were issued."""
        document = Credential.parse(previous.document)
        if document.valid_until is None:
            raise FormatError("what was issued under this number has no end: it was not issued by this library", where="license_number")
        issued = claims_of(previous.type, document.subjects[0], valid_until=document.valid_until)
        if not isinstance(issued, self._rules.claims):
            raise TypeError("the register gave a credential of another type than it was asked for")
        return self._rules.merged(row.claims, issued, row.unstated), issued

    def _unchanged(self, row: License, previous: IssuedCredential, notes: tuple[str, ...] = ()) -> RowResult:
        return RowResult(
            row.row, RowOutcome.UNCHANGED, row.claims.number, previous.id, self._holders.wallet(row), notes=(*notes_of(row), *notes)
        )

    def _carried_out(self, wanted: Sequence[_Wanted[Claims]]) -> dict[str, Issued]:
        """Issue what is wanted: holders first (nobody is licensed whose key is lost), then the batch, then each to its holder."""
        new, again = [one for one in wanted if one.replacing is None], [(one, one.replacing.id) for one in wanted if one.replacing is not None]
        done: dict[str, Issued] = {}
        issued = self._board.issue_many([(one.claims, self._holders.did(one.row)) for one in new])
        for one, credential in zip(new, issued, strict=True):
            self._holders.keep(one.row, credential)
            done[one.claims.number] = credential
        for (one, _), credential in zip(again, self._board.reissue_many([(old, one.claims) for one, old in again]), strict=True):
            self._holders.keep(one.row, credential)
            done[one.claims.number] = credential
        return done


def record_of(institution: Institution, authority: str, credential_type: str) -> RegistryRecord | None:
    """The newest record on an institution's ledger by which the registry authority lets it issue this type; ``None`` without one."""
    identifier = record_identifier(authority, institution.did, ACTION_ISSUE, credential_type)
    newest = institution.ledger.latest(subject_of(Kind.REGISTRY_RECORD, identifier))
    if newest is None:
        return None
    content = institution.ledger.fetch(Need(f"{institution.ledger.url}/content/{newest.parsed.content.hex()}", MAX_DOCUMENT_BYTES))
    return None if content is None else RegistryRecord.from_credential(Credential.parse(content))


def professions_of(institution: Institution, authority: str) -> frozenset[str]:
    """The professions that the registry authority lets an institution license; none without a record."""
    record = record_of(institution, authority, PhysicianLicense.credential_type)
    return frozenset() if record is None else frozenset(record.professions)


def notes_of(row: License) -> tuple[str, ...]:
    """The row's notes in sentences."""
    return tuple(f"{note.field}: {note.note}" for note in row.notes)


def _refused_row(row: RowError) -> RowResult:
    return RowResult(row.row, RowOutcome.REFUSED, column=row.field, problem=row.problem, hint=row.hint)
