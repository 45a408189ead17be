"""A board licenses a physician, who shows the licence to a pharmacy.

    python examples/issue_and_verify.py [DIRECTORY]
"""

import sys
import tempfile
from datetime import UTC, date, datetime

import did_health as dh

AUDIENCE, NONCE = "https://pharmacy.example", "a fresh nonce of the pharmacy"


def main(directory: str) -> dh.Report:
    with dh.open_directory(directory, "a long passphrase", create=True) as town:
        # The directory's registry authority accredits the board for MDs in North Carolina.
        board = town.create_board("nc-medical", title="North Carolina Medical Board", jurisdiction="US-NC", professions=["MD"])
        wallet = town.create_wallet("adams")

        claims = dh.PhysicianLicense(
            name=dh.PersonName(family="Adams", given="Ann"),
            profession="MD",
            license_number="2010-00421",
            original_issue_date=date(2010, 6, 1),
            valid_until=datetime(2029, 6, 1, tzinfo=UTC),
            npi="1234567893",
        )
        # What comes back is the credential and the receipt that its issuing was logged; the wallet keeps both.
        wallet.add(board.issue(claims, to=wallet.did))
        town.save_wallet("adams", wallet)

        shown = wallet.present(["PhysicianLicenseCredential"], audience=AUDIENCE, nonce=NONCE)
        report = dh.embedded_verifier(town).verify(shown, audience=AUDIENCE, nonce=NONCE)

    print(f"verdict: {report.verdict}, as of {report.as_of}")
    for check in report.checks:
        print(f"  {check.outcome:8} {check.name:15} {check.sentence}")
    return report


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
