"""An issuer's status lists: one for each purpose of a set of credentials, each logged at every change."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import ConflictError
from did_health.health.status_messages import MESSAGE_BITS, MESSAGES
from did_health.ledger.entry import Kind, subject_of
from did_health.limits import MAX_RESPONSE_BYTES, MIN_STATUS_LIST_ENTRIES
from did_health.roles.evidence import Need
from did_health.roles.institution import Institution
from did_health.roles.register import Register, StatusChange, StatusListState
from did_health.vc.credential import Credential
from did_health.vc.status import StatusEntry, StatusList, StatusListCredential, StatusPurpose, build_status_list_credential

LIST_SIZE: Final = MIN_STATUS_LIST_ENTRIES
TIME_TO_LIVE: Final = timedelta(minutes=5)
PURPOSES: Final = (StatusPurpose.REVOCATION, StatusPurpose.SUSPENSION, StatusPurpose.MESSAGE)
"""What a set has lists for unless its issuer says otherwise, once for all; the fourth purpose, refresh, is for issuers that offer newer credentials."""

_ATTEMPTS: Final = 5
_BITS: Final = MappingProxyType({StatusPurpose.MESSAGE: MESSAGE_BITS})


class StatusPublisher:
    """Keeps one set of status lists current: in the register first, then on the ledger, then at their URLs.

    Whatever a crash cut off between these is made up for by ``publish``, which ``open`` calls.
    """

    __slots__ = ("_institution", "_parsed", "_purposes", "_register", "_suite", "_templates", "url")

    def __init__(self, institution: Institution, register: Register, suite: str, purposes: Sequence[StatusPurpose] | None = None, number: int = 1) -> None:
        self._institution, self._register, self._suite, self._purposes = institution, register, suite, purposes
        self.url = f"{institution.base_url}/status/{number}"
        self._templates: list[JSONObject] = []
        # Whoever asks for one value asks for thousands: what was read last of each list is kept.
        self._parsed: dict[str, tuple[bytes, StatusList]] = {}

    def open(self) -> None:
        """Make the lists that the set has not yet, and publish whatever is not published. A purpose that the set had before stays in it."""
        present = self._register.status_lists(f"{self.url}/")
        wanted = self._purposes if self._purposes is not None else () if present else PURPOSES
        if absent := [purpose for purpose in wanted if self._list_url(purpose) not in present]:
            self.require_possible()
            now = self._institution.clock()
            empty = {purpose: StatusList.empty(LIST_SIZE, _BITS.get(purpose, 1)) for purpose in absent}
            lists = [StatusListState(self._list_url(purpose), 1, self._signed(purpose, bits, now)) for purpose, bits in empty.items()]
            self._register.change((), lists)
        self._templates = [self._template(purpose) for purpose in StatusPurpose if purpose in wanted or self._list_url(purpose) in present]
        self.publish()

    @property
    def purposes(self) -> tuple[StatusPurpose, ...]:
        """What there are lists for."""
        return tuple(StatusPurpose(template["statusPurpose"]) for template in self._templates)

    def entries(self, index: int) -> list[JSONObject]:
        """The ``credentialStatus`` of the credential with that index, without ``id``s, which nobody needs."""
        text = str(index)
        entries = [template | {"statusListIndex": text} for template in self._templates]
        for entry in entries:
            if "statusMessage" in entry:
                # Whoever changes one credential must not change the others.
                entry["statusMessage"] = [dict(item) for item in entry["statusMessage"]]
        return entries

    def _template(self, purpose: StatusPurpose) -> JSONObject:
        messages = MESSAGES if purpose is StatusPurpose.MESSAGE else ()
        entry = StatusEntry(purpose, 0, self._list_url(purpose), _BITS.get(purpose, 1), messages).to_json()
        del entry["id"]
        return entry

    def value(self, purpose: StatusPurpose, index: int) -> int:
        """The present value of one entry, by the register."""
        return self._list(self._register.status_lists(f"{self.url}/")[self._list_url(purpose)]).get(index)

    def values(self, indices: Sequence[int]) -> dict[StatusPurpose, list[int]]:
        """The present values of several entries in every list, by the register."""
        current = self._register.status_lists(f"{self.url}/")
        lists = {purpose: self._list(current[self._list_url(purpose)]) for purpose in self.purposes}
        return {purpose: [bits.get(index) for index in indices] for purpose, bits in lists.items()}

    def change(self, values: Mapping[StatusPurpose, int], indices: Sequence[int], changes: Sequence[StatusChange]) -> None:
        """Set ``values`` at ``indices``, record why, log and publish the lists that changed.

        Raises ``ConflictError`` if another process changed them first, or rotated the institution's keys; nothing was written then.
        """
        self.require_possible()
        now = self._institution.clock()
        current = self._register.status_lists(f"{self.url}/")
        lists = []
        for purpose, value in values.items():
            url = self._list_url(purpose)
            updated = self._list(current[url]).with_status(dict.fromkeys(indices, value))
            lists.append(StatusListState(url, current[url].version + 1, self._signed(purpose, updated, now)))
        self._register.change(changes, lists)
        self.publish()

    def require_possible(self) -> None:
        """Raises unless the ledger would admit lists now; see ``Institution.require_current_key``."""
        self._institution.require_current_key()

    def publish(self) -> None:
        """Log and publish every list of the register that is not the newest on the ledger.

        Raises ``ConflictError`` if other processes logged others again and again in the meantime.
        """
        for attempt in range(_ATTEMPTS):
            try:
                self._log_pending()
                break
            except ConflictError:
                if attempt == _ATTEMPTS - 1:
                    raise
        ledger = self._institution.ledger
        for url, state in self._register.status_lists(f"{self.url}/").items():
            if ledger.fetch(Need(url, MAX_RESPONSE_BYTES)) != state.document:
                ledger.publish(url, state.document)

    def _log_pending(self) -> None:
        # The ledger is read before the register. An older list can then never be logged after a newer one of another process: its entry
        # would follow one that is not the newest any more, and be refused.
        institution = self._institution
        latest = {url: institution.ledger.latest(subject_of(Kind.STATUS_LIST, url)) for url in self._register.status_lists(f"{self.url}/")}
        pending = []
        for url, state in self._register.status_lists(f"{self.url}/").items():
            known = latest.get(url)
            if known is None or known.parsed.content != hashlib.sha256(state.document).digest():
                pending.append(institution.entry_after(known, Kind.STATUS_LIST, subject_of(Kind.STATUS_LIST, url), state.document))
        if pending:
            institution.submit(*pending)

    def _list_url(self, purpose: StatusPurpose) -> str:
        return f"{self.url}/{purpose}"

    def _list(self, state: StatusListState) -> StatusList:
        known, status_list = self._parsed.get(state.url, (b"", None))
        if status_list is None or known != state.document:
            status_list = StatusListCredential.parse(Credential.parse(state.document)).status_list
            self._parsed[state.url] = state.document, status_list
        return status_list

    def _signed(self, purpose: StatusPurpose, status_list: StatusList, now: datetime) -> bytes:
        document = build_status_list_credential(
            self._institution.did,
            self._list_url(purpose),
            purpose,
            status_list,
            valid_from=now,
            ttl=TIME_TO_LIVE,
            messages=MESSAGES if purpose is StatusPurpose.MESSAGE else None,
        )
        return strict_json.dumps(self._institution.secured(document, created=now, suite=self._suite))
