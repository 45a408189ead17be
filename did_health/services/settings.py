"""Settings of services: frozen dataclasses whose fields say how their value is read, from a TOML table and from variables.

A field's type is ``Annotated[type, Setting(parser, help)]``. In a file it stands under its own name in the section's table, as a variable
it is ``DID_HEALTH_<SECTION>_<FIELD>``, which wins, and a command may have an option of its name, which wins over both. Values of all
spellings go through one parser, and every error names the member.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar, get_type_hints

from did_health.errors import FormatError
from did_health.limits import MAX_SETTING_CHARACTERS

PREFIX: Final = "DID_HEALTH_"
_PLURALS: Final = (("ies", "y"), ("sses", "ss"), ("s", ""))
SET: Final = "(set)"
"""What is shown in place of a secret."""
NO_OPTIONS: Final = MappingProxyType[str, object]({})

T = TypeVar("T")
Parser: TypeAlias = Callable[[object, Path], Any]
"""Reads one value (from TOML, or the text of a variable); relative paths are below the ``Path``. Raises ``FormatError`` without a place."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens: an IP address or host name, and a port (0: any that is free)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that no ``repr``, log or ``config show`` prints; ``reveal`` gives it."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __str__(self) -> str:
        return SET


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


# ---- parsers


def text(value: object, _folder: Path) -> str:
    """A line of text that is not empty."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_SETTING_CHARACTERS or any(character < " " for character in value):
        raise FormatError("the value is not a line of text")
    return value


def path(value: object, folder: Path) -> Path:
    """A file or folder; a relative one of a configuration file is below that file's folder."""
    return folder / text(value, folder)


def secret(value: object, folder: Path) -> Secret:
    """A text that is never shown."""
    return Secret(text(value, folder))


def yes_or_no(value: object, _folder: Path) -> bool:
    """``true`` or ``false``; as text in a variable."""
    known = {"true": True, "false": False}
    found = known.get(value) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise FormatError("the value is neither true nor false")
    return found


def whole_number(least: int, most: int) -> Parser:
    """A whole number within these bounds; in a variable in decimal digits."""

    def parse(value: object, _folder: Path) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(most)):
            value = int(value)
        if type(value) is not int or not least <= value <= most:
            raise FormatError(f"the value is not a whole number from {least} to {most}")
        return value

    return parse


def address(value: object, folder: Path) -> Address:
    """``host:port``, with an IPv6 address in brackets."""
    host, colon, port = text(value, folder).rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    digits = port.isascii() and port.isdigit() and len(port) <= 5
    if not colon or not host or not digits or int(port) > 65_535 or (":" in host) != bracketed or any(c.isspace() or c in "/[]@" for c in host):
        raise FormatError("the value is not host:port", hint="Write it as 127.0.0.1:8080 or [::1]:8080")
    return Address(host, int(port))


def url_prefix(value: object, folder: Path) -> str:
    """The path below which a service answers: empty, or ``/name`` (several may follow each other)."""
    if value == "":
        return ""
    prefix = text(value, folder)
    segments = prefix.split("/")[1:]
    plain = all(segment and segment.isascii() and segment.replace("-", "").replace("_", "").replace(".", "").isalnum() for segment in segments)
    if not prefix.startswith("/") or not plain:
        raise FormatError("the value is not a path prefix", hint="Write it as /witness, without a slash at its end, or leave it out")
    return prefix


def several(parse: Parser, *, most: int) -> Parser:
    """A list of values; in a variable they are separated by blanks."""
    return _list(parse, str.split, most)


def listed(parse: Parser, *, most: int) -> Parser:
    """A list of values that may hold blanks; in a variable each is on a line of its own."""
    return _list(parse, lambda text: [line.strip() for line in text.splitlines() if line.strip()], most)


def _list(parse: Parser, split: Callable[[str], list[str]], most: int) -> Parser:
    def parse_all(value: object, folder: Path) -> tuple[Any, ...]:
        items = split(value) if isinstance(value, str) else value
        if not isinstance(items, list) or len(items) > most:
            raise FormatError(f"the value is not a list of at most {most}")
        return tuple([parse(item, folder) for item in items])

    return parse_all
