"""A board suspends a licence, reinstates it and revokes it; each is seen by the very next verification.

    python examples/suspend_and_reinstate.py [DIRECTORY]
"""

import sys
import tempfile
from datetime import UTC, date, datetime

import did_health as dh


def main(directory: str) -> list[str]:
    with dh.open_directory(directory, "a long passphrase", create=True) as town:
        board = town.create_board("va-medicine", title="Virginia Board of Medicine", jurisdiction="US-VA", professions=["MD", "DO"])
        wallet = town.create_wallet("baker")
        issued = board.issue(
            dh.PhysicianLicense(
                name=dh.PersonName(family="Baker", given="Bo"),
                profession="DO",
                license_number="0102-7",
                original_issue_date=date(2015, 3, 1),
                valid_until=datetime(2029, 3, 1, tzinfo=UTC),
            ),
            to=wallet.did,
        )
        verifier = dh.embedded_verifier(town)

        def verdict() -> str:
            # Nobody presents the licence here, so the check of who holds it is left out by name; the report shows it as waived.
            report = verifier.verify(issued.to_json(), waive=[dh.CheckName.HOLDER_BINDING])
            print(report.verdict, *report.codes)
            return str(report.verdict)

        seen = [verdict()]
        board.suspend(issued, reason="Summary suspension", order="Order 2026-17", state="summary_suspension")
        seen.append(verdict())
        board.reinstate(issued, reason="Order lifted", order="Order 2026-21")
        seen.append(verdict())
        board.revoke(issued, reason="Revoked after hearing", order="Order 2026-40")
        seen.append(verdict())
        for change in board.history(issued):
            print(f"  {change.effective:%Y-%m-%d} {change.purpose} = {change.value}: {change.reason} ({change.order})")
    return seen


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
