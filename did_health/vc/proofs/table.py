"""The cryptosuites, by proof type and name. A new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from did_health.vc.proofs.ecdsa_jcs_2019 import ECDSA_JCS_2019
from did_health.vc.proofs.ecdsa_rdfc_2019 import ECDSA_RDFC_2019
from did_health.vc.proofs.eddsa_jcs_2022 import EDDSA_JCS_2022
from did_health.vc.proofs.eddsa_rdfc_2022 import EDDSA_RDFC_2022
from did_health.vc.proofs.suite import PROOF_TYPE, Cryptosuite

CRYPTOSUITES: Final[Mapping[tuple[str, str], Cryptosuite]] = MappingProxyType({
    (PROOF_TYPE, suite.name): suite for suite in (EDDSA_JCS_2022, EDDSA_RDFC_2022, ECDSA_JCS_2019, ECDSA_RDFC_2019)
})
"""``(type, cryptosuite)`` of a proof to the suite that makes and checks it."""
