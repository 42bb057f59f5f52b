"""An armed engine that opens nothing says why."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.model.book import BookState
from arbtui.model.scoped_halts import FOLDER_NAME
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.log import LogRing
from arbtui.views.live import EngineViews
from tests.execution.world import EXECUTION, World, world


def halt_the_clock(w: World) -> None:
    """Nothing moves any more, so that what a test broke stays broken."""
    w.fresh = False
    w.step_s = 1e9


def ban(w: World) -> None:
    w.engine._health.look(w.clock.monotonic())
    w.engine.risk.exchange["binance"].health.on_throttled(w.clock.monotonic() + 11.0)
    w.engine._health.look(w.clock.monotonic())


def hold_back(scope: str) -> Callable[[World], None]:
    def make_it(w: World) -> None:
        (w.folder / FOLDER_NAME).mkdir()
        body = {"scope": scope, "depth": "REDUCING", "source": "CLI", "by": "ann", "reason": "", "ts_ms": 1}
        (w.folder / FOLDER_NAME / f"{scope}.json").write_text(json.dumps(body))

    return make_it


CAUSES: dict[str, tuple[Callable[[World], object], str]] = {
    "nothing": (lambda w: None, ""),
    "a ban": (ban, "binance wants no requests for 11 s"),
    "the run is ending": (lambda w: setattr(w.engine.gate, "closed_for_entries", True), "the run is ending"),
    "the loss of a day": (lambda w: setattr(w.engine.risk.total, "loss_today", 1e9), "the limit of the day's loss is reached"),
    "the journal": (lambda w: setattr(w.engine.risk.total, "journal_failed", True), "the journal failed"),
    "a halt of a venue": (hold_back("exchange.upbit"), "every route is held back: only what shrinks exposure"),
    "a halt of one asset": (hold_back("symbol.XRP"), ""),
    "one book is stale": (lambda w: setattr(w.book("upbit", "ADA"), "state", BookState.STALE), ""),
    "the rate is old": (lambda w: setattr(w.components.rates.markets[0].book, "ts_init", -100.0), "the exchange rate is too old"),
}


@pytest.mark.parametrize("cause", list(CAUSES))
def test_why_it_opens_nothing_is_told(cause: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            halt_the_clock(w)
            make_it, told = CAUSES[cause]
            make_it(w)
            assert w.engine.why_idle() == told
            assert EngineViews(w.engine, "SIM", "", LogRing()).header().idle == told
            w.engine.operator.toggle_pause()
            assert w.engine.why_idle() == "", "a state that is no ARMED tells for itself"

    run_virtual(main())


def test_a_profile_that_opens_nothing_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=EXECUTION.model_copy(update={"enabled": False})) as w:
            assert w.engine.why_idle() == "[execution] enabled is false"

    run_virtual(main())


def test_a_limit_that_the_next_cycle_would_break_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.engine.risk.total.positions_value = float(Decimal(1_000_000))
            assert w.engine.why_idle() == "as much is at risk as the limit allows"

    run_virtual(main())
