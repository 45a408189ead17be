"""A board licenses a physician: the registry lets it, the issuing is logged; and three licences that must not come about.

    python examples/license_a_physician.py [DIRECTORY]
"""

import sys
import tempfile
from datetime import UTC, date, datetime

import did_health as dh


def main(directory: str) -> list[str]:
    with dh.open_directory(directory, "a long passphrase", create=True) as town:
        # The registry authority accredits this board for osteopathic physicians in Arizona, and for nobody else.
        board = town.create_board("az-osteopathic", title="Arizona Osteopathic Board", jurisdiction="US-AZ", professions=["DO"])
        wallet = town.create_wallet("adams")
        verifier = dh.embedded_verifier(town)

        def license_of(profession: str, number: str, npi: str) -> dh.PhysicianLicense:
            return dh.PhysicianLicense(
                name=dh.PersonName(family="Adams", given="Ann"),
                profession=profession,
                license_number=number,
                original_issue_date=date(2010, 6, 1),
                valid_until=datetime(2029, 6, 1, tzinfo=UTC),
                npi=npi,
            )

        def verdict(issued: dh.Issued) -> str:
            report = verifier.verify(issued.to_json(), waive=[dh.CheckName.HOLDER_BINDING])
            return " ".join((report.verdict, *report.codes))

        seen = [verdict(board.issue(license_of("DO", "4421", "1234567893"), to=wallet.did))]
        # A board can sign what it likes: whoever verifies asks the registry whether it may.
        seen.append(verdict(board.issue(license_of("MD", "4422", "1245319599"), to=wallet.did)))
        for profession, number, npi in (("DO", "4421", "1234567893"), ("DO", "4423", "1234567890")):
            try:
                board.issue(license_of(profession, number, npi), to=wallet.did)
            except dh.DidHealthError as error:
                seen.append(f"not issued: {error.what}")
        print(*seen, sep="\n")
    return seen


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
