"""``did-health monitor``: follows logs, and says what is wrong with them, or with what they have about oneself."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from did_health.cli import session
from did_health.cli.configured import ConfigOption, configured
from did_health.cli.exits import FAILED, INDETERMINATE, OK, UsageError, no_verdict
from did_health.cli.options import AllowHostOption, example
from did_health.cli.output import Output, ago, when
from did_health.errors import FormatError

if TYPE_CHECKING:
    from did_health.keys import PublicKey
    from did_health.ledger.monitor import Mine, Notice
    from did_health.net.exchange import HTTPExchange
    from did_health.services.log_monitor import LogMonitor
    from did_health.services.monitoring import Monitoring, Round
    from did_health.services.sections.monitor import MonitorSettings

EXAMPLE = example(
    "did-health monitor --dir monitor --policy policy.txt --did did:webvh:Qm…:board.example --author z6Mk… --once",
    "did-health monitor --config services.toml --json",
)
_STYLES: Final = {"critical": "bold red", "warning": "yellow", "unknown": "magenta"}


def monitor(
    config: ConfigOption = None,
    folder: Annotated[Path | None, typer.Option("--dir", help="The folder of its copies and of what it remembers; made if there is none.")] = None,
    policy: Annotated[
        list[Path] | None, typer.Option("--policy", help="A policy that names logs with their URLs: a trust policy, or C2SP tlog-policy text. May be repeated.")
    ] = None,
    mirror: Annotated[list[str] | None, typer.Option("--mirror", help="The URL of a mirror to compare with. May be repeated.")] = None,
    did: Annotated[list[str] | None, typer.Option("--did", help="A did:webvh DID: its log, batches and status lists are watched. May be repeated.")] = None,
    status_list: Annotated[list[str] | None, typer.Option("--list", help="The URL of another status list to watch. May be repeated.")] = None,
    subject: Annotated[
        list[str] | None, typer.Option("--subject", help="Anything else to watch: 64 hexadecimal digits, or 'KIND IDENTIFIER'. May be repeated.")
    ] = None,
    author: Annotated[
        list[str] | None, typer.Option("--author", help="Who writes for you: an update key, or a verification method (=MULTIKEY if need be). May be repeated.")
    ] = None,
    known: Annotated[Path | None, typer.Option("--known", help="A file with the SHA-256 of every entry or document that you wrote, one a line.")] = None,
    allow_host: AllowHostOption = None,
    interval: Annotated[str | None, typer.Option("--interval-seconds", help="How long it waits between two looks.")] = None,
    head: Annotated[str | None, typer.Option("--head-seconds", help="How old the newest witnessed head may be.")] = None,
    witness: Annotated[str | None, typer.Option("--witness-seconds", help="How long a witness may be silent.")] = None,
    ahead: Annotated[str | None, typer.Option("--ahead-seconds", help="How long a log may show less than others have of it.")] = None,
    webhook: Annotated[
        str | None, typer.Option("--webhook", help="Post every notice to this URL, too; if it holds a secret, rather set DID_HEALTH_MONITOR_WEBHOOK.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, for cron; status 1 if anything is wrong, 3 if something could not be looked at.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document a line for each alarm, and for its end.")] = False,
) -> None:
    """Follow logs as a board would: alarms on entries in your name that you did not write, split views, wrong, old or rolled-back heads, silent witnesses."""
    from did_health.services.sections.monitor import MonitorSettings

    settings = configured(
        config, MonitorSettings,
        dir=folder, policies=policy, mirrors=mirror, dids=did, lists=status_list, subjects=subject, authors=author, known=known,
        allow_hosts=allow_host, interval_seconds=interval, head_seconds=head, witness_seconds=witness, ahead_seconds=ahead, webhook=webhook,
    )  # fmt: skip
    out = Output(as_json)
    with no_verdict(), _monitoring(settings, out) as monitoring:
        if once:
            found = monitoring.look()
            if not as_json:
                _summary(out, found)
            raise typer.Exit(_status(found))
        with _ended_by_signals(monitoring.stop):
            if not as_json:
                out.line("Following. Ctrl-C ends it.", "green")
            monitoring.run(settings.interval_seconds)


@contextmanager
def _monitoring(settings: MonitorSettings, out: Output) -> Iterator[Monitoring]:
    from did_health.net.exchange import HTTPExchange
    from did_health.net.webhook import Webhook
    from did_health.services.json_log import JSONLog
    from did_health.services.monitoring import Monitoring
    from did_health.stores.monitor_state import MonitorStateFile

    with ExitStack() as stack:
        exchange = HTTPExchange(settings.allow_hosts)
        stack.callback(exchange.close)
        monitors = _log_monitors(settings, exchange, stack)
        yield Monitoring(
            monitors,
            _mine(settings),
            MonitorStateFile(settings.dir / "monitor.json"),
            tell=lambda notice: _tell(out, notice),
            webhook=Webhook(settings.webhook.reveal(), exchange) if settings.webhook else None,
            log=JSONLog("monitor"),
            clock=session.now,
        )


def _log_monitors(settings: MonitorSettings, exchange: HTTPExchange, stack: ExitStack) -> list[LogMonitor]:
    from did_health.ledger.monitor import Limits
    from did_health.services.log_monitor import LogMonitor

    limits = Limits(settings.head_seconds, settings.witness_seconds, settings.ahead_seconds)
    followed = [(log, policy) for policy in map(session.read_witness_policy, settings.policies) for log in policy.logs]
    origins = [log.key.name for log, _ in followed]
    if not followed:
        raise UsageError("no log is followed", where="monitor.policies", hint="Name the logs, their URLs and witnesses in a policy, with --policy")
    if len(set(origins)) != len(origins):
        raise UsageError("a log is followed twice", where="monitor.policies", hint="Name each log in one policy")
    for place in settings.mirrors:
        if place.origin not in origins and (place.origin is not None or len(origins) > 1):
            hint = "Write it as <origin>@<URL>, with the origin of a log that is followed"
            raise UsageError("it is not clear of which log this is a mirror", where=str(place), hint=hint)
    monitors: list[LogMonitor] = []
    for log, policy in followed:
        if log.url is None:
            raise UsageError("the policy does not say where the log is read", where=log.key.name, hint="Write the URL behind its key: log <vkey> <url>")
        mirrors = [place.url for place in settings.mirrors if place.origin in (None, log.key.name)]
        monitors.append(LogMonitor(settings.dir, log.key, log.url, policy, mirrors, limits, exchange, session.now))
        stack.callback(monitors[-1].close)
    return monitors


def _mine(settings: MonitorSettings) -> Callable[[], Mine]:
    from did_health.ledger.monitor import Mine, list_subjects, named_subject, own_author, subjects_of_did

    subjects: dict[bytes, str] = list_subjects(settings.lists)
    for did in settings.dids:
        subjects |= subjects_of_did(did)
    subjects |= {named_subject(text): f"the subject {text}" for text in settings.subjects}
    authors: Mapping[str, PublicKey] = dict(map(own_author, settings.authors))
    # The file of what is known grows while the monitor runs.
    return lambda: Mine(subjects, authors, None if settings.known is None else _digests(settings.known))


def _digests(file: Path) -> frozenset[bytes]:
    from did_health.limits import MAX_KNOWN_BYTES

    digests: set[bytes] = set()
    for number, line in enumerate(session.read_file(file, max_bytes=MAX_KNOWN_BYTES).splitlines(), 1):
        word = line.strip()
        if not word or word.startswith(b"#"):
            continue
        try:
            digest = bytes.fromhex(word.decode("ascii"))
        except ValueError:
            digest = b""
        if len(digest) != 32:
            raise FormatError("this is no SHA-256 in hexadecimal digits", where=f"{file} line {number}")
        digests.add(digest)
    return frozenset(digests)


def _tell(out: Output, notice: Notice) -> None:
    from did_health.encoding import strict_json

    if out.as_json:
        out.write(strict_json.dumps(notice.to_json()) + b"\n")
        return
    alarm = notice.alarm
    style = "green" if notice.ended else _STYLES[alarm.level]
    word = "ENDED" if notice.ended else alarm.level.upper()
    out.line(f"{when(notice.time)}  {word:<8}  {alarm.origin}  {alarm.code}", style)
    out.line(f"    {alarm.what}")


def _summary(out: Output, found: Round) -> None:
    now = session.now()
    rows = []
    for origin, look in found.looks.items():
        witnessed = look.seen.witnessed_at
        age = "-" if witnessed is None else ago(now - session.posix(witnessed))
        wrong = sum(alarm.origin == origin for alarm in (*found.holding, *found.events))
        rows.append((origin, look.size, age, wrong or "none"))
    out.table(("Log", "Entries", "Witnessed", "Wrong"), rows)
    told = {notice.alarm.id for notice in found.told}
    for alarm in found.holding:
        if alarm.id not in told:
            out.line(f"{alarm.level.upper():<8}  {alarm.origin}  {alarm.code}, since {when(alarm.since)}", _STYLES[alarm.level])
            out.line(f"    {alarm.what}")
    if found.unsent:
        out.line(f"{found.unsent} notices wait for the webhook.", "yellow")
    if found.worst is None:
        out.line("Nothing is wrong.", "green")


def _status(found: Round) -> int:
    from did_health.ledger.monitor import Level

    if found.worst is None:
        return OK
    return INDETERMINATE if found.worst is Level.UNKNOWN else FAILED


@contextmanager
def _ended_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Within this block SIGTERM and SIGINT call ``stop``, a second one ends the process."""
    before: dict[signal.Signals, object] = {}

    def end(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        # On a thread of its own: what it locks may be locked by what the signal interrupted.
        threading.Thread(target=stop).start()

    if threading.current_thread() is threading.main_thread():
        before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)  # type: ignore[arg-type]  # it is what signal gave
        sys.stdout.flush()
