"""The configuration of services: one TOML file, or ``DID_HEALTH_<SECTION>_<MEMBER>`` variables, which win over the file.

::

    format = "did-health/services/v1"

    [witness]
    name = "w1.example"
    listen = "127.0.0.1:8101"
    dir = "witness"                 # below this file's folder
    logs = ["ledger.example+…"]

``services.sections`` has the settings class of each section. Secrets stand in variables or in files that a member names.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

from did_health.errors import DidHealthError, FormatError, StoreError
from did_health.limits import MAX_CONFIG_BYTES
from did_health.services import settings
from did_health.services.sections.ledger import LedgerSettings
from did_health.services.sections.mirror import MirrorSettings
from did_health.services.sections.monitor import MonitorSettings
from did_health.services.sections.table import SECTIONS, section_name
from did_health.services.sections.witness import WitnessSettings
from did_health.services.settings import Shown, read_settings, shown_settings
from did_health.stores import files

T = TypeVar("T")
FORMAT: Final = "did-health/services/v1"
FILE_VARIABLE: Final = "DID_HEALTH_CONFIG"

Options: TypeAlias = Mapping[str, Mapping[str, object]]
"""By section and member what a command line says; it wins over file and variables."""
NO_SECTIONS: Final[Options] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Config:
    """What is configured: by section its settings, and by section and member where a value came from."""

    sections: Mapping[str, Any]
    sources: Mapping[str, Mapping[str, str]]

    @property
    def witness(self) -> WitnessSettings:
        """The section ``[witness]``. Raises ``FormatError`` if there is none."""
        return self.section(WitnessSettings)

    @property
    def ledger(self) -> LedgerSettings:
        """The section ``[ledger]``. Raises ``FormatError`` if there is none."""
        return self.section(LedgerSettings)

    @property
    def mirror(self) -> MirrorSettings:
        """The section ``[mirror]``. Raises ``FormatError`` if there is none."""
        return self.section(MirrorSettings)

    @property
    def monitor(self) -> MonitorSettings:
        """The section ``[monitor]``. Raises ``FormatError`` if there is none."""
        return self.section(MonitorSettings)

    def section(self, kind: type[T]) -> T:
        """The settings of a class in ``SECTIONS``. Raises ``FormatError`` if the section is not there."""
        name = section_name(kind)
        if name not in self.sections:
            hint = f"Add [{name}] to the file, or set variables that begin with {settings.PREFIX}{name.upper()}_"
            raise FormatError("the service is not configured", where=name, hint=hint)
        found: T = self.sections[name]
        return found

    def shown(self) -> dict[str, tuple[Shown, ...]]:
        """The effective configuration, without secrets."""
        return {name: shown_settings(section, self.sources[name]) for name, section in self.sections.items()}

    @classmethod
    def parse(cls, data: bytes, variables: Mapping[str, str], *, folder: Path, options: Options = NO_SECTIONS) -> Config:
        """Read the bytes of a file in ``folder``, the variables, and by section what a command line says. Raises ``FormatError`` that names the member."""
        document = _document(data)
        for name in document.keys() - {"format", *SECTIONS}:
            raise FormatError("there is no such section", where=name, hint=f"There are: {', '.join(SECTIONS)}")
        sections: dict[str, Any] = {}
        sources: dict[str, Mapping[str, str]] = {}
        for name, kind in SECTIONS.items():
            table = document.get(name, {})
            if not isinstance(table, dict):
                raise FormatError("the section is not a table", where=name)
            given = options.get(name, settings.NO_OPTIONS)
            if name in document or given or any(variable.startswith(f"{settings.PREFIX}{name.upper()}_") for variable in variables):
                sections[name], sources[name] = read_settings(kind, name, table, variables, folder=folder, options=given)
        return cls(MappingProxyType(sections), MappingProxyType(sources))


def load(file: Path | None = None, variables: Mapping[str, str] | None = None, *, options: Options = NO_SECTIONS) -> Config:
    """The configuration in ``file`` (by default the one that ``DID_HEALTH_CONFIG`` names, if any), the process's variables and ``options``.

    Raises ``StoreError`` for a file that is missing or cannot be read, ``FormatError`` for what is in it.
    """
    variables = os.environ if variables is None else variables
    file = file or (Path(variables[FILE_VARIABLE]) if variables.get(FILE_VARIABLE) else None)
    if file is None:
        return Config.parse(b"", variables, folder=Path(), options=options)
    data = files.read(file, max_bytes=MAX_CONFIG_BYTES)
    if data is None:
        raise StoreError("there is no such configuration file", where=str(file), hint="Check the path", code="store_missing")
    try:
        return Config.parse(data, variables, folder=file.parent, options=options)
    except DidHealthError as error:
        if not error.where.startswith((settings.PREFIX, "--")):
            error.where = f"{file} {error.where}".rstrip()
        raise


def _document(data: bytes) -> dict[str, Any]:
    if not data:
        return {}
    if len(data) > MAX_CONFIG_BYTES:
        raise FormatError(f"the configuration has more than {MAX_CONFIG_BYTES} bytes")
    try:
        document = tomllib.loads(data.decode())
    # int() of a number with thousands of digits raises ValueError, and so do both others.
    except (ValueError, RecursionError) as error:
        # The parser's words may quote the line, in which there may be a secret.
        raise FormatError("the configuration is not TOML", hint="See docs/cli.md for an example") from error
    if document.get("format") != FORMAT:
        raise FormatError("the file is not a configuration of did-health's services", where="format", hint=f'It starts with: format = "{FORMAT}"')
    return document
