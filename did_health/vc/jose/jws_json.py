"""JSON Web Signature, JSON serialization, general and flattened (RFC 7515 §7.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from did_health.encoding import strict_json
from did_health.encoding.base64 import base64url_encode
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.keys import PublicKey, Signer
from did_health.limits import MAX_JWS_SIGNATURES, MAX_TOKEN_CHARACTERS
from did_health.vc.error_codes import PARSING
from did_health.vc.jose.header import Header, protected_members
from did_health.vc.jose.jws import JWS, VerifiedJWS, decoded, protected_header, signing_input_of

FindKey = Callable[[Header], PublicKey]
"""The key of one signature, by its header; raises whatever tells that there is none."""


def parse_json(source: bytes | str | JSONObject, *, detached: bytes | None = None) -> tuple[JWS, ...]:
    """The signatures of a JWS, each with the payload, none verified.

    Raises ``FormatError`` unless it is one of the two forms, and ``UnsupportedError`` as ``Header.parse`` does, for any of the signatures.
    """
    document = source if isinstance(source, dict) else strict_json.loads_object(source, what="JWS", max_bytes=MAX_TOKEN_CHARACTERS)
    if "signatures" in document:
        # §7.2.2: the flattened form's members must not be there.
        if not document.keys().isdisjoint(("protected", "header", "signature")):
            raise _malformed("the JWS mixes the general and the flattened form")
        entries = document["signatures"]
        if not isinstance(entries, list) or not entries:
            raise _malformed("signatures is not a list of one or more")
    else:
        entries = [document]
    if len(entries) > MAX_JWS_SIGNATURES:
        raise _malformed(f"the JWS has more than {MAX_JWS_SIGNATURES} signatures")
    if detached is not None and "payload" in document:
        raise _malformed("the JWS carries a payload, and another one was given")
    found = tuple(_signature(entry, document, detached) for entry in entries)
    if len({jws.header.is_encoded for jws in found}) != 1:
        raise _malformed("the signatures do not agree about b64")  # RFC 7797 §3
    return found


def verify_json(source: bytes | str | JSONObject, find: FindKey, *, detached: bytes | None = None) -> tuple[VerifiedJWS, ...]:
    """Every signature of a JWS, verified: one that fails refuses the whole (RFC 7515 §5.2 leaves that to the application).

    Raises what ``parse_json`` and ``JWS.verify`` raise, and whatever ``find`` raises.
    """
    return tuple(jws.verify(find(jws.header)) for jws in parse_json(source, detached=detached))


def sign_flattened(payload: bytes, signer: Signer, header: Mapping[str, JSON] | None = None, unprotected: Mapping[str, JSON] | None = None) -> JSONObject:
    """A JWS in the flattened form; raises as ``sign_compact`` does."""
    protected, parsed = protected_header(signer, header)
    carried = base64url_encode(payload)
    if not parsed.is_encoded:
        try:
            carried = payload.decode()
        except UnicodeDecodeError as error:
            raise FormatError("the payload cannot stand unencoded in JSON: it is not UTF-8") from error
    document: JSONObject = {"payload": carried, "protected": protected}
    if unprotected:
        Header.parse(protected_members(protected), dict(unprotected))
        document["header"] = dict(unprotected)
    document["signature"] = base64url_encode(signer.sign(signing_input_of(parsed, protected, payload)))
    return document


def _signature(entry: JSON, document: JSONObject, detached: bytes | None) -> JWS:
    if not isinstance(entry, dict):
        raise _malformed("a signature of the JWS is not an object")
    unprotected = entry.get("header", {})
    if not isinstance(unprotected, dict):
        raise _malformed("the unprotected header is not an object")
    protected = _text(entry, "protected") if "protected" in entry else None
    if protected is None:
        raise UnsupportedError("the JWS has no protected header")
    header = Header.parse(protected_members(protected), unprotected)
    payload = detached
    if payload is None:
        carried = _text(document, "payload")
        payload = decoded(carried, "payload of the JWS") if header.is_encoded else _utf8(carried)
    signature = decoded(_text(entry, "signature"), "signature of the JWS")
    return JWS(header, payload, signing_input_of(header, protected, payload), signature)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise _malformed("the unencoded payload holds a lone surrogate") from error


def _text(members: JSONObject, name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise _malformed(f"the JWS has no text member {name}")
    return value


def _malformed(what: str) -> FormatError:
    return FormatError(what, code=PARSING)
