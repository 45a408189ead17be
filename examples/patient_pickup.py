"""A patient picks up: the pharmacy asks for name and birth date, compares them with its record, and gives a receipt; also without a network.

    python examples/patient_pickup.py [DIRECTORY]
"""

import sys
import tempfile
from datetime import UTC, date, datetime, timedelta

import did_health as dh
from did_health.health.act import Act
from did_health.health.assurance import Assurance
from did_health.roles.pickup import Collector, Visit
from did_health.roles.request import Request

AUDIENCE = "https://pharmacy.example"


class Clock:
    """The system's clock, and how far the story has run ahead of it."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def main(directory: str) -> list[str]:
    clock = Clock()
    with dh.open_directory(directory, "a long passphrase", create=True, clock=clock) as town:
        provider = town.create_board("csp", title="Identity Provider", jurisdiction="US", resources=["PatientIdentityCredential"], entity_type="csp")
        pharmacy = town.create_institution("main-street", title="Main Street Pharmacy", jurisdiction="US-NC")
        wallet = town.create_wallet("ellis")
        name, born = dh.PersonName(family="Ellis", given="Eve"), date(1980, 5, 17)
        # A proofing is good for three years, and this one is almost over.
        until = clock() + timedelta(days=30)
        proofed = Assurance("NIST 800-63A-4", "IAL2", until.date() - timedelta(days=3 * 365), "in person")
        wallet.add(provider.issue(dh.PatientIdentity(name=name, birth_date=born, assurance=proofed, valid_until=until), to=wallet.did))

        desk = town.pickup_desk("main-street", dh.embedded_verifier(town))

        def answer() -> tuple[Request, bytes]:
            # The request names what a pickup needs, and a number that is good once; one that asks for more would be refused.
            request = desk.ask(Collector.PATIENT, audience=AUDIENCE)
            return request, wallet.present(["PatientIdentityCredential"], audience=request.audience, nonce=request.nonce)

        def serve(visit: Visit, evidence: dh.Evidence | None = None, answered: tuple[Request, bytes] | None = None) -> str:
            request, shown = answered or answer()
            pickup = desk.decide(visit, shown, request=request, evidence=evidence)
            recorded = desk.complete(pickup)
            print(f"{pickup.verdict}: name and birth date agree: {pickup.agrees}", *pickup.report.codes, *pickup.by_hand, f"(row {recorded.position})")
            for receipt in recorded.receipts.values():
                # Of a copied answer there is none: nobody proved to be there.
                wallet.keep_receipt(receipt)
            return str(pickup.verdict)

        # What the pharmacy's record says, and the person has stated.
        here = Act("pickup", schedule="none", jurisdiction="US-NC", pharmacy=pharmacy.did)
        once = answer()
        verdicts = [serve(Visit(name, born, here), answered=once), serve(Visit(name, date(1980, 5, 18), here))]
        # The same answer once more, whoever has copied it.
        verdicts.append(serve(Visit(name, born, here), answered=once))
        # Nothing could be fetched: nobody is refused for that, a document is looked at, and what was shown is checked again.
        verdicts.append(serve(Visit(name, born, here), dh.Evidence()))
        verdicts += [str(one.report.verdict) for one in desk.recheck()]
        clock.ahead += timedelta(days=31)
        verdicts.append(serve(Visit(name, born, here)))
    return verdicts


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
