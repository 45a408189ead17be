"""Going through a verifier's log: whether rows, receipts or batches were changed or have gone, held against the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from did_health.encoding.base64 import base64url_decode
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.ledger.batch import IssuanceBatch, credential_digest
from did_health.ledger.entry import HASH_BYTES, Kind, subject_of
from did_health.ledger.log import Ledger
from did_health.roles.receipts import contents_digest
from did_health.roles.received_receipt import ReceivedReceipt
from did_health.roles.verifier_log import NO_ROW, KeptBatch, LogRow, VerifierRecords, chained, head_digest
from did_health.tlog.witness_policy import WitnessPolicy


@dataclass(frozen=True, slots=True)
class LogFinding:
    """One thing that is wrong: a stable ``code``, a sentence, and where."""

    code: str
    sentence: str
    where: str


@dataclass(frozen=True, slots=True)
class LogReview:
    """How many ``rows`` and ``batches`` there are, the position of the last row that a logged head covers (-1: none), and what is wrong."""

    rows: int
    batches: int
    covered: int
    findings: tuple[LogFinding, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def review_log(
    records: VerifierRecords, verifier: str, ledger: Ledger, policy: WitnessPolicy, held: Sequence[ReceivedReceipt] = ()
) -> LogReview:
    """Recompute the chain of ``verifier``'s rows, its receipts and its batches, and hold them against ``ledger`` under ``policy``.

    Rows after the newest logged head can have been cut off without a trace here: ``covered`` says how far the ledger vouches. But whoever
    ``held`` a receipt can tell: it is named by its own row, and names one before. They are receipts of this verifier that were verified
    (``verify_receipt``). Never raises for what is wrong.
    """
    findings: list[LogFinding] = []
    digests: dict[int, bytes] = {}
    rows, named = set(), set[bytes]()
    kept = records.receipt_digests(verifier)
    previous, due = NO_ROW, 0
    for row in records.rows(verifier):
        findings += _of_row(row, previous, due, kept)
        digests[row.position] = head_digest(verifier, row)
        rows.add(row.digest)
        with suppress(FormatError):
            named |= _receipts_of(row)
        previous, due = row.digest, row.position + 1
    for one in held:
        findings += _of_held(one, rows, named)
    batches = records.batches(verifier)
    covered = -1
    for place, batch in enumerate(batches):
        if batch.number != place:
            findings.append(LogFinding("batch_missing", "a batch of receipts has gone", f"batch {place}"))
        if not batch.members or {len(member) for member in batch.members} != {HASH_BYTES}:
            findings.append(LogFinding("batch_changed", "the members of the batch are no digests", f"batch {batch.number}"))
            continue
        found = list(_of_batch(batch, digests, verifier, policy))
        findings += found
        if batch.ledger_proof and not found:
            covered = max(covered, batch.head)
    if not any(finding.code == "batch_changed" for finding in findings):
        findings += _of_ledger(batches[-1] if batches else None, len(batches), verifier, ledger)
    return LogReview(len(digests), len(batches), covered, tuple(findings))


def _of_row(row: LogRow, previous: bytes, due: int, kept: frozenset[bytes]) -> Iterator[LogFinding]:
    where = f"row {row.position}"
    if row.position != due:
        yield LogFinding("row_missing", "rows before this one have gone", where)
    elif row.previous != previous:
        yield LogFinding("row_changed", "the row does not continue the one before it", where)
    if chained(row.position, row.previous, row.content) != row.digest:
        yield LogFinding("row_changed", "the row is not the one that was written", where)
    try:
        receipts = _receipts_of(row)
    except FormatError:
        yield LogFinding("row_malformed", "the row cannot be read", where)
        return
    if not receipts <= kept:
        yield LogFinding("receipt_missing", "a receipt that the row names has gone, or was changed", where)


def _receipts_of(row: LogRow) -> set[bytes]:
    named = row.document.get("receipts")
    return {base64url_decode(str(text), what="digest") for text in (named if isinstance(named, list) else [])}


def _of_held(received: ReceivedReceipt, rows: set[bytes], named: set[bytes]) -> Iterator[LogFinding]:
    if credential_digest(received.credential) not in named:
        yield LogFinding("row_missing", "no row names a receipt that its holder has", received.id)
    head = received.receipt.log_head
    if head and head not in rows:
        yield LogFinding("row_missing", "a row that was there when a receipt was signed has gone, or was changed", received.id)


def _of_batch(batch: KeptBatch, digests: dict[int, bytes], verifier: str, policy: WitnessPolicy) -> Iterator[LogFinding]:
    where = f"batch {batch.number}"
    if digests.get(batch.head) != batch.members[-1]:
        yield LogFinding("head_contradicted", "the log's head in this batch is not the row that the log has there", where)
    if not batch.ledger_proof:
        return
    try:
        proof = IssuanceBatch(batch.members).receipt_proof(len(batch.members) - 1, batch.ledger_proof)
        if proof.verify(batch.members[-1], policy).entry.subject != subject_of(Kind.RECEIPT_BATCH, verifier):
            raise VerificationError("another verifier's batch")
    except (VerificationError, FormatError, UnsupportedError):
        yield LogFinding("batch_unproved", "the batch is not the one that is on the ledger", where)


def _of_ledger(newest: KeptBatch | None, count: int, verifier: str, ledger: Ledger) -> Iterator[LogFinding]:
    latest = ledger.latest(subject_of(Kind.RECEIPT_BATCH, verifier))
    if latest is None:
        return
    entry = latest.parsed
    if newest is None or entry.seq >= count:
        yield LogFinding("batch_missing", "the ledger has more batches of this verifier than are kept here", f"batch {count}")
    elif newest.ledger_proof and (entry.seq != newest.number or entry.content != contents_digest(newest.members)):
        yield LogFinding("batch_changed", "the newest batch is not the one that is on the ledger", f"batch {newest.number}")
