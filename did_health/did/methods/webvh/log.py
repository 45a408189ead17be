"""A DID log: read, verified, asked for its versions, and continued by one more line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from did_health.did.methods.webvh.entry import LogEntry
from did_health.did.methods.webvh.hashing import next_key_hash
from did_health.did.methods.webvh.parameters import Parameters
from did_health.did.methods.webvh.urls import WebvhDID
from did_health.did.methods.webvh.verification import VerifiedEntry, require_past, verify_entry
from did_health.did.methods.webvh.witness import WitnessFile, approved_through
from did_health.encoding import timestamps
from did_health.errors import DidHealthError, FormatError, ResolutionError, VerificationError
from did_health.limits import MAX_DID_LOG_BYTES, MAX_DID_LOG_ENTRIES


@dataclass(frozen=True, slots=True)
class Log:
    """A verified DID log of at least one entry.

    ``witnessed_through`` says how many entries, from the first on, have the approvals they need. It is the whole log in every ``Log``
    that ``parse`` or ``verify_appended`` returns, and may be less in one that a controller is still collecting approvals for.
    """

    entries: tuple[VerifiedEntry, ...]
    witnessed_through: int

    @classmethod
    def parse(cls, data: bytes, witness_proofs: bytes | None = None, *, now: datetime) -> Log:
        """The log in the bytes of ``did.jsonl`` (and ``did-witness.json``), verified whole as of ``now``.

        Raises ``FormatError``, ``UnsupportedError`` or ``VerificationError`` for the first fault; ``where`` begins with its line.
        """
        return read_log(data, witness_proofs, now=now).whole

    @property
    def latest(self) -> VerifiedEntry:
        """The last entry."""
        return self.entries[-1]

    @property
    def parameters(self) -> Parameters:
        """The parameters now in force."""
        return self.latest.parameters

    @property
    def did(self) -> WebvhDID:
        """The DID's present name."""
        return self.latest.did

    @property
    def scid(self) -> str:
        """The self-certifying identifier, which stays when the DID moves."""
        return self.parameters.scid

    @property
    def deactivated(self) -> bool:
        """Whether the DID ended."""
        return self.parameters.deactivated

    @property
    def lines(self) -> tuple[bytes, ...]:
        """The exact lines as received or made, without newlines."""
        return tuple(entry.line for entry in self.entries)

    @property
    def update_author_keys(self) -> tuple[str, ...]:
        """The Multikeys that were entitled to sign the last line."""
        return self.latest.author_keys

    @property
    def witnessed(self) -> bool:
        """Whether every entry has the approvals of witnesses it needs."""
        return self.witnessed_through == len(self.entries)

    def may_sign_next(self, multikey: str) -> bool:
        """Whether that key can be an author of the next line (under pre-rotation: whether it was committed to)."""
        if self.deactivated:
            return False
        if self.parameters.pre_rotation:
            return next_key_hash(multikey) in self.latest.next_key_hashes
        return multikey in self.latest.update_keys

    def encode(self) -> bytes:
        """The bytes of ``did.jsonl``."""
        return b"".join(line + b"\n" for line in self.lines)

    def is_known_as(self, did: str) -> bool:
        """Whether some version's document has this ``id`` ("Read", step 6.1)."""
        return any(entry.did.text == did for entry in self.entries)

    def version(self, *, version_id: str | None = None, version_number: int | None = None, version_time: datetime | None = None) -> VerifiedEntry:
        """The entry with this id and number, active at this time; the latest if nothing is asked ("Reading did:webvh DID URLs").

        Raises ``ResolutionError`` (code ``NOT_FOUND``) if there is none, also when two of them name different ones.
        """
        if version_time is not None:
            timestamps.require_aware(version_time)
        for position in range(len(self.entries) - 1, -1, -1):
            entry = self.entries[position]
            # Times increase, so the first entry not after the time, from the end, is the one that was active.
            if version_time is not None and entry.version_time > version_time:
                continue
            if version_id in (None, entry.version_id) and version_number in (None, entry.version_number):
                return entry
            if version_time is not None:
                break
        raise ResolutionError("the DID has no such version", where=str(self.did), code="NOT_FOUND")

    def with_witness_proofs(self, data: bytes, *, now: datetime) -> Log:
        """The same log with the approvals in ``did-witness.json`` counted."""
        file = WitnessFile.parse(data)
        return replace(self, witnessed_through=approved_through(self.entries, file, already=self.witnessed_through, now=now))

    def require_witnessed(self) -> Log:
        """This log; raises ``VerificationError`` (code ``witness_threshold_not_met``) unless it is ``witnessed``."""
        if not self.witnessed:
            raise _not_witnessed(self.witnessed_through + 1)
        return self


@dataclass(frozen=True, slots=True)
class LogReading:
    """What was found in a log file: the valid entries from the first on, and the fault of the entry after them.

    ``valid`` is ``None`` if not even the first entry is valid; ``fault`` is ``None`` if the whole log is valid ("Read", steps 10 and 11).
    """

    valid: Log | None
    fault: DidHealthError | None

    @property
    def whole(self) -> Log:
        """The log; raises the fault if there is one."""
        if self.fault is not None or self.valid is None:
            raise self.fault or FormatError("the DID log is empty")
        return self.valid

    def version(self, *, version_id: str | None = None, version_number: int | None = None, version_time: datetime | None = None) -> VerifiedEntry:
        """As ``Log.version``; a version that was asked for is found although a later entry is invalid (step 11.2).

        Raises the fault where it leaves open what the answer would be, else ``ResolutionError`` (code ``NOT_FOUND``).
        """
        if self.valid is None or self.fault is None:
            return self.whole.version(version_id=version_id, version_number=version_number, version_time=version_time)
        # The invalid entry may have begun any time after the last valid one.
        open_end = version_time is not None and version_time >= self.valid.latest.version_time
        if (version_id is None and version_number is None and version_time is None) or open_end:
            raise self.fault
        try:
            return self.valid.version(version_id=version_id, version_number=version_number, version_time=version_time)
        except ResolutionError:
            raise self.fault from None


def read_log(data: bytes, witness_proofs: bytes | None = None, *, now: datetime) -> LogReading:
    """Verify a log as far as it goes; ``now`` is aware UTC time. Raises nothing: what is wrong is in the reading."""
    timestamps.require_aware(now)
    entries: list[VerifiedEntry] = []
    fault: DidHealthError | None = None
    try:
        for line in _split(data):
            entry = verify_entry(LogEntry.parse(line), entries[-1] if entries else None)
            require_past(entry, now)
            entries.append(entry)
    except DidHealthError as error:
        fault = _at_line(error, len(entries) + 1)
    if not entries:
        return LogReading(None, fault or FormatError("the DID log is empty"))
    try:
        file = WitnessFile.parse(witness_proofs) if witness_proofs is not None else WitnessFile()
        approved = approved_through(entries, file, now=now)
    except FormatError as error:
        # Unreadable approvals are no approvals; where nobody needs them they do not matter.
        approved = approved_through(entries, WitnessFile())
        unreadable: DidHealthError | None = error
    else:
        unreadable = None
    if approved < len(entries):
        fault = unreadable or _not_witnessed(approved + 1)
        del entries[approved:]
    return LogReading(Log(tuple(entries), len(entries)) if entries else None, fault)


def verify_proposed(previous: Log | None, line: bytes, now: datetime) -> Log:
    """As ``verify_appended``, but the witnesses of the line are still to be asked: what a witness checks before it approves."""
    timestamps.require_aware(now)
    log = verify_settled(previous, line)
    try:
        require_past(log.latest, now)
    except DidHealthError as error:
        raise _at_line(error, len(log.entries)) from None
    return log


def verify_settled(previous: Log | None, line: bytes) -> Log:
    """As ``verify_proposed`` for a line that was verified in its time, as one in a ledger was: its times are not looked at again."""
    entries = previous.entries if previous else ()
    if len(entries) >= MAX_DID_LOG_ENTRIES or sum(len(entry.line) + 1 for entry in entries) + len(line) + 1 > MAX_DID_LOG_BYTES:
        raise FormatError(f"the DID log would have more than {MAX_DID_LOG_ENTRIES} entries or {MAX_DID_LOG_BYTES} bytes")
    try:
        entry = verify_entry(LogEntry.parse(line), entries[-1] if entries else None)
    except DidHealthError as error:
        raise _at_line(error, len(entries) + 1) from None
    extended = (*entries, entry)
    already = previous.witnessed_through if previous else 0
    return Log(extended, approved_through(extended, WitnessFile(), already=already))


def verify_appended(previous: Log | None, line: bytes, now: datetime, witness_proofs: bytes | None = None) -> Log:
    """The log that ``line`` (without newline) makes of ``previous``, for the price of verifying that line; ``None`` begins a log.

    Raises ``FormatError``, ``UnsupportedError`` or ``VerificationError`` if the line does not continue the log, is from the future, or
    lacks approvals that ``witness_proofs`` (``did-witness.json``) had to show.
    """
    log = verify_proposed(previous, line, now)
    if witness_proofs is not None:
        log = log.with_witness_proofs(witness_proofs, now=now)
    return log.require_witnessed()


def _split(data: bytes) -> Iterator[bytes]:
    if len(data) > MAX_DID_LOG_BYTES:
        raise FormatError(f"the DID log has {len(data)} bytes, more than the {MAX_DID_LOG_BYTES} allowed")
    lines = data.removesuffix(b"\n").split(b"\n", MAX_DID_LOG_ENTRIES)
    if len(lines) > MAX_DID_LOG_ENTRIES:
        raise FormatError(f"the DID log has more than {MAX_DID_LOG_ENTRIES} entries")
    yield from lines


def _at_line(error: DidHealthError, number: int) -> DidHealthError:
    error.where = f"line {number}{error.where and ', '}{error.where}"
    return error


def _not_witnessed(number: int) -> VerificationError:
    return VerificationError("the entry lacks the approval of a threshold of its witnesses", where=f"line {number}", code="witness_threshold_not_met")
