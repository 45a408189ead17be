"""Every error this library raises on purpose, in one tree.

::

    DidHealthError            .code is the specification's own error code where it has one
    ├ FormatError(ValueError) bytes are not what the specification says
    ├ UnsupportedError        unknown method, suite, algorithm, version
    ├ ResolutionError         a DID was not found, is deactivated or invalid
    ├ VerificationError       well-formed, but it does not prove what it claims; may carry the report
    └ EdgeError               the world outside the process
      ├ TransportError        network
      ├ StoreError            files and databases
      └ ConflictError         somebody else changed the shared state first

A caller's own mistake (a wrong argument) stays ``TypeError`` or ``ValueError``.
"""

from __future__ import annotations

from typing import ClassVar


class DidHealthError(Exception):
    """Base of all errors: says what is wrong, where, and what to do about it.

    ``what`` is a sentence without a full stop, ``where`` a place in the input (a JSON pointer, a line, a file), ``hint`` what the
    reader can do. ``code`` is stable and machine-readable. None of them ever holds a claim, a key or a passphrase.
    """

    default_code: ClassVar[str] = "error"

    def __init__(self, what: str, *, where: str = "", hint: str = "", code: str | None = None) -> None:
        self.what = what
        self.where = where
        self.hint = hint
        self.code = code or self.default_code
        super().__init__(what)

    def __str__(self) -> str:
        place = f" (at {self.where})" if self.where else ""
        advice = f". {self.hint}" if self.hint else ""
        return f"{self.what}{place}{advice}"


class FormatError(DidHealthError, ValueError):
    """The bytes are not what the specification says: garbage, truncated, oversized, non-canonical or of a wrong type."""

    default_code = "malformed"


class UnsupportedError(DidHealthError):
    """Well-formed, but of a DID method, cryptosuite, algorithm or version that this library does not speak."""

    default_code = "unsupported"


class ResolutionError(DidHealthError):
    """A DID or DID URL could not be resolved; ``code`` is the DID Resolution error, such as ``NOT_FOUND`` or ``INVALID_DID``."""

    default_code = "NOT_FOUND"


class VerificationError(DidHealthError):
    """The input is well-formed, yet does not prove what it claims. ``report`` is there when a whole verification was refused."""

    default_code = "verification_failed"

    def __init__(self, what: str, *, where: str = "", hint: str = "", code: str | None = None, report: object = None) -> None:
        super().__init__(what, where=where, hint=hint, code=code)
        self.report = report


class EdgeError(DidHealthError):
    """Something outside the process failed."""

    default_code = "edge"


class TransportError(EdgeError):
    """The network said no, said too much, or said nothing."""

    default_code = "transport"


class StoreError(EdgeError):
    """A file or database could not be read or written, or is not ours."""

    default_code = "store"


class ConflictError(EdgeError):
    """Another writer changed the shared state first; read again and retry."""

    default_code = "conflict"
