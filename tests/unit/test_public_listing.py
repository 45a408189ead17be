from __future__ import annotations

import pytest

from did_health.errors import FormatError
from did_health.health.public_listing import PUBLIC_TYPES, Listing, Lookup, folded, listing_of


def test_what_is_public() -> None:
    assert {"PhysicianLicenseCredential", "PharmacyCredential", "PrescriberRegistrationCredential"} == PUBLIC_TYPES


@pytest.mark.parametrize(
    ("kind", "subject", "listing"),
    [
        ("PhysicianLicenseCredential", {"name": {"family": "O'Neil", "given": "Zoë"}, "npi": "1"}, Listing("1", "o'neil", "zoe")),
        ("PharmacyCredential", {"name": "Main  Street Pharmacy"}, Listing(name="main street pharmacy")),
        ("PrescriberRegistrationCredential", {"deaNumber": "AP5836727"}, Listing()),
        ("PhysicianLicenseCredential", {"name": {"family": 7}, "npi": ["x"]}, Listing()),
        ("PhysicianLicenseCredential", None, Listing()),
        ("PatientIdentityCredential", {"name": {"family": "A", "given": "B"}}, None),
        ("PickupDelegationCredential", {}, None),
    ],
)
def test_listings(kind: str, subject: object, listing: Listing | None) -> None:
    assert listing_of(kind, subject) == listing


def test_folding() -> None:
    assert folded("  Núñez   STRASSE ß") == "nunez strasse ss"


@pytest.mark.parametrize(
    ("members", "where"),
    [
        ({}, ""),
        ({"npi": "1234567893", "number": "1"}, ""),
        ({"npi": "1234567890"}, "npi"),
        ({"number": "1" * 65}, "number"),
        ({"name": "x"}, "name"),
        ({"name": "\u0301\u0301\u0301"}, "name"),
        ({"number": "1", "given": "Ann"}, "given"),
        ({"name": "Adams", "given": "x" * 600}, "given"),
        ({"holder": "somebody"}, "holder"),
        ({"number": "1", "type": "PatientIdentityCredential"}, "type"),
    ],
)
def test_lookups_that_find_nothing_are_refused(members: dict[str, str], where: str) -> None:
    with pytest.raises(FormatError) as refused:
        Lookup(**members)
    assert refused.value.where == where
