"""The counter's own checks: the request, who is here and whether it is the patient, the delegation, the portrait, the prescriber; and what to do by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from did_health.encoding.jcs import canonicalize
from did_health.errors import FormatError
from did_health.health.local_days import local_days
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_match import names_agree
from did_health.health.person_name import PersonName
from did_health.health.pickup_delegation import PickupDelegation
from did_health.health.portrait import Portrait, compare_portrait
from did_health.health.purposes import PICKUP
from did_health.limits import MAX_REQUEST_AGE_SECONDS
from did_health.roles.checked_prescriber import PRESCRIBER_CODES
from did_health.roles.counter_memory import DelegationUses
from did_health.roles.report import Check, CheckName, Outcome, Report, Verdict
from did_health.roles.request import Request
from did_health.roles.visit import DELEGATION, IDENTITY, Collector, Delegated, Visit
from did_health.vc.credential import Credential

IDENTITY_MISSING: Final = "identity_missing"
_OF_AGE: Final = 18
_REQUEST_AGE: Final = timedelta(seconds=MAX_REQUEST_AGE_SECONDS)
_CLOCKS_DIFFER: Final = timedelta(minutes=5)


class Compared:
    """The counter's own checks of an answered request. The members are there once ``checks`` has looked at the credentials."""

    def __init__(self, visit: Visit, request: Request, report: Report, uses: DelegationUses) -> None:
        self._visit, self._request, self._report, self._uses = visit, request, report, uses
        self.collector = visit.collector
        self.agrees: bool | None = None
        self.delegated: Delegated | None = None
        self.portrait = Portrait.NOT_HELD

    def checks(self, credentials: Sequence[Credential]) -> Sequence[Check]:
        """All of them; no claim stands in any."""
        now = self._report.verified_at
        return [*self._of_request(), *self._of_people(credentials), *self._of_portrait(credentials), *of_prescriber(self._visit, now)]

    def _of_request(self) -> Sequence[Check]:
        """An answer that is as old as what remembers nonces could be a replay; one for another purpose was not given for this."""
        if self._request.purpose != PICKUP:
            return (Check(CheckName.PRESENTATION, Outcome.FAIL, "request_for_another_purpose", "the request was made for another purpose than a pickup"),)
        age = self._report.verified_at - self._request.made_at
        if not -_CLOCKS_DIFFER <= age <= _REQUEST_AGE:
            return (Check(CheckName.PRESENTATION, Outcome.FAIL, "request_expired", "the request is too old, or of a time to come: make a new one"),)
        return ()

    def _of_portrait(self, credentials: Sequence[Credential]) -> Sequence[Check]:
        own = identity_of(credentials, self._report.holder)
        self.portrait = compare_portrait(self._visit.portrait, "" if own is None else own.portrait_digest)
        if self.portrait is Portrait.MATCHES:
            return (_check(Outcome.PASS, "portrait_matches", "the portrait at hand is the one that the identity provider saw"),)
        if self.portrait is Portrait.DIFFERS:
            return (_condition("portrait_differs", "the portrait at hand is not the one that the identity provider saw"),)
        return ()

    def _of_people(self, credentials: Sequence[Credential]) -> Sequence[Check]:
        holder = self._report.holder
        delegation = _delegation_to(credentials, holder)
        own = identity_of(credentials, holder)
        if delegation is None and self.collector is Collector.PATIENT:
            if own is None:
                return (_check(Outcome.UNKNOWN, IDENTITY_MISSING, "no identity credential of whoever is here was shown"),)
            return self._compare(own.name, own.birth_date)
        found = [] if own is not None else [_condition("agent_not_identified", "nothing shown says who the person here is: look at a document")]
        if delegation is None:
            found.append(_condition("delegation_missing", "no delegation was shown; none is needed: the pharmacist judges"))
            return [*found, *self._of_guardian()]
        credential, delegated = delegation
        found += self._use_of(credential, delegated)
        if delegated.on_behalf_of is not None:
            self.collector = Collector.GUARDIAN
            return [*found, *self._compare(delegated.on_behalf_of.name, delegated.on_behalf_of.birth_date), *self._of_age()]
        self.collector = Collector.AGENT
        patient = identity_of(credentials, credential.issuer_id)
        return [*found, *(self._compare(patient.name, patient.birth_date) if patient is not None else ())]

    def _compare(self, name: PersonName, birth_date: date) -> Sequence[Check]:
        same_name, same_day = names_agree(name, self._visit.name), birth_date == self._visit.birth_date
        self.agrees = same_name and same_day
        if self.agrees:
            return (_check(Outcome.PASS, "patient_agrees", "name and birth date are those of the pharmacy's record"),)
        found = []
        if not same_name:
            found.append(_check(Outcome.FAIL, "name_mismatch", "the name is another than the one of the pharmacy's record"))
        if not same_day:
            found.append(_check(Outcome.FAIL, "birth_date_mismatch", "the birth date is another than the one of the pharmacy's record"))
        return found

    def _use_of(self, credential: Credential, delegated: PickupDelegation) -> Sequence[Check]:
        identifier = counted_as(credential)
        used = self._uses.count(identifier)
        self.delegated = Delegated(identifier, delegated.relationship, delegated.max_uses, used)
        if used >= delegated.max_uses:
            return (_check(Outcome.FAIL, "delegation_used_up", "the delegation has been used at this pharmacy as often as it allows"),)
        return ()

    def _of_guardian(self) -> Sequence[Check]:
        if self.collector is not Collector.GUARDIAN:
            return ()
        sentence = "that they are the guardian, the pharmacy's own record must say"
        return [_condition("guardian_to_be_checked", sentence), *self._of_age()]

    def _of_age(self) -> Sequence[Check]:
        born = self._visit.birth_date
        today = local_days(self._visit.act.jurisdiction).newest_day(self._report.verified_at)
        years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        if years < _OF_AGE:
            return ()
        return (_condition("patient_of_age", "the patient is of age in most states: a guardian needs papers that say so"),)


def of_prescriber(visit: Visit, now: datetime) -> Sequence[Check]:
    """What was found of the prescriber, if anybody looked."""
    return () if visit.prescriber is None else (visit.prescriber.check(visit.act, now),)


def counted_as(credential: Credential) -> str:
    """By what uses are counted. Its patient chose the id, so it counts for that patient alone; without one by what was signed."""
    if credential.id:
        return f"{credential.issuer_id} {credential.id}"
    signed = {name: value for name, value in credential.raw.items() if name != "proof"}
    return f"{credential.issuer_id} {hashlib.sha256(canonicalize(signed)).hexdigest()}"


def _check(outcome: Outcome, code: str, sentence: str) -> Check:
    return Check(CheckName.DOMAIN, outcome, code, sentence)


def _condition(code: str, sentence: str) -> Check:
    return Check(CheckName.DOMAIN, Outcome.PASS, code, sentence, conditional=True)


def identity_of(credentials: Sequence[Credential], did: str | None) -> PatientIdentity | None:
    """The identity of ``did`` among the credentials, if there is one that can be read."""
    for credential in credentials:
        if did is not None and credential.has_type(IDENTITY) and credential.valid_until is not None:
            for subject in credential.subjects:
                if subject.get("id") == did:
                    try:
                        return PatientIdentity.from_subject(subject, valid_until=credential.valid_until)
                    except FormatError:
                        # Which its own checks have said already.
                        continue
    return None


def _delegation_to(credentials: Sequence[Credential], did: str | None) -> tuple[Credential, PickupDelegation] | None:
    """The first delegation to ``did`` that can be read."""
    for credential in credentials:
        if did is not None and credential.has_type(DELEGATION) and credential.valid_until is not None and credential.subjects[0].get("id") == did:
            try:
                return credential, PickupDelegation.from_subject(credential.subjects[0], valid_until=credential.valid_until)
            except FormatError:
                continue
    return None


_DELEGATION_CODES: Final = frozenset({
    "delegation_used_up", "delegation_scope_exceeded", "delegation_for_another_pharmacy", "delegation_malformed", "delegation_scope_undecided",
    "pharmacy_not_named",
})


_NO_ANSWER: Final = frozenset({"nonce_replayed", "wrong_nonce", "wrong_audience", "request_expired", "request_for_another_purpose"})


def by_hand(report: Report) -> tuple[str, ...]:
    """What to do by hand, in sentences, given what the checks found; none where nothing stands in the way."""
    codes = set(report.codes)
    steps = []
    if "nothing_presented" in codes:
        steps.append("Ask for the patient's name and birth date, as of everybody without a wallet.")
    elif codes & _NO_ANSWER:
        steps.append("This is no answer to the request, or one too late. Make a new request, and have it answered.")
    elif IDENTITY_MISSING in codes:
        steps.append("What was shown does not say who is here: ask for name and birth date, as of everybody without a wallet.")
    elif is_undecided(report):
        steps.append("Look at a physical photo document. What was shown is checked again when there is a network.")
    if codes & {"name_mismatch", "birth_date_mismatch"}:
        steps.append("Hand nothing over on this: ask again, and look for another record. Do not read the record's values aloud.")
    if codes & {"delegation_missing", "nothing_presented"}:
        steps.append("Somebody else may pick up without a delegation: who asks for this prescription by the patient's name is involved in their care.")
    if codes & _DELEGATION_CODES or _delegation_failed(report):
        steps.append("The delegation does not help here. Decide as without one, or ask the patient.")
    if codes & {"agent_not_identified", "delegator_not_identified"}:
        steps.append("Compare what is not shown with the pharmacy's record: the patient's name and birth date, as stated.")
    if "guardian_to_be_checked" in codes:
        steps.append("Look in the pharmacy's record whether this is the patient's parent or guardian.")
    if "portrait_differs" in codes:
        steps.append("Compare no face with the portrait at hand; look at a photo document.")
    if "prescriber_refused" in codes:
        steps.append("Ask the prescriber or the board before anything is handed over: by what was found they may not prescribe this [21 CFR 1306.04].")
    if codes & {"prescriber_unknown", "prescriber_checked_for_another_act"}:
        steps.append("Check the prescriber by hand, or again: what is at hand does not say whether they may prescribe this.")
    return tuple(steps)


def is_undecided(report: Report) -> bool:
    """Whether what was shown could not be judged, and nothing of it is wrong: another time, with a network, it can be."""
    unknown = {check.code for check in report.checks if check.outcome is Outcome.UNKNOWN}
    return report.verdict is Verdict.INDETERMINATE and not unknown & {IDENTITY_MISSING, "nothing_presented"} and bool(unknown - PRESCRIBER_CODES)


def _delegation_failed(report: Report) -> bool:
    """Whether a check of a delegation itself failed: it was revoked, or has expired."""
    found: set[int] = set()

    def look(credentials: Sequence[Credential]) -> Sequence[Check]:
        found.update(place for place, credential in enumerate(credentials) if credential.has_type(DELEGATION))
        return ()

    report.compared(look)
    return any(check.credential in found and check.outcome is Outcome.FAIL for check in report.checks)
