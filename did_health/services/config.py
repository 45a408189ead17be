"""The configuration of services: one TOML file, or ``DID_HEALTH_<SECTION>_<MEMBER>`` variables, which win over the file.

::

    format = "did-health/services/v1"

    [witness]
    name = "w1.example"
    listen = "127.0.0.1:8101"
    dir = "witness"                 # below this file's folder
    logs = ["ledger.example+…"]

``SECTIONS`` names the settings class of each section. Secrets stand in variables or in files that a member names.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from did_health.errors import DidHealthError, FormatError, StoreError, UnsupportedError
from did_health.ledger.monitor import named_subject, own_author, subjects_of_did
from did_health.limits import MAX_CONFIG_BYTES, MAX_FOLLOWED_LOGS, MAX_REQUESTS_PER_MINUTE, MAX_WATCHED
from did_health.services import settings
from did_health.services.settings import Address, Secret, Setting, Shown, read_settings, shown_settings
from did_health.stores import files
from did_health.tlog.note import SignatureType, VerifierKey, check_key_name

T = TypeVar("T")
FORMAT: Final = "did-health/services/v1"
FILE_VARIABLE: Final = "DID_HEALTH_CONFIG"
DEFAULT_REQUESTS_PER_MINUTE: Final = 6_000
"""A log asks about three times for each of its checkpoints, and several logs may have one address."""

Options: TypeAlias = Mapping[str, Mapping[str, object]]
"""By section and member what a command line says; it wins over file and variables."""
NO_SECTIONS: Final[Options] = MappingProxyType({})


def _key_name(value: object, folder: Path) -> str:
    name = settings.text(value, folder)
    check_key_name(name)
    return name


def _log_key(value: object, folder: Path) -> VerifierKey:
    try:
        key = VerifierKey.parse(settings.text(value, folder))
    except UnsupportedError as error:
        raise FormatError(error.what) from error
    if key.type is not SignatureType.ED25519:
        raise FormatError("a log signs with Ed25519 (type 0x01), and this is the key of a cosigner")
    return key


DEFAULT_WITNESS_ADDRESS: Final = Address("127.0.0.1", 8101)


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """The section ``[witness]``: a C2SP witness with its own key and memory."""

    name: Annotated[str, Setting(_key_name, "the witness's key name, such as its host")]
    dir: Annotated[Path, Setting(settings.path, "the folder of its key and memory")]
    logs: Annotated[
        tuple[VerifierKey, ...], Setting(settings.several(_log_key, most=MAX_FOLLOWED_LOGS), "the verifier keys of the logs that it follows")
    ] = ()
    listen: Annotated[Address, Setting(settings.address, "where it listens, as 127.0.0.1:8101")] = DEFAULT_WITNESS_ADDRESS
    prefix: Annotated[str, Setting(settings.url_prefix, "the path below which it answers, as /witness")] = ""
    key: Annotated[Path | None, Setting(settings.path, "its sealed key; by default witness.key in its folder")] = None
    passphrase_file: Annotated[Path | None, Setting(settings.path, "the file whose first line is the passphrase of its key")] = None
    requests_per_minute: Annotated[
        int, Setting(settings.whole_number(1, MAX_REQUESTS_PER_MINUTE), "how many requests a minute one client address may make")
    ] = DEFAULT_REQUESTS_PER_MINUTE
    trusted_proxies: Annotated[
        tuple[str, ...], Setting(settings.several(settings.text, most=64), "addresses of proxies whose X-Forwarded-For is believed")
    ] = ()


@dataclass(frozen=True, slots=True)
class WitnessPlace:
    """A witness that a ledger asks: its verifier key, and its submission prefix. As text it is ``<vkey>@<url>``."""

    key: VerifierKey
    url: str

    def __str__(self) -> str:
        return f"{self.key}@{self.url}"


def _witness_place(value: object, folder: Path) -> WitnessPlace:
    vkey, separator, url = settings.text(value, folder).rpartition("@")
    if not separator or not url.startswith(("https://", "http://")):
        raise FormatError("the value is not <verifier key>@<URL>", hint="Write it as w1.example+0f3c2a91+BA…@https://w1.example")
    try:
        key = VerifierKey.parse(vkey)
    except UnsupportedError as error:
        raise FormatError(error.what) from error
    if key.type is not SignatureType.COSIGNATURE:
        raise FormatError("a witness cosigns with Ed25519 (type 0x04), and this is another kind of key")
    return WitnessPlace(key, url.rstrip("/"))


def _public_url(value: object, folder: Path) -> str:
    url = settings.text(value, folder).rstrip("/")
    scheme, _, place = url.partition("://")
    host, slash, path = place.partition("/")
    if scheme not in ("https", "http") or not host or "@" in host or any(c in place for c in "?# "):
        raise FormatError("the value is not a URL of a host", hint="Write it as https://ledger.example or https://host.example/ledger")
    settings.url_prefix(slash + path, folder)
    return url


DEFAULT_LEDGER_ADDRESS: Final = Address("127.0.0.1", 8100)


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """The section ``[ledger]``: a log with its map, and what it hosts."""

    dir: Annotated[Path, Setting(settings.path, "the folder of its keys and files, and of its database unless that is elsewhere")]
    name: Annotated[str | None, Setting(_key_name, "the log's name (origin), such as its host; needed to make one")] = None
    url: Annotated[str | None, Setting(_public_url, "the URL under which verifiers find it; needed to make one")] = None
    database: Annotated[Secret | None, Setting(settings.secret, "the URL of its PostgreSQL database; by default SQLite in its folder")] = None
    witnesses: Annotated[
        tuple[WitnessPlace, ...], Setting(settings.several(_witness_place, most=64), "its witnesses, each <verifier key>@<URL>; without any it brings four")
    ] = ()
    quorum: Annotated[
        int | None, Setting(settings.whole_number(1, 64), "how many witnesses must cosign; by default so many that two quorums share an honest one")
    ] = None
    mirrors: Annotated[
        tuple[WitnessPlace, ...], Setting(settings.several(_witness_place, most=64), "mirrors that must vouch for its map, each <verifier key>@<URL>")
    ] = ()
    mirror_quorum: Annotated[
        int | None, Setting(settings.whole_number(1, 64), "how many mirrors must cosign, by default all but one (of one, that one)")
    ] = None
    registry_authorities: Annotated[
        tuple[str, ...], Setting(settings.several(settings.text, most=64), "DIDs whose registry records it takes from now on")
    ] = ()
    allow_hosts: Annotated[
        tuple[str, ...], Setting(settings.several(settings.text, most=64), "hosts of witnesses and mirrors that may be at a private address or without TLS")
    ] = ()
    listen: Annotated[Address, Setting(settings.address, "where it listens, as 127.0.0.1:8100")] = DEFAULT_LEDGER_ADDRESS
    read_only: Annotated[bool, Setting(settings.yes_or_no, "whether it only reads what another process writes, without any key")] = False
    heartbeat_seconds: Annotated[int, Setting(settings.whole_number(1, 86_400), "after how many quiet seconds its checkpoint is cosigned anew")] = 60
    passphrase_file: Annotated[Path | None, Setting(settings.path, "the file whose first line is the passphrase of its keys")] = None
    requests_per_minute: Annotated[
        int, Setting(settings.whole_number(1, MAX_REQUESTS_PER_MINUTE), "how many requests a minute one client address may make")
    ] = DEFAULT_REQUESTS_PER_MINUTE
    trusted_proxies: Annotated[
        tuple[str, ...], Setting(settings.several(settings.text, most=64), "addresses of proxies whose X-Forwarded-For is believed")
    ] = ()


@dataclass(frozen=True, slots=True)
class LogPlace:
    """A log that a mirror follows: its verifier key, and the URL under which verifiers find it. As text it is ``<vkey>@<url>``."""

    key: VerifierKey
    url: str

    def __str__(self) -> str:
        return f"{self.key}@{self.url}"


def _log_place(value: object, folder: Path) -> LogPlace:
    vkey, separator, url = settings.text(value, folder).rpartition("@")
    if not separator:
        raise FormatError("the value is not <verifier key>@<URL>", hint="Write it as ledger.example+0f3c2a91+AZ…@https://ledger.example")
    return LogPlace(_log_key(vkey, folder), _public_url(url, folder))


DEFAULT_MIRROR_ADDRESS: Final = Address("127.0.0.1", 8102)


@dataclass(frozen=True, slots=True)
class MirrorSettings:
    """The section ``[mirror]``: a verified copy of one log or several, and a cosigner that vouches for their maps."""

    name: Annotated[str, Setting(_key_name, "the mirror's key name, such as its host")]
    dir: Annotated[Path, Setting(settings.path, "the folder of its key, its memory and the copies")]
    logs: Annotated[
        tuple[LogPlace, ...], Setting(settings.several(_log_place, most=MAX_FOLLOWED_LOGS), "several logs to follow, each <verifier key>@<URL>")
    ] = ()
    log: Annotated[VerifierKey | None, Setting(_log_key, "the verifier key of the one log that it follows, unless there are several")] = None
    url: Annotated[str | None, Setting(_public_url, "the URL under which verifiers find that one log")] = None
    source: Annotated[str | None, Setting(_public_url, "where that one log is read; by default at its URL")] = None
    allow_hosts: Annotated[
        tuple[str, ...], Setting(settings.several(settings.text, most=64), "hosts that may be at a private address or without TLS")
    ] = ()
    listen: Annotated[Address, Setting(settings.address, "where it listens, as 127.0.0.1:8102")] = DEFAULT_MIRROR_ADDRESS
    poll_seconds: Annotated[int, Setting(settings.whole_number(1, 86_400), "how often it asks the log for a new checkpoint")] = 2
    key: Annotated[Path | None, Setting(settings.path, "its sealed key; by default witness.key in its folder")] = None
    passphrase_file: Annotated[Path | None, Setting(settings.path, "the file whose first line is the passphrase of its key")] = None
    requests_per_minute: Annotated[
        int, Setting(settings.whole_number(1, MAX_REQUESTS_PER_MINUTE), "how many requests a minute one client address may make")
    ] = DEFAULT_REQUESTS_PER_MINUTE
    trusted_proxies: Annotated[
        tuple[str, ...], Setting(settings.several(settings.text, most=64), "addresses of proxies whose X-Forwarded-For is believed")
    ] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A URL below which a copy of the log ``origin`` is read; of the only log that is followed, if that is ``None``. As text ``<origin>@<url>``."""

    origin: str | None
    url: str

    def __str__(self) -> str:
        return f"{self.origin}@{self.url}" if self.origin else self.url


def _place(value: object, folder: Path) -> Place:
    origin, separator, url = settings.text(value, folder).rpartition("@")
    return Place(_key_name(origin, folder) if separator else None, _public_url(url, folder))


def _watched(value: object, folder: Path) -> str:
    text = settings.text(value, folder)
    named_subject(text)
    return text


def _did(value: object, folder: Path) -> str:
    did = settings.text(value, folder)
    subjects_of_did(did)
    return did


def _author(value: object, folder: Path) -> str:
    text = settings.text(value, folder)
    own_author(text)
    return text


_MOST_SECONDS: Final = 366 * 86_400


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """The section ``[monitor]``: which logs are followed, what is watched on them, and who hears of it."""

    dir: Annotated[Path, Setting(settings.path, "the folder of its copies and of what it remembers")]
    policies: Annotated[
        tuple[Path, ...], Setting(settings.several(settings.path, most=64), "policy files (trust policy, or C2SP tlog-policy text): logs with their URLs")
    ] = ()
    mirrors: Annotated[
        tuple[Place, ...], Setting(settings.several(_place, most=256), "mirrors to compare with, each <URL>, or <origin>@<URL> where several logs are followed")
    ] = ()
    dids: Annotated[
        tuple[str, ...], Setting(settings.several(_did, most=MAX_WATCHED), "did:webvh DIDs whose log, batches and status lists are watched")
    ] = ()
    lists: Annotated[tuple[str, ...], Setting(settings.several(settings.text, most=MAX_WATCHED), "URLs of other status lists that are watched")] = ()
    subjects: Annotated[
        tuple[str, ...], Setting(settings.listed(_watched, most=MAX_WATCHED), "others: 64 hexadecimal digits, or KIND IDENTIFIER; in a variable by lines")
    ] = ()
    authors: Annotated[
        tuple[str, ...], Setting(settings.several(_author, most=MAX_WATCHED), "who writes for you: multikeys, or verification methods (=<multikey> if need be)")
    ] = ()
    known: Annotated[Path | None, Setting(settings.path, "a file with the SHA-256 of every entry or document that you wrote, one a line")] = None
    allow_hosts: Annotated[
        tuple[str, ...], Setting(settings.several(settings.text, most=64), "hosts that may be at a private address or without TLS")
    ] = ()
    interval_seconds: Annotated[int, Setting(settings.whole_number(1, 86_400), "how long it waits between two looks")] = 60
    head_seconds: Annotated[int, Setting(settings.whole_number(1, _MOST_SECONDS), "how old the newest witnessed head may be")] = 3_600
    witness_seconds: Annotated[int, Setting(settings.whole_number(1, _MOST_SECONDS), "how long a witness may be silent")] = 3_600
    ahead_seconds: Annotated[int, Setting(settings.whole_number(1, _MOST_SECONDS), "how long a log may show less than others have of it")] = 300
    webhook: Annotated[Secret | None, Setting(settings.secret, "the URL that every notice is posted to")] = None


DEFAULT_BOARD_ADDRESS: Final = Address("127.0.0.1", 8110)


@dataclass(frozen=True, slots=True)
class BoardSettings:
    """The section ``[board]``: the public directory of one board, read from its register without any key."""

    dir: Annotated[Path, Setting(settings.path, "the directory with its register and its ledger")]
    name: Annotated[str, Setting(settings.text, "the board's short name in that directory")]
    policy: Annotated[Path | None, Setting(settings.path, "the trust policy that evidence is gathered for; by default the directory's own")] = None
    listen: Annotated[Address, Setting(settings.address, "where it listens, as 127.0.0.1:8110")] = DEFAULT_BOARD_ADDRESS
    prefix: Annotated[str, Setting(settings.url_prefix, "the path below which it answers, as /nc-medical")] = ""
    requests_per_minute: Annotated[
        int, Setting(settings.whole_number(1, MAX_REQUESTS_PER_MINUTE), "how many requests a minute one client address may make")
    ] = 600
    trusted_proxies: Annotated[
        tuple[str, ...], Setting(settings.several(settings.text, most=64), "addresses of proxies whose X-Forwarded-For is believed")
    ] = ()


SECTIONS: Final[Mapping[str, type[Any]]] = MappingProxyType({
    "ledger": LedgerSettings, "witness": WitnessSettings, "mirror": MirrorSettings, "monitor": MonitorSettings, "board": BoardSettings,
})
"""The settings class of each section of the file: a new service adds its own here."""


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
        name = next(name for name, one in SECTIONS.items() if one is kind)
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
