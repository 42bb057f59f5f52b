"""Whatever is sent to Bybit's door, it answers in Bybit's own words, and goes on."""

import json
import random

import pytest

from arbtui.sandbox.bybit.venue import BybitVenue
from tests.sandbox.boxes import run
from tests.sandbox.bybit.callers import BybitBench, bybit_bench, login
from tests.sandbox.test_nonsense import NASTY, NASTY_JSON

NAMES = (
    "symbol", "side", "orderType", "timeInForce", "qty", "price", "orderLinkId", "orderId", "isLeverage", "orderFilter", "limit", "cursor",
    "startTime", "endTime", "openOnly", "accountType", "coin",
)  # fmt: skip


async def _ask(on: BybitBench, chance: random.Random) -> None:
    venue = on.box.door(BybitVenue)
    for method, path in [*venue._signed, *(("GET", path) for path in venue._open)]:
        for _ in range(5):
            values = NASTY_JSON if method == "POST" else NASTY
            params = {name: chance.choice(values) for name in chance.sample(NAMES, 4)}
            if chance.random() < 0.7:
                params["symbol"] = "XRPUSDT"
            if chance.random() < 0.1:
                params["category"] = chance.choice(values)
            name = path.removeprefix("/v5/")
            reply = await (on.bybit.post(name, **params) if method == "POST" else on.bybit.get(name, None, **params))
            assert reply.status < 500, (method, path, params)
            assert {"retCode", "retMsg", "result"} <= set(reply.body), (method, path, params)


@pytest.mark.parametrize("seed", range(3))
def test_requests(seed: int) -> None:
    async def scenario() -> None:
        async with bybit_bench(limits=False) as on:
            await _ask(on, random.Random(seed))
            for body in ("", "[1]", "{", '"x"', "null"):
                reply = await on.bybit.send("POST", "order/create", body, on.bybit.headers(body))
                assert reply.status < 500
                assert reply.body["retCode"] == 10001
            assert (await on.bybit.buy("still there")).body["retCode"] == 10001, "a client id with a space"
            assert (await on.bybit.buy("still-there")).body["retCode"] == 0

    run(scenario)


def test_messages() -> None:
    async def scenario() -> None:
        told = [
            "null", "1", '"x"', "[[]]", '{"op":["x"]}', '{"op":"subscribe","args":{"a":1}}', '{"op":"subscribe","args":[1,null,{}]}',
            '{"op":"auth","args":[1,"x",null]}', '{"op":"auth","args":null}', '{"args":["order"]}', "\x00", "[" * 5000,
        ]  # fmt: skip
        async with bybit_bench(limits=False) as on:
            for private in (False, True):
                async with on.session.ws_connect(on.bybit.urls["private" if private else "stream"]) as socket:
                    for message in told:
                        await socket.send_str(message)
                        assert json.loads((await socket.receive(30)).data)["success"] is False, message
                    if private:
                        await socket.send_str(json.dumps(login(on.bybit.key)))
                        assert json.loads((await socket.receive(30)).data)["success"], "it goes on"

    run(scenario)
