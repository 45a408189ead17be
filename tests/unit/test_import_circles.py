"""No module of the package imports, at any depth, one that imports it; imports inside functions count, because they only hide a circle."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import did_health

ROOT = Path(did_health.__file__).parent


def modules() -> dict[str, Path]:
    named = {".".join(("did_health", *path.relative_to(ROOT).with_suffix("").parts)): path for path in ROOT.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in named.items()}


def imported(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of the package that this file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # A name is a module of its own, or something in the module that is named.
            found |= {full if (full := f"{node.module}.{alias.name}") in known else node.module for alias in node.names}
    return found & known.keys()


def test_no_two_modules_import_each_other() -> None:
    known = modules()
    graph = {name: imported(path, known) - {name} for name, path in known.items()}
    assert sum(map(len, graph.values())) > 1_000
    # Raises CycleError, which names the circle.
    TopologicalSorter(graph).prepare()
