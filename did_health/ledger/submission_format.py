"""What travels when entries are submitted over HTTP: deterministic CBOR with integer keys, version 1 in key 1.

Request ``POST <ledger>/entries``::

    {1: 1, 2: [[entry, document], …]}           byte strings, in the order in which they are to be logged, all of them or none

A line of a DID that has witnesses brings their approvals along: ``[entry, document, did-witness.json]`` (see ``Submission.witness_proofs``).

Answer 200, all of them are published::

    {1: 1, 2: checkpoint, 3: [[index, path], …]}    the note with its cosignatures; for each entry its leaf and the hashes from it to the root

Answer 202, all of them are kept and not published yet::

    {1: 1, 2: [receipt, …]}                     a submission receipt (a signed note) for each entry
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from did_health.encoding import cbor
from did_health.errors import FormatError, UnsupportedError
from did_health.ledger.entry import HASH_BYTES
from did_health.ledger.log import LoggedEntry, Submission
from did_health.limits import (
    MAX_DID_WITNESS_BYTES,
    MAX_DOCUMENT_BYTES,
    MAX_ENTRY_BYTES,
    MAX_NOTE_BYTES,
    MAX_PROOF_HASHES,
    MAX_SUBMISSION_ANSWER_BYTES,
    MAX_SUBMISSION_BYTES,
    MAX_SUBMISSIONS,
    MAX_TREE_SIZE,
)
from did_health.tlog.note import SignedNote
from did_health.tlog.proof import TlogProof

VERSION: Final = 1
MEDIA_TYPE: Final = "application/cbor"
TOO_LARGE: Final = "submission_too_large"
_MOST_BYTES: Final = (MAX_ENTRY_BYTES, MAX_DOCUMENT_BYTES, MAX_DID_WITNESS_BYTES)


def encode_request(submissions: Sequence[Submission]) -> bytes:
    """The request's body. Raises ``FormatError`` (``submission_too_large``) for more than a ledger takes at once."""
    _require_number(len(submissions))
    data = cbor.dumps({1: VERSION, 2: [_parts(one) for one in submissions]})
    if len(data) > MAX_SUBMISSION_BYTES:
        raise FormatError(f"the entries and documents have more than {MAX_SUBMISSION_BYTES} bytes", hint="Submit them in several parts", code=TOO_LARGE)
    return data


def parse_request(data: bytes) -> tuple[Submission, ...]:
    """Read it. Raises ``FormatError`` (``submission_too_large`` for one part, or parts, beyond a limit), ``UnsupportedError`` for another version."""
    members = _members(data, "submission", MAX_SUBMISSION_BYTES, {2})
    items = members[2]
    if type(items) is not list:
        raise FormatError("the entries of a submission are not an array", where="key 2")
    _require_number(len(items))
    return tuple([_submission(item, f"key 2, item {number}") for number, item in enumerate(items)])


def encode_logged(logged: Sequence[LoggedEntry]) -> bytes:
    """The body of a 200; all of ``logged`` are proved under one checkpoint."""
    proofs = [[one.index, b"".join(one.proof.hashes)] for one in logged]
    return cbor.dumps({1: VERSION, 2: logged[0].proof.checkpoint.encode(), 3: proofs})


def parse_logged(data: bytes, entries: Sequence[bytes]) -> tuple[LoggedEntry, ...]:
    """What a 200 says of the ``entries`` that were submitted; the proofs are not verified yet. Raises ``FormatError``, ``UnsupportedError``."""
    members = _members(data, "ledger's answer", MAX_SUBMISSION_ANSWER_BYTES, {2, 3})
    note, proofs = members[2], members[3]
    if type(note) is not bytes or type(proofs) is not list or len(proofs) != len(entries):
        raise FormatError("the ledger's answer is not a checkpoint and a proof for each entry")
    checkpoint = SignedNote.parse(note)
    return tuple([_logged(proof, entry, checkpoint) for proof, entry in zip(proofs, entries, strict=True)])


def encode_receipts(receipts: Sequence[SignedNote]) -> bytes:
    """The body of a 202."""
    return cbor.dumps({1: VERSION, 2: [receipt.encode() for receipt in receipts]})


def parse_receipts(data: bytes, count: int) -> tuple[bytes, ...]:
    """The ``count`` receipts of a 202, each the bytes of a note. Raises ``FormatError``, ``UnsupportedError``."""
    receipts = _members(data, "ledger's answer", MAX_SUBMISSION_ANSWER_BYTES, {2})[2]
    if type(receipts) is not list or len(receipts) != count or any(type(one) is not bytes or len(one) > MAX_NOTE_BYTES for one in receipts):
        raise FormatError("the ledger's answer is not a receipt for each entry")
    return tuple(receipts)


def _members(data: bytes, what: str, max_bytes: int, keys: set[int]) -> dict[int, cbor.CBOR]:
    value = cbor.loads(data, what=what, max_bytes=max_bytes)
    if not isinstance(value, dict) or any(type(key) is not int for key in value) or type(value.get(1)) is not int:
        raise FormatError(f"the {what} is not a map with integer keys and a version")
    if value[1] != VERSION:
        raise UnsupportedError(f"the {what} is of another version", where="key 1", hint="A newer did-health may read it")
    if value.keys() != {1, *keys}:
        raise FormatError(f"the {what} has other members than it should")
    return value


def _require_number(count: int) -> None:
    if not count:
        raise FormatError("there is no entry to submit")
    if count > MAX_SUBMISSIONS:
        raise FormatError(f"there are more than {MAX_SUBMISSIONS} entries", hint="Submit them in several parts", code=TOO_LARGE)


def _parts(submission: Submission) -> list[cbor.CBOR]:
    proofs = submission.witness_proofs
    return [submission.entry, submission.content, *([] if proofs is None else [proofs])]


def _submission(item: cbor.CBOR, where: str) -> Submission:
    if type(item) is not list or len(item) not in (2, 3) or any(type(part) is not bytes for part in item):
        raise FormatError("a submission is an array of byte strings: entry, document, and what approves a DID's line", where=where)
    if any(len(part) > most for part, most in zip(item, _MOST_BYTES, strict=False)):
        raise FormatError("an entry, its document and a witness file have at most {}, {} and {} bytes".format(*_MOST_BYTES), where=where, code=TOO_LARGE)
    return Submission(*item)


def _logged(proof: cbor.CBOR, entry: bytes, checkpoint: SignedNote) -> LoggedEntry:
    if type(proof) is not list or len(proof) != 2 or type(proof[0]) is not int or type(proof[1]) is not bytes:
        raise FormatError("a proof of the ledger's answer is not an index and a path")
    index, path = proof
    if not 0 <= index < MAX_TREE_SIZE or len(path) % HASH_BYTES or len(path) > MAX_PROOF_HASHES * HASH_BYTES:
        raise FormatError("a proof of the ledger's answer has no index of a log, or a path that is not a row of hashes")
    hashes = tuple([path[at : at + HASH_BYTES] for at in range(0, len(path), HASH_BYTES)])
    return LoggedEntry(entry, index, TlogProof(index, hashes, checkpoint, entry))
