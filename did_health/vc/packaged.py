"""The files of ``schemas/``: JSON Schemas and our own JSON-LD context.

In a wheel they lie inside the package (``did_health/_schemas``), in a checkout beside it (``schemas``); one copy, two places.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

_NAME: Final = re.compile(r"(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


def schema_file(name: str) -> bytes:
    """The bytes of one file, such as ``PatientIdentityCredential.json`` or ``contexts/did-health-v1.json``.

    Raises ``LookupError`` for a name that is not packaged, which includes every name that leads out of the folder.
    """
    if _NAME.fullmatch(name):
        package = files("did_health")
        for folder in (package.joinpath("_schemas"), package.joinpath("..", "schemas")):
            file = folder.joinpath(*name.split("/"))
            if file.is_file():
                return file.read_bytes()
    raise LookupError(f"no packaged schema file is called {name!r}")
