"""Checkpoints, C2SP tlog-checkpoint v1.0.0: the note text by which a log commits to its tree."""

from __future__ import annotations

from dataclasses import dataclass

from did_health.encoding.base64 import base64_encode
from did_health.errors import FormatError
from did_health.tlog.lines import parse_decimal, parse_hash


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's tree: its ``origin``, ``size`` in leaves and 32-byte ``root``. As parsed from a note, it is as unverified as the note."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()
    """Extension lines of other people's logs; ours have none."""

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read a note's text (§ Note text); every line has one spelling. Raises ``FormatError``."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise FormatError("the checkpoint is not at least three lines, none of them empty")
        origin, size, root, *extensions = lines
        return cls(origin, parse_decimal(size, "checkpoint's size"), parse_hash(root, "checkpoint's root"), tuple(extensions))

    def encode(self) -> str:
        """The note text."""
        return "\n".join((self.origin, str(self.size), base64_encode(self.root), *self.extensions, ""))
