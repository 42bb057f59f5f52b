"""A person's transfer under a live session, over the venues' own protocols: seen to leave, waited for over a restart, matched."""

import asyncio
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from arbtui.portfolio.operator_events import Transfer
from arbtui.portfolio.transfers import TransferAccount
from tests.faults.desk import DEADLINE_S, Desk, desk, play
from tests.portfolio.auditing import AUDIT, disagreements


def _the_one(d: Desk) -> TransferAccount:
    (found,) = d.engine.portfolio.state.transfers.values()
    return found


async def _seen(d: Desk, state: str) -> None:
    """Ask the venues, as is done every half minute, until the transfer is in ``state``."""
    async with asyncio.timeout(DEADLINE_S):
        while _the_one(d).state != state:
            await d.engine.compare_positions()
            await asyncio.sleep(0.2)


def _audited(d: Desk) -> None:
    d.engine.marks.take("end")
    ledger = d.ledger()
    assert disagreements(ledger) == []
    if AUDIT.is_file():
        done = subprocess.run([sys.executable, str(AUDIT)], input=json.dumps(ledger), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout


def test_a_transfer_is_seen_to_leave_and_to_come_also_over_a_restart_in_between(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            await d.cycles(1)
            await d.until(lambda: set(d.engine.wallets.networks) == {"upbit", "binance"}, "both venues told their networks")
            (terms,) = d.engine.wallets.networks["binance"]["XRP"]
            assert terms.fee is not None
            assert terms.minutes == 2.0
            (upbit,) = d.engine.wallets.networks["upbit"]["XRP"]
            assert upbit.known_to == ("binance",)
            await d.settle()
            move = Transfer("XRP", "binance", "upbit", Decimal(100), "XRP", terms.fee, terms.minutes)
            name = d.engine.components.profile
            assert d.engine.operator.begin_transfer(move, name, "a test") is None
            held = d.engine.portfolio.total("upbit", "XRP")
            await d.box.deposit("binance", "XRP", "-100")  # the person makes it
            await _seen(d, "IN_TRANSIT")
            _audited(d)
            assert await d.stop() == 0
            await d.start()
            assert _the_one(d).state == "IN_TRANSIT"
            await d.box.deposit("upbit", "XRP", str(100 - terms.fee))
            await _seen(d, "ARRIVED")
            assert d.engine.portfolio.total("upbit", "XRP") == held + 100 - terms.fee
            assert d.breaches("BALANCE_MISMATCH") == []
            assert d.engine.portfolio.state.disputes.get("binance", {}) == {}
            _audited(d)
            d.resume()
            await d.cycles(1)
            await d.agree()

    play(main)
