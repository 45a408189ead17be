"""did_health: identity and verifiable credentials for US healthcare, anchored on witnessed transparency logs.

Begin with ``open_directory`` (a ledger, boards and wallets to try things with), ``Board.issue``, ``Wallet.present``, ``Verifier.verify`` and
``Report``; ``check_prescriber`` and ``verify_roster`` ask about people who are not there. The public names are those of ``__all__``; each is
imported when it is first used, so that ``import did_health`` costs next to nothing. Guides: docs/guides/developer.md.
"""

from __future__ import annotations

from importlib import import_module
from sys import modules
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from did_health.errors import (
        ConflictError,
        DidHealthError,
        EdgeError,
        FormatError,
        ResolutionError,
        StoreError,
        TransportError,
        UnsupportedError,
        VerificationError,
    )
    from did_health.health.act import Act
    from did_health.health.assurance import Assurance
    from did_health.health.board_accreditation import BoardAccreditation
    from did_health.health.letter_of_qualification import LetterOfQualification
    from did_health.health.patient_identity import PatientIdentity
    from did_health.health.person_name import PersonName
    from did_health.health.pharmacy import Pharmacy
    from did_health.health.physician_license import PhysicianLicense
    from did_health.health.pickup_delegation import PickupDelegation
    from did_health.health.prescriber_registration import PrescriberRegistration
    from did_health.health.restrictions import Restriction
    from did_health.net.board_directory import DirectoryClient
    from did_health.net.fetch import HTTPSource
    from did_health.net.published_licenses import PublishedLicenses
    from did_health.net.roster_lookup import RosterLookup
    from did_health.net.rosters import RosterOrder, verify_roster
    from did_health.net.verifiers import embedded_verifier, web_verifier
    from did_health.roles.evidence import Evidence, Need
    from did_health.roles.holder import Wallet, wallet_sealing_key
    from did_health.roles.issuer import Board, Issued
    from did_health.roles.nonces import new_nonce
    from did_health.roles.prescriber import PrescriberCheck, PrescriberQuestion, check_prescriber
    from did_health.roles.report import Check, CheckName, Outcome, Report, Verdict
    from did_health.roles.roster.report import RosterReport
    from did_health.roles.verifier import Verifier
    from did_health.roles.visit import Collector, Visit
    from did_health.stores.directory import Directory, open_directory
    from did_health.stores.license_files import LicenseFiles
    from did_health.stores.roster_reports import RosterReportFolder
    from did_health.trust.policy import TrustPolicy

__version__ = "0.1.0"

_PUBLIC = {
    "did_health.errors": (
        "ConflictError", "DidHealthError", "EdgeError", "FormatError", "ResolutionError", "StoreError", "TransportError", "UnsupportedError",
        "VerificationError",
    ),
    "did_health.health.act": ("Act",),
    "did_health.health.assurance": ("Assurance",),
    "did_health.health.board_accreditation": ("BoardAccreditation",),
    "did_health.health.letter_of_qualification": ("LetterOfQualification",),
    "did_health.health.patient_identity": ("PatientIdentity",),
    "did_health.health.person_name": ("PersonName",),
    "did_health.health.pharmacy": ("Pharmacy",),
    "did_health.health.physician_license": ("PhysicianLicense",),
    "did_health.health.pickup_delegation": ("PickupDelegation",),
    "did_health.health.prescriber_registration": ("PrescriberRegistration",),
    "did_health.health.restrictions": ("Restriction",),
    "did_health.net.board_directory": ("DirectoryClient",),
    "did_health.net.fetch": ("HTTPSource",),
    "did_health.net.published_licenses": ("PublishedLicenses",),
    "did_health.net.roster_lookup": ("RosterLookup",),
    "did_health.net.rosters": ("RosterOrder", "verify_roster"),
    "did_health.net.verifiers": ("embedded_verifier", "web_verifier"),
    "did_health.roles.evidence": ("Evidence", "Need"),
    "did_health.roles.holder": ("Wallet", "wallet_sealing_key"),
    "did_health.roles.issuer": ("Board", "Issued"),
    "did_health.roles.nonces": ("new_nonce",),
    "did_health.roles.prescriber": ("PrescriberCheck", "PrescriberQuestion", "check_prescriber"),
    "did_health.roles.report": ("Check", "CheckName", "Outcome", "Report", "Verdict"),
    "did_health.roles.roster.report": ("RosterReport",),
    "did_health.roles.verifier": ("Verifier",),
    "did_health.roles.visit": ("Collector", "Visit"),
    "did_health.stores.directory": ("Directory", "open_directory"),
    "did_health.stores.license_files": ("LicenseFiles",),
    "did_health.stores.roster_reports": ("RosterReportFolder",),
    "did_health.trust.policy": ("TrustPolicy",),
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names}

__all__ = [
    "BoardAccreditation", "LetterOfQualification", "PatientIdentity", "PersonName", "Pharmacy", "PhysicianLicense",
    "PickupDelegation", "PrescriberRegistration", "Assurance", "Restriction", "Act",
    "check_prescriber", "PrescriberQuestion", "PrescriberCheck", "DirectoryClient", "Visit", "Collector",
    "Board", "Issued", "Wallet", "wallet_sealing_key", "Verifier", "Report", "Check", "CheckName", "Outcome", "Verdict", "Evidence", "Need", "TrustPolicy",
    "Directory", "open_directory", "embedded_verifier", "web_verifier", "new_nonce",
    "verify_roster", "RosterOrder", "RosterLookup", "LicenseFiles", "PublishedLicenses", "HTTPSource", "RosterReport", "RosterReportFolder",
    "DidHealthError", "FormatError", "UnsupportedError", "ResolutionError", "VerificationError", "EdgeError", "TransportError", "StoreError",
    "ConflictError",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'did_health' has no attribute {name!r}", name=name, obj=modules[__name__])
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
