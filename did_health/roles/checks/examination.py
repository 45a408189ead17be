"""What the checks of one document share: the facts, the act at hand, and the checks made so far."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence, Set
from datetime import datetime

from did_health.encoding.jcs import Canonicalize, canonicalize
from did_health.errors import FormatError
from did_health.health.act import Act
from did_health.roles.checks.passes import passed
from did_health.roles.documents import Part
from did_health.roles.domain.finding import Finding, Followed, Reference
from did_health.roles.facts import Facts
from did_health.roles.report import Check, CheckName, Outcome
from did_health.vc.credential import Credential


class Subject:
    """One credential under verification. Step 6 leaves ``retired_keys`` for step 7, which leaves ``logged_at`` for step 8."""

    __slots__ = ("credential", "holder", "index", "logged_at", "part", "presented", "retired_keys")

    def __init__(self, index: int, credential: Credential, part: Part, holder: str | None, presented: bool) -> None:
        self.index, self.credential, self.part, self.holder, self.presented = index, credential, part, holder, presented
        self.retired_keys: Set[str] = frozenset()
        self.logged_at: datetime | None = None


class Examination(ABC):
    """Collects the checks of one document in ``made``; the domain's rules look at it as their ``Surroundings``."""

    __slots__ = ("_others", "_parts", "act", "canonicalize", "facts", "following", "made", "waive")

    def __init__(
        self, facts: Facts, act: Act, waive: tuple[CheckName, ...], parts: Sequence[Part], canonicalize: Canonicalize = canonicalize, *, following: bool = True
    ) -> None:
        self.facts, self.act, self.waive, self.canonicalize, self.following = facts, act, waive, canonicalize, following
        self._parts = parts
        self._others: tuple[Credential, ...] | None = None
        self.made: list[Check] = []

    @property
    def others(self) -> Sequence[Credential]:
        """See ``Surroundings``."""
        if self._others is None:
            self._others = tuple(credential for part in self._parts if (credential := _well_formed(part)) is not None)
        return self._others

    @abstractmethod
    def follow(self, reference: Reference) -> Followed:
        """See ``Surroundings``."""

    def passed(self, code: str, credential: int | None = None, *, as_of: datetime | None = None) -> None:
        """Record that a check says nothing against the credential; ``code`` tells which check."""
        self.made.append(passed(code, credential, as_of))

    def found(self, name: CheckName, finding: Finding, credential: int, as_of: datetime | None) -> None:
        """Record what the domain says of the credential."""
        self.add(name, finding.outcome, finding.code, finding.sentence, as_of=as_of, credential=credential, conditional=finding.conditional)

    def add(
        self,
        name: CheckName,
        outcome: Outcome,
        code: str,
        sentence: str,
        *,
        as_of: datetime | None = None,
        credential: int | None = None,
        conditional: bool = False,
    ) -> None:
        """Record one finding."""
        self.made.append(Check(name, outcome, code, sentence, as_of, credential, conditional))


def _well_formed(part: Part) -> Credential | None:
    try:
        return part.parsed()
    except FormatError:
        return None
