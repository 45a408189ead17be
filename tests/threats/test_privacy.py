"""Claims and secrets are in no report, no exception, no representation, and not on the ledger."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from collections.abc import Callable
from datetime import date

import pytest

from did_health.encoding import strict_json
from did_health.errors import DidHealthError, VerificationError
from did_health.health.restrictions import Restriction
from did_health.roles.evidence import Evidence
from did_health.roles.holder import Wallet
from did_health.roles.issuer import Board, Issued
from did_health.roles.key_change import KeyChange
from did_health.roles.report import Report, Verdict
from tests.healthcare_parties import PICKUP, Household, restricted
from tests.ledger_parties import PASSPHRASE
from tests.town import SECRET_CLAIMS, Town

# ---- what must not leak


def leaked(text: str) -> list[str]:
    return [secret for secret in SECRET_CLAIMS if secret in text]


def secrets_of(town: Town, wallet: Wallet) -> list[str]:
    keys = town.board.institution.keys
    raw = [keys.assertion.secret, keys.update.secret, keys.next_update.secret, wallet._signer.secret]
    return [PASSPHRASE, *(form for secret in raw for form in (secret.hex(), repr(secret), base64.urlsafe_b64encode(secret).decode().rstrip("=")))]


BAD_CLAIMS: dict[str, Callable[[Town], Report]] = {
    "schema": lambda town: town.judge(town.made(subject={"npi": "SEC-bad", "licenseNumber": ["SEC-x"]})),
    "data_model": lambda town: town.judge(town.draft(validFrom="Zyxwvutsk")),
    "tampered": lambda town: town.judge(Issued({**town.issue().credential, "credentialSubject": {"id": town.wallet.did, "name": "Qqfamily"}}, {})),
    "restrictions": lambda town: town.judge(town.made(subject={"restrictions": [{"code": "SEC-", "text": "Qqfamily"}]})),
    "board": lambda town: town.judge(town.made(subject={"board": {"id": "SEC-", "name": "Qqfamily"}})),
    "revoked": lambda town: revoked(town),
    "accepted": lambda town: town.show(town.issue()),
}


def revoked(town: Town) -> Report:
    issued = town.issue()
    town.board.revoke(issued, reason="Qqfamily's case")
    return town.show(issued)


@pytest.mark.parametrize("name", BAD_CLAIMS)
def test_claims_are_in_no_report_and_in_no_exception_about_one(town: Town, name: str) -> None:
    report = BAD_CLAIMS[name](town)
    assert leaked(json.dumps(report.to_json())) == []
    assert leaked(repr(report)) == []
    if report.verdict is not Verdict.ACCEPT:
        with pytest.raises(VerificationError) as refusal:
            _ = report.credentials
        assert leaked("".join(traceback.format_exception(refusal.value))) == []


def test_claims_and_secrets_are_in_no_repr(town: Town) -> None:
    issued = town.issue()
    row = town.board.issued(issued)
    objects = [
        issued, row, town.wallet, town.board, town.board.institution, town.board.institution.keys, town.directory, town.verifier, town.stranger,
        town.verifier.policy, Evidence(), town.board.history(issued), list(town.board._register.status_lists("")),
    ]  # fmt: skip
    text = repr(objects)
    assert leaked(text) == []
    assert [secret for secret in secrets_of(town, town.wallet) if secret in text] == []


def test_claims_and_secrets_are_in_no_exception(town: Town) -> None:
    issued = town.issue()
    sealed = town.folder / "wallets" / "ann.wallet"
    faults: list[Callable[[], object]] = [
        lambda: town.board.issue(town.license(license_number=issued.credential["credentialSubject"]["licenseNumber"]), to=town.wallet.did),
        lambda: town.board.issue(town.license(jurisdiction="US-SC"), to=town.wallet.did),
        lambda: town.stranger.add(issued),
        lambda: town.directory.wallet("ann", passphrase="correct horse staple"),
        lambda: Wallet.open(sealed.read_bytes()[:-40] + b"}" + bytes(39), PASSPHRASE, clock=town.clock),
        lambda: Issued.parse(issued.to_json()[:-1]),
        lambda: Issued.parse(strict_json.dumps(issued.credential)),
        lambda: town.board.suspend(issued, reason="r", state="SEC-"),
    ]
    for fault in faults:
        with pytest.raises((DidHealthError, ValueError)) as raised:
            fault()
        text = "".join(traceback.format_exception(raised.value)).split("\n")
        # Source lines quote this test, which names no secret.
        told = "\n".join(line for line in text if not line.startswith(" "))
        assert leaked(told) == []
        assert [secret for secret in [*secrets_of(town, town.wallet), "correct horse staple"] if secret in told] == []


def test_nothing_of_a_holder_is_on_the_ledger(town: Town) -> None:
    issued = town.issue()
    town.board.suspend(issued, reason="Qqfamily's case", order="SEC-order")
    files = [path for path in town.folder.rglob("*") if path.is_file() and "registers" not in path.parts]
    assert len(files) > 10
    for path in files:
        data = path.read_bytes()
        assert not any(text.encode() in data for text in (*SECRET_CLAIMS, town.wallet.did, issued.id)), path.name


def test_no_claim_and_no_secret_reaches_a_log_an_error_a_url_or_the_ledger(
    own_town: Town, board: Board, csp: Board, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("shamir_mnemonic")
    from did_health.stores import guardians

    caplog.set_level(logging.DEBUG)
    said: list[str] = []

    def refused(act: Callable[[], object]) -> None:
        with pytest.raises((DidHealthError, ValueError, KeyError)) as failure:
            act()
        said.extend(("".join(traceback.format_exception(failure.value, chain=True)), repr(failure.value)))

    house = Household(own_town, csp)
    delegation = house.delegation(house.patient, house.accomplice)
    grant = house.patient.grants[0]
    report = own_town.show(delegation, house.identity, wallet=house.thief, **PICKUP)
    said += [json.dumps(report.to_json()), repr(report), repr(grant), repr(delegation), *report.evidence]
    issued = own_town.issue(board=board)
    decision = restricted(board, issued, Restriction("zyx", f"{SECRET_CLAIMS[0]} must not", date(2026, 1, 1)))
    said += [repr(decision), repr(board.issued(issued))]
    refused(lambda: board.reissue(issued, own_town.license()))
    refused(lambda: board.issue(own_town.license(license_number=board.issued(issued).number), to=own_town.wallet.did))
    statement = json.dumps({"format": SECRET_CLAIMS[0]}).encode()
    refused(lambda: KeyChange.verified(statement, now=own_town.clock()))
    words = guardians.split(bytes(range(32)), threshold=2, count=3)
    marker = SECRET_CLAIMS[0].lower()
    for wrong in (f"{words[0]} {marker}", words[0].replace(words[0].split()[-1], marker), " ".join(words[0].split()[::-1])):
        refused(lambda wrong=wrong: guardians.combine([wrong, words[1]]))  # type: ignore[misc]
    secrets = (*SECRET_CLAIMS, marker, " ".join(words[0].split()[:3]), " ".join(words[0].split()[::-1][:3]), grant.handle.hex())
    ledger = b"".join(path.read_bytes() for path in own_town.folder.rglob("*") if path.is_file() and "registers" not in path.parts)
    # Licences are served in public where their boards want it; nothing of a patient is.
    for secret in (*secrets[len(SECRET_CLAIMS) :], "Wwpatient", "Vvmarker", house.patient.did, house.identity.id, delegation.id):
        assert secret.encode() not in ledger, secret
    for secret in (*secrets, "Wwpatient", "Vvmarker"):
        assert not [text for text in (*said, caplog.text) if secret in text], secret
