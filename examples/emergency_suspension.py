"""An emergency suspension: every later verification refuses, compact licences follow, and reinstatement lifts one licence only.

    python examples/emergency_suspension.py [DIRECTORY]
"""

import sys
import tempfile
from datetime import UTC, date, datetime, timedelta

import did_health as dh
from did_health.health.physician_license import CompactOrigin
from did_health.roles.board_directory import location_of, publish_public
from did_health.roles.cascade import follow_principals


def main(directory: str) -> list[str]:
    with dh.open_directory(directory, "a long passphrase", create=True) as town:
        virginia = town.create_board("va", title="Virginia Board of Medicine", jurisdiction="US-VA", professions=["MD"])
        maine = town.create_board("me", title="Maine Board of Licensure in Medicine", jurisdiction="US-ME", professions=["MD"])
        wallet, verifier = town.create_wallet("clark"), dh.embedded_verifier(town)

        def license_of(number: str, **more: object) -> dh.PhysicianLicense:
            return dh.PhysicianLicense(
                name=dh.PersonName(family="Clark", given="Cy"),
                profession="MD",
                license_number=number,
                original_issue_date=date(2012, 1, 1),
                valid_until=datetime(2029, 1, 1, tzinfo=UTC),
                npi="1234567893",
                **more,
            )

        principal = virginia.issue(license_of("0101-9"), to=wallet.did)
        list(publish_public(virginia))
        origin = CompactOrigin("IMLC", principal.id, location_of(virginia.institution.base_url, principal.id))
        elsewhere = maine.issue(license_of("ME-9", license_class="compact_expedited", compact=origin), to=wallet.did)

        seen = []

        def look(when: str) -> None:
            for name, issued in (("Virginia", principal), ("Maine", elsewhere)):
                report = verifier.verify(issued.to_json(), waive=[dh.CheckName.HOLDER_BINDING])
                seen.append(f"{when}, {name}: {' '.join((report.verdict, *report.codes))}")

        look("before")
        before = verifier.verify(principal.to_json(), waive=[dh.CheckName.HOLDER_BINDING])
        virginia.suspend(principal, reason="Danger to the public", order="Order 2026-17", state="summary_suspension")
        look("suspended")

        # Whoever has looked before and looks at nothing new believes it for as long as the policy lets evidence grow old, and then nothing.
        offline = dh.Verifier(town.policy, clock=town.clock)
        for hours in (1, 25):
            later = before.verified_at + timedelta(hours=hours)
            stale = offline.verify(principal.to_json(), evidence=before.evidence, now=later, waive=[dh.CheckName.HOLDER_BINDING])
            seen.append(f"from a cache {hours} h old: {' '.join((stale.verdict, *stale.codes))}")

        # Maine's own list says it too, as soon as Maine has followed; so Virginia's reinstatement does not lift Maine's licence.
        follow_principals(maine, verifier)
        virginia.reinstate(principal, reason="Order lifted", order="Order 2026-21")
        look("Virginia has reinstated")
        maine.reinstate(elsewhere, reason="Looked into, and lifted here as well")
        look("so has Maine")
        print(*seen, sep="\n")
    return seen


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
