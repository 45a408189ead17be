"""The section ``[monitor]`` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from did_health.ledger.monitor import named_subject, own_author, subjects_of_did
from did_health.limits import MAX_WATCHED
from did_health.services import setting_values as values
from did_health.services.sections.members import AllowedHosts, key_name, public_url
from did_health.services.setting_values import Secret
from did_health.services.settings import Setting

_MOST_SECONDS: Final = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Place:
    """A URL below which a copy of the log ``origin`` is read; of the only log that is followed, if that is ``None``. As text ``<origin>@<url>``."""

    origin: str | None
    url: str

    def __str__(self) -> str:
        return f"{self.origin}@{self.url}" if self.origin else self.url


def _place(value: object, folder: Path) -> Place:
    origin, separator, url = values.text(value, folder).rpartition("@")
    return Place(key_name(origin, folder) if separator else None, public_url(url, folder))


def _watched(value: object, folder: Path) -> str:
    text = values.text(value, folder)
    named_subject(text)
    return text


def _did(value: object, folder: Path) -> str:
    did = values.text(value, folder)
    subjects_of_did(did)
    return did


def _author(value: object, folder: Path) -> str:
    text = values.text(value, folder)
    own_author(text)
    return text


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """The section ``[monitor]``: which logs are followed, what is watched on them, and who hears of it."""

    dir: Annotated[Path, Setting(values.path, "the folder of its copies and of what it remembers")]
    policies: Annotated[
        tuple[Path, ...], Setting(values.several(values.path, most=64), "policy files (trust policy, or C2SP tlog-policy text): logs with their URLs")
    ] = ()
    mirrors: Annotated[
        tuple[Place, ...], Setting(values.several(_place, most=256), "mirrors to compare with, each <URL>, or <origin>@<URL> where several logs are followed")
    ] = ()
    dids: Annotated[
        tuple[str, ...], Setting(values.several(_did, most=MAX_WATCHED), "did:webvh DIDs whose log, batches and status lists are watched")
    ] = ()
    lists: Annotated[tuple[str, ...], Setting(values.several(values.text, most=MAX_WATCHED), "URLs of other status lists that are watched")] = ()
    subjects: Annotated[
        tuple[str, ...], Setting(values.listed(_watched, most=MAX_WATCHED), "others: 64 hexadecimal digits, or KIND IDENTIFIER; in a variable by lines")
    ] = ()
    authors: Annotated[
        tuple[str, ...], Setting(values.several(_author, most=MAX_WATCHED), "who writes for you: multikeys, or verification methods (=<multikey> if need be)")
    ] = ()
    known: Annotated[Path | None, Setting(values.path, "a file with the SHA-256 of every entry or document that you wrote, one a line")] = None
    allow_hosts: AllowedHosts = ()
    interval_seconds: Annotated[int, Setting(values.whole_number(1, 86_400), "how long it waits between two looks")] = 60
    head_seconds: Annotated[int, Setting(values.whole_number(1, _MOST_SECONDS), "how old the newest witnessed head may be")] = 3_600
    witness_seconds: Annotated[int, Setting(values.whole_number(1, _MOST_SECONDS), "how long a witness may be silent")] = 3_600
    ahead_seconds: Annotated[int, Setting(values.whole_number(1, _MOST_SECONDS), "how long a log may show less than others have of it")] = 300
    webhook: Annotated[Secret | None, Setting(values.secret, "the URL that every notice is posted to")] = None
