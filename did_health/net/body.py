"""A response's body, bounded while it arrives: as sent, and after decompression."""

from __future__ import annotations

import zlib

from did_health.errors import TransportError

# Of a compressed body beyond the bound of the plain one: headers, and the little by which gzip can lengthen what does not compress.
_GZIP_OVERHEAD = 4096
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class BoundedBody:
    """Collects the chunks of a body of at most ``max_bytes``; ``encoding`` is the Content-Encoding, identity or gzip.

    Each method raises ``TransportError`` for more bytes, another encoding, or gzip that is broken, cut off or followed by something.
    """

    def __init__(self, max_bytes: int, *, encoding: str = "", announced: str = "") -> None:
        if encoding not in ("", "identity", "gzip"):
            raise TransportError("the answer has a Content-Encoding that was not asked for", code="malformed_response")
        self._max_bytes = max_bytes
        self._decoder = zlib.decompressobj(_GZIP_WINDOW) if encoding == "gzip" else None
        self._max_sent = max_bytes + (_GZIP_OVERHEAD if self._decoder else 0)
        self._sent = 0
        self._parts: list[bytes] = []
        self._size = 0
        if announced.isdecimal() and len(announced) < 20 and int(announced) > self._max_sent:
            raise self._too_large()

    def feed(self, chunk: bytes) -> None:
        """One chunk as it came."""
        self._sent += len(chunk)
        if self._sent > self._max_sent:
            raise self._too_large()
        if self._decoder:
            try:
                chunk = self._decoder.decompress(chunk, self._max_bytes - self._size + 1)
            except zlib.error as error:
                raise TransportError("the answer is not gzip, as it says", code="malformed_response") from error
            if self._decoder.unused_data:
                raise TransportError("something follows the gzip of the answer", code="malformed_response")
        self._size += len(chunk)
        if self._size > self._max_bytes:
            raise self._too_large()
        self._parts.append(chunk)

    def finish(self) -> bytes:
        """The whole body, once no more comes."""
        if self._decoder and not self._decoder.eof:
            raise TransportError("the gzip of the answer is cut off", code="malformed_response")
        return b"".join(self._parts)

    def _too_large(self) -> TransportError:
        return TransportError(f"the answer has more than the {self._max_bytes} bytes allowed", code="response_too_large")
