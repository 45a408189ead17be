"""The section ``[registry]`` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from did_health.errors import FormatError
from did_health.services import setting_values as values
from did_health.services.sections.members import AllowedHosts, RequestsPerMinute, TrustedProxies
from did_health.services.setting_values import Address
from did_health.services.settings import Setting
from did_health.trust.trqp.identifiers import identifier

DEFAULT_REGISTRY_ADDRESS: Final = Address("127.0.0.1", 8111)


def _framework(value: object, folder: Path) -> str:
    url = identifier(values.text(value, folder), "")
    if not url.startswith(("https://", "did:")):
        raise FormatError("the value is neither an HTTPS URL nor a DID", hint="Write it as https://registry.example/framework")
    return url


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """The section ``[registry]``: a trust registry (ToIP TRQP 2.0) for the registry authority of a trust policy, without any key."""

    governance_framework: Annotated[str, Setting(_framework, "the URL of the authority's governance framework, which TRQP wants to be found")]
    dir: Annotated[Path | None, Setting(values.path, "the directory with the ledger that is read; without it ledgers are asked over HTTPS")] = None
    policy: Annotated[Path | None, Setting(values.path, "the trust policy: which authority, which ledgers; by default the directory's own")] = None
    allow_hosts: AllowedHosts = ()
    listen: Annotated[Address, Setting(values.address, "where it listens, as 127.0.0.1:8111")] = DEFAULT_REGISTRY_ADDRESS
    tls_listen: Annotated[Address | None, Setting(values.address, "where it listens for HTTPS as well")] = None
    certificate: Annotated[Path | None, Setting(values.path, "the certificate chain for HTTPS (PEM); without one it makes a certificate for itself")] = None
    key: Annotated[Path | None, Setting(values.path, "the certificate's private key (PEM)")] = None
    prefix: Annotated[str, Setting(values.url_prefix, "the path below which it answers, as /registry")] = ""
    requests_per_minute: RequestsPerMinute = 600
    trusted_proxies: TrustedProxies = ()
