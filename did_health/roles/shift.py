"""What a counter needs for a shift: planned before it is fetched, and reviewed when it is there. The file that it travels in is a ``ShiftBundle``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from did_health.did.did import DID
from did_health.did.methods.webvh.urls import WebvhDID
from did_health.limits import MAX_STATUS_SETS
from did_health.roles.evidence import Need
from did_health.roles.facts import Facts
from did_health.roles.ledger_state import WEBVH, LedgerState, Unproven
from did_health.trust.policy import TrustPolicy
from did_health.vc.status import StatusPurpose

COUNTERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "pharmacy": ("PhysicianLicenseCredential", "PatientIdentityCredential", "PharmacyCredential"),
})
"""The credentials that are shown at each kind of counter."""


@dataclass(frozen=True, slots=True)
class ShiftOrder:
    """What goes into a bundle: the counter that it is for, the boards (DIDs), their types of credentials, and who will sign it (a DID)."""

    counter: str
    boards: tuple[str, ...]
    types: tuple[str, ...]
    signer: str | None = None

    def missing(self, facts: Facts) -> tuple[Need, ...]:
        """What is still to be fetched, each URL once. Pure; asked again until nothing is missing.

        Of each DID its log, of each board the registry record for every type, and every status list. Raises ``FormatError`` for what is no DID.
        """
        needs: list[Need] = []
        for did in self.dids(facts.registry_authority):
            needs += facts.needs_of_did(did)
        for board in self.boards:
            for resource in self.types:
                needs += facts.needs_of_record(board, resource)
            for url in _list_urls(board, facts.is_logged_list):
                needs += facts.needs_of_status_list(url)
        return tuple({need.url: need for need in needs}.values())

    def dids(self, authority: str) -> list[str]:
        """Everybody whose DID log is needed, each once."""
        return list(dict.fromkeys([authority, *self.boards, *([self.signer] if self.signer else [])]))


@dataclass(frozen=True, slots=True)
class ShiftFinding:
    """One thing that a bundle proves, or (``proved`` is false) fails to prove: ``code`` and ``sentence`` say what, ``as_of`` for which time.

    ``expires`` is when the signature that it rests on ends, if it does.
    """

    about: str
    what: str
    proved: bool
    code: str
    sentence: str
    as_of: datetime | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShiftReview:
    """All that a bundle proves."""

    findings: tuple[ShiftFinding, ...]

    @property
    def is_whole(self) -> bool:
        """Whether everything is proved that was ordered."""
        return all(finding.proved for finding in self.findings)

    @property
    def as_of(self) -> datetime | None:
        """The oldest of what is proved: for no later time is all of it known."""
        return min((finding.as_of for finding in self.findings if finding.as_of is not None), default=None)

    def accepted_until(self, policy: TrustPolicy) -> Mapping[str, datetime]:
        """By purpose of the policy, when it stops to accept the first of what is proved; empty if nothing is."""
        as_of = self.as_of
        if as_of is None:
            return {}
        ends = [finding.expires for finding in self.findings if finding.expires is not None]
        return {purpose: min([as_of + age, *ends]) for purpose, age in policy.max_age.items()}


def review(order: ShiftOrder, state: LedgerState, now: datetime) -> ShiftReview:
    """What ``state`` proves of what was ordered, whatever its age."""
    return ShiftReview(tuple(_findings(order, state, now)))


def _findings(order: ShiftOrder, state: LedgerState, now: datetime) -> list[ShiftFinding]:
    found: list[ShiftFinding] = []
    for did in order.dids(state.registry_authority):
        try:
            found.append(ShiftFinding(did, "DID", True, "newest", "its newest DID log", state.did(did, now).as_of))
        except Unproven as doubt:
            found.append(_unproved(did, "DID", doubt))
    for board in order.boards:
        for resource in order.types:
            try:
                record, content = state.record(board, resource, now)
            except Unproven as doubt:
                found.append(_unproved(board, resource, doubt))
                continue
            code, sentence = ("accredited", "its registry record") if record else ("not_accredited", "that it has no registry record")
            found.append(ShiftFinding(board, resource, True, code, sentence, content.as_of, content.expires))
        found += _lists(board, state, now)
    return found


def _lists(board: str, state: LedgerState, now: datetime) -> list[ShiftFinding]:
    found: list[ShiftFinding] = []
    for url in _list_urls(board, lambda one: state.has_list(one, now)):
        try:
            status_list, content = state.status_list(url, board, now)
        except Unproven as doubt:
            found.append(_unproved(board, url, doubt))
            continue
        if status_list is not None:
            found.append(ShiftFinding(board, url, True, "newest", "its newest version", content.as_of, content.expires))
    return found


def _unproved(about: str, what: str, doubt: Unproven) -> ShiftFinding:
    return ShiftFinding(about, what, False, doubt.code, doubt.what, doubt.as_of)


def _list_urls(board: str, is_logged: Callable[[str], bool]) -> list[str]:
    """The URLs of a board's status lists where did-health publishes them: set after set, up to the first that the ledger has nothing of."""
    if DID.parse(board).method != WEBVH:
        return []
    base = WebvhDID.parse(board).base_url
    urls: list[str] = []
    for number in range(1, MAX_STATUS_SETS + 1):
        one = [f"{base}status/{number}/{purpose}" for purpose in StatusPurpose]
        urls += one
        if not any(is_logged(url) for url in one):
            break
    return urls
