"""The pharmacy counter: who is here, whether the name and birth date are the patient's, whether they may pick up, and what to do by hand.

Software advises and the pharmacist decides: a missing delegation, or a network that is down, never blocks a pickup; it only changes what
is shown [45 CFR 164.510(b), 164.514(h)(1)(i)].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import NamedTuple

from did_health.errors import ConflictError, FormatError, UnsupportedError, VerificationError
from did_health.health.dated_tables import OLDEST_TABLES, DatedTable, packaged_table
from did_health.health.identification_rules import IdentificationRule, identification_rules, rules_for, unknown_rule
from did_health.health.override_reasons import OverrideReasons, check_override, packaged_override_reasons
from did_health.health.person_name import PersonName
from did_health.health.portrait import Portrait, compare_portrait
from did_health.health.purposes import PICKUP, ClaimName, PurposePolicies, packaged_purposes
from did_health.roles.counter_checks import Compared, by_hand, identity_of, is_undecided, of_prescriber
from did_health.roles.counter_memory import DelegationUses, Recheck, RecheckQueue
from did_health.roles.evidence import Evidence
from did_health.roles.receipts import ReceiptBook, Recorded
from did_health.roles.report import Check, CheckName, Outcome, Report, Verdict, verdict_of
from did_health.roles.request import Request
from did_health.roles.verifier import Verifier
from did_health.roles.visit import Collector, Delegated, Visit, claims_of

__all__ = ["Collector", "Delegated", "Pickup", "PickupDesk", "Rechecked", "Visit", "claims_of"]


@dataclass(frozen=True, slots=True)
class Pickup:
    """What the counter found, and advises.

    ``report`` holds every check, those of the counter last; ``agrees`` whether name and birth date are the patient's (``None``: nothing was
    shown to compare), ``by_hand`` what to do by hand, ``identification`` the state's rules that hold here (none: it is not known whether
    there are any, and ``by_hand`` says what to do about it). ``shown`` is what was presented, ``note`` what was written beside an override.
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
    portrait: Portrait = Portrait.NOT_HELD
    note: str = field(default="", repr=False)

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
        return self.shown is not None and is_undecided(self.report)

    def continued(self, *, by: str, reason: str, note: str = "", reasons: OverrideReasons | None = None) -> Pickup:
        """Continue by the pharmacist's judgement: who decides, and why, by one of the codes of ``reasons`` (by default those that are packaged).

        Code and name stand in log and receipt, ``note`` in the pharmacy's log alone. Raises ``FormatError`` for another code, or a note
        that is too long; ``ValueError`` without a name.
        """
        check_override(reason, note, packaged_override_reasons() if reasons is None else reasons)
        return replace(self, report=self.report.overridden(by=by, reason=reason), note=note)

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
        own = identity_of(self.report.credentials, self.report.holder)
        return None if own is None else own.name


class Rechecked(NamedTuple):
    """What was decided by hand, what verification says of it now, and the row of the log that says so (``None``: there is none of this call)."""

    waiting: Recheck
    report: Report
    row: int | None


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

    def ask(self, collector: Collector, *, audience: str, claims: Sequence[ClaimName] = (), portrait: bool = False) -> Request:
        """What to ask the wallet of whoever is here for, by default what ``claims_of`` names.

        Raises ``VerificationError`` (``purpose_exceeded``) for ``claims`` that a pickup does not need, and ``table_stale``.
        """
        self.require_current_tables()
        asked = claims or claims_of(collector, portrait=portrait)
        institution = self.book.institution
        return Request.ask(self._policy, asked, audience=audience, random=institution.random, now=institution.clock())

    def decide(self, visit: Visit, shown: bytes | None = None, *, request: Request | None = None, evidence: Evidence | None = None) -> Pickup:
        """Judge a visit; ``shown`` is the presentation that answers ``request`` (neither: nothing was shown). Nothing is written yet.

        With ``evidence`` nothing is fetched. Raises ``FormatError`` for what is no presentation (or a portrait that is too large),
        ``ValueError`` for one without a request.
        """
        if shown is None:
            sentence = "nothing was shown: nobody needs a wallet to pick up"
            check = Check(CheckName.PRESENTATION, Outcome.UNKNOWN, "nothing_presented", sentence)
            now = self.book.institution.clock()
            checks = (check, *of_prescriber(visit, now))
            report = Report(checks, verdict_of(checks), now, None, ())
            pickup = self._pickup(visit, report, visit.collector, None, request, None)
            return replace(pickup, portrait=compare_portrait(visit.portrait, ""))
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
        compared = Compared(visit, request, report, self._uses)
        report = report.compared(compared.checks)
        pickup = self._pickup(visit, report, compared.collector, compared.agrees, request, compared.delegated)
        return replace(pickup, shown=shown, portrait=compared.portrait)

    def complete(self, pickup: Pickup) -> Recorded:
        """Write down what was decided: a row of the log, receipts, one use of the delegation if it was of use, and what is to be checked again.

        All of it is kept, or nothing. Raises ``ConflictError`` (``delegation_used_up``) if another counter has used the delegation up
        meanwhile, unless the pharmacist has decided to go on.
        """
        delegated, request = pickup.delegated, pickup.request
        with self.book.together():
            if delegated is not None and request is not None and pickup.may_hand_over and pickup.verdict is not Verdict.REFUSE:
                now = pickup.report.verified_at
                counted = self._uses.use(delegated.id, use=request.nonce, at_most=delegated.max_uses, now=now)
                if not counted and pickup.report.override is None:
                    raise ConflictError("another counter has used this delegation up", hint="Decide again", code="delegation_used_up")
            recorded = self.book.record(pickup.report, purpose=PICKUP, policy_id=self._policy.policy_id, request=request, note=pickup.note)
            if pickup.is_to_be_rechecked and pickup.shown is not None:
                recheck = Recheck(recorded.entry_id, pickup.report.verified_at, pickup.visit.act, pickup.shown)
                self._rechecks.queue(self.book.verifier, recheck)
        return recorded

    def recheck(self) -> Sequence[Rechecked]:
        """Check again what was decided by hand, without its presentation's signature, whose nonce was answered.

        What can be told now is written into the log, and leaves the queue with that; the rest stays. After a crash, and with several
        processes at once, each has one row.
        """
        found: list[Rechecked] = []
        waiting = self._rechecks.waiting(self.book.verifier)
        while waiting:
            found += map(self._rechecked, waiting)
            waiting = self._rechecks.waiting(self.book.verifier, after=waiting[-1])
        return found

    def _rechecked(self, waiting: Recheck) -> Rechecked:
        act = waiting.act
        try:
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
        except (FormatError, UnsupportedError, VerificationError) as error:
            # Another version has queued it: a person has to look, and the rest goes on.
            check = Check(CheckName.DATA_MODEL, Outcome.UNKNOWN, "recheck_unreadable", f"what was kept cannot be read any more: {error.what}")
            report = Report((check,), Verdict.INDETERMINATE, self.book.institution.clock(), None, ())
        if report.verdict is Verdict.INDETERMINATE:
            return Rechecked(waiting, report, None)
        with self.book.together():
            if not self._rechecks.done(waiting.id):
                # Another process has just checked it.
                return Rechecked(waiting, report, None)
            recorded = self.book.record(report, purpose=PICKUP, policy_id=self._policy.policy_id, recheck_of=waiting.id)
        return Rechecked(waiting, report, recorded.position)

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
