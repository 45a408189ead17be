from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from did_health.cli import output, session
from did_health.cli.exits import BROKEN_PIPE, FAILED, INDETERMINATE, USAGE, UsageError, asking, exit_code
from did_health.cli.main import command, run
from did_health.errors import ConflictError, FormatError, ResolutionError, StoreError, TransportError, UnsupportedError, VerificationError
from tests.cli_runs import CLI
from tests.conftest import REPOSITORY
from tests.ledger_parties import PASSPHRASE


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, one in (group or command()).commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, (*path, name))
        else:
            yield (*path, name), one


ALL = {" ".join(path): one for path, one in commands()}
GROUPS = {name.split()[0] for name in ALL if " " in name}


def test_the_commands_that_there_are() -> None:
    assert {"demo", "verify", "inspect", "did create", "board import", "wallet present", "ledger check"} <= ALL.keys()


@pytest.mark.parametrize("name", ALL)
def test_every_command_and_option_has_help(name: str) -> None:
    one = ALL[name]
    assert one.help
    assert "xample" in (one.epilog or "")
    assert "did-health" in one.epilog
    for parameter in one.params:
        assert parameter.name == "help" or parameter.help, parameter.name
    assert "--json" in {option for parameter in one.params for option in parameter.opts}


@pytest.mark.parametrize("name", ALL)
def test_examples_name_real_commands_and_options(name: str) -> None:
    known = {option for parameter in ALL[name].params for option in parameter.opts}
    for line in str(ALL[name].epilog).split("\n\n")[1:]:
        assert line.startswith(f"did-health {name}")
        assert set(re.findall(r"(?<= )--?[a-z-]+", line)) <= known, line


def test_every_command_is_in_the_docs_and_the_docs_name_no_other() -> None:
    text = (REPOSITORY / "docs" / "cli.md").read_text()
    rows = set(re.findall(r"^\| `([a-z -]+)` \|", text, re.MULTILINE))
    assert rows == ALL.keys()
    for line in re.findall(r"did-health ([a-z]+ [a-z]+|[a-z]+)", text):
        assert line in ALL or line.split()[0] in ALL or line.split()[0] in GROUPS, line


@pytest.mark.parametrize("arguments", [["--help"], *([*name.split(), "--help"] for name in sorted(ALL)), *([name, "--help"] for name in sorted(GROUPS))])
def test_help_can_be_printed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run(arguments)
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert "Usage" in shown
    assert "not bold" not in shown
    assert max(shown) < "\U0001f000", "an emoji that nobody meant"


def test_dids_in_examples_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["did", "resolve", "--help"])
    assert "did:key:z6Mk" in capsys.readouterr().out


def test_version(cli: CLI) -> None:
    from did_health import __version__

    assert cli("--version").out == f"did-health {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["verify"], ["board", "suspend", "x"], ["did", "create", "--colour"], ["ledger", "prove", "--index", "-1"]]
)
def test_usage_errors(cli: CLI, arguments: list[str]) -> None:
    assert "Usage" in cli(*arguments, code=USAGE).err


def test_help_imports_nothing_heavy() -> None:
    import subprocess

    program = (
        "import sys; from did_health.cli.main import command; command();"
        "print([name for name in ('sqlalchemy', 'httpx', 'nacl', 'cryptography', 'jsonschema', 'rich.console') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("error", "code"), [
    (FormatError("x"), USAGE),
    (UnsupportedError("x"), USAGE),
    (UsageError("x"), USAGE),
    (VerificationError("x"), FAILED),
    (VerificationError("x", code="wrong_passphrase"), USAGE),
    (StoreError("x"), FAILED),
    (StoreError("x", code="store_missing"), USAGE),
    (ConflictError("x"), FAILED),
    (TransportError("x"), INDETERMINATE),
    (ResolutionError("x"), FAILED),
    (ResolutionError("x", code="INVALID_DID"), USAGE),
    (ResolutionError("x", code="INTERNAL_ERROR"), INDETERMINATE),
])
def test_exit_codes(error: Any, code: int) -> None:
    assert exit_code(error) == code


def test_answers_of_roles_become_usage_errors() -> None:
    with pytest.raises(UsageError, match="no such thing"), asking("no such thing"):
        raise KeyError("secret")
    with pytest.raises(UsageError, match="a reason"), asking("no such thing"):
        raise ValueError("a reason")
    with pytest.raises(FormatError, match="malformed"), asking("no such thing"):
        raise FormatError("malformed")


def test_ctrl_c(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "read_witness_policy", interrupted)
    cli("ledger", "show", code=130)


class _Terminal:
    def __init__(self, file: Any) -> None:
        self._file = file

    def isatty(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_a_person_is_asked_for_the_passphrase(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def prompt(text: str, **options: Any) -> str:
        asked.append((text, options["hide_input"], options["confirmation_prompt"], options["err"]))
        return PASSPHRASE

    monkeypatch.delenv("DID_HEALTH_PASSPHRASE")
    monkeypatch.setattr("typer.prompt", prompt)
    monkeypatch.setattr(sys, "stdin", _Terminal(sys.stdin))
    cli("wallet", "list", "adams")
    cli("wallet", "init", "clark")
    assert asked == [("Passphrase", True, False, True), ("New passphrase", True, True, True)]


def test_a_person_is_asked_before_the_end_of_a_did(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False, True])
    monkeypatch.setattr("typer.confirm", lambda *_, **__: next(answers))
    monkeypatch.setattr(sys, "stdin", _Terminal(sys.stdin))
    assert "nothing was done" in cli("did", "deactivate", "nc-medical", code=USAGE).err
    assert "deactivated" in cli("did", "deactivate", "nc-medical").out


def test_progress_on_a_terminal(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    from did_health.cli.progress import counting

    monkeypatch.setattr(sys, "stderr", _Terminal(sys.stderr))
    with counting("Counting", quiet=False) as advance:
        advance(3)


@pytest.mark.parametrize("what", ["text", "bytes"])
def test_a_reader_that_went_away(what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as file:
        class Closed(_Terminal):
            def isatty(self) -> bool:
                return False

            def write(self, _: str) -> int:
                raise BrokenPipeError

            @property
            def buffer(self) -> Closed:
                return self

        monkeypatch.setattr(sys, "stdout", Closed(file))
        out = output.Output(as_json=False)
        with pytest.raises(SystemExit) as left:
            out.line("x") if what == "text" else out.write(b"x")
        assert left.value.code == BROKEN_PIPE
        assert os.readlink(f"/proc/self/fd/{file.fileno()}") == os.devnull


def test_what_is_printed() -> None:
    assert output.when(None) == "-"
    assert output.short("short") == "short"
    assert output.short("did:key:" + "x" * 80) == "did:key:xxxxxxxxxxx…xxxxxxxxxxxxxxxxxxx"
