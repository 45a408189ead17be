"""The command ``bench``: measures, prints each ratio beside its limit, and fails if one is over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Annotated, Final

import typer

from did_health.cli.exits import FAILED
from did_health.cli.options import JSONOption, example
from did_health.cli.output import Output

if TYPE_CHECKING:
    from did_health.cli.bench.measure import Ratio, Work
    from did_health.cli.bench.peers import Peer

EXAMPLE: Final = example(
    "did-health bench", "did-health bench --licences 1000 --json", "did-health bench --ledger --entries 1000000", "did-health bench --suites",
    "did-health bench --roster --rows 200000", "did-health bench --counter",
)
_REGISTER: Final = 10_000
_ENTRIES: Final = 20_000
_ROWS: Final = 50_000
_PICKUPS: Final = 60


def bench(
    licences: Annotated[int, typer.Option("--licences", min=1, max=50_000, help="How many licences are issued at once.")] = _REGISTER,
    ledger: Annotated[bool, typer.Option("--ledger", help="Measure a ledger instead: appending, its proofs, its memory.")] = False,
    entries: Annotated[int, typer.Option("--entries", min=2, max=10_000_000, help="With --ledger: to how many entries it grows.")] = _ENTRIES,
    roster: Annotated[bool, typer.Option("--roster", help="Measure a roster instead: many licences of five boards verified together.")] = False,
    rows: Annotated[int, typer.Option("--rows", min=10, max=1_000_000, help="With --roster: how many licences, all of them issued first.")] = _ROWS,
    counter: Annotated[bool, typer.Option("--counter", help="Measure a pharmacy's counter instead: pickups online, from cached evidence, by command.")] = False,
    pickups: Annotated[int, typer.Option("--pickups", min=1, max=10_000, help="With --counter: how many of each.")] = _PICKUPS,
    suites: Annotated[bool, typer.Option("--suites", help="Measure each way of securing a credential instead, beside other implementations.")] = False,
    peers: Annotated[Path | None, typer.Option("--peers", help="With --suites: the folder of peers.mjs, for those on Node.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="With --suites or --ledger: as a page of docs.")] = False,
    as_json: JSONOption = False,
) -> None:
    """Measure verification and issuing on this machine, as multiples of one bare signature check.

    U is one Ed25519 verification of 64 bytes by PyNaCl, in the same run. Status 1 if a ratio is over its limit, or under one marked ≥.
    """
    beside: dict[str, Sequence[Peer]] = {}
    if suites:
        unit, results = measure_suites(peers)
        ratios, beside = [ratio for ratio, _ in results], {ratio.name: others for ratio, others in results}
    elif counter:
        unit, ratios = measure_counter(pickups)
    else:
        unit, ratios = measure_ledger(entries) if ledger else measure_roster(rows) if roster else measure(licences)
    out = Output(as_json)
    if as_json:
        out.json({"U_us": round(unit * 1e6, 2), "ratios": [_as_json(item) | _peers_as_json(beside.get(item.name, ())) for item in ratios]})
    elif markdown:
        from did_health.cli.bench.markdown import ledger_page, page

        text = ledger_page(unit, entries, ratios) if ledger and not suites else page(unit, [(item, beside.get(item.name, ())) for item in ratios])
        out.write(text.encode())
    else:
        out.heading(f"U, one bare Ed25519 verification by PyNaCl: {unit * 1e6:.1f} µs (Python {python_version()})")
        shown = [row for item in ratios for row in (_as_row(item), *map(_peer_as_row, beside.get(item.name, ())))]
        out.table(("measured", "value", "limit", "", "how"), shown)
    if any(item.is_over for item in ratios):
        raise typer.Exit(FAILED)


def _as_json(item: Ratio) -> dict[str, str | float | bool | None]:
    document: dict[str, str | float | bool | None] = {"name": item.name, "value": round(item.value, 3), "limit": item.limit}
    return {**document, "at_least": True} if item.at_least else document


def _as_row(item: Ratio) -> tuple[str, ...]:
    limit = "" if item.limit is None else f"{'≥ ' if item.at_least else ''}{item.limit:g}"
    wrong = "under" if item.at_least else "over"
    return item.name, f"{item.value:.2f}", limit, wrong if item.is_over else "", item.detail


def _peers_as_json(peers: Sequence[Peer]) -> dict[str, list[dict[str, str | float]]]:
    described: list[dict[str, str | float]] = [
        {"name": peer.name, "why": peer.why} if peer.value is None else {"name": peer.name, "value": round(peer.value, 3)} for peer in peers
    ]
    return {"peers": described} if described else {}


def _peer_as_row(peer: Peer) -> tuple[str, ...]:
    return f"  {peer.name}", "" if peer.value is None else f"{peer.value:.2f}", "", "", peer.why


def measure(licences: int) -> tuple[float, list[Ratio]]:
    """``(seconds of U, every ratio)``; takes some ten seconds."""
    from did_health.cli.bench import importing, issuing, verifying
    from did_health.cli.bench.measure import in_turns
    from did_health.cli.bench.workshop import workshop

    signature, verification = _bare()
    with workshop() as shop:
        ratios = [measurement(shop, verification) for measurement in (verifying.proof, verifying.full, verifying.full_default, verifying.presentation)]
        ratios.append(issuing.issue(shop, signature))
        ratios.append(issuing.register(shop, verification, licences))
    ratios.append(importing.imports())
    return min(in_turns(verification, verification)), ratios


def measure_ledger(entries: int) -> tuple[float, list[Ratio]]:
    """As ``measure``, of a ledger that grows to so many entries; takes some 0.3 s for every 1,000."""
    from did_health.cli.bench import ledger
    from did_health.cli.bench.measure import in_turns

    _, verification = _bare()
    ratios = ledger.ledger(entries, verification)
    return min(in_turns(verification, verification)), ratios


def measure_roster(rows: int) -> tuple[float, list[Ratio]]:
    """As ``measure``, of a roster of so many licences; takes some 2 s for every 1,000."""
    from did_health.cli.bench import roster
    from did_health.cli.bench.measure import in_turns

    _, verification = _bare()
    ratios = roster.roster(rows, verification)
    return min(in_turns(verification, verification)), ratios


def measure_counter(pickups: int) -> tuple[float, list[Ratio]]:
    """As ``measure``, of so many pickups each way; takes some 2 s for each."""
    from did_health.cli.bench import counter
    from did_health.cli.bench.measure import in_turns

    _, verification = _bare()
    ratios = counter.counter(pickups)
    return min(in_turns(verification, verification)), ratios


def measure_suites(peers: Path | None) -> tuple[float, list[tuple[Ratio, Sequence[Peer]]]]:
    """As ``measure``, of the ways of securing a credential, each with the peers that verified the same; takes some ten seconds."""
    from did_health.cli.bench import suites
    from did_health.cli.bench.measure import in_turns
    from did_health.cli.bench.peers import on_node, on_python
    from did_health.cli.bench.workshop import workshop

    _, verification = _bare()
    with workshop() as shop:
        cases = suites.secured_licences(shop)
    measured = [suites.measure_case(case, verification) for case in cases]
    unit = min(in_turns(verification, verification))
    others = on_python(cases, verification) + (on_node(cases, peers, unit) if peers else [])
    beside = [tuple(peer for peer in others if peer.suite == case.suite) for case in cases]
    return unit, [(suites.bare_p256(verification), ()), *zip(measured, beside, strict=True)]


def _bare() -> tuple[Work, Work]:
    """A bare signature of 64 bytes, and its verification."""
    from nacl.signing import SigningKey

    key = SigningKey.generate()
    public_key, message = key.verify_key, bytes(range(64))
    signature = key.sign(message).signature
    return lambda: key.sign(message), lambda: public_key.verify(message, signature)
