"""What can be handed to a verifier: a presentation, a credential, or a credential together with its issuance receipt.

The last is how credentials travel outside presentations::

    {"credential": {…}, "issuanceReceipt": {…}}

A receipt of a verification has ``receiptProof`` in its place: the proof that it is in a batch of its verifier's receipts.

In a presentation the receipts stand beside the credentials, in their order: ``"issuanceReceipt": [{…}, null, …]``. Presentations and
credentials may also be secured with JOSE, SD-JWT or COSE, bare or in an envelope; they are then read here and verified with their proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from did_health.encoding import strict_json
from did_health.encoding.jcs import Canonicalize, canonicalize_around, canonicalize_plain, canonicalizer
from did_health.encoding.strict_json import JSON, JSONObject, Survey, survey
from did_health.errors import FormatError
from did_health.limits import MAX_DOCUMENT_DEPTH
from did_health.vc.common_shape import has_common_shape, is_commonly_presented
from did_health.vc.credential import BASE_TYPE, Credential
from did_health.vc.envelope import Envelope, envelope_type
from did_health.vc.jose_cose.secured import Secured
from did_health.vc.presentation import Presentation

RECEIPT: Final = "issuanceReceipt"
RECEIPT_PROOF: Final = "receiptProof"
_CREDENTIAL: Final = "credential"
_PLAIN: Final = Survey(2, True)
_PRESENTED: Final = "verifiableCredential"
_SOURCES: Final = (bytes, dict, str)
_PLAINLY_PRESENTED: Final = ["VerifiablePresentation"]
"""The type of what is no envelope, and so need not be asked."""


class Part:
    """One credential to verify, as received, and the receipt that came with it (``None`` if none did).

    ``is_common`` tells whether the credential has the common shape (see ``vc.common_shape``). With ``secured`` it is what a token or message
    says, whose signature stands in the place of a proof. No dataclass, so that claims stay out of logs and tracebacks.
    """

    __slots__ = ("_canonical", "_canonicalize", "_digest", "credential", "is_common", "receipt", "secured")

    def __init__(
        self, credential: JSONObject, receipt: JSON, canonicalize: Canonicalize, is_common: bool = False, secured: Secured | None = None
    ) -> None:
        self.credential, self.receipt, self.is_common, self.secured = credential, receipt, is_common, secured
        self._canonicalize = canonicalize
        self._canonical: bytes | None = secured.signed if secured is not None else None
        self._digest: bytes | None = None

    def parsed(self) -> Credential:
        """The credential, seen through typed members. Raises ``FormatError``."""
        return Credential.parse_common(self.credential) if self.is_common else Credential.parse(self.credential)

    def canonical(self) -> bytes:
        """The credential with its proof in canonical form, made once; the token or message as its issuer made it. Raises ``FormatError``."""
        if self._canonical is None:
            self._canonical = self._canonicalize(self.credential)
        return self._canonical

    def digest(self) -> bytes:
        """SHA-256 of ``canonical``, made once: what the issuing batch on the ledger commits to. Raises ``FormatError``."""
        if self._digest is None:
            self._digest = sha256(self.canonical()).digest()
        return self._digest


class Document(NamedTuple):
    """What was received: its credentials, and the presentation that holds them (``None`` for a credential that nobody presents)."""

    parts: tuple[Part, ...]
    presentation: Presentation | None
    canonicalize: Canonicalize
    """The quickest way to canonicalise what is in it, for all of it was surveyed."""
    secured: Secured | None = None
    """The token or message that the presentation came in, whose signature stands in the place of its proof."""


def parse_document(source: bytes | str | JSONObject | Document) -> Document:
    """Tell what ``source`` is (or was found to be before); the credentials in it are not looked at yet.

    Raises ``FormatError`` if it is neither of the three, or a malformed presentation; ``UnsupportedError`` for one that is secured in a way
    that is not supported, and ``VerificationError`` for a selective disclosure that does not fit.
    """
    if isinstance(source, Document):
        return source
    if not isinstance(source, _SOURCES):
        raise TypeError(f"bytes, a text or a JSON object is verified, not {type(source).__name__}; of what a board issued that is its to_json()")
    if not isinstance(source, dict) and (secured := Secured.recognize(source)) is not None:
        return _opened(secured)
    document, found = _read(source)
    presentation: Presentation | None = None
    credentials: Sequence[JSONObject]
    receipts: Sequence[JSON]
    types = document.get("type")
    names = [types] if isinstance(types, str) else types if isinstance(types, list) else []
    if isinstance(document.get(_CREDENTIAL), dict):
        holding, credentials, receipts = _CREDENTIAL, (document[_CREDENTIAL],), (document.get(RECEIPT, document.get(RECEIPT_PROOF)),)
    elif types != _PLAINLY_PRESENTED and envelope_type(document) is not None:
        return _opened(Secured.open(Envelope.parse(document)))
    elif "VerifiablePresentation" in names:
        if found is None and is_commonly_presented(document):
            presented = document[_PRESENTED]
            common = [has_common_shape(credential) for credential in presented]
            if False not in common:
                presentation = Presentation.parse_common(document)
                return _document(presented, _receipts(document, len(presented)), common, presentation, _PLAIN)
        presentation = Presentation.parse(document)
        if presentation.envelopes:
            return _with_envelopes(presentation, found or survey(document), None)
        holding, credentials, receipts = _PRESENTED, presentation.credentials, _receipts(document, len(presentation.credentials))
    elif BASE_TYPE in names:
        holding, credentials, receipts = "", (document,), (None,)
    else:
        raise FormatError("the document is neither a verifiable presentation nor a verifiable credential", where="/type")
    if found is not None:
        return _document(credentials, receipts, [False] * len(credentials), presentation, found)
    common = [has_common_shape(credential) for credential in credentials]
    # What has the common shape is known to be plain, and not deep: only what is around it is left to look at.
    if False in common:
        found = survey(document)
    elif not holding or (holding == _CREDENTIAL and len(document) == 1 + (RECEIPT in document) and _is_flat(receipts[0])):
        found = _PLAIN
    else:
        found = survey([value for name, value in document.items() if name != holding])
    if found.depth > MAX_DOCUMENT_DEPTH:
        raise FormatError(f"the document is nested deeper than {MAX_DOCUMENT_DEPTH} levels")
    return _document(credentials, receipts, common, presentation, found)


def _opened(secured: Secured) -> Document:
    """What a token or message says, of a presentation or of a credential."""
    document = secured.unverified_document()
    found = survey(document)
    if secured.media_type.is_presentation:
        return _with_envelopes(Presentation.parse(document), found, secured)
    canonicalize = canonicalizer(found)
    return Document((Part(document, None, canonicalize, secured=secured),), None, canonicalize)


def _with_envelopes(presentation: Presentation, found: Survey, secured: Secured | None) -> Document:
    """A presentation that is secured or that holds secured credentials, perhaps among others."""
    if found.depth > MAX_DOCUMENT_DEPTH:
        raise FormatError(f"the document is nested deeper than {MAX_DOCUMENT_DEPTH} levels")
    canonicalize = canonicalizer(found)
    value = presentation.raw.get(_PRESENTED, [])
    presented = value if isinstance(value, list) else [value]
    receipts = _receipts(presentation.raw, len(presented))
    parts = []
    for credential, receipt in zip(presented, receipts, strict=True):
        if envelope_type(credential) is None:
            parts.append(Part(credential, receipt, canonicalize))
        else:
            inner = Secured.open(Envelope.parse(credential))
            parts.append(Part(inner.unverified_document(), receipt, canonicalize, secured=inner))
    return Document(tuple(parts), presentation, canonicalize, secured)


def _is_flat(receipt: JSON) -> bool:
    if type(receipt) is not dict:
        return receipt is None
    for value in receipt.values():  # noqa: SIM110  # a generator would take thrice as long
        if type(value) is not str and type(value) is not int:
            return False
    return True


def _document(
    credentials: Sequence[JSONObject], receipts: Sequence[JSON], common: Sequence[bool], presentation: Presentation | None, found: Survey
) -> Document:
    canonicalize = canonicalizer(found)
    parts = tuple([Part(credential, receipts[index], canonicalize, common[index]) for index, credential in enumerate(credentials)])
    if presentation is None or not found.plain or False in common or type(presentation.raw.get(_PRESENTED)) is not list:
        return Document(parts, presentation, canonicalize)

    def canonicalize_presentation(value: JSON) -> bytes:
        """The credentials are canonicalised for themselves anyway, so that the presentation can share that."""
        return canonicalize_around(value, _PRESENTED, [part.canonical() for part in parts]) if _PRESENTED in value else canonicalize_plain(value)

    return Document(parts, presentation, canonicalize_presentation)


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


def logged_credential(credential: JSONObject, receipt: JSONObject | None) -> JSONObject:
    """The document of a credential that travels with its receipt (``None``: it has none)."""
    return {_CREDENTIAL: credential} if receipt is None else {_CREDENTIAL: credential, RECEIPT: receipt}
