"""Finds out what bytes or a text are. The marks of the formats exclude each other, so the order matters only for speed."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from did_health.cli.explain import Explanation
from did_health.cli.explain.credentials import explain_credential, explain_issued, explain_presentation, explain_proof
from did_health.cli.explain.dids import explain_did, explain_did_document, explain_did_log, explain_jwk, explain_multikey, explain_resolution
from did_health.cli.explain.logs import (
    explain_batch,
    explain_bundle,
    explain_entry,
    explain_map_head,
    explain_note,
    explain_receipt,
    explain_tlog_proof,
    explain_vkey,
)
from did_health.cli.explain.places import (
    explain_database,
    explain_evidence,
    explain_fhir,
    explain_institution,
    explain_pins,
    explain_policy,
    explain_report,
    explain_sealed,
    explain_shift_bundle,
    explain_witness_policy,
)
from did_health.cli.explain.verifications import explain_receipt_proof, explain_request, explain_verification_receipt
from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.keys.sealed import FORMAT as SEALED
from did_health.ledger.batch import FORMAT as RECEIPT
from did_health.ledger.batch import PROOF_FORMAT as RECEIPT_PROOF
from did_health.limits import MAX_WALLET_BYTES
from did_health.roles.request import FORMAT as REQUEST
from did_health.tlog.proof import HEADER as TLOG_PROOF

_SQLITE: Final = b"SQLite format 3\x00"
_SIGNATURE_LINE: Final = "\n\n\N{EM DASH} ".encode()
_LONGEST_LINE: Final = 4096
_KNOWN: Final = (
    "A credential, presentation, proof, DID, DID document or log, note, checkpoint, tlog-proof, receipt, ledger entry, policy, evidence, sealed file or key"
)

_BY_FORMAT: Final = MappingProxyType[str, Callable[[JSONObject], Explanation]]({
    SEALED: explain_sealed,
    RECEIPT: explain_receipt,
    RECEIPT_PROOF: explain_receipt_proof,
    REQUEST: explain_request,
    "did-health/evidence/v1": explain_evidence,
    "did-health/shift-bundle/v1": explain_shift_bundle,
    "did-health/pins/v1": explain_pins,
    "did-health/institution/v1": explain_institution,
})
_BY_MEMBERS: Final[tuple[tuple[frozenset[str], Callable[[JSONObject], Explanation]], ...]] = (
    (frozenset({"credential", "issuanceReceipt"}), explain_issued),
    (frozenset({"verdict", "checks"}), explain_report),
    (frozenset({"didDocument"}), explain_resolution),
    (frozenset({"resourceType"}), explain_fhir),
    (frozenset({"kty"}), explain_jwk),
    (frozenset({"proofPurpose"}), explain_proof),
)


def is_literal(text: str) -> bool:
    """Whether an argument is a DID or a Multikey itself, and not the name of a file."""
    return text.startswith(("did:", "z6Mk", "zDn", "z82", "z6LS"))


def explain_text(text: str) -> Explanation:
    """A DID, DID URL or Multikey. Raises ``FormatError``."""
    return explain_did(text) if text.startswith("did:") else explain_multikey(text)


def explain(data: bytes) -> Explanation:
    """What a file holds. Raises ``FormatError`` for what did-health does not know, or knows and finds malformed."""
    if not data:
        raise FormatError("the file is empty")
    if data.startswith(_SQLITE):
        return explain_database(data)
    if data.startswith(TLOG_PROOF.encode()):
        return explain_tlog_proof(data)
    if data.lstrip(b" \t\r\n").startswith(b"{"):
        return _json(data)
    if data[0] & 0xE0 == 0xA0:  # a CBOR map, by its number of keys: nothing that is text starts with such a byte
        return {0xA4: explain_map_head, 0xA7: explain_bundle, 0xA9: explain_entry}.get(data[0], explain_batch)(data)
    if _SIGNATURE_LINE in data:
        return explain_note(data)
    try:
        return _text(data.decode())
    except UnicodeDecodeError as error:
        raise _unknown() from error


def _text(text: str) -> Explanation:
    line = text.strip()
    if is_literal(line) and len(line.split()) == 1:
        return explain_text(line)
    if 'format = "did-health/trust-policy/v1"' in text:
        return explain_policy(text)
    if line.startswith(("log ", "witness ", "quorum ", "#")) and "quorum " in text:
        return explain_witness_policy(text)
    if line.count("+") >= 2 and len(line.split()) == 1 and len(line) <= _LONGEST_LINE:
        return explain_vkey(line)
    raise _unknown()


def _json(data: bytes) -> Explanation:
    first, _, rest = data.strip().partition(b"\n")
    if b'"versionId"' in first and b'"parameters"' in first and (not rest or rest.lstrip().startswith(b"{")):
        return explain_did_log(data)
    document = strict_json.loads_object(data, what="file", max_bytes=2 * MAX_WALLET_BYTES)
    form = document.get("format")
    if isinstance(form, str) and form in _BY_FORMAT:
        return _BY_FORMAT[form](document)
    if isinstance(credential := document.get("credential"), dict) and "VerificationReceipt" in str(credential.get("type")):
        return explain_verification_receipt(document)
    types = document.get("type")
    names = [types] if isinstance(types, str) else types if isinstance(types, list) else []
    if "VerifiablePresentation" in names:
        return explain_presentation(document)
    if "VerifiableCredential" in names:
        return explain_credential(document)
    for members, explained in _BY_MEMBERS:
        if members <= document.keys():
            return explained(document)
    if str(document.get("id", "")).startswith("did:"):
        return explain_did_document(document)
    raise _unknown()


def _unknown() -> FormatError:
    return FormatError("this is nothing that did-health knows", hint=f"{_KNOWN} is explained")
