"""Faults that change what a venue says of an order, its rules, or its fees, on real sockets."""

from decimal import Decimal
from typing import Any

import pytest

from arbtui.model.errors import UsageError
from arbtui.sandbox.faults import WireFault, WireFaultKind
from tests.sandbox.boxes import bench, run
from tests.sandbox.test_faults import executed, place

K = WireFaultKind


@pytest.mark.parametrize("venue", ["upbit", "binance"])
def test_an_order_can_be_executed_and_answered_with_nulls_or_as_one_that_was_sent_before(venue: str) -> None:
    async def scenario() -> None:
        async with bench() as on:
            on.fault(venue, K.NULLS)
            reply = await place(on, venue, "nulls")
            assert reply.status in (200, 201)
            assert set(reply.body.values()) == {None}
            assert executed(on, venue, "nulls")
            on.fault(venue, K.DUPLICATE_ID)
            reply = await place(on, venue, "twice")
            assert reply.error == ("duplicated_identifier" if venue == "upbit" else -2010)
            assert executed(on, venue, "twice")

    run(scenario)


def test_changed_rules_are_told_and_kept_and_end_with_their_time() -> None:
    async def scenario() -> None:
        async with bench() as on:
            on.fault("binance", K.RULES, symbol="XRPUSDT", min_cost="1000", lot_step="5")
            on.fault("upbit", K.RULES, symbol="KRW-XRP", min_cost="900000", tick="500")
            (symbol,) = (await on.binance.ask("exchangeInfo?symbol=XRPUSDT")).body["symbols"]
            filters = {row["filterType"]: row for row in symbol["filters"]}
            assert Decimal(filters["NOTIONAL"]["minNotional"]) == 1000
            assert Decimal(filters["LOT_SIZE"]["stepSize"]) == 5
            assert (await place(on, "binance", "a")).body == {"code": -1013, "msg": "Filter failure: NOTIONAL"}
            chance = (await on.upbit.call("GET", "orders/chance", {"market": "KRW-XRP"})).body["market"]
            assert Decimal(str(chance["bid"]["min_total"])) == 900000
            assert Decimal(str((await on.upbit.ask("orderbook/instruments?markets=KRW-XRP")).body[0]["tick_size"])) == 500
            assert (await place(on, "upbit", "a")).error == "under_min_total_bid"
            await on.control("DELETE", "/faults")
            assert (await place(on, "binance", "b")).status == 200
            assert (await place(on, "upbit", "b")).status == 201

    run(scenario)


def test_fees_are_taken_in_bnb_while_there_is_some() -> None:
    async def scenario() -> None:
        async with bench() as on:
            on.fault("binance", K.FEE_COIN)
            rates = (await on.binance.call("GET", "account/commission", {"symbol": "XRPUSDT"})).body
            assert rates["discount"]["enabledForAccount"]
            (none, *_) = (await place(on, "binance", "none")).body["fills"]
            assert none["commissionAsset"] == "XRP"
            await on.control("POST", "/deposits", {"venue": "binance", "asset": "BNB", "amount": "1"})
            before = on.box.cores["binance"].balances()["BNB"].free
            fills = (await place(on, "binance", "some")).body["fills"]
            assert {fill["commissionAsset"] for fill in fills} == {"BNB"}
            paid = sum((Decimal(fill["commission"]) for fill in fills), Decimal(0))
            assert on.box.cores["binance"].balances()["BNB"].free == before - paid
            cost = sum((Decimal(fill["qty"]) * Decimal(fill["price"]) for fill in fills), Decimal(0))
            assert abs(paid - cost * Decimal("0.001") * Decimal("0.75") / 600) < Decimal("0.0000001")

    run(scenario)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"venue": "upbit", "kind": K.FEE_COIN}, "no fees in its own coin"),
        ({"venue": "upbit", "kind": K.RULES}, "needs a symbol"),
        ({"venue": "upbit", "kind": K.RULES, "symbol": "KRW-XRP"}, "at least one"),
        ({"venue": "upbit", "kind": K.RULES, "symbol": "KRW-XRP", "tick": "0"}, "tick"),
        ({"venue": "upbit", "kind": K.RULES, "symbol": "KRW-XRP", "lot_step": "NaN"}, "lot_step"),
        ({"venue": "upbit", "kind": K.RULES, "symbol": "KRW-XRP", "min_cost": "1e3"}, "min_cost"),
    ],
)
def test_rules_and_fees_that_make_no_sense_are_refused(told: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        WireFault(**told).check()
