"""A wallet keeps what is its holder's, shows what is asked, and is nothing but noise at rest."""

from __future__ import annotations

import json

import pytest

from did_health.encoding import strict_json
from did_health.errors import FormatError, VerificationError
from did_health.keys import Algorithm
from did_health.keys.sealed import seal
from did_health.roles.holder import SEALED_CONTENT, Wallet, wallet_sealing_key
from did_health.roles.issuer import Issued
from did_health.roles.report import Verdict
from did_health.roles.signing import DOCUMENT_ALGORITHMS
from tests.conftest import repeatable_bytes
from tests.ledger_parties import CHEAP, PASSPHRASE
from tests.town import AUDIENCE, SECRET_CLAIMS, Town


@pytest.fixture
def wallet(town: Town) -> Wallet:
    return Wallet.create(clock=town.clock, random=town.random)


def sealed_with(content: object) -> bytes:
    return seal(strict_json.dumps(content), PASSPHRASE, content=SEALED_CONTENT, random=repeatable_bytes("seal"), cost=CHEAP)


def test_it_opens_as_it_was_sealed(town: Town, wallet: Wallet) -> None:
    issued = [town.issue(to=wallet) for _ in range(2)]
    sealed = wallet.sealed(wallet_sealing_key(PASSPHRASE, town.random, CHEAP), town.random)
    opened, key = Wallet.open(sealed, PASSPHRASE, clock=town.clock)
    assert opened.did == wallet.did
    assert opened.credentials == tuple(issued)
    again, _ = Wallet.open(opened.sealed(key, town.random), PASSPHRASE, clock=town.clock)
    assert again.credentials == wallet.credentials
    assert not any(secret.encode() in sealed for secret in (*SECRET_CLAIMS, wallet.did))


@pytest.mark.parametrize("algorithm", DOCUMENT_ALGORITHMS)
def test_presentations_of_every_algorithm_are_accepted(town: Town, algorithm: Algorithm) -> None:
    wallet = Wallet.create(clock=town.clock, random=town.random, algorithm=algorithm)
    issued, nonce = town.issue(to=wallet), town.nonce()
    assert town.verifier.verify(wallet.present([issued], audience=AUDIENCE, nonce=nonce), audience=AUDIENCE, nonce=nonce).verdict is Verdict.ACCEPT


def test_credentials_are_found_by_id_or_as_the_newest_of_a_type(town: Town, wallet: Wallet) -> None:
    first, second = town.issue(to=wallet), town.issue(to=wallet)
    assert wallet.find(first.id) == first
    assert wallet.find("PhysicianLicenseCredential") == second
    for absent in ("PhysicianLicense", "urn:uuid:none", ""):
        with pytest.raises(KeyError):
            wallet.find(absent)


def test_a_credential_of_the_same_id_is_replaced(town: Town, wallet: Wallet) -> None:
    issued = town.issue(to=wallet)
    newer = Issued({**issued.credential, "name": "newer"}, issued.receipt)
    wallet.add(newer)
    assert wallet.credentials == (newer,)


def test_what_the_holder_could_never_show_is_not_kept(town: Town, wallet: Wallet) -> None:
    issued = town.issue()
    with pytest.raises(ValueError, match="somebody else"):
        wallet.add(issued)
    with pytest.raises(FormatError):
        wallet.add(Issued({"id": issued.id}, {}))
    without_id = {name: value for name, value in town.issue(to=wallet).credential.items() if name != "id"}
    with pytest.raises(FormatError, match="without an id"):
        wallet.add(Issued(without_id, {}))
    assert len(wallet.credentials) == 1


def test_a_presentation_has_credentials_an_audience_and_a_nonce(town: Town, wallet: Wallet) -> None:
    issued = town.issue(to=wallet)
    for count in (0, 33):
        with pytest.raises(ValueError, match="1 to 32"):
            wallet.present([issued] * count, audience=AUDIENCE, nonce="n")
    for audience, nonce in (("", "n"), (AUDIENCE, "")):
        with pytest.raises(ValueError, match="audience and a nonce"):
            wallet.present([issued], audience=audience, nonce=nonce)
    with pytest.raises(KeyError):
        wallet.present([town.issue()], audience=AUDIENCE, nonce="n")
    document = json.loads(wallet.present([issued.id, "PhysicianLicenseCredential"], audience=AUDIENCE, nonce="n"))
    assert document["verifiableCredential"] == [issued.credential] * 2
    assert document["issuanceReceipt"] == [issued.receipt] * 2
    assert document["holder"] == wallet.did
    assert (document["proof"]["domain"], document["proof"]["challenge"]) == (AUDIENCE, "n")


def test_a_wrong_passphrase_or_a_changed_file_does_not_open(town: Town, wallet: Wallet) -> None:
    sealed = wallet.sealed(wallet_sealing_key(PASSPHRASE, town.random, CHEAP), town.random)
    document = json.loads(sealed)
    text = document["ciphertext"]
    document["ciphertext"] = ("A" if text[0] != "A" else "B") + text[1:]
    for data, passphrase in ((sealed, "another passphrase"), (json.dumps(document).encode(), PASSPHRASE)):
        with pytest.raises(VerificationError) as refused:
            Wallet.open(data, passphrase, clock=town.clock)
        assert refused.value.code == "wrong_passphrase"
    with pytest.raises(ValueError, match="at least"):
        wallet_sealing_key("short", town.random, CHEAP)


KEY = {"algorithm": "Ed25519", "secret": "A" * 43}
WALLET = {"format": "did-health/wallet/v1", "key": KEY, "credentials": []}


@pytest.mark.parametrize(
    "content",
    [
        [],
        {**WALLET, "format": "did-health/wallet/v9"},
        {**WALLET, "credentials": {}},
        {**WALLET, "credentials": [7]},
        {**WALLET, "credentials": [{"credential": {}}]},
        {**WALLET, "credentials": [{"credential": [], "issuanceReceipt": {}}]},
        {**WALLET, "key": "secret"},
        {**WALLET, "key": {**KEY, "algorithm": "RSA"}},
        {**WALLET, "key": {**KEY, "algorithm": []}},
        {**WALLET, "key": {**KEY, "secret": 7}},
        {**WALLET, "key": {**KEY, "secret": "A"}},
        {**WALLET, "key": {**KEY, "secret": "AAAA"}},
    ],
    ids=lambda content: json.dumps(content)[-60:],
)
def test_what_is_sealed_and_no_wallet_is_refused(town: Town, content: object) -> None:
    with pytest.raises(FormatError):
        Wallet.open(sealed_with(content), PASSPHRASE, clock=town.clock)


def test_a_wallet_cannot_be_passed_off_as_something_else(town: Town) -> None:
    other = seal(strict_json.dumps(WALLET), PASSPHRASE, content="institution keys", random=repeatable_bytes("other"), cost=CHEAP)
    with pytest.raises(FormatError):
        Wallet.open(other, PASSPHRASE, clock=town.clock)
