"""A holder's activity log as a table: who looked, when, for what, and what came of it. Names of claims, never values."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO
from typing import Final

from did_health.encoding import timestamps
from did_health.health.verification_receipt import VerificationReceipt

COLUMNS: Final = ("at", "verifier", "purpose", "claims_requested", "claims_disclosed", "verdict", "reasons", "overridden_by", "receipt_id")
# A spreadsheet would take a text that begins so for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def activity_row(receipt: VerificationReceipt) -> tuple[str, ...]:
    """The texts of one row, in the order of ``COLUMNS``."""
    return (
        timestamps.format(receipt.at),
        receipt.verifier,
        receipt.purpose,
        " ".join(map(str, receipt.claims_requested)),
        " ".join(map(str, receipt.claims_disclosed)),
        receipt.verdict,
        " ".join(receipt.reasons),
        "" if receipt.override is None else receipt.override.by,
        receipt.receipt_id,
    )


def activity_csv(receipts: Iterable[VerificationReceipt]) -> str:
    """The whole table with a header (RFC 4180); what a spreadsheet would compute begins with an apostrophe."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for receipt in receipts:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in activity_row(receipt)])
    return text.getvalue()
