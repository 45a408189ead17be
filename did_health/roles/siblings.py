"""Siblings: licences that one board issued in one batch. What they share is checked once for all that are verified at one moment.

That is most of a verification: the issuer and its key, the ledger's proof of the batch, the accreditation, the status lists. What is a licence's own
is checked for each of them: its dates, its bits in the lists, the rules of the domain, its signature, its path in the batch. A licence against which
one of these says something goes the general way (``Checks``), which is the only one that explains, and the oracle of the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from did_health.encoding.base64 import base64url_decode
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, VerificationError
from did_health.keys import PublicKey
from did_health.roles.documents import Part
from did_health.roles.report import Check, CheckName
from did_health.tlog.merkle import ProvenLeaves, leaf_hash
from did_health.vc.proofs.data_integrity import verify_common_signature
from did_health.vc.status import EntriesAlike

Likeness = tuple[object, ...]
"""All that siblings have in common, and how they are asked for: whoever shares it shares the checks that rest on it."""

FAMILIES: Final = 256
"""How many families a verifier remembers at most; of a forgotten one, a licence goes the general way."""


def likeness(part: Part, place: int, waive: Sequence[CheckName], holder: str | None, *, presented: bool) -> Likeness | None:
    """That of a credential of the common shape, at its ``place`` in the document; ``None`` for one that goes the general way."""
    credential, receipt = part.credential, part.receipt
    if type(receipt) is not dict:
        return None
    form, count, root, subject = receipt.get("format"), receipt.get("count"), receipt.get("root"), credential["credentialSubject"]
    # True and 1.0 are 1 to whoever compares, and what is no text may not be comparable.
    if type(count) is not int or type(form) is not str or type(root) is not str or (presented and subject.get("id") != holder):
        return None
    lists = [entry["statusListCredential"] for entry in credential["credentialStatus"]]
    return (
        place, presented, waive, credential["type"][1], credential["issuer"], credential["proof"]["verificationMethod"], subject["profession"],
        subject["board"]["jurisdiction"], form, count, root, *lists,
    )  # fmt: skip


class Family(NamedTuple):
    """What was found of one licence, against which nothing was said: so it is for every sibling."""

    checks: tuple[Check, ...]
    key: PublicKey
    entries: tuple[EntriesAlike, ...]
    leaves: ProvenLeaves
    ledger_proof: str

    def is_clear(self, credential: JSONObject) -> bool:
        """Whether nothing is said against this licence in its status lists."""
        # Not one fewer than the first: the lists are part of the likeness.
        for entry, alike in zip(credential["credentialStatus"], self.entries, strict=True):  # noqa: SIM110  # a generator would take thrice as long
            if not alike.has_clear(entry):
                return False
        return True

    def has(self, part: Part, now: datetime) -> bool:
        """Whether the issuer signed this licence, and has it in the batch. Nobody is told why not."""
        credential, receipt = part.credential, part.receipt
        index, path = receipt.get("index"), receipt.get("path")
        # The proof is long, and so no part of the likeness, which is looked up by its hash.
        if type(index) is not int or type(path) is not str or receipt.get("ledgerProof") != self.ledger_proof:
            return False
        try:
            self.leaves.verify(leaf_hash(part.digest()), index, base64url_decode(path))
            verify_common_signature(credential, part.canonical(), self.key, now=now)
        except (VerificationError, FormatError):
            return False
        return True
