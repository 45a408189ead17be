"""What stands behind a verdict: the registry record, the status lists and the ledger's tree that it rests on, by their digests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from did_health.encoding import timestamps
from did_health.encoding.base64 import base64_encode
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.ledger.entry import Kind, did_subject, subject_of
from did_health.ledger.latest import LatestBundle
from did_health.roles.evidence import Evidence
from did_health.roles.ledger_state import LedgerState, Unproven
from did_health.roles.memo import Memo
from did_health.tlog.checkpoint import Checkpoint
from did_health.trust.policy import TrustPolicy


class Provenance:
    """What one collection of evidence says of issuers, as seen at ``now``; worked out once for all credentials with the same lists."""

    def __init__(self, policy: TrustPolicy, evidence: Evidence, now: datetime) -> None:
        self._state, self._now = LedgerState(policy, evidence, Memo()), now
        self._known: dict[tuple[str, str, tuple[str, ...]], JSONObject] = {}

    def of(self, issuer: str, resource: str, lists: tuple[str, ...]) -> JSONObject:
        """``{registryRecord, statusLists, checkpoint}`` of a credential; what is not proved is left out, and verification says why."""
        key = (issuer, resource, lists)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._of(*key)
        return found

    def _of(self, issuer: str, resource: str, lists: Iterable[str]) -> JSONObject:
        found: JSONObject = {}
        try:
            _, record = self._state.record(issuer, resource, self._now)
            if record.digest:
                found["registryRecord"] = base64_encode(record.digest)
        except Unproven:
            pass
        found["statusLists"] = [self._status_list(url, issuer) for url in lists]
        subjects = [*(subject_of(Kind.STATUS_LIST, url) for url in lists), *self._issuers_subject(issuer)]
        trees = checkpoints_of(self._state.evidence, [url for subject in subjects for url in self._state.latest_urls(subject)])
        if trees:
            found["checkpoint"] = tree_to_json(min(trees, key=lambda tree: tree.size))
        return found

    def _status_list(self, url: str, issuer: str) -> JSONObject:
        try:
            _, content = self._state.status_list(url, issuer, self._now)
        except Unproven as doubt:
            return {"url": url, "problem": doubt.code}
        age = int((self._now - content.as_of).total_seconds())
        return {"url": url, "digest": base64_encode(content.digest), "asOf": timestamps.format(content.as_of), "ageSeconds": age}

    def _issuers_subject(self, issuer: str) -> Sequence[bytes]:
        try:
            return [did_subject(issuer)]
        except FormatError:
            return []


def checkpoints_of(evidence: Evidence, urls: Iterable[str]) -> list[Checkpoint]:
    """The trees under which the ledger's answers at ``urls`` stand, each once, as they say; whether they hold is for verification."""
    found: dict[Checkpoint, None] = {}
    for url in urls:
        item = evidence.get(url)
        if item is None or item.content is None:
            continue
        try:
            found[Checkpoint.parse(LatestBundle.parse(item.content).checkpoint.text)] = None
        except (FormatError, UnsupportedError):
            continue
    return list(found)


def tree_to_json(tree: Checkpoint) -> JSONObject:
    """``{origin, size, root}``."""
    return {"origin": tree.origin, "size": tree.size, "root": base64_encode(tree.root)}
