"""The settings of the service that a command runs: its section of the configuration, and over it what the command line says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import typer

T = TypeVar("T")

ConfigOption: TypeAlias = Annotated[
    Path | None, typer.Option("--config", envvar="DID_HEALTH_CONFIG", help="The services' configuration (TOML); options win over it.")
]


def configured(config: Path | None, kind: type[T], /, **options: object) -> T:
    """The settings of a class in ``services.sections.table``; ``options`` by the member's name, of which those that were not given are left out.

    Raises ``StoreError`` for a file that cannot be read, ``FormatError`` for what is in it or in the options.
    """
    from did_health.services.config import load
    from did_health.services.sections.table import section_name

    given = {member: _plain(value) for member, value in options.items() if value}
    return load(config, options={section_name(kind): given}).section(kind)


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [str(one) for one in value]
    return str(value) if isinstance(value, Path) else value
