"""The venues' own books: exact, durable, and what the control port tells of them is what the wire told."""

import asyncio
import random
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest

from arbtui.model.errors import UsageError
from arbtui.sandbox.sandbox import SandboxOptions, sandbox
from tests.sandbox.boxes import DEADLINE_S, Socket, bench, box, run, upbit_socket, user_data

ZERO = Decimal(0)
PRIVATE = ({"type": "myOrder"}, {"type": "myAsset"})


def test_value_is_conserved_to_the_last_digit_through_any_orders(tmp_path: Path) -> None:
    chance = random.Random(7)

    async def scenario() -> None:
        async with bench(state_dir=tmp_path, limits=False) as on:
            start = {name: core.balances() for name, core in on.box.cores.items()}
            for number in range(60):
                if chance.random() < 0.5:
                    qty = f"{chance.uniform(2, 40):.8f}"
                    tif = chance.choice(["ioc", "fok", None])
                    side = chance.choice(["bid", "ask"])
                    await on.upbit.buy(qty, chance.choice(["1000", "3000", "5000"]), tif=tif, identifier=f"o{number}", side=side)
                else:
                    tif = chance.choice(["IOC", "FOK", "GTC"])
                    await on.binance.buy(str(chance.randrange(5, 60)), tif=tif, side=chance.choice(["BUY", "SELL"]))
                if number % 15 == 7:
                    await on.upbit.call("DELETE", "orders/open", {"cancel_side": "all"})
            await on.control("GET", "/ledger")
            flow: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
            fills = 0
            with localcontext(prec=60):
                for name, venue in on.box.venues.items():
                    for fill in venue.account.log.fills():
                        fills += 1
                        sign = 1 if fill.side.value == "buy" else -1
                        assert fill.cost == fill.price * fill.qty
                        flow[name, fill.base] += sign * fill.qty
                        flow[name, fill.quote] -= sign * fill.cost
                        flow[name, fill.fee_currency] -= fill.fee
                for name, core in on.box.cores.items():
                    for asset, balance in core.balances().items():
                        assert balance.total == start[name][asset].total + flow[name, asset], (name, asset)
                        assert balance.free >= ZERO <= balance.locked
            assert fills > 20
        with closing(sqlite3.connect(tmp_path / "venue.db")) as database, localcontext(prec=60):
            changes: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
            for table in ("balance_change", "rolled_change"):
                for exchange, asset, change in database.execute(f"SELECT exchange, asset, change FROM {table}"):
                    changes[exchange, asset] += Decimal(change)
            rows = database.execute("SELECT exchange, base, quote, side, qty, cost, fee, fee_currency FROM venue_fill")
            for exchange, base, quote, side, qty, cost, fee, currency in rows:
                sign = 1 if side == "buy" else -1
                changes[exchange, base] += sign * Decimal(qty)
                changes[exchange, quote] -= sign * Decimal(cost)
                changes[exchange, currency] -= Decimal(fee)
            for exchange, asset, free, locked in database.execute("SELECT exchange, asset, free, locked FROM account"):
                assert Decimal(free) + Decimal(locked) == changes[exchange, asset]

    run(scenario)


def test_what_the_streams_tell_adds_up_to_the_ledger() -> None:
    chance = random.Random(11)

    async def scenario() -> None:
        async with bench(limits=False) as on, user_data(on) as binance, upbit_socket(on, *PRIVATE, private=True) as upbit:
            await upbit.send("PING")
            await upbit.next(lambda told: told == {"status": "UP"})
            for number in range(40):
                price = chance.choice(["1000", "3000", "5000"])
                await on.upbit.buy(
                    f"{chance.uniform(5, 40):.8f}", price, tif=chance.choice(["ioc", None]), side=chance.choice(["bid", "ask"])
                )
                await on.binance.buy(str(chance.randrange(5, 60)), tif=chance.choice(["IOC", "GTC"]), side=chance.choice(["BUY", "SELL"]))
                if number % 10 == 9:
                    await on.upbit.call("DELETE", "orders/open", {"cancel_side": "all"})
                    await on.binance.call("DELETE", "openOrders", {"symbol": "XRPUSDT"})
            await on.control("POST", "/deposits", {"venue": "binance", "asset": "ETH", "amount": "1"})
            await on.control("POST", "/deposits", {"venue": "upbit", "asset": "ETH", "amount": "1"})
            held: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
            fees: dict[tuple[str, str], Decimal] = {}
            async for told in _until(binance, lambda told: told["event"].get("e") == "balanceUpdate"):
                event = told["event"]
                if event["e"] == "outboundAccountPosition":
                    held |= {("binance", row["a"]): (Decimal(row["f"]), Decimal(row["l"])) for row in event["B"]}
                elif event["e"] == "executionReport" and event["t"] != -1:
                    assert ("binance", f"{event['s']}:{event['t']}") not in fees  # each once
                    fees["binance", f"{event['s']}:{event['t']}"] = Decimal(event["n"])
            async for told in _until(upbit, lambda told: any(row["currency"] == "ETH" for row in told.get("assets", ()))):
                if told["type"] == "myAsset":
                    held |= {("upbit", row["currency"]): (row["balance"], row["locked"]) for row in told["assets"]}
                elif told["state"] == "trade":
                    assert ("upbit", told["trade_uuid"]) not in fees
                    fees["upbit", told["trade_uuid"]] = told["trade_fee"]
            assert set(fees) == set(on.box.trades())
            booked = {"upbit": Decimal(0), "binance": Decimal(0)}
            for name, venue in on.box.venues.items():
                booked[name] = sum((fill.fee for fill in venue.account.log.fills()), ZERO)
                assert sum((fee for (exchange, _), fee in fees.items() if exchange == name), ZERO) == booked[name] > 0
                for asset, balance in on.box.cores[name].balances().items():
                    assert held.get((name, asset), (balance.free, balance.locked)) == (balance.free, balance.locked), (name, asset)

    run(scenario)


async def _until(socket: Socket, last: Callable[[Any], bool]) -> AsyncIterator[Any]:
    """Every message up to the one that is the ``last``."""
    while not last(told := await socket.next()):
        yield told


def test_the_control_port_tells_the_ids_that_the_wire_tells() -> None:
    async def scenario() -> None:
        async with bench() as on:
            for code in ("KRW-XRP", "KRW-ETH"):
                await on.upbit.buy("10" if code == "KRW-XRP" else "0.01", code=code, identifier=code)
            placed = [(await on.binance.buy("10")).body, (await on.binance.buy("0.05", code="ETHUSDT")).body]
            wire = {("binance", f"{body['symbol']}:{fill['tradeId']}") for body in placed for fill in body["fills"]}
            assert ("binance", "XRPUSDT:1") in wire
            assert ("binance", "ETHUSDT:1") in wire  # numbered by symbol: the same id at two of them
            for code in ("KRW-XRP", "KRW-ETH"):
                order = (await on.upbit.call("GET", "order", {"identifier": code})).body
                wire |= {("upbit", trade["uuid"]) for trade in order["trades"]}
            ledger = (await on.control("GET", "/ledger")).body
            assert {(exchange, trade_id) for exchange, trade_id in ledger} == wire
            assert len(ledger) == len(wire)
            balances = (await on.control("GET", "/balances")).body
            told = {row["currency"]: row["balance"] for row in (await on.upbit.call("GET", "accounts")).body}
            assert {asset: row["free"] for asset, row in balances["upbit"].items() if row["free"] != "0"} == told
            orders = (await on.control("GET", "/orders")).body
            assert {row["venue_order_id"] for row in orders if row["exchange"] == "binance"} == {"1", "2"}

    run(scenario)


def test_a_restart_on_the_same_folder_remembers_everything(tmp_path: Path) -> None:
    async def first() -> tuple[list[tuple[str, str]], object, float, str]:
        async with bench(state_dir=tmp_path) as on:
            await on.upbit.buy("10", identifier="a")
            await on.binance.buy("10", newClientOrderId="a")
            await on.binance.buy("100", "0.5", tif="GTC", newClientOrderId="rests")
            uuid = (await on.upbit.call("GET", "order", {"identifier": "a"})).body["uuid"]
            update = (await on.binance.ask("depth?symbol=XRPUSDT")).body["lastUpdateId"]
            return sorted(on.box.trades()), (await on.control("GET", "/balances")).body, update, uuid

    async def scenario() -> None:
        trades, balances, update, uuid = await first()
        async with bench(state_dir=tmp_path) as on:
            assert sorted(on.box.trades()) == trades
            assert (await on.control("GET", "/balances")).body == balances
            assert (await on.upbit.buy("10", identifier="a")).error == "duplicated_identifier"
            assert (await on.upbit.call("GET", "order", {"uuid": uuid})).body["identifier"] == "a"
            assert (await on.binance.ask("depth?symbol=XRPUSDT")).body["lastUpdateId"] >= update
            async with user_data(on) as events:
                one = {"symbol": "XRPUSDT", "origClientOrderId": "rests"}
                assert (await on.binance.call("DELETE", "order", one)).body["status"] == "CANCELED"
                assert (await events.next())["event"]["x"] == "CANCELED"  # and not NEW once more
            again = (await on.binance.buy("10")).body["fills"]
            assert {f"XRPUSDT:{fill['tradeId']}" for fill in again}.isdisjoint(dict((one, 1) for _, one in trades))

    run(scenario)


def test_a_resting_order_fills_from_the_market_and_says_so() -> None:
    async def scenario() -> None:
        async with bench() as on, user_data(on) as events:
            best = (await on.binance.ask("ticker/bookTicker?symbol=BTCUSDT")).body["bidPrice"]
            placed = (await on.binance.buy("0.00100", best, code="BTCUSDT", tif="GTC", newClientOrderId="m")).body
            assert placed["status"] in ("NEW", "FILLED", "PARTIALLY_FILLED")
            while True:  # BTC walks: sooner or later the market comes to our price
                report = (await events.next(lambda told: told["event"]["e"] == "executionReport"))["event"]
                if report["x"] == "TRADE":
                    break
            assert report["c"] == "m"
            assert (await on.binance.call("GET", "myTrades", {"symbol": "BTCUSDT"})).body[0]["id"] == report["t"]

    run(scenario)


def test_deposits_are_booked_and_told_and_nonsense_is_not() -> None:
    async def scenario() -> None:
        async with bench() as on, user_data(on) as events:
            before = on.box.cores["binance"].balances()["XRP"].free
            reply = await on.control("POST", "/deposits", {"venue": "binance", "asset": "XRP", "amount": "-1.5"})
            assert Decimal(reply.body["binance"]["XRP"]["free"]) == before - Decimal("1.5")
            assert (await events.next())["event"]["d"] == "-1.50000000"
            for wrong in (
                {"venue": "kraken", "asset": "XRP", "amount": "1"},
                {"venue": "upbit", "asset": "XRP", "amount": "much"},
                {"venue": "upbit", "asset": "XRP", "amount": "-1000000"},
                {"venue": "upbit", "asset": "XRP"},
            ):
                assert (await on.control("POST", "/deposits", wrong)).status == 400

    run(scenario)


def test_a_taken_port_is_an_error_that_names_it() -> None:
    async def scenario() -> None:
        async with box() as running:
            with pytest.raises(UsageError, match=f"port {running.control.port} "):
                async with sandbox(SandboxOptions(port=running.control.port, symbols=3)):
                    pass

    run(scenario)


def test_the_market_s_memory_must_be_readable(tmp_path: Path) -> None:
    (tmp_path / "market.json").write_text("{")

    async def scenario() -> None:
        with pytest.raises(UsageError, match=r"market\.json"):
            async with box(state_dir=tmp_path):
                pass

    run(scenario)


def test_a_transfer_leaves_at_once_and_comes_later_less_its_fee() -> None:
    async def scenario() -> None:
        async with bench() as on:
            held = {name: core.balances()["XRP"].free for name, core in on.box.cores.items()}
            wanted = {"asset": "XRP", "from": "binance", "to": "upbit", "amount": "100", "fee": "0.5", "minutes": 0.01}
            reply = await on.control("POST", "/transfers", wanted)
            assert reply.body == {"asset": "XRP", "from": "binance", "to": "upbit", "left": "100", "arrives": "99.5", "minutes": 0.01}
            assert on.box.cores["binance"].balances()["XRP"].free == held["binance"] - 100
            async with asyncio.timeout(DEADLINE_S):
                while on.box.cores["upbit"].balances()["XRP"].free == held["upbit"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert on.box.cores["upbit"].balances()["XRP"].free == held["upbit"] + Decimal("99.5")
            for wrong in (
                wanted | {"from": "upbit"},
                wanted | {"to": "kraken"},
                wanted | {"amount": "much"},
                wanted | {"amount": "0.5"},
                wanted | {"amount": "1000000000"},
                wanted | {"minutes": -1},
                {"asset": "XRP"},
            ):
                assert (await on.control("POST", "/transfers", wrong)).status == 400

    run(scenario)
