"""``did-health prescriber``: whether somebody who is not here may prescribe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import options, session
from did_health.cli.exits import no_verdict, verdict_code
from did_health.cli.options import AllowHostOption, DirectoryOption, JSONOption, OutputFileOption, PassphraseFileOption, PolicyOption, example
from did_health.cli.output import Output, clean, when
from did_health.cli.verifiers import opened_verifier

if TYPE_CHECKING:
    from did_health.roles.prescriber import PrescriberCheck

app = options.group("prescriber", "Check a prescriber who is not present.")


@app.callback()
def _group() -> None:
    """Check a prescriber who is not present."""


@app.command("check", epilog=example(
    "did-health prescriber check --npi 1234567893 --state US-NC --schedule 2 --board https://board.example/nc-medical --board https://dea.example/registry",
    'did-health prescriber check --npi 1234567893 --state US-NC --schedule 4 --board https://board.example/nc-medical --exempt "hospital resident, 1301.22(c)"',
))
def check(
    npi: Annotated[str, typer.Option("--npi", help="The prescriber's National Provider Identifier.")],
    state: Annotated[str, typer.Option("--state", help="Where the prescription is filled, as US-NC.")],
    schedule: Annotated[str, typer.Option("--schedule", help="The drug's schedule: 2, 2N, 3, 3N, 4, 5, or none if it is not controlled.")],
    board: Annotated[list[str], typer.Option("--board", help="The URL of a public directory of licences or registrations. May be repeated.")],
    dea: Annotated[str, typer.Option("--dea", help="The DEA number on the prescription.")] = "",
    exempt: Annotated[str, typer.Option("--exempt", help="Why no registration is needed [21 CFR 1306.03]; the answer shows it, and is conditional.")] = "",
    output: OutputFileOption = None,
    policy: PolicyOption = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    allow_host: AllowHostOption = None,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Looks licence and registration up where boards publish them, verifies both, and judges them for a state and a drug's schedule.

    With -o the answer is kept, for pickup check --prescriber to show at the counter.
    Status: 0 accept, 1 refuse, 2 malformed input, 3 indeterminate (not found, not reached), 4 conditional.
    """
    from did_health.net.board_directory import DirectoryClient
    from did_health.net.fetch import HTTPSource
    from did_health.roles.prescriber import PrescriberQuestion, check_prescriber

    with no_verdict():
        question = PrescriberQuestion(npi, state, schedule, dea, exempt)
        hosts = frozenset(allow_host or ())
        with HTTPSource(allow_hosts=hosts) as source, opened_verifier(policy, directory, None, hosts, passphrase_file, None) as verifier:
            found = check_prescriber(question, [DirectoryClient(url, source) for url in board], verifier, clock=session.now)
        if output is not None:
            from did_health.encoding import strict_json

            session.write_file(output, strict_json.dumps(found.to_json()) + b"\n", secret=True)
    _show(Output(as_json), found)
    raise typer.Exit(verdict_code(found.verdict))


def _show(out: Output, found: PrescriberCheck) -> None:
    from did_health.cli.report_output import panel

    if out.as_json:
        out.json(found.to_json())
        return
    asked = found.question
    out.show(panel(found.verdict))
    facts = [("Prescriber", f"NPI {asked.npi}"), ("To prescribe", f"schedule {asked.schedule} in {asked.state}"), ("True as of", when(found.as_of))]
    out.facts([*facts, ("Exempt", clean(asked.exempt))] if asked.exempt else facts)
    out.table(("Outcome", "What was found", "Code", "As of"), [
        ("! condition" if one.conditional else one.outcome, clean(one.sentence), one.code, when(one.as_of)) for one in found.checks
    ])
