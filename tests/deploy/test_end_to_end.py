"""From a condition to a message: real Prometheus, real Alertmanager, a Bot API server and a mail server on this machine."""

import asyncio
import json
import socket
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from email import message_from_bytes
from email.policy import default
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from prometheus_client.core import Metric

from arbtui.monitoring.config import MetricsConfig
from arbtui.monitoring.metrics import families
from arbtui.monitoring.metrics_server import MetricsServer
from tests.deploy.conditions import CONDITIONS, FOLLOWS, At, healthy
from tests.deploy.stack import MINUTE_S, alerts, asked_by, is_ready, play_minutes_fast, program, running, written
from tests.lifecycle.waiting import until
from tests.monitoring.bot_api import TOKEN, BotApi, bot_api, refuses

CHAT = 42


class Engines:
    """Engines that tell what they are told to, each at a port of its own, :data:`MINUTE_S` seconds of theirs counting as a minute."""

    def __init__(self, tells: Mapping[str, At]) -> None:
        self.tells = dict(tells)
        self.addresses: dict[str, str] = {}
        self._began = time.monotonic() - 60.0 * MINUTE_S
        self._loop = asyncio.new_event_loop()
        self._servers: list[MetricsServer] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def open(self) -> None:
        """Serve."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(30)

    def close(self) -> None:
        """All of them have died."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(30)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()

    async def _open(self) -> None:
        for name in self.tells:
            server = MetricsServer(MetricsConfig(port=0), self._reader(name))
            assert await server.open() == ""
            self._servers.append(server)
            self.addresses[name] = server.url.removeprefix("http://").removesuffix("/metrics")

    async def _close(self) -> None:
        for server in self._servers:
            await server.close()

    def _reader(self, name: str) -> Callable[[], Awaitable[Iterable[Metric]]]:
        """Of forty engines each tells what its own alert is about; the one in which nothing is wrong tells everything."""
        wanted = asked_by(name, *FOLLOWS.get(name, ())) if name in CONDITIONS else None

        def is_wanted(family: Metric) -> bool:
            return wanted is None or any(sample.name in wanted for sample in family.samples)

        async def read() -> Iterable[Metric]:
            return filter(is_wanted, families(self.tells[name]((time.monotonic() - self._began) / MINUTE_S)))

        return read


class Mail:
    """What a mail server has taken."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a message."""
        assert isinstance(envelope.content, bytes)
        body = message_from_bytes(envelope.content, policy=default).get_body(("plain",))
        self.texts.append("" if body is None else str(body.get_content()))
        return "250 OK"


def free_port() -> int:
    """One that nobody listens at."""
    with closing(socket.socket()) as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


class Stack:
    """Both programs, and what has reached a person."""

    def __init__(self, bot: BotApi, mail: Mail, engines: Engines, alertmanager: subprocess.Popen[bytes]) -> None:
        self.bot, self.mail, self.engines, self.alertmanager = bot, mail, engines, alertmanager

    def by_telegram(self, words: str) -> bool:
        """Whether a message has them."""
        return any(words in text for text in self.bot.texts(CHAT))

    def by_mail(self, words: str) -> bool:
        """Whether a mail has them."""
        return any(words in text for text in self.mail.texts)


class Switch(ThreadingHTTPServer):
    """A dead man's switch elsewhere: it notes when it was called."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Called)
        self.calls: list[float] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is called."""
        return f"http://127.0.0.1:{self.server_port}/alive"

    @property
    def silent_s(self) -> float:
        """For how long nobody has called it; from some time on it pages."""
        return time.monotonic() - self.calls[-1]

    def close(self) -> None:
        """End it."""
        self.shutdown()
        self.server_close()


class _Called(BaseHTTPRequestHandler):
    server: Switch

    def do_POST(self) -> None:
        """As the Alertmanager calls a webhook."""
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if told["commonLabels"]["alertname"] == "Watchdog":
            self.server.calls.append(time.monotonic())
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def stack(tells: Mapping[str, At], folder: Path, switch: str = "") -> Iterator[Stack]:
    """Everything, running, the rules played fast. ``switch``: URL of the dead man's switch."""
    with ExitStack() as ends:
        bot, mail, engines = ends.enter_context(bot_api()), Mail(), Engines(tells)
        smtp = Controller(mail, hostname="127.0.0.1", port=free_port())
        smtp.start()
        ends.callback(smtp.stop)
        engines.open()
        ends.callback(engines.close)
        environment = {
            "ARBTUI_TELEGRAM_TOKEN": TOKEN, "ALERT_CHAT_ID": str(CHAT), "ALERT_TELEGRAM_URL": bot.url,
            "ALERT_EMAIL_TO": "desk@example.org", "ALERT_SMTP": f"127.0.0.1:{smtp.port}", "ALERT_WATCHDOG_URL": switch,
        }  # fmt: skip
        config, prometheus, alertmanager = folder / "config", f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        written(config, {**engines.addresses, "EngineDown": f"127.0.0.1:{free_port()}"}, environment, alertmanager)
        play_minutes_fast(config)
        command = [program("prometheus-alertmanager"), f"--config.file={config / 'alertmanager.yml'}", "--cluster.listen-address="]
        places = [f"--storage.path={folder / 'alertmanager'}", f"--web.listen-address={alertmanager}"]
        process = ends.enter_context(running(*command, *places, log=folder / "alertmanager.log"))
        until(partial(is_ready, alertmanager), "the Alertmanager takes alerts")  # one that is lost is sent again after a minute only
        command = [program("prometheus"), f"--config.file={config / 'prometheus.yml'}", f"--web.listen-address={prometheus}"]
        ends.enter_context(running(*command, f"--storage.tsdb.path={folder / 'prometheus'}", log=folder / "prometheus.log"))
        yield Stack(bot, mail, engines, process)


@pytest.mark.slow
def test_every_condition_reaches_a_person_and_what_is_critical_by_two_ways(tmp_path: Path) -> None:
    rules = alerts()
    with stack({**CONDITIONS, "healthy": healthy}, tmp_path) as whole:
        for name in (*CONDITIONS, "EngineDown"):
            until(partial(whole.by_telegram, f"{name} at {name}:"), f"{name} by Telegram")
            if "critical" in rules[name]["text"]:
                until(partial(whole.by_mail, f"{name} at {name}:"), f"{name} by e-mail")
        assert not any("at healthy:" in text for text in (*whole.bot.texts(CHAT), *whole.mail.texts))
        until(partial(whole.by_telegram, "Watchdog: the alerts themselves work"), "a sign of life")
        assert not whole.by_telegram("NotArmed at KillLatched:"), "a kill says it all"
        assert not any("WARNING" in text for text in whole.mail.texts), "a warning has one way"

        whole.engines.tells["KillLatched"] = healthy
        until(lambda: whole.by_telegram("OVER KillLatched at KillLatched:"), "told that it is over")

        whole.bot.every_send = lambda taken: refuses(502, "Bad Gateway")  # Telegram is down
        whole.engines.tells["VenueBanned"] = healthy  # so that there is something to send, and to fail at
        until(lambda: whole.by_mail("NotificationsFail at alertmanager:"), "told by the other way")
        whole.bot.every_send = lambda taken: None
        whole.engines.close()
        until(lambda: whole.by_mail("NoEngine at none:"), "told that no engine is left")


@pytest.mark.slow
def test_f76_a_dead_engine_is_told_of_and_a_dead_alertmanager_by_a_watchdog_that_stops_coming(tmp_path: Path) -> None:
    """Its process is gone and with it its metrics; then whoever tells of that is gone too."""
    switch = Switch()
    with closing(switch), stack({"desk": healthy}, tmp_path, switch.url) as whole:
        until(lambda: len(switch.calls) >= 3, "the dead man's switch is called again and again")
        assert not whole.by_telegram("at desk:")
        whole.engines.close()
        until(lambda: whole.by_telegram("EngineDown at desk:") and whole.by_mail("EngineDown at desk:"), "the engine is gone, by both ways")
        until(lambda: whole.by_telegram("NoEngine at none:") and whole.by_mail("NoEngine at none:"), "none is left, by both ways")
        before = len(switch.calls)
        until(lambda: len(switch.calls) > before, "the way out itself still works")
        whole.alertmanager.kill()
        whole.alertmanager.wait()
        slowest = max(later - earlier for earlier, later in pairwise(switch.calls))
        until(lambda: switch.silent_s > 3 * slowest + 5.0, "nobody calls it any more, so it pages")
