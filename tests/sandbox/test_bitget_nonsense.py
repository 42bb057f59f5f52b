"""Whatever is sent to Bitget's door, it answers in Bitget's own words, and goes on."""

import json
import random

import pytest

from arbtui.sandbox.bitget.venue import BitgetVenue
from tests.sandbox.bitget_bench import bitget_bench, login
from tests.sandbox.boxes import run
from tests.sandbox.test_nonsense import NASTY, NASTY_JSON

NAMES = (
    "symbol", "side", "orderType", "force", "size", "price", "clientOid", "orderId", "requestTime", "receiveWindow", "limit", "idLessThan",
    "startTime", "endTime", "coin", "businessType",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_requests(seed: int) -> None:
    async def scenario() -> None:
        chance = random.Random(seed)
        async with bitget_bench(limits=False) as on:
            for method, path in on.box.door(BitgetVenue)._endpoints:
                for _ in range(8):
                    values = NASTY_JSON if method == "POST" else NASTY
                    params = {name: chance.choice(values) for name in chance.sample(NAMES, 4)}
                    if chance.random() < 0.7:
                        params["symbol"] = "XRPUSDT"
                    reply = await on.call(method, path.removeprefix("/api/v2/"), params)
                    assert reply.status < 500, (method, path, params)
                    assert {"code", "msg", "requestTime", "data"} == set(reply.body), (method, path, params)
            for body in (b"", b"[1]", b"{", b'"x"', b"null", b"\xff"):
                async with on.session.post(f"{on.urls['rest']}/api/v2/spot/trade/place-order", data=body) as answer:
                    assert (await answer.json())["code"] == "40001"
            assert (await on.buy(clientOid="still-there")).error == "00000"

    run(scenario)


def test_messages() -> None:
    async def scenario() -> None:
        told = [
            "null", "1", '"x"', "[[]]", '{"op":["x"],"args":[{}]}', '{"op":"subscribe","args":{"a":1}}',
            '{"op":"subscribe","args":[1,null]}', '{"op":"subscribe","args":[{}]}', '{"args":[{}]}',
            '{"op":"subscribe","args":[{"channel":["a"],"instId":{},"instType":"SPOT"}]}', '{"op":"login","args":[{}]}',
            '{"op":"login","args":[{"apiKey":1,"sign":"ü"}]}', "\x00", "[" * 4000, json.dumps({"op": "x" * 5000}),
        ]  # fmt: skip
        async with bitget_bench(limits=False) as on:
            for name in ("stream", "private"):
                for at in range(0, len(told), 8):
                    async with on.session.ws_connect(on.urls[name]) as socket:
                        for message in told[at : at + 8]:
                            await socket.send_str(message)
                            assert json.loads((await socket.receive(30)).data)["event"] == "error", message
                        if name == "private":
                            await socket.send_str(json.dumps(login()))
                            assert json.loads((await socket.receive(30)).data)["event"] == "login", "it goes on"

    run(scenario)
