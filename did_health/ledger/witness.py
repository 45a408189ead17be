"""Witnesses: who cosigns that a log only ever grew, and how a log asks them.

A witness remembers the latest checkpoint it cosigned for each log, durably, before the cosignature leaves it. That is also what tells a
log, whose database was restored from an old copy, that it must not sign.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Protocol, TypeAlias, TypeVar

from did_health.errors import ConflictError, DidHealthError, EdgeError, FormatError, StoreError, TransportError, VerificationError
from did_health.keys.base import Signer
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import cosign, cosigner_key
from did_health.tlog.merkle import Tree
from did_health.tlog.note import Signature, SignedNote, VerifierKey
from did_health.tlog.witness_protocol import AddCheckpoint, WitnessRefusal, WitnessState, add_checkpoint, parse_conflict

T = TypeVar("T")
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


Enough: TypeAlias = Callable[[Collection[VerifierKey]], bool]
"""Whether these witnesses suffice."""


class Asking(Protocol):
    """How several witnesses are asked the same: one after another (``in_turn``), or all at once (``stores.asking.AtOnce``)."""

    def __call__(self, questions: Mapping[VerifierKey, Callable[[], T]], enough: Enough, /) -> dict[VerifierKey, T | DidHealthError]:
        """By witness the answer, or the ``EdgeError``, ``VerificationError`` or ``FormatError`` that was raised instead.

        Whoever has not answered in time is not among them. Nobody has to be waited for once ``enough`` approves of those that
        have given an answer. A question never changes what it was asked with, so that late answers do no harm.
        """


def in_turn(questions: Mapping[VerifierKey, Callable[[], T]], _enough: Enough, /) -> dict[VerifierKey, T | DidHealthError]:
    """Ask one after another, everybody, however long it takes: for witnesses of this process."""
    answers: dict[VerifierKey, T | DidHealthError] = {}
    for witness, question in questions.items():
        try:
            answers[witness] = question()
        except (VerificationError, FormatError, EdgeError) as error:
            answers[witness] = error
    return answers


def _everybody(_witnesses: Collection[VerifierKey]) -> bool:
    return False


def ask(witnesses: Iterable[Cosigner], origin: str, *, needed: int, asking: Asking = in_turn) -> dict[str, WitnessState]:
    """What each witness last saw, by name. Raises ``StoreError`` (``quorum_not_met``) if fewer than ``needed`` answer.

    Everything published was seen by a quorum, and two quorums share a witness: whoever heard a quorum heard of everything published.
    """
    questions = {witness.key: partial(witness.latest, origin) for witness in witnesses}
    answers = asking(questions, lambda answered: len(answered) >= needed)
    states = {witness.name: answer for witness, answer in answers.items() if not isinstance(answer, DidHealthError)}
    failures = [answer for answer in answers.values() if isinstance(answer, DidHealthError)]
    if len(states) < needed:
        raise too_few(len(states), needed, "Try again when they are back; nothing was written") from (failures[-1] if failures else None)
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


def collect(
    note: SignedNote,
    tree: Tree,
    witnesses: Sequence[Cosigner],
    *,
    now: datetime,
    asking: Asking = in_turn,
    enough: Enough = _everybody,
) -> Cosigning:
    """Ask witnesses to cosign ``note``, a signed checkpoint of ``tree`` or of an earlier size of it.

    First what they last saw, then for their cosignature with the proof from there on; who was overtaken by another process of the log
    meanwhile is asked again. ``enough`` is told who answered, and says when nobody else has to be waited for.
    """
    checkpoint = Checkpoint.parse(note.text)
    asked = {witness.key: witness for witness in witnesses}
    cosignatures: dict[VerifierKey, Signature] = {}
    failures: dict[VerifierKey, DidHealthError] = {key: _silent(key) for key in asked}
    recorded: dict[VerifierKey, int] = {}
    unknown = set(asked)
    for _ in range(_ATTEMPTS):
        states = asking({key: partial(asked[key].latest, checkpoint.origin) for key in asked if key in unknown}, enough)
        failures |= {key: state for key, state in states.items() if isinstance(state, DidHealthError)}
        recorded |= {key: state.size for key, state in states.items() if not isinstance(state, DidHealthError)}
        requests = {}
        for key, old in recorded.items():
            if old > checkpoint.size:
                failures[key] = VerificationError("the witness has seen a newer checkpoint", code="checkpoint_superseded")
            else:
                # Made here and not where it is asked: the tree must not move under it.
                request = AddCheckpoint(old, tree.consistency_proof(old, checkpoint.size), note)
                requests[key] = partial(asked[key].add_checkpoint, request, now=now)
        answers = asking(requests, lambda keys: enough({*keys, *cosignatures}))
        recorded, unknown, before = {}, set(), recorded
        for key, answer in answers.items():
            if not isinstance(answer, DidHealthError):
                cosignatures[key] = answer
                del failures[key]
                continue
            failures[key] = answer
            size = _recorded_size(answer)
            if isinstance(answer, ConflictError):
                unknown.add(key)
            # The size that was proved from is another root of it: asking again does not help.
            elif size is not None and size != before[key]:
                recorded[key] = size
        if not recorded and not unknown:
            break
    return Cosigning(note.with_signatures([cosignatures[key] for key in asked if key in cosignatures]), {key.name: why for key, why in failures.items()})


def _recorded_size(error: DidHealthError) -> int | None:
    """Where a witness stands that was overtaken between our asking and its answer: another process of the log asked it, too."""
    if not isinstance(error, WitnessRefusal) or error.status != _CONFLICT:
        return None
    try:
        return parse_conflict(error.body.encode())
    except FormatError:
        return None


def _silent(witness: VerifierKey) -> DidHealthError:
    return TransportError(f"witness {witness.name} did not answer in time", code="timeout")


def too_few(found: int, needed: int, hint: str) -> StoreError:
    """The error for a quorum that was missed."""
    return StoreError(f"of the {needed} witnesses needed {found} answered", hint=hint, code="quorum_not_met")
