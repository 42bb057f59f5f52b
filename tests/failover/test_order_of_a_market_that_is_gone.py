"""An order was under way when its market went: nobody can ask what became of it, so a person takes the venue's word for the balances."""

from collections.abc import Mapping
from pathlib import Path

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.errors import MarketUnknown
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.trading_state import TradingState
from arbtui.runtime.arming import unclean
from tests.execution.world import Venue, world
from tests.failover.test_recovery import _cut_off, _lose


def test_what_it_has_moved_is_disputed_and_can_be_taken_over(tmp_path: Path) -> None:
    """The start said "adjust the balance", and raised no dispute that could be adjusted: an order of the asset was open, for ever."""

    async def unknown(code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        raise MarketUnknown(f"binance: no market {code}")

    def is_gone(venues: Mapping[str, Venue]) -> None:
        venues["binance"].fetch_order = unknown  # type: ignore[method-assign]

    async def main() -> None:
        await _cut_off(tmp_path, _lose(), 0.01)  # both legs have filled, and no answer came
        async with world(tmp_path, on_open=is_gone) as w:
            (unresolved,) = w.reconciled.unresolved
            assert unresolved.disarms
            assert "or adjust the balance" in unresolved.action
            assert "1 order that cannot be resolved" in unclean(w.reconciled, live=False)
            found = [(one.exchange, one.asset) for one in w.reconciled.mismatches]
            assert found == [("binance", "USDT"), ("binance", "XRP")]
            for exchange, asset in found:
                assert w.engine.operator.adjust(exchange, asset, "p", "it filled, says the venue") is None
        async with world(tmp_path, on_open=is_gone, unclean="1 order that cannot be resolved") as w:
            assert w.engine.state is TradingState.DISARMED
            assert w.reconciled.mismatches == []
            told = await w.binance.fetch_balances()
            assert w.portfolio.differences("binance", {asset: one.total for asset, one in told.items()}) == []

    run_virtual(main())
