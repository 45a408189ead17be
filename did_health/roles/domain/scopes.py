"""For which professions and places the issuer of a credential must be accredited."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from did_health.health.pharmacy import Pharmacy
from did_health.health.physician_license import PhysicianLicense
from did_health.health.pickup_delegation import PickupDelegation
from did_health.health.prescriber_registration import PrescriberRegistration
from did_health.health.verification_receipt import VerificationReceipt
from did_health.vc.credential import Credential

SELF_ISSUED: Final = frozenset({PickupDelegation.credential_type, VerificationReceipt.credential_type})
"""Types that are their issuer's own word: nobody is accredited for them, and no issuance batch has them.

Of a person nothing is on the ledger but revocation handles; verification receipts have receipt batches (``roles.receipts``).
"""

_NO_SCOPE: Final = frozenset({(None, None)})


def is_self_issued(credential: Credential) -> bool:
    """Whether all that the credential claims to be is its issuer's own word."""
    # The common shape is that of what boards issue.
    if credential.is_common:
        return False
    kinds = set(credential.kinds)
    return bool(kinds) and kinds <= SELF_ISSUED


def claimed_scopes(credential: Credential, resource: str) -> Collection[tuple[str | None, str | None]]:
    """Each ``(profession, jurisdiction)`` for which the issuer must be accredited to issue ``resource``, one of the credential's types.

    ``None`` stands where the type has none, an empty text where the credential fails to name one, which nobody is accredited for.
    """
    if resource == PhysicianLicense.credential_type:
        subjects = credential.subjects
        return (_license_scope(subjects[0]),) if len(subjects) == 1 else frozenset(map(_license_scope, subjects))
    if resource == Pharmacy.credential_type:
        return frozenset((None, _text(subject.get("jurisdiction"))) for subject in credential.subjects)
    if resource == PrescriberRegistration.credential_type:
        return frozenset((None, _text(subject.get("state"))) for subject in credential.subjects)
    return _NO_SCOPE


def _license_scope(subject: Mapping[str, Any]) -> tuple[str, str]:
    board = subject.get("board")
    return _text(subject.get("profession")), _text(board.get("jurisdiction")) if isinstance(board, dict) else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
