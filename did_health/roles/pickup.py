"""The pharmacy counter: who is here, whether the name and birth date are the patient's, whether they may pick up, and what to do by hand.

Software advises and the pharmacist decides: a missing delegation, or a network that is down, never blocks a pickup; it only changes what
is shown [45 CFR 164.510(b), 164.514(h)(1)(i)].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from did_health.errors import ConflictError, FormatError
from did_health.health.act import Act
from did_health.health.dated_tables import OLDEST_TABLES, DatedTable, packaged_table
from did_health.health.identification_rules import IdentificationRule, identification_rules, rules_for, unknown_rule
from did_health.health.local_days import local_days
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_match import names_agree
from did_health.health.person_name import PersonName
from did_health.health.pickup_delegation import PickupDelegation
from did_health.health.purposes import PICKUP, ClaimName, PurposePolicies, packaged_purposes
from did_health.roles.counter_memory import DelegationUses, Recheck, RecheckQueue
from did_health.roles.evidence import Evidence
from did_health.roles.receipts import ReceiptBook, Recorded
from did_health.roles.report import Check, CheckName, Outcome, Report, Verdict, verdict_of
from did_health.roles.request import Request
from did_health.roles.verifier import Verifier
from did_health.vc.credential import Credential

_IDENTITY: Final = PatientIdentity.credential_type
_DELEGATION: Final = PickupDelegation.credential_type
_IDENTITY_MISSING: Final = "identity_missing"
_OF_AGE: Final = 18


class Collector(StrEnum):
    """Who is at the counter, as they say themselves."""

    PATIENT = "patient"
    AGENT = "agent"
    GUARDIAN = "guardian"


def claims_of(collector: Collector) -> tuple[ClaimName, ...]:
    """What a counter asks for: name and birth date of the patient, and of others than the patient the delegation."""
    asked = (ClaimName(_IDENTITY, "name"), ClaimName(_IDENTITY, "birthDate"))
    delegation = ("relationship", "pharmacies", "scope", "maxUses")
    return asked if collector is Collector.PATIENT else (*asked, *(ClaimName(_DELEGATION, name) for name in delegation))


@dataclass(frozen=True, slots=True)
class Visit:
    """A pickup at hand: the patient by the pharmacy's record, as the person has stated it too, and what is to be handed over.

    ``act`` says where, for which pharmacy (a DID), and the strictest schedule among the bags. No drug is named.
    """

    name: PersonName = field(repr=False)
    birth_date: date = field(repr=False)
    act: Act
    collector: Collector = Collector.PATIENT
    bags: int = 1


@dataclass(frozen=True, slots=True)
class Delegated:
    """The delegation that was shown: its id, what the agent is to the patient, how often it may be used and was."""

    id: str
    relationship: str
    max_uses: int
    used: int


@dataclass(frozen=True, slots=True)
class Pickup:
    """What the counter found, and advises.

    ``report`` holds every check, those of the counter last; ``agrees`` whether name and birth date are the patient's (``None``: nothing was
    shown to compare), ``by_hand`` what to do by hand, ``identification`` the state's rules that hold here (none: it is not known whether
    there are any, and ``by_hand`` says what to do about it). ``shown`` is what was presented.
    """

    visit: Visit
    report: Report
    collector: Collector
    agrees: bool | None
    by_hand: tuple[str, ...]
    identification: tuple[IdentificationRule, ...]
    delegated: Delegated | None = None
    request: Request | None = None
    shown: bytes | None = field(default=None, repr=False)

    @property
    def verdict(self) -> Verdict:
        """That of the report; an override does not change it."""
        return self.report.verdict

    @property
    def may_hand_over(self) -> bool:
        """Whether the verdict allows it (perhaps under conditions), or a pharmacist has decided so."""
        return self.verdict in (Verdict.ACCEPT, Verdict.CONDITIONAL) or self.report.override is not None

    @property
    def is_to_be_rechecked(self) -> bool:
        """Whether something was shown that could not be checked now."""
        return self.shown is not None and self.verdict is Verdict.INDETERMINATE and _IDENTITY_MISSING not in self.report.codes

    def continued(self, *, by: str, reason: str) -> Pickup:
        """Continue by the pharmacist's judgement: who decides, and why (no claim belongs there). Raises ``ValueError`` without either."""
        return replace(self, report=self.report.overridden(by=by, reason=reason))

    @property
    def relationship(self) -> str:
        """What who is here is to the patient, by the delegation or as they say: one of ``RELATIONSHIPS``."""
        if self.delegated is not None:
            return self.delegated.relationship
        return {Collector.PATIENT: "self", Collector.GUARDIAN: "guardian"}.get(self.collector, "other")

    @property
    def collector_name(self) -> PersonName | None:
        """The name of who is here by their own identity credential, if the report lets it be read."""
        if self.verdict is not Verdict.ACCEPT and self.report.override is None:
            return None
        own = _identity_of(self.report.credentials, self.report.holder)
        return None if own is None else own.name


class PickupDesk:
    """One pharmacy's counters. ``book`` signs and logs, ``uses`` and ``rechecks`` are what the counters share.

    ``require_current_tables`` raises for tables older than ``table_age``; ask it before the day begins.
    """

    def __init__(
        self,
        verifier: Verifier,
        book: ReceiptBook,
        uses: DelegationUses,
        rechecks: RecheckQueue,
        *,
        purposes: PurposePolicies | None = None,
        identification: DatedTable | None = None,
        table_age: timedelta = OLDEST_TABLES,
    ) -> None:
        self._verifier, self.book = verifier, book
        self._uses, self._rechecks = uses, rechecks
        self._purposes = purposes or packaged_purposes()
        self._policy = self._purposes.policy(PICKUP)
        self._identification = identification or packaged_table("identification-rules")
        self._rules = identification_rules(self._identification)
        self._table_age = table_age

    def require_current_tables(self) -> None:
        """Raises ``VerificationError`` (``table_stale``) if a table is older than the policy allows."""
        today = self.book.institution.clock().date()
        self._purposes.require_current(today, self._table_age)
        self._identification.require_current(today, self._table_age)

    def ask(self, collector: Collector, *, audience: str, claims: Sequence[ClaimName] = ()) -> Request:
        """What to ask the wallet of whoever is here for: by default name and birth date, and for others than the patient the delegation.

        Raises ``VerificationError`` (``purpose_exceeded``) for ``claims`` that a pickup does not need, and ``table_stale``.
        """
        self.require_current_tables()
        asked = claims or claims_of(collector)
        institution = self.book.institution
        return Request.ask(self._policy, asked, audience=audience, random=institution.random, now=institution.clock())

    def decide(self, visit: Visit, shown: bytes | None = None, *, request: Request | None = None, evidence: Evidence | None = None) -> Pickup:
        """Judge a visit; ``shown`` is the presentation that answers ``request`` (neither: nothing was shown). Nothing is written yet.

        With ``evidence`` nothing is fetched. Raises ``FormatError`` for what is no presentation, ``ValueError`` for one without a request.
        """
        if shown is None:
            sentence = "nothing was shown: nobody needs a wallet to pick up"
            check = Check(CheckName.PRESENTATION, Outcome.UNKNOWN, "nothing_presented", sentence)
            report = Report((check,), verdict_of((check,)), self.book.institution.clock(), None, ())
            return self._pickup(visit, report, visit.collector, None, request, None)
        if request is None:
            raise ValueError("what is shown answers a request: a replay could not be told from an answer otherwise")
        act = visit.act
        report = self._verifier.verify(
            shown,
            audience=request.audience,
            nonce=request.nonce,
            purpose=PICKUP,
            schedule=act.schedule,
            jurisdiction=act.jurisdiction,
            pharmacy=act.pharmacy,
            prescription=act.prescription,
            max_age=self._policy.limit(act.schedule).max_age,
            evidence=evidence,
        )
        compared = _Compared(visit, report, self._uses)
        report = report.compared(compared.checks)
        return replace(self._pickup(visit, report, compared.collector, compared.agrees, request, compared.delegated), shown=shown)

    def complete(self, pickup: Pickup) -> Recorded:
        """Write down what was decided: a row of the log, receipts, one use of the delegation if it was of use, and what is to be checked again.

        Raises ``ConflictError`` (``delegation_used_up``) if another counter has used the delegation up meanwhile; nothing is written then.
        """
        delegated, request = pickup.delegated, pickup.request
        if delegated is not None and request is not None and pickup.may_hand_over and pickup.verdict is not Verdict.REFUSE:
            now = pickup.report.verified_at
            if not self._uses.use(delegated.id, use=request.nonce, at_most=delegated.max_uses, now=now):
                raise ConflictError("another counter has used this delegation up", hint="Decide again", code="delegation_used_up")
        if pickup.is_to_be_rechecked and request is not None and pickup.shown is not None:
            recheck = Recheck(request.nonce, pickup.report.verified_at, pickup.visit.act, pickup.shown)
            self._rechecks.queue(self.book.verifier, recheck)
        return self.book.record(pickup.report, purpose=PICKUP, policy_id=self._policy.policy_id, request=request)

    def recheck(self) -> Sequence[tuple[Recheck, Report]]:
        """Check again what was decided by hand, without its presentation's signature, whose nonce was answered: each with its report.

        What can be told now leaves the queue; the rest stays.
        """
        found = []
        for waiting in self._rechecks.waiting(self.book.verifier):
            act = waiting.act
            report = self._verifier.verify(
                waiting.document,
                purpose=PICKUP,
                schedule=act.schedule,
                jurisdiction=act.jurisdiction,
                pharmacy=act.pharmacy,
                prescription=act.prescription,
                max_age=self._policy.limit(act.schedule).max_age,
                waive=(CheckName.PRESENTATION, CheckName.HOLDER_BINDING),
            )
            if report.verdict is not Verdict.INDETERMINATE:
                self._rechecks.done(waiting.id)
            found.append((waiting, report))
        return found

    def _pickup(
        self, visit: Visit, report: Report, collector: Collector, agrees: bool | None, request: Request | None, delegated: Delegated | None
    ) -> Pickup:
        steps = by_hand(report)
        rules: tuple[IdentificationRule, ...] = ()
        if self._identification.is_stale(self.book.institution.clock().date(), self._table_age):
            # A shift may outlast its tables. What is stale says nothing, and stops nobody who has come for their medicine.
            steps = (*steps, "The table of states' rules has become too old to go by.")
        else:
            rules = rules_for(self._rules, visit.act)
        if unknown := unknown_rule(rules, visit.act):
            steps = (*steps, unknown)
        return Pickup(visit, report, collector, agrees, steps, rules, delegated, request)


class _Compared:
    """The counter's own checks. ``collector``, ``agrees`` and ``delegated`` are there once ``checks`` has looked at the credentials."""

    def __init__(self, visit: Visit, report: Report, uses: DelegationUses) -> None:
        self._visit, self._report, self._uses = visit, report, uses
        self.collector = visit.collector
        self.agrees: bool | None = None
        self.delegated: Delegated | None = None

    def checks(self, credentials: Sequence[Credential]) -> Sequence[Check]:
        """All of them; no claim stands in any."""
        holder = self._report.holder
        delegation = _delegation_to(credentials, holder)
        own = _identity_of(credentials, holder)
        if delegation is None and self.collector is Collector.PATIENT:
            if own is None:
                return (_check(Outcome.UNKNOWN, _IDENTITY_MISSING, "no identity credential of whoever is here was shown"),)
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
        patient = _identity_of(credentials, credential.issuer_id)
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
        identifier = credential.id or ""
        used = self._uses.count(identifier)
        self.delegated = Delegated(identifier, delegated.relationship, delegated.max_uses, used)
        if used >= delegated.max_uses:
            return (_check(Outcome.FAIL, "delegation_used_up", "the delegation has been used as often here as it allows"),)
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


def _check(outcome: Outcome, code: str, sentence: str) -> Check:
    return Check(CheckName.DOMAIN, outcome, code, sentence)


def _condition(code: str, sentence: str) -> Check:
    return Check(CheckName.DOMAIN, Outcome.PASS, code, sentence, conditional=True)


def _identity_of(credentials: Sequence[Credential], did: str | None) -> PatientIdentity | None:
    """The identity of ``did`` among the credentials, if there is one that can be read."""
    for credential in credentials:
        if did is not None and credential.has_type(_IDENTITY) and credential.valid_until is not None:
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
        if did is not None and credential.has_type(_DELEGATION) and credential.valid_until is not None and credential.subjects[0].get("id") == did:
            try:
                return credential, PickupDelegation.from_subject(credential.subjects[0], valid_until=credential.valid_until)
            except FormatError:
                continue
    return None


_DELEGATION_CODES: Final = frozenset({
    "delegation_used_up", "delegation_scope_exceeded", "delegation_for_another_pharmacy", "delegation_malformed", "delegation_scope_undecided",
    "pharmacy_not_named",
})


def by_hand(report: Report) -> tuple[str, ...]:
    """What to do by hand, in sentences, given what the checks found; none where nothing stands in the way."""
    codes = set(report.codes)
    steps = []
    if "nothing_presented" in codes:
        steps.append("Ask for the patient's name and birth date, as of everybody without a wallet.")
    elif _IDENTITY_MISSING in codes:
        steps.append("What was shown does not say who is here: ask for name and birth date, as of everybody without a wallet.")
    elif report.verdict is Verdict.INDETERMINATE:
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
    return tuple(steps)


def _delegation_failed(report: Report) -> bool:
    """Whether a check of a delegation itself failed: it was revoked, or has expired."""
    found: set[int] = set()

    def look(credentials: Sequence[Credential]) -> Sequence[Check]:
        found.update(place for place, credential in enumerate(credentials) if credential.has_type(_DELEGATION))
        return ()

    report.compared(look)
    return any(check.credential in found and check.outcome is Outcome.FAIL for check in report.checks)
