"""Nonsense is refused in the venue's own words: no handler falls over it, and the venue goes on."""

import json
import random
from typing import Any

import pytest

from arbtui.sandbox.binance.venue import BinanceVenue
from arbtui.sandbox.upbit.venue import UpbitVenue
from tests.sandbox.boxes import Bench, bench, binance_socket, message, run, upbit_socket

NASTY: list[Any] = [
    "",
    "-1",
    "NaN",
    "1e999",
    "ten",
    "0",
    "9" * 40,
    "KRW-XRP",
    "XRPUSDT",
    "한글",
    "a,b",
    "[]",
    '["X"]',
    "\x00",
    "2027-13-01",
]
NASTY_JSON: list[Any] = [*NASTY, None, [], {}, [1], {"a": 1}, 1e308, -5, True]


async def _upbit(on: Bench, chance: random.Random) -> None:
    names = [
        "market",
        "side",
        "ord_type",
        "volume",
        "price",
        "time_in_force",
        "identifier",
        "uuid",
        "markets",
        "count",
        "states[]",
        "limit",
    ]
    names += ["page", "start_time", "end_time", "uuids[]", "quote_currencies", "pairs", "cancel_side"]
    venue = on.box.door(UpbitVenue)
    for (method, path), _ in [*venue._signed.items(), *((("GET", path), None) for path in venue._open)]:
        for _ in range(4):
            values = NASTY_JSON if method == "POST" else NASTY
            params = {name: chance.choice(values) for name in chance.sample(names, 4)}
            if chance.random() < 0.5:
                params["market"] = "KRW-XRP"
            reply = await on.upbit.call(method, path.removeprefix("/v1/"), params)
            assert reply.status < 500, (method, path, params)
            json.loads(reply.raw)


async def _binance(on: Bench, chance: random.Random) -> None:
    names = [
        "symbol",
        "side",
        "type",
        "timeInForce",
        "quantity",
        "price",
        "quoteOrderQty",
        "newClientOrderId",
        "origClientOrderId",
        "orderId",
    ]
    names += ["limit", "startTime", "endTime", "fromId", "symbols", "recvWindow", "newOrderRespType", "omitZeroBalances"]
    for method, path in on.box.door(BinanceVenue)._endpoints:
        for _ in range(4):
            params = {name: chance.choice(NASTY) for name in chance.sample(names, 4)}
            if chance.random() < 0.6:
                params["symbol"] = "XRPUSDT"
            params.pop("recvWindow", None) if chance.random() < 0.8 else None
            reply = await on.binance.call(method, path.removeprefix("/api/v3/"), params)
            assert reply.status < 500, (method, path, params)
            json.loads(reply.raw)


@pytest.mark.parametrize("seed", range(3))
def test_requests(seed: int) -> None:
    async def scenario() -> None:
        chance = random.Random(seed)
        async with bench(limits=False) as on:
            await _upbit(on, chance)
            await _binance(on, chance)
            assert (await on.upbit.buy("10", "5000")).status == 201
            assert (await on.binance.buy("10", "4")).status == 200

    run(scenario)


def test_bodies_that_are_none() -> None:
    async def scenario() -> None:
        async with bench(limits=False) as on:
            for body in (b"", b"\xff\xfe", b"[1]", b"{", b'"x"', b"null"):
                for url in (f"{on.upbit.urls['rest']}/v1/orders", f"{on.binance.urls['rest']}/api/v3/order"):
                    async with on.session.post(url, data=body, headers={"X-MBX-APIKEY": on.binance.key.key}) as answer:
                        assert 400 <= answer.status < 500

    run(scenario)


def test_messages() -> None:
    async def scenario() -> None:
        told = [
            "null",
            "1",
            '"x"',
            "[[]]",
            "[null]",
            '[{"ticket":1},{"type":["a"],"codes":[1,null]}]',
            '[{"ticket":"t"},{"type":"trade","codes":{}}]',
        ]
        async with bench(limits=False) as on:
            for raw in told:
                async with upbit_socket(on) as socket:
                    await socket.send(raw)
                    assert "error" in await socket.next()
            for raw in (
                "null",
                '{"method":["x"]}',
                '{"method":"SUBSCRIBE","params":{"a":1},"id":1}',
                '{"method":"SUBSCRIBE","params":[1],"id":1}',
            ):
                async with binance_socket(on) as socket:
                    await socket.send(raw)
                    assert "error" in await socket.next()
            async with on.session.ws_connect(on.binance.urls["private"]) as raw_socket:
                for request in (
                    "[]",
                    '{"id":1,"method":"order.place","params":[]}',
                    '{"id":1}',
                    json.dumps(message("depth", on.binance.key, limit={})),
                ):
                    await raw_socket.send_str(request)
                    assert (await raw_socket.receive_json(timeout=30))["status"] >= 400

    run(scenario)
