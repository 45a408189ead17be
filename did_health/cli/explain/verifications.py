"""What goes between a verifier and a holder: requests, and receipts of verifications. Names of claims stand in them, and no values."""

from __future__ import annotations

from did_health.cli.explain import Explanation, known
from did_health.cli.explain.logs import explain_logged
from did_health.cli.output import when
from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.ledger.batch import ReceiptProof
from did_health.roles.received_receipt import ReceivedReceipt
from did_health.roles.request import Request


def explain_request(document: JSONObject) -> Explanation:
    """A verifier's request. Raises ``FormatError``."""
    request = Request.parse(strict_json.dumps(document))
    return Explanation(
        "request",
        f"A verifier's request, for {request.purpose}",
        ("It names what the holder is asked to show. A presentation answers it once, for this audience and nonce.",),
        known(
            ("Claims", ", ".join(map(str, request.claims))),
            ("Audience", request.audience),
            ("Nonce", request.nonce),
            ("Allowed by", request.policy_id),
            ("Made at", when(request.made_at)),
        ),
    )


def explain_verification_receipt(document: JSONObject) -> Explanation:
    """A receipt of a verification, with its proof if it is on the ledger. Raises ``FormatError``."""
    received = ReceivedReceipt.from_object(document)
    receipt = received.receipt
    return Explanation(
        "verification-receipt",
        f"A receipt of a verification, for {receipt.purpose}",
        ("Its verifier says who looked at whose claims, when and for what. Keep it with `did-health wallet receive`.",),
        known(
            ("Id", received.id),
            ("Verifier", receipt.verifier),
            ("Subject", received.subject),
            ("At", when(receipt.at)),
            ("Claims requested", ", ".join(map(str, receipt.claims_requested))),
            ("Claims disclosed", ", ".join(map(str, receipt.claims_disclosed))),
            ("Verdict", receipt.verdict),
            ("Reasons", ", ".join(receipt.reasons)),
            ("Overridden by", receipt.override.by if receipt.override else None),
        ),
        () if received.proof is None else (explain_receipt_proof(received.proof),),
    )


def explain_receipt_proof(document: JSONObject) -> Explanation:
    """The proof that a receipt is on the ledger. Raises ``FormatError``."""
    proof = ReceiptProof.parse(document)
    title = f"A proof that a receipt was logged: number {proof.index + 1} of a batch of {proof.count}"
    return explain_logged("receipt-proof", title, "Its verifier cannot deny it any more.", proof)
