"""Bundles that prove "this is the newest entry of this subject", or "this subject has none", under a witnessed checkpoint.

A bundle is deterministic CBOR with integer keys:

| key | value |
|---|---|
| 1 | version = 1 |
| 2 | the map proof (``MapProof``), as a byte string |
| 3 | the index of the map head's leaf: the checkpoint's size - 1 |
| 4 | the hashes that lead from that leaf to the log's root, sibling first, side by side |
| 5 | ``[seq, prev, time, signature, map root, key count]``: what is not known of the map head's entry and document otherwise |
| 6 | the checkpoint, a signed note with its cosignatures |
| 7 | ``[index, entry, flags]``: the newest entry, its place in the log, its flags in the map; null if there is none |

The head's entry is not there in full because its kind, subject, author and content follow from the origin and the document (see
``map_head``): that saves 150 bytes of every bundle. Its own signature is not checked: the checkpoint, signed with the same key, commits to it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from did_health.encoding import cbor
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.ledger.entry import HASH_BYTES, Entry
from did_health.ledger.map_head import NO_FLAGS, LoggedHead, MapHead, map_value, unsigned_head
from did_health.limits import MAX_LATEST_BUNDLE_BYTES, MAX_PROOF_HASHES, MAX_TREE_SIZE
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import leaf_hash, verify_inclusion
from did_health.tlog.note import SignedNote
from did_health.tlog.prefix_map import MapProof
from did_health.tlog.witness_policy import VerifiedCheckpoint, WitnessPolicy

VERSION: Final = 1
_KEYS: Final = frozenset(range(1, 8))


@dataclass(frozen=True, slots=True)
class NewestEntry:
    """A subject's newest entry as a bundle says it: its bytes, its index among the leaves, its flags in the map."""

    index: int
    entry: bytes
    flags: int = NO_FLAGS

    @property
    def parsed(self) -> Entry:
        """The entry's fields."""
        return Entry.parse(self.entry)


@dataclass(frozen=True, slots=True)
class VerifiedLatest:
    """What a bundle proved of ``subject`` (32 bytes): its newest entry and its index, or None for both; and the checkpoint under which it is so."""

    subject: bytes
    entry: Entry | None
    index: int | None
    checkpoint: VerifiedCheckpoint

    @property
    def timestamp(self) -> int | None:
        """The POSIX second for which it is proved (see ``VerifiedCheckpoint``); ``None`` where the policy asks for no witness."""
        return self.checkpoint.timestamp


@dataclass(frozen=True, slots=True)
class LatestBundle:
    """Unverified: the parts of a bundle. ``seq``, ``prev``, ``time`` and ``signature`` are those of the head's entry."""

    proof: MapProof
    head_index: int
    head_path: tuple[bytes, ...]
    seq: int
    prev: bytes | None
    time: int
    signature: bytes
    root: bytes
    count: int
    checkpoint: SignedNote
    newest: NewestEntry | None

    @classmethod
    def of(
        cls, proof: MapProof, head: LoggedHead, head_path: tuple[bytes, ...], checkpoint: SignedNote, newest: NewestEntry | None
    ) -> LatestBundle:
        """Put together by a log: ``proof`` under the map of ``head``, which ``head_path`` proves to be the last leaf under ``checkpoint``."""
        entry, document = head.entry, head.head
        return cls(
            proof, document.size, head_path, entry.seq, entry.prev, entry.time, entry.signature, document.root, document.count, checkpoint, newest
        )

    @classmethod
    def parse(cls, data: bytes) -> LatestBundle:
        """Read a bundle in the form that the module's text gives. Raises ``FormatError``, ``UnsupportedError`` for another version."""
        value = cbor.loads(data, what="latest bundle", max_bytes=MAX_LATEST_BUNDLE_BYTES)
        if not isinstance(value, dict) or any(type(key) is not int for key in value) or 1 not in value:
            raise FormatError("the latest bundle is not a map with integer keys and a version")
        if type(value[1]) is not int:
            raise FormatError("the version of the latest bundle is not an integer", where="key 1")
        if value[1] != VERSION:
            raise UnsupportedError("the latest bundle is of another version", where="key 1", hint="A newer did-health may read it")
        if value.keys() != _KEYS:
            raise FormatError("a latest bundle has exactly the keys 1 to 7")
        proof, index, path, head, note, newest = (value[key] for key in (2, 3, 4, 5, 6, 7))
        if type(proof) is not bytes or type(path) is not bytes or type(note) is not bytes:
            raise FormatError("the proofs and the checkpoint of a latest bundle are byte strings")
        if type(index) is not int or not 0 <= index < MAX_TREE_SIZE:
            raise FormatError("the index of the map head is not one of a log", where="key 3")
        if len(path) % HASH_BYTES or len(path) > MAX_PROOF_HASHES * HASH_BYTES:
            raise FormatError("the path of the map head is not a row of hashes", where="key 4")
        checkpoint = SignedNote.parse(note)
        Checkpoint.parse(checkpoint.text)
        hashes = tuple([path[at : at + HASH_BYTES] for at in range(0, len(path), HASH_BYTES)])
        return cls(MapProof.parse(proof), index, hashes, *_parse_head(head), checkpoint, _parse_newest(newest))

    def encode(self) -> bytes:
        """The bundle's one encoding."""
        newest = [self.newest.index, self.newest.entry, self.newest.flags] if self.newest else None
        head = [self.seq, self.prev, self.time, self.signature, self.root, self.count]
        return cbor.dumps({
            1: VERSION, 2: self.proof.encode(), 3: self.head_index, 4: b"".join(self.head_path), 5: head, 6: self.checkpoint.encode(), 7: newest,
        })

    def verify(self, subject: bytes, policy: WitnessPolicy, *, now: int | None = None) -> VerifiedLatest:
        """Verify all of it for a ``subject`` (32 bytes) under a policy; ``now`` is in POSIX seconds.

        Raises what ``WitnessPolicy.check`` and ``verify_under`` raise. How old the checkpoint may be is for the caller to say.
        """
        return self.verify_under(subject, policy.check(self.checkpoint, now=now))

    def verify_under(self, subject: bytes, verified: VerifiedCheckpoint) -> VerifiedLatest:
        """As ``verify``, for a caller that has verified the bundle's checkpoint already: a few dozen hashes.

        Raises ``FormatError`` or ``UnsupportedError`` for an entry that is none; ``VerificationError`` with the code
        ``latest_of_another_subject``, ``map_head_not_last``, ``inclusion_proof_invalid`` (the head is not in the log),
        ``map_proof_invalid``, or ``latest_not_in_map`` (the map has another entry, or none, or has one where the bundle says that there is none).
        """
        newest = self.newest
        entry = None if newest is None else Entry.parse(newest.entry)
        if entry is not None and entry.subject != subject:
            raise VerificationError("the bundle is about another subject", code="latest_of_another_subject")
        checkpoint = verified.checkpoint
        if self.head_index != checkpoint.size - 1:
            raise VerificationError("the bundle's map head is not the last leaf of the log", code="map_head_not_last")
        # The head that Rule L wants, made here and looked for in the log: a head of another size, root or count is not found.
        wanted = unsigned_head(
            MapHead(self.head_index, self.root, self.count), checkpoint.origin, seq=self.seq, prev=self.prev, time=self.time
        )
        leaf = leaf_hash(replace(wanted, signature=self.signature).encode())
        verify_inclusion(leaf, self.head_index, checkpoint.size, self.head_path, checkpoint.root)
        value = None
        if newest is not None and entry is not None:
            value = map_value(entry.seq, newest.index, hashlib.sha256(newest.entry).digest(), entry.content, newest.flags)
        if self.proof.verify(subject, self.root) != value:
            raise VerificationError("the map does not have what the bundle says of the subject", code="latest_not_in_map")
        return VerifiedLatest(subject, entry, newest.index if newest else None, verified)


def _parse_head(head: cbor.CBOR) -> tuple[int, bytes | None, int, bytes, bytes, int]:
    if type(head) is not list or len(head) != 6:
        raise FormatError("the map head of the bundle is not an array of six items", where="key 5")
    seq, prev, time, signature, root, count = head
    if any(type(number) is not int or not 0 <= number <= MAX_TREE_SIZE for number in (seq, time, count)):
        raise FormatError("a number of the map head is not one", where="key 5")
    if (prev is None) != (seq == 0) or any(type(part) is not bytes for part in (signature, root, prev or b"")):
        raise FormatError("the map head's hashes and signature are not bytes, or only its first has no predecessor", where="key 5")
    if len(root) != HASH_BYTES or len(prev or root) != HASH_BYTES or len(signature) != 64:
        raise FormatError("a hash or signature of the map head has a wrong length", where="key 5")
    return seq, prev, time, signature, root, count


def _parse_newest(newest: cbor.CBOR) -> NewestEntry | None:
    if newest is None:
        return None
    if type(newest) is not list or len(newest) != 3:
        raise FormatError("the newest entry of the bundle is neither null nor an array of three items", where="key 7")
    index, entry, flags = newest
    if type(entry) is not bytes or any(type(number) is not int or not 0 <= number <= MAX_TREE_SIZE for number in (index, flags)):
        raise FormatError("the newest entry of the bundle is not an index, an entry and flags", where="key 7")
    return NewestEntry(index, entry, flags)
