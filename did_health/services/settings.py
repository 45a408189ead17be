"""Settings of services: frozen dataclasses whose fields say how their value is read, from a TOML table and from variables.

A field's type is ``Annotated[type, Setting(parser, help)]``. In a file it stands under its own name in the section's table, as a variable
it is ``DID_HEALTH_<SECTION>_<FIELD>``, which wins, and a command may have an option of its name, which wins over both. Values of all
spellings go through one parser, and every error names the member.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar, get_type_hints

from did_health.errors import FormatError
from did_health.services.setting_values import Parser

PREFIX: Final = "DID_HEALTH_"
_PLURALS: Final = (("ies", "y"), ("sses", "ss"), ("s", ""))
NO_OPTIONS: Final = MappingProxyType[str, object]({})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shown:
    """One member of an effective configuration, as it may be printed; ``source`` is ``default``, ``file``, or a variable's or option's name."""

    name: str
    value: str | int | bool | tuple[str, ...] | None
    source: str


@dataclass(frozen=True, slots=True)
class Setting:
    """How a member is read, and what it means, in a few words. A field without a default must be given."""

    parse: Parser
    help: str


def read_settings(
    kind: type[T], section: str, table: Mapping[str, object], variables: Mapping[str, str], *, folder: Path, options: Mapping[str, object] = NO_OPTIONS
) -> tuple[T, dict[str, str]]:
    """The settings of class ``kind`` and where each value that is no default came from.

    ``table`` is the section of the file in ``folder``; ``variables`` are those of the process; ``options`` hold by member what a command
    line says. Raises ``FormatError`` that names the member, the variable or the option, for values, for what means nothing, and for what
    is missing.
    """
    hints = get_type_hints(kind, include_extras=True)
    known: dict[str, Setting] = {one.name: hints[one.name].__metadata__[0] for one in fields(kind)}  # type: ignore[arg-type]  # it is a dataclass
    needed = {one.name for one in fields(kind) if one.default is MISSING}  # type: ignore[arg-type]
    prefix = f"{PREFIX}{section.upper()}_"
    for name in table.keys() - known.keys():
        raise FormatError("the member means nothing", where=f"{section}.{name}", hint=f"There are: {', '.join(known)}")
    named = {f"{prefix}{name.upper()}": name for name in known}
    for variable in sorted(variable for variable in variables if variable.startswith(prefix) and variable not in named):
        raise FormatError("the variable means nothing", where=variable, hint=f"There are: {', '.join(named)}")
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for variable, name in named.items():
        option = _option(name, repeated=isinstance(options.get(name), list))
        if name in options:
            value, base, where, source = options[name], Path(), option, option
        elif variable in variables:
            value, base, where, source = variables[variable], Path(), variable, variable
        elif name in table:
            value, base, where, source = table[name], folder, f"{section}.{name}", "file"
        elif name in needed:
            hint = f"Give it in the file, as {variable}, or as {option} where there is such an option: {known[name].help}"
            raise FormatError("the member is missing", where=f"{section}.{name}", hint=hint)
        else:
            continue
        try:
            values[name] = known[name].parse(value, base)
        except FormatError as error:
            raise FormatError(error.what, where=where, hint=error.hint or f"It is {known[name].help}") from error
        sources[name] = source
    return kind(**values), sources


def _option(name: str, *, repeated: bool) -> str:
    """The option of a member. One that is repeated is of one value, while the member is named for all of them."""
    if repeated:
        many, one = next(ending for ending in _PLURALS if name.endswith(ending[0]))
        name = name.removesuffix(many) + one
    return f"--{name.replace('_', '-')}"


def shown_settings(settings: object, sources: Mapping[str, str]) -> tuple[Shown, ...]:
    """Every member of a settings object, as it may be printed."""
    return tuple(Shown(one.name, _shown(getattr(settings, one.name)), sources.get(one.name, "default")) for one in fields(settings))  # type: ignore[arg-type]


def _shown(value: object) -> str | int | bool | tuple[str, ...] | None:
    if isinstance(value, tuple):
        return tuple(str(one) for one in value)
    return value if value is None or isinstance(value, int) else str(value)
