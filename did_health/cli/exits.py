"""Exit statuses, and which one an error of the tree has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from did_health.errors import DidHealthError, FormatError, ResolutionError, TransportError, UnsupportedError

if TYPE_CHECKING:
    from did_health.roles.report import Verdict

OK: Final = 0
"""Done, or: the verdict is accept."""
FAILED: Final = 1
"""Failed, or: the verdict is refuse."""
USAGE: Final = 2
"""What the caller gave is not what the command takes: an option, a name, a malformed file, a wrong passphrase."""
INDETERMINATE: Final = 3
"""It cannot be told: something that is needed could not be had."""
CONDITIONAL: Final = 4
INTERRUPTED: Final = 130
"""As the shell has it for Ctrl-C."""
BROKEN_PIPE: Final = 141
"""As the shell has it for a reader that went away; not a verdict."""

_USAGE_CODES: Final = frozenset({"store_missing", "passphrase_missing", "passphrase_unusable", "wrong_passphrase", "file_exists"})
_DID_USAGE_CODES: Final = frozenset({
    "INVALID_DID", "INVALID_DID_URL", "INVALID_OPTIONS", "METHOD_NOT_SUPPORTED", "FEATURE_NOT_SUPPORTED", "REPRESENTATION_NOT_SUPPORTED",
    "INVALID_PUBLIC_KEY", "INVALID_PUBLIC_KEY_LENGTH", "UNSUPPORTED_PUBLIC_KEY_TYPE",
})


class UsageError(DidHealthError):
    """What was asked for cannot be done with what was given."""

    default_code = "usage"


def exit_code(error: DidHealthError) -> int:
    """The exit status of a command that ended with ``error``."""
    if isinstance(error, UsageError | FormatError | UnsupportedError) or error.code in _USAGE_CODES:
        return USAGE
    if isinstance(error, ResolutionError):
        if error.code in _DID_USAGE_CODES:
            return USAGE
        return INDETERMINATE if error.code == "INTERNAL_ERROR" else FAILED
    return INDETERMINATE if isinstance(error, TransportError) else FAILED


def verdict_code(verdict: Verdict) -> int:
    """The exit status of a command whose answer is this verdict."""
    from did_health.roles.report import Verdict

    return {Verdict.ACCEPT: OK, Verdict.REFUSE: FAILED, Verdict.CONDITIONAL: CONDITIONAL}.get(verdict, INDETERMINATE)


@contextmanager
def asking(what: str, *, where: str = "", hint: str = "") -> Iterator[None]:
    """What a role answers with ``KeyError`` (there is no such thing: ``what``) or ``ValueError`` (its own sentence) becomes a ``UsageError``."""
    try:
        yield
    except DidHealthError:
        raise
    except KeyError as error:
        raise UsageError(what, where=where, hint=hint) from error
    except ValueError as error:
        raise UsageError(str(error), where=where) from error


@contextmanager
def no_verdict() -> Iterator[None]:
    """Inside ``verify`` the status 1 says "refuse": any other failure says nothing about the credential, so it is indeterminate."""
    try:
        yield
    except DidHealthError as error:
        if exit_code(error) != FAILED:
            raise
        raise NoVerdict(error.what, where=error.where, hint=error.hint, code=error.code) from error


class NoVerdict(TransportError):
    """The verification did not come to an end, for a reason that has nothing to do with what was verified."""
