"""TLS on both sides."""

from __future__ import annotations

import json
import os
import pathlib
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet import ssl
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.protocol import Factory

from tests.harness import GatewayCase, Provider, Wire, parse_response, reactor, request

_MESSAGES = b'{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hello"}]}'


def certificate(folder: pathlib.Path) -> tuple[str, str]:
    """A key and a certificate for localhost that signs itself, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir()
    key_file, certificate_file = folder / "key.pem", folder / "certificate.pem"
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, none))
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return str(key_file), str(certificate_file)


class TLSTests(GatewayCase):
    """A provider behind TLS, and llmux behind TLS."""

    def setUp(self) -> None:
        """A certificate of our own."""
        self.key, self.certificate = certificate(pathlib.Path(self.mktemp()).absolute())

    def trust(self) -> None:
        """Trust it, as an operator does: by the variable that OpenSSL reads."""
        before = os.environ.get("SSL_CERT_FILE")
        os.environ["SSL_CERT_FILE"] = self.certificate
        self.addCleanup(lambda: os.environ.pop("SSL_CERT_FILE") if before is None else os.environ.update(SSL_CERT_FILE=before))

    def tls_provider(self, answer: bytes) -> Provider:
        """A provider behind TLS."""
        factory = Provider(lambda wire: wire.send(answer))
        context = ssl.DefaultOpenSSLContextFactory(self.key, self.certificate)
        listening = reactor.listenSSL(0, factory, context, interface="127.0.0.1")
        factory.port = listening.getHost().port

        def stop() -> Any:
            for wire in factory.connections:
                if not wire.closed:
                    wire.reset()
            return listening.stopListening()

        self.addCleanup(stop)
        return factory

    async def test_provider(self) -> None:
        """Checked against the trusted roots, by name."""
        self.trust()
        provider = self.tls_provider(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        url = f"https://localhost:{provider.port}"
        gateway = self.gateway(
            f"providers: {{p: {{dialect: anthropic, base_url: '{url}', api_keys: [k-123456], models: [m]}}}}\n"
        )
        for _ in range(2):
            response = await gateway.post("/v1/messages", _MESSAGES)
            self.assertEqual((response.status, response.body), (200, b"ok"))
            provider.connections[0].received.clear()
            provider.connections[0].until(lambda: b"hello" in provider.connections[0].received).addCallback(
                lambda _: provider.connections[0].send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            )
        self.assertEqual(len(provider.connections), 1)

    async def test_untrusted_provider(self) -> None:
        """502, and the reason; the key was not sent."""
        provider = self.tls_provider(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        url = f"https://localhost:{provider.port}"
        gateway = self.gateway(
            f"providers: {{p: {{dialect: anthropic, base_url: '{url}', api_keys: [k-123456], models: [m]}}}}\n"
        )
        response = await gateway.post("/v1/messages", _MESSAGES)
        self.assertEqual(response.status, 502)
        self.assertIn("certificate verify failed", json.loads(response.body)["error"]["message"])
        self.assertFalse(any(wire.received for wire in provider.connections))

    async def test_listener(self) -> None:
        """A stream to a client over TLS, by the short way in, and a refusal that reaches it."""
        self.trust()
        gateway = self.gateway(
            "providers: {d: {scenario: 'builtin:hello', models: [m], speed: 0}}\n",
            listen=f"ssl:0:interface=127.0.0.1:privateKey={self.key}:certKey={self.certificate}",
        )
        self.assertIn("https://127.0.0.1", gateway.said[0])
        endpoint = wrapClientTLS(ssl.optionsForClientTLS("localhost"), HostnameEndpoint(reactor, "localhost", gateway.port))
        for data, status in ((request("/v1/messages", _MESSAGES), 200), (b"POST / HTTP/1.1\r\n\r\n", 400)):
            wire: Any = await endpoint.connect(Factory.forProtocol(Wire))
            gateway.clients.append(wire)
            wire.send(data)
            await wire.until(lambda w=wire: w.received.endswith((b"0\r\n\r\n", b"}")) or w.closed)
            response = parse_response(wire.received)
            self.assertEqual((response.status, response.whole), (status, True))
        self.assertIn(b'"type":"message_stop"', parse_response(gateway.clients[0].received).body)
