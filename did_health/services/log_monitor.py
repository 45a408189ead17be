"""Looking at one log as a board would: what it shows, what others show of it, and every entry that is new.

The log is copied as a mirror copies it, entries only: leaves have to give the signed root and to continue what is kept, and every map head is
recomputed. What the log signed and is wrong is the copy's alarm, which stays for good (see ``stores.mirror``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from did_health.encoding.strict_json import JSON
from did_health.errors import FormatError, TransportError, UnsupportedError, VerificationError
from did_health.ledger.entry import Entry
from did_health.ledger.monitor import Alarm, Level, Limits, Mine, Seen, overdue
from did_health.limits import MAX_CONCURRENT_REQUESTS
from did_health.net.exchange import HTTPExchange
from did_health.net.followed_log import FollowedLog
from did_health.net.witness_client import witnesses_of
from did_health.stores.log_reader import Clock
from did_health.stores.mirror import Mirror
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.note import SignedNote, VerifierKey
from did_health.tlog.witness_policy import WitnessPolicy

_LEAVES_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found: what is remembered of the log, the conditions that hold, and what happened."""

    seen: Seen
    holding: tuple[Alarm, ...]
    events: tuple[Alarm, ...]
    size: int


class LogMonitor:
    """One log, kept below ``folder``. One thread at a time looks; ``exchange`` is closed by whoever made it.

    ``mirrors`` are URLs below which copies of the log are read; witnesses are asked where ``policy`` gives their URL.
    """

    def __init__(
        self, folder: Path, key: VerifierKey, url: str, policy: WitnessPolicy, mirrors: Sequence[str], limits: Limits, exchange: HTTPExchange, clock: Clock
    ) -> None:
        self.key, self.url, self._policy, self._limits, self._clock = key, url, policy, limits, clock
        self._source = FollowedLog(url, exchange)
        self._copy = Mirror.open(folder / key.key_id.hex(), key, url, self._source, clock=clock, documents=False)
        self._mirrors = {mirror: FollowedLog(mirror, exchange) for mirror in mirrors}
        self._witnesses = witnesses_of(policy, exchange)

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.key.name

    def look(self, seen: Seen | None, mine: Mine) -> Look:
        """Look once, after what was ``seen`` before (``None`` at first). Raises ``StoreError`` if the copy fails; what the network does is in the result."""
        now = self._clock()
        seen = seen or Seen(int(now.timestamp()))
        holding: list[Alarm] = []
        seen = self._log(seen, holding, now)
        for place, note in self._others(holding, now):
            seen = self._compare(place, note, seen, holding, now)
        events = tuple(self._foreign(seen.judged, mine, now))
        if self._copy.alarm is not None:
            holding.append(self._caught(now))
        holding += overdue(self.origin, seen, self._policy.cosigner_names, self._limits, now)
        size = self._copy.taken
        return Look(replace(seen, judged=size), tuple(holding), events, size)

    def stop(self) -> None:
        """Let a look that is under way end soon, with ``StoreError``."""
        self._copy.stop()

    def close(self) -> None:
        """Give back the copy's database."""
        self._copy.close()

    # ---- the log itself

    def _log(self, seen: Seen, holding: list[Alarm], now: datetime) -> Seen:
        try:
            data = self._source.checkpoint()
        except TransportError as error:
            holding.append(self._alarm(Level.UNKNOWN, "log_unreachable", "", f"the log cannot be read: {error}", now))
            return seen
        if data is None:
            return self._shown(0, seen, holding, now)
        try:
            note = SignedNote.parse(data)
            checkpoint = self._copy.signed(note)
            seen = seen.with_cosigners(self._policy.cosigners(note, now=int(now.timestamp())))
        except (FormatError, VerificationError) as error:
            holding.append(self._alarm(Level.UNKNOWN, "log_unusable", "", f"what the log shows is not its checkpoint: {error.what}", now))
            return seen
        try:
            self._copy.show(note)
        except TransportError as error:
            holding.append(self._alarm(Level.UNKNOWN, "log_unreachable", "", f"the log does not show all that it signed: {error}", now))
            return seen
        except UnsupportedError as error:
            holding.append(self._alarm(Level.UNKNOWN, "log_unusable", "", f"the log has an entry that is not understood: {error.what}", now))
            return seen
        except VerificationError as error:
            if self._copy.alarm is None:
                holding.append(self._inconsistent("", note, error, now))
            return seen
        seen = self._shown(checkpoint.size, seen, holding, now)
        return self._witnessed(note, seen, holding, now)

    def _shown(self, size: int, seen: Seen, holding: list[Alarm], now: datetime) -> Seen:
        if size < seen.published:
            what = f"the log shows {size} leaves, and has shown {seen.published} before"
            holding.append(self._alarm(Level.CRITICAL, "log_rolled_back", "", what, now, size=size, published=seen.published))
        return seen.reached(size)

    def _witnessed(self, note: SignedNote, seen: Seen, holding: list[Alarm], now: datetime) -> Seen:
        try:
            timestamp = self._policy.check(note, now=int(now.timestamp())).timestamp
        except VerificationError as error:
            holding.append(self._alarm(Level.WARNING, error.code, "", f"the log shows a head that no quorum has witnessed: {error.what}", now))
            return seen
        return seen if timestamp is None else replace(seen, witnessed_at=max(timestamp, seen.witnessed_at or 0))

    # ---- what others show of it

    def _others(self, holding: list[Alarm], now: datetime) -> Iterator[tuple[str, SignedNote]]:
        """The log's checkpoints at mirrors and witnesses, by place; nothing of them is verified. Who has none is passed over."""
        asked: dict[str, Callable[[], SignedNote | None]] = {url: partial(_note, log) for url, log in self._mirrors.items()}
        asked |= {f"witness {name}": partial(witness.shown, self.origin) for name, witness in self._witnesses.items()}
        with ThreadPoolExecutor(min(MAX_CONCURRENT_REQUESTS, max(1, len(asked)))) as workers:
            answers = {place: workers.submit(ask) for place, ask in asked.items()}
        for place, answer in answers.items():
            try:
                note = answer.result()
            except (TransportError, FormatError) as error:
                holding.append(self._alarm(Level.UNKNOWN, "place_unreachable", place, f"{place} cannot be compared with the log: {error}", now))
                continue
            if note is not None:
                yield place, note

    def _compare(self, place: str, note: SignedNote, seen: Seen, holding: list[Alarm], now: datetime) -> Seen:
        try:
            checkpoint = self._copy.signed(note)
            seen = seen.with_cosigners(self._policy.cosigners(note, now=int(now.timestamp())))
        except (FormatError, VerificationError) as error:
            what = f"what {place} shows is not a checkpoint of the log: {error.what}"
            holding.append(self._alarm(Level.UNKNOWN, "place_unreachable", place, what, now))
            return seen
        if checkpoint.size > seen.published:
            seen = seen.with_ahead(place, checkpoint.size, int(now.timestamp()))
        # What the log does not show yet is compared when it does; and what could not be read is told already.
        with suppress(TransportError, UnsupportedError):
            try:
                self._copy.take(note)
            except VerificationError as error:
                if self._copy.alarm is None:
                    holding.append(self._inconsistent(place, note, error, now))
        return seen

    # ---- what is found

    def _foreign(self, judged: int, mine: Mine, now: datetime) -> Iterator[Alarm]:
        for start in range(judged, self._copy.taken, _LEAVES_AT_ONCE):
            for index, data in enumerate(self._copy.leaves(start, min(start + _LEAVES_AT_ONCE, self._copy.taken)), start):
                alarm = mine.foreign(self.origin, index, Entry.parse(data), now)
                if alarm is not None:
                    yield alarm

    def _caught(self, now: datetime) -> Alarm:
        """The copy's alarm, with both checkpoints where there are two."""
        caught = self._copy.alarm
        if caught is None:
            raise RuntimeError("the log was not caught")
        evidence = {"checkpoint": caught.checkpoint}
        mine = self._copy.shown
        if mine is not None and Checkpoint.parse(mine.text).size == Checkpoint.parse(SignedNote.parse(caught.checkpoint.encode()).text).size:
            evidence["otherCheckpoint"] = mine.encode().decode()
        return self._alarm(Level.CRITICAL, caught.code, "", caught.what, now, **evidence)

    def _inconsistent(self, place: str, note: SignedNote, error: VerificationError, now: datetime) -> Alarm:
        """The log signed a tree whose leaves it does not show: it has another history for somebody, or what is served is not its own."""
        shown = f"a checkpoint that {place} shows" if place else "its checkpoint"
        what = f"the log does not prove that {shown} continues what was seen: {error.what}"
        ours = self._copy.shown
        evidence = {"checkpoint": note.encode().decode(), **({"otherCheckpoint": ours.encode().decode()} if ours else {})}
        return self._alarm(Level.CRITICAL, error.code, place, what, now, **evidence)

    def _alarm(self, level: Level, code: str, about: str, what: str, now: datetime, **details: JSON) -> Alarm:
        return Alarm(level, code, self.origin, about, what, now, details)


def _note(log: FollowedLog) -> SignedNote | None:
    data = log.checkpoint()
    return None if data is None else SignedNote.parse(data)
