"""Markets of one coin against another keep the same promises: fees, balances and least orders are in that coin."""

from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.venues import VENUES
from arbtui.model.market import FeeTakenIn
from arbtui.model.order import Balance, Side
from tests.exchanges.contract import test_contract as contract
from tests.exchanges.contract.venues import CROSS_FACTORIES, LEAST_COST, Factory, run

pytestmark = pytest.mark.parametrize("factory", CROSS_FACTORIES.values(), ids=CROSS_FACTORIES)


def test_it_is_listed_with_its_price_and_the_venues_own_rules(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            assert isinstance(v.adapter, CcxtAdapter)
            assert v.sandbox is not None
            listed = await v.adapter.listed()
            market, truth = listed[v.market.code].market, v.core.markets[v.market.code]
            assert (market.base, market.quote) == ("XRP", "BTC")
            assert listed[v.market.code].price == pytest.approx(2.35 / 98500.0, rel=0.05)
            own = [one.market for one in listed.values() if one.market.quote == VENUES[v.adapter.name].quote]
            assert {"XRP", "BTC"} <= {one.base for one in own}
            for told in (market, v.market):  # by public data, and by the account's own
                assert told.price_units.at(Decimal("0.00003")) == truth.price_units.at(Decimal("0.00003")) == Decimal("0.00000001")
                assert (told.lot_step, told.min_qty) == (truth.lot_step, truth.min_qty)
                if (v.adapter.name, "BTC") in LEAST_COST:  # told nowhere: a quantity alone
                    assert told.min_cost == 0
                else:
                    assert truth.min_cost <= told.min_cost <= 2 * truth.min_cost
            assert v.market.fees.taker == truth.fees.taker

    run(main)


def test_fees_are_taken_in_the_coin_or_in_what_was_bought_and_balances_move_by_that(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            before = await v.adapter.fetch_balances()
            flows = dict.fromkeys(("XRP", "BTC"), Decimal(0))
            for side, qty, tenths in ((Side.BUY, "47", 31), (Side.SELL, "101", 28)):
                report = await v.place(v.order(side, qty, contract._price(v, tenths)), contract._admit)
                assert report.filled_qty == Decimal(qty)
                sign = 1 if side is Side.BUY else -1
                for fill in report.fills:
                    bought_in_coin = side is Side.BUY and v.market.fees.taken_in is FeeTakenIn.RECEIVED
                    assert (fill.quote, fill.fee_currency) == ("BTC", "XRP" if bought_in_coin else "BTC")
                    worth = fill.qty if bought_in_coin else fill.cost
                    assert fill.fee == pytest.approx(worth * v.market.fees.taker, abs=Decimal("0.00000002"))
                    flows["XRP"] += sign * fill.qty
                    flows["BTC"] -= sign * fill.cost
                    flows[fill.fee_currency] -= fill.fee
            after = await v.adapter.fetch_balances()
            assert flows["XRP"]
            assert flows["BTC"]
            for asset, change in flows.items():
                assert after[asset].total - before.get(asset, Balance()).total == change
            assert v.sandbox is not None
            assert {asset: one.total for asset, one in after.items() if one.total} == {
                asset: one.total for asset, one in v.sandbox.venues[v.adapter.name].account.balances().items() if one.total
            }

    run(main)


def test_refusals_and_the_stream_are_those_of_any_market(factory: Factory, tmp_path: Path) -> None:
    contract.test_refusals_name_their_rule_first_and_nothing_of_the_order_stands(factory, tmp_path / "refusals")
    contract.test_the_stream_tells_every_fill_and_every_end(factory, tmp_path / "stream")


def test_a_resting_order_is_listed_cancelled_and_found_again(factory: Factory, tmp_path: Path) -> None:
    contract.test_a_resting_order_is_listed_and_cancelled_and_cancelling_again_is_no_error(factory, tmp_path / "resting")
    contract.test_every_fill_is_listed_once_from_the_time_asked_for(factory, tmp_path / "fills")
