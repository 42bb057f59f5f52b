"""Alerts by e-mail, by aiosmtplib, loaded only when an :class:`EmailChannel` is made.

RFC 5321: a reply that begins with 4 says later, one that begins with 5 never; RFC 3834: ``Auto-Submitted``, so that no absence
notice answers. Every error raised here is one of ours and holds no password.
"""

import asyncio
import hashlib
import logging
import socket
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import TYPE_CHECKING

from pydantic import SecretStr

from arbtui.model.printable import printable
from arbtui.monitoring.channel import MessageRefused, Pace, SendLater
from arbtui.monitoring.config import EmailConfig
from arbtui.monitoring.redact import hide, redact

if TYPE_CHECKING:
    import aiosmtplib

log = logging.getLogger("arbtui")

NAME = "email"
_EVERY_S = 2.0  #: between two messages: mail servers count, and a flood is one message anyway
_TIMEOUT_S = 30.0
_SUBJECT = 120  #: characters of the text's first line


class EmailChannel:
    """The recipients of a profile as one channel. See :class:`arbtui.monitoring.channel.Channel`.

    Args:
        password: of ``config.user``; None where the server asks for none.
    """

    def __init__(self, config: EmailConfig, password: SecretStr | None, *, timeout_s: float = _TIMEOUT_S) -> None:
        import aiosmtplib

        if password is not None:
            hide(password.get_secret_value())
        self.name = NAME
        self.pace = Pace(_EVERY_S)

        class Client(aiosmtplib.SMTP):
            """One that leaves no socket behind: the end of TLS waits for the server's answer, and an alert may be a loop's last work."""

            def close(self) -> None:
                transport = self.transport
                super().close()
                if isinstance(transport, asyncio.WriteTransport):
                    transport.abort()

        self._library = aiosmtplib
        self._client = Client
        self._config = config
        self._password = password
        self._timeout_s = timeout_s
        self._tls = None if config.security == "none" else ssl.create_default_context()
        self._partly: set[str] = set()  #: recipients whose refusal was told

    async def send(self, text: str) -> None:
        """Deliver ``text``: its first line is the subject. Returns once the server has taken it for at least one recipient."""
        smtp = self._library
        config = self._config
        message = self._message(printable(text, keep="\n"))
        try:
            async with asyncio.timeout(self._timeout_s), self._connection() as connection:
                refused, _ = await connection.send_message(message, sender=config.sender, recipients=config.recipients)
        except smtp.SMTPDataError as error:
            if 500 <= error.code < 600:
                raise MessageRefused(_words(error)) from None
            raise SendLater(_words(error)) from None
        except Exception as error:  # the library, TLS, the network and an odd server may raise anything; all of it means: try again
            raise SendLater(_words(error)) from None
        for recipient, why in refused.items():
            if recipient not in self._partly:
                self._partly.add(recipient)
                log.error("%s: %s is not taken as a recipient (%s); the others get it", NAME, recipient, _words(why))

    def _connection(self) -> "aiosmtplib.SMTP":
        config = self._config
        return self._client(
            hostname=config.host,
            port=config.port,
            username=config.user or None,
            password=None if self._password is None else self._password.get_secret_value(),
            use_tls=config.security == "tls",
            start_tls=config.security == "starttls",
            tls_context=self._tls,
            local_hostname=socket.gethostname(),  # the library would ask the name server for it, and wait
            timeout=self._timeout_s,
        )

    def _message(self, text: str) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._config.sender
        message["To"] = ", ".join(self._config.recipients)
        message["Subject"] = text.partition("\n")[0][:_SUBJECT]
        message["Date"] = formatdate()
        # The same for the same alert: sent twice, it is one message in most mail programs.
        message["Message-ID"] = f"<{hashlib.sha256(text.encode()).hexdigest()[:32]}@{self._config.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        if text.startswith("CRITICAL"):
            message["Importance"] = "high"
        message.set_content(text + "\n")
        return message


def _words(error: object) -> str:
    """An error in at most one short line, without secrets."""
    return printable(redact(" ".join(f"{type(error).__name__}: {error}".split())))[:200]
