"""What media types a client accepts: the ``Accept`` header (RFC 9110 §12.5.1), for every service that has one thing in several forms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from did_health.limits import MAX_ACCEPT_RANGES

_QUALITY: Final = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?")


class MediaRange(NamedTuple):
    """``name`` in lower case, as ``application/vc``, ``application/*`` or ``*/*``; ``weight`` from 0 ("not acceptable") to 1."""

    name: str
    weight: float


def media_ranges(accept: str) -> tuple[MediaRange, ...]:
    """The ranges of an ``Accept`` header as they stand in it, without parameters. No header, or an empty one, accepts everything.

    Ranges whose weight is malformed, and those beyond ``MAX_ACCEPT_RANGES``, are left out.
    """
    found = []
    for item in (accept.split(",") if accept.strip() else ["*/*"])[:MAX_ACCEPT_RANGES]:
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
        if _QUALITY.fullmatch(weight):
            found.append(MediaRange(name, float(weight)))
    return tuple(found)


def preferred(accept: str, offered: Sequence[str]) -> str:
    """Of the media types ``offered``, the server's favourite first, the one that ``accept`` gives the highest weight.

    Of equals one that is named comes before one that a wildcard stands for, as a client that names a type knows it. Where nothing is
    acceptable the header is disregarded, as §12.5.1 allows, and the favourite returned.
    """
    ranges = media_ranges(accept)

    def rank(media_type: str) -> tuple[float, bool]:
        # The most specific range decides, whatever it says.
        for name in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
            weight = max((found.weight for found in ranges if found.name == name), default=None)
            if weight is not None:
                return weight, weight > 0 and name == media_type
        return 0.0, False

    # The first of equals.
    return max(offered, key=rank)
