"""The certificate of a service that speaks TLS itself: a given one, or one that it makes for itself, for tests."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from did_health.errors import FormatError
from did_health.limits import MAX_CERTIFICATE_DAYS

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate chain and its private key, both in PEM."""

    chain: bytes
    key: bytes = field(repr=False)

    @classmethod
    def self_made(cls, names: Sequence[str], now: datetime) -> Certificate:
        """A new P-256 certificate, signed by itself, for host names and IP addresses; nobody trusts it who was not told to."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=MAX_CERTIFICATE_DAYS))
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return cls(certificate.public_bytes(serialization.Encoding.PEM), secret)

    def context(self) -> ssl.SSLContext:
        """What a server needs. Raises ``FormatError`` if the two are no PEM or do not belong together."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # OpenSSL reads them from files only; the folder is this user's alone, and gone at once.
        with TemporaryDirectory() as folder:
            chain, key = Path(folder) / "chain.pem", Path(folder) / "key.pem"
            chain.write_bytes(self.chain)
            key.write_bytes(self.key)
            try:
                context.load_cert_chain(chain, key, lambda: "")
            except (ssl.SSLError, ValueError) as error:
                raise FormatError("the certificate and its key cannot be used", hint="Both are PEM, the key without a passphrase") from error
        return context


def _general_name(name: str) -> GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
