"""The main job with JOSE, SD-JWT and COSE: what is secured with them is read, planned for, verified and judged as what has a proof is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.roles.documents import RECEIPT, parse_document
from did_health.roles.report import CheckName, Outcome, Report, Verdict
from did_health.vc.jose_cose import MediaType, Secured, sign_cose, sign_jwt, sign_sd_jwt
from did_health.vc.sd_jwt import SDJWT, present
from tests.town import AUDIENCE, Town


def secured(town: Town, form: str, **changes: Any) -> Secured:
    """A licence by the board, with ``changes``, in one of the forms."""
    document, board = town.draft(**changes), town.board.institution
    if form == "jwt":
        return sign_jwt(document, board.keys.assertion, kid=board.verification_method)
    if form == "cose":
        return sign_cose(document, board.keys.assertion, kid=board.verification_method)
    media_type, token = sign_sd_jwt(
        document, board.keys.assertion, kid=board.verification_method, conceal=["/credentialSubject/name/given"], random=town.random
    )
    return Secured(media_type, str(token).encode())


def holding(town: Town, *items: tuple[Any, Any], **changes: Any) -> JSONObject:
    """An unsigned presentation of the wallet's, of ``(credential, receipt)``."""
    document: JSONObject = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": town.wallet.did,
        "verifiableCredential": [credential for credential, _ in items],
        RECEIPT: [given for _, given in items],
    }
    return {name: value for name, value in (document | changes).items() if value is not None}


def as_jwt(town: Town, document: JSONObject, *, nonce: str, audience: str = AUDIENCE, wallet: Any = None, kid: str = "") -> bytes:
    holder = wallet or town.wallet
    method = kid or f"{holder.did}#{holder.did.removeprefix('did:key:')}"
    return sign_jwt(document, holder._signer, kid=method, audience=audience, nonce=nonce, issued_at=town.clock()).content


def verify(town: Town, document: Any, nonce: str, **options: Any) -> Report:
    return town.verifier.verify(document, audience=AUDIENCE, nonce=nonce, **options)


def accepted(report: Report) -> bool:
    return report.verdict is Verdict.ACCEPT and {check.outcome for check in report.checks} == {Outcome.PASS}


def test_a_wallet_presents_as_a_token(town: Town) -> None:
    issued = town.issue()
    nonce = town.nonce()
    token = town.wallet.present_jwt([issued], audience=AUDIENCE, nonce=nonce)
    report = verify(town, token, nonce)
    assert accepted(report), report.codes
    assert (report.holder, report.credential.id) == (town.wallet.did, issued.id)
    assert "nonce_replayed" in verify(town, token, nonce).codes
    with pytest.raises(ValueError, match="audience"):
        town.wallet.present_jwt([issued], audience="", nonce=nonce)


@pytest.mark.parametrize("form", ["jwt", "sd-jwt", "cose"])
def test_a_licence_in_an_envelope_is_accepted(town: Town, form: str) -> None:
    licence = secured(town, form)
    document = holding(town, (licence.envelope(), town.token_receipt(licence)))
    for signed in (lambda nonce: town.presented(document, nonce=nonce), lambda nonce: as_jwt(town, document, nonce=nonce)):
        nonce = town.nonce()
        report = verify(town, signed(nonce), nonce)
        assert accepted(report), report.codes
        assert report.credential.issuer_id == town.board.did


def test_envelopes_and_embedded_credentials_keep_their_order_and_receipts(town: Town) -> None:
    embedded, licence = town.issue(), secured(town, "jwt")
    document = holding(town, (embedded.credential, embedded.receipt), (licence.envelope(), town.token_receipt(licence)), (licence.envelope(), None))
    nonce = town.nonce()
    report = verify(town, as_jwt(town, document, nonce=nonce), nonce)
    assert [check.code for check in report.checks if check.name is CheckName.RECEIPT] == ["logged", "logged", "not_logged"]
    assert report.verdict is Verdict.REFUSE
    with pytest.raises(FormatError, match="receipts"):
        parse_document(holding(town, (licence.envelope(), None), **{RECEIPT: []}))


def test_an_enveloped_presentation_and_one_credential_alone(town: Town) -> None:
    licence = secured(town, "jwt")
    document = holding(town, (licence.envelope(), town.token_receipt(licence)), verifiableCredential=licence.envelope())
    nonce = town.nonce()
    envelope = Secured(MediaType.VP_JWT, as_jwt(town, document, nonce=nonce)).envelope()
    assert accepted(verify(town, json.dumps(envelope), nonce))
    nonce = town.nonce()
    assert accepted(verify(town, town.presented(document, nonce=nonce), nonce))


@pytest.mark.parametrize("form", ["jwt", "sd-jwt", "cose"])
def test_a_credential_that_nobody_presents(town: Town, form: str) -> None:
    licence = secured(town, form)
    for source in (licence.content, licence.envelope()):
        report = town.verifier.verify(source, waive={CheckName.HOLDER_BINDING, CheckName.RECEIPT})
        assert report.verdict is Verdict.ACCEPT, report.codes
        assert town.verifier.verify(source).verdict is Verdict.REFUSE  # not logged


def test_what_the_holder_keeps_back_is_not_in_the_report(town: Town) -> None:
    licence = secured(town, "sd-jwt")
    given = town.token_receipt(licence)
    whole = SDJWT.parse(licence.content)
    shown = Secured(licence.media_type, str(present(whole, [])).encode())
    nonce = town.nonce()
    report = verify(town, as_jwt(town, holding(town, (shown.envelope(), given)), nonce=nonce), nonce)
    assert report.check(CheckName.RECEIPT, 0).code == "logged"
    assert report.check(CheckName.PROOF, 0).code == "proof_holds"
    assert "Zyxwvutsk" not in str(report)


def test_signatures_by_others_are_refused(town: Town) -> None:
    document, board = town.draft(), town.board.institution
    stolen = sign_jwt(document, town.stranger._signer, kid=board.verification_method)
    other = town.other.institution
    borrowed = sign_jwt(document, other.keys.assertion, kid=other.verification_method)
    for licence, code in ((stolen, "proof_invalid"), (borrowed, "wrong_controller")):
        report = town.verifier.verify(licence.content, waive={CheckName.HOLDER_BINDING, CheckName.RECEIPT})
        assert report.codes == (code,)


def test_presentations_by_others_or_for_others_are_refused(town: Town) -> None:
    issued = town.issue()
    document = holding(town, (issued.credential, issued.receipt))
    strangers = f"{town.stranger.did}#{town.stranger.did.removeprefix('did:key:')}"
    mine = f"{town.wallet.did}#{town.wallet.did.removeprefix('did:key:')}"
    nonce = town.nonce()
    cases = (
        (as_jwt(town, document, nonce="other"), "wrong_nonce"),
        (as_jwt(town, document, nonce=nonce, audience="https://other.example"), "wrong_audience"),
        (as_jwt(town, document, nonce=nonce, wallet=town.stranger, kid=mine), "presentation_proof_invalid"),
        (as_jwt(town, document, nonce=nonce, wallet=town.stranger, kid=strangers), "wrong_controller"),
    )
    for token, code in cases:
        report = verify(town, token, nonce)
        assert report.verdict is Verdict.REFUSE
        assert code in report.codes
    anonymous = holding(town, (issued.credential, issued.receipt), holder=None)
    assert accepted(verify(town, as_jwt(town, anonymous, nonce=nonce), nonce))
    nonce = town.nonce()
    theirs = verify(town, as_jwt(town, anonymous, nonce=nonce, wallet=town.stranger), nonce)
    assert theirs.codes == ("not_the_holder",)
    assert verify(town, as_jwt(town, document, nonce=nonce), nonce, waive={CheckName.PRESENTATION}).holder is None


def test_a_changed_token_is_refused(town: Town) -> None:
    licence = secured(town, "jwt")
    header, payload, _ = licence.content.split(b".")
    other = secured(town, "jwt").content.split(b".")[2]
    report = town.verifier.verify(b".".join((header, payload, other)), waive={CheckName.HOLDER_BINDING, CheckName.RECEIPT})
    assert report.codes == ("proof_invalid",)


def test_a_retired_key_counts_only_with_a_receipt_of_its_time(town: Town) -> None:
    board = town.directory.create_board("ga-medical", title="Georgia Board", jurisdiction="US-GA", professions=["MD"])
    institution = board.institution
    issued = board.issue(town.license(), to=town.wallet.did)
    document = {name: value for name, value in issued.credential.items() if name != "proof"}
    licence = sign_jwt(document, institution.keys.assertion, kid=institution.verification_method)
    given = town.token_receipt(licence, by=institution)
    town.ticking(2)
    institution.rotate(lambda keys: None)
    nonce = town.nonce()
    assert accepted(verify(town, as_jwt(town, holding(town, (licence.envelope(), given)), nonce=nonce), nonce))
    report = town.verifier.verify(licence.content, waive={CheckName.HOLDER_BINDING, CheckName.RECEIPT})
    assert report.codes == ("key_retired",)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (b"eyJ", FormatError),
        ("eyJhbGciOiJub25lIn0.e30.", UnsupportedError),
        ("eyJhbGciOiJFZERTQSJ9.e30.AA", UnsupportedError),
        ("eyJhbGciOiJFZERTQSJ9.e30.AA~", UnsupportedError),
        ("eyJhbGciOiJFZERTQSIsInR5cCI6InZjK2p3dCJ9.W10.AA", FormatError),
        ("eyJhbGciOiJFZERTQSIsInR5cCI6InZwK2p3dCJ9.e30.AA", FormatError),
        (b"\xd2\x84", FormatError),
        (b"\x84", FormatError),
        (bytes.fromhex("8443a10127a0406041"), FormatError),
        (bytes.fromhex("8443a10127a0417b4100"), UnsupportedError),
        ("\ud800", FormatError),
    ],
)
def test_what_is_no_secured_document_is_refused(town: Town, source: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        town.verifier.verify(source)


def test_a_disclosure_that_does_not_fit_is_refused(town: Town) -> None:
    licence = secured(town, "sd-jwt")
    with pytest.raises(VerificationError, match="does not belong"):
        town.verifier.verify(licence.content + b"WyJzIiwiYSIsMV0~")
