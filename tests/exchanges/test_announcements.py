"""Notices on the wire: the sandbox's venues publish them, and the real adapters pass them on."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from arbtui.exchanges import private_stream
from arbtui.exchanges.adapter import AccountEvents
from arbtui.exchanges.announcements import Announcement
from arbtui.exchanges.binance import announcements as binance
from arbtui.exchanges.bithumb import adapter as bithumb_adapter
from arbtui.exchanges.bithumb import announcements as bithumb
from arbtui.exchanges.upbit import announcements as upbit
from arbtui.model.errors import UsageError, WireError
from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.sandbox.notices import NoticeBoard, PlayedNotice
from tests.exchanges.contract.venues import FACTORIES, VenueUnderTest
from tests.exchanges.scripted_venue import adapter_of, scripted, value

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
    odd: dict[str, str] = {}
    (one,) = bithumb.announcements_of([row, {"title": 1}, {"title": "no time"}], odd)
    assert (one.id, one.published_ms) == ("1649", 1784253600000)
    assert list(odd) == ["{'title': 1}", "{'title': 'no time'}"]
    (bare,) = bithumb.announcements_of([{"title": "T", "pc_url": None, "published_at": "2026-07-17 11:00:00", "categories": None}], odd)
    assert (bare.id, bare.url, bare.categories) == ("20260717020000", "", ())


def test_every_field_of_a_notice_and_what_stands_for_one_that_is_missing() -> None:
    whole = {
        "uuid": "u1", "title": "T", "category": "trade", "url": "https://u", "first_listed_at": "2026-08-31T10:00:00+09:00",
        "timestamp": 1788138000001, "body": "B",
    }  # fmt: skip
    bare = {"uuid": "u1", "title": "T", "timestamp": 1788138000001}
    expected = Announcement("upbit", "u1", "T", "B", "https://u", ("trade",), 1788138000000, 9)
    assert upbit.announcement_of(json.dumps(whole).encode()) == expected
    assert upbit.announcement_of(json.dumps(bare).encode()) == Announcement("upbit", "u1", "T", "", "", (), 1788138000001, 9)
    assert upbit.SUBSCRIPTION == {"type": "announcement", "include_body": True}

    def told(data: Any, **fields: str) -> Announcement | None:
        return binance.announcement_of(json.dumps({"type": "DATA", "topic": binance.TOPIC, "data": json.dumps(data)} | fields).encode())

    data = {"catalogId": 161, "catalogName": "Delisting", "publishDate": 1753257631403, "title": "T", "body": "B"}
    known = hashlib.sha256(b"161 1753257631403 T").hexdigest()[:16]
    assert told(data) == Announcement("binance", known, "T", "B", "", ("Delisting",), 1753257631403, 0)
    known = hashlib.sha256(b"0 1753257631403 T").hexdigest()[:16]
    assert told({"title": "T", "publishDate": 1753257631403}) == Announcement("binance", known, "T", "", "", (), 1753257631403, 0)
    assert told(data, topic="com_announcement_zh") is None
    assert told(data, type="COMMAND") is None

    row = {"title": "T", "pc_url": "https://feed.bithumb.com/notice/1649/", "published_at": "2026-07-17 11:00:00", "categories": ["x"]}
    listed = bithumb.announcements_of([row, row | {"title": "older", "pc_url": ""}], {})
    assert listed == [
        Announcement("bithumb", "20260717020000", "older", "", "", ("x",), 1784253600000, 9),
        Announcement("bithumb", "1649", "T", "", "https://feed.bithumb.com/notice/1649/", ("x",), 1784253600000, 9),
    ]
    odd: dict[str, str] = {}
    assert bithumb.announcements_of(["x" * 300], odd) == []
    assert list(odd) == ["'" + "x" * 199]


@pytest.mark.parametrize(
    ("published_ms", "is_time"),
    [(999_999_999_999, False), (1_000_000_000_000, True), (4_102_444_799_999, True), (4_102_444_800_000, False)],
)
def test_a_notice_is_of_this_century(published_ms: int, is_time: bool) -> None:
    if is_time:
        made = Announcement("upbit", "u1", "T", "B", "", (), published_ms, 9)
        assert made.key == "upbit:u1"
        assert made.digest == hashlib.sha256(b"T\nB").hexdigest()[:16]
    else:
        with pytest.raises(WireError, match="its time of publication is none"):
            Announcement("upbit", "u1", "T", "B", "", (), published_ms, 9)


UPBIT = {"type": "announcement", "uuid": "u1", "title": "T", "timestamp": 1788138000000}
BINANCE = {"catalogId": 161, "catalogName": "Delisting", "publishDate": 1753257631403, "title": "T", "body": ""}
BITHUMB = {"title": "T", "pc_url": "https://feed.bithumb.com/notice/1", "published_at": "2026-07-17 11:00:00", "categories": []}
ODD_TIMES = ["0", "-1", "1788138000", "1" + "0" * 30, "1" + "0" * 5000, "true", "1.5", "NaN", "Infinity", "1e400", '"x"', "null"]


@pytest.mark.parametrize("time", ODD_TIMES)
def test_an_odd_time_is_a_notice_that_cannot_be_read_and_nothing_worse(time: str) -> None:
    def told(fields: dict[str, Any], key: str) -> str:
        return json.dumps({name: value for name, value in fields.items() if name != key})[:-1] + f', "{key}": {time}}}'

    with pytest.raises(WireError):
        upbit.announcement_of(told(UPBIT, "timestamp").encode())
    with pytest.raises(WireError):
        binance.announcement_of(json.dumps({"type": "DATA", "topic": binance.TOPIC, "data": told(BINANCE, "publishDate")}).encode())


@pytest.mark.parametrize("time", ["", "soon", "0001-01-01 00:00:00", "1970-01-01 09:00:00", "9999-12-31 23:59:59", 1788138000000, True])
@pytest.mark.parametrize("url", [BITHUMB["pc_url"], ""])
def test_an_odd_row_of_bithumb_is_named_and_the_others_are_read(time: Any, url: str) -> None:
    odd: dict[str, str] = {}
    found = bithumb.announcements_of([BITHUMB | {"published_at": time, "pc_url": url}, BITHUMB], odd)
    assert [one.title for one in found] == ["T"]
    assert len(odd) == 1


@pytest.mark.parametrize("raw", [b'"\\ud83d"', b'"\xff\xfe"', b'"\xed\xa0\xbd"'])
@pytest.mark.parametrize("field", ["uuid", "title", "body", "url", "category"])
def test_what_is_no_text_is_a_notice_that_cannot_be_read_and_nothing_worse(raw: bytes, field: str) -> None:
    frame = json.dumps({**UPBIT, field: "HERE"}).encode()
    with pytest.raises(WireError):
        upbit.announcement_of(frame.replace(b'"HERE"', raw))
    odd: dict[str, str] = {}
    assert bithumb.announcements_of([BITHUMB | {"title": "\ud83d"}, BITHUMB | {"categories": ["\ud83d"]}], odd) == []
    assert len(odd) == 2


def test_a_row_that_bithumb_lists_again_and_again_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bithumb_adapter, "_NOTICES_EVERY_S", 0.05)

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "bithumb") as adapter:
            refused = value({"error": {"name": 500, "message": "down"}}, 500)
            odd = [BITHUMB, BITHUMB | {"published_at": "soon"}]
            venue.on("GET", "/v1/notices", value(odd), value(odd), value(odd), refused, refused, refused, value([BITHUMB]))
            ear = Ear()
            task = asyncio.create_task(adapter.watch_notices(ear))
            for _ in range(4):
                assert (await ear.next()).title == "T"
            task.cancel()

    asyncio.run(main())
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 2
    assert told[0].startswith("bithumb: a notice cannot be read (v1/notices: published_at 'soon' is no time)")
    assert told[1].startswith("bithumb: its notices are not known")


def test_a_socket_for_notices_that_is_refused_is_told_once_and_asked_for_ever_less_often(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []
    enough = asyncio.Event()

    async def at_once(pause: float) -> None:
        pauses.append(pause)
        if len(pauses) == 14:
            enough.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(private_stream, "asyncio", SimpleNamespace(**vars(asyncio) | {"sleep": at_once}))
    caplog.set_level(logging.INFO, "arbtui")

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:  # it answers 404 there
            task = asyncio.create_task(adapter.watch_notices(Ear()))
            async with asyncio.timeout(60):
                await enough.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert pauses == [min(0.25 * 2**number, 600.0) for number in range(14)]
    told = [record for record in caplog.records if "404" in record.getMessage()]
    assert [record.levelno for record in told] == [logging.WARNING] + [logging.INFO] * 13
    assert not any("signature" in record.getMessage() for record in told)


def test_the_sandbox_breaks_the_socket_of_notices_too(tmp_path: Path) -> None:
    async def main(v: VenueUnderTest, ear: Ear) -> None:
        assert v.sandbox is not None
        await heard(v, ear, title="Binance Will Delist ADA")
        sockets = v.sandbox.venues["binance"]._sockets["notices"]
        (peer,) = sockets.peers
        v.sandbox.fault(WireFault("binance", WireFaultKind.DROP))
        await heard(v, ear, title="Binance Will Delist XRP")
        assert peer not in sockets.peers

    listening("binance", tmp_path, main)


def test_the_sandbox_gives_no_notice_the_number_of_another() -> None:
    board = NoticeBoard()
    assert board.publish(PlayedNotice("upbit", "A", id="2"), 1)[0].id == "2"
    ids = [board.publish(PlayedNotice("upbit", title), 2)[0].id for title in "BCD"]
    assert len({"2", *ids}) == 4
    assert board.publish(PlayedNotice("upbit", "E", id=ids[0]), 3)[2], "the same one again is an update"
    assert board.publish(PlayedNotice("upbit", "F"), 3)[0].id not in ("2", *ids)


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"type":"announcement"}', b'{"type":"DATA","topic":"com_announcement_en","data":"{"}'])
def test_what_is_no_notice_is_an_error_of_its_own(raw: bytes) -> None:
    with pytest.raises(WireError):
        upbit.announcement_of(raw)
    if b"DATA" in raw or not raw:
        with pytest.raises(WireError):
            binance.announcement_of(raw)
