"""A daughter picks up a schedule II drug for her mother in North Carolina: a delegation, its limits, and the way without one.

    python examples/daughter_picks_up.py [DIRECTORY]
"""

import os
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import did_health as dh
from did_health.health.act import Act
from did_health.health.air_segment import AIRCodes, AIRSegment, ShownDocument
from did_health.health.assurance import Assurance
from did_health.health.dated_tables import packaged_table
from did_health.health.pickup_delegation import PickupDelegation
from did_health.roles.pickup import Collector, Visit

AUDIENCE = "https://pharmacy.example"


def main(directory: str) -> list[str]:
    with dh.open_directory(directory, "a long passphrase", create=True) as town:
        provider = town.create_board("csp", title="Identity Provider", jurisdiction="US", resources=["PatientIdentityCredential"], entity_type="csp")
        pharmacy = town.create_institution("main-street", title="Main Street Pharmacy", jurisdiction="US-NC")
        until = datetime.now(UTC) + timedelta(days=30)
        proofed = Assurance("NIST 800-63A-4", "IAL2", datetime.now(UTC).date(), "in person")
        mother, daughter = town.create_wallet("mother"), town.create_wallet("daughter")
        for wallet, given, born in ((mother, "Mary", date(1950, 3, 2)), (daughter, "Dora", date(1981, 7, 9))):
            claims = dh.PatientIdentity(name=dh.PersonName("Ford", given), birth_date=born, assurance=proofed, valid_until=until)
            wallet.add(provider.issue(claims, to=wallet.did))

        # The mother's own word; nothing of it is on the ledger until she takes it back. By default it leaves controlled drugs out.
        narrow = PickupDelegation(relationship="caregiver", max_uses=1, pharmacies=(pharmacy.did,), valid_until=until)
        too_narrow, granted = (mother.delegate(one, to=daughter.did, random=os.urandom) for one in (narrow, replace(narrow, scope="all")))

        desk = town.pickup_desk("main-street", dh.embedded_verifier(town))
        here = Act("pickup", schedule="2", jurisdiction="US-NC", pharmacy=pharmacy.did)
        visit = Visit(dh.PersonName("Ford", "Mary"), date(1950, 3, 2), here, Collector.AGENT)

        def serve(*shows: dh.Issued) -> str:
            request = desk.ask(Collector.AGENT, audience=AUDIENCE)
            shown = daughter.present([daughter.credentials[0], *shows], audience=request.audience, nonce=request.nonce)
            pickup = desk.decide(visit, shown, request=request)
            desk.complete(pickup)
            print(pickup.verdict, *pickup.report.codes)
            for step in (*pickup.by_hand, *(f"photo document: {rule.source.title}" for rule in pickup.identification)):
                print(f"  {step}")
            if pickup.verdict == "accept":
                document = ShownDocument("DriversLicense", "US-NC", "the number on it")
                pharmacist = dh.PersonName("Rivera", "Pat")
                air = AIRSegment.picking_up(
                    AIRCodes.of(packaged_table("asap-air-codes")),
                    relationship=pickup.relationship,
                    person=pickup.collector_name,
                    pharmacist=pharmacist,
                    document=document,
                )
                print(f"  for the monitoring program: {', '.join(air.to_json())}")
            return str(pickup.verdict)

        verdicts = [serve()]  # before she has the delegation: it is not needed, and the pharmacist judges
        of_mother = mother.find("PatientIdentityCredential")
        for issued in (too_narrow, granted, of_mother):
            daughter.add(issued)
        verdicts.append(serve(too_narrow, of_mother))
        verdicts += [serve(granted, of_mother), serve(granted, of_mother)]  # once; it was for one pickup
        town.ledger.submit([mother.revocation(granted.id, random=os.urandom)])
        verdicts.append(serve(granted, of_mother))
        nothing_shown = desk.decide(visit)
        desk.complete(nothing_shown.continued(by="P. Rivera", reason="person_known", note="known here for years"))
        print(nothing_shown.verdict, *nothing_shown.by_hand)
        return [*verdicts, str(nothing_shown.verdict)]


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
