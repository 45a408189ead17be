"""The command ``bench``: measures, prints each ratio beside its limit, and fails if one is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from did_health.cli.exits import FAILED
from did_health.cli.options import JSONOption, example
from did_health.cli.output import Output

if TYPE_CHECKING:
    from did_health.cli.bench.measure import Ratio

EXAMPLE: Final = example("did-health bench", "did-health bench --licences 1000 --json")
_REGISTER: Final = 10_000


def bench(
    licences: Annotated[int, typer.Option("--licences", min=1, max=50_000, help="How many licences are issued at once.")] = _REGISTER,
    as_json: JSONOption = False,
) -> None:
    """Measure verification and issuing on this machine, as multiples of one bare signature check.

    U is one Ed25519 verification of 64 bytes by PyNaCl, in the same run. Status 1 if a ratio is over its limit.
    """
    unit, ratios = measure(licences)
    out = Output(as_json)
    if as_json:
        out.json({"U_us": round(unit * 1e6, 2), "ratios": [{"name": item.name, "value": round(item.value, 3), "limit": item.limit} for item in ratios]})
    else:
        out.heading(f"U, one bare Ed25519 verification by PyNaCl: {unit * 1e6:.1f} µs")
        limits = ["" if item.limit is None else f"{item.limit:g}" for item in ratios]
        rows = [
            (item.name, f"{item.value:.2f}", limit, "over" if item.is_over else "", item.detail) for item, limit in zip(ratios, limits, strict=True)
        ]
        out.table(("measured", "value", "limit", "", "how"), rows)
    if any(item.is_over for item in ratios):
        raise typer.Exit(FAILED)


def measure(licences: int) -> tuple[float, list[Ratio]]:
    """``(seconds of U, every ratio)``; takes some ten seconds."""
    from nacl.signing import SigningKey

    from did_health.cli.bench import importing, issuing, verifying
    from did_health.cli.bench.measure import in_turns
    from did_health.cli.bench.workshop import workshop

    key = SigningKey.generate()
    public_key, message = key.verify_key, bytes(range(64))
    signature = key.sign(message).signature

    def verification() -> object:
        return public_key.verify(message, signature)

    with workshop() as shop:
        ratios = [measurement(shop, verification) for measurement in (verifying.proof, verifying.full, verifying.full_default, verifying.presentation)]
        ratios.append(issuing.issue(shop, lambda: key.sign(message)))
        ratios.append(issuing.register(shop, verification, licences))
    ratios.append(importing.imports())
    return min(in_turns(verification, verification)), ratios
