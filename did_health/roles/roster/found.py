"""What the lookup left for a row: the candidates for its licence, a doubt, or the row's fault. Lines of a run's journal::

    {"row": {…}, "follow": 1}                                   then so many lines, each a candidate as it was received
    {"row": {…}, "candidates": ["{\\n  \"credential\": …}"]}       those that have line breaks
    {"row": {…}, "doubt": {"code", "sentence", "hint"}}
    {"fault": {"row", "column", "problem", "hint"}}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.limits import MAX_ROSTER_CANDIDATES, MAX_ROSTER_RESULT_BYTES
from did_health.roles.roster.lookup import Doubt
from did_health.roles.roster.row import RosterFault, RosterRow

_COLUMNS = ("family", "given", "npi", "licenseNumber", "state", "board")


class Found(NamedTuple):
    """``row`` is ``None`` for a row that could not be read, which ``fault`` tells about; ``doubt`` says why there is no candidate."""

    row: RosterRow | None
    candidates: tuple[bytes, ...] = ()
    doubt: Doubt | None = None
    fault: RosterFault | None = None

    def __repr__(self) -> str:
        # What the candidates claim stays out of logs and tracebacks.
        return f"Found({self.row!r}, {len(self.candidates)} candidates, {self.doubt!r}, {self.fault!r})"

    def encode(self) -> bytes:
        """Its lines."""
        if self.row is None:
            fault = self.fault or RosterFault(0, "", "the row could not be read")
            return strict_json.dumps({"fault": {"row": fault.row, "column": fault.column, "problem": fault.problem, "hint": fault.hint}}) + b"\n"
        document: JSONObject = {"row": self.row.to_json()}
        if self.doubt is not None:
            return strict_json.dumps(document | {"doubt": dict(zip(Doubt._fields, self.doubt, strict=True))}) + b"\n"
        if not any(b"\n" in candidate or b"\r" in candidate for candidate in self.candidates):
            return b"\n".join([strict_json.dumps(document | {"follow": len(self.candidates)}), *self.candidates, b""])
        return strict_json.dumps(document | {"candidates": [candidate.decode() for candidate in self.candidates]}) + b"\n"


def read_found(lines: Iterable[bytes]) -> Iterator[Found]:
    """What ``Found.encode`` wrote, of lines without their ends. Raises ``FormatError``."""
    following = iter(lines)
    for line in following:
        read = strict_json.loads_unsurveyed(line, max_bytes=MAX_ROSTER_RESULT_BYTES)
        document: JSONObject = read if type(read) is dict else strict_json.loads_object(line, what="line", max_bytes=MAX_ROSTER_RESULT_BYTES)
        if "fault" in document:
            yield Found(None, fault=_fault(document["fault"]))
        elif "doubt" in document:
            yield Found(_row(document.get("row")), doubt=Doubt(*_texts(document["doubt"], Doubt._fields)))
        else:
            yield Found(_row(document.get("row")), _candidates(document, following))


def _candidates(document: JSONObject, following: Iterator[bytes]) -> tuple[bytes, ...]:
    count, texts = document.get("follow", 0), document.get("candidates")
    if type(count) is not int or not 0 <= count <= MAX_ROSTER_CANDIDATES:
        raise FormatError("the candidates of a row are not a short list", where="/follow")
    found = tuple(islice(following, count))
    if len(found) != count:
        raise FormatError("a line of a roster's journal is missing")
    if texts is None:
        return found
    if type(texts) is not list or len(texts) > MAX_ROSTER_CANDIDATES:
        raise FormatError("the candidates of a row are not a short list", where="/candidates")
    try:
        return (*found, *[text.encode() for text in texts])
    except (AttributeError, UnicodeEncodeError) as error:
        raise FormatError("a candidate is not a text", where="/candidates") from error


def _row(value: JSON) -> RosterRow:
    columns = _texts(value, _COLUMNS)
    place, key = value.get("row"), value.get("key")
    if type(place) is not int or type(key) is not str:
        raise FormatError("the row lacks its number or key", where="/row")
    # The key of a row that brought its credential is made from what is not written here.
    return RosterRow.restored(place, key, *columns)


def _fault(value: JSON) -> RosterFault:
    column, problem, hint = _texts(value, ("column", "problem", "hint"))
    if type(value.get("row")) is not int:
        raise FormatError("the fault lacks its row", where="/fault")
    return RosterFault(value["row"], column, problem, hint)


def _texts(value: JSON, names: tuple[str, ...]) -> list[str]:
    if type(value) is not dict:
        raise FormatError("a line of a roster's journal is malformed")
    texts = [value.get(name, "") for name in names]
    for text in texts:
        if type(text) is not str:
            raise FormatError("a line of a roster's journal holds something else than a text")
    return texts
