"""What healthcare makes of a credential that is otherwise in order: what its status means, which restrictions apply, what scope it claims."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from did_health.errors import FormatError
from did_health.health.pharmacy import Pharmacy
from did_health.health.physician_license import PhysicianLicense
from did_health.health.restrictions import Restriction
from did_health.health.status_messages import VERDICTS, Message
from did_health.roles.report import Outcome, Verdict
from did_health.vc.credential import Credential
from did_health.vc.status import StatusPurpose, StatusResult


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say about a credential; ``conditional`` marks a pass that holds only under the condition that the sentence names."""

    outcome: Outcome
    code: str
    sentence: str
    conditional: bool = False


_BY_PURPOSE: Final[Mapping[str, Finding]] = MappingProxyType({
    StatusPurpose.REVOCATION: Finding(Outcome.FAIL, "revoked", "the issuer has revoked the credential"),
    StatusPurpose.SUSPENSION: Finding(Outcome.FAIL, "suspended", "the issuer has suspended the credential"),
    StatusPurpose.REFRESH: Finding(Outcome.PASS, "refresh_available", "the issuer has a newer version of the credential: ask for it", conditional=True),
})

_NO_SCOPE: Final = frozenset({(None, None)})


def status_finding(credential: Credential, result: StatusResult) -> Finding | None:
    """What a status value means for the credential; ``None`` if it says nothing against it.

    A purpose that is not known is not taken for harmless: it is ``unknown``.
    """
    if result.valid:
        return None
    if result.purpose in _BY_PURPOSE:
        return _BY_PURPOSE[result.purpose]
    if result.purpose != StatusPurpose.MESSAGE:
        return Finding(Outcome.UNKNOWN, "status_purpose_unknown", "the issuer has set a status whose purpose is not known")
    if not credential.has_type(PhysicianLicense.credential_type):
        return Finding(Outcome.PASS, "status_message", "the issuer has something to say about the credential", conditional=True)
    message = Message(result.value) if result.value < len(Message) else Message.UNDEFINED
    code = f"license_{message.name.lower()}"
    if VERDICTS[message].value == Verdict.CONDITIONAL:
        return Finding(Outcome.PASS, code, f"the board's message on the licence: {message.words}", conditional=True)
    return Finding(Outcome.FAIL, code, f"the board's message on the licence: {message.words}")


def domain_findings(credential: Credential, now: datetime) -> Sequence[Finding]:
    """The domain's own rules on the claims; empty if none stands against the credential."""
    if not credential.has_type(PhysicianLicense.credential_type):
        return ()
    findings: list[Finding] = []
    for subject in credential.subjects:
        board = subject.get("board")
        if not isinstance(board, dict) or board.get("id") != credential.issuer_id:
            findings.append(Finding(Outcome.FAIL, "wrong_board", "the licence names another board than the one that issued it"))
        if "restrictions" not in subject:
            continue
        try:
            restrictions = [Restriction.from_json(item) for item in subject["restrictions"]]
        except (FormatError, TypeError):
            findings.append(Finding(Outcome.UNKNOWN, "restrictions_malformed", "the restrictions of the licence cannot be read"))
            continue
        findings += [
            Finding(Outcome.PASS, "license_restricted", f"a restriction is in force: {restriction.code}", conditional=True)
            for restriction in restrictions
            if restriction.in_force(now.date())
        ]
    return findings


def claimed_scopes(credential: Credential, resource: str) -> Collection[tuple[str | None, str | None]]:
    """Each ``(profession, jurisdiction)`` for which the issuer must be accredited to issue ``resource``, one of the credential's types.

    ``None`` stands where the type has none, an empty text where the credential fails to name one, which nobody is accredited for.
    """
    if resource == PhysicianLicense.credential_type:
        subjects = credential.subjects
        return (_license_scope(subjects[0]),) if len(subjects) == 1 else frozenset(map(_license_scope, subjects))
    if resource == Pharmacy.credential_type:
        return frozenset((None, _text(subject.get("jurisdiction"))) for subject in credential.subjects)
    return _NO_SCOPE


def _license_scope(subject: Mapping[str, Any]) -> tuple[str, str]:
    board = subject.get("board")
    return _text(subject.get("profession")), _text(board.get("jurisdiction")) if isinstance(board, dict) else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
