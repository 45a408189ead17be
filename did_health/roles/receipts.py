"""Receipts of verifications: signed by the verifier, one for each person whose claims were shown, batched to the ledger as one root.

``ReceiptBook.record`` signs and keeps them together with a row of the verifier's log; ``publish`` logs what is new. After a crash
between any two steps the next ``publish`` goes on where it was: the members of a batch are fixed before its entry is signed, so that it is
found on the ledger if it is there.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime

from did_health.encoding import strict_json, timestamps
from did_health.errors import FormatError, UnsupportedError
from did_health.health import fields
from did_health.health.claims import schema_url
from did_health.health.credential_schemas import check_before_signing
from did_health.health.purposes import ClaimName
from did_health.health.verification_receipt import ReceiptOverride, SeenCheckpoint, StatusEvidence, VerificationReceipt
from did_health.ledger.batch import IssuanceBatch, credential_digest
from did_health.ledger.entry import Entry, Kind, subject_of
from did_health.ledger.latest import LatestBundle
from did_health.ledger.log import LoggedEntry, SequencedEntry, Submission
from did_health.limits import MAX_CLAIM_ITEMS, MAX_RECEIPTS_PER_BATCH
from did_health.roles.evidence import Evidence
from did_health.roles.institution import Institution
from did_health.roles.received_receipt import ReceivedReceipt
from did_health.roles.report import Check, CheckName, Report
from did_health.roles.request import Request
from did_health.roles.verifier import Verifier
from did_health.roles.verifier_log import KeptBatch, KeptReceipt, LogEntry, VerifierRecords, head_digest
from did_health.tlog.checkpoint import Checkpoint
from did_health.vc.credential import BASE_TYPE, Credential
from did_health.vc.status import StatusEntry

_IDENTIFIERS = frozenset({"id", "type"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """What ``record`` has signed, by the DID of the person that each is about: hand every one their own; and the row's place and id in the log."""

    receipts: Mapping[str, ReceivedReceipt]
    position: int
    entry_id: str


class ReceiptBook:
    """One institution's receipts and log. ``records`` is where they are kept; used by one thread at a time."""

    def __init__(self, institution: Institution, records: VerifierRecords) -> None:
        self.institution = institution
        self._records = records

    @property
    def verifier(self) -> str:
        """The DID that signs."""
        return self.institution.did

    def together(self) -> AbstractContextManager[None]:
        """See ``VerifierRecords.together``."""
        return self._records.together()

    def record(
        self, report: Report, *, purpose: str, policy_id: str, request: Request | None = None, note: str = "", recheck_of: str = ""
    ) -> Recorded:
        """Sign a receipt of ``report`` for each person whose claims were shown, and add a row to the log; all of it is kept, or nothing.

        Nobody gets a receipt if nobody proved to be there; the row is added all the same. ``note`` and ``recheck_of`` as of ``LogEntry``.
        """
        now = report.verified_at
        override = None if report.override is None else ReceiptOverride(report.override.by, report.override.reason)
        shown = _shown(report)
        seen, checkpoint = _seen(report)
        # Another process may add a row meanwhile: then the receipt names the row before that one.
        last = self._records.last(self.verifier)
        asked = () if request is None else request.claims
        receipts = {
            subject: self._signed(
                VerificationReceipt(
                    receipt_id=self._urn(),
                    verifier=self.verifier,
                    purpose=purpose,
                    at=now,
                    claims_requested=asked,
                    claims_disclosed=names,
                    policy_id=policy_id,
                    verdict=report.verdict,
                    reasons=report.codes[:MAX_CLAIM_ITEMS],
                    status_evidence=seen,
                    checkpoint=checkpoint,
                    override=override,
                    log_head=b"" if last is None else last.digest,
                ),
                subject,
                now,
            )
            for subject, names in (shown.items() if report.holder is not None else ())
        }
        kept = [KeptReceipt(one.id, credential_digest(one.credential), strict_json.dumps(one.credential)) for one in receipts.values()]
        entry = LogEntry(
            self._urn(),
            now,
            self.verifier,
            tuple(dict.fromkeys(name for names in shown.values() for name in names)),
            purpose,
            report.verdict,
            report.codes,
            tuple(one.digest for one in kept),
            override,
            note,
            recheck_of,
        )
        row = self._records.append(self.verifier, entry.to_json(), kept)
        return Recorded(receipts, row.position, entry.entry_id)

    def publish(self) -> int:
        """Log all receipts, and the log's newest head, that are on the ledger under no root yet; how many receipts that were.

        Raises what ``Ledger.submit`` raises; then nothing is lost, and the next call goes on.
        """
        published = 0
        subject = subject_of(Kind.RECEIPT_BATCH, self.verifier)
        while True:
            # Read before the batch: if another process logs one meanwhile, the entry made here follows an old one and is refused.
            latest = self.institution.ledger.latest(subject)
            batch = self._records.open_batch(self.verifier, lambda row: head_digest(self.verifier, row), MAX_RECEIPTS_PER_BATCH)
            if batch is None:
                return published
            self._records.finish_batch(self.verifier, batch.number, self._logged(batch, latest).proof.encode().decode())
            published += len(batch.members) - 1

    def _logged(self, batch: KeptBatch, latest: SequencedEntry | None) -> LoggedEntry:
        content = IssuanceBatch(batch.members).content
        if latest is None or latest.parsed.content != hashlib.sha256(content).digest():
            subject = subject_of(Kind.RECEIPT_BATCH, self.verifier)
            return self.institution.submit(self.institution.entry_after(latest, Kind.RECEIPT_BATCH, subject, content))[0]
        if isinstance(latest, LoggedEntry):
            return latest
        # A ledger elsewhere answers the same entry as it did before.
        return self.institution.submit(Submission(latest.entry, content))[0]

    def receipt(self, receipt_id: str) -> ReceivedReceipt:
        """A receipt to hand out, with its proof if it is on the ledger; raises ``KeyError`` for one that this verifier never signed."""
        kept = self._records.receipt(self.verifier, receipt_id)
        if kept is None:
            raise KeyError(receipt_id)
        credential = strict_json.loads_object(kept.document, what="receipt")
        batch = next((one for one in self._records.batches(self.verifier) if one.number == kept.batch and one.ledger_proof), None)
        if batch is None or kept.place is None:
            return ReceivedReceipt(credential)
        return ReceivedReceipt(credential, IssuanceBatch(batch.members).receipt_proof(kept.place, batch.ledger_proof).to_object())

    def _signed(self, receipt: VerificationReceipt, subject: str, now: datetime) -> ReceivedReceipt:
        kind = VerificationReceipt.credential_type
        document = {
            "@context": list(receipt.contexts),
            "id": self._urn(),
            "type": [BASE_TYPE, kind],
            "issuer": self.verifier,
            "validFrom": timestamps.format(now),
            "credentialSubject": receipt.to_subject(subject),
            "credentialSchema": {"id": schema_url(kind), "type": "JsonSchema"},
        }
        check_before_signing(document, kind)
        return ReceivedReceipt(self.institution.secured(document, created=now))

    def _urn(self) -> str:
        return uuid.UUID(bytes=self.institution.random(16), version=4).urn


def verify_receipt(received: ReceivedReceipt, verifier: Verifier) -> Report:
    """Verify a receipt: that the verifier which it names signed it, and that it is on the ledger if it comes with a proof of that.

    A receipt without a proof is good under the condition that its verifier's word is enough. One that was signed by a key which its verifier
    has replaced since counts if it was logged while that key was in force; otherwise it cannot be told when it was signed (``key_retired``).
    """
    return verifier.verify(received.to_object(), waive=(CheckName.HOLDER_BINDING,))


def _shown(report: Report) -> Mapping[str, tuple[ClaimName, ...]]:
    """By the DID of each person, the names of the claims about them that were shown."""
    found: dict[str, list[ClaimName]] = {}

    def look(credentials: Sequence[Credential]) -> Collection[Check]:
        for credential in credentials:
            kind = (credential.kinds or credential.types)[0]
            for subject in credential.subjects:
                with suppress(FormatError):
                    names = found.setdefault(fields.did(subject.get("id"), "", "subject's id"), [])
                    names += [_name(kind, claim) for claim in subject if claim not in _IDENTIFIERS]
        return ()

    report.compared(look)
    # A stranger may show more than a receipt can name: what is asked for never comes near the limit.
    return {subject: tuple(dict.fromkeys(names))[:MAX_CLAIM_ITEMS] for subject, names in found.items()}


def _name(kind: str, claim: str) -> ClaimName:
    """A name that can be written down; of a stranger's credential type no more than that something was shown."""
    try:
        return ClaimName.parse(f"{kind}.{claim}", "")
    except FormatError:
        return ClaimName("Credential", "other")


def _seen(report: Report) -> tuple[tuple[StatusEvidence, ...], SeenCheckpoint | None]:
    """The status lists that the credentials name, as the evidence has them, and the checkpoint that proved the newest of them."""
    urls: list[str] = []

    def look(credentials: Sequence[Credential]) -> Collection[Check]:
        for credential in credentials:
            for raw in credential.status_entries:
                try:
                    urls.append(StatusEntry.parse(raw).list_url)
                except (FormatError, UnsupportedError):
                    continue
        return ()

    report.compared(look)
    subjects = {subject_of(Kind.STATUS_LIST, url).hex(): url for url in dict.fromkeys(urls)}
    return _looked_up(report.evidence, subjects)


def _looked_up(evidence: Evidence, subjects: Mapping[str, str]) -> tuple[tuple[StatusEvidence, ...], SeenCheckpoint | None]:
    lists: list[StatusEvidence] = []
    newest: Checkpoint | None = None
    for place, item in evidence.items.items():
        prefix, _, name = place.rpartition("/")
        if item.content is None or not prefix.endswith("/latest"):
            continue
        try:
            bundle = LatestBundle.parse(item.content)
            checkpoint = Checkpoint.parse(bundle.checkpoint.text)
            entry = None if bundle.newest is None else Entry.parse(bundle.newest.entry)
        except (FormatError, UnsupportedError):
            continue
        if newest is None or checkpoint.size > newest.size:
            newest = checkpoint
        if name in subjects and entry is not None:
            lists.append(StatusEvidence(subjects[name], entry.content, item.fetched_at))
    return tuple(lists[:MAX_CLAIM_ITEMS]), None if newest is None else SeenCheckpoint(newest.origin, newest.size, newest.root)


def digest_of(document: bytes) -> bytes:
    """The digest of a kept receipt, from its document."""
    return credential_digest(strict_json.loads_object(document, what="receipt"))


def contents_digest(members: Sequence[bytes]) -> bytes:
    """The ``content`` of the ledger entry of a batch with these members."""
    return hashlib.sha256(IssuanceBatch(members).content).digest()
