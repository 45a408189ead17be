"""The section ``[board]`` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from did_health.services import setting_values as values
from did_health.services.sections.members import RequestsPerMinute, TrustedProxies
from did_health.services.setting_values import Address
from did_health.services.settings import Setting

DEFAULT_BOARD_DIRECTORY: Final = Path("did-health")
DEFAULT_BOARD_ADDRESS: Final = Address("127.0.0.1", 8110)


@dataclass(frozen=True, slots=True)
class BoardSettings:
    """The section ``[board]``: the public directory of one board, read from its register without any key."""

    name: Annotated[str, Setting(values.text, "the board's short name in the directory")]
    dir: Annotated[Path, Setting(values.path, "the directory with its register and its ledger")] = DEFAULT_BOARD_DIRECTORY
    policy: Annotated[Path | None, Setting(values.path, "the trust policy that evidence is gathered for; by default the directory's own")] = None
    listen: Annotated[Address, Setting(values.address, "where it listens, as 127.0.0.1:8110")] = DEFAULT_BOARD_ADDRESS
    prefix: Annotated[str, Setting(values.url_prefix, "the path below which it answers, as /nc-medical")] = ""
    requests_per_minute: RequestsPerMinute = 600
    trusted_proxies: TrustedProxies = ()
