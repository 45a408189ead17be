"""``did-health ledger``: show, prove and check what the ledger publishes. Needs no passphrase."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from did_health.cli import ledger_audit, ledger_show, options, session
from did_health.cli.exits import UsageError, asking
from did_health.cli.ledger_audit import show_audited
from did_health.cli.ledger_show import checkpoint_json, policy_of, show_checkpoint
from did_health.cli.options import DirectoryOption, JSONOption, PolicyOption, example
from did_health.cli.output import Output

if TYPE_CHECKING:
    from did_health.cli.published import PublishedLog
    from did_health.keys import PublicKey
    from did_health.tlog.proof import TlogProof
    from did_health.tlog.witness_policy import VerifiedCheckpoint, WitnessPolicy

app = options.group("ledger", "Show, prove and check what the ledger publishes.")


app.command("show", epilog=ledger_show.EXAMPLE)(ledger_show.show)
app.command("audit", epilog=ledger_audit.EXAMPLE)(ledger_audit.audit)


@app.command("prove", epilog=example(
    "did-health ledger prove status-list https://ledger.example/nc-medical/status/1/revocation -o list.tlog-proof",
    "did-health ledger prove --index 0 -o first.tlog-proof",
    "did-health ledger prove did did:webvh:Qm...:board.example --latest -o latest.cbor",
))
def prove(
    kind: Annotated[str | None, typer.Argument(help="did, status-list, registry-record, issuance-batch, receipt-batch or schema.")] = None,
    identifier: Annotated[
        str | None, typer.Argument(help="The DID, the list's URL, the record's four words in quotes, the issuer's DID, or the author and the schema's $id.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The proof file to write; by default standard output.")] = None,
    index: Annotated[int | None, typer.Option("--index", min=0, help="Prove this entry, counted from 0, instead of the newest about something.")] = None,
    latest: Annotated[bool, typer.Option("--latest", help="Write the bundle that proves the newest entry as such, or that there is none.")] = False,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    as_json: JSONOption = False,
) -> None:
    """Write a C2SP tlog-proof: that an entry is on the ledger, under the published checkpoint, with the entry inside. With --latest, a bundle instead."""
    from did_health.cli.published import PublishedLog

    if (index is None) == (kind is None) or (kind is not None and not identifier) or (latest and kind is None):
        raise UsageError("one entry is proved", hint="Give KIND and IDENTIFIER, or --index N without --latest")
    log = PublishedLog(directory)
    if latest:
        _prove_latest(log, _subject(str(kind), str(identifier)), output, Output(as_json))
        return
    if index is None:
        index = log.latest(_subject(str(kind), str(identifier)))
        if index is None:
            raise UsageError("the ledger has no entry about this", where=f"{kind} {identifier}", hint="Write the identifier as the ledger has it")
    with asking("there is no such entry"):
        proof = log.proof(index)
    out = Output(as_json)
    if output is None and not as_json:
        out.write(proof.encode())
        return
    if output is not None:
        session.write_file(output, proof.encode())
    if as_json:
        kept = {"file": str(output)} if output else {"proof": proof.encode().decode()}
        out.json({"index": index, "size": log.checkpoint.size, "origin": log.checkpoint.origin, **kept})
    else:
        out.line(f"Entry {index} of {log.checkpoint.size} is proved in {output}.")


def _prove_latest(log: PublishedLog, subject: bytes, output: Path | None, out: Output) -> None:
    from did_health.encoding.base64 import base64_encode

    bundle = log.bundle(subject)
    index, data = bundle.newest.index if bundle.newest else None, bundle.encode()
    if output is None and not out.as_json:
        out.write(data)
        return
    if output is not None:
        session.write_file(output, data)
    if out.as_json:
        kept = {"file": str(output)} if output else {"bundle": base64_encode(data)}
        out.json({"index": index, "size": log.checkpoint.size, "origin": log.checkpoint.origin, "subject": subject.hex(), **kept})
    else:
        found = "That there is no entry" if index is None else f"That entry {index} of {log.checkpoint.size} is the newest"
        out.line(f"{found} of the subject {subject.hex()} is proved in {output}.")


def _subject(kind: str, identifier: str) -> bytes:
    from did_health.ledger.entry import Kind, did_subject, subject_of

    if kind not in list(Kind) or kind in (Kind.REVOCATION, Kind.MAP_HEAD):
        named = [one for one in Kind if one not in (Kind.REVOCATION, Kind.MAP_HEAD)]
        raise UsageError("entries of this kind are not found by a name", where=kind, hint=f"The kinds are: {', '.join(named)}; or give --index N")
    return did_subject(identifier) if kind == Kind.DID else subject_of(Kind(kind), identifier)


@app.command("check", epilog=example("did-health ledger check", "did-health ledger check first.tlog-proof --policy trust-policy.toml"))
def check(
    file: Annotated[Path | None, typer.Argument(help="A tlog-proof file or a bundle; without it the whole log of the directory is recomputed.")] = None,
    kind: Annotated[str | None, typer.Argument(help="What a bundle has to be about, as for prove; needed if it says that there is nothing.")] = None,
    identifier: Annotated[str | None, typer.Argument(help="As for prove.")] = None,
    policy: PolicyOption = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    as_json: JSONOption = False,
) -> None:
    """Verify a proof file under the trust policy, or recompute the whole published log from its entries. Status 1 if it does not hold."""
    from did_health.limits import MAX_LATEST_BUNDLE_BYTES

    rules = policy_of(policy, directory)
    if file is None:
        _check_log(rules, directory, Output(as_json))
    else:
        data = session.read_file(file, max_bytes=MAX_LATEST_BUNDLE_BYTES)
        # A CBOR map is no text.
        if data and data[0] & 0xE0 == 0xA0:
            _check_bundle(rules, file, data, _subject(kind, identifier) if kind and identifier else None, Output(as_json))
        else:
            _check_proof(rules, file, data, Output(as_json))


def _check_log(rules: WitnessPolicy, directory: Path, out: Output) -> None:
    from did_health.cli.published import PublishedLog, ledger_store

    log = PublishedLog(directory)
    verified = rules.check(log.note, now=int(session.now().timestamp()))
    key = next(one.key.public_key for one in rules.logs if one.key.name == verified.checkpoint.origin)
    with ledger_store(directory) as store:
        found = log.check(cast("PublicKey", key), store.content if store else None)
    show_audited(out, verified, found)


def _check_bundle(rules: WitnessPolicy, file: Path, data: bytes, subject: bytes | None, out: Output) -> None:
    from did_health.ledger.latest import LatestBundle, VerifiedLatest

    def verified_bundle() -> tuple[bytes, VerifiedLatest]:
        bundle = LatestBundle.parse(data)
        about = subject or (bundle.newest.parsed.subject if bundle.newest else None)
        if about is None:
            raise UsageError("the bundle says that there is nothing, of something that it does not name", where=str(file), hint="Give KIND and IDENTIFIER, too")
        return about, bundle.verify(about, rules, now=int(session.now().timestamp()))

    about, verified = session.at_file(file, verified_bundle)
    entry = verified.entry
    found = {"kind": entry.kind, "author": entry.author, "seq": entry.seq} if entry else {}
    if out.as_json:
        out.json({"valid": True, "subject": about.hex(), "index": verified.index, **found, **checkpoint_json(verified.checkpoint)})
        return
    out.line("The bundle holds.", "green")
    told: list[tuple[str, object]] = [("Subject", about.hex())]
    if entry is None:
        told.append(("Entry", "there is none"))
    else:
        told += [("Newest entry", f"{verified.index}: {entry.kind}, number {entry.seq} of its subject"), ("Author", entry.author)]
    out.facts(told)
    show_checkpoint(out, verified.checkpoint)


def _check_proof(rules: WitnessPolicy, file: Path, data: bytes, out: Output) -> None:
    from did_health.ledger.entry import Entry
    from did_health.tlog.proof import TlogProof
    from did_health.tlog.witness_policy import verify_proof

    def verified_proof() -> tuple[TlogProof, Entry, VerifiedCheckpoint]:
        proof = TlogProof.parse(data)
        if proof.extra is None:
            raise UsageError("the proof does not hold its entry", where=str(file), hint="Make one with: did-health ledger prove")
        return proof, Entry.parse(proof.extra), verify_proof(proof, proof.extra, rules, now=int(session.now().timestamp()))

    proof, entry, verified = session.at_file(file, verified_proof)
    if out.as_json:
        out.json({"valid": True, "index": proof.index, "kind": entry.kind, "author": entry.author, "seq": entry.seq, **checkpoint_json(verified)})
        return
    out.line("The proof holds.", "green")
    out.facts([("Entry", f"{proof.index}: {entry.kind}, number {entry.seq} of its subject"), ("Author", entry.author)])
    show_checkpoint(out, verified)
