"""Members that several sections of the configuration have, and how they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, TypeAlias

from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_REQUESTS_PER_MINUTE
from did_health.services import setting_values as values
from did_health.services.settings import Setting
from did_health.tlog.note import SignatureType, VerifierKey, check_key_name

DEFAULT_REQUESTS_PER_MINUTE: Final = 6_000
"""A log asks about three times for each of its checkpoints, and several logs may have one address."""

RequestsPerMinute: TypeAlias = Annotated[
    int, Setting(values.whole_number(1, MAX_REQUESTS_PER_MINUTE), "how many requests a minute one client address may make")
]
TrustedProxies: TypeAlias = Annotated[
    tuple[str, ...], Setting(values.several(values.text, most=64), "addresses of proxies whose X-Forwarded-For is believed")
]
AllowedHosts: TypeAlias = Annotated[tuple[str, ...], Setting(values.several(values.text, most=64), "hosts that may be at a private address or without TLS")]
KeyFile: TypeAlias = Annotated[Path | None, Setting(values.path, "its sealed key; by default witness.key in its folder")]
PassphraseFile: TypeAlias = Annotated[Path | None, Setting(values.path, "the file whose first line is the passphrase of its key")]


def key_name(value: object, folder: Path) -> str:
    """The name of a key, as it stands in a signed note (C2SP signed-note)."""
    name = values.text(value, folder)
    check_key_name(name)
    return name


def log_key(value: object, folder: Path) -> VerifierKey:
    """The verifier key of a log."""
    try:
        key = VerifierKey.parse(values.text(value, folder))
    except UnsupportedError as error:
        raise FormatError(error.what) from error
    if key.type is not SignatureType.ED25519:
        raise FormatError("a log signs with Ed25519 (type 0x01), and this is the key of a cosigner")
    return key


def public_url(value: object, folder: Path) -> str:
    """The URL under which a service is found, without a slash at its end."""
    url = values.text(value, folder).rstrip("/")
    scheme, _, place = url.partition("://")
    host, slash, path = place.partition("/")
    if scheme not in ("https", "http") or not host or "@" in host or any(c in place for c in "?# "):
        raise FormatError("the value is not a URL of a host", hint="Write it as https://ledger.example or https://host.example/ledger")
    values.url_prefix(slash + path, folder)
    return url
