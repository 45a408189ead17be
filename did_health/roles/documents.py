"""What can be handed to a verifier: a presentation, a credential, or a credential together with its issuance receipt.

The last is how credentials travel outside presentations::

    {"credential": {…}, "issuanceReceipt": {…}}

In a presentation the receipts stand beside the credentials, in their order: ``"issuanceReceipt": [{…}, null, …]``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.jcs import Canonicalize, canonicalizer
from did_health.encoding.strict_json import JSON, JSONObject, Survey, survey
from did_health.errors import FormatError
from did_health.vc.presentation import Presentation

RECEIPT: Final = "issuanceReceipt"
_CREDENTIAL: Final = "credential"


@dataclass(frozen=True, slots=True)
class Part:
    """One credential to verify, as received, and the receipt that came with it (``None`` if none did)."""

    # Claims stay out of logs and tracebacks.
    credential: JSONObject = field(repr=False)
    receipt: JSON = field(repr=False)


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
    canonicalize = canonicalizer(found)
    if isinstance(document.get(_CREDENTIAL), dict):
        return Document((Part(document[_CREDENTIAL], document.get(RECEIPT)),), None, canonicalize)
    types = document.get("type")
    names = [types] if isinstance(types, str) else types if isinstance(types, list) else []
    if "VerifiablePresentation" in names:
        presentation = Presentation.parse(document)
        credentials = presentation.credentials
        receipts = document.get(RECEIPT, [None] * len(credentials))
        receipts = receipts if isinstance(receipts, list) else [receipts]
        if len(receipts) != len(credentials):
            raise FormatError(f"the presentation holds {len(credentials)} credentials and {len(receipts)} issuance receipts", where=f"/{RECEIPT}")
        return Document(tuple(map(Part, credentials, receipts)), presentation, canonicalize)
    if "VerifiableCredential" in names:
        return Document((Part(document, None),), None, canonicalize)
    raise FormatError("the document is neither a verifiable presentation nor a verifiable credential", where="/type")


def _read(source: bytes | str | JSONObject) -> tuple[JSONObject, Survey]:
    if isinstance(source, dict):
        return source, survey(source)
    document, found = strict_json.loads_surveyed(source, what="document")
    if not isinstance(document, dict):
        raise FormatError("the document is not a JSON object")
    return document, found


def logged_credential(credential: JSONObject, receipt: JSONObject) -> JSONObject:
    """The document of a credential that travels with its receipt."""
    return {_CREDENTIAL: credential, RECEIPT: receipt}
