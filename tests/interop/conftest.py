"""Scripts for Node with packages of Digital Bazaar: installed once, where npm can fetch them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parent / "node"

RunNode = Callable[[str, Any], Any]


@pytest.fixture(scope="session")
def run_node(tmp_path_factory: pytest.TempPathFactory) -> RunNode:
    """``(script, what it reads) → what it writes``, both in JSON; skips where Node or the packages are lacking."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node and npm are not installed")
    folder = tmp_path_factory.mktemp("node") / "packages"
    shutil.copytree(SOURCE, folder)
    install = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--fetch-retries=0", "--fetch-timeout=20000"]
    try:
        installed = subprocess.run(install, cwd=folder, capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm cannot fetch the packages: it takes too long")
    if installed.returncode:
        pytest.skip("npm cannot fetch the packages")

    def run(script: str, given: Any) -> Any:
        done = subprocess.run([node, script], cwd=folder, input=json.dumps(given), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
