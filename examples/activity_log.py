"""A patient sees who looked, when and for what: signed receipts, put on the ledger as one hash, checked, and exported.

    python examples/activity_log.py [DIRECTORY]
"""

import json
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import did_health as dh
from did_health.health.act import Act
from did_health.health.activity_table import activity_csv
from did_health.health.assurance import Assurance
from did_health.health.fhir.audit_events import activity_bundle
from did_health.roles.pickup import Collector, Visit
from did_health.roles.receipts import verify_receipt

AUDIENCE = "https://pharmacy.example"


def main(directory: str) -> list[str]:
    folder = Path(directory)
    with dh.open_directory(folder / "town", "a long passphrase", create=True) as town:
        provider = town.create_board("csp", title="Identity Provider", jurisdiction="US", resources=["PatientIdentityCredential"], entity_type="csp")
        pharmacy = town.create_institution("main-street", title="Main Street Pharmacy", jurisdiction="US-NC")
        wallet = town.create_wallet("ellis")
        name, born = dh.PersonName(family="Ellis", given="Eve"), date(1980, 5, 17)
        proofed = Assurance("NIST 800-63A-4", "IAL2", datetime.now(UTC).date(), "in person")
        until = datetime.now(UTC) + timedelta(days=700)
        wallet.add(provider.issue(dh.PatientIdentity(name=name, birth_date=born, assurance=proofed, valid_until=until), to=wallet.did))

        verifier = dh.embedded_verifier(town)
        desk = town.pickup_desk("main-street", verifier)
        act = Act("pickup", schedule="none", jurisdiction="US-NC", pharmacy=pharmacy.did)
        for _ in range(2):
            request = desk.ask(Collector.PATIENT, audience=AUDIENCE)
            shown = wallet.present(["PatientIdentityCredential"], audience=request.audience, nonce=request.nonce)
            recorded = desk.complete(desk.decide(Visit(name, born, act), shown, request=request))
            wallet.keep_receipt(recorded.receipts[wallet.did])

        # Both receipts, and the head of the pharmacy's own log, go to the ledger under one root, which tells nobody anything.
        print(f"{desk.book.publish()} receipts are on the ledger")
        for receipt in wallet.activity:
            wallet.keep_receipt(desk.book.receipt(receipt.id))

        verdicts = []
        for receipt in wallet.activity:
            said = receipt.receipt
            report = verify_receipt(receipt, verifier)
            print(f"{said.at:%Y-%m-%d %H:%M} {said.purpose}, by {said.verifier[:24]}…: {', '.join(map(str, said.claims_disclosed))} ({report.verdict})")
            verdicts.append(str(report.verdict))
        (folder / "activity.csv").write_text(activity_csv(receipt.receipt for receipt in wallet.activity))
        (folder / "activity.json").write_text(json.dumps(activity_bundle((receipt.receipt, receipt.subject) for receipt in wallet.activity)))
    return verdicts


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
