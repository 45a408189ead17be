"""FHIR R4 VerificationResult: what a verifier found out about somebody, from which primary source, and when it will look again.

The verdict, its reasons and what it rests on stand in extensions of ours, for ``status`` alone would call a *conditional* verdict either good
or bad: R4 has no word for "a person decides".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.health import fields
from did_health.health.fhir.writing import EXTENSIONS, URI_SYSTEM, instant, logical, new_resource, terminology

INITIAL: Final = "initial"
PERIODIC: Final = "periodic"
NEEDS: Final = frozenset({INITIAL, PERIODIC})

# By the verdict: the status of a first verification, and of one that is repeated [R4, verificationresult-status].
_STATUS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "accept": ("validated", "validated"),
    "conditional": ("in-process", "in-process"),
    "refuse": ("val-fail", "reval-fail"),
    "indeterminate": ("in-process", "req-revalid"),
})
# Whether the primary source confirmed it [R4, verificationresult-validation-status].
_SOURCE_STATUS: Final[Mapping[str, str]] = MappingProxyType({
    "accept": "successful", "conditional": "successful", "refuse": "failed", "indeterminate": "unknown",
})
# What follows from the failure [R4, verificationresult-failure-action].
_FAILURE_ACTION: Final[Mapping[str, str]] = MappingProxyType({"accept": "none", "conditional": "warn", "refuse": "fatal", "indeterminate": "warn"})


@dataclass(frozen=True, slots=True)
class PrimarySource:
    """Who answers for the fact: the issuer's DID and name, what kind of source it is, and when it was asked.

    ``kind`` is a code of R4's ``primary-source-type``: ``lic-board``, ``issuer``, ``reg-auth``, …
    """

    did: str
    name: str = ""
    kind: str = "issuer"
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationResult:
    """One verification of one target.

    ``target`` is a reference (``Written.reference``, ``logical(…)``; ``None``: nobody could be named), ``verdict`` one of the four of a report,
    ``at`` when it was made, ``need`` whether it is repeated (``periodic``, then ``next_on`` and ``every_days``), ``reasons`` code and sentence of
    each check that keeps the verdict from ``accept``, ``validator`` the verifier's DID (empty: not said), and ``rests_on`` what it is proved by:
    a name such as ``checkpoint`` and its parts. Raises ``FormatError`` for a verdict or need that there is not.
    """

    target: JSONObject | None
    verdict: str
    at: datetime
    sources: Sequence[PrimarySource]
    validator: str = ""
    validator_name: str = ""
    need: str = INITIAL
    every_days: int | None = None
    next_on: date | None = None
    reasons: Sequence[tuple[str, str]] = ()
    rests_on: Sequence[tuple[str, Mapping[str, str]]] = ()

    def __post_init__(self) -> None:
        fields.one_of(self.verdict, _STATUS.keys(), "/verdict", "verdict")
        fields.one_of(self.need, NEEDS, "/need", "need")
        fields.moment(self.at, "/at", "time of the verification")

    @property
    def status(self) -> str:
        """R4's status."""
        return _STATUS[self.verdict][self.need == PERIODIC]

    def to_json(self, url: str) -> JSONObject:
        """The resource; ``url`` is its ``urn:uuid``."""
        extensions: list[JSON] = [
            {"url": f"{EXTENSIONS}verdict", "valueCode": self.verdict},
            *(_extension("reason", {"code": code, "sentence": sentence}) for code, sentence in self.reasons),
            *(_extension(what, parts) for what, parts in self.rests_on),
        ]
        validators: list[JSON] = []
        if self.validator:
            validators.append({"organization": logical(URI_SYSTEM, self.validator, kind="Organization", display=self.validator_name)})
        every: JSON = {"repeat": {"frequency": 1, "period": self.every_days, "periodUnit": "d"}} if self.every_days else None
        return new_resource(
            "VerificationResult",
            url,
            extension=extensions,
            target=[self.target] if self.target else [],
            need=terminology("need", self.need),
            status=self.status,
            statusDate=instant(self.at),
            validationType=terminology("validation-type", "primary"),
            validationProcess=[terminology("validation-process", "primary")],
            frequency=every,
            lastPerformed=instant(self.at),
            nextScheduled=self.next_on.isoformat() if self.next_on else None,
            failureAction=terminology("failure-action", _FAILURE_ACTION[self.verdict]),
            primarySource=[self._source(one) for one in self.sources],
            validator=validators,
        )

    def _source(self, source: PrimarySource) -> JSONObject:
        return fields.present(
            who=logical(URI_SYSTEM, source.did, kind="Organization", display=source.name),
            type=[terminology("primary-source-type", source.kind)],
            communicationMethod=[terminology("verificationresult-communication-method", "pull")],
            validationStatus=terminology("validation-status", _SOURCE_STATUS[self.verdict]),
            validationDate=instant(source.asked_at) if source.asked_at else None,
            canPushUpdates=terminology("can-push-updates", "no"),
        )


def _extension(name: str, parts: Mapping[str, str]) -> JSONObject:
    return {"url": f"{EXTENSIONS}{name}", "extension": [{"url": part, "valueString": text} for part, text in parts.items()]}
