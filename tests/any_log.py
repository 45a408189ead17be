"""A log that signs whatever it is told, and witnesses that cosign it: what is refused nevertheless is refused by the proofs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from did_health.keys import Signer, generate
from did_health.ledger.entry import Entry, Kind, revocation_subject
from did_health.ledger.latest import LatestBundle, NewestEntry
from did_health.ledger.log import Submission, prepare
from did_health.ledger.map_head import LoggedHead, MapHead, map_value, sign_head
from did_health.ledger.witness import Witness
from did_health.stores.embedded import EmbeddedLedger
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import cosign
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import NoteSigner, SignedNote, sign_note
from did_health.tlog.prefix_map_tree import MemoryItems, PrefixTree
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START

KEY = generate(repeatable_bytes("anybody"))
AUTHOR = f"did:key:{KEY.public_key.multikey}#{KEY.public_key.multikey}"


def handle(number: int) -> bytes:
    return hashlib.sha256(b"handle %d" % number).digest()


def revocation(number: int, *, at: datetime = START) -> Submission:
    """An entry that anybody can write, about the subject ``revocation_subject(handle(number))``."""
    return prepare(Kind.REVOCATION, revocation_subject(handle(number)), handle(number), author=AUTHOR, signer=KEY, now=at)


def value_of(data: bytes, index: int) -> bytes:
    entry = Entry.parse(data)
    return map_value(entry.seq, index, hashlib.sha256(data).digest(), entry.content)


@dataclass
class AnyLog:
    """``leaves`` are the log; ``map`` is what it says that its map has, whether that is so or not."""

    signer: NoteSigner
    witnesses: Mapping[str, Signer]
    at: datetime = START
    leaves: list[bytes] = field(default_factory=list)
    map: dict[bytes, bytes] = field(default_factory=dict)
    head: LoggedHead | None = None

    @classmethod
    def like(cls, ledger: EmbeddedLedger, at: datetime) -> AnyLog:
        """With the true keys of a ledger and all of its witnesses."""
        return cls(ledger._signer, {one.key.name: one._signer for one in ledger._witnesses if isinstance(one, Witness)}, at)

    def add(self, *submissions: Submission | bytes, mapped: bool = True) -> None:
        """Append leaves, and let the map have them."""
        for submission in submissions:
            data = submission if isinstance(submission, bytes) else submission.entry
            if mapped:
                self.map[Entry.parse(data).subject] = value_of(data, len(self.leaves))
            self.leaves.append(data)

    @property
    def prefix_tree(self) -> PrefixTree:
        items = MemoryItems()
        items.put(self.map)
        return PrefixTree.over(items, 2)

    def true_head(self) -> MapHead:
        return MapHead(len(self.leaves), self.prefix_tree.root, self.prefix_tree.count)

    def close(self, head: MapHead | None = None) -> None:
        """End a batch with this head, by default the true one of ``map``."""
        head = head or self.true_head()
        self.head = LoggedHead(sign_head(head, self.head.entry if self.head else None, signer=self.signer, time=int(self.at.timestamp())), head)
        self.leaves.append(self.head.entry.encode())

    @property
    def tree(self) -> Tree:
        return Tree.from_leaf_hashes(map(leaf_hash, self.leaves))

    def note(self) -> SignedNote:
        note = sign_note(Checkpoint(self.signer.name, len(self.leaves), self.tree.root()).encode(), [self.signer])
        return note.with_signatures([cosign(note, name, signer, int(self.at.timestamp())) for name, signer in self.witnesses.items()])

    def bundle(self, subject: bytes, newest: NewestEntry | None = None, *, head_at: int | None = None) -> LatestBundle:
        """What the log would answer about ``subject``; ``newest`` is what it says of it, ``head_at`` where it says that the head is."""
        assert self.head is not None
        index = len(self.leaves) - 1 if head_at is None else head_at
        return LatestBundle.of(self.prefix_tree.prove(subject), self.head, self.tree.inclusion_proof(index), self.note(), newest)

    def absence(self, subject: bytes) -> bytes:
        """A proof that this log, which may have been made to say it, has nothing of a subject."""
        self.add(revocation(0, at=self.at))
        self.close()
        return self.bundle(subject).encode()
