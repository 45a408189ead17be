"""One row of a roster: a practitioner, and the licence to check; or why the row cannot be read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from did_health.did.did import DID
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import fields, jurisdictions, npi
from did_health.health.physician_license import MAX_LICENSE_NUMBER

ROW_MALFORMED: Final = "row_malformed"


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A practitioner's name, and what tells which licence is meant: an NPI, a licence number (with its state or board), or the credential itself.

    ``row`` counts as the file does (see the readers). ``state`` is a code (``US-NC``), ``board`` a DID, ``credential`` the credential's text, its
    https URL, or the path of a file; all but the name may be empty, and not all at once. Raises ``FormatError`` that names the column.
    """

    row: int
    # Who somebody is stays out of logs and tracebacks.
    family: str = field(repr=False)
    given: str = field(repr=False)
    npi: str = field(default="", repr=False)
    license_number: str = field(default="", repr=False)
    state: str = ""
    board: str = ""
    credential: str = field(default="", repr=False)
    _key: str = ""

    def __post_init__(self) -> None:
        fields.text(self.family, "family", "family name")
        fields.text(self.given, "given", "given name")
        if self.npi:
            npi.check(self.npi, "npi")
        if self.license_number:
            fields.text(self.license_number, "license_number", "licence number", longest=MAX_LICENSE_NUMBER)
        if self.state:
            jurisdictions.check(self.state, "state")
        if self.board:
            _check_board(self.board)
        if not (self.npi or self.license_number or self.credential):
            raise FormatError("nothing tells which licence is meant", where="license_number", hint="Give an NPI, a licence number, or the credential")
        if self.license_number and not (self.npi or self.state or self.board or self.credential):
            raise FormatError("a licence number alone is nobody's: each board has its own", where="state", hint="Give the state, as NC, or the board's DID")

    @classmethod
    def restored(cls, row: int, key: str, family: str, given: str, npi: str, license_number: str, state: str, board: str) -> RosterRow:
        """A row that was checked before, without its credential; ``key`` is what it had with it."""
        self = object.__new__(cls)
        for assign, value in zip(_SLOTS, (row, family, given, npi, license_number, state, board, "", key), strict=True):
            assign(self, value)
        return self

    @property
    def key(self) -> str:
        """What is checked here, whichever row it stands in: by it two reports are compared. It tells nothing that the row's columns do not."""
        if self._key:
            return self._key
        if self.npi or self.license_number:
            return "|".join((self.npi, self.state, self.board, self.license_number))
        digest = hashlib.sha256("\n".join((self.credential, self.family, self.given)).encode(errors="surrogatepass"))
        return f"credential {digest.hexdigest()[:32]}"

    def to_json(self) -> JSONObject:
        """The row without its credential; ``from_json`` reads it again."""
        members = {"npi": self.npi, "licenseNumber": self.license_number, "state": self.state, "board": self.board}
        return {"row": self.row, "key": self.key, "family": self.family, "given": self.given} | {name: value for name, value in members.items() if value}


# A frozen dataclass can be filled only like this; its slots are quicker than object.__setattr__, and there are many rows.
_SLOTS: Final = tuple(
    RosterRow.__dict__[name].__set__ for name in ("row", "family", "given", "npi", "license_number", "state", "board", "credential", "_key")
)


@dataclass(frozen=True, slots=True)
class RosterFault:
    """A row that cannot be read: the ``column`` (empty: the row as a whole), what is wrong, and what would be right. No value is repeated."""

    row: int
    column: str
    problem: str
    hint: str = ""

    @classmethod
    def of(cls, row: int, error: FormatError) -> RosterFault:
        """The fault that ``error`` amounts to."""
        return cls(row, error.where, error.what, error.hint)


def checked_row(row: int, columns: Mapping[str, str]) -> RosterRow | RosterFault:
    """The row of these texts, by the names of ``RosterRow``; spaces do not matter, and a state may be written as ``NC`` or in full."""
    texts = {name: " ".join(text.split()) if name != "credential" else text.strip() for name, text in columns.items()}
    try:
        if state := texts.get("state", ""):
            texts["state"] = _state(state)
        return RosterRow(
            row,
            texts.get("family", ""),
            texts.get("given", ""),
            texts.get("npi", ""),
            texts.get("license_number", ""),
            texts.get("state", ""),
            texts.get("board", ""),
            texts.get("credential", ""),
        )
    except FormatError as error:
        return RosterFault.of(row, error)


def _state(text: str) -> str:
    if (code := jurisdictions.code_of(text)) is None:
        raise FormatError("not a US state or territory", where="state", hint="Write it as NC, US-NC or North Carolina")
    return code


def _check_board(board: str) -> None:
    try:
        DID.parse(board)
    except FormatError as error:
        raise FormatError("the board is not a DID", where="board", hint="Write it as did:webvh:…, or leave it empty and give the state") from error
