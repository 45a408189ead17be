"""A guide is what somebody types: its blocks of ``sh`` and ``python`` are run as written, in their order, in one folder.

In ``sh`` a line ``NAME=value`` sets a variable; a test gives the values that a reader would have in their stead. Only ``did-health`` is run, in this
process. A comment ``# status N`` says which exit status a command has.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from tests.cli_runs import CLI
from tests.conftest import REPOSITORY

GUIDES = REPOSITORY / "docs/guides"

_BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_STATUS = re.compile(r"# status (\d)")


@dataclass(frozen=True)
class Block:
    """A block of a page that can be run, and the line of the page on which it begins."""

    language: str
    text: str
    line: int
    page: Path

    def execute(self, namespace: dict[str, Any]) -> None:
        """Run a block of Python; a traceback names the page's own lines."""
        exec(compile("\n" * self.line + self.text, str(self.page), "exec"), namespace)


def blocks(page: Path) -> list[Block]:
    """The blocks of ``sh`` and ``python``, in their order."""
    text = page.read_text(encoding="utf-8")
    return [Block(match[1], match[2], text.count("\n", 0, match.start(2)), page) for match in _BLOCK.finditer(text)]


def commands(text: str) -> list[str]:
    """The commands of an ``sh`` block, continued lines put together."""
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def run_guide(cli: CLI, name: str, *, before: Mapping[str, Callable[[], None]], variables: Mapping[str, Callable[[], str]]) -> dict[str, Any]:
    """Run a page. ``before`` does what others do before the command that begins so; ``variables`` gives what a reader would write after ``NAME=``.

    Gives the names that the Python of the page has defined.
    """
    known: dict[str, str] = {}
    left = set(before)
    namespace: dict[str, Any] = {}
    for block in blocks(GUIDES / f"{name}.md"):
        if block.language == "python":
            block.execute(namespace)
            continue
        for line in commands(block.text):
            if assigned := re.fullmatch(r"([A-Z]+)=(\S+)", line):
                known[assigned[1]] = variables[assigned[1]]()
                continue
            for start in [start for start in left if line.startswith(start)]:
                before[start]()
                left.remove(start)
            program, *arguments = shlex.split(Template(line).substitute(known), comments=True)
            assert program == "did-health", line
            status = _STATUS.search(line)
            cli(*arguments, code=int(status[1]) if status else 0)
    assert not left, f"no command of the page begins with {left}"
    return namespace
