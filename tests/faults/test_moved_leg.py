"""A venue refuses its leg in a live session over real sockets: the leg is traded at the next venue, and the books of all agree."""

from pathlib import Path
from typing import Any

from arbtui.execution.cycle import ArbCycle
from arbtui.journal.events import CycleState
from arbtui.model.order import OrderState, Purpose, Side
from arbtui.sandbox.faults import WireFaultKind
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.planted_gap import PlantedGap
from tests.faults.desk import Desk, desk, play
from tests.faults.test_planted_shapes import THREE
from tests.portfolio.auditing import AUDIT, audit, disagreements


def _moved(d: Desk) -> list[ArbCycle]:
    """Cycles that have ended, whose purchase one venue of dollars refused and the other one made."""
    found = []
    for cycle in d.engine.cycles.values():
        at = {order.market.exchange for order in cycle.orders if order.purpose is Purpose.COMPLETE and order.state is OrderState.FILLED}
        planned = {leg.exchange for leg in cycle.plan.legs}
        if cycle.is_over and at - planned:
            found.append(cycle)
    return found


def test_what_okx_refuses_is_bought_at_bitget(tmp_path: Path) -> None:
    path = tmp_path / "three.toml"
    path.write_text(THREE)
    settings: dict[str, dict[str, Any]] = {
        "universe": {"shapes": ["two_leg"]},
        # Nothing but the planted gap pays so much. A machine that is busy may be late.
        "execution": {"min_edge_bps": 40.0, "max_decision_age_ms": 5000, "leg_deadline_ms": 5000},
        "risk": {"route": {"refusal_pause_s": 0.0, "max_one_leg_hour": 1000, "max_consecutive_losses": 1000}},
    }

    async def main() -> None:
        calm, venues = SimulatorConfig(scenario="calm"), ["upbit", "okx", "bitget"]
        async with desk(tmp_path, ("XRP", "SOL"), settings=settings, simulator=calm, venues=venues, profile=str(path)) as d:
            d.fault("okx", WireFaultKind.HALT, symbol="XRP-USDT")
            d.box.plant(PlantedGap("upbit", "KRW-XRP", 100.0, 3600.0))
            await d.until(lambda: bool(_moved(d)), "a leg moves")
            (cycle, *_) = _moved(d)
            assert cycle.plan.route.id == "XRP:okx>upbit"
            # Bitget's lots are coarser: the remainder of one is shed at Upbit, by a round trip.
            assert cycle.state in (CycleState.HEDGED, CycleState.UNWOUND)
            assert cycle.is_flat()
            (bought,) = (fill for fill in cycle.fills if fill.exchange != "upbit")
            assert (bought.exchange, bought.side) == ("bitget", Side.BUY)
            lot = d.box.cores["bitget"].markets["XRPUSDT"].lot_step
            assert abs(bought.qty - cycle.plan.legs[0].qty) < lot
            d.box.faults["okx"].clear()
            await d.settle()
            d.engine.marks.take("end")
            await d.agree()
            ledger = d.ledger()
            assert disagreements(ledger) == []
            if AUDIT.is_file():
                code, said = audit(ledger)
                assert code == 0, said

    play(main)
