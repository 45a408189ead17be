"""Times in databases: microseconds since 1970 UTC, which are exact and sort."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from did_health.encoding.timestamps import require_aware

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_microseconds(moment: datetime) -> int:
    """A time with a time zone as a number; raises ``ValueError`` without one."""
    return (require_aware(moment) - _EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The time that ``to_microseconds`` wrote, in UTC."""
    return _EPOCH + microseconds * _MICROSECOND
