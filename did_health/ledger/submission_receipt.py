"""Submission receipts: a log's signed promise to publish an entry by a deadline. A log that breaks it can be convicted with its own signature.

A receipt is a C2SP signed note by the key of the log's checkpoints. Its text has five lines::

    did-health/submission-receipt/v1
    <origin of the log>
    <SHA-256 of the entry, 64 lower-case hexadecimal digits>
    <when the entry was taken, Unix seconds>
    <deadline, Unix seconds>

No checkpoint has such a first line, so neither can be taken for the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from did_health.errors import FormatError, VerificationError
from did_health.ledger.entry import HASH_BYTES, Entry
from did_health.ledger.latest import VerifiedLatest
from did_health.limits import MAX_NOTE_BYTES
from did_health.tlog.note import NoteSigner, SignedNote, VerifierKey, check_key_name, open_note, sign_note

FIRST_LINE: Final = "did-health/submission-receipt/v1"
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SECONDS: Final = re.compile(r"0|[1-9][0-9]{0,11}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SubmissionReceipt:
    """What a log of name ``origin`` promises: at ``time`` it had the entry of this hash (32 bytes), by ``deadline`` it is published.

    Times are Unix seconds of the log's clock. Raises ``FormatError`` for an origin that is none, or a deadline before the time.
    """

    origin: str
    entry_hash: bytes
    time: int
    deadline: int

    def __post_init__(self) -> None:
        check_key_name(self.origin)
        if len(self.entry_hash) != HASH_BYTES or not 0 <= self.time <= self.deadline:
            raise FormatError("a submission receipt has an entry's hash, a time, and a deadline that is not before it")

    def sign(self, signer: NoteSigner) -> SignedNote:
        """The receipt as a note. Raises ``ValueError`` for the key of another log."""
        if signer.name != self.origin:
            raise ValueError("a log signs only its own receipts")
        return sign_note(self._text, [signer])

    @classmethod
    def parse(cls, note: SignedNote) -> SubmissionReceipt:
        """What a note says, unverified. Raises ``FormatError``."""
        first, *lines = note.text.split("\n")
        if first != FIRST_LINE or len(lines) != 5 or lines[4]:
            raise FormatError("this is not a submission receipt")
        origin, digest, time, deadline, _ = lines
        if not _HASH.fullmatch(digest) or not _SECONDS.fullmatch(time) or not _SECONDS.fullmatch(deadline):
            raise FormatError("the submission receipt has a hash or a time that is none")
        return cls(origin, bytes.fromhex(digest), int(time), int(deadline))

    @classmethod
    def verify(cls, data: bytes, key: VerifierKey, entry: Entry | None = None) -> SubmissionReceipt:
        """The receipt in the bytes of a note, signed with the log's ``key`` and, if one is given, about ``entry``.

        Raises ``FormatError``; ``VerificationError``: ``receipt_of_another_log``, ``receipt_of_another_entry``, ``note_unverified``,
        ``note_signature_invalid``.
        """
        if len(data) > MAX_NOTE_BYTES:
            raise FormatError(f"the submission receipt has more than {MAX_NOTE_BYTES} bytes")
        note = SignedNote.parse(data)
        receipt = cls.parse(note)
        if receipt.origin != key.name:
            raise VerificationError("the submission receipt is another log's", code="receipt_of_another_log")
        open_note(note, [key])
        if entry is not None and entry.digest != receipt.entry_hash:
            raise VerificationError("the submission receipt is about another entry", code="receipt_of_another_entry")
        return receipt

    def is_broken_by(self, entry: Entry, latest: VerifiedLatest) -> bool:
        """Whether a verified bundle convicts the log: after the deadline its witnesses saw a state in which ``entry`` was not logged.

        ``entry`` is the one that the receipt is about, and ``latest`` is proved of its subject: any other bundle, log or entry convicts nobody.
        A later entry of the subject says nothing: this one may be among those before it.
        """
        if entry.digest != self.entry_hash or latest.subject != entry.subject:
            return False
        if latest.checkpoint.checkpoint.origin != self.origin or (latest.timestamp or 0) <= self.deadline:
            return False
        newest = latest.entry
        if newest is None:
            return True
        return newest.seq < entry.seq or (newest.seq == entry.seq and newest.digest != entry.digest)

    @property
    def _text(self) -> str:
        return f"{FIRST_LINE}\n{self.origin}\n{self.entry_hash.hex()}\n{self.time}\n{self.deadline}\n"
