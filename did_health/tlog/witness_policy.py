"""Whom to believe about a log: C2SP tlog-policy (a draft of 2026), its text and its verdict on checkpoints.

::

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> <k|any|all> <member> …
    quorum <name|none>

Two things differ from the draft. A policy may hold one public key on two witness lines, as other implementations allow, but it counts
once. A witness's key may be written as an Ed25519 vkey (0x01): its cosignature key (0x04) is meant.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from did_health.errors import FormatError, VerificationError
from did_health.limits import MAX_COSIGNATURE_SKEW_SECONDS, MAX_POLICY_BYTES, MAX_POLICY_LINES
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import verified_cosignatures
from did_health.tlog.lines import parse_decimal
from did_health.tlog.note import SignatureType, SignedNote, VerifierKey, open_note
from did_health.tlog.proof import TlogProof

NO_QUORUM: Final = "none"
WITNESSES: Final = "witnesses"
MIRRORS: Final = "mirrors"
BOTH: Final = "witnesses-and-mirrors"
"""The groups of a policy that ``quorum_policy`` makes."""
_RESERVED: Final = frozenset({NO_QUORUM, "any", "all"})
_FORBIDDEN: Final = re.compile("[\0-\x08\x0b-\x1f\x7f]")
_WHITESPACE: Final = re.compile("[ \t]+")


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A log that may sign checkpoints; its key's name is its origin. ``url`` is where the log is read, if the policy says."""

    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness (or mirror) by its name in the policy; ``url`` is its submission prefix, if the policy says."""

    name: str
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyGroup:
    """Has witnessed a checkpoint when at least ``threshold`` of its ``members`` (names of witnesses and groups) have."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness of the policy that cosigned, and when (POSIX seconds)."""

    witness: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class VerifiedCheckpoint:
    """A checkpoint that a policy accepted.

    ``timestamp`` (POSIX seconds) is when the quorum had seen it: the smallest cosignature time within the most favourable
    satisfying set of witnesses, so its age is the age of the evidence. None only where the policy asks for no cosignature.
    """

    checkpoint: Checkpoint
    timestamp: int | None
    cosigners: tuple[Cosigned, ...]


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """Known logs and witnesses, and the quorum of witnesses that a checkpoint needs. Without a log it refuses everything.

    Raises ``FormatError`` unless every name is defined once before its use and is a member of at most one group.
    """

    logs: tuple[PolicyLog, ...] = ()
    witnesses: tuple[PolicyWitness, ...] = ()
    groups: tuple[PolicyGroup, ...] = ()
    quorum: str = NO_QUORUM
    _log_keys: tuple[VerifierKey, ...] = field(init=False, repr=False, compare=False)
    _cosigner_keys: Mapping[str, VerifierKey] = field(init=False, repr=False, compare=False)
    _groups_by_name: Mapping[str, PolicyGroup] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_names(self)
        cosigners = {witness.name: _cosigner_key(witness.key) for witness in self.witnesses}
        groups = {group.name: group for group in self.groups}
        object.__setattr__(self, "_groups_by_name", groups)
        object.__setattr__(self, "_cosigner_keys", _each_key_once(cosigners, groups, self.quorum))
        object.__setattr__(self, "_log_keys", tuple([log.key for log in self.logs]))

    @classmethod
    def parse(cls, text: str | bytes) -> WitnessPolicy:
        """Read a policy file (§ Policy file syntax); comments and spacing are not kept, and the last newline may be missing.

        Raises ``FormatError``, or ``UnsupportedError`` for a key of an unknown type.
        """
        return _parse(text)

    def encode(self) -> str:
        """The policy as text in one fixed layout: ``parse`` gives an equal policy."""
        lines = [" ".join(filter(None, ("log", str(log.key), log.url))) for log in self.logs]
        lines += [" ".join(filter(None, ("witness", item.name, str(item.key), item.url))) for item in self.witnesses]
        lines += [f"group {group.name} {group.threshold} {' '.join(group.members)}" for group in self.groups]
        return "\n".join((*lines, f"quorum {self.quorum}", ""))

    def check(self, note: SignedNote, *, now: int | None = None, max_future_skew: int = MAX_COSIGNATURE_SKEW_SECONDS) -> VerifiedCheckpoint:
        """What a checkpoint says, once a log of this policy signed it and the quorum cosigned it.

        ``now`` is POSIX seconds; cosignatures more than ``max_future_skew`` seconds after it are not counted. Raises ``FormatError``
        for a note that is no checkpoint; ``VerificationError`` with code ``policy_empty``, ``log_not_in_policy`` (it is the checkpoint of a
        log of another name than those of the policy, of which nothing is known), ``note_unverified`` (no log of the policy with this origin
        signed it), ``note_signature_invalid`` (by such a log or a witness) or ``quorum_not_met``.
        """
        if not self.logs:
            raise VerificationError("the witness policy knows no log", code="policy_empty", hint="Name the logs to trust in the policy")
        checkpoint = Checkpoint.parse(note.text)
        known = [key for key in self._log_keys if key.name == checkpoint.origin]
        if not known:
            names = ", ".join(key.name for key in self._log_keys)
            raise VerificationError("the checkpoint is of a log that the policy does not name", hint=f"The policy names {names}", code="log_not_in_policy")
        open_note(note, known)
        cosigners = self.cosigners(note, now=now, max_future_skew=max_future_skew)
        cosigned = {one.witness: one.timestamp for one in cosigners}
        timestamp = None
        if self.quorum != NO_QUORUM:
            timestamp = self._witnessed_at(self.quorum, cosigned)
            if not timestamp:
                raise VerificationError("too few witnesses of the policy cosigned the checkpoint", code="quorum_not_met")
        return VerifiedCheckpoint(checkpoint, timestamp, cosigners)

    def cosigners(self, note: SignedNote, *, now: int | None = None, max_future_skew: int = MAX_COSIGNATURE_SKEW_SECONDS) -> tuple[Cosigned, ...]:
        """Which of the witnesses that count cosigned ``note``, and when, whether they are a quorum or not; arguments are as of ``check``.

        Raises ``VerificationError`` (``note_signature_invalid``).
        """
        times = verified_cosignatures(note, self._cosigner_keys.values())
        return tuple([
            Cosigned(name, times[key])
            for name, key in self._cosigner_keys.items()
            if key in times and (now is None or times[key] <= now + max_future_skew)
        ])

    @property
    def cosigner_names(self) -> tuple[str, ...]:
        """The witnesses that count: those below the quorum, of several with one public key the first."""
        return tuple(self._cosigner_keys)

    def cosigner_key(self, witness: str) -> VerifierKey:
        """The key (type 0x04) by which a witness that counts cosigns. Raises ``KeyError`` for any other."""
        return self._cosigner_keys[witness]

    def satisfied_by(self, cosigners: Collection[VerifierKey]) -> bool:
        """Whether cosignatures of these, which nobody has verified here, would be a quorum."""
        there = {name: 1 for name, key in self._cosigner_keys.items() if key in cosigners}
        return self.quorum == NO_QUORUM or bool(self._witnessed_at(self.quorum, there))

    def _witnessed_at(self, name: str, cosigned: Mapping[str, int]) -> int:
        """The latest time t such that cosignatures from t on satisfy ``name``; 0 if none do.

        For a witness that is its timestamp, for a group the k-th latest of its members: the fewest, latest ones suffice.
        """
        group = self._groups_by_name.get(name)
        if group is None:
            return cosigned.get(name, 0)
        times = sorted([self._witnessed_at(member, cosigned) for member in group.members], reverse=True)
        return times[group.threshold - 1]


def quorum_policy(
    logs: Sequence[PolicyLog], *, witnesses: Sequence[VerifierKey], quorum: int, mirrors: Sequence[VerifierKey] = (), mirror_quorum: int = 1
) -> WitnessPolicy:
    """The policy that demands ``quorum`` of ``witnesses`` and, where there are ``mirrors``, ``mirror_quorum`` of those too.

    They are named ``witness-1`` and ``mirror-1`` and so on. Raises ``FormatError`` for a quorum that cannot be had.
    """
    cosigners = [PolicyWitness(f"witness-{number}", key) for number, key in enumerate(witnesses, 1)]
    vouchers = [PolicyWitness(f"mirror-{number}", key) for number, key in enumerate(mirrors, 1)]
    groups = [PolicyGroup(WITNESSES, quorum, tuple([one.name for one in cosigners]))]
    if vouchers:
        groups += [PolicyGroup(MIRRORS, mirror_quorum, tuple([one.name for one in vouchers])), PolicyGroup(BOTH, 2, (WITNESSES, MIRRORS))]
    return WitnessPolicy(tuple(logs), (*cosigners, *vouchers), tuple(groups), groups[-1].name)


def verify_proof(proof: TlogProof, entry_data: bytes, policy: WitnessPolicy, *, now: int | None = None) -> VerifiedCheckpoint:
    """Verify that ``entry_data`` is in a log that ``policy`` accepts, as ``proof`` says (C2SP tlog-proof).

    Raises what ``WitnessPolicy.check`` raises, and ``VerificationError`` (``inclusion_proof_invalid``). How old the checkpoint may
    be is for the caller to say, from the ``timestamp`` of the result.
    """
    verified = policy.check(proof.checkpoint, now=now)
    proof.verify_inclusion(entry_data, verified.checkpoint)
    return verified


def _cosigner_key(key: VerifierKey) -> VerifierKey:
    return VerifierKey(key.name, SignatureType.COSIGNATURE, key.raw) if key.type is SignatureType.ED25519 else key


def _check_names(policy: WitnessPolicy) -> None:
    """§ Structure, § Defining a witness group; keywords are no names, so that a line can be read in one way only."""
    if len({log.key.raw for log in policy.logs}) != len(policy.logs):
        raise FormatError("the policy names the same log key twice")
    if any(log.key.type is SignatureType.COSIGNATURE for log in policy.logs):
        raise FormatError("a log's key in the policy is a cosigner's key", hint="Write it as an Ed25519 key (type 0x01)")
    defined: set[str] = set()
    members: set[str] = set()
    for url in [log.url for log in policy.logs] + [witness.url for witness in policy.witnesses]:
        if url is not None:
            _check_item(url)
    for witness in policy.witnesses:
        _define(witness.name, defined)
    for group in policy.groups:
        if not 1 <= group.threshold <= len(group.members):
            raise FormatError("a group's threshold is not between 1 and the number of its members")
        for member in group.members:
            if member not in defined or member in members:
                raise FormatError("a group's member is not defined before it, or is listed twice")
            members.add(member)
        _define(group.name, defined)
    if policy.quorum != NO_QUORUM and policy.quorum not in defined:
        raise FormatError("the quorum names no witness or group")


def _define(name: str, defined: set[str]) -> None:
    if name in defined or name in _RESERVED:
        raise FormatError("a name of the policy is defined twice, or is a keyword")
    _check_item(name)
    defined.add(name)


def _check_item(text: str) -> None:
    if not text or _WHITESPACE.search(text) or _FORBIDDEN.search(text) or "\n" in text:
        raise FormatError("a name or URL of the policy is empty or contains whitespace")


def _each_key_once(keys: Mapping[str, VerifierKey], groups: Mapping[str, PolicyGroup], quorum: str) -> dict[str, VerifierKey]:
    """The witnesses that count: those below the quorum, of several with one public key only the first."""
    counted: dict[str, VerifierKey] = {}
    seen: set[bytes] = set()
    pending = [quorum]
    while pending:
        name = pending.pop()
        if name in groups:
            pending += reversed(groups[name].members)
        elif name in keys and keys[name].raw not in seen:
            seen.add(keys[name].raw)
            counted[name] = keys[name]
    return counted


def _parse(text: str | bytes) -> WitnessPolicy:
    # Octets above 0x7F are opaque (§ Character set): those that are not UTF-8 survive as surrogates.
    try:
        policy = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
        size = len(policy.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError as error:
        raise FormatError("the policy is not encodable text") from error
    lines = policy.split("\n", MAX_POLICY_LINES)
    if size > MAX_POLICY_BYTES or len(lines) > MAX_POLICY_LINES:
        raise FormatError(f"the policy is longer than {MAX_POLICY_BYTES} bytes or {MAX_POLICY_LINES} lines")
    if _FORBIDDEN.search(policy):
        raise FormatError("the policy contains a control character")
    logs: list[PolicyLog] = []
    witnesses: list[PolicyWitness] = []
    groups: list[PolicyGroup] = []
    defined: set[str] = set()
    quorums: list[str] = []
    for number, line in enumerate(lines, 1):
        items = [item for item in _WHITESPACE.split(line) if item]
        match items:
            case []:
                pass
            case [comment, *_] if comment.startswith("#"):
                pass
            case ["log", vkey] | ["log", vkey, _]:
                logs.append(PolicyLog(VerifierKey.parse(vkey), *items[2:]))
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                witnesses.append(PolicyWitness(name, VerifierKey.parse(vkey), *items[3:]))
                defined.add(name)
            case ["group", name, threshold, *members] if members and defined.issuperset(members):
                groups.append(PolicyGroup(name, _threshold(threshold, len(members)), tuple(members)))
                defined.add(name)
            case ["quorum", name] if name in defined or name == NO_QUORUM:
                quorums.append(name)
            case _:
                raise FormatError("the policy's line is not understood, or uses a name before it is defined", where=f"line {number}")
    if len(quorums) != 1:
        raise FormatError("the policy has not exactly one quorum line")
    return WitnessPolicy(tuple(logs), tuple(witnesses), tuple(groups), quorums[0])


def _threshold(text: str, members: int) -> int:
    return {"any": 1, "all": members}.get(text) or parse_decimal(text, "group's threshold")
