"""Which status list indices have been given out: a bit for each, and a draw of free ones at random.

The order of issuing must not show in the indices (Bitstring Status List 1.0 §6.1), and no index is ever given to a second credential.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from did_health.errors import StoreError

# A bitmap of this many indices has 8 MiB.
MAX_INDICES: Final = 1 << 26
_DRAW_BYTES: Final = 8


def draw(allocated: bytearray, size: int, count: int, random: Callable[[int], bytes]) -> list[int]:
    """``count`` free indices below ``size``, uniformly at random and in random order; sets their bits in ``allocated``.

    ``random`` gives so many random bytes. Raises ``StoreError`` (``status_list_full``), with ``allocated`` unchanged, if too few are free.
    """
    free = size - int.from_bytes(allocated, "little").bit_count()
    if count > free:
        raise StoreError(
            f"the status list has {free} free entries, not the {count} needed", hint="Begin a new status list", code="status_list_full"
        )
    # Guessing is fast while guesses mostly hit; after that the free ones are listed.
    if free - count >= size >> 3:
        return _guess(allocated, size, count, random)
    return _choose(allocated, size, count, random)


def _guess(allocated: bytearray, size: int, count: int, random: Callable[[int], bytes]) -> list[int]:
    drawn: list[int] = []
    while len(drawn) < count:
        for index in _numbers(size, count - len(drawn), random):
            position, bit = index >> 3, 1 << (index & 7)
            if not allocated[position] & bit:
                allocated[position] |= bit
                drawn.append(index)
    return drawn


def _choose(allocated: bytearray, size: int, count: int, random: Callable[[int], bytes]) -> list[int]:
    free = [index for index in range(size) if not allocated[index >> 3] >> (index & 7) & 1]
    drawn: list[int] = []
    # Fisher and Yates, from the end; a remainder of 64 random bits is biased by less than 2^-37.
    for (number,) in struct.iter_unpack("<Q", random(count * _DRAW_BYTES)):
        chosen = number % len(free)
        free[chosen], free[-1] = free[-1], free[chosen]
        index = free.pop()
        allocated[index >> 3] |= 1 << (index & 7)
        drawn.append(index)
    return drawn


def _numbers(below: int, count: int, random: Callable[[int], bytes]) -> list[int]:
    return [number % below for (number,) in struct.iter_unpack("<Q", random(count * _DRAW_BYTES))]
