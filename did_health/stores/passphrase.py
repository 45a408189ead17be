"""Where a passphrase comes from: a file, the environment, or somebody at the keyboard."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from did_health.errors import StoreError
from did_health.limits import MAX_PASSPHRASE_BYTES, MIN_PASSPHRASE_CHARACTERS
from did_health.stores import files

VARIABLE: Final = "DID_HEALTH_PASSPHRASE"


def passphrase_from(file: Path | None = None, env: str = VARIABLE, prompt: Callable[[], str] | None = None) -> str:
    """The passphrase: the first line of ``file``, else the environment variable ``env`` unless it is empty, else what ``prompt`` returns.

    Raises ``StoreError`` if the file cannot be read, if there is no way to ask, or if the passphrase is not UTF-8 or too short; the
    error names the place and never quotes the passphrase. Permissions of ``file`` are not checked: secrets that an orchestrator mounts
    are often readable by all in their container.
    """
    if file is not None:
        return _usable(_first_line(file), str(file))
    if text := os.environ.get(env):
        return _usable(text, env)
    if prompt is not None:
        return _usable(prompt(), "prompt")
    raise StoreError("no passphrase was given", hint=f"Name a file that holds it, set {env}, or run where you can be asked", code="passphrase_missing")


def _first_line(file: Path) -> str:
    data = files.read(file, max_bytes=MAX_PASSPHRASE_BYTES)
    if data is None:
        raise StoreError("the passphrase file is missing", where=str(file), code="passphrase_missing")
    # Bytes that are not UTF-8 become lone surrogates, which are refused with those of the environment.
    return data.partition(b"\n")[0].removesuffix(b"\r").decode(errors="surrogateescape")


def _usable(text: str, where: str) -> str:
    # Looked for and not tried, because the error of encoding would quote the passphrase.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise StoreError("the passphrase is not UTF-8 text", where=where, code="passphrase_unusable")
    if len(text) < MIN_PASSPHRASE_CHARACTERS:
        raise StoreError(f"the passphrase has fewer than {MIN_PASSPHRASE_CHARACTERS} characters", where=where, code="passphrase_unusable")
    return text
