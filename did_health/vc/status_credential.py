"""The credential that carries a status list, and the check of an entry against it (Bitstring Status List v1.0 §2.2, §3.1, §3.2).

Left to the caller, because it needs the world: fetching the list, its proof, and whether its issuer may speak about the credential at
all (§3.2, step 4 and the note at its end).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import DidHealthError, FormatError, ResolutionError, VerificationError
from did_health.limits import MIN_STATUS_LIST_ENTRIES
from did_health.vc.credential import Credential
from did_health.vc.status_entry import MAX_INDEX_DIGITS, StatusEntry, StatusPurpose, messages_to_json, parse_messages, parse_size
from did_health.vc.status_list import MALFORMED_VALUE, StatusList
from did_health.vc.validation import CONTEXT_V2, type_names

STATUS_RETRIEVAL: Final = "STATUS_RETRIEVAL_ERROR"
STATUS_VERIFICATION: Final = "STATUS_VERIFICATION_ERROR"
STATUS_LIST_LENGTH: Final = "STATUS_LIST_LENGTH_ERROR"

# Neither statusSize nor statusMessage, in the common shape.
_MEMBERS_OF_ONE_BIT: Final = 4
_MIN_BYTES: Final = (MIN_STATUS_LIST_ENTRIES + 7) // 8
_MESSAGE: Final = StatusPurpose.MESSAGE.value
_MAX_TTL_MILLISECONDS: Final = 1 << 53
_NAMESPACE: Final = "https://www.w3.org/ns/credentials/status#"


@dataclass(frozen=True, slots=True)
class StatusResult:
    """What the list says of one entry (§3.2, steps 11 to 15).

    ``valid`` is the specification's word for ``value == 0``: with the purpose ``refresh`` a set bit does not invalidate the credential,
    and what a ``message`` means is the issuer's to say.
    """

    purpose: str
    value: int
    valid: bool
    message: str | None = None


@dataclass(frozen=True, slots=True)
class StatusListCredential:
    """A status list as its issuer published it.

    ``credential`` is the whole of it, ``purposes`` what its bits are about, ``ttl`` after how long a refresh should be tried (§2.2, given
    in milliseconds), ``declared_size`` the bits of a value where the list says so, ``messages`` their texts where it gives any.
    """

    credential: Credential
    purposes: tuple[str, ...]
    status_list: StatusList
    ttl: timedelta | None = None
    declared_size: int | None = None
    messages: tuple[str, ...] = ()

    @classmethod
    def parse(cls, credential: Credential) -> StatusListCredential:
        """Read and decompress the list; the proof is not looked at.

        Raises ``FormatError`` (code ``MALFORMED_VALUE_ERROR``), or ``UnsupportedError`` for values of more than 8 bits.
        """
        if not credential.has_type("BitstringStatusListCredential"):
            raise _malformed("the credential is not a BitstringStatusListCredential", "/type")
        if len(credential.subjects) != 1:
            raise _malformed("a status list credential has one subject", "/credentialSubject")
        subject = credential.subjects[0]
        if "BitstringStatusList" not in (type_names(subject.get("type")) or ()):
            raise _malformed("the subject is not a BitstringStatusList", "/credentialSubject/type")
        purposes = type_names(subject.get("statusPurpose"))
        if purposes is None:
            raise _malformed("statusPurpose is not one or more strings", "/credentialSubject/statusPurpose")
        ttl = subject.get("ttl")
        if "ttl" in subject and (type(ttl) is not int or not 0 <= ttl <= _MAX_TTL_MILLISECONDS):
            raise _malformed("ttl is not a number of milliseconds", "/credentialSubject/ttl")
        size = parse_size(subject["statusSize"], "/credentialSubject/statusSize") if "statusSize" in subject else None
        messages: tuple[str, ...] = ()
        if "statusMessages" in subject:
            messages = parse_messages(subject["statusMessages"], size or 1, "/credentialSubject/statusMessages")
        if _MESSAGE in purposes and (size is None or not messages):
            raise _malformed("a status list with the purpose message has a statusSize and statusMessages", "/credentialSubject")
        encoded = subject.get("encodedList")
        if type(encoded) is not str:
            raise _malformed("encodedList is not a string", "/credentialSubject/encodedList")
        try:
            status_list = StatusList.decode(encoded, size or 1)
        except FormatError as error:
            raise _malformed(error.what, "/credentialSubject/encodedList") from error
        return cls(credential, purposes, status_list, None if ttl is None else timedelta(milliseconds=ttl), size, messages)

    @property
    def id(self) -> str | None:
        """The URL that the list says it is published at."""
        return self.credential.id

    def refresh_due(self, fetched_at: datetime) -> datetime | None:
        """When a list fetched then should be fetched again, by its ``ttl``; ``None`` if it names none."""
        return None if self.ttl is None else fetched_at + self.ttl


def validate_status(entry: JSON, document: bytes | None, verify: Callable[[Credential], None], now: datetime) -> StatusResult:
    """The Validate Algorithm (§3.2) as a whole: the status that a ``credentialStatus`` object has by its list.

    ``document`` is what was found at the entry's ``statusListCredential``, ``None`` where nothing was; ``verify`` raises an error of our
    tree unless every proof of the list verifies. Raises what the specification wants: ``FormatError`` (``MALFORMED_VALUE_ERROR``),
    ``ResolutionError`` (``STATUS_RETRIEVAL_ERROR``), ``VerificationError`` (``STATUS_VERIFICATION_ERROR``,
    ``STATUS_LIST_LENGTH_ERROR``, ``RANGE_ERROR``); ``UnsupportedError`` for another type of status.
    """
    # 1, 3, 7
    parsed = StatusEntry.parse(entry)
    # 4
    if document is None:
        raise retrieval_error(parsed.list_url)
    credential = _list_at(parsed.list_url, document)
    try:
        verify(credential)
    except DidHealthError as error:
        raise VerificationError("the proof of the status list does not verify", where=parsed.list_url, hint=error.what, code=STATUS_VERIFICATION) from error
    # 5 to 15
    return check_status(parsed, StatusListCredential.parse(credential), now)


def _list_at(url: str, document: bytes) -> Credential:
    """What was found at ``url``, if it is a credential at all: other things are no status list that was retrieved."""
    try:
        return Credential.parse(document)
    except FormatError as error:
        raise retrieval_error(url, "there is no credential where the status list should be") from error


def check_status(entry: StatusEntry, list_credential: StatusListCredential, now: datetime) -> StatusResult:
    """The status of one credential, by the Validate Algorithm (§3.2) from step 5 on; the numbers below are its steps.

    The caller has fetched the list and verified its proof (step 4; ``validate_status`` does all of it). ``now`` is aware. Raises
    ``VerificationError`` with the codes ``STATUS_VERIFICATION_ERROR`` (another list, another purpose or size, outside of its validity),
    ``STATUS_LIST_LENGTH_ERROR`` or ``RANGE_ERROR``.
    """
    credential = list_credential.credential
    # Ours: a list that names itself must be the one that the entry names, or a genuine list could stand in for another.
    if credential.raw.get("id", entry.list_url) != entry.list_url:
        raise _unverified("the status list is not the one that the credential names")
    # §2.2: validFrom and validUntil are the list's own.
    if credential.valid_from is not None and now < credential.valid_from:
        raise _unverified("the status list is not valid yet")
    if credential.valid_until is not None and now > credential.valid_until:
        raise _unverified("the status list is not valid any more")
    # 3, 5
    if entry.purpose not in list_credential.purposes:
        raise _unverified("the status list is for another purpose than the credential's entry")
    if list_credential.declared_size not in (None, entry.size):
        raise _unverified("the status list has values of another size than the credential's entry")
    status_list = list_credential.status_list
    if status_list.status_size != entry.size:
        status_list = status_list.as_size(entry.size)
    # 2, 9
    if len(status_list) < MIN_STATUS_LIST_ENTRIES:
        raise VerificationError(f"the status list has fewer than {MIN_STATUS_LIST_ENTRIES} entries", code=STATUS_LIST_LENGTH)
    # 10
    value = status_list.get(entry.index)
    # 11 to 15
    return _result(entry.purpose, value, entry.message(value) if entry.purpose == _MESSAGE else None)


def is_clear(entry: JSONObject, list_credential: StatusListCredential, now: datetime) -> bool:
    """Whether ``check_status`` finds the value 0 for an entry that has three texts, of one bit or with the messages of the list itself; if not, it has
    to tell why.

    Written for the many credentials of few lists: nothing is made and nothing raised.
    """
    credential, status_list = list_credential.credential, list_credential.status_list
    url, index = entry["statusListCredential"], entry["statusListIndex"]
    size = 1
    if len(entry) != _MEMBERS_OF_ONE_BIT:
        # Those of the list were found to be right when it was read.
        size = entry.get("statusSize", 1)
        if size == 1 or not list_credential.messages or entry.get("statusMessage") != credential.subjects[0].get("statusMessages"):
            return False
    if status_list.status_size != size or list_credential.declared_size not in (None, size):
        return False
    if credential.raw.get("id") != url or entry["statusPurpose"] not in list_credential.purposes:
        return False
    if credential.valid_from is None or now < credential.valid_from or (credential.valid_until is not None and now > credential.valid_until):
        return False
    # As in StatusEntry: int() takes signs, blanks, underscores and other scripts' digits.
    if not index.isascii() or not index.isdigit() or len(index) > MAX_INDEX_DIGITS:
        return False
    data, position = status_list.data, int(index)
    if size != 1:
        return position < len(status_list) >= MIN_STATUS_LIST_ENTRIES and not status_list.get(position)
    return position >> 3 < len(data) >= _MIN_BYTES and not data[position >> 3] & 0x80 >> (position & 7)


class EntriesAlike:
    """What ``is_clear`` has said of one entry of a list, at one moment, for further entries that differ from it in nothing but their index."""

    __slots__ = ("_data", "_length", "_list", "_members", "_messages", "_purpose", "_size", "_url")

    def __init__(self, one: JSONObject, status_list: StatusList) -> None:
        self._members, self._url, self._purpose = len(one), one["statusListCredential"], one["statusPurpose"]
        self._size, self._messages = one.get("statusSize"), one.get("statusMessage")
        self._list, self._length = status_list, len(status_list)
        self._data = status_list.data if status_list.status_size == 1 else None

    def has_clear(self, entry: JSONObject) -> bool:
        """Whether ``entry``, of the common shape, is one of them and its value is 0."""
        if len(entry) != self._members or entry["statusListCredential"] != self._url or entry["statusPurpose"] != self._purpose:
            return False
        if self._members != _MEMBERS_OF_ONE_BIT and (entry.get("statusSize") != self._size or entry.get("statusMessage") != self._messages):
            return False
        index: str = entry["statusListIndex"]
        if not index.isascii() or not index.isdigit() or len(index) > MAX_INDEX_DIGITS:
            return False
        position = int(index)
        if position >= self._length:
            return False
        return not (self._list.get(position) if self._data is None else self._data[position >> 3] & 0x80 >> (position & 7))


# Most credentials have the same few statuses.
@lru_cache(maxsize=256)
def _result(purpose: str, value: int, message: str | None) -> StatusResult:
    return StatusResult(purpose, value, value == 0, message)


def retrieval_error(where: str, what: str = "the status list could not be retrieved") -> ResolutionError:
    """The ``STATUS_RETRIEVAL_ERROR`` (§3.2, step 4) of a list at the URL ``where``."""
    return ResolutionError(what, where=where, code=STATUS_RETRIEVAL)


def build_status_list_credential(
    issuer: str,
    url: str,
    purpose: str | Sequence[str],
    status_list: StatusList,
    *,
    valid_from: datetime,
    valid_until: datetime | None = None,
    ttl: timedelta | None = None,
    messages: Sequence[str] | None = None,
) -> JSONObject:
    """The unsecured status list credential to sign and publish at ``url`` (§3.1).

    ``purpose`` is one or several that the list serves, each with indexes of its own. ``messages`` are the texts for the values 0, 1, 2 …;
    the purpose ``message`` needs them. Raises ``ValueError`` for no purpose, a list that is too short, a wrong number of messages, or a
    validity that ends before it starts.
    """
    if len(status_list) < MIN_STATUS_LIST_ENTRIES:
        raise ValueError(f"a status list needs at least {MIN_STATUS_LIST_ENTRIES} entries")
    if valid_until is not None and valid_until < valid_from:
        raise ValueError("the status list would end before it starts")
    purposes = [str(purpose)] if isinstance(purpose, str) else [str(one) for one in purpose]
    if not purposes or not all(purposes):
        raise ValueError("a status list needs a purpose")
    if _MESSAGE in purposes and messages is None:
        raise ValueError("a status list with the purpose message needs the messages")
    subject: JSONObject = {"id": f"{url}#list", "type": "BitstringStatusList", "encodedList": status_list.encode()}
    subject["statusPurpose"] = purposes[0] if len(purposes) == 1 else purposes
    if ttl is not None:
        subject["ttl"] = ttl // timedelta(milliseconds=1)
    context: list[str | JSONObject] = [CONTEXT_V2]
    if messages is not None:
        if len(messages) != 1 << status_list.status_size:
            raise ValueError(f"values of {status_list.status_size} bits need {1 << status_list.status_size} messages, not {len(messages)}")
        context.append(_message_terms())
        subject |= {"statusSize": status_list.status_size, "statusMessages": messages_to_json(messages)}
    document: JSONObject = {
        "@context": context,
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": timestamps.format(valid_from),
    }
    if valid_until is not None:
        document["validUntil"] = timestamps.format(valid_until)
    document["credentialSubject"] = subject
    return document


def _message_terms() -> JSONObject:
    # §2.2 wants both members in the list of a message purpose, yet the base context has no terms for them there.
    return {
        "statusSize": {"@id": _NAMESPACE + "statusSize", "@type": "http://www.w3.org/2001/XMLSchema#integer"},
        "statusMessages": {
            "@id": _NAMESPACE + "statusMessage",
            "@context": {"status": _NAMESPACE + "status", "message": _NAMESPACE + "message"},
        },
    }


def _malformed(what: str, where: str) -> FormatError:
    return FormatError(what, where=where, code=MALFORMED_VALUE)


def _unverified(what: str) -> VerificationError:
    return VerificationError(what, code=STATUS_VERIFICATION)
