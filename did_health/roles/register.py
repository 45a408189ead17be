"""What an issuer remembers: every credential it issued, which status index it holds, and every change of its state, with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from did_health.health.public_listing import Lookup
from did_health.roles.decision import DecisionStore


@dataclass(frozen=True, slots=True)
class IssuedCredential:
    """One issued credential as its issuer keeps it.

    ``number`` is the number under which the issuer knows the fact (a licence number; empty where there is none), ``index`` the
    position in every list of the ``status_set`` (a URL prefix), ``document`` the secured credential as JSON bytes and ``receipt`` its
    issuance receipt as JSON bytes.
    """

    id: str
    issuer: str
    type: str
    # What says who somebody is stays out of logs and tracebacks.
    subject: str = field(repr=False)
    number: str = field(repr=False)
    status_set: str
    index: int
    issued_at: datetime
    document: bytes = field(repr=False)
    receipt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One change of one credential's status: the value set for a purpose, why, and from when. History is never overwritten."""

    credential: str
    purpose: str
    value: int
    reason: str
    order: str
    effective: datetime
    recorded: datetime


@dataclass(frozen=True, slots=True)
class StatusListState:
    """The current status list credential of one set and purpose: its entry count in the log (``version``), bits and signed document."""

    url: str
    version: int
    document: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Listed:
    """A public credential in a directory. ``position`` grows with every credential; not ``in_force`` is one that was revoked or issued anew."""

    position: int
    credential: IssuedCredential
    in_force: bool


class Register(DecisionStore, Protocol):
    """Durable when a call returns; safe for several threads and processes; changes by compare-and-swap.

    Every method raises ``StoreError`` when the store fails and ``ConflictError`` where another writer was first.
    """

    def reserve(self, status_set: str, count: int, size: int, random: Callable[[int], bytes]) -> Sequence[int]:
        """``count`` indices below ``size``, drawn at random, none of them ever given out before for this set.

        Raises ``StoreError`` with code ``status_list_full`` when fewer than ``count`` are left.
        """

    def add(self, issued: Sequence[IssuedCredential], *, superseding: Sequence[str] = ()) -> None:
        """Keep all or none, and list what is public. ``superseding`` are the ids of earlier credentials whose numbers are free from now on.

        Raises ``ConflictError`` for an id that exists, or an (issuer, type, number) under which a credential is issued and not revoked.
        """

    def get(self, credential_id: str) -> IssuedCredential | None:
        """The credential with this id."""

    def find(self, issuer: str, *, number: str | None = None, subject: str | None = None, limit: int = 100) -> Sequence[IssuedCredential]:
        """This issuer's credentials with that number or for that subject, newest first."""

    def numbers(self, issuer: str, type: str, numbers: Sequence[str]) -> frozenset[str]:  # noqa: A002  # the credential's own word
        """Those of ``numbers`` under which a credential of this type has been issued and not revoked."""

    def newest(self, issuer: str, type: str, numbers: Sequence[str]) -> Mapping[str, IssuedCredential]:  # noqa: A002
        """By number the newest credential of this type, whatever became of it; a number that was never issued is left out."""

    def listed(self, issuer: str, lookup: Lookup, *, before: int | None = None, limit: int = 100) -> Sequence[Listed]:
        """The public credentials that are looked for, newest first; with ``before`` those below that position."""

    def public(self, issuer: str, credential_id: str) -> IssuedCredential | None:
        """The credential with this id if it is public."""

    def all(self, issuer: str) -> Iterator[IssuedCredential]:
        """Every credential of this issuer in the order of issuing, read in pages (constant memory)."""

    def change(self, changes: Sequence[StatusChange], lists: Sequence[StatusListState]) -> None:
        """Record changes and the new lists in one transaction; a list is replaced only if its stored version is ``version - 1``.

        A revocation frees the credential's number: reinstatement after it is a new credential under the same number.
        """

    def history(self, credential_id: str) -> Sequence[StatusChange]:
        """All changes of one credential, oldest first."""

    def status_lists(self, status_set: str) -> Mapping[str, StatusListState]:
        """The current lists whose URL starts with ``status_set``, by URL."""
