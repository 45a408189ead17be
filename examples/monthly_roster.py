"""A hospital verifies its roster every month: a signed report, what changed since the last one, and a replay years later.

    python examples/monthly_roster.py [DIRECTORY]
"""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import did_health as dh


def license_of(family: str, number: str) -> dh.PhysicianLicense:
    return dh.PhysicianLicense(
        name=dh.PersonName(family=family, given="Ann"),
        profession="MD",
        license_number=number,
        original_issue_date=date(2010, 6, 1),
        valid_until=datetime(2029, 6, 1, tzinfo=UTC),
    )


def main(directory: str) -> list[list[str]]:
    office = Path(directory)
    with dh.open_directory(office / "town", "a long passphrase", create=True) as town:
        board = town.create_board("nc-medical", title="North Carolina Medical Board", jurisdiction="US-NC", professions=["MD"])
        hospital = town.create_institution("hospital", title="Mercy Hospital", jurisdiction="US-NC")
        doctor = town.create_wallet("adams")
        adams, brown = board.issue_many([(license_of("Adams", "A-1"), doctor.did), (license_of("Brown", "B-2"), doctor.did)])

        # What boards gave out lies in a folder; the roster says who works here. Clark's licence is not among them.
        (office / "licences").mkdir()
        for issued in (adams, brown):
            (office / "licences" / f"{issued.id.rpartition(':')[2]}.json").write_bytes(issued.to_json())
        (office / "roster.csv").write_text("family,given,license_number,state\nAdams,Ann,A-1,NC\nBrown,Ann,B-2,NC\nClark,Ann,C-3,NC\n")

        lookup = dh.RosterLookup(office, (dh.LicenseFiles([office / "licences"], office / "index.sqlite"),))
        verifier = dh.embedded_verifier(town)
        with ThreadPoolExecutor(2) as executor:  # or processes, or a Dask cluster: see did_health.net.roster_workers
            march = dh.RosterOrder(office / "roster.csv", office / "2026-03", signer=hospital, workers=2)
            dh.verify_roster(march, verifier, lookup, clock=town.clock, executor=executor)

            board.suspend(brown, reason="order 2026-17")
            april = dh.RosterOrder(office / "roster.csv", office / "2026-04", before=office / "2026-03", signer=hospital, workers=2)
            report = dh.verify_roster(april, verifier, lookup, clock=town.clock, executor=executor)

    print(f"signed by {report.made_by}; {report.document['unresolved']} unresolved; changes: {report.document['changes']}")
    verdicts = []
    for row in dh.RosterReportFolder.open(office / "2026-04").rows():
        codes = [reason["code"] for reason in row["reasons"]]
        print(f"  {row['family']:8} {row['verdict']:14} {row['change']:8} {', '.join(codes)}")
        verdicts.append(row["verdict"])

    # Years later: March's verdicts follow from March's evidence, without any network.
    kept = dh.RosterReportFolder.open(office / "2026-03")
    kept.require_whole()
    judge = kept.judge()
    replayed = [judge.result(found)["verdict"] for found in kept.found()]
    print(f"in March it was: {', '.join(replayed)}")
    return [verdicts, replayed]


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
