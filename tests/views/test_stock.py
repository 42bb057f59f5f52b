"""The stock as screens read it: what the portfolio holds, at live prices, and what a trade changes of it."""

from math import inf, isnan
from pathlib import Path

from arbtui.model.virtual_loop import run_virtual
from tests.execution.world import world
from tests.views.test_detail import views_of


def test_every_place_that_the_portfolio_knows_is_told_and_a_trade_moves_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            views = views_of(w)
            rows = views.stock()
            views.refresh_stock(rows)
            held = {(cell.exchange.lower(), row.asset): cell.total for row in rows for cell in row.cells}
            assert held == {
                (exchange, asset): float(total)
                for exchange, by_asset in w.portfolio.state.balances.items()
                for asset, total in by_asset.items()
                if total
            }
            xrp = next(row for row in rows if row.asset == "XRP")
            assert [cell.exchange for cell in xrp.cells] == [name.upper() for name in w.components.adapters]
            assert all(cell.share == 1.0 and isnan(cell.refill_first) and cell.hours == inf for cell in xrp.cells)
            before = xrp.version
            views.refresh_stock(rows)
            assert xrp.version == before  # nothing changed: nothing is painted
            await w.trade()  # bought at Binance, sold at Upbit
            views.refresh_stock(rows)
            assert xrp.version > before
            assert (xrp.emptiest, xrp.word) == ("UPBIT", "ok")
            assert xrp.imbalance > 0.0
            assert min(cell.drain_hours for cell in xrp.cells if cell.exchange == "UPBIT") < inf
            assert views.stock()[rows.index(xrp)] is xrp
            sold, paid = views.detail("XRP:binance>upbit").drains
            assert (sold.asset, sold.exchange, paid.asset, paid.exchange) == ("XRP", "UPBIT", "USDT", "BINANCE")
            assert sold.share == next(cell.share for cell in xrp.cells if cell.exchange == "UPBIT") < 1.0
            w.agree()

    run_virtual(main())
