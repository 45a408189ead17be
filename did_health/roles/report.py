"""The report of a verification: every check with its outcome, and the verdict that follows from them.

A check ends ``pass``, ``fail``, ``unknown`` or ``waived``; they are never merged. The verdict is the worst that they allow::

    any fail → refuse;  else any unknown → indeterminate;  else any condition → conditional;  else accept

A waived check is shown, and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import VerificationError
from did_health.roles.evidence import Evidence
from did_health.vc.credential import Credential


class Outcome(StrEnum):
    """How one check ended."""

    PASS = "pass"  # noqa: S105  # not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"


class Verdict(StrEnum):
    """What the verification says as a whole."""

    ACCEPT = "accept"
    CONDITIONAL = "conditional"
    REFUSE = "refuse"
    INDETERMINATE = "indeterminate"


class CheckName(StrEnum):
    """The checks of a verification, in their order."""

    PRESENTATION = "presentation"
    """The holder's signature, for this audience and this nonce, not used before."""
    DATA_MODEL = "data_model"
    SCHEMA = "schema"
    VALIDITY = "validity"
    ISSUER = "issuer"
    """The issuer's DID resolves, by the newest log that the ledger has."""
    PROOF = "proof"
    RECEIPT = "receipt"
    """The issuing was logged: the issuance receipt leads to a witnessed checkpoint."""
    ENTITLEMENT = "entitlement"
    """The registry authority let the issuer issue this type, when it was issued and now."""
    STATUS = "status"
    """Not revoked, not suspended, by the newest list that the ledger has."""
    HOLDER_BINDING = "holder_binding"
    """Whoever presents the credential is its subject."""
    DOMAIN = "domain"
    """The rules of healthcare, such as restrictions of a licence."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one credential (``credential`` is its place in the presentation, ``None`` for the presentation itself).

    ``code`` is stable and machine-readable, ``sentence`` is for people, ``as_of`` is the time for which the outcome is known.
    ``conditional`` marks a pass that holds only under a condition that the sentence names.
    """

    name: CheckName
    outcome: Outcome
    code: str
    sentence: str
    as_of: datetime | None = None
    credential: int | None = None
    conditional: bool = False

    def to_json(self) -> JSONObject:
        """The check as JSON."""
        document: JSONObject = {"check": self.name, "outcome": self.outcome, "code": self.code, "sentence": self.sentence}
        if self.as_of is not None:
            document["asOf"] = timestamps.format(self.as_of)
        if self.credential is not None:
            document["credential"] = self.credential
        if self.conditional:
            document["conditional"] = True
        return document


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody decided against the verdict, or took its conditions upon themselves."""

    by: str
    reason: str
    at: datetime


# To look up a member of an enumeration takes as long as a call.
_PASS: Final = Outcome.PASS
_FAIL: Final = Outcome.FAIL
_UNKNOWN: Final = Outcome.UNKNOWN


def verdict_of(checks: Iterable[Check]) -> Verdict:
    """The verdict that these checks allow; nothing but waived ones, or none, is ``indeterminate``."""
    passed = unknown = conditional = False
    for check in checks:
        outcome = check.outcome
        if outcome is _FAIL:
            return Verdict.REFUSE
        if outcome is _PASS:
            passed = True
        elif outcome is _UNKNOWN:
            unknown = True
        if check.conditional:
            conditional = True
    if unknown or not passed:
        return Verdict.INDETERMINATE
    return Verdict.CONDITIONAL if conditional else Verdict.ACCEPT


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found. The credentials can be read only when it is accepted, or overridden by name."""

    checks: tuple[Check, ...]
    verdict: Verdict
    verified_at: datetime
    holder: str | None
    _credentials: tuple[Credential, ...]
    evidence: Evidence = field(default_factory=Evidence, compare=False, repr=False)
    """What the checks were made with; kept, it proves later what was seen."""
    override: Override | None = None

    @property
    def as_of(self) -> datetime | None:
        """The oldest time among the checks: the whole report is known to be true for no later moment."""
        return min([check.as_of for check in self.checks if check.as_of is not None], default=None)

    @property
    def reasons(self) -> tuple[Check, ...]:
        """The checks that keep the verdict from being a plain ``accept``."""
        return tuple(check for check in self.checks if check.outcome in (Outcome.FAIL, Outcome.UNKNOWN) or check.conditional)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of ``reasons``, each once, in their order."""
        return tuple(dict.fromkeys(check.code for check in self.reasons))

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """The verified credentials, in the order of the presentation.

        Raises ``VerificationError`` (which carries this report) unless the verdict is ``accept`` or the report was overridden.
        """
        if self.verdict is not Verdict.ACCEPT and self.override is None:
            raise VerificationError(
                f"the verdict is {self.verdict}: " + "; ".join(check.sentence for check in self.reasons),
                hint="Call report.overridden(by=…, reason=…) to read the claims all the same",
                code=self.codes[0] if self.codes else None,
                report=self,
            )
        return self._credentials

    @property
    def credential(self) -> Credential:
        """The one verified credential; raises as ``credentials`` does, and ``ValueError`` if there are several."""
        credentials = self.credentials
        if len(credentials) != 1:
            raise ValueError(f"the presentation holds {len(credentials)} credentials: use report.credentials")
        return credentials[0]

    def compared(self, compare: Callable[[Sequence[Credential]], Iterable[Check]]) -> Report:
        """This report with further checks, and the verdict that follows from all of them.

        ``compare`` makes them with the credentials, whatever the verdict so far; no claim may stand in what it returns.
        """
        checks = (*self.checks, *compare(self._credentials))
        return replace(self, checks=checks, verdict=verdict_of(checks))

    def check(self, name: CheckName | str, credential: int | None = None) -> Check:
        """The first check of that name (of that credential, if given), which may be a text; raises ``KeyError`` if it was not made."""
        for check in self.checks:
            if check.name == name and (credential is None or check.credential == credential):
                return check
        raise KeyError(f"no check {name} was made; there are: {', '.join(dict.fromkeys(check.name for check in self.checks))}")

    def overridden(self, *, by: str, reason: str, at: datetime | None = None) -> Report:
        """This report with a person's decision on it, after which its credentials can be read. The verdict stays what it is."""
        if not by.strip() or not reason.strip():
            raise ValueError("an override names who decides, and why")
        return replace(self, override=Override(by, reason, at or self.verified_at))

    def to_json(self) -> JSONObject:
        """The report as JSON, without any claim."""
        document: JSONObject = {
            "verdict": self.verdict,
            "codes": list(self.codes),
            "verifiedAt": timestamps.format(self.verified_at),
            "asOf": timestamps.format(self.as_of) if self.as_of else None,
            "checks": [check.to_json() for check in self.checks],
        }
        if self.override:
            document["override"] = {"by": self.override.by, "reason": self.override.reason, "at": timestamps.format(self.override.at)}
        return document
