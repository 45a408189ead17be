"""The cryptosuites, by proof type and name. A new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from did_health.vc.proofs.bbs_2023 import BBS_2023
from did_health.vc.proofs.ecdsa_jcs_2019 import ECDSA_JCS_2019
from did_health.vc.proofs.ecdsa_rdfc_2019 import ECDSA_RDFC_2019
from did_health.vc.proofs.ecdsa_sd_2023 import ECDSA_SD_2023
from did_health.vc.proofs.ed25519_signature_2020 import ED25519_SIGNATURE_2020
from did_health.vc.proofs.eddsa_jcs_2022 import EDDSA_JCS_2022
from did_health.vc.proofs.eddsa_rdfc_2022 import EDDSA_RDFC_2022
from did_health.vc.proofs.suite import PROOF_TYPE, Cryptosuite, DisclosureSuite

_DISCLOSURE: Final[tuple[DisclosureSuite, ...]] = (ECDSA_SD_2023, BBS_2023)
_SIGNATURE: Final[tuple[Cryptosuite, ...]] = (EDDSA_JCS_2022, EDDSA_RDFC_2022, ECDSA_JCS_2019, ECDSA_RDFC_2019, ED25519_SIGNATURE_2020)

CRYPTOSUITES: Final[Mapping[tuple[str, str], Cryptosuite]] = MappingProxyType({
    (suite.proof_type, suite.name if suite.proof_type == PROOF_TYPE else ""): suite for suite in (*_SIGNATURE, *_DISCLOSURE)
})
"""``(type, cryptosuite)`` of a proof to the suite that makes and checks it; the second is empty where the type alone names the suite."""

BY_NAME: Final[Mapping[str, Cryptosuite]] = MappingProxyType({suite.name: suite for suite in CRYPTOSUITES.values()})
"""The same suites by their names alone."""

DISCLOSURE_SUITES: Final[Mapping[str, DisclosureSuite]] = MappingProxyType({suite.name: suite for suite in _DISCLOSURE})
"""The suites of selective disclosure, by the value of ``cryptosuite``."""
