"""A physician carries a licence across state lines: a letter of qualification, three more licences, and the principal state that suspends.

    python examples/across_state_lines.py [DIRECTORY]
"""

import sys
import tempfile
from datetime import UTC, date, datetime, timedelta

import did_health as dh
from did_health.health.board_accreditation import CompactRole
from did_health.health.letter_of_qualification import CHECKS, PrincipalLicense, QualificationCheck
from did_health.health.physician_license import CompactOrigin
from did_health.roles.board_directory import location_of, publish_public

STATES = {"va": "US-VA", "wv": "US-WV", "me": "US-ME", "co": "US-CO"}
TYPES = ["PhysicianLicenseCredential", "LetterOfQualificationCredential"]


def main(directory: str) -> list[str]:
    with dh.open_directory(directory, "a long passphrase", create=True) as town:
        role = CompactRole("IMLC", "spl")
        boards = {
            name: town.create_board(name, title=f"Board of {state}", jurisdiction=state, professions=["MD"], resources=TYPES, compact=role)
            for name, state in STATES.items()
        }
        virginia, wallet, verifier, now = boards["va"], town.create_wallet("baker"), dh.embedded_verifier(town), town.clock()

        def license_of(number: str, **more: object) -> dh.PhysicianLicense:
            return dh.PhysicianLicense(
                name=dh.PersonName(family="Baker", given="Bo"),
                profession="MD",
                license_number=number,
                original_issue_date=date(2015, 3, 1),
                valid_until=datetime(2029, 3, 1, tzinfo=UTC),
                npi="1234567893",
                **more,
            )

        # Virginia is where Dr Baker lives. Its licence is published, because the others will point to it.
        principal = virginia.issue(license_of("0101-7"), to=wallet.did)
        list(publish_public(virginia))
        location = location_of(virginia.institution.base_url, principal.id)

        letter = virginia.issue(
            dh.LetterOfQualification(
                spl=PrincipalLicense(virginia.did, principal.id, location),
                spl_basis="residence",
                decision="qualified",
                issued_on=now.date(),
                valid_until=now + timedelta(days=365),
                checks={name: QualificationCheck("pass", now.date()) for name in CHECKS},
            ),
            to=wallet.did,
        )

        def verdict(issued: dh.Issued, **more: object) -> str:
            report = verifier.verify(issued.to_json(), waive=[dh.CheckName.HOLDER_BINDING], **more)
            return " ".join((report.verdict, *report.codes))

        # Each board verifies the letter, and issues its own licence under the principal one.
        seen = [f"the letter: {verdict(letter)}"]
        origin = CompactOrigin("IMLC", principal.id, location)
        licenses = {
            name: boards[name].issue(license_of(f"{name}-1", license_class="compact_expedited", compact=origin), to=wallet.did) for name in ("wv", "me", "co")
        }
        seen += [f"{name}: {verdict(issued)}" for name, issued in licenses.items()]

        # Discipline cascades by law: no other board has done anything yet, and all three licences are refused.
        virginia.suspend(principal, reason="An investigation", order="Order 2026-17")
        seen += [f"after Virginia's order, {name}: {verdict(issued)}" for name, issued in licenses.items()]
        seen.append(f"and the letter: {verdict(letter)}")
        print(*seen, sep="\n")
    return seen


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
