"""Options that several commands have, each with one meaning and one help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

DEFAULT_DIRECTORY: Final = Path("did-health")
DIRECTORY_VARIABLE: Final = "DID_HEALTH_DIR"

DirectoryOption = Annotated[
    Path, typer.Option("--dir", envvar=DIRECTORY_VARIABLE, help="The directory with ledger, institutions, registers and wallets.")
]
PassphraseFileOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="A file whose first line is the passphrase; else DID_HEALTH_PASSPHRASE, else you are asked."),
]
JSONOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
TitleOption = Annotated[str, typer.Option("--title", help="The institution's full name.")]
JurisdictionOption = Annotated[str, typer.Option("--jurisdiction", help="The state that it acts for, as US-NC; US for the whole country.")]
HostOption = Annotated[str, typer.Option("--host", help="The host of the ledger and its DIDs, if a new directory is made.")]
AlgorithmOption = Annotated[str, typer.Option("--algorithm", help="The algorithm of the signing key: Ed25519, P-256 or P-384.")]
PolicyOption = Annotated[Path | None, typer.Option("--policy", help="The trust policy (TOML); by default the directory's own.")]
OutputFileOption = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file; it is replaced if it is there.")]
AllowHostOption = Annotated[
    list[str] | None, typer.Option("--allow-host", help="A host (name or name:port) that may be at a private address or without TLS. May be repeated.")
]


def example(*lines: str) -> str:
    """A command's examples, as its help shows them."""
    # Rich takes the name between two colons for that of an emoji, unless markup stands in between.
    shown = [line.replace("did:key:", "did:key[not bold]:[/not bold]") for line in lines]
    return "\n\n".join(("Example:" if len(lines) == 1 else "Examples:", *shown))


def group(name: str, help_text: str) -> typer.Typer:
    """A command group."""
    return typer.Typer(name=name, help=help_text, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
