"""The section ``[ledger]`` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from did_health.errors import FormatError, UnsupportedError
from did_health.services import setting_values as values
from did_health.services.sections.members import DEFAULT_REQUESTS_PER_MINUTE, RequestsPerMinute, TrustedProxies, key_name, public_url
from did_health.services.setting_values import Address, Secret
from did_health.services.settings import Setting
from did_health.tlog.note import SignatureType, VerifierKey

DEFAULT_LEDGER_ADDRESS: Final = Address("127.0.0.1", 8100)


@dataclass(frozen=True, slots=True)
class WitnessPlace:
    """A witness that a ledger asks: its verifier key, and its submission prefix. As text it is ``<vkey>@<url>``."""

    key: VerifierKey
    url: str

    def __str__(self) -> str:
        return f"{self.key}@{self.url}"


def _witness_place(value: object, folder: Path) -> WitnessPlace:
    vkey, separator, url = values.text(value, folder).rpartition("@")
    if not separator or not url.startswith(("https://", "http://")):
        raise FormatError("the value is not <verifier key>@<URL>", hint="Write it as w1.example+0f3c2a91+BA…@https://w1.example")
    try:
        key = VerifierKey.parse(vkey)
    except UnsupportedError as error:
        raise FormatError(error.what) from error
    if key.type is not SignatureType.COSIGNATURE:
        raise FormatError("a witness cosigns with Ed25519 (type 0x04), and this is another kind of key")
    return WitnessPlace(key, url.rstrip("/"))


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """The section ``[ledger]``: a log with its map, and what it hosts."""

    dir: Annotated[Path, Setting(values.path, "the folder of its keys and files, and of its database unless that is elsewhere")]
    name: Annotated[str | None, Setting(key_name, "the log's name (origin), such as its host; needed to make one")] = None
    url: Annotated[str | None, Setting(public_url, "the URL under which verifiers find it; needed to make one")] = None
    database: Annotated[Secret | None, Setting(values.secret, "the URL of its PostgreSQL database; by default SQLite in its folder")] = None
    witnesses: Annotated[
        tuple[WitnessPlace, ...], Setting(values.several(_witness_place, most=64), "its witnesses, each <verifier key>@<URL>; without any it brings four")
    ] = ()
    quorum: Annotated[
        int | None, Setting(values.whole_number(1, 64), "how many witnesses must cosign; by default so many that two quorums share an honest one")
    ] = None
    mirrors: Annotated[
        tuple[WitnessPlace, ...], Setting(values.several(_witness_place, most=64), "mirrors that must vouch for its map, each <verifier key>@<URL>")
    ] = ()
    mirror_quorum: Annotated[
        int | None, Setting(values.whole_number(1, 64), "how many mirrors must cosign, by default all but one (of one, that one)")
    ] = None
    registry_authorities: Annotated[
        tuple[str, ...], Setting(values.several(values.text, most=64), "DIDs whose registry records it takes from now on")
    ] = ()
    allow_hosts: Annotated[
        tuple[str, ...], Setting(values.several(values.text, most=64), "hosts of witnesses and mirrors that may be at a private address or without TLS")
    ] = ()
    listen: Annotated[Address, Setting(values.address, "where it listens, as 127.0.0.1:8100")] = DEFAULT_LEDGER_ADDRESS
    read_only: Annotated[bool, Setting(values.yes_or_no, "whether it only reads what another process writes, without any key")] = False
    heartbeat_seconds: Annotated[int, Setting(values.whole_number(1, 86_400), "after how many quiet seconds its checkpoint is cosigned anew")] = 60
    passphrase_file: Annotated[Path | None, Setting(values.path, "the file whose first line is the passphrase of its keys")] = None
    requests_per_minute: RequestsPerMinute = DEFAULT_REQUESTS_PER_MINUTE
    trusted_proxies: TrustedProxies = ()
