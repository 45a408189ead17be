"""Lines of a file that arrives in pieces, one at a time and bounded: what NDJSON and CSV are read from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end and without blanks around it; ``content`` is ``None`` if it is over the limit. ``number`` counts from 1."""

    number: int
    content: bytes | None


def split_lines(chunks: Iterable[bytes], max_bytes: int, max_skipped_bytes: int) -> Iterator[Line]:
    """Split at line feeds, holding at most one line of ``max_bytes`` (and one chunk) at a time.

    A longer line is skipped up to its end; if that has not come after ``max_skipped_bytes``, the rest is not read.
    """
    number, pending, overlong, skipped = 1, bytearray(), False, 0
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            pending += piece
            yield Line(number, None if overlong or len(pending) > max_bytes else _stripped(pending, number))
            number, overlong, skipped = number + 1, False, 0
            pending.clear()
        pending += rest
        if len(pending) > max_bytes:
            overlong, skipped = True, skipped + len(pending)
            pending.clear()
            if skipped > max_skipped_bytes:  # a device, perhaps, that never ends
                break
    if pending or overlong:
        yield Line(number, None if overlong else _stripped(pending, number))


def _stripped(line: bytearray, number: int) -> bytes:
    # Files from Windows begin with a byte order mark, which RFC 8259 §8.1 lets a reader ignore.
    return bytes(line).removeprefix(_BOM if number == 1 else b"").strip(b" \t\r")
