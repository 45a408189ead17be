"""How the value of a setting is read: from TOML, or from the text of a variable or an option."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from did_health.errors import FormatError
from did_health.limits import MAX_SETTING_CHARACTERS

SET: Final = "(set)"
"""What is shown in place of a secret."""

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
