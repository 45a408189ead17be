"""Claims as a user gives them: a JSON file in the shape of an unsigned credential, or options for a licence's main fields."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from did_health.cli import days, session
from did_health.cli.exits import UsageError
from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import fields
from did_health.health.board_accreditation import BoardAccreditation
from did_health.health.claim_types import CLAIM_TYPES
from did_health.health.claims import CredentialClaims
from did_health.health.issuer_details import Issuer
from did_health.health.person_name import PersonName
from did_health.health.physician_license import PhysicianLicense
from did_health.limits import MAX_DOCUMENT_BYTES

_TYPES: Final = MappingProxyType({name: read for name, read in CLAIM_TYPES.items() if name != BoardAccreditation.credential_type})
"""What ``board issue`` issues: accreditations are the registry authority's."""


def read_claims(file: Path, issuer: Issuer) -> CredentialClaims:
    """The claims in a JSON file: ``{"type": …, "validFrom": …, "validUntil": …, "credentialSubject": {…}}``; a day
    is one of the issuer's jurisdiction.

    ``type`` is a licence where it is left out, and so is a licence's ``board``: it is ``issuer``. Raises ``FormatError`` with the
    file's name, ``StoreError``.
    """
    return session.at_file(file, lambda: _parse(session.read_file(file, max_bytes=MAX_DOCUMENT_BYTES), issuer))


def _parse(data: bytes, issuer: Issuer) -> CredentialClaims:
    document = strict_json.loads_object(data, what="file of claims")
    subject = document.get("credentialSubject")
    if not isinstance(subject, dict):
        raise FormatError("the claims are not in an object credentialSubject", where="/credentialSubject", hint="See docs/cli.md for an example")
    names = document.get("type", [PhysicianLicense.credential_type])
    kinds = [name for name in (names if isinstance(names, list) else [names]) if name in _TYPES]
    if len(kinds) != 1:
        raise FormatError("the type of credential is none that is issued here", where="/type", hint=f"It is one of: {', '.join(_TYPES)}")
    if kinds[0] == PhysicianLicense.credential_type:
        subject = {"board": issuer.to_json(), **subject}
    first, last = _given(document, "validFrom"), _given(document, "validUntil")
    # A registration names its state, for which a national authority issues it.
    place = str(subject.get("state", issuer.jurisdiction))
    until = days.last_moment(last, "validUntil", place)
    if until is None:
        raise FormatError("the member validUntil is missing", where="/validUntil", hint="Write it as 2027-01-31, or 2027-01-31T00:00:00Z")
    return _TYPES[kinds[0]](subject, valid_until=until, valid_from=days.beginning(first, "validFrom", place, favours=True))


def _given(document: JSONObject, name: str) -> days.Given:
    if name not in document:
        return None
    value: Any = document[name]
    if not isinstance(value, str):
        raise FormatError(f"the member {name} is not a text", where=f"/{name}")
    try:
        return fields.parse_day(value, f"/{name}", name) if len(value) == len("2027-01-31") else timestamps.parse(value)
    except FormatError as error:
        raise FormatError(error.what, where=f"/{name}", hint=error.hint) from error


def license_of_options(
    family: str, given: str, profession: str, license_number: str, license_class: str, issued_on: str, valid_until: str, npi: str, jurisdiction: str
) -> PhysicianLicense:
    """A licence of the main fields; its last day is one of the board's jurisdiction.

    Raises ``UsageError`` naming the option that is missing, ``FormatError``.
    """
    needed = {"--family": family, "--given": given, "--license-number": license_number, "--issued-on": issued_on, "--valid-until": valid_until}
    missing = [option for option, value in needed.items() if not value]
    if missing:
        raise UsageError(f"the claims are incomplete: {', '.join(missing)} is missing", hint="Or give a FILE with the claims as JSON")
    until = days.last_moment(days.given(valid_until, "--valid-until"), "--valid-until", jurisdiction)
    first = session.day(issued_on, "--issued-on")
    make: Callable[..., PhysicianLicense] = PhysicianLicense
    return make(
        name=PersonName(family, given),
        profession=profession,
        license_number=license_number,
        original_issue_date=first,
        valid_until=until,
        license_class=license_class,
        npi=npi,
    )
