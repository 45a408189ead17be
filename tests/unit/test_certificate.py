from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from did_health.errors import FormatError
from did_health.limits import MAX_CERTIFICATE_DAYS
from did_health.services.certificate import Certificate

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_self_made_certificate_is_for_its_names_and_for_a_while() -> None:
    made = Certificate.self_made(("issuer.example", "127.0.0.1", "::1"), NOW)
    parsed = x509.load_pem_x509_certificate(made.chain)
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["issuer.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert parsed.not_valid_after_utc == NOW + timedelta(days=MAX_CERTIFICATE_DAYS)
    assert isinstance(made.context(), ssl.SSLContext)
    assert b"PRIVATE KEY" not in repr(made).encode()


def test_what_is_no_certificate_or_of_another_key_is_refused() -> None:
    first, second = (Certificate.self_made(("a.example",), NOW) for _ in range(2))
    for broken in (Certificate(first.chain, second.key), Certificate(b"x", first.key), Certificate(first.chain, b"")):
        with pytest.raises(FormatError):
            broken.context()
