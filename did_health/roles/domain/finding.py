"""What a rule of the domain says, and what it may look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from did_health.health.act import Act
from did_health.roles.evidence import Need
from did_health.roles.facts import Facts
from did_health.roles.report import Check, Outcome
from did_health.vc.credential import Credential


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say about a credential; ``conditional`` marks a pass that holds only under the condition that the sentence names."""

    outcome: Outcome
    code: str
    sentence: str
    conditional: bool = False
    as_of: datetime | None = None


class Reference(NamedTuple):
    """One credential named by another: by its id, and the URL that serves it with its issuance receipt (empty: it has to come along)."""

    identifier: str
    location: str = ""


@dataclass(frozen=True, slots=True)
class Followed:
    """A credential that another one refers to, with all checks of it but that of its holder.

    ``credential`` is ``None`` if it could not be had, or is malformed; ``checks`` say why then.
    """

    credential: Credential | None
    checks: tuple[Check, ...]


class Surroundings(Protocol):
    """What a rule may look at beside its credential."""

    @property
    def act(self) -> Act:
        """The act at hand."""

    @property
    def facts(self) -> Facts:
        """What the evidence proves; ``facts.now`` is the time of the verification."""

    @property
    def others(self) -> Sequence[Credential]:
        """The well-formed credentials of the same document, this one among them. Their own checks are in the report, and are not asked for here."""

    def follow(self, reference: Reference) -> Followed:
        """Verify the credential that is referred to, in the same document or where it is served. What it refers to itself is not followed."""


class DomainRule(Protocol):
    """The domain's rules on one credential type: immutable, without state."""

    def follows(self, credential: Credential) -> Sequence[Reference]:
        """What ``findings`` will want to follow. Raises nothing for malformed claims: it leaves them out."""

    def needs(self, credential: Credential, facts: Facts) -> Sequence[Need]:
        """What else must be fetched for ``findings``."""

    def findings(self, credential: Credential, around: Surroundings) -> Sequence[Finding]:
        """What stands against the credential, or is to be known with it; empty if nothing. Claims never stand in a sentence."""
