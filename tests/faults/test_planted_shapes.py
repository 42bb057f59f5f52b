"""Each shape of route in a live session over real sockets: its gap planted, found, executed and booked; mended when any leg fails.

A route over a network needs a person between its legs: test_cross_chain.py.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from arbtui.execution.cycle import ArbCycle
from arbtui.journal.events import CycleState, PlannedLeg
from arbtui.model.order import OrderState
from arbtui.sandbox.faults import WireFaultKind
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.planted_gap import PlantedGap
from tests.faults.desk import Desk, desk, play
from tests.portfolio.auditing import AUDIT, audit, disagreements

_LASTS_S = 3600.0
THREE = """
[exchanges.upbit]
quote = "KRW"
[exchanges.okx]
quote = "USDT"
[exchanges.bitget]
quote = "USDT"
[universe]
pairs = [["upbit", "okx"], ["upbit", "bitget"]]
"""


@dataclass(frozen=True)
class Planted:
    """The routes that may be listed, and the gap that makes them pay."""

    shape: str
    allow: Sequence[str]
    gap: PlantedGap
    symbols: Sequence[str]
    legs: int
    more: Mapping[str, Any] = field(default_factory=dict)  #: of :func:`desk`
    execution: Mapping[str, Any] = field(default_factory=dict)


CROSSES = {"cross_quotes": ["BTC"]}
CASES = {
    "two_leg": Planted("two_leg", ["XRP:binance>upbit"], PlantedGap("upbit", "KRW-XRP", 100.0, _LASTS_S), ("XRP", "SOL"), 2),
    "triangular": Planted(
        "triangular",
        ["ETH:upbit/KRW>ETH>BTC>KRW"],
        PlantedGap("upbit", "BTC-ETH", 150.0, _LASTS_S),
        ("BTC", "ETH"),
        3,
        CROSSES,
    ),
    "multi_hop": Planted(
        "multi_hop",
        ["ETH:upbit/KRW>ETH,binance/ETH>BTC>USDT"],
        PlantedGap("binance", "ETHBTC", 150.0, _LASTS_S),
        ("BTC", "ETH"),
        3,
        CROSSES,
        {"order_value": 400.0},  # a hundred dollars are too few lots of ETH
    ),
    "split_leg": Planted(
        "split_leg",
        ["ONT:bitget+okx>upbit"],
        PlantedGap("upbit", "KRW-ONT", 150.0, _LASTS_S),
        ("ONT", "XRP", "SOL"),  # the busy ones keep the streams heard
        3,
        # Prices of the two swing past each other, and an order is more than the touch of one of them shows.
        {"simulator": SimulatorConfig(scenario="busy", stock_value=30_000.0), "venues": ["upbit", "okx", "bitget"]},
        {"order_value": 600.0},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_planted_gap_is_found_executed_and_booked_and_mended_when_any_one_leg_fails(case: str, tmp_path: Path) -> None:
    planted = CASES[case]
    more = {"simulator": SimulatorConfig(scenario="calm"), **planted.more}
    if "venues" in more:
        path = tmp_path / "three.toml"
        path.write_text(THREE)
        more["profile"] = str(path)
    settings = {
        "universe": {"shapes": [planted.shape], "allow": list(planted.allow)},
        # Nothing but the planted gap pays so much. A machine that is busy may be late.
        "execution": {"min_edge_bps": 40.0, "max_decision_age_ms": 5000, "leg_deadline_ms": 5000, **planted.execution},
        "risk": {"route": {"refusal_pause_s": 0.0, "max_one_leg_hour": 1000, "max_consecutive_losses": 1000}},
    }

    async def main() -> None:
        async with desk(tmp_path, planted.symbols, settings=settings, **more) as d:
            assert {route.shape for route in d.engine.components.universe.routes} == {planted.shape}
            d.box.plant(planted.gap)
            done = await _ended(d, CycleState.HEDGED)
            assert len(done.plan.legs) == planted.legs
            assert done.plan.edge_bps >= 40.0
            assert len({(fill.exchange, fill.market) for fill in done.fills}) == planted.legs
            assert d.engine.cycles_by_shape.keys() == {planted.shape}
            for leg in done.plan.legs:
                d.fault(leg.exchange, WireFaultKind.HALT, symbol=leg.market)
                refused = await _refused(d, leg)
                assert refused.state is CycleState.UNWOUND or (refused.state is CycleState.HEDGED and planted.shape == "split_leg")
                d.box.faults[leg.exchange].clear()
            await _ended(d, CycleState.HEDGED)
            await d.settle()
            d.engine.marks.take("end")
            await d.agree()
            ledger = d.ledger()
            assert {row["state"] for row in ledger["cycles"]} <= {"HEDGED", "UNWOUND", "MISSED", "ABANDONED"}, json.dumps(ledger["cycles"])
            assert disagreements(ledger) == []
            if AUDIT.is_file():
                code, said = audit(ledger)
                assert code == 0, said

    play(main)


async def _ended(d: Desk, state: CycleState) -> ArbCycle:
    """The next cycle that ends in ``state``, of those that are not open yet."""
    return await _next(d, lambda cycle: cycle.state is state, f"a cycle ends {state}")


async def _refused(d: Desk, leg: PlannedLeg) -> ArbCycle:
    """The next cycle of which the venue takes no order on ``leg``, once it has ended. The other venue of a fork may do what is missing."""

    def is_it(cycle: ArbCycle) -> bool:
        there = [order.state for order in cycle.orders if (order.market.exchange, order.market.code) == (leg.exchange, leg.market)]
        return bool(there) and set(there) == {OrderState.REJECTED} and bool(cycle.fills)

    return await _next(d, is_it, f"a cycle is refused on {leg.exchange}:{leg.market}, and ends")


async def _next(d: Desk, is_it: Callable[[ArbCycle], bool], what: str) -> ArbCycle:
    cycles = d.engine.cycles
    before = set(cycles)

    def found() -> list[ArbCycle]:
        return [cycle for key, cycle in cycles.items() if key not in before and cycle.is_over and is_it(cycle)]

    await d.until(lambda: bool(found()), what)
    return found()[0]
