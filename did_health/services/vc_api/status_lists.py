"""The status lists of the service's own issuers: entries given out by themselves, values changed by request, lists served as credentials.

They live in memory, as the issuers' keys do: both end with the process.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import ConflictError, FormatError, ResolutionError
from did_health.limits import MAX_STATUS_CREDENTIALS, MIN_STATUS_LIST_ENTRIES
from did_health.stores import indices
from did_health.vc.status import StatusEntry, StatusList, StatusPurpose, build_status_list_credential

PURPOSES: Final = (StatusPurpose.REVOCATION, StatusPurpose.SUSPENSION)
"""What an issuer with status gives every credential entries for."""
TIME_TO_LIVE: Final = timedelta(minutes=5)
_NAME_BYTES: Final = 8
_VALID_FOR: Final = timedelta(days=1)
# Lists are signed anew long before they end.
_SIGNED_AGAIN: Final = timedelta(hours=1)
_SUPPORTED: Final = frozenset({StatusPurpose.REVOCATION, StatusPurpose.SUSPENSION, StatusPurpose.REFRESH})


@dataclass(slots=True)
class _List:
    url: str
    purpose: str
    owner: str
    values: StatusList = field(default_factory=StatusList.empty)
    allocated: bytearray = field(default_factory=lambda: bytearray(MIN_STATUS_LIST_ENTRIES // 8))
    used: int = 0
    signed: bytes | None = None
    signed_at: datetime | None = None


class StatusLists:
    """Safe for several threads. ``sign`` secures a list as its owner (a DID); ``random``: n → n random bytes."""

    def __init__(
        self, base_url: str, sign: Callable[[str, JSONObject], JSONObject], *, clock: Callable[[], datetime], random: Callable[[int], bytes]
    ) -> None:
        self._base_url, self._sign, self._clock, self._random = base_url, sign, clock, random
        self._lock = Lock()
        self._lists: dict[str, _List] = {}
        self._current: dict[tuple[str, str], str] = {}
        self._entries: OrderedDict[str, tuple[StatusEntry, ...]] = OrderedDict()

    def allocate(self, owner: str, purposes: Sequence[str]) -> tuple[StatusEntry, ...]:
        """Entries for a new credential of the DID ``owner``, one for each purpose. Raises ``FormatError`` for a purpose that is not served."""
        for purpose in purposes:
            if purpose not in _SUPPORTED:
                raise FormatError("no lists are kept for this purpose", where="/options/credentialStatus", hint=f"There are {', '.join(sorted(_SUPPORTED))}")
        with self._lock:
            return tuple(self._entry(owner, purpose) for purpose in purposes)

    def remember(self, credential_id: str, entries: tuple[StatusEntry, ...]) -> None:
        """That a credential which was issued has ``entries``, so that they can be changed.

        The oldest is forgotten beyond ``MAX_STATUS_CREDENTIALS``. Raises ``ConflictError`` for an id that has entries already.
        """
        with self._lock:
            if credential_id in self._entries:
                raise ConflictError("a credential with this id was issued before", where="/credential/id", hint="Give every credential an id of its own")
            self._entries[credential_id] = entries
            if len(self._entries) > MAX_STATUS_CREDENTIALS:
                self._entries.popitem(last=False)

    def update(self, credential_id: str, purpose: str, value: bool, *, index: str | None = None, list_url: str | None = None) -> None:
        """Set one status. Raises ``ResolutionError`` (``NOT_FOUND``) if the credential has no such entry, ``FormatError`` for what cannot be undone."""
        with self._lock:
            found = [
                entry
                for entry in self._entries.get(credential_id, ())
                if entry.purpose == purpose and index in (None, str(entry.index)) and list_url in (None, entry.list_url)
            ]
            if not found:
                raise ResolutionError("no credential of this service has such an id and status", where="/credentialId")
            for entry in found:
                kept = self._lists[entry.list_url]
                if not value and purpose != StatusPurpose.SUSPENSION and kept.values.get(entry.index):
                    # Bitstring Status List 1.0 §2.2.
                    raise FormatError(f"the status {purpose} is not reversible", where="/status", code="MALFORMED_VALUE_ERROR")
                kept.values = kept.values.with_status({entry.index: int(value)})
                kept.signed = None

    def document(self, url: str) -> bytes | None:
        """The status list credential published at ``url``; ``None`` if there is none."""
        with self._lock:
            kept = self._lists.get(url)
            if kept is None:
                return None
            now = self._clock()
            if kept.signed is None or kept.signed_at is None or now - kept.signed_at > _SIGNED_AGAIN:
                document = build_status_list_credential(
                    kept.owner, kept.url, kept.purpose, kept.values, valid_from=now, valid_until=now + _VALID_FOR, ttl=TIME_TO_LIVE
                )
                kept.signed, kept.signed_at = strict_json.dumps(self._sign(kept.owner, document)), now
            return kept.signed

    def _entry(self, owner: str, purpose: str) -> StatusEntry:
        key = (owner, purpose)
        kept = self._lists.get(self._current.get(key, ""))
        # Indices are drawn at random, which is quick while many are free.
        if kept is None or kept.used >= MIN_STATUS_LIST_ENTRIES * 3 // 4:
            # Never a name that an earlier run may have given: its lists are gone, and a new one would say that nothing was revoked.
            url = f"{self._base_url}/status/{self._random(_NAME_BYTES).hex()}/{purpose}"
            kept = self._lists[url] = _List(url, str(purpose), owner)
            self._current[key] = url
        (index,) = indices.draw(kept.allocated, MIN_STATUS_LIST_ENTRIES, 1, self._random)
        kept.used += 1
        return StatusEntry(kept.purpose, index, kept.url)
