"""A roster's report: a signed header, which holds the digests of the files beside it.

::

    {
      "format": "did-health/roster-report/v1",
      "madeAt": "…", "madeBy": "did:webvh:…",     when for which it was judged, and who signed (null if nobody did)
      "roster": {"digest": "…", "rows": 800},      SHA-256 of the roster as it was received
      "verdicts": {"accept": …, "conditional": …, "refuse": …, "indeterminate": …},
      "unresolved": 3,                             the indeterminate ones: they are in the rows, each with its reason
      "changes": {"new": …, "same": …, "changed": …, "not_compared": …, "gone": …},
      "before": "…",                               digest of the report that it was compared with; null if there is none
      "policyDigest": "…", "purpose": "credentialing",
      "checkpoints": [{"origin", "size", "root"}], the ledgers' trees that the evidence is of
      "asOf": "…",                                 the oldest thing that a verdict rests on; null if there is none
      "notHad": [{"url", "reason"}], "notHadCount": 0,
      "frequencyDays": 30, "nextScheduled": "2026-04-01",
      "files": {"rows.ndjson": "…", …},            SHA-256 of each file of the report
      "proof": {…}                                 eddsa-jcs-2022 (ecdsa-jcs-2019 with a NIST key) by madeBy
    }

Digests are base64. Every claim in it can be made anew from the evidence among its files; the signature tells who made it and that nothing
was changed since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from did_health.did.did import DID
from did_health.encoding import strict_json, timestamps
from did_health.encoding.base64 import base64_decode, base64_encode
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, VerificationError
from did_health.health import fields
from did_health.limits import MAX_ROSTER_DAYS, MAX_ROSTER_NOTES, MAX_ROSTER_REPORT_BYTES
from did_health.roles.institution import Institution
from did_health.roles.ledger_state import LedgerState
from did_health.roles.report import Verdict
from did_health.roles.roster.provenance import tree_to_json
from did_health.roles.roster.result import Change
from did_health.roles.signed_documents import verify_signed
from did_health.tlog.checkpoint import Checkpoint

FORMAT: Final = "did-health/roster-report/v1"
GONE: Final = "gone"
"""Beside the changes of rows: what the report before had and this roster has not."""
_PROOF: Final = "proof"
_MEMBERS: Final = frozenset({
    "format", "madeAt", "madeBy", "roster", "verdicts", "unresolved", "changes", "before", "policyDigest", "purpose", "checkpoints", "asOf", "notHad",
    "notHadCount", "frequencyDays", "nextScheduled", "files",
})  # fmt: skip
_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class RosterSummary:
    """What a report says as a whole; the members are those of the module's text. ``digest``s are 32 bytes, times aware UTC."""

    made_at: datetime
    made_by: str | None
    roster_digest: bytes
    rows: int
    verdicts: Mapping[str, int]
    changes: Mapping[str, int]
    before: bytes | None
    policy_digest: bytes
    purpose: str
    checkpoints: tuple[Checkpoint, ...]
    as_of: datetime | None
    not_had: Mapping[str, str]
    frequency_days: int
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def unresolved(self) -> int:
        """How many rows are indeterminate."""
        return self.verdicts.get(Verdict.INDETERMINATE, 0)

    @property
    def next_scheduled(self) -> date:
        """The day on which the next report is due."""
        return (self.made_at + timedelta(days=self.frequency_days)).date()

    def to_document(self) -> JSONObject:
        """The report's header, not signed."""
        listed = dict(sorted(self.not_had.items())[:MAX_ROSTER_NOTES])
        return {
            "format": FORMAT,
            "madeAt": timestamps.format(self.made_at),
            "madeBy": self.made_by,
            "roster": {"digest": base64_encode(self.roster_digest), "rows": self.rows},
            "verdicts": {verdict.value: self.verdicts.get(verdict, 0) for verdict in Verdict},
            "unresolved": self.unresolved,
            "changes": {change: self.changes.get(change, 0) for change in [*(one.value for one in Change), GONE]},
            "before": None if self.before is None else base64_encode(self.before),
            "policyDigest": base64_encode(self.policy_digest),
            "purpose": self.purpose,
            "checkpoints": [tree_to_json(tree) for tree in self.checkpoints],
            "asOf": None if self.as_of is None else timestamps.format(self.as_of),
            "notHad": [{"url": url, "reason": reason} for url, reason in listed.items()],
            "notHadCount": len(self.not_had),
            "frequencyDays": self.frequency_days,
            "nextScheduled": self.next_scheduled.isoformat(),
            "files": {name: base64_encode(digest) for name, digest in self.files.items()},
        }


@dataclass(frozen=True, slots=True)
class RosterReport:
    """A report's header as it was read; nothing of it is verified yet. ``document`` is the whole of it."""

    made_at: datetime
    made_by: str | None
    policy_digest: bytes
    purpose: str
    rows: int
    files: Mapping[str, bytes]
    document: JSONObject = field(repr=False, compare=False)

    @classmethod
    def make(cls, summary: RosterSummary, signer: Institution | None) -> RosterReport:
        """The report, signed by the institution that the summary names. Raises ``ValueError`` if that is another one."""
        if summary.made_by != (signer.did if signer else None):
            raise ValueError("the summary names another signer")
        document = summary.to_document()
        return cls.from_object(signer.secured(document, created=summary.made_at) if signer else document)

    def to_json(self) -> bytes:
        """As a file that ``parse`` reads again, indented for people."""
        return strict_json.dumps(self.document, indent=True) + b"\n"

    @property
    def digest(self) -> bytes:
        """SHA-256 of the file, by which the next report names this one."""
        return hashlib.sha256(self.to_json()).digest()

    @classmethod
    def parse(cls, data: bytes) -> RosterReport:
        """Read a report; raises ``FormatError``."""
        return cls.from_object(strict_json.loads_object(data, what="roster report", max_bytes=MAX_ROSTER_REPORT_BYTES))

    @classmethod
    def from_object(cls, document: JSONObject) -> RosterReport:
        """As ``parse``, of a document that was read already."""
        if document.get("format") != FORMAT:
            raise FormatError("the file is not a did-health roster report", hint="Make one with: did-health roster verify")
        if document.keys() - {_PROOF} != _MEMBERS:
            raise FormatError("the roster report lacks a member, or has one that means nothing", hint=f"Its members are: {', '.join(sorted(_MEMBERS))}")
        made_by, made_at, purpose = document["madeBy"], document["madeAt"], document["purpose"]
        if not isinstance(made_at, str) or not isinstance(made_by, str | None):
            raise FormatError("who made the roster report, or when, is not a text", where="/madeBy")
        if (made_by is None) == (_PROOF in document):
            raise FormatError("a roster report has a signature if it says who signed it, and only then", where="/madeBy")
        if made_by is not None:
            DID.parse(made_by)
        days, roster, listed = document["frequencyDays"], document["roster"], document["files"]
        if type(days) is not int or not 0 < days <= MAX_ROSTER_DAYS:
            raise FormatError(f"the frequency is not a number of days from 1 to {MAX_ROSTER_DAYS}", where="/frequencyDays")
        if not isinstance(roster, dict) or type(roster.get("rows")) is not int or not isinstance(listed, dict):
            raise FormatError("the roster or the files of the report are not described", where="/roster")
        files = {name: _digest(value, f"/files/{name}") for name, value in listed.items()}
        policy = _digest(document["policyDigest"], "/policyDigest")
        return cls(timestamps.parse(made_at), made_by, policy, fields.word(purpose, "/purpose", "purpose"), roster["rows"], files, document)

    def verify_signature(self, state: LedgerState, *, by: str | None = None) -> str | None:
        """The DID of who signed, ``None`` if nobody did; with ``by`` (a DID) it must have been signed by that one.

        ``state`` is that of the report's own evidence, which proves whose key it was. Raises ``VerificationError``: ``report_not_signed``,
        ``report_of_another_signer``, ``report_signature_invalid``.
        """
        if self.made_by is None:
            if by is not None:
                raise VerificationError("nobody has signed the report", code="report_not_signed", hint="Ask for a signed one")
            return None
        if by is not None and self.made_by != by:
            hint = "Is it the right report? If so, name who signed it"
            raise VerificationError("the report is signed by somebody else", where="/madeBy", hint=hint, code="report_of_another_signer")
        verify_signed(self.document, self.made_by, state, self.made_at, what="roster report", code="report_signature_invalid")
        return self.made_by


def _digest(value: JSON, where: str) -> bytes:
    if not isinstance(value, str) or len(digest := base64_decode(value, what="digest")) != _DIGEST_BYTES:
        raise FormatError("a digest has not 32 bytes", where=where)
    return digest
