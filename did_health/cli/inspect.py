"""``did-health inspect``: what a file, DID or key is, in plain words. Nothing is verified, and it says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import session
from did_health.cli.options import JSONOption, example
from did_health.cli.output import Output

if TYPE_CHECKING:
    from did_health.cli.explain import Explanation

EXAMPLE = example("did-health inspect licence.json", "did-health inspect did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")


def inspect(
    file: Annotated[str, typer.Argument(help="A file, - for standard input, or a DID or Multikey itself.")],
    as_json: JSONOption = False,
) -> None:
    """Explain a credential, presentation, DID, DID document or log, proof, note, checkpoint, receipt, ledger entry, status list, policy or key.

    Nothing is verified, nothing is fetched, and claims are named without their values: use `verify` for those.
    """
    from did_health.cli.explain.detect import explain, explain_text

    found = explain_text(file) if _is_literal(file) else session.at_file(Path(file), lambda: explain(_read(file)))
    out = Output(as_json)
    if as_json:
        out.json({"verified": False, **found.to_json()})
        return
    _show(out, found)
    out.line("Nothing of this was verified.", "yellow")


def _is_literal(text: str) -> bool:
    from did_health.cli.explain.detect import is_literal

    return is_literal(text) and not Path(text).exists()


def _read(file: str) -> bytes:
    from did_health.limits import MAX_WALLET_BYTES

    return session.read_file(Path(file), max_bytes=2 * MAX_WALLET_BYTES)


def _show(out: Output, found: Explanation, depth: int = 0) -> None:
    if depth:
        out.line("")
    out.heading(found.title)
    for sentence in found.sentences:
        out.line(sentence)
    if found.facts:
        out.facts(found.facts)
    for part in found.parts:
        _show(out, part, depth + 1)
