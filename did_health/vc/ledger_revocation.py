"""``LedgerRevocationEntry``: a credential's status for issuers without a server of their own, such as patients.

The credential carries the hash of a random 32-byte handle that only its issuer (and who was given it) knows::

    "credentialStatus": {"type": "LedgerRevocationEntry", "statusPurpose": "revocation", "handleDigest": "uEiB…"}

``handleDigest`` is a multibase (base64url) SHA-256 multihash. Publishing the handle on the ledger revokes the credential for ever; until
then the ledger proves that it was not published, and tells nobody what the handle stands for.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from did_health.encoding import multibase
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError

ENTRY_TYPE: Final = "LedgerRevocationEntry"
HANDLE_BYTES: Final = 32
_SHA256_MULTIHASH: Final = b"\x12\x20"
_PURPOSE: Final = "revocation"


@dataclass(frozen=True, slots=True)
class LedgerRevocation:
    """The status entry; ``subject`` is the SHA-256 of the handle, which is also the subject on the ledger."""

    subject: bytes

    @classmethod
    def of_handle(cls, handle: bytes) -> LedgerRevocation:
        """The entry for a secret handle of 32 random bytes; raises ``FormatError`` for another length."""
        if len(handle) != HANDLE_BYTES:
            raise FormatError(f"a revocation handle has {HANDLE_BYTES} bytes")
        return cls(hashlib.sha256(handle).digest())

    @classmethod
    def parse(cls, entry: JSON) -> LedgerRevocation:
        """Read the ``credentialStatus`` object; raises ``FormatError`` with the JSON pointer within it."""
        if not is_ledger_revocation(entry) or entry.get("statusPurpose") != _PURPOSE:
            raise FormatError("the status entry is no revocation by the ledger", where="/type")
        digest = entry.get("handleDigest")
        if not isinstance(digest, str):
            raise FormatError("handleDigest is not a text", where="/handleDigest")
        try:
            multihash = multibase.decode(digest, what="handleDigest", allowed="u")
        except FormatError as error:
            raise FormatError(error.what, where="/handleDigest") from error
        if len(multihash) != len(_SHA256_MULTIHASH) + HANDLE_BYTES or not multihash.startswith(_SHA256_MULTIHASH):
            raise FormatError("handleDigest is not a SHA-256 multihash", where="/handleDigest")
        return cls(multihash[len(_SHA256_MULTIHASH) :])

    def to_json(self) -> JSONObject:
        """The ``credentialStatus`` object that ``parse`` reads again."""
        return {"type": ENTRY_TYPE, "statusPurpose": _PURPOSE, "handleDigest": multibase.encode("u", _SHA256_MULTIHASH + self.subject)}


def is_ledger_revocation(entry: JSON) -> bool:
    """Whether a ``credentialStatus`` object says that it is of this type."""
    return isinstance(entry, dict) and entry.get("type") == ENTRY_TYPE
