"""What can be handed to a verifier: a presentation, a credential, or a credential together with its issuance receipt.

The last is how credentials travel outside presentations::

    {"credential": {…}, "issuanceReceipt": {…}}

In a presentation the receipts stand beside the credentials, in their order: ``"issuanceReceipt": [{…}, null, …]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.jcs import Canonicalize, canonicalizer
from did_health.encoding.strict_json import JSON, JSONObject, Survey, survey
from did_health.errors import FormatError
from did_health.limits import MAX_DOCUMENT_DEPTH
from did_health.vc.common_shape import has_common_shape
from did_health.vc.presentation import Presentation

RECEIPT: Final = "issuanceReceipt"
_CREDENTIAL: Final = "credential"


@dataclass(frozen=True, slots=True)
class Part:
    """One credential to verify, as received, and the receipt that came with it (``None`` if none did)."""

    # Claims stay out of logs and tracebacks.
    credential: JSONObject = field(repr=False)
    receipt: JSON = field(repr=False)
    is_common: bool = False
    """Whether the credential has the common shape (see ``vc.common_shape``)."""


@dataclass(frozen=True, slots=True)
class Document:
    """What was received: its credentials, and the presentation that holds them (``None`` for a credential that nobody presents)."""

    parts: tuple[Part, ...]
    presentation: Presentation | None
    canonicalize: Canonicalize
    """The quickest way to canonicalise what is in it, for all of it was surveyed."""


def parse_document(source: bytes | str | JSONObject) -> Document:
    """Tell what ``source`` is; the credentials in it are not looked at yet.

    Raises ``FormatError`` if it is neither of the three, or a malformed presentation.
    """
    document, found = _read(source)
    presentation: Presentation | None = None
    credentials: Sequence[JSONObject]
    receipts: Sequence[JSON]
    types = document.get("type")
    names = [types] if isinstance(types, str) else types if isinstance(types, list) else []
    if isinstance(document.get(_CREDENTIAL), dict):
        holding, credentials, receipts = _CREDENTIAL, (document[_CREDENTIAL],), (document.get(RECEIPT),)
    elif "VerifiablePresentation" in names:
        presentation = Presentation.parse(document)
        holding, credentials, receipts = "verifiableCredential", presentation.credentials, _receipts(document, len(presentation.credentials))
    elif "VerifiableCredential" in names:
        holding, credentials, receipts = "", (document,), (None,)
    else:
        raise FormatError("the document is neither a verifiable presentation nor a verifiable credential", where="/type")
    if found is not None:
        return Document(tuple(map(Part, credentials, receipts)), presentation, canonicalizer(found))
    common = [has_common_shape(credential) for credential in credentials]
    # What has the common shape is known to be plain, and not deep: only what is around it is left to look at.
    around = document if False in common else [value for name, value in document.items() if name != holding] if holding else None
    found = survey(around)
    if found.depth > MAX_DOCUMENT_DEPTH:
        raise FormatError(f"the document is nested deeper than {MAX_DOCUMENT_DEPTH} levels")
    return Document(tuple(map(Part, credentials, receipts, common)), presentation, canonicalizer(found))


def _read(source: bytes | str | JSONObject) -> tuple[JSONObject, Survey | None]:
    """The document, and its survey unless that can wait until more is known of it."""
    if isinstance(source, dict):
        return source, survey(source)
    found: Survey | None = None
    document = strict_json.loads_unsurveyed(source)
    if document is None:
        document, found = strict_json.loads_surveyed(source, what="document")
    if not isinstance(document, dict):
        raise FormatError("the document is not a JSON object")
    return document, found


def _receipts(document: JSONObject, count: int) -> Sequence[JSON]:
    receipts = document.get(RECEIPT, [None] * count)
    receipts = receipts if isinstance(receipts, list) else [receipts]
    if len(receipts) != count:
        raise FormatError(f"the presentation holds {count} credentials and {len(receipts)} issuance receipts", where=f"/{RECEIPT}")
    return receipts


def logged_credential(credential: JSONObject, receipt: JSONObject) -> JSONObject:
    """The document of a credential that travels with its receipt."""
    return {_CREDENTIAL: credential, RECEIPT: receipt}
