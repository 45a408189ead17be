"""Whatever a verification receipt holds, reading it gives one, or one named error; a receipt follows its schema and its context."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.health.purposes import ClaimName
from did_health.health.verification_receipt import ReceiptOverride, SeenCheckpoint, StatusEvidence, VerificationReceipt
from did_health.roles.received_receipt import ReceivedReceipt
from did_health.vc.packaged import schema_file
from did_health.vc.rdf import canonical_nquads

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RECEIPT = VerificationReceipt(
    receipt_id="urn:uuid:11111111-1111-4111-8111-111111111111",
    verifier="did:web:pharmacy.example",
    purpose="pickup",
    at=NOW,
    claims_requested=(ClaimName("PatientIdentityCredential", "name"),),
    claims_disclosed=(ClaimName("PatientIdentityCredential", "name"),),
    policy_id="p",
    verdict="refuse",
    reasons=("revoked",),
    status_evidence=(StatusEvidence("https://b.example/1", bytes(32), NOW),),
    checkpoint=SeenCheckpoint("ledger.example", 3, bytes(32)),
    override=ReceiptOverride("R. Ph.", "known here"),
)
SUBJECT = RECEIPT.to_subject("did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH")
CREDENTIAL: dict[str, Any] = {
    "@context": list(RECEIPT.contexts),
    "id": "urn:uuid:22222222-2222-4222-8222-222222222222",
    "type": ["VerifiableCredential", "VerificationReceipt"],
    "issuer": "did:web:pharmacy.example",
    "validFrom": "2026-03-01T00:00:00Z",
    "credentialSubject": SUBJECT,
    "credentialSchema": {"id": RECEIPT.schema_url, "type": "JsonSchema"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["list", "digest", "root", "size", "by"]), inner, max_size=3),
    max_leaves=5,
)


def test_a_receipt_follows_its_schema_and_every_term_has_a_meaning() -> None:
    jsonschema.validate(CREDENTIAL, json.loads(schema_file("VerificationReceipt.json")), jsonschema.Draft202012Validator)
    lines = canonical_nquads(CREDENTIAL)
    for term in ("claimDisclosed", "statusList", "treeRoot", "overrideReason", "verifier", "purpose"):
        assert f"vocab#{term}>" in str(lines)


def test_the_pattern_itself_is_read() -> None:
    assert ReceivedReceipt.from_object({"credential": CREDENTIAL}).receipt == RECEIPT


@given(data=st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_garbage_is_no_receipt(data: bytes) -> None:
    try:
        ReceivedReceipt.parse(data)
    except FormatError:
        return
    raise AssertionError(data)


@given(changes=st.dictionaries(st.sampled_from(sorted(SUBJECT)), JSON, min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_a_receipt_with_changed_members_is_read_or_refused(changes: dict[str, Any]) -> None:
    document = {"credential": {**CREDENTIAL, "credentialSubject": {**SUBJECT, **changes}}}
    try:
        received = ReceivedReceipt.parse(strict_json.dumps(document))
    except FormatError:
        return
    assert VerificationReceipt.from_subject(received.receipt.to_subject(received.subject)) == received.receipt
