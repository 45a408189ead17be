"""The command ``did-health demo``: its options and its output."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from did_health.cli.options import JSONOption, example

EXAMPLE: Final = example(
    "did-health demo",
    "did-health demo --federation did-health-federation",
    "did-health demo --dir /tmp/demo --practitioners Practitioner.ndjson --mint-test-npi",
)


_CHUNK: Final = 1 << 16


def demo(
    directory: Annotated[Path, typer.Option("--dir", help="Where everything is written; a new or empty directory.")] = Path("did-health-demo"),
    practitioners: Annotated[
        typer.FileBinaryRead | None, typer.Option(metavar="FILE", help="FHIR R4 Practitioners: NDJSON, a Bundle or one resource. Default: a sample of 25.")
    ] = None,
    patients: Annotated[
        typer.FileBinaryRead | None, typer.Option(metavar="FILE", help="FHIR R4 Patients: NDJSON, a Bundle or one resource. Default: a sample of 50.")
    ] = None,
    mint_test_npi: Annotated[bool, typer.Option("--mint-test-npi", help="Replace invalid NPIs by valid test NPIs instead of skipping their rows.")] = False,
    federation: Annotated[
        Path | None, typer.Option("--federation", metavar="DIR", help="Use the federation that is running in this folder (see: federation up).")
    ] = None,
    as_json: JSONOption = False,
) -> None:
    """Run the main job from end to end: by itself, or over a federation.

    A new ledger with four witnesses; a registry authority, medical boards, a
    pharmacy board and an identity provider on it; credentials in encrypted
    wallets for everybody in the input; a pharmacy that verifies patients and
    prescribers; a board that suspends, reinstates and revokes; and a gallery of
    bad cases, each with the verdict and the reason that it must get.

    By itself it needs neither server nor network. With --federation the boards
    are on the three ledgers of a federation that is running, and everything is
    logged and verified over HTTP.

    Exit status: 1 if one verdict is not what it must be. Progress is shown on
    standard error.
    """
    from did_health.cli.demo.bars import Bars
    from did_health.cli.demo.run import run_demo
    from did_health.cli.output import Output

    output = Output(as_json)
    running = None
    if federation is not None:
        from did_health.services.federation import Federation

        running = Federation.open(federation)
    with Bars() as bars:
        summary = run_demo(
            directory, practitioners=_chunks(practitioners), patients=_chunks(patients), mint_test_npi=mint_test_npi, federation=running, show=bars.show
        )
        bars.finish()
    if as_json:
        output.json(summary.to_json())
    else:
        output.show(*summary.tables())
    if not summary.ok:
        raise typer.Exit(1)


def _chunks(file: BinaryIO | None) -> Iterator[bytes] | None:
    """The file in pieces of one size: its lines may be of any length."""
    return None if file is None else iter(lambda: file.read(_CHUNK), b"")
