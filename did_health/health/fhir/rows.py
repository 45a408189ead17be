"""What an import says about each row of its input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from did_health.errors import FormatError

Claims_co = TypeVar("Claims_co", covariant=True)


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that was skipped: the ``field`` in FHIR's words (``identifier[0].value``; empty for the row as a whole), the problem, and what to do.

    ``row`` counts from 1: lines of NDJSON (empty ones included), entries of a Bundle. No value of the row is repeated.
    """

    row: int
    field: str
    problem: str
    hint: str = ""

    @classmethod
    def of(cls, row: int, error: FormatError) -> RowError:
        """The row error that ``error`` amounts to."""
        return cls(row, error.where.strip("/").replace("/", "."), error.what, error.hint)

    def __str__(self) -> str:
        place = f" ({self.field})" if self.field else ""
        advice = f". {self.hint}" if self.hint else ""
        return f"row {self.row}{place}: {self.problem}{advice}"


@dataclass(frozen=True, slots=True)
class RowNote:
    """Something about a row that was taken all the same: what was replaced, left out, or needs a person's eye."""

    row: int
    field: str
    note: str

    def __str__(self) -> str:
        return f"row {self.row} ({self.field}): {self.note}"


@dataclass(frozen=True, slots=True)
class Imported(Generic[Claims_co]):
    """Claims made from a row. ``resource_id`` is FHIR's id of the resource: for finding it again, never for a credential.

    ``unstated`` names the members of the claims that the row does not say, so that a default stands there; ``holder`` is the DID that the row
    names, empty for none.
    """

    row: int
    resource_id: str
    claims: Claims_co
    notes: tuple[RowNote, ...] = ()
    unstated: frozenset[str] = frozenset()
    holder: str = ""
