"""The verifier: one presentation (or credential) in, one report out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health.act import PRESCRIBE, Act
from did_health.health.purposes import PURPOSES
from did_health.roles.checks.presentation import PresentationExpectation
from did_health.roles.checks.steps import Checks
from did_health.roles.documents import Document, parse_document
from did_health.roles.evidence import Evidence, Need
from did_health.roles.facts import Facts
from did_health.roles.ledger_state import LedgerState
from did_health.roles.memo import Memo
from did_health.roles.nonces import UsedNonces
from did_health.roles.pins import Pins, PinsInMemory
from did_health.roles.plan import missing
from did_health.roles.report import Check, CheckName, Outcome, Report, Verdict, verdict_of
from did_health.roles.siblings import FAMILIES
from did_health.trust.policy import DEFAULT_PURPOSE, TrustPolicy

Missing = Callable[[Evidence], Sequence[Need]]
Gather = Callable[[Missing], Evidence]
GatherAsync = Callable[[Missing], Awaitable[Evidence]]


KNOWN_PURPOSES: Final = frozenset({DEFAULT_PURPOSE, PRESCRIBE, *PURPOSES})
"""What ``verify`` may be for, beside what the trust policy names. A word that nobody knows would be judged as if nothing were asked."""
_CHECK_NAMES: Final = frozenset(CheckName)

# A counter asks for few acts, again and again.
_act: Final = lru_cache(maxsize=256)(Act)


class Verifier:
    """Verifies under one trust policy, and remembers what it has verified already (DID logs, lists, checkpoints), by content.

    ``clock`` gives the time (aware UTC). ``gather`` and ``gather_async`` fetch evidence (``net.gather`` bound to its sources); without
    them ``verify`` uses only the evidence that it is given. ``used_nonces`` refuses replays among all presentations verified here;
    without it, the caller sees to it that no nonce is given out twice. ``pins`` remember what was seen of the logs, by default for as long
    as this object lives: an older state, or another one of the same size, is not believed afterwards.
    """

    def __init__(
        self,
        policy: TrustPolicy,
        *,
        clock: Callable[[], datetime],
        gather: Gather | None = None,
        gather_async: GatherAsync | None = None,
        used_nonces: UsedNonces | None = None,
        pins: Pins | None = None,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._gather = gather
        self._gather_async = gather_async
        self._used_nonces = used_nonces
        self._pins = PinsInMemory() if pins is None else pins
        self._memo = Memo()
        # Of the evidence used last: verifications one after the other often share it.
        self._state: LedgerState | None = None
        # A roster is verified for one moment. One pair, so that threads cannot mix it up.
        self._facts_before: tuple[tuple[object, ...], Facts | None] = ((), None)

    @property
    def policy(self) -> TrustPolicy:
        """The trust policy; what is remembered was verified under it, so that another needs another verifier."""
        return self._policy

    def missing(
        self, document: bytes | str | JSONObject | Document, have: Evidence, *, purpose: str = DEFAULT_PURPOSE, now: datetime | None = None
    ) -> tuple[Need, ...]:
        """What must be fetched before ``document`` can be verified, given what is already at hand; empty when that is all. Pure.

        Raises ``FormatError`` for what ``verify`` would also refuse to look at.
        """
        return self._missing(parse_document(document), have, purpose, self._moment(now))

    def verify(
        self,
        document: bytes | str | JSONObject | Document,
        *,
        audience: str | None = None,
        nonce: str | None = None,
        purpose: str = DEFAULT_PURPOSE,
        schedule: str = "",
        jurisdiction: str = "",
        setting: str = "",
        pharmacy: str = "",
        prescription: str = "",
        max_age: timedelta | None = None,
        evidence: Evidence | None = None,
        now: datetime | None = None,
        waive: Collection[CheckName] = (),
    ) -> Report:
        """Verify a presentation, a credential, or a credential with its receipt, and say what was found.

        Each may be JSON with Data Integrity proofs, or secured with JOSE, SD-JWT or COSE (``vp+jwt``, ``vc+sd-jwt``, …): the bytes
        themselves, or enveloped. What ``parse_document`` has read already is not read again.

        ``audience`` and ``nonce`` are what the holder was asked to sign. ``purpose`` (of ``KNOWN_PURPOSES``, or one of the policy's) picks the
        age of evidence that the policy allows; with ``schedule`` and the others it is the act that restrictions, registrations and
        delegations are held against (see ``Act``): with ``prescribe`` a licence is judged, and a registration only if it is shown too
        (``check_prescriber`` looks both up). ``max_age`` is how old evidence may be where the policy would allow more. With ``evidence``
        nothing is fetched. ``waive`` names checks to leave out, all but the data model; the report shows them as waived.

        The steps, each a check of the report; 2 to 11 for every credential:

        1. presentation: the holder's signature for this audience and nonce, not answered before (Data Integrity 1.0 §4.4)
        2. data model (VC Data Model 2.0 §4)
        3. schema, if the credential's schema is one that this library ships
        4. validity dates, against ``now``
        5. issuer: the DID resolves, and its log is the newest on the ledger
        6. proof: by a key that the issuer's document lists for assertions
        7. receipt: the issuing was logged under a witnessed checkpoint
        8. entitlement: the registry authority let the issuer issue this, when it was logged and now
        9. status: every status entry, by the newest list on the ledger
        10. holder binding: the presentation is signed by the credential's subject
        11. domain rules: restrictions of a licence that are in force, held against the act

        What the caller must still do: compare the claims with the person or the act at hand, and keep the report if it must be proved
        later. Raises ``FormatError`` if ``document`` is none of the three, ``UnsupportedError`` for one that is secured in a way that is not
        supported, ``VerificationError`` for a selective disclosure that does not fit, ``FormatError`` for a purpose or an act that nobody
        knows, and ``ValueError`` if the data model or what is no check is to be waived; every other finding is in the report.
        """
        parsed, act = parse_document(document), self._asked(purpose, schedule, jurisdiction, setting, pharmacy, prescription)
        if evidence is None:
            # The clock is read anew for each plan: what it pins was not seen before it was fetched.
            evidence = self._gather(lambda have: self._missing(parsed, have, purpose, self._moment(now))) if self._gather else Evidence()
        return self._report(parsed, PresentationExpectation(audience, nonce), act, evidence, self._moment(now), tuple(waive), max_age)

    async def verify_async(
        self,
        document: bytes | str | JSONObject | Document,
        *,
        audience: str | None = None,
        nonce: str | None = None,
        purpose: str = DEFAULT_PURPOSE,
        schedule: str = "",
        jurisdiction: str = "",
        setting: str = "",
        pharmacy: str = "",
        prescription: str = "",
        max_age: timedelta | None = None,
        now: datetime | None = None,
        waive: Collection[CheckName] = (),
    ) -> Report:
        """As ``verify``, fetching the evidence without blocking the event loop. Raises ``ValueError`` without ``gather_async``."""
        if self._gather_async is None:
            raise ValueError("this verifier was given nothing to gather evidence with asynchronously")
        parsed, act = parse_document(document), self._asked(purpose, schedule, jurisdiction, setting, pharmacy, prescription)
        evidence = await self._gather_async(lambda have: self._missing(parsed, have, purpose, self._moment(now)))
        return self._report(parsed, PresentationExpectation(audience, nonce), act, evidence, self._moment(now), tuple(waive), max_age)

    def collect(self, plan: Callable[[Facts], Sequence[Need]], have: Evidence | None = None) -> Evidence:
        """Gather evidence for other than one document: ``plan`` says what is missing, until that is nothing or cannot be had.

        ``have`` is evidence that is at hand already, which is not among what comes back. Raises ``ValueError`` without ``gather``.
        """
        if self._gather is None:
            raise ValueError("this verifier was given nothing to gather evidence with")
        known = have or Evidence()
        return self._gather(lambda more: plan(self._facts(known.with_items(more.items), DEFAULT_PURPOSE, self._moment(None))))

    def _asked(self, purpose: str, *circumstances: str) -> Act:
        if purpose not in KNOWN_PURPOSES and purpose not in self.policy.max_age:
            known = ", ".join(sorted(KNOWN_PURPOSES))
            raise FormatError("the purpose is none of those known", where="purpose", hint=f"It is one of: {known}; or one that the trust policy names")
        return _act(purpose, *circumstances)

    def _moment(self, now: datetime | None) -> datetime:
        return timestamps.require_aware(now if now is not None else self._clock())

    def _missing(self, document: Document, have: Evidence, purpose: str, now: datetime) -> tuple[Need, ...]:
        if self.policy.is_empty:
            return ()
        return missing(document, self._facts(have, purpose, now))

    def _facts(self, evidence: Evidence, purpose: str, now: datetime, max_age: timedelta | None = None) -> Facts:
        state = self._state
        if state is None or state.evidence is not evidence:
            state = self._state = LedgerState(self.policy, evidence, self._memo, self._pins)
        asked = (state, now, purpose, max_age)
        before, facts = self._facts_before
        if facts is not None and before == asked:
            if facts.families is None:
                facts.families = Memo(FAMILIES)
            return facts
        allowed = self.policy.max_age_for(purpose)
        facts = Facts(state, now, allowed if max_age is None else min(allowed, max_age))
        self._facts_before = (asked, facts)
        return facts

    def _report(
        self,
        document: Document,
        expected: PresentationExpectation,
        act: Act,
        evidence: Evidence,
        now: datetime,
        waive: tuple[CheckName, ...],
        max_age: timedelta | None,
    ) -> Report:
        if self.policy.is_empty:
            refusal = Check(CheckName.ISSUER, Outcome.FAIL, "policy_empty", "the trust policy trusts nobody")
            return Report((refusal,), Verdict.REFUSE, now, None, (), evidence)
        if not _CHECK_NAMES.issuperset(waive):
            raise ValueError(f"what is waived is a list of checks, of: {', '.join(CheckName)}")
        if CheckName.DATA_MODEL in waive:
            raise ValueError("the data model cannot be waived: there is no telling what a malformed credential says")
        checks = Checks(self._facts(evidence, act.purpose, now, max_age), act, waive, document.parts, document.canonicalize)
        holder = None
        if document.presentation is not None:
            holder = checks.presentation(document.presentation, expected, self._used_nonces, document.secured)
        credentials = []
        presented = document.presentation is not None
        for index, part in enumerate(document.parts):
            credential = checks.credential(index, part, holder, presented=presented)
            if credential is not None:
                credentials.append(credential)
        if not document.parts:
            checks.add(CheckName.DATA_MODEL, Outcome.FAIL, "no_credential", "the presentation holds no credential")
        found = tuple(checks.made)
        return Report(found, verdict_of(found), now, holder, tuple(credentials), evidence)
