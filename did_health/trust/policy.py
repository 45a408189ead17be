"""The trust policy: whom a verifier believes, and how old evidence may be. Trust is an argument; an empty policy refuses everything.

A policy is a TOML file::

    format = "did-health/trust-policy/v1"
    registry_authority = "did:webvh:…"          # whose registry records say who may issue what
    ledger = '''
    log <vkey> <url>
    witness w1 <vkey>
    …
    quorum q
    '''                                         # C2SP tlog-policy text

    [max_age_seconds]                           # per purpose: the oldest acceptable proof of what is the newest
    default = 86400
    prescriber = 3600
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from did_health.did.did import DID
from did_health.errors import FormatError
from did_health.limits import MAX_POLICY_BYTES
from did_health.tlog.witness_policy import WitnessPolicy

FORMAT: Final = "did-health/trust-policy/v1"
DEFAULT_PURPOSE: Final = "default"
DEFAULT_MAX_AGE: Final = timedelta(hours=24)
_MAX_SECONDS: Final = 10 * 366 * 86_400


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Which logs and witnesses are believed, which registry authority, and per purpose how old a proof may be.

    ``ledger`` is ``None`` and ``registry_authority`` empty in the policy that trusts nobody, which refuses everything.
    """

    ledger: WitnessPolicy | None = None
    registry_authority: str = ""
    max_age: Mapping[str, timedelta] = field(default_factory=lambda: _ages({}))

    @property
    def is_empty(self) -> bool:
        """Whether the policy trusts nobody."""
        return self.ledger is None or not self.registry_authority

    def max_age_for(self, purpose: str) -> timedelta:
        """The oldest acceptable evidence for ``purpose``, or the default's for a purpose that the policy does not name."""
        return self.max_age.get(purpose) or self.max_age.get(DEFAULT_PURPOSE, DEFAULT_MAX_AGE)

    @classmethod
    def parse(cls, text: str | bytes) -> TrustPolicy:
        """Read a policy file; raises ``FormatError`` saying which member is wrong."""
        try:
            text = text.decode() if isinstance(text, bytes) else text
            if len(text) > MAX_POLICY_BYTES:
                raise FormatError(f"the trust policy has more than {MAX_POLICY_BYTES} characters")
            document = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise FormatError("the trust policy is not TOML", hint="See docs/trust-policy.md for an example") from error
        if document.get("format") != FORMAT:
            raise FormatError("the file is not a did-health trust policy", where="format", hint=f'It starts with: format = "{FORMAT}"')
        unknown = document.keys() - {"format", "registry_authority", "ledger", "max_age_seconds"}
        if unknown:
            raise FormatError("the trust policy has a member that means nothing", where=min(unknown))
        return cls(_ledger(document.get("ledger")), _authority(document.get("registry_authority")), _ages(document.get("max_age_seconds", {})))

    def encode(self) -> str:
        """The policy file that ``parse`` reads; raises ``ValueError`` for the empty policy, which nobody needs to write down."""
        if self.ledger is None or not self.registry_authority:
            raise ValueError("an empty policy has no file")
        ages = "".join(f"{purpose} = {int(age.total_seconds())}\n" for purpose, age in self.max_age.items())
        return (
            f'format = "{FORMAT}"\nregistry_authority = "{self.registry_authority}"\n'
            f"ledger = '''\n{self.ledger.encode()}'''\n\n[max_age_seconds]\n{ages}"
        )


def _ledger(text: object) -> WitnessPolicy | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise FormatError("the ledger policy is not a text", where="ledger")
    return WitnessPolicy.parse(text)


def _authority(text: object) -> str:
    if text is None:
        return ""
    if not isinstance(text, str):
        raise FormatError("the registry authority is not a text", where="registry_authority")
    return str(DID.parse(text))


def _ages(table: object) -> Mapping[str, timedelta]:
    if not isinstance(table, dict):
        raise FormatError("the ages are not a table", where="max_age_seconds")
    ages = {DEFAULT_PURPOSE: DEFAULT_MAX_AGE}
    for purpose, seconds in table.items():
        if type(seconds) is not int or not 0 < seconds <= _MAX_SECONDS:
            raise FormatError("an age is not a number of seconds from 1 to ten years", where=f"max_age_seconds.{purpose}")
        if not purpose.isidentifier():
            raise FormatError("a purpose is a word", where=f"max_age_seconds.{purpose}")
        ages[purpose] = timedelta(seconds=seconds)
    return MappingProxyType(ages)
