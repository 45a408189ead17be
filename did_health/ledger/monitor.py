"""What a monitor looks for in a log: whose entry is whose, and how old heads and cosignatures may be. Pure rules; ``services`` polls.

What can be wrong is of two sorts. An *event* is told once: an entry that somebody else wrote about what is mine. A *condition* holds until
it ends: a head that is too old, a witness that is silent, a log that was caught at a lie (which never ends). ``changes`` tells the
beginnings and ends of conditions from one look to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from did_health.did.methods.webvh import WebvhDID
from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import PublicKey, public_key_from_multikey
from did_health.ledger.entry import HASH_BYTES, Entry, Kind, did_subject, subject_of
from did_health.limits import MAX_STATUS_SETS
from did_health.tlog.witness_policy import Cosigned
from did_health.vc.status import StatusPurpose

FORMAT: Final = "did-health/alarm/v1"
_ALARM: Final = "alarm"
_ENDED: Final = "ended"
_NAMED_KINDS: Final = tuple(kind for kind in Kind if kind not in (Kind.REVOCATION, Kind.MAP_HEAD))


class Level(StrEnum):
    """How bad it is."""

    CRITICAL = "critical"
    """Somebody lies, or writes in another's name."""
    WARNING = "warning"
    """Something does not work, and verifiers will notice it soon."""
    UNKNOWN = "unknown"
    """It could not be looked at."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong with the log ``origin``; ``about`` tells it from others of its ``code``: an entry, a witness, a URL, or nothing.

    ``since`` (aware UTC) is when it was first noticed. ``details`` are for programs, and hold the evidence where there is some.
    """

    level: Level
    code: str
    origin: str
    about: str
    what: str
    since: datetime
    details: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The same for the same thing, whenever it is noticed: 32 hexadecimal digits."""
        return hashlib.sha256("\0".join((self.origin, self.code, self.about)).encode()).hexdigest()[:32]

    def to_json(self) -> JSONObject:
        """As it is written down and told."""
        return {
            "id": self.id, "level": str(self.level), "code": self.code, "origin": self.origin, "about": self.about, "what": self.what,
            "since": timestamps.format(self.since), "details": dict(self.details),
        }  # fmt: skip


    @classmethod
    def from_json(cls, members: JSONObject) -> Alarm:
        """Read what ``to_json`` gives. Raises ``FormatError``."""
        texts = [members.get(name) for name in ("code", "origin", "about", "what")]
        level, since, details = members.get("level"), members.get("since"), members.get("details")
        if not all(isinstance(text, str) for text in texts) or level not in list(Level) or not isinstance(since, str) or not isinstance(details, dict):
            raise FormatError("this is no alarm")
        code, origin, about, what = map(str, texts)
        return cls(Level(level), code, origin, about, what, timestamps.parse(since), details)


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told of an alarm: that it is there, or (``ended``) that it is no more."""

    alarm: Alarm
    time: datetime
    ended: bool = False

    def to_json(self) -> JSONObject:
        """The line that is printed, and the body that is posted."""
        return {"format": FORMAT, "event": _ENDED if self.ended else _ALARM, "time": timestamps.format(self.time), **self.alarm.to_json()}

    @classmethod
    def from_json(cls, members: JSONObject) -> Notice:
        """Read what ``to_json`` gives. Raises ``FormatError``."""
        time = members.get("time")
        if members.get("format") != FORMAT or members.get("event") not in (_ALARM, _ENDED) or not isinstance(time, str):
            raise FormatError("this tells of no alarm")
        return cls(Alarm.from_json(members), timestamps.parse(time), ended=members["event"] == _ENDED)


def changes(before: Mapping[str, Alarm], holding: Iterable[Alarm], now: datetime) -> tuple[dict[str, Alarm], list[Notice]]:
    """The conditions that hold now, by their id and each since it began, and what is new or over, compared with those that held ``before``."""
    after: dict[str, Alarm] = {}
    for alarm in holding:
        known = before.get(alarm.id)
        after.setdefault(alarm.id, replace(alarm, since=known.since) if known else alarm)
    begun = [Notice(alarm, now) for key, alarm in after.items() if key not in before]
    return after, [*begun, *(Notice(alarm, now, ended=True) for key, alarm in before.items() if key not in after)]


# ---- whose entry is whose


def own_author(text: str) -> tuple[str, PublicKey]:
    """An author of one's own and the key that signs as it.

    ``text`` is a multikey (author of ``did`` entries), a verification method whose fragment is its multikey, or any verification method,
    ``=`` and its multikey. Raises ``FormatError``.
    """
    method, separator, named = text.partition("=")
    multikey = named if separator else method.rpartition("#")[2]
    try:
        if not method:
            raise FormatError("there is no author")
        return method, public_key_from_multikey(multikey)
    except (FormatError, UnsupportedError) as error:
        hint = "Write a multikey, or a verification method; if its fragment is no multikey, add it: did:webvh:…#key-1=z6Mk…"
        raise FormatError("this is no author whose key is known", hint=hint) from error


def named_subject(text: str) -> bytes:
    """The subject that ``text`` names: 64 hexadecimal digits, or a kind, a blank, and the identifier (see ``subject_of``). Raises ``FormatError``."""
    kind, _, identifier = text.partition(" ")
    if not identifier and len(kind) == 2 * HASH_BYTES:
        try:
            return bytes.fromhex(kind)
        except ValueError as error:
            raise FormatError("the subject is not in hexadecimal digits") from error
    if kind not in _NAMED_KINDS or not identifier:
        raise FormatError("this names no subject", hint=f"Write it as 64 hexadecimal digits, or as KIND IDENTIFIER; the kinds are {', '.join(_NAMED_KINDS)}")
    return did_subject(identifier) if kind == Kind.DID else subject_of(Kind(kind), identifier)


def subjects_of_did(did: str) -> dict[bytes, str]:
    """What an institution with a did:webvh DID has on a ledger, by subject: its DID log, its batches, its status lists at their usual places."""
    found = {did_subject(did): f"the DID {did}"}
    found |= {subject_of(kind, did): f"the {kind} of {did}" for kind in (Kind.ISSUANCE_BATCH, Kind.RECEIPT_BATCH)}
    base = WebvhDID.parse(did).base_url
    return found | list_subjects(f"{base}status/{number}/{purpose}" for number in range(1, MAX_STATUS_SETS + 1) for purpose in StatusPurpose)


def list_subjects(urls: Iterable[str]) -> dict[bytes, str]:
    """The subjects of status lists."""
    return {subject_of(Kind.STATUS_LIST, url): f"the status list {url}" for url in urls}


@dataclass(frozen=True, slots=True)
class Mine:
    """What is watched (``subjects``, each with a name for people), and how its owner's own writing is told from others'.

    ``authors`` are the owner's, each with its key: a log could write any name into an entry, but not sign it. ``known`` holds the SHA-256
    digests of what the owner wrote, entries or their documents; if it is there, whatever is not in it is foreign, whoever signed it: that
    finds a stolen key. A known entry is the owner's by itself, a known document only in an entry by one of ``authors``, where any are named.
    """

    subjects: Mapping[bytes, str]
    authors: Mapping[str, PublicKey] = field(default_factory=dict)
    known: frozenset[bytes] | None = None

    def foreign(self, origin: str, index: int, entry: Entry, now: datetime) -> Alarm | None:
        """The alarm about entry ``index`` of a log, if it is about something that is watched, or in an own author's name, and not the owner's."""
        name, claimed = self.subjects.get(entry.subject), entry.author in self.authors
        if name is None and not claimed:
            return None
        fault = self._fault(entry, claimed)
        if fault is None:
            return None
        about = name or f"the {entry.kind} subject {entry.subject.hex()}"
        details: dict[str, JSON] = {
            "index": index, "kind": str(entry.kind), "subject": entry.subject.hex(), "seq": entry.seq, "author": entry.author,
            "content": entry.content.hex(), "entry": entry.digest.hex(),
        }  # fmt: skip
        return Alarm(Level.CRITICAL, "foreign_entry", origin, f"entry {index}", f"entry {index} about {about}: {fault}", now, details)

    def _fault(self, entry: Entry, claimed: bool) -> str | None:
        if self.known is not None and entry.digest in self.known:
            return None
        listed = None if self.known is None else entry.content in self.known
        if claimed:
            try:
                entry.verify(self.authors[entry.author])
            except VerificationError:
                return f"it is in the name of {entry.author}, whose key did not sign it"
        elif self.authors or not listed:
            return f"its author {entry.author} is none of yours"
        return "your key signed it, and it is not among what you wrote" if listed is False else None


# ---- how old is too old


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: how old a head may be, how long a witness may be silent, and how long a log may show less than others have of it."""

    head: int
    witness: int
    ahead: int = 300


@dataclass(frozen=True, slots=True)
class Ahead:
    """A checkpoint, signed by the log, that somebody else shows and the log itself does not: its size, and since when (POSIX seconds)."""

    size: int
    since: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a monitor remembers of a log. Times are POSIX seconds.

    ``since`` is when it first looked, ``judged`` how many leaves it has judged, ``published`` the largest size that the log itself has
    shown, ``witnessed_at`` the newest time at which a quorum had seen a head, ``cosigned`` by witness the newest cosignature, ``ahead`` by place
    what others have more.
    """

    since: int
    judged: int = 0
    published: int = 0
    witnessed_at: int | None = None
    cosigned: Mapping[str, int] = field(default_factory=dict)
    ahead: Mapping[str, Ahead] = field(default_factory=dict)

    def with_cosigners(self, cosigners: Iterable[Cosigned]) -> Seen:
        """With these cosignatures, too."""
        times = dict(self.cosigned)
        for one in cosigners:
            times[one.witness] = max(one.timestamp, times.get(one.witness, 0))
        return replace(self, cosigned=times)

    def with_ahead(self, place: str, size: int, now: int) -> Seen:
        """With what ``place`` shows; a larger size there does not make it newer, for it is the log that is behind."""
        known = self.ahead.get(place)
        return replace(self, ahead={**self.ahead, place: Ahead(size, known.since if known else now)})

    def reached(self, size: int) -> Seen:
        """After the log has shown ``size`` leaves: whatever others had of these is no news any more."""
        ahead = {place: one for place, one in self.ahead.items() if one.size > size}
        return replace(self, published=max(size, self.published), ahead=ahead)


def overdue(origin: str, seen: Seen, witnesses: Sequence[str], limits: Limits, now: datetime) -> list[Alarm]:
    """The conditions that follow from what was seen and the time alone, so that they are found also of a log that does not answer.

    ``witnesses`` are those that count under the policy; without any nothing says how old a head is.
    """
    at = int(now.timestamp())
    found: list[Alarm] = []
    if witnesses:
        age = at - (seen.since if seen.witnessed_at is None else seen.witnessed_at)
        if age > limits.head:
            said = f"no quorum has witnessed a head within {age} s" if seen.witnessed_at is None else f"the newest head was witnessed {age} s ago"
            details: dict[str, JSON] = {"ageSeconds": age, "limitSeconds": limits.head, "size": seen.published}
            found.append(Alarm(Level.WARNING, "head_stale", origin, "", f"{said}; {limits.head} s are allowed", now, details))
    for name in witnesses:
        last = seen.cosigned.get(name)
        silent = at - (seen.since if last is None else last)
        if silent > limits.witness:
            said = f"witness {name} has not cosigned for {silent} s" if last else f"witness {name} has not cosigned at all, watched for {silent} s"
            details = {"witness": name, "silentSeconds": silent, "limitSeconds": limits.witness}
            found.append(Alarm(Level.WARNING, "witness_silent", origin, name, f"{said}; {limits.witness} s are allowed", now, details))
    for place, one in seen.ahead.items():
        if at - one.since > limits.ahead:
            what = f"the log has signed {one.size} leaves, which {place} shows, and shows only {seen.published} itself"
            details = {"place": place, "size": one.size, "published": seen.published}
            found.append(Alarm(Level.CRITICAL, "log_withheld", origin, place, what, now, details))
    return found
