"""``did-health federation``: a whole federation on this machine, for trying things out: started, looked at and ended with one command each."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Annotated, Any

import typer

from did_health.cli import options
from did_health.cli.exits import UsageError
from did_health.cli.options import JSONOption, example
from did_health.cli.output import Output, note
from did_health.cli.server_extra import require_server_extra
from did_health.errors import EdgeError, StoreError

if TYPE_CHECKING:
    from did_health.net.exchange import HTTPExchange
    from did_health.services.federation import Federation, Member
    from did_health.services.supervision import Child, Supervisor, Task

app = options.group("federation", "Run three ledgers, four witnesses and two mirrors on this machine.")

DEFAULT_FOLDER = Path("did-health-federation")
FolderOption = Annotated[Path, typer.Option("--dir", envvar="DID_HEALTH_FEDERATION", help="The federation's folder.")]
_STATE = "state.json"
_MAX_STATE_BYTES = 1 << 20
_LOOK_SECONDS = 0.2
_HOPELESS_DEATHS = 6
_END_SECONDS = 60.0
_NOT_FOR_CHILDREN = "DID_HEALTH_"


@app.command("up", epilog=example("did-health federation up", "did-health federation up --dir /tmp/federation --base-port 8100"))
def up(
    folder: FolderOption = DEFAULT_FOLDER,
    base_port: Annotated[
        int | None, typer.Option("--base-port", min=1024, max=65_500, help="The first of nine ports, when it is founded; by default any that are free.")
    ] = None,
    as_json: JSONOption = False,
) -> None:
    """Start the federation and keep it running until Ctrl-C or SIGTERM; a process that dies is started again.

    In a new folder one is founded: three ledgers, four witnesses of which
    three must cosign, two mirrors of which one must, a registry authority, and
    in client/ the policies that demand all this. Everything listens on
    127.0.0.1 only. Each process writes its log to members/<name>/output.log.
    """
    from did_health.cli.session import ending_signals

    require_server_extra()
    from did_health.net.exchange import HTTPExchange
    from did_health.services.federation import LOOPBACK, Federation, found
    from did_health.services.supervision import Supervisor

    out = Output(as_json)
    federation = Federation.open(folder) if (folder / "federation.json").exists() else found(folder, base_port=base_port)
    with _alone(folder), closing(HTTPExchange([LOOPBACK], timeout_seconds=1)) as exchange, ending_signals() as ending:
        supervisor = Supervisor(_tasks(federation, exchange), lambda children: _write_state(federation, children))
        try:
            supervisor.start()
            _wait_for_all(supervisor, ending)
            if not ending.is_set():
                federation.found_registry()
                _tell(out, federation, _states(federation, supervisor.children))
            told = {child.task.name: child.restarts for child in supervisor.children}
            while not ending.wait(_LOOK_SECONDS):
                supervisor.look()
                _tell_restarts(supervisor.children, told)
        finally:
            supervisor.stop()


@app.command("status", epilog=example("did-health federation status", "did-health federation status --json"))
def status(folder: FolderOption = DEFAULT_FOLDER, as_json: JSONOption = False) -> None:
    """Show who is running. Exit status: 1 if it is down, or not everybody is up."""
    from did_health.services.federation import Federation

    federation = Federation.open(folder)
    running = _is_running(folder)
    states = _read_state(folder) if running else {}
    rows = [{"name": one.name, "url": one.url, "pid": None, "state": "down", "restarts": 0, **states.get(one.name, {})} for one in federation.members]
    _tell(Output(as_json), federation, rows)
    if any(row["state"] != "up" for row in rows):
        raise typer.Exit(1)


@app.command("down", epilog=example("did-health federation down"))
def down(folder: FolderOption = DEFAULT_FOLDER, as_json: JSONOption = False) -> None:
    """End the federation that is running in this folder, and wait until it has ended. Its data stay."""
    from did_health.services.federation import Federation

    Federation.open(folder)
    if not _is_running(folder):
        raise UsageError("the federation is not running", where=str(folder), hint="Start it with: did-health federation up")
    pid = _read_state(folder).get("", {}).get("pid")
    if not isinstance(pid, int):
        raise StoreError("the federation's state cannot be read", where=str(folder / _STATE), code="store_corrupt")
    os.kill(pid, signal.SIGTERM)
    end = monotonic() + _END_SECONDS
    while _is_running(folder):
        if monotonic() > end:
            raise EdgeError("the federation does not end", where=f"process {pid}", hint="Look into the output.log of its members", code="not_ended")
        sleep(_LOOK_SECONDS)
    out = Output(as_json)
    if as_json:
        out.json({"ended": True})
    else:
        out.line("The federation has ended.")


def _tasks(federation: Federation, exchange: HTTPExchange) -> list[Task]:
    from did_health.services.supervision import Task

    # What is set for the commands of whoever starts this is not meant for the services.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_FOR_CHILDREN)}

    def task(member: Member) -> Task:
        config = str(federation.service_file(member).resolve())
        command = [sys.executable, "-m", "did_health.cli.supervised", "serve", member.kind, "--config", config, "--json"]
        return Task(member.name, command, environment, federation.output(member), lambda: _answers(exchange, member.health_url))

    return [task(member) for member in federation.members]


def _answers(exchange: HTTPExchange, url: str) -> bool:
    from did_health.errors import TransportError

    try:
        return exchange.get(url).status == 200
    except TransportError:
        return False


def _wait_for_all(supervisor: Supervisor, ending: threading.Event) -> None:
    while not supervisor.all_up and not ending.wait(_LOOK_SECONDS):
        supervisor.look()
        for child in supervisor.children:
            if child.deaths_in_a_row >= _HOPELESS_DEATHS:
                hint = f"Its last words are in {child.task.output}"
                raise EdgeError(f"{child.task.name} cannot be started", where=child.task.name, hint=hint, code="not_started")


def _states(federation: Federation, children: Sequence[Child]) -> list[dict[str, Any]]:
    urls = {member.name: member.url for member in federation.members}
    return [
        {"name": one.task.name, "url": urls[one.task.name], "pid": one.pid, "state": one.state.value, "restarts": one.restarts} for one in children
    ]


def _tell(out: Output, federation: Federation, rows: Sequence[dict[str, Any]]) -> None:
    if out.as_json:
        policies = {"policy": str(federation.policy_path), "trustPolicy": str(federation.trust_policy_path)}
        out.json({"directory": str(federation.path), **policies, "members": list(rows)})
        return
    out.table(("Name", "URL", "Process", "State"), [(row["name"], row["url"], row["pid"] or "-", row["state"]) for row in rows])
    out.facts([("Policy for clients", federation.policy_path), ("Trust policy", federation.trust_policy_path)])
    out.line(f"Try it: did-health demo --federation {federation.path}")


def _tell_restarts(children: Sequence[Child], told: dict[str, int]) -> None:
    for child in children:
        if child.restarts > told[child.task.name] and child.state == "up":
            told[child.task.name] = child.restarts
            note(f"{child.task.name} had died and is up again (process {child.pid})")


# ---- one at a time, and what others may know of it


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    import fcntl

    with (folder / ".up").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError("the federation is running already", where=str(folder), hint="Look at it with: did-health federation status") from error
        yield


def _is_running(folder: Path) -> bool:
    try:
        with _alone(folder):
            return False
    except UsageError:
        return True


def _write_state(federation: Federation, children: Sequence[Child]) -> None:
    from did_health.encoding import strict_json
    from did_health.stores import files

    document: Any = {"pid": os.getpid(), "members": _states(federation, children)}
    files.write_atomically(federation.path / _STATE, strict_json.dumps(document, indent=True))


def _read_state(folder: Path) -> dict[str, dict[str, Any]]:
    """By name; what is under the empty name is about the process that supervises."""
    from did_health.encoding import strict_json
    from did_health.stores import files

    document: Any = strict_json.loads_object(files.read(folder / _STATE, max_bytes=_MAX_STATE_BYTES) or b"{}", what="federation's state")
    return {"": {"pid": document.get("pid")}, **{str(one["name"]): one for one in document.get("members", [])}}
