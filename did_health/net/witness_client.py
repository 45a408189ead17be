"""A witness behind a URL, C2SP tlog-witness v1.0.0, as a log sees it; implements ``did_health.ledger.witness.Cosigner``.

What a server says is checked before it is used: a cosignature is verified under the witness's key, and so is the checkpoint that the
monitoring prefix shows. An answer that was lost does no harm, for the same checkpoint again is the heartbeat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from did_health.errors import DidHealthError, FormatError, TransportError, VerificationError
from did_health.limits import MAX_COSIGNATURE_SKEW_SECONDS, MAX_NOTE_BYTES
from did_health.net.exchange import Answer, HTTPExchange
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import cosignature_time, verified_cosignatures
from did_health.tlog.note import Signature, SignatureType, SignedNote, VerifierKey, verify_line
from did_health.tlog.witness_policy import WitnessPolicy
from did_health.tlog.witness_protocol import (
    SIZE_CONTENT_TYPE,
    AddCheckpoint,
    WitnessRefusal,
    WitnessState,
    monitoring_path,
    parse_conflict,
    parse_cosignatures,
)

Prover: TypeAlias = Callable[[int, int], Sequence[bytes]]
"""The consistency proof between two sizes of the log; raises ``ValueError`` for sizes that the log does not have."""

_REQUEST_TYPE: Final = "text/plain; charset=utf-8"
_MAX_WORDS: Final = 200
_PROBE_ATTEMPTS: Final = 3
_OK: Final = 200
_CONFLICT: Final = 409
_NOTHING: Final = frozenset({404, 410})
_REFUSALS: Final = frozenset({400, 403, 404, _CONFLICT, 422})
"""What C2SP tlog-witness lets a witness refuse with; any other status is a server that does not answer."""


class HTTPCosigner:
    """The witness with verifier key ``key`` (type 0x04) below ``url``, its submission prefix.

    ``monitoring_url`` is its monitoring prefix, by default the same. With ``prove``, a request that the witness finds out of date is
    sent again with a proof from the size that it names; without, that is a ``WitnessRefusal`` of status 409, as every other refusal.
    Safe for several threads; ``exchange`` is closed by whoever made it.
    """

    def __init__(self, key: VerifierKey, url: str, exchange: HTTPExchange, *, monitoring_url: str | None = None, prove: Prover | None = None) -> None:
        if key.type is not SignatureType.COSIGNATURE:
            raise ValueError("a witness that is asked has an Ed25519 cosignature key (type 0x04)")
        self._key = key
        self._submission = url.rstrip("/")
        self._monitoring = (monitoring_url or url).rstrip("/")
        self._exchange = exchange
        self._prove = prove

    @property
    def key(self) -> VerifierKey:
        return self._key

    def latest(self, origin: str) -> WitnessState:
        """What the witness shows under its monitoring prefix; the empty tree if it shows nothing of this log.

        It may be older than what it would answer with 409 (C2SP lets an hour pass). Raises ``TransportError``, also for an answer that
        the witness did not cosign or that is about another log.
        """
        note = self.shown(origin)
        if note is None:
            return WitnessState()
        checkpoint = Checkpoint.parse(note.text)
        return WitnessState(checkpoint.size, checkpoint.root)

    def shown(self, origin: str) -> SignedNote | None:
        """The checkpoint of ``latest`` with its signatures, of which only the witness's own is verified; ``None`` if it shows none."""
        answer = self._exchange.get(f"{self._monitoring}/{monitoring_path(origin)}", max_bytes=MAX_NOTE_BYTES)
        if answer.status in _NOTHING:
            return None
        if answer.status != _OK:
            raise self._failed(answer)
        try:
            note = SignedNote.parse(answer.body)
            checkpoint = Checkpoint.parse(note.text)
            cosigned = verified_cosignatures(note, [self._key])
        except (FormatError, VerificationError) as error:
            raise self._unusable(f"its latest checkpoint is not acceptable: {error.what}") from error
        if checkpoint.origin != origin or not cosigned:
            raise self._unusable("its latest checkpoint is of another log, or lacks its cosignature")
        return note

    def add_checkpoint(self, request: AddCheckpoint, *, now: datetime) -> Signature:
        """The witness's cosignature of the request's checkpoint, verified.

        Raises ``WitnessRefusal`` with the witness's status, ``TransportError`` for everything else: no answer in time, an answer that
        is none, a cosignature that is not its own or is of another note or of a future time.
        """
        size = Checkpoint.parse(request.note.text).size
        tried = set[int]()
        while True:
            tried.add(request.old_size)
            answer = self._exchange.post(f"{self._submission}/add-checkpoint", request.encode(), content_type=_REQUEST_TYPE, max_bytes=MAX_NOTE_BYTES)
            if answer.status == _OK:
                return self._cosignature(answer, request.note, now)
            refusal = self._refusal(answer)
            recorded = parse_conflict(refusal.body.encode()) if refusal.status == _CONFLICT else size + 1
            # A size that was tried is one whose root differs, or a witness that changes its mind: neither is helped by asking on.
            if self._prove is None or recorded > size or recorded in tried or len(tried) == _PROBE_ATTEMPTS:
                raise refusal
            request = AddCheckpoint(recorded, tuple(self._prove(recorded, size)), request.note)

    def _cosignature(self, answer: Answer, note: SignedNote, now: datetime) -> Signature:
        """Ours among the lines; lines of unknown keys are ignored (§ add-checkpoint), and of several of ours the newest is taken."""
        try:
            ours = [line for line in parse_cosignatures(answer.body) if (line.name, line.key_id) == (self._key.name, self._key.key_id)]
            for line in ours:
                verify_line(note, self._key, line)
            newest = max(ours, key=cosignature_time, default=None)
        except (FormatError, VerificationError) as error:
            raise self._unusable(f"its cosignature is not acceptable: {error.what}") from error
        if newest is None:
            raise self._unusable("there is no cosignature of its own in the answer")
        if cosignature_time(newest) > now.timestamp() + MAX_COSIGNATURE_SKEW_SECONDS:
            raise self._unusable("its cosignature is of a future time, which nobody would count")
        return newest

    def _refusal(self, answer: Answer) -> WitnessRefusal:
        if answer.status not in _REFUSALS:
            raise self._failed(answer)
        if answer.status != _CONFLICT:
            # A stranger's words: bounded, and only what can be printed.
            words = "".join(filter(str.isprintable, answer.body[:_MAX_WORDS].decode("utf-8", "replace"))).strip()
            return WitnessRefusal(answer.status, f"witness {self._key.name} refuses with status {answer.status}: {words or 'no reason'}")
        try:
            recorded = parse_conflict(answer.body)
        except FormatError as error:
            raise self._unusable(f"it has a conflict and does not say with which size: {error.what}") from error
        if answer.content_type != SIZE_CONTENT_TYPE:
            raise self._unusable(f"it has a conflict, and its size is not of the type {SIZE_CONTENT_TYPE}")
        what = f"witness {self._key.name} has recorded size {recorded}, or another root of it"
        return WitnessRefusal(_CONFLICT, what, body=f"{recorded}\n", content_type=SIZE_CONTENT_TYPE)

    def _failed(self, answer: Answer) -> DidHealthError:
        hint = "It is busy: try again later" if answer.retry_after or answer.status == 429 else ""
        return TransportError(f"witness {self._key.name} answers with status {answer.status}", hint=hint, code="unexpected_status")

    def _unusable(self, why: str) -> DidHealthError:
        return TransportError(f"the answer of witness {self._key.name} is of no use: {why}", code="malformed_response")


def witnesses_of(policy: WitnessPolicy, exchange: HTTPExchange) -> dict[str, HTTPCosigner]:
    """The witnesses that count under a policy and whose URL it has, by their names in it."""
    counted = frozenset(policy.cosigner_names)
    keys = {one.name: (policy.cosigner_key(one.name), one.url) for one in policy.witnesses if one.url and one.name in counted}
    return {name: HTTPCosigner(key, url, exchange) for name, (key, url) in keys.items() if key.type is SignatureType.COSIGNATURE}
