"""What other implementations take for the same licences, in the same run: those on Python where they are installed, those on Node by a script."""

from __future__ import annotations

import hashlib
import json
import subprocess
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import which
from typing import Any, Final

from did_health.cli.bench.measure import Work, in_turns, rotating
from did_health.cli.bench.suites import SecuredLicences
from did_health.encoding.multibase import base58btc_decode
from did_health.encoding.strict_json import JSONObject
from did_health.errors import TransportError
from did_health.keys import Algorithm, PublicKey
from did_health.vc.contexts import CONTEXTS

SCRIPT: Final = "peers.mjs"
NODE_SECONDS = 1.5
"""How long each suite is measured on Node."""
_NODE_TIMEOUT: Final = 300


@dataclass(frozen=True, slots=True)
class Peer:
    """Another implementation's verification of one suite. ``value`` is in U; None for one that is not here, and ``why`` says why."""

    suite: str
    name: str
    value: float | None
    why: str = ""


def on_python(cases: Sequence[SecuredLicences], yardstick: Work) -> list[Peer]:
    """PyLD with PyNaCl, and joserfc."""
    found: list[Peer] = []
    for case in cases:
        if case.suite not in _PYTHON:
            continue
        package, made = _PYTHON[case.suite]
        try:
            name = f"{package} {version(package)}"
        except PackageNotFoundError:
            found.append(Peer(case.suite, package, None, f"{package} is not installed"))
            continue
        with warnings.catch_warnings():
            # One of them calls EdDSA out of date.
            warnings.simplefilter("ignore")
            spent, unit = in_turns(rotating(case.secured, made(case.key)), yardstick)
        found.append(Peer(case.suite, name, spent / unit))
    return found


def on_node(cases: Sequence[SecuredLicences], folder: Path, unit: float) -> list[Peer]:
    """Those of ``folder``, which holds ``peers.mjs`` and its ``node_modules``; ``unit`` is U in seconds.

    Raises ``TransportError`` when the script fails: a peer that refuses our licences is not slow, but wrong, or we are.
    """
    node = which("node")
    why = "node is not installed" if node is None else "" if (folder / "node_modules").is_dir() else "its node_modules are not installed"
    if node is None or why:
        return [Peer(case.suite, "on Node", None, why) for case in cases]
    ran = subprocess.run(  # noqa: S603  # the script that the caller named
        [node, str(folder / SCRIPT)], input=json.dumps(_task(cases)), capture_output=True, text=True, check=False, timeout=_NODE_TIMEOUT
    )
    if ran.returncode:
        raise TransportError(f"the peers on Node did not verify the licences: {ran.stderr.strip()[-500:]}", code="bench_peer_failed")
    answer = json.loads(ran.stdout)
    return [Peer(peer["suite"], f"{peer['name']} on Node {answer['node']}", peer["seconds"] / unit) for peer in answer["peers"]]


def _task(cases: Sequence[SecuredLicences]) -> JSONObject:
    documents: JSONObject = dict(CONTEXTS)
    for case in cases:
        documents |= _key_documents(case.key)
    return {
        "cases": [
            {
                "suite": case.suite,
                "secured": [secured.decode() for secured in case.secured],
                "jwk": case.key.jwk if case.key.algorithm is Algorithm.ED25519 else None,
            }
            for case in cases
        ],
        "documents": documents,
        "seconds": NODE_SECONDS,
    }


def _key_documents(key: PublicKey) -> JSONObject:
    """What a loader finds under the key's did:key and under its verification method."""
    did = f"did:key:{key.multikey}"
    url = f"{did}#{key.multikey}"
    method = {"id": url, "type": "Multikey", "controller": did, "publicKeyMultibase": key.multikey}
    return {
        did: {"@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"], "id": did, "assertionMethod": [method]},
        url: {"@context": "https://w3id.org/security/multikey/v1", **method},
    }


def _by_pyld(key: PublicKey) -> Callable[[bytes], object]:
    from nacl.signing import VerifyKey
    from pyld import jsonld

    verifying = VerifyKey(key.raw)

    def load(url: str, _options: object) -> JSONObject:
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": CONTEXTS[url]}

    def digest(document: Any) -> bytes:
        canonical = jsonld.normalize(document, {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load})
        return hashlib.sha256(canonical.encode()).digest()

    def verify(text: bytes) -> None:
        document = json.loads(text)
        proof = document.pop("proof")
        signature = base58btc_decode(proof.pop("proofValue")[1:])
        verifying.verify(digest({"@context": document["@context"], **proof}) + digest(document), signature)

    return verify


def _by_joserfc(key: PublicKey) -> Callable[[bytes], object]:
    from joserfc import jwt
    from joserfc.jwk import OKPKey

    imported = OKPKey.import_key(dict(key.jwk))
    return lambda token: jwt.decode(token, imported, algorithms=["EdDSA"])


_PYTHON: Final = {"eddsa-rdfc-2022": ("pyld", _by_pyld), "vc+jwt": ("joserfc", _by_joserfc)}
