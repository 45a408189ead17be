"""Which key to ask for (VC-JOSE-COSE 1.0 §4): from ``kid``, ``iss`` and the issuer or holder to the name of a verification method.

The key itself is the ``KeySource``'s business: it resolves the DID or the controlled identifier document, and checks purpose and controller.
"""

from __future__ import annotations

import re
from typing import Final

from did_health.errors import VerificationError
from did_health.limits import MAX_URL_CHARACTERS

_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_RELATIVE: Final = re.compile(r"#?[!-\"$-~]+")


def verification_method(kid: str | None, party: str | None) -> str:
    """The URL of the key. ``party`` is the issuer or holder: the document's own, or ``iss``, which must be the same.

    An absolute ``kid`` is the URL. Another one tells keys of ``party`` apart (§4.1.2), as a fragment of its URL. Without ``kid`` the URL is
    ``party`` itself, for sources that know one key of it; a DID has none without a fragment (§4.1.1). Raises ``VerificationError``
    (``INVALID_VERIFICATION_METHOD_URL``).
    """
    if kid is not None and len(kid) <= MAX_URL_CHARACTERS:
        if _ABSOLUTE.fullmatch(kid):
            return kid
        if party is not None and _RELATIVE.fullmatch(kid):
            return f"{party}#{kid.removeprefix('#')}"
    elif kid is None and party is not None and not party.startswith("did:"):
        return party
    raise VerificationError(
        "nothing tells which key signed", where="/kid", hint="kid must be a verification method's URL", code="INVALID_VERIFICATION_METHOD_URL"
    )
