"""Limits that earlier versions journaled in other letters hold as they were meant; what no version of now can hold is told at the start."""

from pathlib import Path

from arbtui.journal.events import LimitChanged
from arbtui.model.virtual_loop import run_virtual
from tests.engine.test_limits import set_limit, value_of_next
from tests.execution.world import world
from tests.portfolio.telling import Telling


def test_a_limit_in_other_letters_holds_from_the_next_start_on(tmp_path: Path) -> None:
    """It stood under its own key, which nothing is asked by: an operator's limit that held nothing, and could not be taken away."""

    async def main() -> None:
        async with world(tmp_path) as w:
            await w.journal.commit(LimitChanged("symbol.xrp.order_value", None, 40.0, "ann", "thin"))
        async with world(tmp_path) as w:
            assert 38 < await value_of_next(w) <= 40.5
            (row,) = (row for row in w.engine.limits.rows() if row.journal is not None)
            assert (row.scope, row.journal, row.by) == ("symbol.XRP.order_value", 40.0, "ann")
            assert [one for one in w.engine.breaches.breaches.values() if one.kind == "LIMIT_VOID"] == []
            w.engine.operator.disarm("to take it away")
            assert set_limit(w, "symbol.XRP.order_value", None, confirm="p", reason="as before") is None
            assert w.portfolio.state.limits == {}
            w.same_after_restart()

    run_virtual(main())


def test_the_last_word_counts_whatever_its_letters() -> None:
    tell = Telling().start()
    tell(
        LimitChanged("route.xrp:Upbit>binance.min_edge_bps", None, 5.0, "ann", ""),
        LimitChanged("route.XRP:upbit>binance.min_edge_bps", None, 9.0, "ann", ""),
        LimitChanged("exchange.Binance.max_unknown_orders", None, 1.0, "ann", ""),
        LimitChanged("global.max_loss_day", None, 10.0, "ann", ""),
        LimitChanged("route.order_value", None, 70.0, "ann", ""),
        LimitChanged("symbol.ada.order_value", None, 70.0, "ann", ""),
        LimitChanged("symbol.ADA.order_value", 70.0, None, "ann", ""),
    )
    assert {scope: one.value for scope, one in tell.portfolio.state.limits.items()} == {
        "route.XRP:upbit>binance.min_edge_bps": 9.0,
        "exchange.binance.max_unknown_orders": 1.0,
        "global.max_loss_day": 10.0,
        "route.order_value": 70.0,
    }


def test_what_holds_nothing_is_told_at_each_start(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.journal.commit(LimitChanged("symbol.upbit:XRP.order_value", None, 40.0, "ann", ""))
            await w.journal.commit(LimitChanged("global.max_unheged", None, 40.0, "ann", ""))
        for _ in range(2):
            async with world(tmp_path) as w:
                told = {one.scope: one for one in w.engine.breaches.breaches.values() if one.kind == "LIMIT_VOID"}
                assert told.keys() == {"symbol.upbit:XRP.order_value", "global.max_unheged"}
                assert "symbol.XRP.order_value" in told["symbol.upbit:XRP.order_value"].detail
                assert "did you mean global.max_unhedged?" in told["global.max_unheged"].detail

    run_virtual(main())
