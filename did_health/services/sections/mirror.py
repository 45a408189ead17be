"""The section ``[mirror]`` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from did_health.errors import FormatError
from did_health.limits import MAX_FOLLOWED_LOGS
from did_health.services import setting_values as values
from did_health.services.sections.members import (
    DEFAULT_REQUESTS_PER_MINUTE,
    AllowedHosts,
    KeyFile,
    PassphraseFile,
    RequestsPerMinute,
    TrustedProxies,
    key_name,
    log_key,
    public_url,
)
from did_health.services.setting_values import Address
from did_health.services.settings import Setting
from did_health.tlog.note import VerifierKey

DEFAULT_MIRROR_ADDRESS: Final = Address("127.0.0.1", 8102)


@dataclass(frozen=True, slots=True)
class LogPlace:
    """A log that a mirror follows: its verifier key, and the URL under which verifiers find it. As text it is ``<vkey>@<url>``."""

    key: VerifierKey
    url: str

    def __str__(self) -> str:
        return f"{self.key}@{self.url}"


def _log_place(value: object, folder: Path) -> LogPlace:
    vkey, separator, url = values.text(value, folder).rpartition("@")
    if not separator:
        raise FormatError("the value is not <verifier key>@<URL>", hint="Write it as ledger.example+0f3c2a91+AZ…@https://ledger.example")
    return LogPlace(log_key(vkey, folder), public_url(url, folder))


@dataclass(frozen=True, slots=True)
class MirrorSettings:
    """The section ``[mirror]``: a verified copy of one log or several, and a cosigner that vouches for their maps."""

    name: Annotated[str, Setting(key_name, "the mirror's key name, such as its host")]
    dir: Annotated[Path, Setting(values.path, "the folder of its key, its memory and the copies")]
    logs: Annotated[
        tuple[LogPlace, ...], Setting(values.several(_log_place, most=MAX_FOLLOWED_LOGS), "several logs to follow, each <verifier key>@<URL>")
    ] = ()
    log: Annotated[VerifierKey | None, Setting(log_key, "the verifier key of the one log that it follows, unless there are several")] = None
    url: Annotated[str | None, Setting(public_url, "the URL under which verifiers find that one log")] = None
    source: Annotated[str | None, Setting(public_url, "where that one log is read; by default at its URL")] = None
    allow_hosts: AllowedHosts = ()
    listen: Annotated[Address, Setting(values.address, "where it listens, as 127.0.0.1:8102")] = DEFAULT_MIRROR_ADDRESS
    poll_seconds: Annotated[int, Setting(values.whole_number(1, 86_400), "how often it asks the log for a new checkpoint")] = 2
    key: KeyFile = None
    passphrase_file: PassphraseFile = None
    requests_per_minute: RequestsPerMinute = DEFAULT_REQUESTS_PER_MINUTE
    trusted_proxies: TrustedProxies = ()
