"""Proofs that travel, C2SP tlog-proof@v1 (a draft of 2026): an entry's index, its inclusion path and the witnessed checkpoint in one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from did_health.encoding.base64 import base64_decode, base64_encode
from did_health.errors import FormatError
from did_health.limits import MAX_PROOF_HASHES, MAX_TLOG_PROOF_BYTES
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.lines import hash_lines, parse_decimal, parse_hash, utf8
from did_health.tlog.merkle import leaf_hash, verify_inclusion
from did_health.tlog.note import SignedNote

HEADER: Final = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """Unverified: entry number ``index`` is in the tree of ``checkpoint`` by way of ``hashes`` (sibling first).

    ``extra`` is not authenticated by this file; whoever uses it must check it some other way. ``verify_proof`` in witness_policy
    verifies all of it; ``verify_inclusion`` is for callers that have verified the checkpoint already.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: SignedNote
    extra: bytes | None = None

    @classmethod
    def parse(cls, data: bytes) -> TlogProof:
        """Read a ``.tlog-proof`` file (§ Format). Each part has one spelling, so ``encode`` gives ``data`` again. Raises ``FormatError``."""
        if len(data) > MAX_TLOG_PROOF_BYTES:
            raise FormatError(f"the proof is longer than {MAX_TLOG_PROOF_BYTES} bytes")
        head, separator, note = data.partition(b"\n\n")
        lines = utf8(head, "proof").split("\n")
        if not separator or lines[0] != HEADER:
            raise FormatError(f"the file is not a {HEADER}")
        del lines[0]
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = base64_decode(lines.pop(0)[len("extra ") :], what="proof's extra data")
            if not extra:
                raise FormatError("the proof's line of extra data is empty")
        if not lines or not lines[0].startswith("index "):
            raise FormatError("the proof has no index")
        index = parse_decimal(lines.pop(0)[len("index ") :], "proof's index")
        if len(lines) > MAX_PROOF_HASHES:
            raise FormatError(f"the proof has more than {MAX_PROOF_HASHES} hashes")
        hashes = tuple([parse_hash(line, "proof's hash") for line in lines])
        checkpoint = SignedNote.parse(note)
        Checkpoint.parse(checkpoint.text)
        return cls(index, hashes, checkpoint, extra)

    def encode(self) -> bytes:
        """The file's bytes; empty extra data are left out."""
        extra = f"extra {base64_encode(self.extra)}\n" if self.extra else ""
        return f"{HEADER}\n{extra}index {self.index}\n{hash_lines(self.hashes)}\n".encode() + self.checkpoint.encode()

    def verify_inclusion(self, entry_data: bytes, checkpoint: Checkpoint) -> None:
        """Verify that ``entry_data`` is entry ``index`` of the tree of ``checkpoint``, which the caller has verified as this proof's own.

        Raises ``VerificationError`` (``inclusion_proof_invalid``).
        """
        verify_inclusion(leaf_hash(entry_data), self.index, checkpoint.size, self.hashes, checkpoint.root)
