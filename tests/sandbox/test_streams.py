"""The public sockets: subscribing as each venue has it, what is sent, and what ends a connection."""

import asyncio
import base64
import json
import os

import aiohttp
import pytest

from arbtui.exchanges.binance.wire import BinanceDecoder
from arbtui.exchanges.upbit.wire import UpbitDecoder
from tests.exchanges.told import Told
from tests.sandbox.boxes import Socket, bench, binance_socket, run, upbit_socket, user_data

UPBIT_CODES = ("KRW-USDT", "KRW-BTC", "KRW-ETH", "KRW-XRP")


def test_upbit_frames_are_binary_and_the_second_subscription_replaces_the_first() -> None:
    async def scenario() -> None:
        async with bench() as on, upbit_socket(on, {"type": "orderbook", "codes": ["KRW-BTC"]}) as socket:
            first = await socket.next()
            assert (first["code"], first["stream_type"], len(first["orderbook_units"])) == ("KRW-BTC", "SNAPSHOT", 15)
            assert (await socket.next())["stream_type"] == "REALTIME"
            assert set(socket.kinds) == {aiohttp.WSMsgType.BINARY}
            await socket.send([{"ticket": "u"}, {"type": "orderbook", "codes": ["KRW-ETH.5"]}])
            await socket.next(lambda told: told["code"] == "KRW-ETH")
            seen = [await socket.next() for _ in range(10)]
            assert {told["code"] for told in seen} == {"KRW-ETH"}
            assert {len(told["orderbook_units"]) for told in seen} == {5}
            await socket.send([{"ticket": "v"}, {"method": "LIST_SUBSCRIPTIONS"}])
            listed = await socket.next(lambda told: "method" in told)
            assert listed == {"method": "LIST_SUBSCRIPTIONS", "result": [{"type": "orderbook", "codes": ["KRW-ETH"]}], "ticket": "v"}

    run(scenario)


def test_upbit_answers_ping_and_both_flags_of_a_subscription() -> None:
    async def scenario() -> None:
        async with bench() as on, upbit_socket(on) as socket:
            await socket.send("PING")
            assert await socket.next() == {"status": "UP"}
            await socket.send([{"ticket": "t"}, {"type": "orderbook", "codes": ["KRW-BTC"], "is_only_snapshot": True}])
            assert (await socket.next())["stream_type"] == "SNAPSHOT"
            await socket.send("PING")
            assert await socket.next() == {"status": "UP"}
            await socket.send([{"ticket": "t"}, {"type": "orderbook", "codes": ["KRW-BTC"], "is_only_realtime": True}])
            assert (await socket.next())["stream_type"] == "REALTIME"

    run(scenario)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ("nonsense", "WRONG_FORMAT"),
        ("{}", "WRONG_FORMAT"),
        ("[]", "NO_TICKET"),
        ('[{"ticket":"t"}]', "NO_TYPE"),
        ('[{"ticket":"t"},{"type":"orderbook"}]', "NO_CODES"),
        ('[{"ticket":"t"},{"type":"gossip","codes":["KRW-BTC"]}]', "INVALID_PARAM"),
        ('[{"ticket":"t"},{"type":"orderbook","codes":["KRW-NIX"]}]', "NO_CODES"),
        ('[{"ticket":"t"},{"type":"myOrder"}]', "INVALID_PARAM"),
    ],
)
def test_upbit_tells_what_is_wrong_with_a_subscription(sent: str, error: str) -> None:
    async def scenario() -> None:
        async with bench() as on, upbit_socket(on) as socket:
            await socket.send(sent)
            assert (await socket.next())["error"]["name"] == error

    run(scenario)


def test_upbit_ends_a_connection_that_sends_too_much() -> None:
    async def scenario() -> None:
        async with bench() as on, upbit_socket(on) as socket:
            for _ in range(6):
                await socket.send("PING")
            assert (await socket.next(lambda told: "error" in told))["error"]["name"] == "TOO_MANY_REQUESTS"
            assert (await socket.ended()).data == 1008

    run(scenario)


def test_upbit_lets_five_connect_in_a_second() -> None:
    async def scenario() -> None:
        async with bench() as on:
            dials = [on.session.ws_connect(on.upbit.urls["stream"]) for _ in range(12)]
            ends = await asyncio.gather(*dials, return_exceptions=True)
            refused = {end.status for end in ends if isinstance(end, aiohttp.WSServerHandshakeError)}
            assert refused == {429}

    run(scenario)


def test_our_decoders_read_every_frame_and_the_depth_chain_has_no_gap() -> None:
    async def scenario() -> None:
        streams = [f"{name}@{kind}" for name in ("btcusdt", "ethusdt") for kind in ("depth@100ms", "bookTicker", "trade")]
        async with (
            bench() as on,
            binance_socket(on, *streams) as binance,
            upbit_socket(on, *({"type": kind, "codes": list(UPBIT_CODES)} for kind in ("orderbook", "trade")), form="SIMPLE") as upbit,
        ):
            told = Told()
            decoders = ((BinanceDecoder(told), binance), (UpbitDecoder(told), upbit))
            last: dict[str, int] = {}
            for decoder, socket in decoders:
                for _ in range(80):
                    message = await socket.socket.receive(30)
                    raw = message.data.encode() if isinstance(message.data, str) else message.data
                    decoder.feed(raw)
                    if b"@depth" in raw:
                        data = json.loads(raw)["data"]
                        assert data["U"] == last.get(data["s"], data["U"] - 1) + 1
                        last[data["s"]] = data["u"]
            assert len(last) == 2

    run(scenario)


def test_binance_raw_and_combined_by_url_and_by_message() -> None:
    async def scenario() -> None:
        async with (
            bench() as on,
            binance_socket(on, path="/ws/btcusdt@bookTicker") as raw,
            binance_socket(on, path="/stream?streams=btcusdt@bookTicker/ethusdt@bookTicker") as combined,
            binance_socket(on, path="/stream/7") as numbered,
        ):
            assert set(await raw.next()) == {"u", "s", "b", "B", "a", "A"}
            assert {(await combined.next())["stream"] for _ in range(20)} == {"btcusdt@bookTicker", "ethusdt@bookTicker"}
            await numbered.send({"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": "mine"})
            assert await numbered.next() == {"result": None, "id": "mine"}
            assert (await numbered.next())["stream"] == "btcusdt@depth@100ms"
            await numbered.send({"method": "LIST_SUBSCRIPTIONS", "id": 2})
            assert (await numbered.next(lambda told: "id" in told))["result"] == ["btcusdt@depth@100ms"]
            await numbered.send({"method": "UNSUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 3})
            await numbered.next(lambda told: told.get("id") == 3)
            await numbered.send({"method": "LIST_SUBSCRIPTIONS", "id": 4})
            assert await numbered.next() == {"result": [], "id": 4}

    run(scenario)


def test_binance_tells_what_is_wrong_with_a_message_and_ends_who_sends_too_many() -> None:
    async def scenario() -> None:
        async with bench() as on, binance_socket(on) as socket:
            await socket.send("nonsense")
            assert (await socket.next())["error"]["code"] == 3
            await socket.send({"method": "SING", "id": 9})
            assert (await socket.next())["error"]["code"] == 2
            await socket.send({"method": "SUBSCRIBE", "params": [f"x{n}@trade" for n in range(1025)], "id": 1})
            assert "1024" in (await socket.next())["error"]["msg"]
            for number in range(6):
                await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": number})
            assert (await socket.ended()).data == 1008

    run(scenario)


def test_binance_ends_a_socket_after_its_day() -> None:
    async def scenario() -> None:
        async with bench(cut_after_s=1.0) as on, binance_socket(on, "btcusdt@bookTicker") as socket, user_data(on) as events:
            assert (await socket.ended()).data == 1001
            assert (await events.ended()).data == 1001

    run(scenario)


def test_one_slow_reader_does_not_hold_up_another() -> None:
    async def scenario() -> None:
        async with bench() as on:
            reader, writer = await asyncio.open_connection("127.0.0.1", on.box.fronts["binance"].port)
            key = base64.b64encode(os.urandom(16)).decode()
            writer.write(
                f"GET /ws/btcusdt@bookTicker HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            assert b"101" in await reader.readline()
            async with binance_socket(on, "btcusdt@bookTicker") as socket:
                for _ in range(100):
                    await socket.next()
            writer.close()
            await writer.wait_closed()

    run(scenario)


def test_everybody_gets_the_same_frames() -> None:
    async def scenario() -> None:
        async with bench() as on, binance_socket(on, "btcusdt@depth@100ms") as one, binance_socket(on, "btcusdt@depth@100ms") as two:
            start = max((await one.next())["data"]["U"], (await two.next())["data"]["U"])

            async def chain(socket: Socket) -> list[int]:
                told = await socket.next(lambda told: told["data"]["U"] > start)
                return [told["data"]["U"], *[(await socket.next())["data"]["U"] for _ in range(9)]]

            first, second = await asyncio.gather(chain(one), chain(two))
            assert first == second

    run(scenario)
