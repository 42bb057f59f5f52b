"""Notices on the wire: the sandbox's venues publish them, and the real adapters pass them on."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from arbtui.exchanges.adapter import AccountEvents
from arbtui.exchanges.announcements import Announcement
from arbtui.exchanges.binance import announcements as binance
from arbtui.exchanges.bithumb import adapter as bithumb_adapter
from arbtui.exchanges.bithumb import announcements as bithumb
from arbtui.exchanges.upbit import announcements as upbit
from arbtui.model.errors import UsageError, WireError
from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.sandbox.notices import PlayedNotice
from tests.exchanges.contract.venues import FACTORIES, VenueUnderTest

TITLE = "엑스알피(XRP) 거래지원 종료 안내 (12/15 15:00)"


@dataclass
class Ear(AccountEvents):
    """Whoever listens."""

    said: "asyncio.Queue[Announcement]" = field(default_factory=asyncio.Queue)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    def on_order(self, report: object) -> None: ...

    def on_balances(self, exchange: str, balances: object) -> None: ...

    def on_announcement(self, announcement: Announcement) -> None:
        self.said.put_nowait(announcement)

    def on_reconnected(self, exchange: str) -> None:
        self.opened.set()

    def on_disconnected(self, exchange: str) -> None: ...

    async def next(self) -> Announcement:
        async with asyncio.timeout(60):
            return await self.said.get()


def listening(exchange: str, folder: Path, main: Callable[[VenueUnderTest, Ear], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(120), FACTORIES[exchange](folder) as v:
            ear = Ear()
            task = asyncio.create_task(v.adapter.run(ear))
            try:
                await ear.opened.wait()
                await main(v, ear)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    asyncio.run(bounded())


async def heard(v: VenueUnderTest, ear: Ear, **told: Any) -> Announcement:
    """Publish until it is heard: a socket of its own may open a moment later than that of the account."""
    assert v.sandbox is not None
    while True:
        v.sandbox.announce(PlayedNotice(v.adapter.name, **told))
        try:
            async with asyncio.timeout(2.0):
                return await ear.said.get()
        except TimeoutError:
            continue


def test_upbit_tells_a_notice_and_its_update_over_the_private_socket(tmp_path: Path) -> None:
    async def main(v: VenueUnderTest, ear: Ear) -> None:
        assert v.sandbox is not None
        v.sandbox.announce(PlayedNotice("upbit", TITLE, "본문", "trade", "7"))
        first = await ear.next()
        assert (first.key, first.title, first.body, first.categories, first.utc_hours) == ("upbit:7", TITLE, "본문", ("trade",), 9)
        v.sandbox.announce(PlayedNotice("upbit", TITLE, None, "trade", "7"))
        second = await ear.next()
        assert (second.key, second.body) == ("upbit:7", "")
        assert second.published_ms == first.published_ms

    listening("upbit", tmp_path, main)


def test_orders_are_heard_also_where_upbit_refuses_its_notices(tmp_path: Path) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(120), FACTORIES["upbit"](tmp_path) as v:
            assert v.sandbox is not None
            v.sandbox.fault(WireFault("upbit", WireFaultKind.SUBSCRIBE_ERROR, stream="private", error="INVALID_PARAM", count=1))
            ear = Ear()
            task = asyncio.create_task(v.adapter.run(ear))
            await ear.opened.wait()
            v.sandbox.announce(PlayedNotice("upbit", TITLE))
            await v.sandbox.deposit("upbit", "KRW", "1")
            assert ear.said.empty()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(bounded())


def test_binance_tells_a_notice_over_a_signed_socket(tmp_path: Path) -> None:
    async def main(v: VenueUnderTest, ear: Ear) -> None:
        said = await heard(v, ear, title="Binance Will Delist ADA", body="At 2026-12-16 03:00 (UTC)", category="Delisting")
        assert (said.exchange, said.title, said.categories, said.utc_hours) == ("binance", "Binance Will Delist ADA", ("Delisting",), 0)
        assert said.body == "At 2026-12-16 03:00 (UTC)"

    listening("binance", tmp_path, main)


def test_a_handshake_with_another_signature_is_refused(tmp_path: Path) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60), FACTORIES["binance"](tmp_path) as v, aiohttp.ClientSession() as session:
            assert v.sandbox is not None
            url = v.sandbox.urls["binance"]["rest"].replace("http", "ws") + binance.PATH
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(f"{url}?topic=x&timestamp=1&signature=0", headers={"X-MBX-APIKEY": "sandbox-binance"})

    asyncio.run(bounded())


def test_bithumb_is_asked_for_its_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bithumb_adapter, "_NOTICES_EVERY_S", 0.2)  # instead of every 20 s

    async def main(v: VenueUnderTest, ear: Ear) -> None:
        assert v.sandbox is not None
        v.sandbox.announce(PlayedNotice("bithumb", TITLE, category="거래지원종료"))
        v.sandbox.announce(PlayedNotice("bithumb", "에이다(ADA) 입출금 중단 안내"))
        first, second = await ear.next(), await ear.next()
        assert [one.title for one in (first, second)] == [TITLE, "에이다(ADA) 입출금 중단 안내"]
        assert (first.key, first.categories, first.body, first.utc_hours) == ("bithumb:1", ("거래지원종료",), "", 9)
        assert abs(first.published_ms - second.published_ms) < 60_000
        assert (await ear.next()).key == "bithumb:1"  # told again with each answer

    listening("bithumb", tmp_path, main)


@pytest.mark.parametrize("exchange", ["okx", "bybit", "bitget", "coinone"])
def test_a_venue_that_tells_none_says_so(tmp_path: Path, exchange: str) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60), FACTORIES[exchange](tmp_path) as v:
            assert v.sandbox is not None
            assert not v.adapter.capabilities.notices
            with pytest.raises(UsageError, match="tells none"):
                v.sandbox.announce(PlayedNotice(exchange, TITLE))

    asyncio.run(bounded())


def test_the_documents_own_examples_are_read() -> None:
    told = {"type": "announcement", "uuid": "0191a7a0", "category": "trade", "event_type": "CREATED", "title": "T", "url": "https://u"}
    times = {"first_listed_at": "2026-08-31T10:00:00+09:00", "listed_at": "2026-08-31T10:00:00+09:00", "timestamp": 1788138000000}
    frame = json.dumps(told | times | {"body": None, "stream_type": "REALTIME"}).encode()
    said = upbit.announcement_of(frame)
    assert (said.id, said.published_ms, said.body) == ("0191a7a0", 1788138000000, "")
    data = {"catalogId": 161, "catalogName": "Delisting", "publishDate": 1753257631403, "title": "Notice of...", "body": "This is..."}
    notice = binance.announcement_of(json.dumps({"type": "DATA", "topic": "com_announcement_en", "data": json.dumps(data)}).encode())
    assert notice is not None
    assert (notice.title, notice.published_ms, notice.categories) == ("Notice of...", 1753257631403, ("Delisting",))
    assert binance.announcement_of(b'{"type":"COMMAND","data":"SUCCESS","subType":"SUBSCRIBE","code":"00000000"}') is None
    row = {"categories": ["x"], "title": "T", "pc_url": "https://feed.bithumb.com/notice/1649", "published_at": "2026-07-17 11:00:00"}
    (one,) = bithumb.announcements_of([row, {"title": 1}, {"title": "no time"}])
    assert (one.id, one.published_ms) == ("1649", 1784253600000)


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"type":"announcement"}', b'{"type":"DATA","topic":"com_announcement_en","data":"{"}'])
def test_what_is_no_notice_is_an_error_of_its_own(raw: bytes) -> None:
    with pytest.raises(WireError):
        upbit.announcement_of(raw)
    if b"DATA" in raw or not raw:
        with pytest.raises(WireError):
            binance.announcement_of(raw)
