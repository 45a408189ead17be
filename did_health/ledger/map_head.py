"""Map heads: the entries by which a log commits to its map, and what the map has for a subject (LEDGER §3).

The map has a key for every subject that has an entry, map heads apart; its value is the SHA-256 of the deterministic CBOR map
``{1: seq, 2: index among the leaves, 3: SHA-256 of the entry, 4: content hash, 5: flags}`` of the subject's last entry. Flags are 0:
none is defined yet.

Every batch ends with one entry of the kind ``map-head``. Its document is the deterministic CBOR map ``{1: "did-health/map/v1", 2: size,
3: root, 4: count}``: what the first ``size`` leaves give. Its author (key 7) is the log's origin, which signs it with the key of its
checkpoints; its subject is that of the kind ``map-head`` and the origin.

**Rule L.** A log signs a checkpoint of size N only if leaf N - 1 is a map head of size N - 1, and no head follows another. So whoever has
proved the last leaf has the map of everything before it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from did_health.encoding import cbor
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.ledger.entry import HASH_BYTES, Entry, Kind, subject_of
from did_health.limits import MAX_MAP_HEAD_BYTES, MAX_TREE_SIZE
from did_health.tlog.note import NoteSigner
from did_health.tlog.prefix_map import EMPTY_MAP_ROOT, MAP_FUNCTION

NO_FLAGS: Final = 0
"""The flags of a map value while there are none."""
_KEYS: Final = frozenset({1, 2, 3, 4})


def map_value(seq: int, index: int, digest: bytes, content: bytes, flags: int = NO_FLAGS) -> bytes:
    """What the map has for the subject of an entry: 32 bytes. ``index`` counts the log's leaves, ``digest`` is the SHA-256 of the entry.

    Raises ``ValueError`` unless ``digest`` and ``content`` have 32 bytes: a caller's mistake, since both are hashes.
    """
    if len(digest) != HASH_BYTES or len(content) != HASH_BYTES:
        raise ValueError(f"a map value is made of hashes of {HASH_BYTES} bytes")
    # The map put together by hand: it is made twice for each entry of a batch, and its shape never changes.
    parts = (b"\xa5\1", cbor.dumps(seq), b"\2", cbor.dumps(index), b"\3\x58\x20", digest, b"\4\x58\x20", content, b"\5", cbor.dumps(flags))
    return hashlib.sha256(b"".join(parts)).digest()


def head_subject(origin: str) -> bytes:
    """The subject under which a log's map heads are numbered. The map has no key for it."""
    return subject_of(Kind.MAP_HEAD, origin)


@dataclass(frozen=True, slots=True)
class MapHead:
    """The map of the first ``size`` leaves of a log: its ``root``, and ``count``, its number of keys."""

    size: int
    root: bytes
    count: int

    def encode(self) -> bytes:
        """The document of the entry."""
        return cbor.dumps({1: MAP_FUNCTION, 2: self.size, 3: self.root, 4: self.count})

    @property
    def digest(self) -> bytes:
        """SHA-256 of the document: what the entry holds."""
        return hashlib.sha256(self.encode()).digest()

    @classmethod
    def parse(cls, data: bytes) -> MapHead:
        """Read the document of a map head. Raises ``FormatError``, or ``UnsupportedError`` for a map of another function."""
        value = cbor.loads(data, what="map head", max_bytes=MAX_MAP_HEAD_BYTES)
        if not isinstance(value, dict) or any(type(key) is not int for key in value) or value.keys() != _KEYS:
            raise FormatError("a map head is a map with the keys 1 to 4")
        function, size, root, count = (value[key] for key in (1, 2, 3, 4))
        if type(function) is not str:
            raise FormatError("the map head names no function", where="key 1")
        if function != MAP_FUNCTION:
            raise UnsupportedError("the map head is of another function", where="key 1", hint="A newer did-health may read it")
        if type(size) is not int or not 0 < size <= MAX_TREE_SIZE:
            raise FormatError("the map head has no size of a log with entries", where="key 2")
        if type(root) is not bytes or len(root) != HASH_BYTES:
            raise FormatError(f"the map head has no root of {HASH_BYTES} bytes", where="key 3")
        if type(count) is not int or not 0 < count <= size:
            raise FormatError("the map head does not count keys, at least one and at most as many as leaves", where="key 4")
        return cls(size, root, count)


EMPTY_MAP: Final = MapHead(0, EMPTY_MAP_ROOT, 0)
"""The map of the log without leaves, which no entry says anything of."""


@dataclass(frozen=True, slots=True)
class LoggedHead:
    """The last leaf of a log: the map head's entry, and its document."""

    entry: Entry
    head: MapHead


def unsigned_head(head: MapHead, origin: str, *, seq: int, prev: bytes | None, time: int) -> Entry:
    """The entry of a map head but for its signature: all that is not one of these arguments is given by the rules."""
    return Entry(Kind.MAP_HEAD, head_subject(origin), seq, prev, head.digest, origin, time, b"")


def sign_head(head: MapHead, previous: Entry | None, *, signer: NoteSigner, time: int) -> Entry:
    """The entry that commits the log of ``signer`` to ``head``, after its head ``previous``. ``time`` is in Unix seconds."""
    seq, prev = (0, None) if previous is None else (previous.seq + 1, previous.digest)
    unsigned = unsigned_head(head, signer.name, seq=seq, prev=prev, time=time)
    return replace(unsigned, signature=signer.signer.sign(unsigned.signed_bytes()))


def require_rule_l(origin: str, size: int, last: Entry, content: bytes, before: Entry) -> MapHead:
    """The head of the map under a checkpoint of ``size``: the last leaf ``last`` with its document ``content``, after the leaf ``before``.

    Raises ``FormatError`` for a document that is none, ``VerificationError``: ``map_head_missing`` if the last leaf is no head of this
    log, ``map_head_stale`` if it is one of another size, ``map_head_repeated`` if there is nothing new that it could be the head of.
    """
    if last.kind is not Kind.MAP_HEAD or last.subject != head_subject(origin) or hashlib.sha256(content).digest() != last.content:
        raise VerificationError("the last leaf of the log is not a head of its map", code="map_head_missing")
    head = MapHead.parse(content)
    if head.size != size - 1:
        raise VerificationError("the map head is not that of all leaves before it", where=f"size {head.size}, {size - 1} due", code="map_head_stale")
    if before.kind is Kind.MAP_HEAD:
        raise VerificationError("a map head follows another one", code="map_head_repeated")
    return head
