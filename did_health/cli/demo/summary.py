"""The demo's result: as one JSON document, and as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from did_health.cli.demo import counter, discipline, gallery
from did_health.cli.demo.ground import Ground
from did_health.cli.demo.issue import Holders
from did_health.cli.demo.journal import Journal, Verification
from did_health.cli.demo.people import Account
from did_health.cli.demo.town import DEMO_SEALING, MEDICAL, PASSPHRASE_FILE
from did_health.cli.output import clean
from did_health.encoding.strict_json import JSONObject

FORMAT: Final = "did-health/demo-summary/v1"
IMPORT_REPORT: Final = "import.json"
SUMMARY: Final = "summary.json"
_ROWS_SHOWN: Final = 100
_ARTEFACTS: Final = (
    ("credentials/", "what was issued, each with its receipt"),
    ("presentations/", "what holders signed for the pharmacy"),
    ("reports/", "every check of every verification"),
    ("evidence/", "what the checks were made with"),
    ("published/", "the log: checkpoint, tiles, entries, documents"),
    ("ledger.sqlite", "the log's database: no patient is in it"),
    ("registers/", "what each issuer issued, kept by itself"),
    ("wallets/", "encrypted wallets"),
    (f"{IMPORT_REPORT}, {SUMMARY}", "what became of each row; all of this"),
    (PASSPHRASE_FILE, "opens every key and wallet here: a demo only"),
)


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that the demo has to say."""

    journal: Journal
    accounts: Sequence[Account]
    institutions: Sequence[JSONObject]
    ledgers: Sequence[JSONObject]
    physicians: int
    patients: int
    commands: Sequence[str]

    @classmethod
    def of(cls, ground: Ground, holders: Holders, accounts: Sequence[Account], journal: Journal) -> Summary:
        """Ask the ground what has become of it."""
        institutions = [{"name": one.name, "did": one.did, "title": one.title, "jurisdiction": one.jurisdiction} for one in ground.office.institutions]
        board = next(str(one["name"]) for one in institutions if str(one["name"]).endswith(MEDICAL))
        return cls(journal, tuple(accounts), institutions, tuple(ground.ledgers()), len(holders.physicians), len(holders.patients), ground.commands(board))

    @property
    def ok(self) -> bool:
        """Whether every verdict was what it must be."""
        return self.journal.as_it_must_be

    def to_json(self) -> JSONObject:
        """Machine-readable; holds no claim of anybody."""
        return {
            "format": FORMAT,
            "ok": self.ok,
            "directory": str(self.journal.path),
            "ledgers": list(self.ledgers),
            "institutions": list(self.institutions),
            "physicians": self.physicians,
            "patients": self.patients,
            "import": {account.what: account.to_json() for account in self.accounts},
            "sealing": {"operations": DEMO_SEALING.operations, "memoryBytes": DEMO_SEALING.memory_bytes, "reason": "cheaper than usual: a demo"},
            "seconds": {name: round(seconds, 3) for name, seconds in self.journal.seconds.items()},
            "verifications": [done.to_json() for done in self.journal.verifications],
        }

    def tables(self) -> Iterator[RenderableType]:
        """For people: what became of the input, what happened, every verdict, where to look, and the result."""
        for account in self.accounts:
            yield from _account(account)
        yield self._happened()
        yield self._verdicts()
        yield Text()
        yield self._places()
        yield Text("Go on with:", style="italic")
        yield from (Text(f"  {command}") for command in self.next_commands())
        yield Text()
        verifications = self.journal.verifications
        if self.ok:
            yield Text(f"All {len(verifications)} verdicts are what they must be.", style="bold green")
        else:
            wrong = sum(not done.as_it_must_be for done in verifications)
            yield Text(f"{wrong} of {len(verifications)} verdicts are WRONG.", style="bold red")

    def next_commands(self) -> tuple[str, ...]:
        """Commands that look at what is there now."""
        path = self.journal.path
        return (
            f"did-health inspect {quote(str(path / 'credentials' / 'physician-001.json'))}",
            *self.commands,
        )

    def _happened(self) -> Table:
        table = Table(title="What happened", title_justify="left", box=box.SIMPLE, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for one in self.ledgers:
            mirrors = f"; {one['mirrors']} mirrors, quorum {one['mirrorQuorum']}" if "mirrors" in one else ""
            table.add_row("ledger", f"{one['entries']} entries, {one['witnesses']} witnesses, quorum {one['quorum']}{mirrors}")
        table.add_row("institutions", "\n".join(str(one["title"]) for one in self.institutions))
        table.add_row("credentials", f"{self.physicians} physician licences, {self.patients} patient identities, 1 pharmacy permit")
        cost = f"at a lower cost than usual ({DEMO_SEALING.memory_bytes >> 20} MiB) for the demo"
        table.add_row("wallets", f"{self.physicians + self.patients + 1} encrypted, {cost}")
        for name, seconds in self.journal.seconds.items():
            table.add_row("", Text(f"{seconds:7.2f} s  {name}", style="dim"))
        table.add_row("", Text(f"{sum(self.journal.seconds.values()):7.2f} s  in all", style="dim"))
        return table

    def _verdicts(self) -> Table:
        table = Table(title="Verifications", title_justify="left", box=box.SIMPLE, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column("", no_wrap=True)
        table.add_column("case", min_width=28, overflow="fold")
        table.add_column("verdict", no_wrap=True)
        table.add_column("reason", overflow="fold")
        table.add_column("ms", justify="right", no_wrap=True, min_width=4)
        at_counter = [done for done in self.journal.verifications if done.step == counter.STEP]
        for title in dict.fromkeys(done.title for done in at_counter):
            alike = [done for done in at_counter if done.title == title]
            for found in dict.fromkeys((done.report.verdict, done.report.codes) for done in alike):
                same = [done for done in alike if (done.report.verdict, done.report.codes) == found]
                _add_row(table, same[0], f"{title} ({len(same)})" if len(same) > 1 else title, sum(done.seconds for done in same) / len(same))
        for step in (discipline.STEP, gallery.STEP):
            table.add_section()
            for done in self.journal.verifications:
                if done.step == step:
                    _add_row(table, done, done.title, done.seconds)
        return table

    def _places(self) -> Table:
        table = Table(title=Text(f"To look at, in {self.journal.path}"), title_justify="left", box=box.SIMPLE, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, meaning in _ARTEFACTS:
            if any((self.journal.path / part.strip()).exists() for part in name.split(",")):
                table.add_row(name, meaning)
        return table


def _add_row(table: Table, done: Verification, title: str, seconds: float) -> None:
    right = done.as_it_must_be
    mark = Text("ok", style="green") if right else Text("WRONG", style="bold red")
    code = done.report.codes[0] if done.report.codes else ""
    table.add_row(mark, title, done.report.verdict, code if right else f"{code}; must be {done.expected}", f"{seconds * 1000:.0f}")


def _account(account: Account) -> Iterator[Text]:
    """Every row that was skipped with its reason; notes, which are many and alike, by their number."""
    stand_ins = f", {account.stand_ins} of the sample stand in" if account.stand_ins else ""
    yield Text(f"{account.what}: {account.taken} taken, {len(account.skipped)} skipped{stand_ins}", style="bold")
    for row in account.skipped[:_ROWS_SHOWN]:
        yield Text(f"  skipped {clean(row)}")
    if len(account.skipped) > _ROWS_SHOWN:
        yield Text(f"  … and {len(account.skipped) - _ROWS_SHOWN} more: see {IMPORT_REPORT}")
    for note, number in Counter(note.note for note in account.notes).items():
        yield Text(f"  {number} rows: {note}")
