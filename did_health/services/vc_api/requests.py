"""The requests of the VC-API as frozen types, parsed strictly; what is wrong is told with a JSON pointer into the body."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_REQUEST_ITEMS, MAX_SETTING_CHARACTERS
from did_health.vc.status import StatusEntry
from did_health.vc.status_list import MAX_STATUS_SIZE

PROOF: Final = "proof"
ISSUER: Final = "issuer"
VALIDITY: Final = "validity"
STATUS: Final = "credentialStatus"
SCHEMA: Final = "credentialSchema"
CHECKS: Final = (PROOF, ISSUER, VALIDITY, STATUS, SCHEMA)
"""What may be asked to be checked."""
DEFAULT_CHECKS: Final = (PROOF, ISSUER, VALIDITY, STATUS)
"""What is checked where a request does not say. A schema is checked only if it is asked for, as few are known here."""

_CHOSEN_LATER: Final = "urn:status-list"
_SYNONYMS: Final = {"status": STATUS, "schema": SCHEMA, "validFrom": VALIDITY, "validUntil": VALIDITY}


@dataclass(frozen=True, slots=True)
class SecuringOptions:
    """``options`` of issuing and proving; what is ``None`` or empty was not said."""

    suite: str | None = None
    verification_method: str | None = None
    purpose: str | None = None
    created: datetime | None = None
    expires: datetime | None = None
    domain: str | tuple[str, ...] | None = None
    challenge: str | None = None
    mandatory_pointers: tuple[str, ...] = ()
    credential_id: str | None = None
    statuses: tuple[StatusEntry, ...] = ()
    """The status entries that are wanted; their indices and lists are the service's to choose."""


@dataclass(frozen=True, slots=True)
class VerifyingOptions:
    """``options`` of verifying."""

    checks: tuple[str, ...] = DEFAULT_CHECKS
    purpose: str | None = None
    domain: str | tuple[str, ...] | None = None
    challenge: str | None = None
    return_document: bool = False


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """``POST /credentials/status``: the new value of one status of one credential."""

    credential_id: str
    purpose: str
    index: str | None
    list_url: str | None
    value: int
    """0 and 1 for false and true."""


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body, a JSON object whose members are read by name."""

    members: JSONObject = field(repr=False)

    @classmethod
    def parse(cls, data: bytes) -> Body:
        """Raises ``FormatError`` for anything but a strict JSON object."""
        return cls(strict_json.loads_object(data, what="request"))

    def document(self, name: str) -> JSONObject:
        """The member ``name``, an object that has to be there."""
        if type(self.members.get(name)) is not dict:
            raise _malformed(f"the request has no object {name}", f"/{name}")
        found: JSONObject = self.members[name]
        return found

    def securing(self) -> SecuringOptions:
        """Its ``options``, for issuing and proving."""
        options = _Options(self.members)
        return SecuringOptions(
            _suite(options),
            options.text("verificationMethod"),
            options.text("proofPurpose"),
            options.moment("created"),
            options.moment("expires"),
            options.texts("domain"),
            options.text("challenge"),
            options.pointers("mandatoryPointers"),
            options.text("credentialId"),
            options.statuses("credentialStatus"),
        )

    def verifying(self) -> VerifyingOptions:
        """Its ``options``, for verifying."""
        options = _Options(self.members)
        returned = ("returnCredential", "returnPresentation")
        return VerifyingOptions(
            options.checks(),
            options.text("expectedProofPurpose"),
            options.texts("domain"),
            options.text("challenge"),
            options.flag(returned[0]) | options.flag(returned[1]),
        )

    def selective_pointers(self) -> tuple[str, ...]:
        """``options.selectivePointers``, for deriving."""
        return _Options(self.members).pointers("selectivePointers")

    def status_update(self) -> StatusUpdate:
        """The whole body, for updating a status."""
        own = _Members(self.members, "")
        entry = _Members(self.document("credentialStatus"), "/credentialStatus")
        identifier, purpose = own.text("credentialId"), entry.text("statusPurpose")
        if identifier is None:
            raise _malformed("the request has no credentialId", "/credentialId")
        if entry.text("type") not in ("BitstringStatusListEntry", "BitstringStatusList"):
            raise _malformed("the status is not of the type BitstringStatusListEntry", "/credentialStatus/type")
        if purpose is None:
            raise _malformed("the status has no statusPurpose", "/credentialStatus/statusPurpose")
        value = self.members.get("status", True)
        if type(value) not in (bool, int) or not 0 <= value < 1 << MAX_STATUS_SIZE:
            raise _malformed("status is neither true nor false, nor a number of a status message", "/status")
        return StatusUpdate(identifier, purpose, entry.text("statusListIndex"), entry.text("statusListCredential"), int(value))


class _Members:
    """Members of an object, each of one type or not there."""

    __slots__ = ("_members", "_where")

    def __init__(self, members: JSONObject, where: str) -> None:
        self._members, self._where = members, where

    def get(self, name: str) -> JSON:
        return self._members.get(name)

    def text(self, name: str) -> str | None:
        value = self._members.get(name)
        if name in self._members and (type(value) is not str or not 0 < len(value) <= MAX_SETTING_CHARACTERS):
            raise _malformed("not a text", f"{self._where}/{name}")
        return value

    def flag(self, name: str) -> bool:
        value = self._members.get(name, False)
        if type(value) is not bool:
            raise _malformed("neither true nor false", f"{self._where}/{name}")
        return value

    def list(self, name: str) -> list[JSON]:
        value = self._members.get(name, [])
        if type(value) is not list or len(value) > MAX_REQUEST_ITEMS:
            raise _malformed(f"not a list of at most {MAX_REQUEST_ITEMS} items", f"{self._where}/{name}")
        return value


class _Options(_Members):
    """The member ``options`` of a body, which may be missing."""

    __slots__ = ()

    def __init__(self, body: JSONObject) -> None:
        options = body.get("options")
        options = {} if options is None else options
        if type(options) is not dict:
            raise _malformed("options is not an object", "/options")
        super().__init__(options, "/options")

    def texts(self, name: str) -> str | tuple[str, ...] | None:
        """One text, or a set of them."""
        value = self.get(name)
        if type(value) is not list:
            return self.text(name)
        if not value or not all(type(text) is str and text for text in value) or len(set(value)) != len(value):
            raise _malformed("neither a text nor a set of texts", f"/options/{name}")
        return tuple(self.list(name))

    def moment(self, name: str) -> datetime | None:
        text = self.text(name)
        try:
            return None if text is None else timestamps.parse(text)
        except FormatError as error:
            raise FormatError(error.what, where=f"/options/{name}", hint=error.hint, code="PROOF_GENERATION_ERROR") from error

    def pointers(self, name: str) -> tuple[str, ...]:
        """JSON pointers (RFC 6901)."""
        found = self.list(name)
        if not all(type(pointer) is str and (pointer == "" or pointer[0] == "/") for pointer in found):
            raise _malformed("not a list of JSON pointers", f"/options/{name}")
        return tuple(found)

    def checks(self) -> tuple[str, ...]:
        """``checks``; an empty list says no more than none. An unknown check is refused: it would count as passed."""
        found = [_SYNONYMS.get(check, check) if type(check) is str else check for check in self.list("checks")]
        for position, check in enumerate(found):
            if check not in CHECKS:
                raise _malformed(f"the checks are {', '.join(CHECKS)}", f"/options/checks/{position}")
        return tuple(dict.fromkeys(found)) or DEFAULT_CHECKS

    def statuses(self, name: str) -> tuple[StatusEntry, ...]:
        """Status entries as they are wanted: ``{"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}``, one or several."""
        value = self.get(name)
        items = self.list(name) if type(value) is list else [value] if name in self._members else []
        wanted = []
        for position, item in enumerate(items):
            where = f"/options/{name}/{position}" if type(value) is list else f"/options/{name}"
            if type(item) is not dict:
                raise _malformed("not a BitstringStatusListEntry", where)
            try:
                wanted.append(StatusEntry.parse({**item, "statusListIndex": "0", "statusListCredential": _CHOSEN_LATER}))
            except (FormatError, UnsupportedError) as error:
                raise _malformed(error.what, where + error.where) from error
        return tuple(dict.fromkeys(wanted))


def _suite(options: _Options) -> str | None:
    """The suite by its name, or an older proof by its type, or a media type of the data model's envelopes (``vp+jwt`` is secured as ``vc+jwt`` is)."""
    suite, kind = options.text("cryptosuite"), options.text("type")
    name = suite if suite is not None or kind == "DataIntegrityProof" else kind
    return f"vc+{name[3:]}" if name is not None and name.startswith("vp+") else name


def _malformed(what: str, where: str) -> FormatError:
    return FormatError(what, where=where, code="MALFORMED_VALUE_ERROR")
