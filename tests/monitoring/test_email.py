"""Alerts by e-mail: over TLS to a real mail server, at least once, and what it refuses is worded plainly or tried again."""

import asyncio
import gc
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import SecretStr

from arbtui.monitoring.channel import MessageRefused, SendLater
from arbtui.monitoring.config import EmailConfig
from arbtui.monitoring.email import EmailChannel
from tests.lifecycle.profiles import changed_profile
from tests.lifecycle.programs import run, running
from tests.lifecycle.waiting import until as wait_until
from tests.monitoring.bot_api import bot_api
from tests.monitoring.mail_server import PASSWORD, USER, MailServer, mail_server
from tests.monitoring.outpost import alerts_config, outpost, until

#: The server does not see that the socket itself is encrypted.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

DESK, OTHER = "desk@example.com", "night@example.com"


def settings(server: MailServer, **more: Any) -> EmailConfig:
    usual: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "sender": "arbtui@example.com", "recipients": [DESK, OTHER]}
    return EmailConfig(enabled=True, **(usual | more))


@pytest.fixture(autouse=True)
def no_socket_is_left() -> Iterator[None]:
    """What a test leaves open is found here, not in whichever test the collector next runs in."""
    yield
    gc.collect()


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose certificate this process trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "mail.pem"))
    return tmp_path


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_message_is_encrypted_logged_in_for_and_names_who_and_what(trusted: Path, security: Literal["tls", "starttls"]) -> None:
    with mail_server(trusted, security, logs_in=True) as server:
        channel = EmailChannel(settings(server, security=security, user=USER), SecretStr(PASSWORD))
        asyncio.run(channel.send("CRITICAL KILL 한글: killed by KEY\n2026-01-01T00:00:00.000Z r1-7\ndesk LIVE"))
    (message,) = server.taken
    assert server.encrypted == [True]
    assert message["Subject"] == "CRITICAL KILL 한글: killed by KEY"
    assert (message["From"], message["To"]) == ("arbtui@example.com", f"{DESK}, {OTHER}")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Importance"] == "high"
    assert server.texts == ["CRITICAL KILL 한글: killed by KEY\n2026-01-01T00:00:00.000Z r1-7\ndesk LIVE"]


def test_the_same_alert_sent_twice_is_one_message_in_a_mail_program(trusted: Path) -> None:
    with mail_server(trusted) as server:
        channel = EmailChannel(settings(server), None)
        for text in ("WARN LOSSES a\nr1-7", "WARN LOSSES a\nr1-7", "WARN LOSSES b\nr1-8"):
            asyncio.run(channel.send(text))
    ids = [message["Message-ID"] for message in server.taken]
    assert ids[0] == ids[1] != ids[2]


def test_a_server_with_a_certificate_that_nobody_signed_is_told_nothing(tmp_path: Path) -> None:
    with mail_server(tmp_path) as server:
        channel = EmailChannel(settings(server), None)
        with pytest.raises(SendLater, match="certificate"):
            asyncio.run(channel.send("CRITICAL KILL"))
    assert server.asked == 0


def test_starttls_that_is_not_offered_ends_before_anything_is_told(trusted: Path) -> None:
    with mail_server(trusted, "none") as server:
        channel = EmailChannel(settings(server, security="starttls", user=USER), SecretStr(PASSWORD))
        with pytest.raises(SendLater):
            asyncio.run(channel.send("CRITICAL KILL"))
    assert server.asked == 0


def test_a_wrong_password_is_tried_again_and_never_shown(trusted: Path) -> None:
    with mail_server(trusted, logs_in=True) as server:
        channel = EmailChannel(settings(server, user=USER), SecretStr("CANARY-wrong-password"))
        with pytest.raises(SendLater) as caught:
            asyncio.run(channel.send("CRITICAL KILL"))
    assert "CANARY" not in str(caught.value)
    assert "535" in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "error"),
    [("451 4.3.0 try again", SendLater), ("554 5.6.0 looks like spam", MessageRefused), ("552 5.3.4 too big", MessageRefused)],
)
def test_later_and_never_are_told_apart(trusted: Path, answer: str, error: type[Exception]) -> None:
    with mail_server(trusted) as server:
        server.next_data.append(answer)
        with pytest.raises(error, match=answer[:3]):
            asyncio.run(EmailChannel(settings(server), None).send("WARN LOSSES"))


def test_a_server_that_is_down_is_tried_again(trusted: Path) -> None:
    with mail_server(trusted) as server:
        channel = EmailChannel(settings(server), None)
    with pytest.raises(SendLater):
        asyncio.run(channel.send("WARN LOSSES"))


def test_one_wrong_recipient_keeps_it_from_no_other_and_is_logged_once(trusted: Path, caplog: pytest.LogCaptureFixture) -> None:
    with mail_server(trusted) as server:
        server.unknown = [OTHER]
        channel = EmailChannel(settings(server), None)
        for number in range(2):
            asyncio.run(channel.send(f"WARN LOSSES {number}"))
        server.unknown = [OTHER, DESK]
        with pytest.raises(SendLater):
            asyncio.run(channel.send("WARN LOSSES"))
    assert len(server.taken) == 2
    assert caplog.text.count(OTHER) == 1


def test_a_telegram_that_is_down_is_answered_for_by_mail(trusted: Path) -> None:
    """By a second way when the first is down: over real sockets."""

    async def main(server: MailServer, url: str) -> None:
        mail = EmailChannel(settings(server), None)
        impatient = alerts_config(undelivered_after_s=0.1)
        async with outpost(trusted / "journal.db", url, second=[mail], config=impatient) as post:
            post.breach(1)
            await until(lambda: server.taken, "the second way")

    with bot_api() as bot, mail_server(trusted) as server:
        bot.down()
        asyncio.run(main(server, bot.url))
    assert "the first channel does not take this" in server.texts[0]
    assert "number 1;" in server.texts[0]


def test_a_run_with_mail_alone_tells_its_start_its_kill_and_its_password_to_nobody(
    trusted: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = trusted / "state"
    monkeypatch.setenv("ARBTUI_EMAIL_PASSWORD", PASSWORD)
    with mail_server(trusted, logs_in=True) as server:
        profile = changed_profile(
            home,
            "desk",
            ("symbols = ", "symbols = 2"),
            ("enabled = false                  # false connects nowhere", "enabled = true"),
            ('host = ""', 'host = "127.0.0.1"'),
            ("port = 465", f"port = {server.port}"),
            ("user = ", f'user = "{USER}"'),
            ("sender = ", 'sender = "arbtui@example.com"'),
            ("recipients = ", f'recipients = ["{DESK}"]'),
        )
        arguments = ("--profile", str(profile), "--state-dir", str(state))
        with running(*arguments, folder=trusted / "run") as program:
            wait_until(lambda: program.alive() and any("INFO STARTED" in text for text in server.texts), "the start")
            assert run("kill", *arguments).code == 0
            wait_until(lambda: any("CRITICAL KILL" in text for text in server.texts), "the kill")
            program.signal(signal.SIGTERM)
            program.ended()
    written = b"".join(path.read_bytes() for path in [*state.rglob("*"), *(trusted / "run").rglob("*")] if path.is_file())
    assert PASSWORD.encode() not in written
