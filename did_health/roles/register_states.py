"""The state of issued credentials as the issuer's own register has it."""

from __future__ import annotations

from collections.abc import Callable

from did_health.health.status_messages import Message
from did_health.roles.register import IssuedCredential, Register
from did_health.vc.credential import Credential
from did_health.vc.status import StatusList, StatusListCredential, StatusPurpose


def states(register: Register) -> Callable[[IssuedCredential], str]:
    """A function that gives ``active``, ``suspended``, ``revoked`` or the board's message in words; each list is read once."""
    lists: dict[str, StatusList] = {}

    def value(row: IssuedCredential, purpose: StatusPurpose) -> int:
        if row.status_set not in opened:
            opened.add(row.status_set)
            for url, state in register.status_lists(f"{row.status_set}/").items():
                lists[url] = StatusListCredential.parse(Credential.parse(state.document)).status_list
        found = lists.get(f"{row.status_set}/{purpose}")
        return found.get(row.index) if found is not None else 0

    def state(row: IssuedCredential) -> str:
        if message := value(row, StatusPurpose.MESSAGE):
            return Message(message).words
        if value(row, StatusPurpose.REVOCATION):
            return "revoked"
        return "suspended" if value(row, StatusPurpose.SUSPENSION) else "active"

    opened: set[str] = set()
    return state
