"""What belongs to transparency logs: notes, checkpoints, proofs, entries, receipts."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from did_health.cli.explain import Explanation, counted, known
from did_health.cli.output import when
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.ledger.batch import IssuanceReceipt, parse_batch_content
from did_health.ledger.entry import Entry, Kind
from did_health.ledger.latest import LatestBundle
from did_health.ledger.map_head import MapHead
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import cosignature_time
from did_health.tlog.note import Signature, SignatureType, SignedNote, VerifierKey
from did_health.tlog.proof import TlogProof

# Beyond this a datetime cannot hold a cosignature's time.
_LAST_SECOND: Final = 253_402_300_799

_KINDS: Final = MappingProxyType({
    Kind.DID: "a new line of a DID's log",
    Kind.STATUS_LIST: "a new version of a status list",
    Kind.REGISTRY_RECORD: "a statement of a registry authority about an institution",
    Kind.ISSUANCE_BATCH: "credentials that were issued: only the root of a tree of their digests",
    Kind.RECEIPT_BATCH: "receipts that were given: only the root of a tree of their digests",
    Kind.SCHEMA: "a schema",
    Kind.REVOCATION: "the end of a credential that its subject itself revokes",
    Kind.MAP_HEAD: "the state of the map of newest entries",
})
_SIGNERS: Final = MappingProxyType({
    SignatureType.ED25519: "signs notes and checkpoints with Ed25519 (a log)",
    SignatureType.COSIGNATURE: "cosigns checkpoints with Ed25519 (a witness)",
    SignatureType.ML_DSA_44_COSIGNATURE: "cosigns checkpoints with ML-DSA-44 (not verified by did-health)",
})


def explain_note(data: bytes) -> Explanation:
    """A signed note; a checkpoint if its text is one. Raises ``FormatError``."""
    return _note(SignedNote.parse(data))


def _note(note: SignedNote) -> Explanation:
    signatures = tuple((f"Signed by {line.name}", _line(line)) for line in note.signatures)
    try:
        checkpoint = Checkpoint.parse(note.text)
    except FormatError:
        return Explanation(
            "note", "A signed note", (f"Its text has {note.text.count(chr(10))} lines; it may be believed if one believes a signer.",), signatures
        )
    return Explanation(
        "checkpoint",
        f"A checkpoint of the log {checkpoint.origin}",
        ("By it a log commits to all its entries and their order; witnesses that cosign it have seen that nothing was taken back.",),
        (*known(("Origin", checkpoint.origin), ("Entries", checkpoint.size), ("Root", checkpoint.root.hex())), *signatures),
    )


def _line(signature: Signature) -> str:
    try:
        seconds = cosignature_time(signature)
    except FormatError:
        return f"key {signature.key_id.hex()}"
    time = when(datetime.fromtimestamp(seconds, UTC)) if seconds <= _LAST_SECOND else "a time beyond every calendar"
    return f"key {signature.key_id.hex()}, cosigned at {time}"


def explain_tlog_proof(data: bytes) -> Explanation:
    """A C2SP tlog-proof. Raises ``FormatError``."""
    proof = TlogProof.parse(data)
    inside = () if proof.extra is None else (_extra(proof.extra),)
    return Explanation(
        "tlog-proof",
        f"A proof that entry {proof.index} is in a log",
        ("It leads from the entry to the checkpoint inside; check it with `did-health ledger check FILE`.",),
        known(("Entry", proof.index), ("Hashes on the way", len(proof.hashes))),
        (_note(proof.checkpoint), *inside),
    )


def explain_bundle(data: bytes) -> Explanation:
    """A bundle for a newest entry. Raises ``FormatError``, ``UnsupportedError``."""
    bundle = LatestBundle.parse(data)
    newest = bundle.newest
    return Explanation(
        "latest-bundle",
        "A proof that a subject has no entry in a log" if newest is None else f"A proof that entry {newest.index} is the newest of its subject",
        ("It leads from the subject through the map of newest entries to the checkpoint inside; check it with `did-health ledger check FILE`.",),
        known(("Map head", bundle.head_index), ("Keys of the map", bundle.count), ("Root of the map", bundle.root.hex())),
        (_note(bundle.checkpoint), *(() if newest is None else (_extra(newest.entry),))),
    )


def explain_map_head(data: bytes) -> Explanation:
    """The document of a map head. Raises ``FormatError``, ``UnsupportedError``."""
    head = MapHead.parse(data)
    return Explanation(
        "map-head",
        f"The state of a map of newest entries after {head.size} leaves",
        ("With it a log says what the newest entry of every subject is.",),
        known(("Keys", head.count), ("Root", head.root.hex())),
    )


def _extra(extra: bytes) -> Explanation:
    try:
        return explain_entry(extra)
    except FormatError:
        return Explanation("extra", f"Extra data of {len(extra)} bytes, which are not a ledger entry")


def explain_entry(data: bytes) -> Explanation:
    """A ledger entry in CBOR. Raises ``FormatError``, ``UnsupportedError``."""
    entry = Entry.parse(data)
    return Explanation(
        "ledger-entry",
        f"A ledger entry of the kind {entry.kind}",
        (f"It logs {_KINDS[entry.kind]}. The document itself is not in it, only its hash.",),
        known(
            ("Subject", entry.subject.hex()),
            ("Number within the subject", entry.seq),
            ("Entry before", entry.prev and entry.prev.hex()),
            ("Hash of the document", entry.content.hex()),
            ("Author", entry.author),
            ("Author's clock", when(datetime.fromtimestamp(entry.time, UTC))),
            ("Digest", entry.digest.hex()),
        ),
    )


def explain_ledger_proof(text: str) -> Explanation:
    """The member ``ledgerProof`` of a receipt. Raises ``FormatError``."""
    try:
        return explain_tlog_proof(text.encode())
    except UnicodeEncodeError as error:
        raise FormatError("the ledger proof holds a lone surrogate", where="/ledgerProof") from error


def explain_batch(data: bytes) -> Explanation:
    """The document of an issuance batch. Raises ``FormatError``."""
    root, count = parse_batch_content(data)
    return Explanation(
        "issuance-batch", f"An issuance batch of {counted(count, 'credential')}", ("The root tells nothing about any of them.",), known(("Root", root.hex()))
    )


def explain_receipt(document: JSONObject) -> Explanation:
    """An issuance receipt. Raises ``FormatError``."""
    receipt = IssuanceReceipt.parse(document)
    title = f"An issuance receipt: credential {receipt.index + 1} of a batch of {receipt.count}"
    means = "It proves that the credential's issuing was logged, so that a stolen key cannot issue in silence."
    return explain_logged("issuance-receipt", title, means, receipt)


def explain_logged(kind: str, title: str, means: str, receipt: IssuanceReceipt) -> Explanation:
    """What proves that one of a batch is on the ledger. Raises ``FormatError``."""
    return Explanation(
        kind,
        title,
        (means,),
        known(("Root of the batch", receipt.root.hex()), ("Hashes on the way", len(receipt.path))),
        (explain_ledger_proof(receipt.ledger_proof),),
    )


def explain_vkey(text: str) -> Explanation:
    """A verifier key of signed notes. Raises ``FormatError``, ``UnsupportedError``."""
    key = VerifierKey.parse(text)
    return Explanation(
        "verifier-key", f"A verifier key named {key.name}", (f"It {_SIGNERS[key.type]}.",), known(("Key id", key.key_id.hex()), ("Key", key.raw.hex()))
    )
