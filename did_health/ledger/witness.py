"""Witnesses: who cosigns that a log only ever grew, and how a log asks them.

A witness remembers the latest checkpoint it cosigned for each log, durably, before the cosignature leaves it. That is also what tells a
log, whose database was restored from an old copy, that it must not sign.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from did_health.errors import ConflictError, DidHealthError, EdgeError, FormatError, StoreError, VerificationError
from did_health.keys.base import Signer
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import cosign, cosigner_key
from did_health.tlog.merkle import Tree
from did_health.tlog.note import Signature, SignedNote, VerifierKey
from did_health.tlog.witness_protocol import AddCheckpoint, WitnessRefusal, WitnessState, add_checkpoint

_ATTEMPTS: Final = 3
_CONFLICT: Final = 409


class WitnessStore(Protocol):
    """Where a witness keeps its states. Durable when ``swap`` returns; safe for several threads and processes."""

    def read(self, origin: str) -> WitnessState:
        """The state for a log; the empty tree if there is none yet. Raises ``StoreError``."""

    def swap(self, origin: str, old: WitnessState, new: WitnessState) -> None:
        """Replace ``old`` by ``new``; raises ``ConflictError``, changing nothing, if ``old`` is not what is kept."""


class Cosigner(Protocol):
    """A witness as a log sees it, in this process or behind a URL."""

    @property
    def key(self) -> VerifierKey:
        """Its verifier key (type 0x04), which holds its name."""

    def latest(self, origin: str) -> WitnessState:
        """What it last saw of a log. Raises ``EdgeError`` if that cannot be told."""

    def add_checkpoint(self, request: AddCheckpoint, *, now: datetime) -> Signature:
        """Its cosignature. Raises ``WitnessRefusal`` or ``EdgeError``."""


class Witness:
    """A witness with its own key and its own memory. ``known_logs`` gives the trusted keys by origin."""

    __slots__ = ("_known_logs", "_signer", "_store", "key")

    def __init__(self, name: str, signer: Signer, store: WitnessStore, known_logs: Mapping[str, Collection[VerifierKey]]) -> None:
        self.key = cosigner_key(name, signer.public_key)
        self._signer, self._store, self._known_logs = signer, store, known_logs

    def latest(self, origin: str) -> WitnessState:
        return self._store.read(origin)

    def add_checkpoint(self, request: AddCheckpoint, *, now: datetime) -> Signature:
        """C2SP tlog-witness: decide, remember, and only then cosign. The same checkpoint again is cosigned anew: the heartbeat."""
        origin = Checkpoint.parse(request.note.text).origin
        old = self._store.read(origin)
        self._store.swap(origin, old, add_checkpoint(request, self._known_logs, old))
        return cosign(request.note, self.key.name, self._signer, int(now.timestamp()))


@dataclass(frozen=True, slots=True)
class Cosigning:
    """A note with the cosignatures that could be had, and why the other witnesses gave none, by name."""

    note: SignedNote
    failures: Mapping[str, DidHealthError]


def ask(witnesses: Iterable[Cosigner], origin: str, *, needed: int) -> dict[str, WitnessState]:
    """What each witness last saw, by name. Raises ``StoreError`` (``quorum_not_met``) if fewer than ``needed`` answer.

    Everything published was seen by a quorum, and two quorums share a witness: whoever heard a quorum heard of everything published.
    """
    states: dict[str, WitnessState] = {}
    last: EdgeError | None = None
    for witness in witnesses:
        try:
            states[witness.key.name] = witness.latest(origin)
        except EdgeError as error:
            last = error
    if len(states) < needed:
        raise too_few(len(states), needed, "Try again when they are back; nothing was written") from last
    return states


def require_no_rollback(tree: Tree, states: Mapping[str, WitnessState]) -> None:
    """Raises ``StoreError`` if a witness is ahead of ``tree`` (``ledger_rolled_back``) or saw another one (``ledger_forked``).

    Signing in either case would make a second history.
    """
    hint = "Recover the log from a mirror or a newer copy; nothing was signed"
    for name, state in states.items():
        if state.size > tree.size:
            raise StoreError(f"the ledger's database has {tree.size} entries, and witness {name} has seen {state.size}", hint=hint, code="ledger_rolled_back")
        if tree.root(state.size) != state.root:
            raise StoreError(f"the ledger's database is not what witness {name} has seen", hint=hint, code="ledger_forked")


def collect(note: SignedNote, tree: Tree, witnesses: Sequence[Cosigner], *, now: datetime) -> Cosigning:
    """Ask every witness to cosign ``note``, a signed checkpoint of ``tree`` or of an earlier size of it."""
    checkpoint = Checkpoint.parse(note.text)
    cosignatures: list[Signature] = []
    failures: dict[str, DidHealthError] = {}
    for witness in witnesses:
        for _ in range(_ATTEMPTS):
            try:
                cosignatures.append(_cosignature(note, checkpoint, tree, witness, now))
                failures.pop(witness.key.name, None)
                break
            except (VerificationError, FormatError, EdgeError) as error:
                failures[witness.key.name] = error
                if not _was_overtaken(error):
                    break
    return Cosigning(note.with_signatures(cosignatures), failures)


def _cosignature(note: SignedNote, checkpoint: Checkpoint, tree: Tree, witness: Cosigner, now: datetime) -> Signature:
    old = witness.latest(checkpoint.origin).size
    if old > checkpoint.size:
        raise VerificationError("the witness has seen a newer checkpoint", code="checkpoint_superseded")
    return witness.add_checkpoint(AddCheckpoint(old, tree.consistency_proof(old, checkpoint.size), note), now=now)


def _was_overtaken(error: DidHealthError) -> bool:
    """Whether the witness's state moved between asking for it and using it, because another process of the log asked it, too."""
    return isinstance(error, ConflictError) or (isinstance(error, WitnessRefusal) and error.status == _CONFLICT)


def too_few(found: int, needed: int, hint: str) -> StoreError:
    """The error for a quorum that was missed."""
    return StoreError(f"of the {needed} witnesses needed {found} answered", hint=hint, code="quorum_not_met")
