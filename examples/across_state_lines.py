"""A physician carries a licence across state lines: a letter of qualification, three more licences, and what goes wrong.

A letter by a state that is no principal one, a letter on its 366th day, and the principal state that suspends.

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
    days_later = [0]

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(days=days_later[0])

    with dh.open_directory(directory, "a long passphrase", create=True, clock=clock) as town:
        role = CompactRole("IMLC", "spl")
        boards = {
            name: town.create_board(name, title=f"Board of {state}", jurisdiction=state, professions=["MD"], resources=TYPES, compact=role)
            for name, state in STATES.items()
        }
        boards["ct"] = town.create_board(
            "ct", title="Board of US-CT", jurisdiction="US-CT", professions=["MD"], resources=TYPES, compact=CompactRole("IMLC", "issue_only")
        )
        virginia, wallet, verifier, now = boards["va"], town.create_wallet("baker"), dh.embedded_verifier(town), town.clock()

        def license_of(number: str, **more: object) -> dh.PhysicianLicense:
            return dh.PhysicianLicense(
                name=dh.PersonName(family="Baker", given="Bo"),
                profession="MD",
                license_number=number,
                original_issue_date=date(2015, 3, 1),
                valid_until=now + timedelta(days=900),
                npi="1234567893",
                **more,
            )

        def letter_of(board: dh.Board, licence: dh.Issued) -> dh.Issued:
            where, today = location_of(board.institution.base_url, licence.id), town.clock()
            letter = dh.LetterOfQualification(
                spl=PrincipalLicense(board.did, licence.id, where),
                spl_basis="residence",
                decision="qualified",
                issued_on=today.date(),
                valid_until=today + timedelta(days=365),
                checks={name: QualificationCheck("pass", today.date()) for name in CHECKS},
            )
            return board.issue(letter, to=wallet.did)

        def verdict(issued: dh.Issued) -> str:
            report = verifier.verify(issued.to_json(), waive=[dh.CheckName.HOLDER_BINDING])
            return " ".join((report.verdict, *report.codes))

        # Virginia is where Dr Baker lives. Its licence is published, because the others will point to it.
        principal = virginia.issue(license_of("0101-7"), to=wallet.did)
        list(publish_public(virginia))
        letter = letter_of(virginia, principal)

        # Each board verifies the letter, and issues its own licence under the principal one.
        seen = [f"the letter: {verdict(letter)}"]
        origin = CompactOrigin("IMLC", principal.id, location_of(virginia.institution.base_url, principal.id))
        licenses = {
            name: boards[name].issue(license_of(f"{name}-1", license_class="compact_expedited", compact=origin), to=wallet.did) for name in ("wv", "me", "co")
        }
        seen += [f"{name}: {verdict(issued)}" for name, issued in licenses.items()]

        # Connecticut issues licences under the compact, and is nobody's principal state.
        second = boards["ct"].issue(license_of("ct-7"), to=wallet.did)
        list(publish_public(boards["ct"]))
        seen.append(f"a letter by Connecticut: {verdict(letter_of(boards['ct'], second))}")

        # A letter is good for 365 days; when it is over, the licences that were granted on it stand.
        days_later[0] = 366
        seen.append(f"the letter on day 366: {verdict(letter)}")
        seen += [f"on day 366, {name}: {verdict(issued)}" for name, issued in licenses.items()]

        # Discipline cascades by law: no other board has done anything yet, and all three licences are refused. So is a letter that is under way.
        another = letter_of(virginia, principal)
        seen.append(f"another letter: {verdict(another)}")
        virginia.suspend(principal, reason="An investigation", order="Order 2026-17")
        seen += [f"after Virginia's order, {name}: {verdict(issued)}" for name, issued in licenses.items()]
        seen.append(f"and the other letter: {verdict(another)}")
        print(*seen, sep="\n")
    return seen


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
