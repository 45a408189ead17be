"""Bitstring Status List v1.0: the names that the rest of the library uses, from the three modules that hold them."""

from __future__ import annotations

from did_health.vc.status_credential import (
    EntriesAlike,
    StatusListCredential,
    StatusResult,
    build_status_list_credential,
    check_status,
    is_clear,
    retrieval_error,
    validate_status,
)
from did_health.vc.status_entry import StatusEntry, StatusPurpose
from did_health.vc.status_list import StatusList

__all__ = [
    "EntriesAlike",
    "StatusEntry",
    "StatusList",
    "StatusListCredential",
    "StatusPurpose",
    "StatusResult",
    "build_status_list_credential",
    "check_status",
    "is_clear",
    "retrieval_error",
    "validate_status",
]
