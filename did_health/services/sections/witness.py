"""The section ``[witness]`` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from did_health.limits import MAX_FOLLOWED_LOGS
from did_health.services import setting_values as values
from did_health.services.sections.members import DEFAULT_REQUESTS_PER_MINUTE, KeyFile, PassphraseFile, RequestsPerMinute, TrustedProxies, key_name, log_key
from did_health.services.setting_values import Address
from did_health.services.settings import Setting
from did_health.tlog.note import VerifierKey

DEFAULT_WITNESS_ADDRESS: Final = Address("127.0.0.1", 8101)


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """The section ``[witness]``: a C2SP witness with its own key and memory."""

    name: Annotated[str, Setting(key_name, "the witness's key name, such as its host")]
    dir: Annotated[Path, Setting(values.path, "the folder of its key and memory")]
    logs: Annotated[
        tuple[VerifierKey, ...], Setting(values.several(log_key, most=MAX_FOLLOWED_LOGS), "the verifier keys of the logs that it follows")
    ] = ()
    listen: Annotated[Address, Setting(values.address, "where it listens, as 127.0.0.1:8101")] = DEFAULT_WITNESS_ADDRESS
    prefix: Annotated[str, Setting(values.url_prefix, "the path below which it answers, as /witness")] = ""
    key: KeyFile = None
    passphrase_file: PassphraseFile = None
    requests_per_minute: RequestsPerMinute = DEFAULT_REQUESTS_PER_MINUTE
    trusted_proxies: TrustedProxies = ()
