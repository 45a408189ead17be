"""The command ``did-health demo``: its options and its output."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from did_health.cli.options import JSONOption, example

EXAMPLE: Final = example("did-health demo", "did-health demo --dir /tmp/demo --practitioners Practitioner.ndjson --mint-test-npi")


def demo(
    directory: Annotated[Path, typer.Option("--dir", help="Where everything is written; a new or empty directory.")] = Path("did-health-demo"),
    practitioners: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="FHIR R4 Practitioners: NDJSON, a Bundle or one resource. Default: a sample of 25.")
    ] = None,
    patients: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="FHIR R4 Patients: NDJSON, a Bundle or one resource. Default: a sample of 50.")
    ] = None,
    mint_test_npi: Annotated[bool, typer.Option("--mint-test-npi", help="Replace invalid NPIs by valid test NPIs instead of skipping their rows.")] = False,
    as_json: JSONOption = False,
) -> None:
    """Run the main job from end to end, without server or network: boards issue, patients present, a pharmacy verifies.

    A registry authority, medical boards, a pharmacy board and an identity provider are founded on a new ledger with four witnesses;
    everybody in the input gets a credential in an encrypted wallet; a pharmacy verifies patients and prescribers; a board suspends,
    reinstates and revokes; and a gallery of bad cases is refused for the right reasons. The exit status is 1 if one verdict is not
    what it must be. Progress goes to standard error.
    """
    from did_health.cli.demo.bars import Bars
    from did_health.cli.demo.run import run_demo
    from did_health.cli.output import Output

    output = Output(as_json)
    with ExitStack() as stack:
        people = [_opened(stack, path) for path in (practitioners, patients)]
        bars = stack.enter_context(Bars())
        summary = run_demo(directory, practitioners=people[0], patients=people[1], mint_test_npi=mint_test_npi, show=bars.show)
        bars.finish()
    if as_json:
        output.json(summary.to_json())
    else:
        output.show(*summary.tables())
    if not summary.ok:
        raise typer.Exit(1)


def _opened(stack: ExitStack, path: Path | None) -> BinaryIO | None:
    from did_health.stores import files

    if path is None:
        return None
    try:
        return stack.enter_context(path.open("rb"))
    except OSError as error:
        raise files.store_error(error, path) from error
