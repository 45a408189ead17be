"""Presentations: answered once, by the holder, for one audience, and with every receipt in its place."""

from __future__ import annotations

from did_health.roles.report import CheckName, Verdict
from tests.town import AUDIENCE, Town
from tests.verdicts import refused, undecided

# ---- presentations


def test_a_presentation_is_answered_once(town: Town) -> None:
    presentation = town.wallet.present([town.issue()], audience=AUDIENCE, nonce="once")
    assert town.verifier.verify(presentation, audience=AUDIENCE, nonce="once").verdict is Verdict.ACCEPT
    refused(town.verifier.verify(presentation, audience=AUDIENCE, nonce="once"), CheckName.PRESENTATION, "nonce_replayed")


def test_a_forged_answer_does_not_use_up_the_nonce(town: Town) -> None:
    issued, nonce = town.issue(), town.nonce()
    forged = town.presentation(issued, nonce=nonce, wallet=town.stranger, holder=town.wallet.did)
    refused(town.verifier.verify(forged, audience=AUDIENCE, nonce=nonce), CheckName.PRESENTATION, "wrong_holder")
    assert town.verifier.verify(town.wallet.present([issued], audience=AUDIENCE, nonce=nonce), audience=AUDIENCE, nonce=nonce).verdict is Verdict.ACCEPT


def test_what_was_signed_for_another_audience_or_nonce_is_refused(town: Town) -> None:
    presentation = town.wallet.present([town.issue()], audience=AUDIENCE, nonce="mine")
    refused(town.verifier.verify(presentation, audience="https://other.example", nonce="mine"), CheckName.PRESENTATION, "wrong_audience")
    refused(town.verifier.verify(presentation, audience=AUDIENCE, nonce="another"), CheckName.PRESENTATION, "wrong_nonce")


def test_a_presentation_for_several_audiences_is_refused(town: Town) -> None:
    nonce = town.nonce()
    document = town.presentation(town.issue(), nonce=nonce, audience=[AUDIENCE, "https://other.example"])  # type: ignore[arg-type]
    refused(town.verifier.verify(document, audience=AUDIENCE, nonce=nonce), CheckName.PRESENTATION, "wrong_audience")


def test_somebody_elses_credential_is_refused(town: Town) -> None:
    refused(town.show(town.issue(), wallet=town.stranger), CheckName.HOLDER_BINDING, "not_the_holder")


def test_naming_the_true_holder_does_not_make_a_stranger_the_holder(town: Town) -> None:
    nonce = town.nonce()
    document = town.presentation(town.issue(), nonce=nonce, wallet=town.stranger, holder=town.wallet.did)
    refused(town.verifier.verify(document, audience=AUDIENCE, nonce=nonce), CheckName.PRESENTATION, "wrong_holder")


def test_one_credential_of_somebody_else_among_ones_own_is_refused(town: Town) -> None:
    report = town.show(town.issue(), town.issue(to=town.stranger))
    refused(report, CheckName.HOLDER_BINDING, "not_the_holder")
    assert {reason.credential for reason in report.reasons} == {1}


def test_taking_the_presentation_away_does_not_get_around_holder_binding(town: Town) -> None:
    issued = town.issue()
    for document in (issued.to_json(), {"credential": issued.credential, "issuanceReceipt": issued.receipt, "type": ["VerifiablePresentation"]}):
        undecided(town.verifier.verify(document), CheckName.HOLDER_BINDING, "not_presented")


def test_waiving_the_presentation_does_not_make_whoever_it_names_the_holder(town: Town) -> None:
    document = town.presentation(town.issue(), nonce="x", wallet=town.stranger, holder=town.wallet.did)
    undecided(town.verifier.verify(document, waive={CheckName.PRESENTATION}), CheckName.HOLDER_BINDING, "holder_unknown")


def test_receipts_cannot_be_left_out_or_shuffled(town: Town) -> None:
    first, second, nonce = town.issue(), town.issue(), town.nonce()
    missing = town.presentation(first, nonce=nonce, issuanceReceipt=None)
    refused(town.verifier.verify(missing, audience=AUDIENCE, nonce=nonce), CheckName.RECEIPT, "not_logged")
    shuffled = town.presentation(first, second, nonce=nonce, issuanceReceipt=[second.receipt, first.receipt])
    refused(town.verifier.verify(shuffled, audience=AUDIENCE, nonce=town.nonce()), CheckName.RECEIPT, "receipt_invalid")
