"""What the values of status lists mean for a credential."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from did_health.health.act import PRESCRIBE, Act
from did_health.health.physician_license import PhysicianLicense
from did_health.health.status_messages import VERDICTS, Message
from did_health.roles.domain.finding import Finding
from did_health.roles.report import Outcome, Verdict
from did_health.vc.credential import Credential
from did_health.vc.status import StatusPurpose, StatusResult

REVOKED: Final = Finding(Outcome.FAIL, "revoked", "the issuer has revoked the credential")
SUSPENDED: Final = Finding(Outcome.FAIL, "suspended", "the issuer has suspended the credential")
_BY_PURPOSE: Final[Mapping[str, Finding]] = MappingProxyType({
    StatusPurpose.REVOCATION: REVOKED,
    StatusPurpose.SUSPENSION: SUSPENDED,
    StatusPurpose.REFRESH: Finding(Outcome.PASS, "refresh_available", "the issuer has a newer version of the credential: ask for it", conditional=True),
})


def status_finding(credential: Credential, result: StatusResult, act: Act | None = None) -> Finding | None:
    """What a status value means for the credential, and for the act at hand if there is one; ``None`` if it says nothing against it.

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
    if message is Message.RESTRICTED and act is not None and (act.purpose == PRESCRIBE or act.schedule):
        # Boards say so of a licence that does not name its restrictions, such as one that was issued before them.
        return Finding(Outcome.UNKNOWN, "restrictions_not_named", "the licence is restricted in ways that it does not name: ask for the newest one")
    code = f"license_{message.name.lower()}"
    if VERDICTS[message].value == Verdict.CONDITIONAL:
        return Finding(Outcome.PASS, code, f"the board's message on the licence: {message.words}", conditional=True)
    return Finding(Outcome.FAIL, code, f"the board's message on the licence: {message.words}")
