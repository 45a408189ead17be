"""``did-health did``: create, resolve, rotate and deactivate DIDs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import options, session
from did_health.cli.exits import UsageError, asking
from did_health.cli.options import (
    AlgorithmOption,
    AllowHostOption,
    DirectoryOption,
    HostOption,
    JSONOption,
    OutputFileOption,
    PassphraseFileOption,
    example,
)
from did_health.cli.output import Output, note, when
from did_health.errors import DidHealthError

if TYPE_CHECKING:
    from did_health.did.method import ResolutionOptions
    from did_health.stores.directory import Directory

app = options.group("did", "Create, resolve, rotate and deactivate DIDs.")

NameArgument = Annotated[str, typer.Argument(help="The institution's short name: a to z, 0 to 9 and hyphens.")]


@app.command("create", epilog=example(
    'did-health did create nc-medical --title "North Carolina Medical Board" --jurisdiction US-NC', "did-health did create --method key -o me.key",
))
def create(
    name: Annotated[str | None, typer.Argument(help="The institution's short name: a to z, 0 to 9 and hyphens.")] = None,
    method: Annotated[str, typer.Option("--method", help="webvh: an institution of the directory; key: a key of its own.")] = "webvh",
    title: Annotated[str, typer.Option("--title", help="The institution's full name.")] = "",
    jurisdiction: Annotated[str, typer.Option("--jurisdiction", help="The state that it acts for, as US-NC; US for the whole country.")] = "US",
    algorithm: AlgorithmOption = "Ed25519",
    host: HostOption = "ledger.example",
    output: OutputFileOption = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Make a DID: did:webvh with pre-rotation, logged on the ledger, or a did:key with its sealed key file.

    A did:webvh institution made here is not accredited for anything; use `board init` for one that issues. The algorithm of a did:key
    may also be BLS12381G2, for BBS signatures (needs the extra `bbs`).
    """
    out = Output(as_json)
    if method == "key":
        _create_key(output, algorithm, passphrase_file, out)
        return
    if method != "webvh":
        raise UsageError("DIDs of this method are not made here", where="--method", hint="It is webvh or key")
    if name is None or not title:
        raise UsageError("an institution has a name and a title", hint='Write: did-health did create NAME --title "FULL NAME"')
    session.require_name(name)
    session.require_details(title, jurisdiction)
    kind = session.algorithm(algorithm)
    with session.open_or_create(directory, passphrase_file, host) as opened:
        institution = opened.create_institution(name, title=title, jurisdiction=jurisdiction, algorithm=kind)
        facts = [("DID", institution.did), ("Log", institution.log.did.log_url), ("Directory", str(directory))]
    if as_json:
        out.json({"did": facts[0][1], "logUrl": facts[1][1], "directory": facts[2][1]})
    else:
        out.facts(facts)


def _create_key(output: Path | None, algorithm: str, passphrase_file: Path | None, out: Output) -> None:
    from did_health.did.methods.key import did_key
    from did_health.encoding import strict_json
    from did_health.encoding.base64 import base64url_encode
    from did_health.keys import generate
    from did_health.stores.sealed_files import SealedFile

    if output is None:
        raise UsageError("a key needs a file to be kept in", where="--output", hint="Write: did-health did create --method key -o FILE")
    signer = generate(session.random_bytes, session.any_algorithm(algorithm))
    secret = strict_json.dumps({"algorithm": signer.public_key.algorithm, "secret": base64url_encode(signer.secret)})
    with asking("the key cannot be kept"):
        SealedFile.create(output, secret, session.passphrase(passphrase_file, new=True), content="key", random=session.random_bytes)
    did = str(did_key(signer.public_key))
    if out.as_json:
        out.json({"did": did, "keyFile": str(output)})
    else:
        out.facts([("DID", did), ("Key file", f"{output} (sealed with your passphrase; keep a copy)")])


@app.command("resolve", epilog=example(
    "did-health did resolve did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    "did-health did resolve did:webvh:QmExample:ledger.example:nc-medical --version-number 1",
))
def resolve(
    did: Annotated[str, typer.Argument(help="A DID, or a DID URL of a part of its document.")],
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    allow_host: AllowHostOption = None,
    version_id: Annotated[str | None, typer.Option("--version-id", help="The version with this id.")] = None,
    version_time: Annotated[str | None, typer.Option("--version-time", help="The version at this time, as 2026-01-31T13:45:00Z.")] = None,
    version_number: Annotated[int | None, typer.Option("--version-number", min=1, help="The version with this number, from 1.")] = None,
    as_json: JSONOption = False,
) -> None:
    """Resolve a DID by the directory's ledger, or over HTTPS, and print its document with its metadata.

    A deactivated DID is an answer (status 0); a DID that is not found is not (1); a server that cannot be reached leaves it open (3).
    """
    from did_health.cli.fetching import resolution_of
    from did_health.did.method import ResolutionOptions

    wanted = ResolutionOptions(version_id, session.moment(version_time, "--version-time"), version_number)
    content, result = resolution_of(did, directory, frozenset(allow_host or ()), wanted)
    out = Output(as_json)
    if as_json:
        out.json(result)
        return
    _show(out, did, content, result["didDocumentMetadata"], wanted)


def _show(out: Output, did: str, content: object, metadata: dict[str, object], wanted: ResolutionOptions) -> None:
    from did_health.encoding import strict_json

    out.heading(f"{did}" + (f" at {when(wanted.version_time)}" if wanted.version_time else ""))
    if content is None:
        out.line("The DID is deactivated: there is no document.", "yellow")
    else:
        out.document(strict_json.dumps(content, indent=True))
    if metadata:
        out.facts([(name, value if isinstance(value, str) else strict_json.dumps(value).decode()) for name, value in metadata.items()])


@app.command("rotate", epilog=example(
    "did-health did rotate nc-medical",
    "did-health did rotate registry --service TRQP=https://registry.example --service egfURI=https://registry.example/framework",
))
def rotate(
    name: NameArgument,
    service: Annotated[
        list[str] | None, typer.Option("--service", help="TYPE=URL: what the DID document names from now on, instead of what it named. May be repeated.")
    ] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Put the committed next key of an institution in charge, with a new signing key; what was logged before stays verifiable.

    Receipts that wait to be logged are logged first: afterwards nobody could tell when the old key signed them.
    """
    with session.open_existing(directory, passphrase_file) as opened:
        if opened.institution(name).log.deactivated:
            raise UsageError("the DID is deactivated: its keys are of no use any more", where=name)
        services = _services(service)
        _publish_receipts(opened, name)
        institution = opened.rotate(name, services=services)
        did, version, method = institution.did, institution.log.latest.version_id, institution.verification_method
    out = Output(as_json)
    if as_json:
        out.json({"did": did, "versionId": version, "verificationMethod": method})
    else:
        out.facts([("DID", did), ("Version", version), ("Signs with", method)])


def _publish_receipts(opened: Directory, name: str) -> None:
    from did_health.roles.receipts import ReceiptBook
    from did_health.stores.verifier_records import SQLVerifierRecords

    if not opened.has_verifier(name):
        return
    try:
        ReceiptBook(opened.institution(name), SQLVerifierRecords(opened.verifier_database(name))).publish()
    except DidHealthError as error:
        # A stolen key is replaced all the same.
        note(f"Receipts that wait could not be logged by the old key, and will not be verified: {error.what}", "yellow")


def _services(given: list[str] | None) -> dict[str, str] | None:
    """By its type the URL of each service, or ``None`` to leave them as they are. Raises ``UsageError``."""
    if not given:
        return None
    pairs = [one.partition("=") for one in given]
    services = {kind: url for kind, separator, url in pairs if separator}
    if len(services) < len(given):
        raise UsageError("a service is TYPE=URL, and each type is named once", where="--service", hint="Write it as TRQP=https://registry.example")
    return services


@app.command("deactivate", epilog=example("did-health did deactivate old-board --yes"))
def deactivate(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether this is meant.")] = False,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """End an institution's DID for ever. Nothing that it issued can be accepted afterwards."""
    import sys

    if not yes and not (sys.stdin.isatty() and typer.confirm(f"End the DID of {name} for ever?", err=True)):
        raise UsageError("nothing was done: a DID is ended only if you say so", hint="Add --yes")
    with session.open_existing(directory, passphrase_file) as opened:
        institution = opened.institution(name)
        if institution.log.deactivated:
            raise UsageError("the DID is deactivated already", where=name)
        institution.deactivate()
        did = institution.did
    out = Output(as_json)
    if as_json:
        out.json({"did": did, "deactivated": True})
    else:
        out.line(f"{did} is deactivated.")
