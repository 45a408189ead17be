"""What a verification needs of the world: controllers' documents and status lists, from memory where they say it all, else over HTTPS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from did_health.did.resolution import required_urls, resolve
from did_health.errors import ResolutionError, TransportError, VerificationError
from did_health.keys import PublicKey
from did_health.limits import MAX_DID_LOG_BYTES, MAX_RESPONSE_BYTES
from did_health.roles.evidence import Need, Source


class World:
    """Finds keys (it is a ``KeySource``) and documents. ``source`` fetches; ``now`` is the moment of the verification (aware UTC)."""

    __slots__ = ("_own", "_source", "now")

    def __init__(self, source: Source, now: datetime, own: Callable[[str], bytes | None] = lambda _url: None) -> None:
        self._source, self._own, self.now = source, own, now

    def __call__(self, verification_method: str, purpose: str, controller: str | None = None) -> PublicKey:
        """The key named ``verification_method``, for ``purpose``, of ``controller`` if one is named (Controlled Identifiers 1.0 §3.3)."""
        did = verification_method.partition("#")[0].partition("?")[0]
        if controller is not None and did != controller:
            raise VerificationError(
                "the verification method is not controlled by the issuer or holder", where="/proof/verificationMethod", code="INVALID_VERIFICATION_METHOD"
            )
        resources = {url: self._fetch(url, MAX_DID_LOG_BYTES) for url in required_urls(did)}
        return resolve(did, resources, now=self.now).active_document.key(verification_method, purpose, self.now)

    def document(self, url: str) -> bytes | None:
        """What is at ``url``, ``None`` if nothing is or it cannot be had."""
        own = self._own(url)
        if own is not None:
            return own
        try:
            return self._source.fetch(Need(url, MAX_RESPONSE_BYTES))
        except TransportError:
            return None

    def _fetch(self, url: str, max_bytes: int) -> bytes | None:
        try:
            return self._source.fetch(Need(url, max_bytes))
        except TransportError as error:
            raise ResolutionError("the controller's document could not be fetched", where=url, hint=error.what, code="NOT_FOUND") from error
