"""What a docket's decisions do to what a board has published: the status of a licence, and the licence itself where it is restricted.

A licence may have been issued more than once: anew with restrictions, or with a new name. All of these say the same of the physician, and
whoever was issued the older one still has it. What the board decides about one is therefore published for all of them; they share the
history of the oldest one that is not revoked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from did_health.health.license_state import RESTRICTED, combined
from did_health.health.physician_license import PhysicianLicense
from did_health.health.restrictions import Restriction
from did_health.health.status_messages import SIGNALS, Message, Signal, Verdict
from did_health.roles.decision import Decision
from did_health.roles.register import IssuedCredential, Register, StatusChange
from did_health.roles.status_publisher import StatusPublisher
from did_health.vc.credential import Credential
from did_health.vc.status import StatusPurpose

MAX_VERSIONS: Final = 1_000
"""How many credentials under one number are looked at."""


class Publication:
    """One issuer's lists and register as its docket uses them; implements ``roles.enforcement.Published``."""

    def __init__(
        self,
        register: Register,
        status: StatusPublisher,
        clock: Callable[[], datetime],
        listed: Callable[[str], IssuedCredential],
        reissue: Callable[[Sequence[tuple[str, PhysicianLicense]]], object],
    ) -> None:
        self._register, self._status, self._clock, self._listed, self._reissue = register, status, clock, listed, reissue

    def versions(self, credential: str) -> Sequence[IssuedCredential]:
        """What was issued under the number of ``credential`` and is not revoked, oldest first; only itself if it is revoked or has no number."""
        row = self._listed(credential)
        if not row.number or self.is_revoked(credential):
            return (row,)
        found = self._register.find(row.issuer, number=row.number, limit=MAX_VERSIONS)
        alike = [one for one in reversed(found) if one.type == row.type and one.status_set == row.status_set]
        return [one for one, revoked in zip(alike, self._revoked(alike), strict=True) if not revoked]

    def licence(self, credential: str) -> str:
        """See ``Published``."""
        return self.versions(credential)[0].id

    def is_revoked(self, credential: str) -> bool:
        """See ``Published``."""
        return self._revoked([self._listed(credential)])[0]

    def can_be_restricted(self, credential: str) -> bool:
        """See ``Published``."""
        row = self._listed(credential)
        return row.type == PhysicianLicense.credential_type and Credential.parse(row.document).valid_until is not None

    def require_possible(self) -> None:
        """See ``Published``."""
        self._status.require_possible()

    def publish(self, credential: str, standing: Sequence[Decision], decided: Sequence[Restriction], decision: Decision, reason: str) -> None:
        """See ``Published``. The lists come first: a suspension does not wait for what is to be issued."""
        self._list(credential, standing, decision, reason)
        if decided and not any(SIGNALS[one.state].revocation for one in standing) and self._restrict(credential, standing, decided):
            self._list(credential, standing, decision, reason)

    def _list(self, credential: str, standing: Sequence[Decision], decision: Decision, reason: str) -> None:
        """Set the lists; what they say already is left alone, and a revocation is never taken back."""
        rows = self.versions(credential)
        present, revoked = self._status.values([row.index for row in rows]), self._revoked(rows)
        alike: dict[tuple[tuple[StatusPurpose, int], ...], list[IssuedCredential]] = defaultdict(list)
        for place, row in enumerate(rows):
            signal = _signal(row, standing)
            wanted = {
                StatusPurpose.REVOCATION: int(signal.revocation or revoked[place]),
                StatusPurpose.SUSPENSION: int(signal.suspension),
                StatusPurpose.MESSAGE: int(signal.message),
                StatusPurpose.REFRESH: int(place + 1 < len(rows) or (signal.refresh and len(rows) == 1)),
            }
            # A list that the set does not have can say nothing; those for what is refused are in every set, unless its issuer wanted otherwise.
            if changed := tuple((purpose, value) for purpose, value in wanted.items() if purpose in present and present[purpose][place] != value):
                alike[changed].append(row)
        if not alike:
            # A crash may have cut off what follows after the register.
            self._status.publish()
        for values, changing in alike.items():
            now = self._clock()
            changes = [
                StatusChange(row.id, purpose, value, reason, decision.order, decision.effective, now) for row in changing for purpose, value in values
            ]
            self._status.change(dict(values), [row.index for row in changing], changes)

    def _restrict(self, credential: str, standing: Sequence[Decision], decided: Sequence[Restriction]) -> bool:
        """Issue the newest version anew unless it has the restrictions that stand already, as after a crash; whether that was done."""
        newest = self.versions(credential)[-1]
        if not self.can_be_restricted(newest.id) or self.is_revoked(newest.id):
            return False
        claims = _license(newest)
        # Those that no decision made, the licence has of its own.
        own = [one for one in claims.restrictions if one not in decided]
        wanted = tuple(dict.fromkeys([*own, *_restrictions(standing)]))
        if set(claims.restrictions) == set(wanted):
            return False
        self._reissue([(newest.id, replace(claims, restrictions=wanted))])
        return True

    def _revoked(self, rows: Sequence[IssuedCredential]) -> Sequence[bool]:
        values = self._status.values([row.index for row in rows])
        return [value == 1 for value in values.get(StatusPurpose.REVOCATION, [0] * len(rows))]


def _restrictions(standing: Sequence[Decision]) -> list[Restriction]:
    return [restriction for one in standing for restriction in one.restrictions]


def _license(row: IssuedCredential) -> PhysicianLicense:
    document = Credential.parse(row.document)
    if document.valid_until is None:
        raise ValueError("only licences are issued anew with restrictions")
    return PhysicianLicense.from_subject(document.subjects[0], valid_until=document.valid_until)


def _signal(row: IssuedCredential, standing: Sequence[Decision]) -> Signal:
    """What the lists say of one version: of one that does not name the restrictions that stand, that there are some."""
    restrictions = _restrictions(standing)
    if restrictions and set(restrictions) <= set(_license(row).restrictions):
        return combined(one.state for one in standing if one.state != RESTRICTED or not one.restrictions)
    signal = combined(one.state for one in standing)
    return replace(signal, message=Message.RESTRICTED) if restrictions and signal.verdict is Verdict.CONDITIONAL else signal
