"""A route over a network in a live session: the program plans, tells and tracks; the test is the person who moves the coins."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from arbtui.engine.network_watch import NetworkWatch
from arbtui.journal.events import CycleState, Phase
from arbtui.portfolio.accounts import CycleAccount
from arbtui.portfolio.transfers import TransferAccount
from arbtui.sandbox.faults import WireFaultKind
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.planted_gap import PlantedGap
from tests.faults.desk import DEADLINE_S, Desk, desk, play
from tests.portfolio.auditing import AUDIT, disagreements

#: Every gap is taken, whatever it costs: what is tested comes after.
ANY_GAP: dict[str, dict[str, Any]] = {
    "universe": {"shapes": ["cross_chain"]},
    "execution": {"min_edge_bps": -500.0},
    "costs": {"transfer_risk_sd": 0.0},
    "risk": {"global": {"max_uncovered_in_transit": 110.0}},  # one cycle
}


def _cycle(d: Desk) -> CycleAccount:
    (found,) = d.engine.portfolio.open_cycles
    return found


def _transfer(d: Desk) -> TransferAccount:
    (found,) = d.engine.portfolio.open_transfers
    return found


async def _seen(d: Desk, transfer_id: str, state: str) -> None:
    """Ask the venues, as is done every half minute, until the transfer is in ``state``."""
    async with asyncio.timeout(DEADLINE_S):
        while d.engine.portfolio.state.transfers[transfer_id].state != state:
            await d.engine.compare_positions()
            await asyncio.sleep(0.2)


def _audited(d: Desk) -> None:
    d.engine.marks.take("end")
    ledger = d.ledger()
    assert disagreements(ledger) == []
    if AUDIT.is_file():
        done = subprocess.run([sys.executable, str(AUDIT)], input=json.dumps(ledger), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout


def test_it_is_planned_told_and_tracked_over_a_restart_and_sold_when_the_person_has_moved_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NetworkWatch, "_sigma", lambda *_: 0.0)  # minutes of prices, which no test waits for

    async def main() -> None:
        async with desk(tmp_path, settings=ANY_GAP) as d:
            await d.until(lambda: len(d.engine.portfolio.open_transfers) == 1, "a cycle asks for its transfer")
            d.engine.operator.toggle_pause()  # no other one; what is sold on arrival only takes exposure away
            cycle, moved = _cycle(d), _transfer(d)
            assert (cycle.phase, cycle.awaits, moved.by) == (Phase.IN_TRANSIT, moved.id, "arbtui")
            assert moved.id in d.engine.in_transit
            await d.box.deposit(moved.sender, moved.asset, str(-moved.qty))  # the person makes it
            await _seen(d, moved.id, "IN_TRANSIT")
            assert await d.stop() == 0
            await d.start()
            cycle = _cycle(d)
            assert (cycle.phase, cycle.awaits) == (Phase.IN_TRANSIT, moved.id)
            await d.box.deposit(moved.receiver, moved.asset, str(moved.qty - moved.fee))
            await _seen(d, moved.id, "ARRIVED")
            await d.until(lambda: not cycle.is_open, "what came is sold")
            assert cycle.state is CycleState.HEDGED
            await d.settle()
            _audited(d)
            d.balances_agree()

    play(main)


def test_a_purchase_that_is_refused_moves_nothing_and_a_sale_that_is_refused_is_made_by_the_hedge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NetworkWatch, "_sigma", lambda *_: 0.0)
    one_way = {
        **ANY_GAP,
        "universe": {"shapes": ["cross_chain"], "allow": ["XRP:binance>chain>upbit"]},
        "execution": {"min_edge_bps": 100.0, "max_decision_age_ms": 5000, "leg_deadline_ms": 5000},
        "risk": {**ANY_GAP["risk"], "route": {"refusal_pause_s": 0.0}},
    }

    async def main() -> None:
        async with desk(tmp_path, settings=one_way, simulator=SimulatorConfig(scenario="calm")) as d:
            d.fault("binance", WireFaultKind.HALT, symbol="XRPUSDT")
            d.box.plant(PlantedGap("upbit", "KRW-XRP", 200.0, 3600.0))
            await d.cycles(1, CycleState.MISSED)
            assert d.engine.portfolio.open_transfers == []
            d.box.faults["binance"].clear()
            await d.until(lambda: len(d.engine.portfolio.open_transfers) == 1, "a cycle asks for its transfer")
            d.engine.operator.toggle_pause()
            cycle, moved = _cycle(d), _transfer(d)
            await d.box.deposit(moved.sender, moved.asset, str(-moved.qty))
            await _seen(d, moved.id, "IN_TRANSIT")
            refused = d.fault("upbit", WireFaultKind.REFUSE, symbol="KRW-XRP", error="market_offline", words="closed", count=1)
            await d.box.deposit(moved.receiver, moved.asset, str(moved.qty - moved.fee))
            await _seen(d, moved.id, "ARRIVED")
            await d.until(lambda: not cycle.is_open, "what came is sold")
            assert refused.met == 1
            assert cycle.state is CycleState.HEDGED
            await d.settle()
            _audited(d)
            d.balances_agree()

    play(main)
