"""The sections that a configuration may have: a new service adds its own here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from did_health.services.sections.board import BoardSettings
from did_health.services.sections.ledger import LedgerSettings
from did_health.services.sections.mirror import MirrorSettings
from did_health.services.sections.monitor import MonitorSettings
from did_health.services.sections.registry import RegistrySettings
from did_health.services.sections.witness import WitnessSettings

SECTIONS: Final[Mapping[str, type[Any]]] = MappingProxyType({
    "ledger": LedgerSettings, "witness": WitnessSettings, "mirror": MirrorSettings, "monitor": MonitorSettings, "board": BoardSettings,
    "registry": RegistrySettings,
})
"""By its name in the file, the settings class of each section."""


def section_name(kind: type[object]) -> str:
    """The name of the section that a class in ``SECTIONS`` has the settings of."""
    return next(name for name, one in SECTIONS.items() if one is kind)
