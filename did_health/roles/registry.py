"""A trust registry: answers TRQP queries for the registry authority of a trust policy, from the newest records on the ledger.

Nothing is kept but what was verified: every answer is of evidence gathered for it. An answer that cannot be proved is not given: ``Unproven``
says why, and in particular that the evidence is too old (``evidence_stale``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from did_health.ledger.entry import Kind, subject_of
from did_health.ledger.latest import LatestBundle
from did_health.roles.evidence import Evidence, Need
from did_health.roles.facts import Facts
from did_health.roles.ledger_state import LedgerState
from did_health.roles.memo import Memo
from did_health.roles.pins import Pins, PinsInMemory
from did_health.tlog.checkpoint import Checkpoint
from did_health.trust.policy import TrustPolicy
from did_health.trust.registry import record_identifier
from did_health.trust.trqp.answer import Answer, Basis
from did_health.trust.trqp.evaluation import evaluate, require_answerable
from did_health.trust.trqp.query import Query

PURPOSE: Final = "registry"
"""The trust policy's purpose whose ``max_age_seconds`` says how old the evidence of an answer may be."""


class Registry:
    """Answers under ``policy``; ``gather`` fetches evidence (``net.gather`` bound to its sources), ``clock`` gives the time (aware UTC).

    Safe for several threads if those are. Raises ``ValueError`` for an empty policy, under which there is nothing to answer.
    """

    def __init__(
        self,
        policy: TrustPolicy,
        *,
        clock: Callable[[], datetime],
        gather: Callable[[Callable[[Evidence], Sequence[Need]]], Evidence],
        pins: Pins | None = None,
    ) -> None:
        if policy.is_empty:
            raise ValueError("an empty trust policy has no registry")
        self._policy, self._clock, self._gather = policy, clock, gather
        self._memo = Memo()
        self._pins = PinsInMemory() if pins is None else pins

    @property
    def authority(self) -> str:
        """The DID of the authority whose statements these are."""
        return self._policy.registry_authority

    def answer(self, query: Query) -> Answer:
        """Yes or no, with what it rests on.

        Raises ``NotRecognized`` for what this registry does not speak of, ``FormatError`` for a condition that means nothing,
        ``roles.ledger_state.Unproven`` for what it cannot prove, and what the gathering raises beyond ``TransportError``.
        """
        require_answerable(query, self.authority)
        what = (query.entity, query.resource, query.action)
        state, facts = self._seen(lambda facts: [*facts.needs_of_did(self.authority), *facts.needs_of_record(*what)])
        # Also where there is no record: an authority that is deactivated says nothing any more.
        self._authority_as_of(facts)
        record, as_of = facts.record(*what)
        decision = evaluate(query, record, now=facts.now)
        digest = state.record(query.entity, query.resource, facts.now, query.action)[1].digest
        subject = subject_of(Kind.REGISTRY_RECORD, record_identifier(self.authority, query.entity, query.action, query.resource))
        basis = Basis(decision.code, as_of, subject, _checkpoints(state, subject), digest, record)
        return Answer(query, decision.granted, facts.now, decision.message, basis)

    def as_of(self) -> datetime:
        """The time for which it is proved that the authority's DID is in force. Raises ``Unproven`` if no answer could be given now."""
        _, facts = self._seen(lambda facts: facts.needs_of_did(self.authority))
        return self._authority_as_of(facts)

    def _authority_as_of(self, facts: Facts) -> datetime:
        # A DID that proves itself, and is on no ledger, is as new as it can be.
        return facts.did(self.authority).as_of or facts.now

    def _seen(self, needs: Callable[[Facts], Sequence[Need]]) -> tuple[LedgerState, Facts]:
        evidence = self._gather(lambda have: needs(self._facts(have)[1]))
        return self._facts(evidence)

    def _facts(self, evidence: Evidence) -> tuple[LedgerState, Facts]:
        state = LedgerState(self._policy, evidence, self._memo, self._pins)
        return state, Facts(state, self._clock(), self._policy.max_age_for(PURPOSE))


def _checkpoints(state: LedgerState, subject: bytes) -> tuple[Checkpoint, ...]:
    """Of the logs of the policy; ``state`` has verified the bundles."""
    items = [state.evidence.get(url) for url in state.latest_urls(subject)]
    bundles = [LatestBundle.parse(item.content) for item in items if item is not None and item.content is not None]
    return tuple([Checkpoint.parse(bundle.checkpoint.text) for bundle in bundles])
