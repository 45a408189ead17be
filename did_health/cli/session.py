"""What commands open before they do anything: passphrase, directory, register, trust policy, files that the user names."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from did_health.cli.exits import UsageError
from did_health.errors import DidHealthError, FormatError, ResolutionError, StoreError

if TYPE_CHECKING:
    from did_health.keys import Algorithm
    from did_health.stores.directory import Directory, InstitutionFile
    from did_health.stores.register_store import SQLRegister
    from did_health.tlog.witness_policy import PolicyLog, WitnessPolicy
    from did_health.trust.policy import TrustPolicy

POLICY_FILE: Final = "trust-policy.toml"
STANDARD_INPUT: Final = "-"
T = TypeVar("T")

_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[0-9]{1,5})?")
_TOML: Final = re.compile(rb"^\s*format\s*=", re.MULTILINE)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def passphrase(file: Path | None, *, new: bool = False) -> str:
    """The passphrase from the file, the environment or the keyboard; a ``new`` one is typed twice. Raises ``StoreError``."""
    from did_health.stores.passphrase import passphrase_from

    return passphrase_from(file, prompt=_prompt(new=new) if sys.stdin.isatty() else None)


def _prompt(*, new: bool) -> Callable[[], str]:
    import typer

    # On standard error, so that standard output holds nothing but the result.
    return lambda: str(typer.prompt("New passphrase" if new else "Passphrase", hide_input=True, confirmation_prompt=new, err=True))


def open_existing(path: Path, passphrase_file: Path | None) -> Directory:
    """The directory at ``path``; raises ``StoreError`` before it asks for a passphrase if there is none."""
    from did_health.stores.directory import open_directory

    if not (path / "ledger.sqlite").exists():
        raise StoreError("there is no did-health directory here", where=str(path), hint="Make one with: did-health board init", code="store_missing")
    return open_directory(path, passphrase(passphrase_file))


def open_or_create(path: Path, passphrase_file: Path | None, host: str) -> Directory:
    """The directory at ``path``, made with a ledger at ``host`` if nothing is there."""
    from did_health.stores.directory import open_directory

    try:
        empty = not path.exists() or (path.is_dir() and not any(path.iterdir()))
    except OSError as error:
        from did_health.stores.files import store_error

        raise store_error(error, path) from error
    if not path.is_dir() and not empty:
        raise UsageError("this is a file, and a directory is needed", where=str(path))
    if not empty and not (path / "ledger.sqlite").exists():
        raise UsageError("the directory holds something else, or was not made to its end", where=str(path), hint="Move it away, or choose another with --dir")
    if not empty:
        return open_existing(path, passphrase_file)
    if not _HOST.fullmatch(host):
        raise UsageError("this is no host", where="--host", hint="Write it as ledger.example or ledger.example:8443")
    return open_directory(path, passphrase(passphrase_file, new=True), create=True, host=host)


def require_holder(did: str, *, where: str) -> None:
    """Refuse a DID that nobody can prove to hold: of the methods whose DIDs say it all, the key is looked at. Raises ``UsageError``."""
    from did_health.did.resolution import required_urls, resolve

    try:
        if not required_urls(did):
            resolve(did, {}, now=now())
    except ResolutionError as error:
        if error.code == "METHOD_NOT_SUPPORTED":
            return  # held by other software
        raise UsageError(f"nobody can hold a credential for this DID: {error.what}", where=where, hint=error.hint) from error


@contextmanager
def register(path: Path, name: str) -> Iterator[tuple[InstitutionFile, SQLRegister]]:
    """An institution and its register, which is read without any passphrase; raises ``StoreError`` if there is none."""
    from did_health.limits import MAX_KEY_FILE_BYTES
    from did_health.stores import files
    from did_health.stores.database import Database
    from did_health.stores.directory import InstitutionFile
    from did_health.stores.register_store import SQLRegister

    folder = path / "institutions"
    known = sorted(one.stem for one in folder.glob("*.json"))
    data = files.read(folder / f"{name}.json", max_bytes=MAX_KEY_FILE_BYTES) if name in known else None
    if data is None:
        hint = f"There are: {', '.join(known)}" if known else "Make one with: did-health board init"
        raise StoreError(f"there is no institution {name} here", where=str(path), hint=hint, code="store_missing")
    database = Database.open(path / "registers" / f"{name}.sqlite", create=False)
    try:
        yield InstitutionFile.parse(name, data), SQLRegister(database)
    finally:
        database.close()


def read_policy(policy: Path | None, directory: Path) -> TrustPolicy:
    """The trust policy in the file ``policy``, by default the directory's. Raises ``StoreError``, ``FormatError``."""
    from did_health.limits import MAX_POLICY_BYTES
    from did_health.trust.policy import TrustPolicy

    path = policy or directory / POLICY_FILE
    return at_file(path, lambda: TrustPolicy.parse(read_file(path, max_bytes=MAX_POLICY_BYTES)))


def read_witness_policy(path: Path) -> WitnessPolicy:
    """The logs and witnesses in a file: a trust policy (TOML), or C2SP tlog-policy text. Raises ``StoreError``, ``FormatError``, ``UsageError``."""
    from did_health.limits import MAX_POLICY_BYTES
    from did_health.tlog.witness_policy import WitnessPolicy
    from did_health.trust.policy import TrustPolicy

    def parse() -> WitnessPolicy:
        data = read_file(path, max_bytes=MAX_POLICY_BYTES)
        # No line of a tlog-policy has an equals sign as its second word.
        if not _TOML.search(data):
            return WitnessPolicy.parse(data)
        found = TrustPolicy.parse(data).ledger
        if found is None:
            raise UsageError("the trust policy names no ledger, so nothing can be verified", where=str(path))
        return found

    return at_file(path, parse)


def log_at(policy: WitnessPolicy, url: str) -> PolicyLog:
    """The log of a policy that is at ``url``, or its only one. Raises ``UsageError``."""
    found = [log for log in policy.logs if log.url and log.url.rstrip("/") == url] or list(policy.logs)
    if len(found) != 1:
        raise UsageError("the policy does not say which log is at this URL", where=url, hint="Write the URL behind the log's key: log <vkey> <url>")
    return found[0]


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """A file that the user named, or standard input for ``-``. Raises ``StoreError``, also for one that is missing or too large."""
    from did_health.stores import files

    if str(path) == STANDARD_INPUT:
        data = sys.stdin.buffer.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise UsageError(f"standard input has more than the {max_bytes} bytes allowed")
        return data
    if path.is_dir():
        raise UsageError("this is a directory, and a file is needed", where=str(path))
    try:
        found = files.read(path, max_bytes=max_bytes)
    except StoreError as error:
        if error.code == "store_foreign":
            raise UsageError(error.what, where=error.where) from error
        raise
    if found is None:
        raise StoreError("there is no such file", where=str(path), hint="Check the path", code="store_missing")
    return found


def at_file(path: Path, parse: Callable[[], T]) -> T:
    """What ``parse`` returns; the file's name is added to the place that its error names."""
    try:
        return parse()
    except (StoreError, UsageError):
        raise
    except DidHealthError as error:
        error.where = f"{path} {error.where}".rstrip()
        raise


def write_file(path: Path, data: bytes, *, secret: bool = False) -> None:
    """Put ``data`` into a file that the user named, whole or not at all. Raises ``StoreError``."""
    from did_health.stores import files

    if path.is_dir():
        raise UsageError("this is a directory, and a file is needed", where=str(path))
    files.write_atomically(path, data, mode=files.PRIVATE if secret else files.PUBLIC)


def moment(text: str | None, option: str) -> datetime | None:
    """A time that an option gives; a day stands for its beginning in UTC. Raises ``UsageError``."""
    from did_health.encoding import timestamps

    if text is None:
        return None
    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        return timestamps.parse(text)
    except (FormatError, ValueError) as error:
        raise UsageError("this is no time", where=option, hint="Write it as 2026-01-31 or 2026-01-31T13:45:00Z") from error


def day(text: str, option: str) -> date:
    """A day that an option gives. Raises ``UsageError``."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError("this is no date", where=option, hint="Write it as 2026-01-31") from error


def require_name(name: str) -> None:
    """Raises ``UsageError`` for what is no name of an institution or wallet, before anything is made for it."""
    if not _NAME.fullmatch(name):
        raise UsageError("a name is a short word of a to z, 0 to 9 and hyphens", where=name)


def require_details(title: str, jurisdiction: str) -> None:
    """Raises ``FormatError`` for details that no institution can have, before anything is made for it."""
    from did_health.health.issuer_details import Issuer

    Issuer("did:example:to-be-made", title, jurisdiction)


def algorithm(text: str) -> Algorithm:
    """An algorithm of keys that sign documents, by its name, in any case of its letters."""
    from did_health.roles.signing import DOCUMENT_ALGORITHMS

    return _named(text, DOCUMENT_ALGORITHMS)


def any_algorithm(text: str) -> Algorithm:
    """As ``algorithm``, BBS keys included."""
    from did_health.keys import Algorithm

    return _named(text, tuple(Algorithm))


def _named(text: str, algorithms: tuple[Algorithm, ...]) -> Algorithm:
    for one in algorithms:
        if one.lower() == text.lower():
            return one
    raise UsageError("there is no such algorithm", where="--algorithm", hint=f"There are: {', '.join(algorithms)}")


def posix(seconds: int) -> datetime:
    """The time, aware UTC, of POSIX seconds."""
    return datetime.fromtimestamp(seconds, UTC)


def now() -> datetime:
    """The time, aware UTC."""
    from did_health.stores.clock import system_clock

    return system_clock()


def random_bytes(count: int) -> bytes:
    """Secret random bytes of the system."""
    return os.urandom(count)


@contextmanager
def ending_signals() -> Iterator[threading.Event]:
    """Within this block SIGTERM and Ctrl-C do not end the process but set the event, which says that it is to end."""
    import signal

    ending = threading.Event()
    before = {one: signal.signal(one, lambda *_: ending.set()) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield ending
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
