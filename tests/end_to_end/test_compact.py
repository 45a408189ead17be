"""Across state lines: a principal licence, a letter of qualification, licences in other states, and discipline that cascades."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from did_health.encoding import timestamps
from did_health.health.board_accreditation import CompactRole
from did_health.health.letter_of_qualification import CHECKS, LetterOfQualification, PrincipalLicense, QualificationCheck
from did_health.health.license_state import Axis
from did_health.health.local_days import local_days
from did_health.health.physician_license import CompactOrigin
from did_health.health.restrictions import Restriction
from did_health.roles.cascade import follow_principals, suspend_for_another_board
from did_health.roles.evidence import Evidence
from did_health.roles.issuer import Board, Issued
from did_health.roles.report import CheckName, Report
from did_health.vc.jose_cose import sign_jwt
from did_health.vc.status import StatusPurpose
from tests.town import Town

LETTERS = ("PhysicianLicenseCredential", "LetterOfQualificationCredential")
NPI = "1234567893"


@dataclass(frozen=True)
class Compact:
    """Virginia is the principal state of one physician, who has a compact licence in West Virginia and in Maine."""

    town: Town
    virginia: Board
    west_virginia: Board
    maine: Board
    not_principal: Board

    def principal(self, **changes: Any) -> Issued:
        issued = self.town.issue(board=self.virginia, npi=NPI, **changes)
        self.serve(self.virginia, issued)
        return issued

    def location(self, board: Board, issued: Issued) -> str:
        return f"{board.institution.base_url}/licenses/{issued.id.removeprefix('urn:uuid:')}.json"

    def serve(self, board: Board, issued: Issued, content: bytes | None = None) -> None:
        self.town.directory.ledger.publish(self.location(board, issued), issued.to_json() if content is None else content)

    def license(self, board: Board, principal: Issued, **changes: Any) -> Issued:
        origin = CompactOrigin("IMLC", principal.id, self.location(self.virginia, principal))
        return self.town.issue(board=board, license_class="compact_expedited", npi=NPI, **{"compact": origin, **changes})

    def letter(self, principal: Issued, *, board: Board | None = None, **changes: Any) -> Issued:
        board = board or self.virginia
        today = self.town.clock().date()
        letter = LetterOfQualification(
            spl=PrincipalLicense(board.did, principal.id, self.location(self.virginia, principal)),
            spl_basis="residence",
            decision="qualified",
            issued_on=today,
            valid_until=self.town.clock() + timedelta(days=365),
            checks={name: QualificationCheck("pass", today - timedelta(days=30)) for name in CHECKS},
        )
        issued = board.issue(replace(letter, **changes), to=self.town.wallet.did)
        self.town.wallet.add(issued)
        return issued

    def remade(self, issued: Issued, **changes: Any) -> Issued:
        """What Virginia would never sign, signed and logged by it; ``None`` takes a member away."""
        document = {name: value for name, value in {**issued.credential, **changes}.items() if name != "proof" and value is not None}
        return self.town.logged(self.town.signed(document, by=self.virginia.institution), by=self.virginia.institution)


@pytest.fixture(scope="module")
def compact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compact]:
    town = Town(Path(tmp_path_factory.mktemp("compact")), seed="compact")
    virginia, west_virginia, maine = (
        town.directory.create_board(name, title=name, jurisdiction=state, professions=["MD"], resources=LETTERS, compact=CompactRole("IMLC", "spl"))
        for name, state in (("va", "US-VA"), ("wv", "US-WV"), ("me", "US-ME"))
    )
    role = CompactRole("IMLC", "issue_only")
    other = town.directory.create_board("ct", title="ct", jurisdiction="US-CT", professions=["MD"], resources=LETTERS, compact=role)
    yield Compact(town, virginia, west_virginia, maine, other)
    town.close()


def only(report: Report) -> tuple[str, tuple[str, ...]]:
    return report.verdict, report.codes


# ---- the licences


def test_a_compact_licence_is_accepted_while_its_principal_licence_is(compact: Compact) -> None:
    principal = compact.principal()
    report = compact.town.show(compact.license(compact.west_virginia, principal))
    assert only(report) == ("accept", ())
    assert report.as_of is not None


@pytest.mark.parametrize(
    ("state", "act", "code"),
    [
        ("suspended", "suspend", "principal_suspended"),
        ("summary_suspension", "suspend", "principal_license_summary_suspension"),
        ("revoked", "revoke", "principal_revoked"),
        ("surrendered_in_lieu", "revoke", "principal_license_surrendered_in_lieu"),
    ],
)
def test_discipline_by_the_principal_state_holds_for_compact_licences_at_once(compact: Compact, state: str, act: str, code: str) -> None:
    principal = compact.principal()
    elsewhere = compact.license(compact.west_virginia, principal)
    getattr(compact.virginia, act)(principal, reason="an order", state=state)
    report = compact.town.show(elsewhere)
    assert report.verdict == "refuse"
    assert code in report.codes
    # The refusal cites the source licence, and its own board's lists say nothing yet.
    (domain, *_) = [check for check in report.reasons if check.code == code]
    assert domain.sentence.startswith(f"by the principal licence of US-VA ({principal.id}): ")
    assert domain.as_of is not None
    assert report.check(CheckName.STATUS).code == "status_clear"


def test_a_condition_on_the_principal_licence_is_one_on_the_others(compact: Compact) -> None:
    principal = compact.principal(restrictions=(Restriction("chaperone", "With a chaperone", compact.town.clock().date()),))
    assert only(compact.town.show(compact.license(compact.maine, principal))) == ("conditional", ("principal_license_restricted",))


def test_a_restriction_of_the_principal_licence_restricts_that_licence_alone(compact: Compact) -> None:
    rule = Restriction("no_schedule_2", "No Schedule II", date(2026, 1, 1))
    principal = compact.principal(restrictions=(rule,))
    elsewhere = compact.license(compact.maine, principal)
    act = {"purpose": "prescribe", "schedule": "2"}
    assert only(compact.town.show(elsewhere, **act)) == ("conditional", ("principal_act_restricted",))
    assert only(compact.town.show(principal, **act)) == ("refuse", ("act_restricted",))
    # The board of the other state imposes the same.
    restricted = compact.license(compact.maine, principal, restrictions=(rule,))
    assert compact.town.show(restricted, **act).verdict == "refuse"
    assert compact.town.show(compact.letter(principal), **act).verdict == "refuse"


def test_an_expired_principal_licence_is_no_discipline(compact: Compact) -> None:
    soon = compact.town.clock() + timedelta(days=40)
    principal = compact.principal(valid_until=soon)
    elsewhere = compact.license(compact.west_virginia, principal)
    document = compact.town.evidence(elsewhere)
    compact.town.clock.move(days=41)
    try:
        report = compact.town.show(elsewhere)
        assert only(report) == ("conditional", ("principal_license_expired",))
        assert len(document.items) > 0
    finally:
        compact.town.clock.move(days=-41)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("inactive", "principal_license_inactive"),
        ("retired", "principal_license_retired"),
        ("lapsed", "principal_license_expired"),
        ("delinquent", "principal_license_expired"),
        ("stayed_suspension", "principal_license_stayed"),
    ],
)
def test_what_is_no_discipline_leaves_a_compact_licence_under_a_condition(compact: Compact, state: str, code: str) -> None:
    principal = compact.principal()
    elsewhere = compact.license(compact.west_virginia, principal)
    compact.virginia.docket.enter(principal.id, state, reason="r")
    report = compact.town.show(elsewhere)
    assert only(report) == ("conditional", (code,))
    [reason] = report.reasons
    assert "US-VA" in reason.sentence
    assert ("another principal state was designated" in reason.sentence) is (state != "stayed_suspension")
    # For itself the principal licence is good for nothing, and no letter can rest on it.
    assert compact.town.show(principal).verdict == ("refuse" if state != "stayed_suspension" else "conditional")
    assert compact.town.show(compact.letter(principal)).verdict == "refuse"
    # Nor does its board's software make discipline of it.
    assert elsewhere.id not in [one.credential for found in follow_principals(compact.west_virginia, compact.town.verifier) for one in found]


@pytest.mark.parametrize("state", ["surrendered", "issued_in_error", "deceased"])
def test_where_the_compact_does_not_say_what_follows_the_licence_is_refused_and_its_board_decides(compact: Compact, state: str) -> None:
    principal = compact.principal()
    elsewhere = compact.license(compact.maine, principal)
    compact.virginia.docket.enter(principal.id, state, reason="r")
    report = compact.town.show(elsewhere)
    assert report.verdict == "refuse"
    assert f"principal_license_{state}" in report.codes
    decided, unfollowed = follow_principals(compact.maine, compact.town.verifier)
    assert elsewhere.id not in [one.credential for one in decided]
    assert (elsewhere.id, (f"principal_license_{state}",)) in [(one.credential, one.codes) for one in unfollowed]


@pytest.mark.parametrize("state", ["inactive", "retired"])
def test_discipline_is_not_hidden_by_a_licence_that_is_not_kept_up(compact: Compact, state: str) -> None:
    principal = compact.principal()
    elsewhere = compact.license(compact.west_virginia, principal)
    compact.virginia.docket.enter(principal.id, state, reason="the holder asked")
    compact.virginia.suspend(principal, reason="an order")
    report = compact.town.show(elsewhere)
    assert (report.verdict, report.codes) == ("refuse", ("principal_suspended", "principal_license_suspended"))
    compact.virginia.docket.enter(principal.id, "active", axis=Axis.DISCIPLINE, reason="it ended")
    assert only(compact.town.show(elsewhere)) == ("conditional", (f"principal_license_{state}",))
    compact.virginia.revoke(principal, reason="an order")
    assert "principal_revoked" in compact.town.show(elsewhere).codes


def test_a_suspension_that_no_message_explains_is_taken_for_discipline(compact: Compact) -> None:
    """The principal board has no list of messages: nobody can tell why it has suspended the licence."""
    terse = compact.town.directory.create_board(
        "terse", title="terse", jurisdiction="US-VT", professions=["MD"], purposes=[StatusPurpose.REVOCATION, StatusPurpose.SUSPENSION]
    )
    principal = compact.town.issue(board=terse, npi=NPI)
    compact.serve(terse, principal)
    elsewhere = compact.license(compact.maine, principal, compact=CompactOrigin("IMLC", principal.id, compact.location(terse, principal)))
    terse.docket.enter(principal.id, "inactive", reason="the holder asked")
    assert only(compact.town.show(elsewhere)) == ("refuse", ("principal_suspended",))

    def followed() -> list[str]:
        return [one.state for one in follow_principals(compact.maine, compact.town.verifier)[0] if one.credential == elsewhere.id]

    assert followed() == ["compact_derived"]
    terse.revoke(principal, reason="an order")
    assert followed() == ["revoked"]


def test_the_place_of_the_act_is_that_of_the_compact_licence(compact: Compact) -> None:
    elsewhere = compact.license(compact.west_virginia, compact.principal())
    assert only(compact.town.show(elsewhere, purpose="prescribe", jurisdiction="US-WV")) == ("accept", ())
    assert only(compact.town.show(elsewhere, purpose="prescribe", jurisdiction="US-VA")) == ("refuse", ("license_of_another_state",))


def test_a_principal_licence_that_came_along_needs_no_fetching(compact: Compact) -> None:
    principal = compact.town.issue(board=compact.virginia, npi=NPI)  # served nowhere
    elsewhere = compact.license(compact.west_virginia, principal)
    assert only(compact.town.show(elsewhere, principal)) == ("accept", ())
    assert only(compact.town.show(elsewhere)) == ("indeterminate", ("principal_license_unknown",))


def test_without_a_location_it_has_to_come_along(compact: Compact) -> None:
    principal = compact.principal()
    elsewhere = compact.license(compact.west_virginia, principal, compact=CompactOrigin("IMLC", principal.id))
    assert only(compact.town.show(elsewhere)) == ("indeterminate", ("principal_license_unknown",))
    assert only(compact.town.show(elsewhere, principal)) == ("accept", ())


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'{"type": "VerifiablePresentation"}', b'{"type": ["VerifiableCredential"], "id": 7}'])
def test_garbage_in_the_place_of_the_principal_licence_is_unknown(compact: Compact, content: bytes) -> None:
    principal = compact.principal()
    compact.serve(compact.virginia, principal, content)
    report = compact.town.show(compact.license(compact.west_virginia, principal))
    assert only(report) == ("indeterminate", ("principal_license_unknown",))


def test_another_credential_in_its_place_is_unknown(compact: Compact) -> None:
    principal = compact.principal()
    compact.serve(compact.virginia, principal, compact.principal().to_json())
    assert only(compact.town.show(compact.license(compact.west_virginia, principal))) == ("indeterminate", ("principal_license_unknown",))


def test_a_malformed_credential_in_its_place_is_unknown(compact: Compact) -> None:
    principal = compact.principal()
    broken = {**principal.credential, "validFrom": 7}
    compact.serve(compact.virginia, principal, Issued(broken, principal.receipt).to_json())
    assert only(compact.town.show(compact.license(compact.west_virginia, principal))) == ("indeterminate", ("principal_license_unknown",))


def test_a_principal_licence_that_nobody_logged_counts_for_nothing(compact: Compact) -> None:
    principal = compact.principal()
    forged = Issued({**principal.credential, "validUntil": "2029-01-01T00:00:00Z"}, principal.receipt)
    compact.serve(compact.virginia, principal, forged.to_json())
    report = compact.town.show(compact.license(compact.west_virginia, principal))
    assert report.verdict == "refuse"
    assert "principal_proof_invalid" in report.codes


def test_somebody_elses_licence_is_no_principal_licence(compact: Compact) -> None:
    principal = compact.town.issue(board=compact.virginia, npi="1245319599", to=compact.town.stranger)
    compact.serve(compact.virginia, principal)
    assert only(compact.town.show(compact.license(compact.west_virginia, principal))) == ("refuse", ("principal_license_mismatch",))


def test_a_physician_with_a_did_for_each_board_is_told_by_the_npi(compact: Compact) -> None:
    principal = compact.town.issue(board=compact.virginia, npi=NPI, to=compact.town.stranger)
    compact.serve(compact.virginia, principal)
    assert only(compact.town.show(compact.license(compact.west_virginia, principal))) == ("accept", ())


def test_a_compact_licence_is_no_principal_licence(compact: Compact) -> None:
    between = compact.license(compact.virginia, compact.principal())
    compact.serve(compact.virginia, between)
    assert only(compact.town.show(compact.license(compact.west_virginia, between))) == ("refuse", ("not_a_principal_license",))


def test_a_letter_is_no_principal_licence(compact: Compact) -> None:
    principal = compact.principal()
    letter = compact.letter(principal)
    assert only(compact.town.show(compact.license(compact.west_virginia, letter), letter)) == ("refuse", ("not_a_principal_license",))


def test_what_another_member_board_did_is_seen_where_it_comes_along(compact: Compact) -> None:
    principal = compact.principal()
    here, there = compact.license(compact.west_virginia, principal), compact.license(compact.maine, principal)
    assert only(compact.town.show(here, there)) == ("accept", ())
    compact.maine.suspend(there, reason="an order")
    report = compact.town.show(here, there)
    assert report.verdict == "refuse"  # Maine's own
    assert [check.credential for check in report.reasons if check.code == "compact_action_elsewhere"] == [0]


@pytest.mark.parametrize("state", ["inactive", "retired", "delinquent"])
def test_what_another_member_board_says_of_renewal_is_no_action(compact: Compact, state: str) -> None:
    principal = compact.principal()
    here, there = compact.license(compact.west_virginia, principal), compact.license(compact.maine, principal)
    compact.maine.docket.enter(there.id, state, reason="the holder asked")
    report = compact.town.show(here, there)
    assert [check.code for check in report.reasons if check.credential == 0] == []
    compact.maine.suspend(there, reason="an order")
    report = compact.town.show(here, there)
    assert [check.code for check in report.reasons if check.credential == 0] == ["compact_action_elsewhere"]


def test_a_compact_that_cannot_be_read_is_unknown(compact: Compact) -> None:
    made = compact.town.made(by=compact.town.board.institution, credentialSchema=None, subject={"compact": {"name": "IMLC"}})
    report = compact.town.judge(made)
    assert "compact_malformed" in report.codes
    other = compact.license(compact.west_virginia, compact.principal())
    shown = compact.town.show(other, made)
    assert "compact_malformed" in shown.codes
    assert "compact_action_elsewhere" not in shown.codes


def test_nobody_is_sent_to_a_server_by_a_licence_that_no_board_signed(compact: Compact) -> None:
    principal = compact.principal()
    elsewhere = compact.license(compact.west_virginia, principal)
    url = compact.location(compact.virginia, principal)
    evidence = Evidence({name: item for name, item in compact.town.evidence(elsewhere).items.items() if name != url})
    assert [need.url for need in compact.town.verifier.missing(elsewhere.to_json(), evidence)] == [url]
    forged = Issued({**elsewhere.credential, "name": "changed"}, elsewhere.receipt)
    assert compact.town.verifier.missing(forged.to_json(), evidence) == ()
    # Nor by one that its issuer was not accredited to issue.
    unaccredited = compact.town.made(by=compact.town.board.institution, type=["VerifiableCredential", "Other"], credentialSchema=None)
    assert url not in compact.town.evidence(unaccredited)


def test_a_compact_licence_as_a_token_is_followed_too(compact: Compact) -> None:
    town, board = compact.town, compact.west_virginia.institution
    principal = compact.principal()
    elsewhere = compact.license(compact.west_virginia, principal)
    document = {name: value for name, value in elsewhere.credential.items() if name != "proof"}
    token = sign_jwt(document, board.keys.assertion, kid=board.verification_method)
    shown = Issued(token.envelope(), town.token_receipt(token, by=board))
    assert only(town.show(shown)) == ("accept", ())
    url = compact.location(compact.virginia, principal)
    evidence = Evidence({name: item for name, item in town.evidence(elsewhere).items.items() if name != url})
    assert url in [need.url for need in town.verifier.missing(token.content, evidence)]
    forged = sign_jwt(document, town.stranger._signer, kid=board.verification_method)
    assert url not in [need.url for need in town.verifier.missing(forged.content, evidence)]
    compact.virginia.suspend(principal, reason="an investigation")
    assert "principal_suspended" in town.show(shown).codes


# ---- the letter


def test_a_letter_is_good_with_a_principal_licence_in_order(compact: Compact) -> None:
    letter = compact.letter(compact.principal())
    assert only(compact.town.show(letter)) == ("accept", ())


def test_a_letter_lasts_no_longer_than_its_last_day_in_the_principal_state(compact: Compact) -> None:
    letter = compact.letter(compact.principal())
    last = date.fromisoformat(letter.credential["credentialSubject"]["issuedOn"]) + timedelta(days=365)
    over = local_days("US-VA").ends(last)
    for until, codes in ((over, ()), (over + timedelta(seconds=1), ("letter_malformed",))):
        assert compact.town.show(compact.remade(letter, validUntil=timestamps.format(until))).codes == codes


def test_a_letter_is_refused_on_day_366(compact: Compact) -> None:
    letter = compact.letter(compact.principal())
    compact.town.clock.move(days=366)
    try:
        assert "expired" in compact.town.show(letter).codes
    finally:
        compact.town.clock.move(days=-366)


def test_a_letter_that_claims_to_be_good_for_longer_is_refused(compact: Compact) -> None:
    made = compact.remade(compact.letter(compact.principal()), validUntil="2029-06-01T00:00:00Z")
    assert "letter_malformed" in compact.town.show(made).codes


def test_a_letter_without_an_end_is_refused(compact: Compact) -> None:
    assert "letter_malformed" in compact.town.show(compact.remade(compact.letter(compact.principal()), validUntil=None)).codes


def test_a_letter_of_a_state_that_is_no_principal_one_is_refused(compact: Compact) -> None:
    principal = compact.town.issue(board=compact.not_principal, npi=NPI)
    letter = compact.letter(principal, board=compact.not_principal)
    assert only(compact.town.show(letter, principal)) == ("refuse", ("not_a_principal_state",))


def test_a_letter_on_another_boards_licence_is_refused(compact: Compact) -> None:
    principal = compact.town.issue(board=compact.maine, npi=NPI)
    assert only(compact.town.show(compact.letter(principal), principal)) == ("refuse", ("principal_license_mismatch",))


def test_a_denial_is_no_letter(compact: Compact) -> None:
    assert only(compact.town.show(compact.letter(compact.principal(), decision="denied"))) == ("refuse", ("not_qualified",))


def test_a_letter_is_refused_once_the_principal_licence_is_suspended(compact: Compact) -> None:
    principal = compact.principal()
    letter = compact.letter(principal)
    compact.virginia.suspend(principal, reason="an order")
    report = compact.town.show(letter)
    assert (report.verdict, report.codes[0]) == ("refuse", "principal_suspended")


@pytest.mark.parametrize("changes", [{"license_class": "training"}, {"restrictions": (Restriction("chaperone", "Chaperone", date(2020, 1, 1)),)}])
def test_a_letter_needs_a_full_and_unrestricted_licence(compact: Compact, changes: dict[str, Any]) -> None:
    report = compact.town.show(compact.letter(compact.principal(**changes)))
    assert report.verdict == "refuse"
    assert "principal_license_not_full" in report.codes


def test_a_letter_that_names_another_board_is_refused(compact: Compact) -> None:
    principal = compact.principal()
    letter = compact.letter(principal)
    subject = {**letter.credential["credentialSubject"], "spl": {"board": compact.maine.did, "license": principal.id}}
    made = compact.remade(letter, credentialSubject=subject)
    assert "letter_of_another_board" in compact.town.show(made, principal).codes


# ---- what a member board does itself


def test_a_member_board_follows_and_the_principal_states_reinstatement_does_not_lift_it(compact: Compact) -> None:
    principal = compact.principal()
    elsewhere = compact.license(compact.maine, principal)
    unrelated = compact.town.issue(board=compact.maine)
    compact.virginia.suspend(principal, reason="an order")
    decided, _ = follow_principals(compact.maine, compact.town.verifier)
    assert [(one.credential, one.state, one.order) for one in decided] == [(elsewhere.id, "compact_derived", principal.id)]
    assert not [one for one in follow_principals(compact.maine, compact.town.verifier)[0] if one.credential == elsewhere.id]
    compact.virginia.reinstate(principal, reason="it ended")
    report = compact.town.show(elsewhere)
    assert only(report) == ("refuse", ("license_compact_derived",))
    assert only(compact.town.show(principal)) == ("accept", ())
    assert only(compact.town.show(unrelated)) == ("accept", ())
    assert follow_principals(compact.maine, compact.town.verifier)[0] == ()
    # Its own board lifts it.
    compact.maine.reinstate(elsewhere, reason="looked into")
    assert only(compact.town.show(elsewhere)) == ("accept", ())


@pytest.mark.parametrize(("state", "here"), [("revoked", "revoked"), ("surrendered_in_lieu", "surrendered_in_lieu")])
def test_what_is_for_ever_in_the_principal_state_is_for_ever_here(compact: Compact, state: str, here: str) -> None:
    principal = compact.principal()
    elsewhere = compact.license(compact.maine, principal)
    compact.virginia.revoke(principal, reason="an order", state=state)
    decided, _ = follow_principals(compact.maine, compact.town.verifier)
    assert [(one.credential, one.state) for one in decided] == [(elsewhere.id, here)]
    assert compact.maine.is_revoked(elsewhere)


def test_a_principal_licence_that_cannot_be_seen_is_told(compact: Compact) -> None:
    principal = compact.town.issue(board=compact.virginia, npi=NPI)  # served nowhere
    elsewhere = compact.license(compact.maine, principal)
    decided, unfollowed = follow_principals(compact.maine, compact.town.verifier)
    assert elsewhere.id not in [one.credential for one in decided]
    assert (elsewhere.id, ("principal_license_unknown",)) in [(one.credential, one.codes) for one in unfollowed]


def test_when_another_board_acts_a_licence_is_suspended_for_90_days(compact: Compact) -> None:
    principal = compact.principal(valid_until=compact.town.clock() + timedelta(days=600))
    elsewhere = compact.license(compact.west_virginia, principal)
    since = compact.town.clock() - timedelta(days=2)
    order = "https://maine.example/orders/7"
    decision = suspend_for_another_board(compact.west_virginia, elsewhere.id, acted="US-ME", effective=since, order=order)
    # By standard time too, if the clocks are set back in between.
    assert decision.until == since + timedelta(days=90, hours=1)
    assert only(compact.town.show(elsewhere)) == ("refuse", ("license_compact_derived",))
    compact.town.clock.move(days=89)
    try:
        assert decision.id in [one.id for one in compact.west_virginia.docket.tick()]
        assert only(compact.town.show(elsewhere)) == ("accept", ())
    finally:
        compact.town.clock.move(days=-89)
    with pytest.raises(ValueError, match="under no compact"):
        suspend_for_another_board(compact.virginia, principal.id, acted="US-ME", effective=since, order=order)
