"""``did-health config``: what the services would do with the configuration that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from did_health.cli import options
from did_health.cli.options import JSONOption, example
from did_health.cli.output import Output

app = options.group("config", "Show how the services are configured.")


@app.command("show", epilog=example("did-health config show --file services.toml"))
def show(
    file: Annotated[Path | None, typer.Option("--file", help="The configuration (TOML); by default the one that DID_HEALTH_CONFIG names.")] = None,
    as_json: JSONOption = False,
) -> None:
    """The effective configuration: file, DID_HEALTH_* variables and defaults put together, and where each value comes from. No secrets."""
    from did_health.services import config

    shown = config.load(file).shown()
    out = Output(as_json)
    if as_json:
        out.json({
            section: {one.name: {"value": list(one.value) if isinstance(one.value, tuple) else one.value, "source": one.source} for one in members}
            for section, members in shown.items()
        })
        return
    if not shown:
        out.line("Nothing is configured: there is no file, and no variable begins with a service's name.")
    for section, members in shown.items():
        out.heading(section)
        out.table(("Member", "Value", "From"), [(one.name, _text(one.value), one.source) for one in members])


def _text(value: str | int | bool | tuple[str, ...] | None) -> str:
    if value is None or value in ("", ()):
        return "-"
    return "\n".join(value) if isinstance(value, tuple) else str(value)
