"""One line of a DID log, parsed and not verified (did:webvh 1.0, "The DID Log File")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from did_health.did.methods.webvh.parameters import ParameterChanges
from did_health.did.methods.webvh.proof import LogProof
from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import DidHealthError, FormatError
from did_health.limits import MAX_PROOFS

_MEMBERS: Final = frozenset({"versionId", "versionTime", "parameters", "state", "proof"})
_VERSION_ID: Final = re.compile(r"([1-9][0-9]{0,8})-([1-9A-HJ-NP-Za-km-z]{1,128})", re.ASCII)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What one line says, believed by nobody yet; ``unsigned`` is the entry without its proofs, ``line`` its exact bytes without the newline."""

    line: bytes
    version_id: str
    version_number: int
    entry_hash: str
    version_time: datetime
    parameters: ParameterChanges
    state: JSONObject
    proofs: tuple[LogProof, ...]
    unsigned: JSONObject

    @classmethod
    def parse(cls, line: bytes) -> LogEntry:
        """Raises ``FormatError``, or ``UnsupportedError`` for another method version, cryptosuite or kind of key."""
        if b"\n" in line:
            raise FormatError("an entry of a DID log is one line")
        value = strict_json.loads_object(line, what="DID log entry")
        # "consisting of the following properties": a member that nobody defined could be read by one resolver and not by another.
        if set(value) != _MEMBERS:
            raise FormatError("a DID log entry has exactly the members versionId, versionTime, parameters, state and proof")
        version_id = value["versionId"]
        match = _VERSION_ID.fullmatch(version_id) if isinstance(version_id, str) else None
        if not match:
            raise FormatError("the versionId is not a number, a dash and a base58btc hash", where="/versionId")
        if not isinstance(value["state"], dict):
            raise FormatError("the state is not a JSON object", where="/state")
        with Place("/parameters"):
            parameters = ParameterChanges.parse(value["parameters"])
        return cls(
            line,
            match[0],
            int(match[1]),
            match[2],
            _parse_time(value["versionTime"]),
            parameters,
            value["state"],
            _parse_proofs(value["proof"]),
            {name: member for name, member in value.items() if name != "proof"},
        )


class Place:
    """Puts the place of a member in front of the place that an error names."""

    __slots__ = ("where",)

    def __init__(self, where: str) -> None:
        self.where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, DidHealthError):
            error.where = self.where + error.where


def _parse_time(value: JSON) -> datetime:
    if not isinstance(value, str) or not value.endswith(("Z", "+00:00")):
        raise FormatError("the versionTime is not a timestamp in UTC", where="/versionTime")
    with Place("/versionTime"):
        return timestamps.parse(value)


def _parse_proofs(value: JSON) -> tuple[LogProof, ...]:
    # The text says an array; the published schema also lets a single object stand alone.
    proofs = [value] if isinstance(value, dict) else value
    if not isinstance(proofs, list) or not 1 <= len(proofs) <= MAX_PROOFS:
        raise FormatError(f"an entry has 1 to {MAX_PROOFS} proofs", where="/proof")
    result = []
    for position, proof in enumerate(proofs):
        with Place(f"/proof/{position}"):
            result.append(LogProof.parse(proof))
    return tuple(result)
