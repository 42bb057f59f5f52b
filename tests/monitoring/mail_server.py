"""A mail server on a loopback socket, with or without TLS, that keeps what it takes and refuses as told."""

import asyncio
import datetime
import ipaddress
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "desk", "CANARY-mail-password"


@dataclass
class MailServer:
    """``next_data`` answers the next messages; None takes them. ``unknown``: recipients that it refuses."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    asked: int = 0
    next_data: list[str | None] = field(default_factory=list)
    unknown: Sequence[str] = ()
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.unknown:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        self.asked += 1
        answer = self.next_data.pop(0) if self.next_data else None
        if answer is not None:
            return answer
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("cipher") is not None)
        return "250 OK"

    @property
    def texts(self) -> list[str]:
        """Bodies, in order, without the last line's end."""
        return [str(message.get_content()).replace("\r\n", "\n").rstrip("\n") for message in self.taken]


class _Controller(Controller):
    """On any free port."""

    def _trigger_server(self) -> None:
        """The library's own first connection, over TLS too; it wants one before it counts as started."""
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        with socket.create_connection((self.hostname, self.port), 10) as plain:
            if self.ssl_context is None:
                plain.recv(1024)
                return
            with ssl._create_unverified_context().wrap_socket(plain) as encrypted:
                encrypted.recv(1024)


@contextmanager
def mail_server(folder: Path, security: str = "tls", *, logs_in: bool = False) -> Iterator[MailServer]:
    """A server that runs; its certificate is ``folder/mail.pem``, which whoever is to trust it names in ``SSL_CERT_FILE``."""
    server = MailServer()
    certificate = make_certificate(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, folder / "mail.key")

    def authenticate(smtp: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        is_right = data.login == USER.encode() and data.password == PASSWORD.encode()
        return AuthResult(success=is_right, handled=False, message=None if is_right else "535 5.7.8 wrong name or password")

    options: dict[str, Any] = {"authenticator": authenticate, "auth_required": logs_in, "auth_require_tls": security != "none"}
    options["auth_exclude_mechanism"] = ["LOGIN"]
    if security == "tls":
        options |= {"ssl_context": tls, "auth_require_tls": False}  # it does not see that the socket itself is encrypted
    elif security == "starttls":
        options |= {"tls_context": tls, "require_starttls": True}
    controller = _Controller(server, hostname="127.0.0.1", port=0, **options)
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


def make_certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "mail.key").write_bytes(pem)
    return path
