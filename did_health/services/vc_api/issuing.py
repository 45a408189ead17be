"""Issuing, deriving and proving: from a parsed request to the document of the answer."""

from __future__ import annotations

from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.services.vc_api.instance import Instance
from did_health.services.vc_api.issuers import Issuer
from did_health.services.vc_api.requests import SecuringOptions
from did_health.services.vc_api.status_lists import USUAL
from did_health.vc import rdf
from did_health.vc.contexts import CONTEXTS
from did_health.vc.credential import Credential
from did_health.vc.envelope import Envelope, envelope_type
from did_health.vc.presentation import Presentation, self_asserted
from did_health.vc.proofs import derive_proof
from did_health.vc.status import StatusEntry
from did_health.vc.status_entry import ENTRY_TYPE
from did_health.vc.validation import type_names


def issue(instance: Instance, document: JSONObject, options: SecuringOptions, issuer: Issuer | None = None) -> JSONObject:
    """``document`` as a verifiable credential of ``issuer``, or of the one that ``options`` and its own member ``issuer`` ask for.

    Raises ``FormatError`` for what is no credential, names another issuer or cannot be secured, ``ConflictError`` for an id whose status
    is kept already.
    """
    credential = Credential.parse(document)
    issuer = _issuer(instance, credential, options) if issuer is None else _matching(issuer, options)
    if credential.issuer_id != issuer.party.did:
        raise FormatError("the issuer of the credential is another one", where="/credential/issuer", hint=f"This one is {issuer.party.did}")
    for name in ("validFrom", "validUntil", "issuanceDate", "expirationDate"):
        if name in document:
            _require_zone(document[name], f"/credential/{name}")
    for entry in credential.status_entries:
        if ENTRY_TYPE in (type_names(entry["type"]) or ()):
            StatusEntry.parse(entry)
    if not issuer.securing.reads_json_ld:
        _require_json_ld(instance, document)
    entries = instance.status_lists.allocate(instance.list_owner(issuer), options.statuses or (USUAL if issuer.with_status else ()))
    if entries:
        added = [entry.to_json() for entry in entries]
        present = list(credential.status_entries)
        document = {**document, "credentialStatus": added[0] if len(added) == 1 and not present else [*present, *added]}
    secured = instance.secured(issuer, document, options, "assertionMethod")
    identifier = options.credential_id or credential.id
    if entries and identifier is not None:
        instance.status_lists.remember(identifier, entries)
    return secured


def derive(instance: Instance, document: JSONObject, pointers: tuple[str, ...]) -> JSONObject:
    """What ``pointers`` and the issuer's mandatory ones reveal of a credential with a base proof, or in an SD-JWT. Raises ``FormatError``."""
    if envelope_type(document) is not None:
        return _derive_sd_jwt(document, pointers)
    Credential.parse(document)
    return derive_proof(document, pointers, random=instance.random, contexts=instance.contexts)


def _derive_sd_jwt(document: JSONObject, pointers: tuple[str, ...]) -> JSONObject:
    from did_health.vc.jose_cose import MediaType, Secured
    from did_health.vc.sd_jwt import present

    secured = Secured.open(Envelope.parse(document, "/verifiableCredential"))
    if secured.media_type is not MediaType.VC_SD_JWT:
        raise FormatError(f"nothing can be left out of {secured.media_type}", where="/verifiableCredential", code="PROOF_GENERATION_ERROR")
    try:
        shown = present(secured.content, pointers)
    except ValueError as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError("a JSON pointer names nothing in the credential", where="/options/selectivePointers", code="PROOF_GENERATION_ERROR") from error
    return Secured(secured.media_type, str(shown).encode()).envelope()


def prove(instance: Instance, document: JSONObject, options: SecuringOptions) -> JSONObject:
    """``document``, a presentation, with a proof by one of the service's parties. Raises ``FormatError``."""
    presentation = Presentation.parse(document)
    for credential in presentation.credentials:
        Credential.parse(credential)
    self_asserted(presentation)
    holder = instance.issuer(options, presentation.holder)
    if presentation.holder is not None and presentation.holder != holder.party.did:
        raise FormatError("the holder of the presentation is another one", where="/presentation/holder", hint=f"This one is {holder.party.did}")
    return instance.secured(holder, document, options, "authentication")


def _issuer(instance: Instance, credential: Credential, options: SecuringOptions) -> Issuer:
    return instance.issuer(options, credential.issuer_id)


def _matching(issuer: Issuer, options: SecuringOptions) -> Issuer:
    """``issuer``, unless ``options`` ask for something that its path does not give."""
    if options.suite not in (None, issuer.securing.name):
        raise FormatError(f"this issuer has the suite {issuer.securing.name}", where="/options/cryptosuite", code="PROOF_GENERATION_ERROR")
    if options.verification_method not in (None, issuer.party.verification_method, issuer.party.did):
        raise FormatError("the verification method is not this issuer's", where="/options/verificationMethod", code="PROOF_GENERATION_ERROR")
    return issuer


def _require_zone(text: str, where: str) -> None:
    """Verifiers read a time without an offset as UTC; an issuer must not write one (§4.9)."""
    try:
        timestamps.parse(text)
    except FormatError as error:
        raise FormatError(error.what, where=where, hint=error.hint, code="MALFORMED_VALUE_ERROR") from error


def _require_json_ld(instance: Instance, document: JSONObject) -> None:
    """What JSON-LD refuses (terms that no context defines or two contexts define), where all its contexts are known: JCS reads none of them."""
    context = document["@context"]
    urls = [item for item in (context if isinstance(context, list) else [context]) if isinstance(item, str)]
    if all(url in CONTEXTS or url in instance.contexts for url in urls):
        try:
            rdf.quads({name: value for name, value in document.items() if name != "proof"}, instance.contexts)
        except UnsupportedError:
            # Without the optional package there is no JSON-LD here at all.
            return
