"""A verification receipt: it is its own verifier's word, and says what a receipt can say."""

from __future__ import annotations

from collections.abc import Sequence

from did_health.errors import FormatError
from did_health.health.verification_receipt import VerificationReceipt
from did_health.roles.domain.finding import Finding, Reference, Surroundings
from did_health.roles.evidence import Need
from did_health.roles.facts import Facts
from did_health.roles.report import Outcome
from did_health.vc.credential import Credential


class ReceiptRule:
    """The rule of ``VerificationReceipt``."""

    def follows(self, credential: Credential) -> Sequence[Reference]:  # noqa: ARG002  # refers to none
        return ()

    def needs(self, credential: Credential, facts: Facts) -> Sequence[Need]:  # noqa: ARG002
        return ()

    def findings(self, credential: Credential, around: Surroundings) -> Sequence[Finding]:
        findings: list[Finding] = []
        for subject in credential.subjects:
            try:
                receipt = VerificationReceipt.from_subject(subject)
            except FormatError as error:
                findings.append(Finding(Outcome.FAIL, "receipt_malformed", f"the receipt is not one that there can be: {error.what}"))
                continue
            if receipt.verifier != credential.issuer_id:
                findings.append(Finding(Outcome.FAIL, "receipt_of_another_verifier", "the receipt names another verifier than the one that issued it"))
            if receipt.at > around.facts.now:
                findings.append(Finding(Outcome.FAIL, "receipt_from_the_future", "the receipt is about a verification that has not been yet"))
        return findings
