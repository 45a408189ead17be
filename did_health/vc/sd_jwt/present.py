"""What a holder does with an SD-JWT (RFC 9901 §7.2): choose what to disclose, and bind that to one verifier."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSON
from did_health.errors import FormatError
from did_health.keys import Signer
from did_health.vc.error_codes import PARSING
from did_health.vc.sd_jwt.key_binding import ExpectedKeyBinding, sign_key_binding
from did_health.vc.sd_jwt.processing import process
from did_health.vc.sd_jwt.serialization import SDJWT


def present(
    held: bytes | str | SDJWT,
    disclose: Collection[str],
    *,
    binding: ExpectedKeyBinding | None = None,
    holder: Signer | None = None,
    now: datetime | None = None,
) -> SDJWT:
    """The SD-JWT with no more disclosures than show what the JSON pointers ``disclose`` name.

    A pointer is into the payload with everything disclosed. It shows the value and whatever it lies in; what is concealed within the value
    stays so unless it is named too. With ``binding``, what the verifier asked for, ``holder`` signs a Key Binding JWT at ``now``. The token
    must have been verified when it was received. Raises ``FormatError`` for a token that is malformed or bound already, ``VerificationError``
    for one whose disclosures do not fit, and ``ValueError`` for a pointer to nothing.
    """
    parsed = held if isinstance(held, SDJWT) else SDJWT.parse(held)
    if parsed.key_binding is not None:
        raise FormatError("the SD-JWT is bound to a verifier already", hint="Present the one that the issuer gave", code=PARSING)
    processed = process(strict_json.loads_object(parsed.signatures[0].unverified_payload, what="payload of the SD-JWT"), parsed.disclosures)
    for pointer in disclose:
        if not _exists(processed.payload, pointer):
            raise ValueError("a JSON pointer names nothing in the SD-JWT")
    shown = {disclosure for place, disclosure in processed.placed if any(f"{pointer}/".startswith(f"{place}/") for pointer in disclose)}
    chosen = parsed.with_disclosures(tuple(disclosure for disclosure in parsed.disclosures if disclosure in shown))
    if binding is None:
        return chosen
    if holder is None or now is None:
        raise ValueError("to bind a presentation takes the holder's key and the time")
    token = sign_key_binding(chosen.bound_text, processed.digest, holder, audience=binding.audience, nonce=binding.nonce, now=now)
    return replace(chosen, key_binding=token)


def _exists(value: JSON, pointer: str) -> bool:
    """Whether the JSON pointer (RFC 6901) names something in ``value``."""
    start, *tokens = pointer.split("/")
    if start:
        return False
    for token in tokens:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and token.isascii() and token.isdigit() and int(token) < len(value):
            value = value[int(token)]
        else:
            return False
    return True
