from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from math import inf, nan
from pathlib import Path

import pytest

from arbtui.execution.config import ExecutionConfig
from arbtui.model.book import BookState
from arbtui.model.errors import OrderAbandoned
from arbtui.model.halt import FLAG_NAME
from arbtui.model.order import Order, Purpose, Side
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.trading_state import TradingState
from arbtui.routes.route import ArbRoute
from tests.execution.world import EXECUTION, World, world


def _entry(w: World) -> tuple[Order, ArbRoute]:
    """An order that may leave, with its reservation."""
    route = w.components.universe.by_id["XRP:binance>upbit"]
    now = w.clock.monotonic()
    made = Order("a1", route.buy.market, Side.BUY, Decimal(10), Decimal("2.14"), "c1", 0, 0, Purpose.ENTRY, w.halt.epoch, now, now + 1)
    assert w.components.positions.inventory.reserve(made)
    return made, route


def _reason(folder: Path, prepare: Callable[[World, Order], object], config: ExecutionConfig | None = None) -> Reason | None:
    async def main() -> Reason | None:
        async with world(folder, execution=config) as w:
            made, route = _entry(w)
            prepare(w, made)
            reason = w.engine.gate.refusal(made, route)
            if reason is None:
                w.engine.gate.last_look(made, route)
            else:
                before = w.engine.risk.denials.get(reason, 0)
                with pytest.raises(OrderAbandoned) as abandoned:
                    w.engine.gate.last_look(made, route)
                assert abandoned.value.reason == reason
                assert w.engine.risk.denials[reason] == before + 1
            return reason

    found = run_virtual(main())
    assert found is None or isinstance(found, Reason)
    return found


def _set(name: str, value: object) -> Callable[[World, Order], object]:
    return lambda _, order: setattr(order, name, value)


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda w, o: None, None),
        (lambda w, o: w.halt.close("KEY"), Reason.HALTED),
        (lambda w, o: (w.folder / FLAG_NAME).touch(), Reason.HALTED),
        (lambda w, o: (w.halt.close("KEY"), w.halt.rearm()), Reason.OLD_EPOCH),
        (lambda w, o: setattr(w.engine.gate, "closed_for_entries", True), Reason.DISARMED),
        (lambda w, o: setattr(o, "decided_at", o.decided_at - 0.2499), None),
        (lambda w, o: setattr(o, "decided_at", o.decided_at - 0.2501), Reason.DECISION_AGE),
        (_set("decided_at", nan), Reason.DECISION_AGE),
        (_set("decided_at", -inf), Reason.DECISION_AGE),
        (lambda w, o: setattr(o, "deadline", w.clock.monotonic()), None),
        (lambda w, o: setattr(o, "deadline", w.clock.monotonic() - 1e-6), Reason.DEADLINE),
        (_set("deadline", nan), Reason.DEADLINE),
        (lambda w, o: w.components.positions.inventory.release(o), Reason.RESERVATION),
        (lambda w, o: w.engine.change_state(TradingState.PAUSED, ""), Reason.PAUSED),
        (lambda w, o: w.engine.change_state(TradingState.HALTED, ""), Reason.HALTED),
        (lambda w, o: setattr(w.engine.risk.total, "journal_failed", True), Reason.JOURNAL),
        (lambda w, o: setattr(w.book("upbit"), "state", BookState.GAPPED), Reason.GAPPED),
        (lambda w, o: setattr(w.book("upbit"), "ts_init", -inf), Reason.BOOK_AGE),
        (lambda w, o: setattr(w.components.rates.book, "ts_init", -inf), Reason.RATE_OLD),
        (lambda w, o: setattr(w.components.aggregator.watches["binance"], "last_message", -inf), Reason.MESSAGE_AGE),
    ],
)
def test_what_the_gate_looks_at_both_times(tmp_path: Path, prepare: Callable[[World, Order], object], reason: Reason | None) -> None:
    assert _reason(tmp_path, prepare) is reason


def test_a_profile_that_only_watches_sends_nothing(tmp_path: Path) -> None:
    assert _reason(tmp_path, lambda w, o: None, EXECUTION.model_copy(update={"enabled": False})) is Reason.DISABLED


@pytest.mark.parametrize("purpose", [Purpose.COMPLETE, Purpose.UNWIND])
def test_a_hedge_may_leave_while_entries_are_closed_and_however_old_its_cycle(tmp_path: Path, purpose: Purpose) -> None:
    def prepare(w: World, order: Order) -> None:
        order.purpose, order.decided_at = purpose, -inf
        w.engine.gate.closed_for_entries = True
        w.engine.change_state(TradingState.PAUSED, "")
        w.book("upbit").state = BookState.STALE  # not its own book

    assert _reason(tmp_path, prepare) is None

    def halting(w: World, order: Order) -> None:
        prepare(w, order)
        w.engine.change_state(TradingState.HALTING, "")

    assert _reason(tmp_path, halting) is Reason.HALTED


def test_an_opportunity_too_old_opens_nothing_and_leaves_no_trace(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.quote("upbit", ([(3030.0, 400.0)], [(3031.0, 400.0)]))
            found = w.components.universe.by_id["XRP:binance>upbit"].evaluate(w.clock.monotonic())
            assert found is not None
            w.engine._open_cycle(replace(found, decided_at=found.decided_at - 0.3))
            await w.engine.executor.quiet.wait()
            assert w.engine.cycles == {}
            assert w.engine.risk.denials == {Reason.DECISION_AGE: 1}
            assert found.route.denied is Reason.DECISION_AGE
            assert found.route.blocked is None
            assert w.journal.load().cycles == 0
            w.agree()

    run_virtual(main())
