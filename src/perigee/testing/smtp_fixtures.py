"""pytest fixtures around the recording SMTP server; import them in a `conftest.py`."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from perigee.testing.smtp_server import SmtpServer

StartServer = Callable[..., Awaitable[SmtpServer]]


@pytest.fixture
async def start_smtp_server() -> AsyncIterator[StartServer]:
    """Starts servers with any options of `SmtpServer`; stops them at the end and fails on protocol violations."""
    servers: list[SmtpServer] = []

    async def start(**options: object) -> SmtpServer:
        server = await SmtpServer(**options).start()  # type: ignore[arg-type]  # forwarded as they are
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop()
    assert [violation for server in servers for violation in server.violations] == []


@pytest.fixture
async def smtp_server(start_smtp_server: StartServer) -> SmtpServer:
    """A server that behaves."""
    return await start_smtp_server()


def self_signed(folder: Path, host: str = "localhost") -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS contexts for a server named `host` and for a client that trusts exactly this certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "certificate.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(chain, secret)
    return server, ssl.create_default_context(cafile=str(chain))
