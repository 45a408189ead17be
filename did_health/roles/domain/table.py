"""Which rule holds for which credential type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from did_health.health.letter_of_qualification import LetterOfQualification
from did_health.health.physician_license import PhysicianLicense
from did_health.health.pickup_delegation import PickupDelegation
from did_health.health.prescriber_registration import PrescriberRegistration
from did_health.health.verification_receipt import VerificationReceipt
from did_health.roles.domain.compact import LetterRule
from did_health.roles.domain.delegation import DelegationRule
from did_health.roles.domain.finding import DomainRule
from did_health.roles.domain.license import LicenseRule
from did_health.roles.domain.receipt import ReceiptRule
from did_health.roles.domain.registration import RegistrationRule
from did_health.vc.credential import Credential

RULES: Final[Mapping[str, DomainRule]] = MappingProxyType({
    PhysicianLicense.credential_type: LicenseRule(),
    LetterOfQualification.credential_type: LetterRule(),
    PrescriberRegistration.credential_type: RegistrationRule(),
    PickupDelegation.credential_type: DelegationRule(),
    VerificationReceipt.credential_type: ReceiptRule(),
})


_USUAL: Final = 2


def rules_of(credential: Credential) -> Sequence[DomainRule]:
    """The rules on the types of ``credential``."""
    types = credential.types
    # Most credentials have one type besides the base type.
    if len(types) == _USUAL:
        rule = RULES.get(types[1])
        if rule is not None:
            return (rule,)
    return [RULES[name] for name in types if name in RULES]
