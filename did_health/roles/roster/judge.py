"""The verdict on each row, from evidence that was gathered before: pure, so that it runs anywhere, in any order, and again years later."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from did_health.encoding import timestamps
from did_health.encoding.base64 import base64_encode
from did_health.encoding.strict_json import JSONObject, dumps
from did_health.errors import FormatError
from did_health.health.physician_license import PhysicianLicense
from did_health.roles.evidence import Evidence
from did_health.roles.report import Check, CheckName, Report, Verdict
from did_health.roles.roster.found import Found, read_found
from did_health.roles.roster.lookup import NOT_FOUND, Doubt, choose
from did_health.roles.roster.provenance import Provenance
from did_health.roles.roster.result import of_doubt, of_fault
from did_health.roles.shift_bundle import policy_digest
from did_health.roles.verifier import Verifier
from did_health.trust.policy import TrustPolicy

PURPOSE: Final = "credentialing"
_WAIVED: Final = (CheckName.HOLDER_BINDING,)


@dataclass(frozen=True, slots=True)
class JudgeSetup:
    """All that a worker needs besides its rows, wherever it is: the trust policy's text, the evidence as ``Evidence.to_json`` writes it, the time
    (aware UTC) for which it judges, and the purpose, which picks the age of evidence that the policy allows."""

    policy: str
    evidence: bytes = field(repr=False)
    now: datetime
    purpose: str = PURPOSE


class Judge:
    """Judges rows under one setup. Raises ``FormatError`` for a setup that is malformed, and ``ValueError`` for a policy that trusts nobody."""

    def __init__(self, setup: JudgeSetup) -> None:
        policy, evidence = TrustPolicy.parse(setup.policy), Evidence.parse(setup.evidence)
        self._evidence, self._now, self._purpose = evidence, timestamps.require_aware(setup.now), setup.purpose
        self._verifier = Verifier(policy, clock=lambda: self._now)
        self._provenance = Provenance(policy, evidence, self._now)
        self._times: dict[datetime, str] = {}
        self._policy = base64_encode(policy_digest(policy))

    def result(self, found: Found) -> JSONObject:
        """What the report says of a row (see ``result``), not compared with another report yet."""
        row = found.row
        if row is None:
            return of_fault(found.fault)  # type: ignore[arg-type]  # one of the two is there
        if found.doubt is not None:
            return of_doubt(row, found.doubt)
        chosen = choose(row, found.candidates) if found.candidates else NOT_FOUND
        if isinstance(chosen, Doubt):
            return of_doubt(row, chosen)
        report = self._verifier.verify(
            chosen.document, purpose=self._purpose, jurisdiction=row.state, evidence=self._evidence, now=self._now, waive=_WAIVED
        )
        part = chosen.document.parts[0]
        credential = part.credential
        result = row.to_json()
        result["verdict"] = report.verdict.value
        result["reasons"] = _reasons(report) if report.verdict is not Verdict.ACCEPT else []
        if (as_of := report.as_of) is not None:
            result["asOf"] = self._time(as_of)
        identifier = credential.get("id")
        if type(identifier) is str:
            result["credential"] = identifier
        # What has no canonical form has no digest, and no signature that could hold.
        with suppress(FormatError):
            result["credentialDigest"] = base64_encode(part.digest())
        result["issuer"] = chosen.claims.issuer
        result |= self._provenance.of(chosen.claims.issuer, PhysicianLicense.credential_type, _lists(credential))
        result["policy"] = self._policy
        return result

    def _time(self, moment: datetime) -> str:
        # Most rows have one of very few.
        text = self._times.get(moment)
        if text is None:
            text = self._times[moment] = timestamps.format(moment)
        return text

    def report(self, found: Found) -> Report | None:
        """The whole report of a row's verification; ``None`` where there is no licence to verify."""
        row = found.row
        chosen = choose(row, found.candidates) if row is not None and found.candidates else NOT_FOUND
        if row is None or isinstance(chosen, Doubt):
            return None
        return self._verifier.verify(
            chosen.document, purpose=self._purpose, jurisdiction=row.state, evidence=self._evidence, now=self._now, waive=_WAIVED
        )

    def lines(self, chunk: bytes) -> bytes:
        """``result`` as a line for each row of a journal's chunk; raises ``FormatError`` for what is none."""
        return b"".join([dumps(self.result(found)) + b"\n" for found in read_found(_lines(chunk))])


def judge_chunk(setup: JudgeSetup, chunk: bytes) -> bytes:
    """``Judge.lines`` by the judge of ``setup``, which a process makes once: the task that an executor is given."""
    return _judge(setup).lines(chunk)


@lru_cache(maxsize=1)
def _judge(setup: JudgeSetup) -> Judge:
    return Judge(setup)


def _lines(chunk: bytes) -> list[bytes]:
    # Not splitlines, which looks at every byte.
    lines = chunk.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def _reasons(report: Report) -> list[JSONObject]:
    return [_reason(check) for check in report.reasons]


def _reason(check: Check) -> JSONObject:
    reason: JSONObject = {"code": check.code, "sentence": check.sentence}
    if check.as_of is not None:
        reason["asOf"] = timestamps.format(check.as_of)
    return reason


def _lists(credential: JSONObject) -> tuple[str, ...]:
    """The URLs of its status lists."""
    entries = credential.get("credentialStatus")
    found = entries if type(entries) is list else [entries]
    urls = [entry.get("statusListCredential") for entry in found if type(entry) is dict]
    return tuple([url for url in urls if type(url) is str])
