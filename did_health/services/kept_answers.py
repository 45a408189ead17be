"""Answers that never change, kept in memory as they are sent: full tiles, entry bundles, documents by their hash.

Bounded by their bytes; the one that was not asked for longest goes first. For the event loop's thread alone.
"""

from __future__ import annotations

from collections import OrderedDict
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from did_health.limits import MAX_KEPT_ANSWER_BYTES, MAX_KEPT_ANSWERS_BYTES

if TYPE_CHECKING:
    from starlette.responses import Response

# What an answer takes beside its body.
_OVERHEAD: Final = 2_048
_OF_THE_BODY: Final = ("content-length", "content-type")


class KeptAnswers:
    """By path. A path stands for one thing for ever, so nothing is ever asked again."""

    def __init__(self, max_bytes: int = MAX_KEPT_ANSWERS_BYTES) -> None:
        self._left = max_bytes
        self._kept: OrderedDict[str, tuple[Response, Response, str]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, path: str, known_tags: str) -> Response | None:
        """The answer for a path, or that the client has it already (304) when its tag is in ``known_tags``; ``None`` if none is kept."""
        kept = self._kept.get(path)
        if kept is None:
            return None
        self._kept.move_to_end(path)
        answer, unchanged, tag = kept
        return unchanged if tag in known_tags else answer

    def keep(self, path: str, answer: Response) -> None:
        """Keep a whole answer (200, with an ETag), unless it is larger than ``MAX_KEPT_ANSWER_BYTES``."""
        from starlette.responses import Response

        if path in self._kept or len(answer.body) > MAX_KEPT_ANSWER_BYTES:
            return
        headers = {name: value for name, value in answer.headers.items() if name not in _OF_THE_BODY}
        self._kept[path] = answer, Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers), answer.headers["etag"]
        self._left -= len(answer.body) + _OVERHEAD
        while self._left < 0:
            _, (oldest, _, _) = self._kept.popitem(last=False)
            self._left += len(oldest.body) + _OVERHEAD
