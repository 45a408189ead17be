"""A federation on one machine: ledgers, witnesses and mirrors as processes on the loopback, founded once in a folder.

::

    <folder>/federation.json            who there is, and at which URL
    <folder>/passphrase.txt             made up; opens every key below
    <folder>/members/<name>/            each one's configuration, key, data and output
    <folder>/registry/                  the registry authority (see ``stores.office``)
    <folder>/client/policy.txt          C2SP tlog-policy: the logs, 3 of 4 witnesses, and 1 of 2 mirrors
    <folder>/client/trust-policy.toml   the same with the registry authority, for verifiers
    <folder>/state.json                 while it is up: process ids and states

URLs are part of the policy, so ports stay what they were when it was founded. Everything is bound to the loopback address alone.
"""

from __future__ import annotations

import os
import socket
from base64 import b32encode
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import ConflictError, FormatError, StoreError
from did_health.keys.sealed import SealingCost
from did_health.limits import MAX_CONFIG_BYTES, MAX_REQUESTS_PER_MINUTE
from did_health.net.exchange import HTTPExchange
from did_health.net.persistent_ledger import PersistentLedger
from did_health.net.remote_ledger import RemoteLedger
from did_health.net.witness_client import HTTPCosigner
from did_health.services.config import FORMAT as CONFIG_FORMAT
from did_health.stores import files
from did_health.stores.clock import system_clock
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.office import AUTHORITY, POLICY_FILE, Office
from did_health.stores.passphrase import passphrase_from
from did_health.stores.witness_directory import WitnessDirectory
from did_health.tlog.note import VerifierKey
from did_health.tlog.witness_policy import PolicyLog, PolicyWitness, WitnessPolicy, quorum_policy
from did_health.trust.policy import TrustPolicy

LEDGERS: Final = 3
WITNESSES: Final = 4
MIRRORS: Final = 2
WITNESS_QUORUM: Final = 1 + 2 * WITNESSES // 3
MIRROR_QUORUM: Final = MIRRORS - 1
LOOPBACK: Final = "127.0.0.1"
SEALING: Final = SealingCost(operations=1, memory_bytes=8 << 20)
"""The passphrase is made up of 128 random bits, which need no stretching."""

_FORMAT: Final = "did-health/federation/v1"
_FILE: Final = "federation.json"
_PASSPHRASE: Final = "passphrase.txt"  # noqa: S105  # a file's name
_CLIENT_POLICY: Final = "policy.txt"
_SERVICE_FILE: Final = "service.toml"


@dataclass(frozen=True, slots=True)
class Member:
    """A process of a federation: its ``kind`` (``ledger``, ``witness``, ``mirror``) is the service that it runs, ``url`` where that is found."""

    name: str
    kind: str
    url: str

    @property
    def port(self) -> int:
        """Where it listens on the loopback."""
        return urlsplit(self.url).port or 0

    @property
    def health_url(self) -> str:
        """Where it says that it lives."""
        return f"http://{LOOPBACK}:{self.port}/healthz"


@dataclass(frozen=True, slots=True)
class Federation:
    """A federation that was founded in ``path``."""

    path: Path
    members: tuple[Member, ...]

    @classmethod
    def open(cls, path: Path) -> Federation:
        """Raises ``StoreError`` (``store_missing``) if there is none, ``FormatError``."""
        data = files.read(path / _FILE, max_bytes=MAX_CONFIG_BYTES)
        if data is None:
            raise StoreError("there is no federation here", where=str(path), hint="Found one with: did-health federation up", code="store_missing")
        document = strict_json.loads_object(data, what="federation's file")
        members = document.get("members")
        if document.get("format") != _FORMAT or not isinstance(members, list):
            raise FormatError("the file does not describe a federation", where=str(path / _FILE))
        return cls(path, tuple([_member(one, str(path / _FILE)) for one in members]))

    def service_file(self, member: Member) -> Path:
        """The configuration of a member's process."""
        return self.path / "members" / member.name / _SERVICE_FILE

    def output(self, member: Member) -> Path:
        """Where a member's process writes its log."""
        return self.path / "members" / member.name / "output.log"

    @property
    def policy_path(self) -> Path:
        """The C2SP tlog-policy for clients."""
        return self.path / "client" / _CLIENT_POLICY

    @property
    def trust_policy_path(self) -> Path:
        """The trust policy for verifiers."""
        return self.path / "client" / POLICY_FILE

    @property
    def trust_policy(self) -> TrustPolicy:
        """The policy that clients have. Raises ``StoreError``, ``FormatError``."""
        data = files.read(self.trust_policy_path, max_bytes=MAX_CONFIG_BYTES)
        if data is None:
            raise StoreError("the federation's trust policy is missing", where=str(self.trust_policy_path), code="store_missing")
        return TrustPolicy.parse(data)

    def remote_ledgers(self) -> Mapping[str, PersistentLedger]:
        """Its ledgers as clients write to them, by the host of the DIDs on them, which is the ledger's name. Close them after use."""
        return _remote_ledgers(self.trust_policy.ledger or WitnessPolicy())

    def registry(self, ledgers: Mapping[str, PersistentLedger]) -> Office:
        """The office of its registry authority. Raises ``StoreError``."""
        return Office(self.path / "registry", ledgers, passphrase_from(self.path / _PASSPHRASE), cost=SEALING)

    def found_registry(self) -> None:
        """Log the registry authority's DID, if that has not been done; its ledger must be up."""
        ledgers = self.remote_ledgers()
        with ExitStack() as stack:
            for ledger in ledgers.values():
                stack.callback(ledger.close)
            stack.enter_context(self.registry(ledgers)).found_drafts()


def found(path: Path, *, base_port: int | None = None) -> Federation:
    """Make a federation of ``LEDGERS``, ``WITNESSES`` and ``MIRRORS`` in ``path``, a new or empty folder; nothing is started.

    It takes so many ports from ``base_port`` on, or any that are free. Raises ``ConflictError`` for a folder that is not empty, ``StoreError``.
    """
    if path.exists() and any(path.iterdir()):
        raise ConflictError("the folder is not empty, and holds no federation", where=str(path), hint="Choose a new one with --dir")
    files.make_folder(path)
    passphrase = b32encode(os.urandom(16)).decode().rstrip("=").lower()
    files.create_private(path / _PASSPHRASE, f"{passphrase}\n".encode())
    ports = iter(_ports(LEDGERS + WITNESSES + MIRRORS, base_port))
    ledgers = [Member(f"ledger-{number}", "ledger", f"http://{LOOPBACK}:{next(ports)}/ledger-{number}") for number in range(1, LEDGERS + 1)]
    witnesses, mirrors = (
        [Member(f"{kind}-{number}", kind, f"http://{LOOPBACK}:{next(ports)}") for number in range(1, count + 1)]
        for kind, count in (("witness", WITNESSES), ("mirror", MIRRORS))
    )
    federation = Federation(path, (*ledgers, *witnesses, *mirrors))
    _found_members(federation, ledgers, witnesses, mirrors, passphrase)
    document = {"format": _FORMAT, "members": [{"name": one.name, "kind": one.kind, "url": one.url} for one in federation.members]}
    # Last, so that what was not made to its end is not taken for a federation.
    files.write_atomically(path / _FILE, strict_json.dumps(document, indent=True))
    return federation


def _found_members(federation: Federation, ledgers: Sequence[Member], witnesses: Sequence[Member], mirrors: Sequence[Member], passphrase: str) -> None:
    folder = federation.path / "members"
    keys: dict[str, VerifierKey] = {}
    for member in (*witnesses, *mirrors):
        opened = WitnessDirectory.open(folder / member.name, f"{member.name}.example", [], passphrase, random=os.urandom, cost=SEALING)
        keys[member.name] = opened.witness.key
        opened.close()
    exchange = HTTPExchange([LOOPBACK])
    logs = []
    for member in ledgers:
        made = EmbeddedLedger.create(
            folder / member.name, origin=f"{member.name}.example", url=member.url, clock=system_clock, random=os.urandom, passphrase=passphrase, cost=SEALING,
            cosigners=[HTTPCosigner(keys[one.name], one.url, exchange) for one in witnesses], quorum=WITNESS_QUORUM,
            mirrors=[HTTPCosigner(keys[one.name], one.url, exchange) for one in mirrors], mirror_quorum=MIRROR_QUORUM,
        )  # fmt: skip
        logs.append(PolicyLog(VerifierKey.parse(made.vkey), member.url))
        made.close()
    exchange.close()
    policy = quorum_policy(
        logs, witnesses=[keys[one.name] for one in witnesses], quorum=WITNESS_QUORUM, mirrors=[keys[one.name] for one in mirrors], mirror_quorum=MIRROR_QUORUM
    )
    urls = {one.name: one.url for one in (*witnesses, *mirrors)}
    policy = replace(policy, witnesses=tuple([PolicyWitness(one.name, one.key, urls[one.name]) for one in policy.witnesses]))
    # Nothing is asked of the ledgers yet; the place of a DID says which of them it is on.
    with federation.registry(_remote_ledgers(policy)) as registry:
        authority = registry.draft_institution(AUTHORITY, title="Registry of Health Boards", jurisdiction="US").did
        # A ledger with no entry at all could not prove that it has none about somebody.
        for number, log in enumerate(logs[1:], 2):
            registry.draft_institution(f"operator-{number}", title=f"Operator of Ledger {number}", jurisdiction="US", place=log.key.name)
    files.make_folder(federation.path / "client")
    files.write_atomically(federation.policy_path, policy.encode().encode())
    files.write_atomically(federation.trust_policy_path, TrustPolicy(policy, authority).encode().encode())
    _configure(federation, (*ledgers, *witnesses, *mirrors), logs, keys, authority)


def _remote_ledgers(policy: WitnessPolicy) -> dict[str, PersistentLedger]:
    return {log.key.name: PersistentLedger(RemoteLedger(log.url, policy, allow_hosts=[LOOPBACK])) for log in policy.logs if log.url}


def _configure(federation: Federation, members: Sequence[Member], logs: Sequence[PolicyLog], keys: Mapping[str, VerifierKey], authority: str) -> None:
    places = {kind: [f"{keys[one.name]}@{one.url}" for one in members if one.kind == kind] for kind in ("witness", "mirror")}
    for member in members:
        common: JSONObject = {
            "dir": ".", "listen": f"{LOOPBACK}:{member.port}", "passphrase_file": f"../../{_PASSPHRASE}", "requests_per_minute": MAX_REQUESTS_PER_MINUTE
        }  # fmt: skip
        of_kind: dict[str, JSONObject] = {
            "ledger": {
                "witnesses": places["witness"], "mirrors": places["mirror"], "allow_hosts": [LOOPBACK], "heartbeat_seconds": 30,
                "registry_authorities": [authority],
            },
            "witness": {"name": f"{member.name}.example", "logs": [str(log.key) for log in logs]},
            "mirror": {"name": f"{member.name}.example", "logs": [f"{log.key}@{log.url}" for log in logs], "allow_hosts": [LOOPBACK]},
        }  # fmt: skip
        # A JSON string, number or list of strings is one of TOML, too.
        lines = [f"{name} = {strict_json.dumps(value).decode()}" for name, value in (common | of_kind[member.kind]).items()]
        text = "\n".join([f'format = "{CONFIG_FORMAT}"', "", f"[{member.kind}]", *lines, ""])
        files.write_atomically(federation.service_file(member), text.encode())


def _ports(count: int, base: int | None) -> list[int]:
    if base is not None:
        return list(range(base, base + count))
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in listeners]


def _member(item: object, where: str) -> Member:
    values = [item.get(name) for name in ("name", "kind", "url")] if isinstance(item, dict) else [None]
    if not all(isinstance(value, str) for value in values):
        raise FormatError("a member of the federation is malformed", where=where)
    return Member(*values)
