"""Alerts to other services by apprise: to a web server on this machine."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from arbtui.model.errors import UsageError
from arbtui.monitoring.channel import MessageRefused, SendLater
from arbtui.monitoring.redact import redact
from arbtui.monitoring.services import ServiceChannel

SECRET = "CANARYtoken123"


def against(status: int, work: Callable[[str, list[dict[str, Any]]], Coroutine[Any, Any, None]]) -> None:
    """Run ``work`` with the address of a web server that answers ``status``, and what it was told."""

    async def main() -> None:
        told: list[dict[str, Any]] = []

        async def take(request: web.Request) -> web.Response:
            told.append(json.loads(await request.text()))
            return web.Response(status=status)

        app = web.Application()
        app.router.add_post("/{path:.*}", take)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            await work(f"json://user:{SECRET}@{runner.addresses[0][0]}:{runner.addresses[0][1]}/hook", told)
        finally:
            await runner.cleanup()

    asyncio.run(main())


def test_the_first_line_is_the_title(capsys: pytest.CaptureFixture[str]) -> None:
    async def work(url: str, told: list[dict[str, Any]]) -> None:
        channel = ServiceChannel(SecretStr(url))
        assert channel.name.startswith("services:json:")
        assert SECRET not in channel.name
        await channel.send("CRITICAL KILL killed by KEY\n2026-01-01T00:00:00.000Z r1-7\ndesk LIVE")
        assert (told[0]["title"], told[0]["message"]) == ("CRITICAL KILL killed by KEY", "2026-01-01T00:00:00.000Z r1-7\ndesk LIVE")
        assert redact(f"an error at {url}") == "an error at [secret]"

    against(200, work)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("status", "error"), [(400, MessageRefused), (413, MessageRefused), (401, SendLater), (429, SendLater), (500, SendLater)]
)
def test_later_and_never_are_told_apart(status: int, error: type[Exception], capsys: pytest.CaptureFixture[str]) -> None:
    async def work(url: str, told: list[dict[str, Any]]) -> None:
        with pytest.raises(error, match=str(status)) as caught:
            await ServiceChannel(SecretStr(url)).send("WARN LOSSES")
        assert SECRET not in str(caught.value)

    against(status, work)
    assert capsys.readouterr().err == "", "its library's lines may hold a token"


def test_a_service_that_is_down_is_tried_again() -> None:
    async def work(url: str, told: list[dict[str, Any]]) -> None:
        channel = ServiceChannel(SecretStr("json://127.0.0.1:9/"))
        with pytest.raises(SendLater):
            await channel.send("WARN LOSSES")

    against(200, work)


def test_a_url_that_is_none_is_told_without_showing_it() -> None:
    with pytest.raises(UsageError, match="nonsense://") as caught:
        ServiceChannel(SecretStr(f"nonsense://{SECRET}"))
    assert SECRET not in str(caught.value)
