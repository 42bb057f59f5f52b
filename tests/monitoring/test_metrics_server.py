"""The server of metrics: it answers a scrape, keeps nobody waiting, and never stands in the way of a run."""

import asyncio
import itertools
import re
import signal
import socket
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import pytest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families

from arbtui.monitoring.config import MetricsConfig
from arbtui.monitoring.metrics import families
from arbtui.monitoring.metrics_server import MetricsServer
from tests.deploy.conditions import healthy
from tests.lifecycle.programs import run, running
from tests.lifecycle.waiting import until


async def ask(server: MetricsServer, request: bytes = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") -> tuple[str, str]:
    """What is answered: the status line, and the body."""
    port = int(server.url.rpartition(":")[2].partition("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = (await reader.read()).decode()
    writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    return head.partition("\r\n")[0], body


def served(read: Callable[[], Awaitable[Iterable[Metric]]], check: Callable[[MetricsServer], Awaitable[None]]) -> None:
    """Let ``check`` look at a server that runs."""

    async def main() -> None:
        async with MetricsServer(MetricsConfig(port=0), read) as server:
            assert await server.open() == ""
            async with asyncio.timeout(60):
                await check(server)

    asyncio.run(main())


async def everything() -> Iterable[Metric]:
    return families(healthy(60.0))


def test_a_scrape_is_answered_in_words_that_prometheus_reads() -> None:
    async def check(server: MetricsServer) -> None:
        status, body = await ask(server)
        assert status == "HTTP/1.1 200 OK"
        names = {family.name for family in text_string_to_metric_families(body)}
        assert names == {re.sub("_total$", "", family.name) for family in families(healthy(60.0))}

    served(everything, check)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK"),
        (b"GET /metrics?name=a HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK"),
        (b"\x16\x03\x01\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"),
        (b"x" * 20_000, ""),
        (b"GET", ""),
    ],
)
def test_what_is_no_scrape_is_told_so_or_cut_off(request_: bytes, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.monitoring.metrics_server._PATIENCE_S", 0.2)

    async def check(server: MetricsServer) -> None:
        try:
            assert (await ask(server, request_))[0] == status
        except ConnectionError:
            assert status == ""
        assert (await ask(server))[0] == "HTTP/1.1 200 OK"

    served(everything, check)


def test_the_loop_has_its_turn_before_each_family_that_comes_after_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a piece takes is measured elsewhere; here, that there are pieces."""
    monkeypatch.setattr("arbtui.model.turns.PIECE_S", 0.0)
    turns: list[int] = []

    async def many() -> Iterable[Metric]:
        return (made(number) for number in range(50))

    def made(number: int) -> Metric:
        turns.append(count[0])
        return GaugeMetricFamily(f"arbtui_{number}", "A number.", value=number)

    count = [0]

    def turn() -> None:
        count[0] += 1
        asyncio.get_running_loop().call_soon(turn)

    async def check(server: MetricsServer) -> None:
        turn()
        await ask(server)
        assert len(turns) == 50
        assert all(later > earlier for earlier, later in itertools.pairwise(turns))

    served(many, check)


def test_those_who_ask_at_once_are_told_what_was_read_once() -> None:
    reads: list[int] = []

    async def counted() -> Iterable[Metric]:
        reads.append(1)
        return families(healthy(1.0))

    async def check(server: MetricsServer) -> None:
        answers = await asyncio.gather(*(ask(server) for _ in range(6)))
        assert len({body for _, body in answers}) == 1
        assert len(reads) == 1

    served(counted, check)


def test_a_crowd_is_sent_away_and_whoever_waits_is_cut_off_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.monitoring.metrics_server._PATIENCE_S", 0.3)

    async def check(server: MetricsServer) -> None:
        port = int(server.url.rpartition(":")[2].partition("/")[0])
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        ends = await asyncio.gather(*(reader.read() for reader, _ in silent), return_exceptions=True)
        assert all(end == b"" or isinstance(end, ConnectionError) for end in ends)
        for _, writer in silent:
            writer.close()
        assert (await ask(server))[0] == "HTTP/1.1 200 OK"

    served(everything, check)


def test_a_figure_that_cannot_be_told_is_logged_and_the_next_scrape_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    is_broken = [True]

    async def read() -> Iterable[Metric]:
        if is_broken[0]:
            raise ZeroDivisionError
        return families(healthy(1.0))

    async def check(server: MetricsServer) -> None:
        assert await ask(server) == ("", "")
        is_broken[0] = False
        assert (await ask(server))[0] == "HTTP/1.1 200 OK"

    served(read, check)
    assert "metrics could not be told" in caplog.text


def test_a_port_that_is_taken_is_a_warning_that_says_which_and_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("ARBTUI_METRICS__ENABLED", "true")
        monkeypatch.setenv("ARBTUI_METRICS__PORT", str(port))
        done = run(
            "--profile", "upbit-binance", "--state-dir", str(tmp_path), "--symbols", "2", "--headless", "--max-runtime", "1", "--json", "-"
        )
    assert done.code == 0
    assert f"warning: metrics: port {port} at 127.0.0.1 is taken" in done.err
    assert "ARBTUI_METRICS__PORT" in done.err


def test_a_host_that_is_not_ours_is_a_warning(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARBTUI_METRICS__ENABLED", "true")
    monkeypatch.setenv("ARBTUI_METRICS__HOST", "203.0.113.7")
    done = run("--profile", "upbit-binance", "--state-dir", str(tmp_path), "--symbols", "2", "--headless", "--max-runtime", "1")
    assert done.code == 0
    assert "warning: metrics: 203.0.113.7:9464 cannot be listened at" in done.err


def test_it_ends_with_the_run_while_somebody_holds_a_connection(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARBTUI_METRICS__ENABLED", "true")
    monkeypatch.setenv("ARBTUI_METRICS__PORT", "0")
    where = ("--profile", "upbit-binance", "--state-dir", str(tmp_path / "state"), "--symbols", "2")
    with running(*where, folder=tmp_path / "run") as engine:
        log = tmp_path / "state" / "upbit-binance" / "arbtui.log"
        found = until(
            lambda: re.findall(r"metrics are at http://127\.0\.0\.1:(\d+)/", log.read_text() if log.exists() else ""), "its address"
        )
        with socket.create_connection(("127.0.0.1", int(found[0]))):
            engine.signal(signal.SIGTERM)
            end = engine.ended()
    assert end.code == 128 + signal.SIGTERM
    assert "Traceback" not in end.err


def test_virtual_time_serves_nothing_and_loads_nothing(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARBTUI_METRICS__ENABLED", "true")
    where = ("--profile", "upbit-binance", "--state-dir", str(tmp_path), "--symbols", "2", "--headless", "--max-runtime", "5")
    assert run(*where, "--speed", "max").code == 0
    assert "metrics are at" not in (tmp_path / "upbit-binance" / "arbtui.log").read_text()
