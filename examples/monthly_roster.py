"""A hospital verifies its roster every month: a signed report, what changed since the last one, and a replay years later.

Whatever cannot be told is *indeterminate* and says why: another person's name, a board whose DID cannot be resolved, one whose status lists do
not come in time, a licence that nobody has.

    python examples/monthly_roster.py [DIRECTORY]
"""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import did_health as dh
from did_health.net.gather import gather


class BadNetwork:
    """A ledger, with two boards' trouble: the DID log of one cannot be had, and the status lists of the other come too late."""

    def __init__(self, town: dh.Directory, without_did: dh.Board, without_lists: dh.Board) -> None:
        self._ledger, self._did_log = town.ledger, f"{without_did.institution.base_url}/did.jsonl"
        self._lists = f"{without_lists.institution.base_url}/status/".encode()

    def fetch(self, need: dh.Need) -> bytes | None:
        content = self._ledger.fetch(need)
        if need.url == self._did_log:
            raise dh.TransportError("the board's name has no address")
        if content is not None and b"BitstringStatusListCredential" in content and self._lists in content:
            raise dh.TransportError("there was no answer within 10 s")
        return content


def license_of(family: str, number: str) -> dh.PhysicianLicense:
    return dh.PhysicianLicense(
        name=dh.PersonName(family=family, given="Ann"),
        profession="MD",
        license_number=number,
        original_issue_date=date(2010, 6, 1),
        valid_until=datetime.now(UTC) + timedelta(days=600),
    )


def main(directory: str) -> list[list[str]]:
    office = Path(directory)
    with dh.open_directory(office / "town", "a long passphrase", create=True) as town:
        board = town.create_board("nc-medical", title="North Carolina Medical Board", jurisdiction="US-NC", professions=["MD"])
        virginia = town.create_board("va", title="Virginia Board of Medicine", jurisdiction="US-VA", professions=["MD"])
        maine = town.create_board("me", title="Maine Board of Licensure in Medicine", jurisdiction="US-ME", professions=["MD"])
        hospital = town.create_institution("hospital", title="Mercy Hospital", jurisdiction="US-NC")
        doctor = town.create_wallet("adams")
        adams, brown = board.issue_many([(license_of("Adams", "A-1"), doctor.did), (license_of("Brown", "B-2"), doctor.did)])
        davis = virginia.issue(license_of("Davis", "D-4"), to=doctor.did)
        evans = maine.issue(license_of("Evans", "E-5"), to=doctor.did)

        # What boards gave out lies in a folder; the roster says who works here. Clark's licence is not among them, and Zoe Adams is not Ann.
        (office / "licences").mkdir()
        for issued in (adams, brown, davis, evans):
            (office / "licences" / f"{issued.id.rpartition(':')[2]}.json").write_bytes(issued.to_json())
        people = ("Adams,Ann,A-1,NC", "Brown,Ann,B-2,NC", "Clark,Ann,C-3,NC", "Adams,Zoe,A-1,NC", "Davis,Ann,D-4,VA", "Evans,Ann,E-5,ME")
        (office / "roster.csv").write_text("\n".join(("family,given,license_number,state", *people, "")))

        lookup = dh.RosterLookup(office, (dh.LicenseFiles([office / "licences"], office / "index.sqlite"),))
        source = BadNetwork(town, without_did=virginia, without_lists=maine)
        verifier = dh.Verifier(
            town.policy, clock=town.clock, gather=lambda missing: gather(missing, [source], evidence=dh.Evidence(), clock=town.clock)
        )
        with ThreadPoolExecutor(2) as executor:  # or processes, or a Dask cluster: see did_health.net.roster_workers
            march = dh.RosterOrder(office / "roster.csv", office / "2026-03", signer=hospital, workers=2)
            dh.verify_roster(march, verifier, lookup, clock=town.clock, executor=executor)

            board.suspend(brown, reason="order 2026-17")
            april = dh.RosterOrder(office / "roster.csv", office / "2026-04", before=office / "2026-03", signer=hospital, workers=2)
            report = dh.verify_roster(april, verifier, lookup, clock=town.clock, executor=executor)

    print(f"signed by {report.made_by}; {report.document['unresolved']} unresolved; changes: {report.document['changes']}")
    verdicts = []
    for row in dh.RosterReportFolder.open(office / "2026-04").rows():
        codes = dict.fromkeys(reason["code"] for reason in row["reasons"])
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
