"""A lost phone: the wallet comes back by its passphrase or by guardians, gets a new key, and the old key is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from did_health.encoding import strict_json
from did_health.encoding.base64 import base64url_encode
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.health.claim_types import claims_of
from did_health.health.pickup_delegation import PickupDelegation
from did_health.keys import generate
from did_health.roles.holder import Wallet, wallet_sealing_key
from did_health.roles.issuer import Board
from did_health.roles.key_change import CHANGE_LIFETIME, KeyChange, sign_key_change
from did_health.stores import guardians
from did_health.vc.proofs.data_integrity import add_proof
from tests.ledger_parties import CHEAP, PASSPHRASE
from tests.town import Town


@pytest.fixture(scope="module")
def town(own_town: Town) -> Town:
    return own_town


@pytest.fixture
def phone(town: Town, csp: Board) -> Wallet:
    wallet = Wallet.create(clock=town.clock, random=town.random)
    wallet.add(csp.issue(town.identity(), to=wallet.did))
    return wallet


def by_passphrase(town: Town, phone: Wallet) -> Wallet:
    sealed = phone.sealed(wallet_sealing_key(PASSPHRASE, town.random, CHEAP), town.random)
    return Wallet.open(sealed, PASSPHRASE, clock=town.clock)[0]


def by_guardians(town: Town, phone: Wallet) -> Wallet:
    secret = town.random(guardians.SECRET_BYTES)
    sealed = phone.sealed(wallet_sealing_key(base64url_encode(secret), town.random, CHEAP), town.random)
    shares = guardians.split(secret, threshold=2, count=3)
    return Wallet.open(sealed, base64url_encode(guardians.combine([shares[2], shares[0]])), clock=town.clock)[0]


@pytest.mark.parametrize("recover", [by_passphrase, by_guardians])
def test_a_lost_phone_is_no_lost_identity(town: Town, csp: Board, phone: Wallet, recover: Callable[[Town, Wallet], Wallet]) -> None:
    recovered = recover(town, phone)
    assert recovered.did == phone.did
    wallet, statement = recovered.with_new_key(town.random)
    change = KeyChange.verified(statement, now=town.clock())
    assert (change.old, change.new) == (phone.did, wallet.did)
    (old,) = csp.held_by(change.old)
    wallet.add(csp.replace_holder(old.id, change))
    assert town.show(*wallet.credentials, wallet=wallet).verdict == "accept"
    # Whoever has the phone has a key that nothing is about any more.
    lost = town.show(*phone.credentials, wallet=phone)
    assert (lost.verdict, lost.codes) == ("refuse", ("revoked",))
    stolen = town.show(*wallet.credentials, wallet=phone)
    assert "not_the_holder" in stolen.codes
    assert csp.held_by(change.old) == []
    with pytest.raises(ValueError, match="not active"):
        csp.replace_holder(old.id, change)


def test_a_licence_keeps_its_number_and_its_discipline_is_looked_at_first(town: Town, phone: Wallet) -> None:
    issued = town.board.issue(town.license(), to=phone.did)
    wallet, statement = phone.with_new_key(town.random)
    change = KeyChange.verified(statement, now=town.clock())
    decision = town.board.suspend(issued, reason="an order")
    with pytest.raises(ValueError, match="not active"):
        town.board.replace_holder(issued, change)
    assert decision.is_in_force
    town.board.reinstate(issued, reason="it ended")
    fresh = town.board.replace_holder(issued, change)
    wallet.add(fresh)
    assert fresh.credential["credentialSubject"]["licenseNumber"] == issued.credential["credentialSubject"]["licenseNumber"]
    assert fresh.credential["validUntil"] == issued.credential["validUntil"]
    with pytest.raises(ValueError, match="revoked for ever"):
        town.board.suspend(issued, reason="r")
    with pytest.raises(ValueError, match="another holder"):
        town.board.replace_holder(fresh, change)


def test_what_was_granted_is_revoked_with_the_new_wallet(town: Town, phone: Wallet) -> None:
    granted = phone.delegate(PickupDelegation(relationship="friend", valid_until=town.clock() + timedelta(days=9)), to=town.stranger.did, random=town.random)
    wallet, _ = phone.with_new_key(town.random)
    town.directory.ledger.submit([wallet.revocation(granted.id, random=town.random)])


# ---- the statement


def test_a_statement_is_good_for_its_time_only(town: Town, phone: Wallet) -> None:
    _, statement = phone.with_new_key(town.random)
    now = town.clock()
    KeyChange.verified(statement, now=now + CHANGE_LIFETIME - timedelta(seconds=1))
    for moment in (now + CHANGE_LIFETIME, now - timedelta(hours=1)):
        with pytest.raises(VerificationError) as caught:
            KeyChange.verified(statement, now=moment)
        assert caught.value.code == "key_change_expired"


def test_a_thief_cannot_move_somebody_elses_credentials(town: Town, phone: Wallet) -> None:
    thief = generate(town.random)
    did = f"did:key:{thief.public_key.multikey}"
    forged = strict_json.loads_object(sign_key_change((did, thief), (f"did:key:{(other := generate(town.random)).public_key.multikey}", other), town.clock()))
    unsigned = {name: value for name, value in forged.items() if name != "proof"}
    for changed in ({**forged, "from": phone.did}, unsigned, {**forged, "proof": forged["proof"][:1]}):
        with pytest.raises(VerificationError) as caught:
            KeyChange.verified(strict_json.dumps(changed), now=town.clock())
        assert caught.value.code == "key_change_unsigned"


def test_a_signature_by_a_stranger_is_none(town: Town, phone: Wallet) -> None:
    _, statement = phone.with_new_key(town.random)
    document = strict_json.loads_object(statement)
    stranger = generate(town.random)
    method = f"did:key:{stranger.public_key.multikey}#{stranger.public_key.multikey}"
    more = add_proof(document, suite="eddsa-jcs-2022", signer=stranger, verification_method=method, purpose="authentication", created=town.clock())
    with pytest.raises(VerificationError, match="both the old key and the new one"):
        KeyChange.verified(strict_json.dumps(more), now=town.clock())


@pytest.mark.parametrize(
    "change",
    [{"format": "x"}, {"from": 7}, {"to": None}, {"at": 7}, {"at": "soon"}, {"to": "did:web:a.example"}, {"from": "did:web:a.example"}, {"to": "SAME"}],
)
def test_what_is_no_statement_is_refused(town: Town, phone: Wallet, change: dict[str, Any]) -> None:
    document = strict_json.loads_object(phone.with_new_key(town.random)[1])
    changed = {**document, **{name: document["from"] if value == "SAME" else value for name, value in change.items()}}
    with pytest.raises(FormatError):
        KeyChange.verified(strict_json.dumps(changed), now=town.clock())


def test_only_known_types_are_issued_anew(town: Town) -> None:
    with pytest.raises(UnsupportedError, match="not issued here"):
        claims_of("PickupDelegationCredential", {}, valid_until=town.clock())
