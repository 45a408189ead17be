"""did:webvh 1.0 against the logs, refusals and resolutions of other implementations, and against the published JSON schema.

Disputed, and therefore no verdict on anybody's implementation:

- ``logs/witness-update``: the second entry changes two witnesses of two to one of one and carries one approval. By the text ("that new
  list becomes active AFTER the new DID log entry has been published") the old list has to approve it, so we refuse; others accept.
- ``negative/unknown-method-version`` and ``negative/scid-mismatch-genesis``: the SCID does not recompute either, so that any of two checks
  may come first. We say which one does with us, and make logs of our own with the named fault alone.
- ``updated`` in the ``missing-witness`` log of the resolver suite is the time of the entry that lacks its approval; the text says "the
  DID's last valid log entry".
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from did_health.did.did import DIDURL
from did_health.did.methods import webvh
from did_health.did.methods.webvh.urls import WebvhDID
from did_health.did.resolution import required_urls, resolve
from did_health.errors import FormatError, ResolutionError, UnsupportedError, VerificationError
from tests.conftest import shared, shared_cases
from tests.webvh_samples import commitment, day, first_line, new_log, signer, witnesses

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LOGS = shared_cases("vectors", "did-webvh", "logs", "*/*/did.jsonl")
DISPUTED = "witness-update"
COMPARED = ("versionId", "versionNumber", "versionTime", "created", "updated")

pytestmark = pytest.mark.vectors


def scenario(path: Path) -> str:
    return "/".join(path.parts[-3:-1])


def vectors(*parts: str) -> Path:
    return shared("vectors", "did-webvh", *parts)


def witness_file(folder: Path) -> bytes | None:
    path = folder / "did-witness.json"
    return path.read_bytes() if path.exists() else None


def read(folder: Path) -> webvh.LogReading:
    return webvh.read_log((folder / "did.jsonl").read_bytes(), witness_file(folder), now=NOW)


def results(folder: Path) -> list[tuple[int | None, dict[str, Any]]]:
    """The published resolution results, with the version that they are of (``None``: the latest)."""
    found = []
    for path in sorted(folder.glob("resolutionResult*.json")):
        number = path.name.split(".")[1]
        found.append((int(number) if number.isdigit() else None, json.loads(path.read_bytes())))
    return found


@pytest.mark.parametrize("path", [path for path in LOGS if path.parts[-3] != DISPUTED], ids=scenario)
def test_log_of_another_implementation(path: Path) -> None:
    folder = vectors("logs", *path.parts[-3:-1])
    log = read(folder).whole
    assert log.encode() == path.read_bytes().removesuffix(b"\n") + b"\n"
    published = results(folder)
    assert published
    for number, result in published:
        # multi-update/python has the result of the latest version under each number; the versionId says which one it is.
        metadata = result["didDocumentMetadata"]
        assert number is None or metadata["versionNumber"] in (number, len(log.entries))
        query = f"?versionId={metadata['versionId']}"
        resources = {log.did.log_url: path.read_bytes(), log.did.witness_url: witness_file(folder)}
        ours = resolve(f"{log.did}{query}", resources, now=NOW)
        mine = ours.metadata.to_json()
        # The TypeScript implementation's updated is the time of the version that was asked for.
        compared = [name for name in COMPARED if name in metadata and not (name == "updated" and metadata["updated"] == metadata["versionTime"])]
        assert {name: mine[name] for name in compared} == {name: metadata[name] for name in compared}
        assert ours.metadata.deactivated == metadata.get("deactivated", False)
        entry = log.version(version_id=metadata["versionId"])
        expected = dict(result["didDocument"])
        expected["service"] = [service for service in expected.get("service", []) if service["id"].partition("#")[2] not in ("files", "whois")]
        assert {"service": [], **entry.state} == expected
        keys = [method["publicKeyMultibase"] for method in expected["verificationMethod"]]
        if ours.document is not None:
            assert [method.public_key.multikey for method in ours.document.verification_methods.values()] == keys


@pytest.mark.parametrize("path", LOGS, ids=scenario)
def test_log_of_another_implementation_line_by_line(path: Path) -> None:
    folder = vectors("logs", *path.parts[-3:-1])
    log: webvh.Log | None = None
    for line in path.read_bytes().splitlines():
        log = webvh.verify_proposed(log, line, NOW)
    assert log is not None
    if path.parts[-3] != DISPUTED:
        assert log.with_witness_proofs(witness_file(folder) or b"[]", now=NOW).witnessed


@pytest.mark.parametrize("implementation", ["python", "ts"])
def test_disputed_witness_update(implementation: str) -> None:
    reading = read(vectors("logs", DISPUTED, implementation))
    assert isinstance(reading.fault, VerificationError)
    assert (reading.fault.code, reading.fault.where) == ("witness_threshold_not_met", "line 2")
    assert reading.valid is not None
    assert len(reading.valid.entries) == 1


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        pytest.param("cross-did-witness-replay", VerificationError, "witness_threshold_not_met", id="cross-did-witness-replay"),
        pytest.param("duplicate-witness-ids", FormatError, "malformed", id="duplicate-witness-ids"),
        pytest.param("pre-rotation-omit-updatekeys", FormatError, "malformed", id="pre-rotation-omit-updatekeys"),
        pytest.param("versiontime-future", VerificationError, "version_time_in_future", id="versiontime-future"),
        pytest.param("wrong-cryptosuite", UnsupportedError, "unsupported", id="wrong-cryptosuite"),
        pytest.param("scid-mismatch-genesis", VerificationError, "scid_mismatch", id="scid-mismatch-genesis-disputed"),
        pytest.param("unknown-method-version", UnsupportedError, "unsupported", id="unknown-method-version-disputed"),
    ],
)
def test_refused_log(name: str, error: type[Exception], code: str) -> None:
    folder = vectors("negative", name)
    assert name in json.loads(vectors("negative", "expected.json").read_bytes())["cases"]
    reading = read(folder)
    assert isinstance(reading.fault, error)
    assert reading.fault.code == code
    first = json.loads((folder / "did.jsonl").read_bytes().splitlines()[0])
    if name == "scid-mismatch-genesis":
        return
    did = first["state"]["id"]
    urls = required_urls(did)
    resources = {urls[0]: (folder / "did.jsonl").read_bytes(), urls[1]: witness_file(folder)}
    with pytest.raises(ResolutionError) as caught:
        resolve(did, resources, now=NOW)
    # The suite's invalidParameters and invalidProof are kinds of the invalidDid of the specification's list.
    expected = json.loads((folder / "resolutionResult.json").read_bytes())
    assert expected["didDocument"] is None
    assert expected["didResolutionMetadata"]["error"] in ("invalidDid", "invalidParameters", "invalidProof")
    assert caught.value.code == "INVALID_DID"


def test_every_refused_log_is_run() -> None:
    cases = set(json.loads(vectors("negative", "expected.json").read_bytes())["cases"])
    marks = [mark for mark in test_refused_log.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    assert cases == {parameters.values[0] for parameters in marks[0].args[1]}


def test_disputed_faults_alone() -> None:
    line = first_line(change=lambda entry: entry["parameters"].update(method="did:webvh:99.0"))
    with pytest.raises(UnsupportedError):
        webvh.verify_appended(None, line, NOW)
    other = "did:webvh:QmcASXkJMnprWNJCbyJ5394tCv8JDfrGptUmbCBoy4UtHE:board.example"
    with pytest.raises(VerificationError) as caught:
        webvh.verify_appended(None, first_line(change=lambda entry: entry["state"].update(id=other)), NOW)
    assert caught.value.where == "line 1, /state/id"


def test_dids_refused_before_any_request() -> None:
    scid = "QmcASXkJMnprWNJCbyJ5394tCv8JDfrGptUmbCBoy4UtHE"
    cases = json.loads(vectors("did-url-negative.json").read_bytes())["cases"]
    assert cases
    for case in cases:
        # The SCID of the vectors is none either; with a good one, the host or path has to be what is refused.
        for did in (case["did"], case["did"].replace("Qm" + "0" * 44, scid)):
            with pytest.raises(FormatError):
                WebvhDID.parse(did)
            if "#" not in did:
                with pytest.raises(ResolutionError):
                    required_urls(did)
    # A fragment belongs to a DID URL, and its DID is refused for the address.
    fragment = next(case["did"] for case in cases if "#" in case["did"]).replace("Qm" + "0" * 44, scid)
    with pytest.raises(ResolutionError):
        required_urls(str(DIDURL.parse(fragment).did))


def test_did_to_url() -> None:
    cases = json.loads(vectors("did-to-url.json").read_bytes())["cases"]
    assert cases
    for case in cases:
        assert WebvhDID.parse(case["did"].replace("{SCID}", "Q" * 46)).log_url == case["url"]


def test_resolver_suite() -> None:
    cases = json.loads(vectors("resolver-suite", "resolver-suite.json").read_bytes())
    assert cases
    for case in cases:
        folder = vectors("resolver-suite", "logs", case["log"])
        urls = required_urls(case["did_url"])
        resources = {urls[0]: (folder / "did.jsonl").read_bytes(), urls[1]: witness_file(folder)}
        if case["status"] == "error":
            with pytest.raises(ResolutionError) as caught:
                resolve(case["did_url"], resources, now=NOW)
            expected = {"notFound": "NOT_FOUND", "invalidDid": "INVALID_DID"}[case["didResolutionMetadata"]["error"]]
            assert caught.value.code == expected, case
        else:
            metadata = resolve(case["did_url"], resources, now=NOW).metadata.to_json()
            expected_metadata = dict(case["didDocumentMetadata"])
            if case["log"] == "missing-witness":  # disputed, see above
                assert expected_metadata.pop("updated") == "2000-01-01T12:03:00Z"
                assert metadata["updated"] == "2000-01-01T12:02:00Z"
            assert {name: metadata[name] for name in expected_metadata} == expected_metadata, case


@pytest.mark.parametrize("name", ["first_log_entry_good", "first_log_entry_verify_full"])
def test_first_entry_of_the_rust_implementation(name: str) -> None:
    assert len(webvh.Log.parse(vectors("rs", f"{name}.jsonl").read_bytes(), now=NOW).entries) == 1


def test_tampered_first_entry_of_the_rust_implementation() -> None:
    with pytest.raises(VerificationError) as caught:
        webvh.Log.parse(vectors("rs", "first_log_entry_verify_tampered.jsonl").read_bytes(), now=NOW)
    assert caught.value.code == "entry_hash_mismatch"


def test_our_lines_fit_the_published_schema() -> None:
    schema = json.loads(vectors("log_entry.schema.json").read_bytes())
    # A slip of the published file: "date-time" is a format and no type. It also wants at least one of every list, which the text lets be
    # empty to end what the list was for, so that a deactivated DID is left out here.
    text = json.dumps(schema).replace('"type": "date-time"', '"type": "string", "format": "date-time"')
    validator = jsonschema.Draft202012Validator(json.loads(text))
    log = new_log(pre_rotation=True, portable=True, ttl=60, watchers=["https://watcher.example"], witness=witnesses(1, 7))
    log = webvh.update(log, signer=signer(2), now=day(1), next_key_hashes=[commitment(3)])
    log = webvh.move(log, "new.example", signer=signer(3), now=day(2), next_key_hashes=[commitment(4)])
    for line in log.lines:
        validator.validate(json.loads(line))


def test_our_document_is_that_of_the_scenarios_script() -> None:
    """The keys of the scripts are seeds, so that the same steps must give the same update keys and commitments."""
    lines = vectors("logs", "pre-rotation-consume", "ts", "did.jsonl").read_bytes().splitlines()
    first, second = (json.loads(line)["parameters"] for line in lines[:2])
    assert first["updateKeys"] == [signer(1).public_key.multikey]
    assert first["nextKeyHashes"] == [webvh.next_key_hash(second["updateKeys"][0])]
