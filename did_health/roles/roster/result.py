"""What a roster's report says of one row, as one JSON object (a line of ``rows.ndjson``)::

    {"row": 2, "key": "…", "family": "…", "given": "…", "npi": "…", "licenseNumber": "…", "state": "…",
     "verdict": "refuse", "reasons": [{"code": "suspended", "sentence": "…", "asOf": "…"}], "asOf": "…",
     "credential": "urn:uuid:…", "credentialDigest": "…",            id, and SHA-256 in canonical form, as its issuing was logged
     "issuer": "did:webvh:…", "registryRecord": "…",                 SHA-256 of the registry record on the ledger
     "statusLists": [{"url", "digest", "asOf", "ageSeconds"}],
     "checkpoint": {"origin", "size", "root"},                       the ledger's tree under which that is so
     "policy": "…",                                                  SHA-256 of the trust policy
     "change": "changed", "before": {"verdict": "accept", "codes": []}}

``verdict`` is one of the four of a verification. What could not be verified at all is ``indeterminate`` too, and its reason says why; that
of a malformed row has the ``column`` and the ``hint``. Digests are base64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.limits import MAX_ROSTER_RESULT_BYTES
from did_health.roles.report import Verdict
from did_health.roles.roster.lookup import Doubt
from did_health.roles.roster.row import ROW_MALFORMED, RosterFault, RosterRow

_VERDICTS: Final = frozenset(Verdict)


class Change(StrEnum):
    """How a row stands to the report before."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"
    NOT_COMPARED = "not_compared"
    """There is no report before, or the row is malformed."""


class Outcome(NamedTuple):
    """What of a row is compared between two reports."""

    verdict: str
    codes: tuple[str, ...]


def of_fault(fault: RosterFault) -> JSONObject:
    """The result of a row that cannot be read."""
    reason = {"code": ROW_MALFORMED, "sentence": fault.problem, "column": fault.column, "hint": fault.hint}
    return {"row": fault.row, "key": "", "verdict": Verdict.INDETERMINATE.value, "reasons": [{name: value for name, value in reason.items() if value}]}


def of_doubt(row: RosterRow, doubt: Doubt) -> JSONObject:
    """The result of a row without a licence that could be verified."""
    reason = {"code": doubt.code, "sentence": doubt.sentence, "hint": doubt.hint}
    reasons = [{name: value for name, value in reason.items() if value}]
    return row.to_json() | {"verdict": Verdict.INDETERMINATE.value, "reasons": reasons}


def parse_result(line: bytes) -> JSONObject:
    """A line of ``rows.ndjson``; raises ``FormatError`` unless it has a row, a key, a verdict and reasons."""
    read = strict_json.loads_unsurveyed(line, max_bytes=MAX_ROSTER_RESULT_BYTES)
    document: JSONObject = read if type(read) is dict else strict_json.loads_object(line, what="row of a report", max_bytes=MAX_ROSTER_RESULT_BYTES)
    reasons = document.get("reasons")
    if type(document.get("row")) is not int or type(document.get("key")) is not str or document.get("verdict") not in _VERDICTS:
        raise FormatError("a row of a report lacks its number, key or verdict")
    if type(reasons) is not list or not all(type(reason) is dict and type(reason.get("code")) is str for reason in reasons):
        raise FormatError("a row of a report has malformed reasons", where="/reasons")
    return document


def outcome_of(result: JSONObject) -> Outcome:
    """The verdict and the codes of its reasons, each once."""
    return Outcome(result["verdict"], tuple(dict.fromkeys([reason["code"] for reason in result["reasons"]])))


def compared(result: JSONObject, before: Mapping[str, Sequence[Outcome]] | None) -> JSONObject:
    """``result`` with what changed since the report whose outcomes are ``before``, by the rows' keys (``None``: there is none).

    Several rows may have one key (a licence that stands twice on a roster, under two names): what one of them ended with then is no change.
    """
    key = result["key"]
    if before is None or not key:
        return result | {"change": Change.NOT_COMPARED.value}
    known = before.get(key)
    if not known:
        return result | {"change": Change.NEW.value}
    if outcome_of(result) in known:
        return result | {"change": Change.SAME.value}
    return result | {"change": Change.CHANGED.value, "before": {"verdict": known[0].verdict, "codes": list(known[0].codes)}}


def words_of(result: JSONObject) -> Sequence[str]:
    """The reasons in sentences, for people: the column first, then what would be right."""
    words = []
    for reason in result["reasons"]:
        column, hint = reason.get("column"), reason.get("hint")
        words.append(f"{f'{column}: ' if column else ''}{reason.get('sentence', reason['code'])}{f'. {hint}' if hint else ''}")
    return words
