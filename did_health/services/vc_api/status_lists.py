"""The status lists of the service's own issuers: entries given out by themselves, values changed by request, lists served as credentials.

They live in memory, as the issuers' keys do: both end with the process.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, NamedTuple

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import ConflictError, FormatError, ResolutionError, StoreError
from did_health.limits import MAX_STATUS_CREDENTIALS, MAX_STATUS_LISTS, MIN_STATUS_LIST_ENTRIES
from did_health.stores import indices
from did_health.vc.status import StatusEntry, StatusList, StatusPurpose, build_status_list_credential

USUAL: Final = (StatusEntry(StatusPurpose.REVOCATION, 0, ""),)
"""What an issuer with status gives every credential an entry for: one, as conformance suites read ``credentialStatus`` as an object."""
TIME_TO_LIVE: Final = timedelta(minutes=5)
_NAME_BYTES: Final = 8
_VALID_FOR: Final = timedelta(days=1)
# Lists are signed anew long before they end.
_SIGNED_AGAIN: Final = timedelta(hours=1)
_REVERSIBLE: Final = frozenset({StatusPurpose.SUSPENSION, StatusPurpose.MESSAGE})


class _Kind(NamedTuple):
    """What all entries of one list have in common."""

    owner: str
    purpose: str
    size: int
    messages: tuple[str, ...]


@dataclass(slots=True)
class _List:
    url: str
    kind: _Kind
    values: StatusList
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
        self._current: dict[_Kind, str] = {}
        self._entries: OrderedDict[str, tuple[StatusEntry, ...]] = OrderedDict()

    def allocate(self, owner: str, wanted: Sequence[StatusEntry]) -> tuple[StatusEntry, ...]:
        """Entries like those ``wanted`` for a new credential of the DID ``owner``, with indices and lists of their own.

        Raises ``FormatError`` for a purpose that no lists are kept for, ``StoreError`` (``status_list_full``) beyond ``MAX_STATUS_LISTS``.
        """
        for entry in wanted:
            if entry.purpose not in frozenset(StatusPurpose):
                raise FormatError("no lists are kept for this purpose", where="/options/credentialStatus", hint=f"There are {', '.join(StatusPurpose)}")
            if (entry.purpose == StatusPurpose.MESSAGE) is not bool(entry.messages):
                raise FormatError("messages go with the purpose message, and it with them", where="/options/credentialStatus", code="MALFORMED_VALUE_ERROR")
        with self._lock:
            return tuple(self._entry(owner, entry) for entry in wanted)

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

    def update(self, credential_id: str, purpose: str, value: int, *, index: str | None = None, list_url: str | None = None) -> None:
        """Set one status. Raises ``ResolutionError`` (``NOT_FOUND``) if the credential has no such entry, ``FormatError`` (``RANGE_ERROR``) for a
        value that does not fit it, and for what cannot be undone."""
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
                if value >= 1 << entry.size:
                    raise FormatError(f"the status has {entry.size} bits", where="/status", code="RANGE_ERROR")
                if not value and purpose not in _REVERSIBLE and kept.values.get(entry.index):
                    # Bitstring Status List 1.0 §2.2.
                    raise FormatError(f"the status {purpose} is not reversible", where="/status", code="MALFORMED_VALUE_ERROR")
                kept.values = kept.values.with_status({entry.index: value})
                kept.signed = None

    def document(self, url: str) -> bytes | None:
        """The status list credential published at ``url``; ``None`` if there is none."""
        with self._lock:
            kept = self._lists.get(url)
            if kept is None:
                return None
            now = self._clock()
            if kept.signed is None or kept.signed_at is None or now - kept.signed_at > _SIGNED_AGAIN:
                kind, until = kept.kind, now + _VALID_FOR
                messages = kind.messages or None
                document = build_status_list_credential(
                    kind.owner, kept.url, kind.purpose, kept.values, valid_from=now, valid_until=until, ttl=TIME_TO_LIVE, messages=messages
                )
                kept.signed, kept.signed_at = strict_json.dumps(self._sign(kind.owner, document)), now
            return kept.signed

    def _entry(self, owner: str, wanted: StatusEntry) -> StatusEntry:
        kind = _Kind(owner, str(wanted.purpose), wanted.size, wanted.messages)
        kept = self._lists.get(self._current.get(kind, ""))
        # Indices are drawn at random, which is quick while many are free.
        if kept is None or kept.used >= MIN_STATUS_LIST_ENTRIES * 3 // 4:
            kept = self._begin(kind)
        (index,) = indices.draw(kept.allocated, MIN_STATUS_LIST_ENTRIES, 1, self._random)
        kept.used += 1
        return replace(wanted, purpose=kind.purpose, index=index, list_url=kept.url)

    def _begin(self, kind: _Kind) -> _List:
        if len(self._lists) >= MAX_STATUS_LISTS:
            raise StoreError(f"there are {MAX_STATUS_LISTS} status lists already", code="status_list_full")
        # Never a name that an earlier run may have given: its lists are gone, and a new one would say that nothing was revoked.
        url = f"{self._base_url}/status/{self._random(_NAME_BYTES).hex()}/{kind.purpose}"
        kept = self._lists[url] = _List(url, kind, StatusList.empty(status_size=kind.size))
        self._current[kind] = url
        return kept
