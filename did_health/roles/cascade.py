"""What a compact makes a member board do about its own licences [26 V.S.A. §1420j].

A verifier follows the principal licence by itself; the board's own lists have to say it too, for its reinstatement by the principal state
does not lift the others, and for those who look at nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.health.local_days import local_days
from did_health.health.physician_license import CompactOrigin, PhysicianLicense
from did_health.health.status_messages import SIGNALS, Cascade
from did_health.roles.decision import Decision
from did_health.roles.documents import logged_credential
from did_health.roles.domain.compact import PRINCIPAL
from did_health.roles.domain.status import REVOKED, SUSPENDED
from did_health.roles.issuer import Board
from did_health.roles.register import IssuedCredential
from did_health.roles.report import Check, CheckName, Outcome, Report
from did_health.roles.verifier import Verifier

DERIVED: Final = "compact_derived"
SUSPENDED_FOR: Final = timedelta(days=90)
"""How long a licence is suspended when another member board has acted, unless its own board ends that."""
_LICENSE_PREFIX: Final = f"{PRINCIPAL}license_"
_NOT_FOLLOWED: Final = frozenset({"not_a_principal_license", "principal_license_mismatch"})


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """A compact licence of which the principal licence does not tell what holds, and why: it could not be followed, or the board has to decide."""

    credential: str
    codes: tuple[str, ...]


def follow_principals(board: Board, verifier: Verifier) -> tuple[tuple[Decision, ...], tuple[Unfollowed, ...]]:
    """Give each of the board's compact licences the state that its principal licence has by discipline; what was decided, and what is unknown.

    A suspension by the principal state becomes ``compact_derived``, which stays when the principal state reinstates; what is for ever there
    is for ever here, under this board's own rules for such decisions. Done again, it decides nothing twice; but what the board's own
    reinstatement has ended is derived again while, or once more when, the principal state's discipline stands.
    """
    decided, unfollowed = [], []
    for row, origin in _compact_licenses(board):
        document = logged_credential(strict_json.loads_object(row.document), strict_json.loads_object(row.receipt))
        report = verifier.verify(document, waive=[CheckName.HOLDER_BINDING])
        state = _principal_state(report)
        if state is not None:
            waiting = [one for one in board.docket.history(row.id) if not one.is_final and not one.is_in_force]
            if not any(one.order == origin.spl_license and one.state == state for one in (*board.docket.standing(row.id), *waiting)):
                reason = f"the principal licence is {state.replace('_', ' ') if state != DERIVED else 'suspended'}"
                decided.append(board.docket.enter(row.id, state, reason=reason, by="the compact", order=origin.spl_license))
        elif unknown := tuple(check.code for check in report.checks if check.name is CheckName.DOMAIN and _is_untold(check)):
            unfollowed.append(Unfollowed(row.id, unknown))
    return tuple(decided), tuple(unfollowed)


def suspend_for_another_board(board: Board, credential: str, *, acted: str, effective: datetime, order: str, by: str = "") -> Decision:
    """Suspend a compact licence for 90 days because the member board of ``acted`` (``US-ME``) has acted, from ``effective`` on.

    ``docket.enter(..., "active", axis=Axis.DISCIPLINE, ...)`` ends it earlier. Raises ``KeyError`` for a credential that the board never
    issued, ``ValueError`` for one that is under no compact, and as ``docket.enter``.
    """
    row = board.issued(credential)
    if _origin(row) is None:
        raise ValueError("the licence is under no compact")
    reason = f"the board of {acted} has acted: suspended for {SUSPENDED_FOR.days} days"
    until = local_days(board.details.jurisdiction).after(effective, SUSPENDED_FOR.days)
    return board.docket.enter(row.id, DERIVED, reason=reason, by=by, order=order, effective=effective, until=until)


def _compact_licenses(board: Board) -> Iterator[tuple[IssuedCredential, CompactOrigin]]:
    for row in board.all():
        origin = _origin(row)
        if origin is not None and not board.is_revoked(row.id):
            yield row, origin


def _origin(row: IssuedCredential) -> CompactOrigin | None:
    # Most licences of a register are under no compact, and need not be parsed for that.
    if row.type != PhysicianLicense.credential_type or b'"compact"' not in row.document:
        return None
    subject = strict_json.loads_object(row.document)["credentialSubject"]
    try:
        return CompactOrigin.from_json(subject.get("compact"))
    except FormatError:
        return None


def _principal_state(report: Report) -> str | None:
    """The state that discipline by the principal state puts a compact licence into; ``None`` if there is none, or it is not known."""
    codes = [check.code for check in report.checks if check.name is CheckName.DOMAIN and check.outcome is Outcome.FAIL]
    words = [code.removeprefix(_LICENSE_PREFIX) for code in codes if code.startswith(_LICENSE_PREFIX)]
    signals = {word: SIGNALS[word] for word in words if word in SIGNALS}
    # What is for ever comes of the words that the compact names, or of the bit alone where the board has no words for it.
    if (word := next((one for one, signal in signals.items() if signal.revocation and signal.cascade is Cascade.SAME_STATUS), None)) is not None:
        return word
    if not signals and PRINCIPAL + REVOKED.code in codes:
        return "revoked"
    if any(signal.cascade is Cascade.SAME_STATUS for signal in signals.values()) or (not signals and PRINCIPAL + SUSPENDED.code in codes):
        return DERIVED
    return None


def _is_untold(check: Check) -> bool:
    """Whether a check tells that the principal licence could not be followed, that it is none, or what does not say by itself what holds here."""
    word = check.code.removeprefix(_LICENSE_PREFIX)
    is_undecided = check.outcome is Outcome.FAIL and word in SIGNALS and SIGNALS[word].cascade is Cascade.REFUSAL
    return check.outcome is Outcome.UNKNOWN or check.code in _NOT_FOLLOWED or is_undecided
