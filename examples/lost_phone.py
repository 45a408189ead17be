"""A patient loses the phone: the wallet comes back from a backup, gets a new key, is issued anew, and the old key is refused.

    python examples/lost_phone.py [DIRECTORY]

The backup opens with the passphrase, or (here) with the shares of any two of three guardians. That needs did-health[recovery].
"""

import os
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import did_health as dh
from did_health.encoding.base64 import base64url_encode
from did_health.health.assurance import Assurance
from did_health.roles.holder import wallet_sealing_key
from did_health.roles.key_change import KeyChange
from did_health.stores import guardians


def main(directory: str) -> list[str]:
    folder = Path(directory)
    with dh.open_directory(folder / "town", "a long passphrase", create=True) as town:
        provider = town.create_board(
            "csp", title="Identity Provider", jurisdiction="US", resources=["PatientIdentityCredential"], entity_type="csp"
        )
        today = datetime.now(UTC).date()
        identity = dh.PatientIdentity(
            name=dh.PersonName(family="Ellis", given="Eve"),
            birth_date=date(1980, 5, 17),
            assurance=Assurance("NIST 800-63A-4", "IAL2", today, "in person"),
            valid_until=datetime.now(UTC) + timedelta(days=700),
        )
        phone = dh.Wallet.create(clock=town.clock, random=os.urandom)
        phone.add(provider.issue(identity, to=phone.did))

        # Before: an encrypted backup, kept anywhere, whose key only two of the three guardians together can make.
        secret = os.urandom(guardians.SECRET_BYTES)
        shares = guardians.split(secret, threshold=2, count=3)
        backup = folder / "backup"
        backup.write_bytes(phone.sealed(wallet_sealing_key(base64url_encode(secret), os.urandom), os.urandom))

        # The phone is lost. Two guardians bring the wallet back, and it moves to a new key at once.
        again = base64url_encode(guardians.combine([shares[0], shares[2]]))
        recovered, _ = dh.Wallet.open(backup.read_bytes(), again, clock=town.clock)
        fresh, statement = recovered.with_new_key(os.urandom)

        # The provider makes sure who asks, then issues to the new key and revokes for the old one.
        change = KeyChange.verified(statement, now=town.clock())
        for held in provider.held_by(change.old):
            fresh.add(provider.replace_holder(held.id, change))

        verifier = dh.embedded_verifier(town)
        verdicts = []
        for who, wallet in (("the patient, with the new key", fresh), ("whoever has the phone", phone)):
            nonce = os.urandom(16).hex()
            shown = wallet.present(["PatientIdentityCredential"], audience="https://pharmacy.example", nonce=nonce)
            report = verifier.verify(shown, audience="https://pharmacy.example", nonce=nonce)
            print(f"{who}: {report.verdict}", *report.codes)
            verdicts.append(str(report.verdict))
    return verdicts


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
