"""Sessions of other desks than a dollar one with two venues: won against won, a mixed pair counted in won, several pairs."""

import asyncio
from collections import Counter
from decimal import Decimal, localcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from arbtui.model.clock import VIRTUAL_EPOCH_MS
from arbtui.model.errors import UsageError
from arbtui.model.halt import Halt
from arbtui.model.money import DIGITS
from arbtui.model.virtual_loop import VirtualTimeLoop
from arbtui.monitoring.log import LogRing
from arbtui.portfolio.ledger import read_ledger
from arbtui.runtime.modes import origins
from arbtui.runtime.plan import Plan
from arbtui.runtime.session import Session
from arbtui.runtime.venues import simulated_venues
from arbtui.settings.load import load_profile
from arbtui.simulation.ledger import VenueLedger
from tests.portfolio.auditing import AUDIT, audit

_WON = """
[desk]
currency = "KRW"
[execution]
order_value = 140000.0
[risk.global]
max_unhedged = 2800000.0
max_loss_day = 1400000.0
max_loss_hour = 700000.0
max_drawdown = 2100000.0
max_factor_exposure = 35000000.0
max_in_transit = 14000000.0
max_uncovered_in_transit = 770000.0
max_asset_in_transit = 308000.0
"""


def _run(home: Path, folder: Path, text: str, *, seconds: float = 40.0, name: str = "desk") -> dict[str, Any]:
    """The ledger of a session in virtual time."""
    path = home / f"{name}.toml"
    path.write_text(text)
    settings = load_profile(str(path), {"mode": "sim", "universe": {"symbols": 6}})
    state = folder / "sim"
    state.mkdir(parents=True, exist_ok=True)
    opened = partial(simulated_venues, settings)
    plan = Plan(settings, folder, state, opened, origins(settings), virtual=True, headless=True, max_runtime_s=seconds, json=None)
    with localcontext(prec=DIGITS), asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(Session(plan, LogRing(), Halt(folder)).run()) == 0
    ledger = read_ledger(state / "journal.db")
    assert not AUDIT.is_file() or audit(ledger)[0] == 0
    return ledger


def _venues(*names: str) -> str:
    return "".join(f"[exchanges.{name}]\n" for name in names)


def _trades(ledger: dict[str, Any]) -> Counter[str]:
    return Counter(cycle["route"].partition(":")[2] for cycle in ledger["cycles"] if cycle["state"] == "HEDGED")


def test_won_against_won_needs_no_rate_and_leaves_nothing_open(home: Path, tmp_path: Path) -> None:
    ledger = _run(home, tmp_path, _venues("upbit", "bithumb") + _WON)
    assert sum(_trades(ledger).values()) > 20
    assert (ledger["pnl"]["currency"], ledger["equity"]["currency"], ledger["open_fx"]) == ("KRW", "KRW", [])
    assert Decimal(ledger["pnl"]["fx_open"]) == Decimal(ledger["pnl"]["fx_stock"]) == 0
    assert {fill["quote"] for fill in ledger["fills"]} == {"KRW"}


def test_five_won_are_dust_to_a_desk_that_counts_in_won_and_a_lunch_is_not(home: Path, tmp_path: Path) -> None:
    """A cent of cash is dust. Counted in won it was a hundredth of a won: a venue that rounds to whole won was disputed, and blocked."""
    profile = _venues("upbit", "bithumb") + _WON
    _run(home, tmp_path, profile, seconds=10.0)

    async def lose(**amounts: int) -> None:
        venues = await VenueLedger.open(tmp_path / "sim" / "venue.db", "sync")
        for venue, amount in amounts.items():
            await venues.deposit(venue, {"KRW": Decimal(-amount)}, "rounded", VIRTUAL_EPOCH_MS)
        await venues.close()

    asyncio.run(lose(bithumb=5, upbit=15_000))
    ledger = _run(home, tmp_path, profile, seconds=10.0)
    assert [(row["exchange"], row["change"], row["kind"]) for row in ledger["adjustments"]] == [("bithumb", "-5", "dust")]
    assert [row["scope"] for row in ledger["breaches"] if row["kind"] == "BALANCE_MISMATCH"] == ["upbit:KRW"]


def test_a_desk_that_counts_in_won_trades_its_open_dollars_back(home: Path, tmp_path: Path) -> None:
    ledger = _run(home, tmp_path, _venues("upbit", "binance") + _WON + "[netting]\nband = 100000.0\n")
    assert ledger["pnl"]["currency"] == "KRW"
    (row,) = ledger["open_fx"]
    assert (row["asset"], row["currency"], row["value"]) == ("USDT", "KRW", row["value_krw"])
    nettings = [cycle for cycle in ledger["cycles"] if cycle["route"].startswith("USDT/KRW:")]
    assert nettings
    assert Decimal(row["converted"]) > 100_000
    # A sale of a hundred dollars is one hundred thousand won of it, and what is left is near the band.
    assert abs(Decimal(row["value"])) < 100_000 + 3 * 140_000


def test_several_pairs_trade_only_between_the_venues_that_are_listed(home: Path, tmp_path: Path) -> None:
    pairs = '[universe]\npairs = [["upbit", "binance"], ["bithumb", "binance"]]\n'
    ledger = _run(home, tmp_path, _venues("upbit", "bithumb", "binance") + pairs)
    assert ledger["pnl"]["currency"] == "USDT"
    traded = {route for route in _trades(ledger) if ">" in route}
    assert traded <= {"upbit>binance", "binance>upbit", "bithumb>binance", "binance>bithumb"}
    assert {frozenset(route.split(">")) for route in traded} == {frozenset(("upbit", "binance")), frozenset(("bithumb", "binance"))}


def test_a_venue_of_another_dollar_coin_is_priced_over_two_rates(home: Path, tmp_path: Path) -> None:
    """OKX in USDC: won against it over KRW-USDT and USDC-USDT, dollars against it over the latter."""
    text = '[exchanges.okx]\nquote = "USDC"\n[desk]\ncurrency = "USDT"\n'
    pairs = '[universe]\npairs = [["upbit", "okx"], ["binance", "okx"], ["upbit", "binance"]]\n'
    ledger = _run(home, tmp_path, _venues("upbit", "binance") + text + pairs, seconds=60.0)
    assert {frozenset(route.split(">")) for route in _trades(ledger) if ">" in route} == {
        frozenset(pair) for pair in (("upbit", "okx"), ("binance", "okx"), ("upbit", "binance"))
    }
    quotes = {fill["exchange"]: fill["quote"] for fill in ledger["fills"] if fill["base"] != "USDT"}
    assert quotes == {"upbit": "KRW", "binance": "USDT", "okx": "USDC"}
    assert {row["asset"] for row in ledger["open_fx"]} == {"KRW", "USDC"}
    assert ledger["pnl"]["currency"] == "USDT"


def test_currencies_without_a_rate_are_refused_before_anything_starts(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none of its venues, as the simulator plays them, trades KRW for USDC: without a rate"):
        _run(home, tmp_path, '[exchanges.upbit]\n[exchanges.okx]\nquote = "USDC"\n', seconds=1.0)


def test_a_journal_that_counts_in_another_currency_is_not_gone_on_with(home: Path, tmp_path: Path) -> None:
    _run(home, tmp_path, _venues("upbit", "binance"), seconds=1.0)
    with pytest.raises(
        UsageError, match=r"desk\.currency is KRW, and .*journal\.db counts in USDT: set it back, or name another --state-dir"
    ):
        _run(home, tmp_path, _venues("upbit", "binance") + _WON, seconds=1.0)
