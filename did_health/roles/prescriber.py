"""Whether somebody who is not here may prescribe: their licence and registration, looked up where boards publish them and then verified.

A prescriber is licensed in the state and registered for the schedule, or exempt from registration [21 CFR 1306.03]. What a directory says
is only where to look: what counts is what the ledger proves of the credentials found there. What could not be found or asked is unknown,
and never a no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, TransportError, UnsupportedError, VerificationError
from did_health.health import fields
from did_health.health.act import PRESCRIBE, SCHEDULES, Act
from did_health.health.physician_license import PhysicianLicense
from did_health.health.prescriber_registration import PrescriberRegistration
from did_health.health.public_listing import Lookup
from did_health.health.purposes import packaged_purposes
from did_health.roles.board_directory import DirectoryAnswer
from did_health.roles.evidence import Evidence
from did_health.roles.report import Check, CheckName, Outcome, Report, Verdict, verdict_of
from did_health.roles.verifier import Verifier

FORMAT: Final = "did-health/prescriber-check/v1"
_LICENSE: Final = PhysicianLicense.credential_type
_REGISTRATION: Final = PrescriberRegistration.credential_type
_BEST_FIRST: Final = (Verdict.ACCEPT, Verdict.CONDITIONAL, Verdict.INDETERMINATE, Verdict.REFUSE)
# Whoever holds the licence is not here, which is the point.
_WAIVED: Final = (CheckName.HOLDER_BINDING,)
_ELSEWHERE: Final = frozenset({"license_of_another_state", "registration_of_another_state"})


class LicenseDirectory(Protocol):
    """Where licences are looked up; ``net.board_directory.DirectoryClient`` is one."""

    @property
    def base_url(self) -> str:
        """What it is called in a finding."""

    def pages(self, lookup: Lookup) -> Iterator[DirectoryAnswer]:
        """What is published. Raises ``TransportError``, ``FormatError``."""


@dataclass(frozen=True, slots=True)
class PrescriberQuestion:
    """Whether the prescriber with this NPI may prescribe a drug of ``schedule`` (``none``: not controlled) in ``state`` (``US-NC``).

    ``dea`` is the registration number on the prescription, if there is one; ``exempt`` says why no registration is needed, in the words of
    whoever decides that [21 CFR 1301.22(c), 1301.23]. Raises ``FormatError``.
    """

    npi: str
    state: str
    schedule: str
    dea: str = ""
    exempt: str = ""

    def __post_init__(self) -> None:
        Lookup(npi=self.npi)
        if not self.schedule or not self.state:
            raise FormatError("the drug's schedule and the state are needed", where="schedule" if not self.schedule else "state", hint="none: not controlled")
        Act(PRESCRIBE, self.schedule, self.state)
        if self.dea:
            Lookup(number=self.dea)
        if self.exempt:
            fields.text(self.exempt, "exempt", "reason of the exemption")


@dataclass(frozen=True, slots=True)
class PrescriberCheck:
    """The answer: a verdict as of a report, with its reasons. ``reports`` are the verifications behind it, with their evidence.

    ``registered`` are the schedules of the registration that it rests on, none where it rests on none.
    """

    question: PrescriberQuestion
    checks: tuple[Check, ...]
    checked_at: datetime
    reports: tuple[Report, ...] = field(repr=False)
    registered: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst that the checks allow (see ``roles.report``)."""
        return verdict_of(self.checks)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of what keeps the verdict from a plain ``accept``."""
        return tuple(dict.fromkeys(check.code for check in self.checks if check.outcome is not Outcome.PASS or check.conditional))

    @property
    def as_of(self) -> datetime | None:
        """The oldest time among the checks."""
        return min((check.as_of for check in self.checks if check.as_of is not None), default=None)

    def to_json(self) -> JSONObject:
        """The answer as JSON: question, verdict, checks; ``roles.checked_prescriber`` reads it for the counter."""
        asked = self.question
        return {
            "format": FORMAT,
            "verdict": self.verdict,
            "codes": list(self.codes),
            **fields.present(npi=asked.npi, state=asked.state, schedule=asked.schedule, dea=asked.dea, exempt=asked.exempt),
            "registered": list(self.registered),
            "checkedAt": timestamps.format(self.checked_at),
            "asOf": timestamps.format(self.as_of) if self.as_of else None,
            "checks": [check.to_json() for check in self.checks],
        }


class _Found(NamedTuple):
    """A credential from a directory, and what verification says of it."""

    subject: JSONObject
    issuer: str
    valid_from: str
    report: Report

    @property
    def is_superseded(self) -> bool:
        return "refresh_available" in self.report.codes

    @property
    def rank(self) -> tuple[bool, bool, str]:
        """Higher for the newer of two versions. Timestamps of one issuer are compared as text, for it writes all of them alike."""
        return "not_yet_valid" not in self.report.codes, not self.is_superseded, self.valid_from

    @property
    def is_for_another_state(self) -> bool:
        return not _ELSEWHERE.isdisjoint(self.report.codes)


def check_prescriber(
    question: PrescriberQuestion, directories: Sequence[LicenseDirectory], verifier: Verifier, *, clock: Callable[[], datetime]
) -> PrescriberCheck:
    """Look the prescriber up in every directory, verify what is found, and judge it for the question.

    The evidence that comes along is tried first; if it does not suffice, the verifier gathers its own. How old it may be, the purpose
    ``prescriber`` says; raises ``VerificationError`` (``table_stale``) if that table has become too old.
    """
    packaged_purposes().require_current(clock().date())
    search = _Search(question, directories, verifier)
    checks, chosen = search.license()
    if question.schedule in SCHEDULES:
        checks += search.registration(chosen)
    return PrescriberCheck(question, tuple(checks), clock(), tuple(found.report for found in search.seen), search.registered)


class _Search:
    """What was asked and found for one question."""

    def __init__(self, question: PrescriberQuestion, directories: Sequence[LicenseDirectory], verifier: Verifier) -> None:
        self._question, self._directories, self._verifier = question, directories, verifier
        self.seen: list[_Found] = []
        self.registered: tuple[str, ...] = ()
        self._max_age = packaged_purposes().policy("prescriber").limit(question.schedule).max_age

    def license(self) -> tuple[list[Check], _Found | None]:
        """What is to be said of the licence, and the one that it is said of."""
        found, silent = self._find([Lookup(npi=self._question.npi, type=_LICENSE)], lambda subject: subject.get("npi") == self._question.npi)
        chosen = _best(_newest(found, "licenseNumber"))
        if chosen is not None:
            return _checks_of(chosen, "licence", f"licensed in {self._question.state}"), chosen
        return [self._without(found, silent, "licence", "license")], None

    def registration(self, license_: _Found | None) -> list[Check]:
        """What is to be said of the registration of whoever holds the licence."""
        if self._question.exempt:
            sentence = f"taken as exempt from registration [21 CFR 1306.03]: {self._question.exempt}"
            return [Check(CheckName.DOMAIN, Outcome.PASS, "exempt_from_registration", sentence, conditional=True)]
        if license_ is None:
            # Whose registration it would be is not known either; the verdict stands already.
            return []
        holder = license_.subject.get("id")
        lookups = [Lookup(holder=holder, type=_REGISTRATION)] if isinstance(holder, str) and holder.startswith("did:") else []
        if self._question.dea:
            lookups.append(Lookup(number=self._question.dea, type=_REGISTRATION))
        found, silent = self._find(lookups, lambda subject: self._question.dea in ("", subject.get("deaNumber")))
        own = [one for one in found if one.subject.get("id") == holder]
        chosen = _best(_newest(own, "deaNumber"))
        if chosen is not None:
            self.registered = _schedules_of(chosen)
            return _checks_of(chosen, "registration", f"registered for schedule {self._question.schedule} in {self._question.state}")
        if found and not own:
            sentence = "a registration has this number, but nothing says that it is the licence holder's"
            return [Check(CheckName.DOMAIN, Outcome.UNKNOWN, "registration_of_another_holder", sentence)]
        return [self._without(own, silent, "registration", "registration")]

    def _without(self, elsewhere: Sequence[_Found], silent: Sequence[str], what: str, code: str) -> Check:
        """What it means that there is none for the state."""
        if silent:
            sentence = f"no {what} was found, but not everybody answered: {', '.join(silent)}"
            return Check(CheckName.DOMAIN, Outcome.UNKNOWN, f"{code}_directory_unavailable", sentence)
        state = self._question.state
        if elsewhere:
            as_of = min((one.report.as_of for one in elsewhere if one.report.as_of), default=None)
            sentence = f"there is no {what} for {state}, only for {', '.join(sorted(set(map(_state_of, elsewhere))))}"
            return Check(CheckName.DOMAIN, Outcome.FAIL, f"{code}_of_another_state", sentence, as_of)
        return Check(CheckName.DOMAIN, Outcome.UNKNOWN, f"{code}_not_found", f"no directory that was asked has a {what}; others may")

    def _find(self, lookups: Sequence[Lookup], wanted: Callable[[JSONObject], bool]) -> tuple[list[_Found], list[str]]:
        """What the directories have that is wanted, each credential once and verified; and those that did not answer."""
        found: dict[str, _Found] = {}
        silent: list[str] = []
        for directory in self._directories:
            try:
                for answer in (page for lookup in lookups for page in directory.pages(lookup)):
                    for entry in answer.entries:
                        subject = entry.issued.credential.get("credentialSubject")
                        identifier = str(entry.issued.credential.get("id"))
                        # A directory that answers something else than what was asked is not believed to have meant it.
                        if isinstance(subject, dict) and wanted(subject) and identifier not in found:
                            issuer, begins = (str(entry.issued.credential.get(name)) for name in ("issuer", "validFrom"))
                            found[identifier] = _Found(subject, issuer, begins, self._verified(entry.issued.to_json(), answer.evidence))
            except (TransportError, FormatError, UnsupportedError, VerificationError) as error:
                silent.append(f"{directory.base_url} ({error.what})")
        self.seen += found.values()
        return list(found.values()), silent

    def _verified(self, document: bytes, evidence: Evidence | None) -> Report:
        asked = self._question
        for offered in (evidence, None) if evidence is not None else (None,):
            report = self._verifier.verify(
                document,
                purpose=PRESCRIBE,
                schedule=asked.schedule,
                jurisdiction=asked.state,
                max_age=self._max_age,
                evidence=offered,
                waive=_WAIVED,
            )
            if report.verdict is not Verdict.INDETERMINATE:
                break
        return report


def _newest(found: Iterable[_Found], number: str) -> list[_Found]:
    """Those for the state; of what was issued anew under a number the newest that has begun, whose restrictions the others lack.

    An old version may be without a status that says so: there are issuers that have no list for it.
    """
    newest: dict[tuple[str, object], _Found] = {}
    for one in found:
        if one.is_for_another_state:
            continue
        other = newest.setdefault((one.issuer, str(one.subject.get(number))), one)
        if one.rank > other.rank:
            newest[one.issuer, str(one.subject.get(number))] = one
    return list(newest.values())


def _best(found: Sequence[_Found]) -> _Found | None:
    return min(found, key=lambda one: _BEST_FIRST.index(one.report.verdict), default=None)


def _checks_of(found: _Found, what: str, passed: str) -> list[Check]:
    """The reasons of a credential's report, or that all of it is in order."""
    report = found.report
    checks = [
        Check(CheckName.DOMAIN, reason.outcome, reason.code, f"{what}: {reason.sentence}", reason.as_of, conditional=reason.conditional)
        for reason in report.reasons
        if reason.code != "refresh_available"
    ]
    if found.is_superseded:
        # The directory showed an old one only; what the newer one says is not known.
        sentence = f"{what}: it was issued anew, and the newer one is not in the directory"
        checks.append(Check(CheckName.DOMAIN, Outcome.UNKNOWN, "newer_version_unknown", sentence, report.as_of))
    return checks or [Check(CheckName.DOMAIN, Outcome.PASS, f"{'license' if what == 'licence' else what}_in_order", passed, report.as_of)]


def _schedules_of(found: _Found) -> tuple[str, ...]:
    schedules: Any = found.subject.get("schedules")
    return tuple(one for one in SCHEDULES if one in schedules) if isinstance(schedules, list) else ()


def _state_of(found: _Found) -> str:
    board: Any = found.subject.get("board")
    state = board.get("jurisdiction") if isinstance(board, dict) else found.subject.get("state")
    return state if isinstance(state, str) else "another state"
