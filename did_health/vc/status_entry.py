"""``BitstringStatusListEntry``: where a credential's status is found, and what its values mean (Bitstring Status List v1.0 §2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.vc.status_list import MALFORMED_VALUE, MAX_STATUS_SIZE
from did_health.vc.validation import is_common_url, is_url, type_names

ENTRY_TYPE: Final = "BitstringStatusListEntry"
MAX_INDEX_DIGITS: Final = 20
_STATUSES: Final = [hex(value) for value in range(1 << MAX_STATUS_SIZE)]
_UNSET_AND_SET: Final = ("unset", "set")


class StatusPurpose(StrEnum):
    """The purposes that the specification defines (§2.2); a list may have others."""

    REVOCATION = "revocation"
    """Cancelled, for ever."""
    SUSPENSION = "suspension"
    """Not to be accepted for the time being."""
    MESSAGE = "message"
    """The value is one of the entry's messages."""
    REFRESH = "refresh"
    """A newer credential is to be had; the credential stays valid."""


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """One status of a credential.

    ``index`` is the position in the list at ``list_url``, ``size`` the bits of a value (1 to 8), ``messages`` the text for each value,
    for developers and not for end users (empty: none given), ``references`` URLs that explain the statuses.
    """

    purpose: str
    index: int
    list_url: str
    size: int = 1
    messages: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    @classmethod
    def parse(cls, entry: JSON) -> StatusEntry:
        """Read one ``credentialStatus`` object.

        Raises ``UnsupportedError`` for another type of status or a size beyond 8 bits, ``FormatError`` (code ``MALFORMED_VALUE_ERROR``,
        JSON pointer within the object) for a malformed one.
        """
        if type(entry) is not dict:
            raise _malformed("the status entry is not an object", "")
        kind = entry.get("type")
        if kind != ENTRY_TYPE:
            names = type_names(kind)
            if names is None:
                raise _malformed("the status entry has no type", "/type")
            if ENTRY_TYPE not in names:
                raise UnsupportedError("a credentialStatus is of another type than BitstringStatusListEntry", where="/type")
        purpose, index, list_url = entry.get("statusPurpose"), entry.get("statusListIndex"), entry.get("statusListCredential")
        if type(purpose) is not str or not purpose:
            raise _malformed("statusPurpose is not a string", "/statusPurpose")
        # int() takes signs, blanks, underscores and other scripts' digits.
        if type(index) is not str or not index.isascii() or not index.isdigit() or len(index) > MAX_INDEX_DIGITS:
            raise _malformed("statusListIndex is not a string of decimal digits", "/statusListIndex")
        if type(list_url) is not str or not is_common_url(list_url):
            raise _malformed("statusListCredential is not a URL", "/statusListCredential")
        if "id" in entry and (entry["id"] == list_url or not is_url(entry["id"])):
            raise _malformed("the id of the status entry is not a URL, or is that of the list", "/id")
        size = parse_size(entry["statusSize"], "/statusSize") if "statusSize" in entry else 1
        messages: tuple[str, ...] = ()
        if "statusMessage" in entry:
            messages = parse_messages(entry["statusMessage"], size, "/statusMessage")
        elif size > 1:
            raise _malformed("statusSize is more than 1 and there is no statusMessage", "")
        references: tuple[str, ...] = ()
        if "statusReference" in entry:
            value = entry["statusReference"]
            references = tuple(value) if type(value) is list else (value,)
            if not references or not all(map(is_url, references)):
                raise _malformed("statusReference is neither a URL nor a list of URLs", "/statusReference")
        return cls(purpose, int(index), list_url, size, messages, references)

    def to_json(self) -> JSONObject:
        """The ``credentialStatus`` object that ``parse`` reads again."""
        entry: JSONObject = {
            "id": f"{self.list_url}#{self.index}",
            "type": ENTRY_TYPE,
            # Not the StrEnum: a document holds plain strings, whatever it was made of.
            "statusPurpose": str(self.purpose),
            "statusListIndex": str(self.index),
            "statusListCredential": self.list_url,
        }
        if self.size != 1:
            entry["statusSize"] = self.size
        if self.messages:
            entry["statusMessage"] = messages_to_json(self.messages)
        if self.references:
            entry["statusReference"] = list(self.references)
        return entry

    def message(self, value: int) -> str:
        """The text for ``value`` (0 to 2^size - 1); "unset" and "set" where the entry gives none (§2.1)."""
        return (self.messages or _UNSET_AND_SET)[value]


def parse_size(value: JSON, where: str) -> int:
    """``statusSize``: an integer above zero (§2.1), here at most 8."""
    if type(value) is not int or value < 1:
        raise _malformed("statusSize is not an integer above zero", where)
    if value > MAX_STATUS_SIZE:
        raise UnsupportedError(f"statusSize is more than {MAX_STATUS_SIZE} bits", where=where)
    return value


def parse_messages(value: JSON, size: int, where: str) -> tuple[str, ...]:
    """``statusMessage``: exactly one object for each of the 2^size values, in any order; returned in the order of the values."""
    if type(value) is not list or len(value) != 1 << size:
        raise _malformed(f"statusMessage is not a list of {1 << size} items, one for each value of {size} bits", where)
    try:
        found = [item["message"] for item in value]
        # join() refuses whatever is not a string.
        if [item["status"] for item in value] == _STATUSES[: len(value)] and "".join(found) is not None:
            return tuple(found)
    except (LookupError, TypeError):
        pass  # Not the usual shape: look at every item and say which one is wrong, if any.
    return _parse_messages_slowly(value, where)


def _parse_messages_slowly(value: list[JSON], where: str) -> tuple[str, ...]:
    texts: list[str | None] = [None] * len(value)
    for position, item in enumerate(value):
        if type(item) is not dict or type(item.get("message")) is not str:
            raise _malformed("the item has no message", f"{where}/{position}")
        status = item.get("status")
        number = position if status == hex(position) else _status_number(status, f"{where}/{position}/status")
        if number >= len(texts) or texts[number] is not None:
            raise _malformed("the status is out of range or comes twice", f"{where}/{position}/status")
        texts[number] = item["message"]
    return tuple(text for text in texts if text is not None)


def messages_to_json(messages: Sequence[str]) -> list[JSONObject]:
    """``statusMessage`` with the text for the values 0, 1, 2 …"""
    return [{"status": hex(value), "message": message} for value, message in enumerate(messages)]


def _status_number(status: JSON, where: str) -> int:
    digits = status[2:] if type(status) is str and status[:2] in ("0x", "0X") and len(status) <= 8 else ""
    # int(…, 16) takes underscores and signs.
    if not digits or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        raise _malformed("the status is not a hexadecimal number such as 0x1", where)
    return int(digits, 16)


def _malformed(what: str, where: str) -> FormatError:
    return FormatError(what, where=where, code=MALFORMED_VALUE)
