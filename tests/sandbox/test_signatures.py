"""Who signs wrongly gets the venue's own error, and nothing is executed."""

import hashlib
import time
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from arbtui.sandbox.keys import DEFAULT_KEYS
from tests.sandbox.boxes import Bench, BinanceCaller, UpbitCaller, bench, jwt, message, run

WRONG = {name: replace(key, secret="wrong") for name, key in DEFAULT_KEYS.items()}
STRANGER = {name: replace(key, key="stranger") for name, key in DEFAULT_KEYS.items()}


def test_upbit() -> None:
    async def scenario() -> None:
        async with bench() as on:
            ours = on.upbit
            assert (await ours.call("GET", "accounts")).status == 200
            assert (await UpbitCaller(on.session, ours.urls, WRONG["upbit"]).call("GET", "accounts")).error == "jwt_verification"
            assert (await UpbitCaller(on.session, ours.urls, STRANGER["upbit"]).call("GET", "accounts")).error == "invalid_access_key"
            claims = ours.claims()
            assert (await ours.call("GET", "accounts", claims=claims)).status == 200
            reply = await ours.call("GET", "accounts", claims=claims)
            assert (reply.status, reply.error) == (401, "nonce_used")
            assert (
                await ours.call("GET", "orders/chance", {"market": "KRW-BTC"}, ours.claims("market=KRW-ETH"))
            ).error == "invalid_query_payload"
            assert (await ours.call("GET", "orders/chance", {"market": "KRW-BTC"}, ours.claims())).error == "invalid_query_payload"
            assert (await ours.ask("accounts")).error == "no_authorization_token"
            async with on.session.get(f"{ours.urls['rest']}/v1/accounts", headers={"Authorization": "Bearer nonsense"}) as answer:
                assert (await answer.json())["error"]["name"] == "jwt_verification"
            with pytest.raises(aiohttp.WSServerHandshakeError) as no:
                await on.session.ws_connect(ours.urls["private"], headers={"Authorization": f"Bearer {jwt(WRONG['upbit'], ours.claims())}"})
            assert no.value.status == 401

    run(scenario)


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_upbit_takes_both_algorithms_and_the_hash_of_lists_and_bodies(algorithm: str) -> None:
    async def scenario() -> None:
        async with bench() as on:
            headers = {"Authorization": f"Bearer {jwt(on.upbit.key, on.upbit.claims(), algorithm)}"}
            async with on.session.get(f"{on.upbit.urls['rest']}/v1/accounts", headers=headers) as answer:
                assert answer.status == 200
            await on.upbit.buy("10", "5000", identifier="one")
            await on.upbit.buy("10", "5000", identifier="two")
            both = await on.upbit.call("GET", "orders/uuids", {"identifiers[]": ["one", "two", "three"]})
            assert [order["identifier"] for order in both.body] == ["one", "two"]

    run(scenario)


def test_binance() -> None:
    async def scenario() -> None:
        async with bench() as on:
            ours = on.binance
            assert (await ours.call("GET", "account")).status == 200
            cases: list[tuple[Any, int]] = [
                (BinanceCaller(on.session, ours.urls, WRONG["binance"]).call("GET", "account"), -1022),
                (BinanceCaller(on.session, ours.urls, STRANGER["binance"]).call("GET", "account"), -2015),
                (ours.ask("account"), -2014),
                (ours.send("GET", "account"), -1102),
                (ours.call("GET", "account", query=ours.signed({}, at_ms=int(time.time() * 1000) - 60_000)), -1021),
                (ours.call("GET", "account", query=ours.signed({}, at_ms=int(time.time() * 1000) + 60_000)), -1021),
                (ours.call("GET", "account", query=ours.signed({"recvWindow": 70_000})), -1131),
                (ours.call("GET", "account", query=ours.signed({}).replace("timestamp=1", "timestamp=2")), -1022),
            ]
            for asked, code in cases:
                assert (await asked).error == code
            old = ours.signed({"recvWindow": 50_000}, at_ms=int(time.time() * 1000) - 20_000)
            assert (await ours.call("GET", "account", query=old)).status == 200

    run(scenario)


def test_binance_s_websocket_api() -> None:
    async def scenario() -> None:
        async with bench() as on, on.session.ws_connect(on.binance.urls["private"]) as socket:

            async def ask(told: dict[str, Any]) -> Any:
                await socket.send_json(told)
                return (await socket.receive_json(timeout=30)) | {"rateLimits": None}

            subscribe = "userDataStream.subscribe.signature"
            assert (await ask(message(subscribe, WRONG["binance"])))["error"]["code"] == -1022
            assert (await ask(message(subscribe, STRANGER["binance"])))["error"]["code"] == -2015
            assert (await ask(message("session.logon", on.binance.key)))["error"]["code"] == -4056  # Ed25519 keys only
            assert (await ask(message(subscribe, on.binance.key)))["result"] == {"subscriptionId": 0}

    run(scenario)


def test_a_key_without_the_right_to_trade() -> None:
    keys = {name: replace(key, can_trade=False) for name, key in DEFAULT_KEYS.items()}

    async def scenario() -> None:
        async with bench(keys=keys) as on:
            assert (await on.upbit.buy("10", "5000")).error == "out_of_scope"
            assert (await on.binance.buy("10", "4")).error == -2015
            assert (await on.binance.call("GET", "/sapi/v1/account/apiRestrictions")).body["enableSpotAndMarginTrading"] is False
            assert nothing_executed(on)

    run(scenario)


def test_the_play_keys_cannot_withdraw() -> None:
    async def scenario() -> None:
        async with bench() as on:
            assert (await on.binance.call("GET", "/sapi/v1/account/apiRestrictions")).body["enableWithdrawals"] is False
            assert (await on.binance.call("GET", "account")).body["canWithdraw"] is False

    run(scenario)


def nothing_executed(on: Bench) -> bool:
    return all(not venue.account.log.orders(None) for venue in on.box.venues.values())


def test_a_secret_is_in_no_representation() -> None:
    assert "secret" not in repr(DEFAULT_KEYS).replace("sandbox-", "")
    assert hashlib.sha256(DEFAULT_KEYS["upbit"].secret.encode())  # it is there all the same
