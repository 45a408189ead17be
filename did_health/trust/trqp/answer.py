"""Answers of TRQP 2.0 (sections "Authorization Response Schema", "Recognition Response").

The schemas are open, so an answer of ours has one more member, ``did_health``: what it rests on, for those who would check it on the ledger.
An answer is not signed; the specification has no signature.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.limits import MAX_TRQP_ANSWER_BYTES, MAX_TRQP_MESSAGE_CHARACTERS
from did_health.tlog.checkpoint import Checkpoint
from did_health.trust.registry import RegistryRecord
from did_health.trust.trqp.query import Query, QueryKind, pointer

EXTENSION: Final = "did_health"
GRANTED: Final[Mapping[QueryKind, str]] = MappingProxyType({QueryKind.AUTHORIZATION: "authorized", QueryKind.RECOGNITION: "recognized"})
"""The member that says yes or no."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What an answer rests on.

    ``code`` says why it is yes or no. ``subject`` is the ledger's subject of the authority's statement (32 bytes), ``digest`` the SHA-256 of
    its newest document (empty: there is none), ``record`` what that says, ``checkpoints`` those under which it is the newest or under
    which there is none, and ``as_of`` the time for which witnesses vouch for that.
    """

    code: str
    as_of: datetime
    subject: bytes
    checkpoints: tuple[Checkpoint, ...]
    digest: bytes = b""
    record: RegistryRecord | None = None

    def to_object(self) -> JSONObject:
        """The extension member, without what was not looked at."""
        document: JSONObject = {
            "code": self.code,
            "as_of": timestamps.format(self.as_of),
            "ledger_subject": self.subject.hex(),
            "checkpoints": [{"origin": one.origin, "size": one.size, "root": b64encode(one.root).decode()} for one in self.checkpoints],
        }
        record = self.record
        if record is not None:
            window = {"valid_from": record.valid_from, "valid_until": record.valid_until}
            document["statement"] = {
                "sha256": self.digest.hex(),
                "jurisdiction": record.jurisdiction,
                "professions": list(record.professions),
                **{name: timestamps.format(moment) for name, moment in window.items() if moment is not None},
            }
        return document


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes or no to ``query``, as of ``time_evaluated`` (aware UTC): for another registry's, its word and nothing more.

    ``message`` is for people. ``basis`` is that of an answer that was made here, and not read from others.
    """

    query: Query
    granted: bool
    time_evaluated: datetime
    message: str = ""
    basis: Basis | None = None

    def to_json(self) -> bytes:
        """The body of a response."""
        query = self.query
        document = {**query.to_object(), GRANTED[query.kind]: self.granted, "time_evaluated": timestamps.format(self.time_evaluated)}
        if query.time is not None:
            # As it was written: whoever asked compares it with what was asked.
            document["time_requested"] = query.context["time"]
        if self.message:
            document["message"] = self.message
        if self.basis is not None:
            ignored = {"ignored": list(query.ignored)} if query.ignored else {}
            document[EXTENSION] = {**self.basis.to_object(), **ignored}
        return strict_json.dumps(document)

    @classmethod
    def parse(cls, query: Query, data: bytes) -> Answer:
        """Read what a registry answered to ``query``.

        Raises ``FormatError``, also for an answer to another question, or about another time: a yes to something else is no yes.
        """
        document = strict_json.loads_object(data, what="TRQP answer", max_bytes=MAX_TRQP_ANSWER_BYTES)
        for name, asked in query.to_object().items():
            if name != "context" and document.get(name) != asked:
                raise FormatError("the registry answers another question", where=pointer(name), code="another_question")
        granted = document.get(GRANTED[query.kind])
        if not isinstance(granted, bool):
            raise FormatError("the registry says neither yes nor no", where=pointer(GRANTED[query.kind]))
        evaluated = _moment(document, "time_evaluated")
        if evaluated is None:
            raise FormatError("the registry does not say when it answered", where="/time_evaluated")
        if _moment(document, "time_requested") != query.time:
            raise FormatError("the registry answers for another time", where="/time_requested", code="another_time")
        message = document.get("message", "")
        if not isinstance(message, str):
            raise FormatError("the message is not a string", where="/message")
        return cls(query, granted, evaluated, "".join(filter(str.isprintable, message[:MAX_TRQP_MESSAGE_CHARACTERS])))


def _moment(document: JSONObject, name: str) -> datetime | None:
    text = document.get(name, "")
    if not isinstance(text, str):
        raise FormatError("a time is not a string", where=pointer(name))
    if not text:
        return None
    try:
        return timestamps.parse(text)
    except FormatError as error:
        raise FormatError(error.what, where=pointer(name)) from error
