"""An interstate compact: a licence that hangs on the licence of a principal state, and the letter by which it is granted.

Discipline cascades by law [26 V.S.A. §1420j]: if the principal state revokes or suspends its licence, or takes its surrender in lieu of
discipline, every compact licence has the same status at once; when another member board acts, all the others are suspended for 90 days; and
the principal state's reinstatement lifts its own licence only. The last shows in the lists of each board, which its software sets
(``roles.cascade``); the first is followed here, because a list is wrong until its board has republished it.

A principal licence that is inactive, retired or lapsed is no discipline: the others stand, under a condition that is told. They are renewed
only with a full and unrestricted principal licence [IMLC section 7(a)(1); 32 M.R.S. §18508(1)(A)], and their holder may have designated
another principal state [section 4(b)], which nobody sees here. Which state means what is the table ``status_messages.SIGNALS``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from did_health.errors import FormatError
from did_health.health.letter_of_qualification import LETTER_LIFETIME, QUALIFIED, LetterOfQualification
from did_health.health.physician_license import CompactOrigin, PhysicianLicense
from did_health.health.status_messages import CASCADES, SIGNALS, Cascade, Message
from did_health.roles.domain.finding import Finding, Followed, Reference, Surroundings
from did_health.roles.domain.status import SUSPENDED
from did_health.roles.evidence import Need
from did_health.roles.facts import Facts
from did_health.roles.ledger_state import Unproven
from did_health.roles.report import Check, CheckName, Outcome
from did_health.vc.credential import Credential

PRINCIPAL_ROLE: Final = "spl"
_LICENSE: Final = PhysicianLicense.credential_type
_LETTER: Final = LetterOfQualification.credential_type
ACT_RESTRICTED: Final = "act_restricted"
"""What a licence's restriction says of an act that it forbids."""
PRINCIPAL: Final = "principal_"
"""Before the code of a finding on the principal licence, in the finding on the licence that hangs on it."""
_MESSAGE: Final = "license_"
_EXPIRED: Final = "license_expired"
_TO_DO: Final = (
    "which is no discipline. This licence stands, but is renewed only with a full and unrestricted principal licence: "
    "ask the holder or its board whether another principal state was designated"
)


def principal_of(subject: Mapping[str, Any]) -> Reference | None:
    """The principal licence that the licence in ``subject`` hangs on; ``None`` if it hangs on none. Raises ``FormatError``."""
    if "compact" not in subject:
        return None
    origin = CompactOrigin.from_json(subject["compact"])
    return Reference(origin.spl_license, origin.location)


def principal_findings(credential: Credential, subject: Mapping[str, Any], around: Surroundings) -> Sequence[Finding]:
    """What the compact has to say about a licence: the principal licence's state, and actions of other member boards that are in sight."""
    try:
        reference = principal_of(subject)
    except FormatError:
        return (Finding(Outcome.UNKNOWN, "compact_malformed", "what the licence says of its compact cannot be read"),)
    if reference is None:
        return ()
    return (*_of_principal(around.follow(reference), subject), *_of_others(credential, reference, around))


def _of_principal(followed: Followed, subject: Mapping[str, Any]) -> Sequence[Finding]:
    principal = followed.credential
    if principal is None:
        reason = followed.checks[0]
        sentence = f"the state of the principal licence is not known: {reason.sentence}"
        return (Finding(Outcome.UNKNOWN, "principal_license_unknown", sentence, as_of=reason.as_of),)
    if not principal.has_type(_LICENSE) or any("compact" in claims for claims in principal.subjects):
        return (Finding(Outcome.FAIL, "not_a_principal_license", "the licence that this one hangs on is no principal licence"),)
    if not _same_person(subject, principal):
        return (Finding(Outcome.FAIL, "principal_license_mismatch", "the licence that this one hangs on is somebody else's"),)
    return tuple(_cascaded(check, principal) for check in _against(followed.checks))


def _against(checks: Sequence[Check]) -> Sequence[Check]:
    """The checks that say something against a licence, without a suspension that is no discipline."""
    against = [check for check in checks if check.outcome is not Outcome.PASS or check.conditional]
    # A board suspends what is inactive, too. Only the message tells that from discipline, and of several states it is the worst.
    if any(_is_undisciplined(check) and _suspends(check) for check in against):
        return [check for check in against if check.code != SUSPENDED.code]
    return against


def _cascaded(check: Check, principal: Credential) -> Finding:
    """What a finding on the principal licence means for a licence that hangs on it; it cites that licence, by board and id."""
    source = f"by the principal licence of {_board(principal)} ({principal.id})"
    if check.code == ACT_RESTRICTED:
        # Restrictions are no part of what cascades: each board may impose the same, and its own licence says so then.
        sentence = f"{source}: {check.sentence}. It restricts that licence and not this one; ask the board of this one whether it has acted"
        return Finding(Outcome.PASS, f"{PRINCIPAL}{check.code}", sentence, conditional=True, as_of=check.as_of)
    if not _is_undisciplined(check):
        return Finding(check.outcome, f"{PRINCIPAL}{check.code}", f"{source}: {check.sentence}", conditional=check.conditional, as_of=check.as_of)
    code = _EXPIRED if check.code == "expired" or _message_of(check.code) is Message.DELINQUENT else check.code
    return Finding(Outcome.PASS, f"{PRINCIPAL}{code}", f"{source}: {check.sentence}, {_TO_DO}", conditional=True, as_of=check.as_of)


def _is_undisciplined(check: Check) -> bool:
    """Whether a finding says that the principal licence is not kept up, which cascades to nobody."""
    message = _message_of(check.code)
    refuses = check.outcome is Outcome.FAIL
    return refuses and (check.code == "expired" or (message is not None and CASCADES[message] is Cascade.CONDITION))


def _suspends(check: Check) -> bool:
    message = _message_of(check.code)
    return any(signal.suspension for signal in SIGNALS.values() if signal.message is message)


def _message_of(code: str) -> Message | None:
    """The board's message that a finding of the status is about."""
    return Message.__members__.get(code.removeprefix(_MESSAGE).upper()) if code.startswith(_MESSAGE) else None


def _of_others(credential: Credential, principal: Reference, around: Surroundings) -> Sequence[Finding]:
    """Other boards' licences under the same principal one that came along: their discipline suspends this one for 90 days from then on."""
    findings = []
    for other in around.others:
        if other.id == credential.id or other.issuer_id == credential.issuer_id or not other.has_type(_LICENSE) or other.id is None:
            continue
        if any(_hangs_on(claims, principal.identifier) for claims in other.subjects):
            found = [check for check in _against(around.follow(Reference(other.id)).checks) if not _is_undisciplined(check)]
            acted = next((check for check in found if check.name is CheckName.STATUS and check.outcome is Outcome.FAIL), None)
            if acted is not None:
                # Since when is not known here: the 90 days may be over.
                sentence = f"the board of {_board(other)} has acted, which suspends this licence for 90 days; whether they are over its own board knows"
                findings.append(Finding(Outcome.UNKNOWN, "compact_action_elsewhere", sentence, as_of=acted.as_of))
    return findings


def _hangs_on(subject: Mapping[str, Any], identifier: str) -> bool:
    try:
        reference = principal_of(subject)
    except FormatError:
        return False
    return reference is not None and reference.identifier == identifier


def _same_person(subject: Mapping[str, Any], principal: Credential) -> bool:
    """A physician may have a DID for each board; the NPI is the same everywhere."""
    return all(claims.get("id") == subject.get("id") or (claims.get("npi") and claims.get("npi") == subject.get("npi")) for claims in principal.subjects)


def _board(credential: Credential) -> str:
    for subject in credential.subjects:
        board = subject.get("board")
        if isinstance(board, dict) and isinstance(board.get("jurisdiction"), str):
            return str(board["jurisdiction"])
    return credential.issuer_id


class LetterRule:
    """The rule of ``LetterOfQualificationCredential``: what a member board checks before it licenses on the letter."""

    def follows(self, credential: Credential) -> Sequence[Reference]:
        letters = (_letter(credential, subject) for subject in credential.subjects)
        return [Reference(letter.spl.license, letter.spl.location) for letter in letters if letter is not None]

    def needs(self, credential: Credential, facts: Facts) -> Sequence[Need]:  # noqa: ARG002  # the issuer's record is needed anyway
        return ()

    def findings(self, credential: Credential, around: Surroundings) -> Sequence[Finding]:
        findings: list[Finding] = []
        for subject in credential.subjects:
            letter = _letter(credential, subject)
            if letter is None:
                sentence = f"the letter is not one that a compact knows, or is good for more than {LETTER_LIFETIME.days} days"
                findings.append(Finding(Outcome.FAIL, "letter_malformed", sentence))
                continue
            if letter.decision != QUALIFIED:
                findings.append(Finding(Outcome.FAIL, "not_qualified", "the principal board has found the physician not qualified"))
            if letter.spl.board != credential.issuer_id:
                findings.append(Finding(Outcome.FAIL, "letter_of_another_board", "the letter names another principal board than the one that issued it"))
            findings += self._of_authority(credential, letter, around.facts)
            findings += self._of_license(subject, letter, around)
        return findings

    def _of_authority(self, credential: Credential, letter: LetterOfQualification, facts: Facts) -> Sequence[Finding]:
        """Whether the registry lets the board be a principal one; that the record holds now and held then, the check of entitlement says."""
        try:
            record, as_of = facts.record(credential.issuer_id, _LETTER)
        except Unproven as doubt:
            return (Finding(doubt.outcome, doubt.code, doubt.what, as_of=doubt.as_of),)
        if record is None or (record.compact, record.compact_role) != (letter.compact, PRINCIPAL_ROLE):
            sentence = "the registry does not list the letter's board as a principal state of this compact"
            return (Finding(Outcome.FAIL, "not_a_principal_state", sentence, as_of=as_of),)
        try:
            letter.check_lifetime(record.jurisdiction)
        except FormatError as error:
            return (Finding(Outcome.FAIL, "letter_malformed", error.what, as_of=as_of),)
        return ()

    def _of_license(self, subject: Mapping[str, Any], letter: LetterOfQualification, around: Surroundings) -> Sequence[Finding]:
        followed = around.follow(Reference(letter.spl.license, letter.spl.location))
        found = [*_of_principal(followed, subject)]
        principal = followed.credential
        if principal is not None:
            if principal.issuer_id != letter.spl.board:
                found.append(Finding(Outcome.FAIL, "principal_license_mismatch", "the principal licence is another board's"))
            if any(claims.get("licenseClass") != "full" or claims.get("restrictions") for claims in principal.subjects):
                found.append(Finding(Outcome.FAIL, "principal_license_not_full", "the principal licence is not a full and unrestricted one"))
        # A letter needs a principal licence in order; a condition on it is none.
        return [Finding(Outcome.FAIL, one.code, one.sentence, as_of=one.as_of) if one.conditional else one for one in found]


def _letter(credential: Credential, subject: Mapping[str, Any]) -> LetterOfQualification | None:
    if credential.valid_until is None:
        return None
    try:
        return LetterOfQualification.from_subject(subject, valid_until=credential.valid_until, valid_from=credential.valid_from)
    except FormatError:
        return None
