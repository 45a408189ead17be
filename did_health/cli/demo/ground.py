"""What the demo stands on: a ledger of its own in its directory, or a federation that is running."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Final, Protocol

from did_health.cli.demo.town import DEMO_SEALING, create_directory, create_passphrase
from did_health.encoding.strict_json import JSONObject
from did_health.errors import StoreError
from did_health.keys import generate
from did_health.ledger.entry import Kind, revocation_subject
from did_health.ledger.log import prepare
from did_health.limits import MAX_NOTE_BYTES
from did_health.net.persistent_ledger import PersistentLedger
from did_health.net.verifiers import PINS_FILE, embedded_verifier, web_verifier
from did_health.roles.evidence import Need
from did_health.roles.verifier import Verifier
from did_health.services.federation import LOOPBACK, Federation
from did_health.stores import files
from did_health.stores.directory import Directory
from did_health.stores.office import POLICY_FILE, Office
from did_health.stores.pins import FilePins
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.note import SignedNote
from did_health.tlog.witness_policy import MIRRORS, WITNESSES, WitnessPolicy

PATIENCE_SECONDS: Final = 30.0
"""How long the pharmacy waits for a ledger that was killed, before it asks a mirror, which may be a moment behind."""


class Ground(Protocol):
    """Where the demo's institutions are, and how its pharmacy verifies."""

    @property
    def office(self) -> Office:
        """Institutions, wallets and policy."""

    def verifier(self) -> Verifier:
        """A verifier that has seen nothing yet."""

    def freshen(self) -> None:
        """Have the newest state of every ledger witnessed anew."""

    def ledgers(self) -> Sequence[JSONObject]:
        """What there is to say of each ledger."""

    def commands(self, board: str) -> tuple[str, ...]:
        """Commands that look at what is there now."""

    def close(self) -> None:
        """Give back databases and connections."""


class OwnLedger:
    """A new directory with its own ledger, without any network. Raises ``UsageError`` for a path that is not empty."""

    def __init__(self, path: Path) -> None:
        self.office: Directory = create_directory(path)

    def verifier(self) -> Verifier:
        return embedded_verifier(self.office)

    def freshen(self) -> None:
        self.office.ledger.heartbeat()

    def ledgers(self) -> Sequence[JSONObject]:
        ledger = self.office.ledger
        return [{"url": ledger.url, "origin": ledger.origin, "entries": ledger.size, **_quorums(self.office.policy.ledger)}]

    def commands(self, board: str) -> tuple[str, ...]:
        path = quote(str(self.office.path))
        return f"did-health board list {board} --dir {path}", f"did-health ledger check --dir {path}"

    def close(self) -> None:
        self.office.close()


class OnFederation:
    """A new directory of institutions on the ledgers of a federation that is running, and a verifier that reads over HTTP."""

    def __init__(self, path: Path, federation: Federation) -> None:
        self._path, policy = federation.path, federation.trust_policy
        passphrase = create_passphrase(path)
        files.write_atomically(path / POLICY_FILE, policy.encode().encode())
        self._policy, self._ledgers = policy, federation.remote_ledgers()
        # Institutions of an earlier demo keep their places.
        run = secrets.token_hex(4)
        places = {f"{host}/demo-{run}": ledger for host, ledger in self._ledgers.items()}
        self._registry = federation.registry(self._ledgers)
        self.office = Office(path, places, passphrase, cost=DEMO_SEALING, authority=self._registry)

    def verifier(self) -> Verifier:
        pins = FilePins(self.office.path / PINS_FILE)
        return web_verifier(self._policy, allow_hosts=frozenset({LOOPBACK}), pins=pins, patience_seconds=PATIENCE_SECONDS)

    def freshen(self) -> None:
        # Whoever runs a ledger has it do so after quiet times; from outside, an entry that concerns nobody does the same.
        for ledger in self._ledgers.values():
            signer, handle = generate(os.urandom), os.urandom(32)
            author = f"did:key:{signer.public_key.multikey}#{signer.public_key.multikey}"
            ledger.submit([prepare(Kind.REVOCATION, revocation_subject(handle), handle, author=author, signer=signer, now=self.office.clock())])

    def ledgers(self) -> Sequence[JSONObject]:
        quorums = _quorums(self._policy.ledger)
        return [{"url": ledger.url, "origin": ledger.origin, "entries": _entries(ledger), **quorums} for ledger in self._ledgers.values()]

    def commands(self, board: str) -> tuple[str, ...]:  # noqa: ARG002  # boards on other ledgers are not listed by a command
        return (f"did-health federation status --dir {quote(str(self._path))}",)

    def close(self) -> None:
        self.office.close()
        self._registry.close()
        for ledger in self._ledgers.values():
            ledger.close()


def _entries(ledger: PersistentLedger) -> int:
    note = ledger.fetch(Need(f"{ledger.url}/checkpoint", MAX_NOTE_BYTES))
    if note is None:
        raise StoreError("the ledger has published nothing", where=ledger.url, code="store_missing")
    return Checkpoint.parse(SignedNote.parse(note).text).size


def _quorums(policy: WitnessPolicy | None) -> JSONObject:
    groups = {group.name: group for group in (policy.groups if policy else ())}
    numbers: JSONObject = {}
    if WITNESSES in groups:
        numbers |= {"witnesses": len(groups[WITNESSES].members), "quorum": groups[WITNESSES].threshold}
    if MIRRORS in groups:
        numbers |= {"mirrors": len(groups[MIRRORS].members), "mirrorQuorum": groups[MIRRORS].threshold}
    return numbers
