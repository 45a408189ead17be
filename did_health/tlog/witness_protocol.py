"""What a witness is asked and answers, C2SP tlog-witness v1.0.0: the request, the decision and the reply, without the HTTP around it.

The decision is pure. Whoever calls it must store the new state before replying, by compare-and-swap on the old one: otherwise two
requests at once could roll the witness back (§ add-checkpoint).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Final

from did_health.errors import FormatError, VerificationError
from did_health.limits import MAX_NOTE_BYTES, MAX_NOTE_SIGNATURES, MAX_PROOF_HASHES
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.lines import hash_lines, parse_decimal, parse_hash, utf8
from did_health.tlog.merkle import EMPTY_ROOT, verify_consistency
from did_health.tlog.note import Signature, SignedNote, VerifierKey, open_note

SIZE_CONTENT_TYPE: Final = "text/x.tlog.size"
"""Content type of the reply 409, whose body is the recorded size."""
_MAX_HEAD_BYTES: Final = 64 * (MAX_PROOF_HASHES + 1)
"""No line of the request's head is longer than 45 bytes."""


class WitnessRefusal(VerificationError):
    """The witness does not cosign: the HTTP ``status``, the ``body`` to reply and its ``content_type``."""

    default_code: ClassVar[str] = "witness_refused"

    def __init__(self, status: int, what: str, *, body: str = "", content_type: str = "text/plain; charset=utf-8") -> None:
        super().__init__(what)
        self.status = status
        self.body = body or f"{what}\n"
        self.content_type = content_type

    @classmethod
    def malformed(cls, error: FormatError) -> WitnessRefusal:
        """The refusal of a request that does not parse: 400, or 403 where only a signature is spelt wrongly, for then none verifies."""
        return cls(403, f"invalid signature: {error.what}") if error.code == "note_signature_malformed" else cls(400, error.what)


@dataclass(frozen=True, slots=True)
class WitnessState:
    """The latest checkpoint that a witness cosigned for one origin; at first the empty tree."""

    size: int = 0
    root: bytes = EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """The body of ``POST <prefix>/add-checkpoint``: cosign ``note``, consistent by ``proof`` with the tree of ``old_size``."""

    old_size: int
    proof: tuple[bytes, ...]
    note: SignedNote

    @classmethod
    def parse(cls, data: bytes) -> AddCheckpoint:
        """Read a request body; it has one spelling. Raises ``FormatError``, for ``WitnessRefusal.malformed``."""
        if len(data) > MAX_NOTE_BYTES + _MAX_HEAD_BYTES:
            raise FormatError("the request is too long")
        head, separator, note = data.partition(b"\n\n")
        old, *hashes = utf8(head, "request").split("\n")
        if not separator or not old.startswith("old "):
            raise FormatError("the request does not start with the old size, or has no checkpoint")
        if len(hashes) > MAX_PROOF_HASHES:
            raise FormatError(f"the request has more than {MAX_PROOF_HASHES} proof lines")
        old_size = parse_decimal(old.removeprefix("old "), "old size")
        return cls(old_size, tuple([parse_hash(line, "request's proof line") for line in hashes]), SignedNote.parse(note))

    def encode(self) -> bytes:
        """The request body."""
        return f"old {self.old_size}\n{hash_lines(self.proof)}\n".encode() + self.note.encode()


def add_checkpoint(request: AddCheckpoint, known_logs: Mapping[str, Collection[VerifierKey]], state: WitnessState) -> WitnessState:
    """Decide on a request; ``known_logs`` gives the trusted keys of each origin, ``state`` what is recorded for the request's origin.

    Returns the state to record before the checkpoint is cosigned. The same size and root again is allowed: the heartbeat of a
    quiet log. The order of the checks is that of § add-checkpoint. Raises ``FormatError`` (400) for a note that is no checkpoint,
    and ``WitnessRefusal`` with 404 (unknown origin), 403 (no trusted signature), 400 (old size above the new one), 409 (old size is
    not the recorded one, or another root of the same size) or 422 (bad consistency proof).
    """
    checkpoint = Checkpoint.parse(request.note.text)
    keys = known_logs.get(checkpoint.origin)
    if not keys:
        raise WitnessRefusal(404, "unknown log: this witness does not follow the origin")
    try:
        open_note(request.note, keys)
    except VerificationError as error:
        raise WitnessRefusal(403, "invalid signature: no trusted key of the log signed the checkpoint") from error
    if request.old_size > checkpoint.size:
        raise WitnessRefusal(400, "the old size is larger than the checkpoint's")
    if request.old_size != state.size:
        raise _conflict(state, "the old size is not the one this witness recorded")
    if request.old_size == checkpoint.size and checkpoint.root != state.root:
        raise _conflict(state, "this witness recorded another root of the same size")
    if request.old_size == 0:
        # Everything extends the empty tree, so there is nothing to prove; an empty tree has one root (that case is above).
        if request.proof:
            raise WitnessRefusal(422, "a consistency proof from size 0 is empty")
    else:
        try:
            verify_consistency(state.size, state.root, checkpoint.size, checkpoint.root, request.proof)
        except VerificationError as error:
            raise WitnessRefusal(422, "the consistency proof does not verify") from error
    return WitnessState(checkpoint.size, checkpoint.root)


def encode_cosignatures(cosignatures: Iterable[Signature]) -> bytes:
    """The body of the reply 200: cosignature lines."""
    return "".join([signature.encode() for signature in cosignatures]).encode()


def parse_cosignatures(body: bytes) -> tuple[Signature, ...]:
    """The lines of a reply 200, unverified. Raises ``FormatError``."""
    lines = utf8(body, "witness's reply").split("\n", MAX_NOTE_SIGNATURES)
    if lines.pop() or not lines or len(body) > MAX_NOTE_BYTES:
        raise FormatError("the witness's reply is not some signature lines")
    return tuple([Signature.parse(line) for line in lines])


def parse_conflict(body: bytes) -> int:
    """The recorded size in the body of a reply 409. Raises ``FormatError``."""
    text = utf8(body, "witness's reply")
    if not text.endswith("\n"):
        raise FormatError("the witness's reply is not a size and a newline")
    return parse_decimal(text[:-1], "witness's recorded size")


def monitoring_path(origin: str) -> str:
    """Where a witness shows its latest cosigned checkpoint of a log, below its monitoring prefix: ``<hex SHA-256(origin)>/checkpoint``."""
    return f"{sha256(origin.encode()).hexdigest()}/checkpoint"


def _conflict(state: WitnessState, what: str) -> WitnessRefusal:
    return WitnessRefusal(409, what, body=f"{state.size}\n", content_type=SIZE_CONTENT_TYPE)
