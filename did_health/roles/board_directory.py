"""A board's public directory: how its answers look, and where each licence is.

Every public credential has a URL of its own, below its issuer's, which serves it with its issuance receipt::

    https://ledger.example/nc-medical/licenses/0b7c….json        {"credential": {…}, "issuanceReceipt": {…}}

A look-up is answered by what matches, newest first, and by the evidence with which a verifier judges it without asking anybody else::

    {"format": "did-health/board-directory/v1", "issuer": "did:webvh:…",
     "results": [{"state": "active", "inForce": true, "location": "https://…", "credential": {…}, "issuanceReceipt": {…}}],
     "next": "17", "evidence": {…}}

Nothing in an answer has to be believed: ``state`` is the board's own word, and verification finds out what holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import fields
from did_health.health.public_listing import PUBLIC_TYPES, Lookup
from did_health.limits import MAX_DIRECTORY_BYTES, MAX_DIRECTORY_RESULTS, MAX_DOCUMENT_BYTES
from did_health.roles.evidence import Evidence, Need
from did_health.roles.institution import Institution
from did_health.roles.issuer import Board, Issued
from did_health.roles.register import IssuedCredential, Register
from did_health.roles.register_states import states

FORMAT: Final = "did-health/board-directory/v1"
LICENSES: Final = "licenses"
_AT_ONCE: Final = 500
_URN: Final = "urn:uuid:"
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CURSOR: Final = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One public credential in an answer, not verified. ``state`` is the board's word; not ``in_force`` is one revoked or issued anew."""

    issued: Issued = field(repr=False)
    location: str
    state: str
    in_force: bool

    def to_object(self) -> JSONObject:
        """The entry as JSON."""
        members = {"state": self.state, "inForce": self.in_force, "location": self.location}
        return {**members, "credential": self.issued.credential, "issuanceReceipt": self.issued.receipt}

    @classmethod
    def from_object(cls, value: object, where: str) -> DirectoryEntry:
        """Read what ``to_object`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, where, "entry of a directory")
        credential = fields.json_object(document.get("credential"), f"{where}/credential", "credential")
        receipt = fields.json_object(document.get("issuanceReceipt"), f"{where}/issuanceReceipt", "issuance receipt")
        state, in_force, location = (document.get(name) for name in ("state", "inForce", "location"))
        if not isinstance(state, str) or type(in_force) is not bool or not isinstance(location, str):
            raise FormatError("an entry of the directory is malformed", where=where)
        return cls(Issued(credential, receipt), location, state, in_force)


@dataclass(frozen=True, slots=True)
class DirectoryAnswer:
    """What a directory says to one look-up. ``after`` asks for the next page, and is empty on the last; ``evidence`` is ``None`` if none came."""

    issuer: str
    entries: tuple[DirectoryEntry, ...]
    after: str = ""
    evidence: Evidence | None = None

    def to_json(self) -> bytes:
        """The answer as it is sent."""
        document: JSONObject = {"format": FORMAT, "issuer": self.issuer, "results": [entry.to_object() for entry in self.entries]}
        if self.after:
            document["next"] = self.after
        if self.evidence is not None:
            document["evidence"] = self.evidence.to_object()
        return strict_json.dumps(document)

    @classmethod
    def parse(cls, data: bytes) -> DirectoryAnswer:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = strict_json.loads_object(data, what="directory's answer", max_bytes=MAX_DIRECTORY_BYTES)
        results, issuer, after = document.get("results"), document.get("issuer"), document.get("next", "")
        if document.get("format") != FORMAT or not isinstance(issuer, str) or not isinstance(results, list) or not isinstance(after, str):
            raise FormatError("this is no answer of a board's directory", hint="Give the URL of a directory, as did-health serve board prints it")
        if len(results) > MAX_DIRECTORY_RESULTS:
            raise FormatError(f"the answer has more than {MAX_DIRECTORY_RESULTS} results", where="/results")
        evidence = document.get("evidence")
        return cls(
            issuer,
            tuple(DirectoryEntry.from_object(one, f"/results/{place}") for place, one in enumerate(results)),
            cursor(after) if after else "",
            None if evidence is None else Evidence.from_object(fields.json_object(evidence, "/evidence", "evidence")),
        )


class BoardDirectory:
    """Answers look-ups from a register. ``base_url`` is that below which the issuer publishes; no key is needed.

    ``gather`` gives the evidence for credentials; without it answers have none. As safe for threads as the register is.
    """

    def __init__(self, issuer: str, base_url: str, register: Register, gather: Callable[[list[bytes]], Evidence] | None = None) -> None:
        self.issuer, self.base_url = issuer, base_url
        self._register, self._gather = register, gather

    @classmethod
    def of(cls, board: Board, gather: Callable[[list[bytes]], Evidence] | None = None) -> BoardDirectory:
        """The directory of a board at hand, in its own process."""
        return cls(board.did, board.institution.base_url, board._register, gather)

    def look_up(self, lookup: Lookup, *, after: str = "", limit: int = MAX_DIRECTORY_RESULTS, with_evidence: bool = True) -> DirectoryAnswer:
        """What is listed, newest first, ``limit`` at most. Raises ``FormatError`` for a cursor that is none, ``StoreError``."""
        before = int(cursor(after)) if after else None
        if not 1 <= limit <= MAX_DIRECTORY_RESULTS:
            raise FormatError(f"a page has 1 to {MAX_DIRECTORY_RESULTS} results", where="limit")
        found = self._register.listed(self.issuer, lookup, before=before, limit=limit + 1)
        page, state_of = found[:limit], states(self._register)
        entries = []
        for one in page:
            row, state = one.credential, state_of(one.credential)
            superseded = not one.in_force and state != "revoked"
            entries.append(DirectoryEntry(Issued.of(row), location_of(self.base_url, row.id), "superseded" if superseded else state, one.in_force))
        evidence = None
        if with_evidence and self._gather is not None and page:
            evidence = self._gather([entry.issued.to_json() for entry in entries])
        return DirectoryAnswer(self.issuer, tuple(entries), str(page[-1].position) if len(found) > limit else "", evidence)

    def license(self, name: str) -> bytes | None:
        """The document of the credential that is served as ``licenses/<name>``; ``None`` if there is none, or it is not public."""
        uuid, dot, extension = name.partition(".")
        if dot + extension != ".json" or not _UUID.fullmatch(uuid):
            return None
        row = self._register.public(self.issuer, _URN + uuid)
        return None if row is None else Issued.of(row).to_json()


def publish_public(board: Board) -> Iterator[str]:
    """Have the board's ledger serve every public credential that the board issued at its own URL, in the order of issuing; yields the URLs.

    To do it again changes nothing. Raises ``StoreError``, ``TransportError``.
    """
    rows = board.all()
    while window := list(islice(rows, _AT_ONCE)):
        yield from publish_issued(board.institution, window)


def publish_issued(institution: Institution, rows: Sequence[IssuedCredential]) -> Sequence[str]:
    """As ``publish_public``, those of ``rows`` that are public; gives their URLs."""
    found = {location_of(institution.base_url, row.id): Issued.of(row).to_json() for row in rows if row.type in PUBLIC_TYPES}
    urls = list(found)
    for start in range(0, len(urls), _AT_ONCE):
        institution.ledger.publish_all({url: found[url] for url in urls[start : start + _AT_ONCE]})
    return urls


def publish_left_out(board: Board) -> None:
    """As ``publish_issued``, what was issued last if a crash has come before its publishing. Raises ``StoreError``, ``TransportError``."""
    newest = next((row for row in map(board.issued, board.last_issued()) if row.type in PUBLIC_TYPES), None)
    if newest is None:
        return
    # They are published in the order of issuing: if the last one is there, all are.
    if board.institution.ledger.fetch(Need(location_of(board.institution.base_url, newest.id), MAX_DOCUMENT_BYTES)) is None:
        publish_issued(board.institution, [board.issued(one) for one in reversed(board.last_issued())])


def location_of(base_url: str, credential_id: str) -> str:
    """The URL that serves a credential with this id (``urn:uuid:…``) of the issuer that publishes below ``base_url``.

    It is what ``compact.location`` and a letter's ``spl.location`` say. Raises ``FormatError`` for another kind of id.
    """
    uuid = credential_id.removeprefix(_URN)
    if not _UUID.fullmatch(uuid) or uuid == credential_id:
        raise FormatError("the credential's id is no random UUID, so nothing serves it", where="/id")
    return f"{base_url.rstrip('/')}/{LICENSES}/{uuid}.json"


def cursor(text: str) -> str:
    """``text`` if it is a cursor of a directory; raises ``FormatError``."""
    if not _CURSOR.fullmatch(text):
        raise FormatError("this is no place to go on from", where="after", hint="Take it from next in the answer before")
    return text

