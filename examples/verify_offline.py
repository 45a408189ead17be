"""A verifier without a network: the evidence of an earlier verification is kept in a file and used again, until it is too old.

    python examples/verify_offline.py [DIRECTORY]
"""

import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import did_health as dh


def main(directory: str) -> list[str]:
    folder = Path(directory)
    with dh.open_directory(folder / "town", "a long passphrase", create=True) as town:
        board = town.create_board("nc-medical", title="North Carolina Medical Board", jurisdiction="US-NC", professions=["MD"])
        wallet = town.create_wallet("clark")
        issued = board.issue(
            dh.PhysicianLicense(
                name=dh.PersonName(family="Clark", given="Cy"),
                profession="MD",
                license_number="2012-77",
                original_issue_date=date(2012, 1, 1),
                valid_until=datetime(2029, 1, 1, tzinfo=UTC),
            ),
            to=wallet.did,
        )
        online = dh.embedded_verifier(town).verify(issued.to_json(), waive=[dh.CheckName.HOLDER_BINDING])
        (folder / "evidence.json").write_bytes(online.evidence.to_json())
        policy = town.policy

    # Another process, later, without ledger and network: the policy and the evidence are all it has.
    evidence = dh.Evidence.parse((folder / "evidence.json").read_bytes())
    offline = dh.Verifier(policy, clock=lambda: online.verified_at)
    verdicts = []
    for hours in (1, 25):
        now = online.verified_at + timedelta(hours=hours)
        report = offline.verify(issued.to_json(), evidence=evidence, now=now, waive=[dh.CheckName.HOLDER_BINDING])
        print(f"after {hours} h: {report.verdict}", *report.codes)
        verdicts.append(str(report.verdict))
    return verdicts


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
