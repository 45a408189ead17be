"""A mirror's database: that of a log, whose leaves and checkpoints somebody else signs, and the alarm that ends the copying."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import insert, select, update

from did_health.errors import ConflictError
from did_health.ledger.admission import Admitted
from did_health.stores import ledger_map
from did_health.stores.ledger_store import LedgerStore, add_contents, add_entries, entry_rows, write_conflict
from did_health.stores.tables import checkpoint, settings
from did_health.tlog.checkpoint import Checkpoint

_ALARM: Final = "alarm"


class MirrorStore(LedgerStore):
    """As ``LedgerStore``; the size and root of the checkpoint row are those of what was copied and verified."""

    def take(self, old: Checkpoint, new: Checkpoint, leaves: Sequence[Admitted], leaf_hashes: Sequence[bytes], *, now: datetime) -> None:
        """Keep the leaves that make ``new`` of ``old``, in one transaction; raises ``ConflictError``, writing nothing, unless ``old`` is what is kept."""
        with self._database.write() as connection:
            swapped = connection.execute(
                update(checkpoint).where(checkpoint.c.size == old.size, checkpoint.c.root == old.root).values(size=new.size, root=new.root)
            )
            if swapped.rowcount != 1:
                raise write_conflict()
            add_contents(connection, {one.entry.content: one.content for one in leaves})
            add_entries(connection, entry_rows(old.size, leaves, leaf_hashes, now=now))

    def show(self, note: bytes, size: int) -> None:
        """Publish the checkpoint ``note`` of ``size``, and bring the map up to it; raises ``ConflictError`` if a larger one is, or less was taken."""
        with self._database.write() as connection:
            state = self._state(connection)
            if not state.published_size <= size <= state.size:
                raise ConflictError("another process went on with the mirror", hint="Read its state again and retry")
            connection.execute(update(checkpoint).values(published=note, published_size=size))
            ledger_map.apply_entries(connection, state.published_size, size)

    def alarm(self) -> str | None:
        """What ``sound`` wrote down first."""
        with self._database.read() as connection:
            return connection.execute(select(settings.c.value).where(settings.c.name == _ALARM)).scalar_one_or_none()

    def sound(self, alarm: str) -> None:
        """Write the alarm down, for good; a later one changes nothing."""
        with self._database.write() as connection:
            if connection.execute(select(settings.c.value).where(settings.c.name == _ALARM)).first() is None:
                connection.execute(insert(settings).values(name=_ALARM, value=alarm))
