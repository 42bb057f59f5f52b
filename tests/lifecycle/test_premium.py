"""Scenario `premium`, through the command line: stock runs dry one way, and is brought back by reverse trades and by transfers."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.lifecycle.programs import run
from tests.lifecycle.state import State, assert_venues_agree
from tests.portfolio.auditing import audit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # virtual minutes, which a busy machine draws out

COINS = ("ADA", "XRP")
BUDGET_BPS = Decimal(5)


class Premium:
    """A profile of the scenario, and a state folder; each run goes on where the one before ended."""

    def __init__(self, folder: Path, person: str, budget_bps: Decimal) -> None:
        self.person, self.budget_bps = person, budget_bps
        self.path = folder / "dear.toml"
        self.state = State(folder / "state", "dear")

    def trade(self, seconds: float, *, enabled: bool = True) -> dict[str, Any]:
        """One run; its summary."""
        self.path.write_text(
            "[exchanges.upbit]\nquote = 'KRW'\n[exchanges.binance]\nquote = 'USDT'\n"
            f"[simulator]\nscenario = 'premium'\nperson = '{self.person}'\nstock_value = 2000.0\n"
            "cash = { KRW = 100000000.0, USDT = 5000.0 }\n"
            f"[execution]\nenabled = {str(enabled).lower()}\n[rebalance]\nmax_cost_bps_day = {self.budget_bps}\n"
        )
        arguments = ("--headless", "--symbols", ",".join(COINS), "--seed", "3", "--speed", "max", "--max-runtime", str(seconds))
        done = run("--profile", str(self.path), *arguments, "--json", "-", "--state-dir", str(self.state.root))
        assert done.code == 0, done.err
        told: dict[str, Any] = json.loads(done.out)
        return told

    def ask(self, *words: str) -> Any:
        """What a command answers with --json."""
        done = run(*words, "--profile", str(self.path), "--state-dir", str(self.state.root), "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    def stock(self, exchange: str) -> dict[str, dict[str, Any]]:
        return {row["asset"]: place for row in self.ask("stock") for place in row["venues"] if place["exchange"] == exchange}

    def audited(self) -> dict[str, Any]:
        """The ledger of its whole life, which the auditor has added up."""
        ledger: dict[str, Any] = self.ask("ledger")
        code, said = audit(ledger)
        assert code == 0, said
        assert_adds_up(ledger)
        return ledger


def assert_adds_up(ledger: dict[str, Any]) -> None:
    pnl, equity = ledger["pnl"], ledger["equity"]
    parts = sum(Decimal(pnl[name]) for name in ("trading", "fx_open", "fx_stock", "inventory", "rotation")) - Decimal(pnl["fees"])
    assert parts == Decimal(pnl["total"])
    assert abs(parts - (Decimal(equity["end"]) - Decimal(equity["start"]) - Decimal(pnl["adjustments"]))) < Decimal("0.0001")


def reverse_trades(ledger: dict[str, Any]) -> list[dict[str, Any]]:
    return [cycle for cycle in ledger["cycles"] if Decimal(cycle["most_cost"]) > 0]


def test_stock_runs_dry_one_way_and_reverse_trades_bring_it_back_within_the_budget(tmp_path: Path) -> None:
    desk = Premium(tmp_path, "none", BUDGET_BPS)
    desk.trade(15)
    desk.trade(300)  # the restart goes on with the budget
    stock = desk.stock("upbit")
    assert all(stock[coin]["share"] < 1.0 for coin in COINS)
    ledger = desk.audited()
    back = reverse_trades(ledger)
    assert {cycle["route"] for cycle in back} == {f"{coin}:upbit>binance" for coin in COINS}
    assert "HEDGED" in {cycle["state"] for cycle in back}
    assert ledger["transfers"] == []
    spent = sum((max(Decimal(0), -Decimal(cycle["pnl"]["total"])) for cycle in back), Decimal(0))
    rotation = Decimal(ledger["pnl"]["rotation"])
    assert rotation < 0
    assert abs(rotation - sum(Decimal(cycle["pnl"]["total"]) for cycle in back)) < Decimal("0.000001")
    assert 0 < spent <= Decimal(ledger["equity"]["start"]) * BUDGET_BPS / 10_000
    assert "HEDGED" in assert_venues_agree(desk.state)


def test_as_shipped_runways_fall_and_dry_stock_stays_dry_with_a_transfer_proposed(tmp_path: Path) -> None:
    desk = Premium(tmp_path, "none", Decimal(0))
    desk.trade(15)
    early = desk.stock("upbit")
    desk.trade(225)  # the restart goes on with rates
    ledger = desk.audited()
    assert reverse_trades(ledger) == []
    assert ledger["pnl"]["rotation"] == "0"
    opened = len(ledger["cycles"])
    late, away = desk.stock("upbit"), desk.stock("binance")
    plans = {plan["asset"]: plan for plan in desk.ask("transfers", "plan")}
    for coin in COINS:
        assert 0.0 <= late[coin]["runway_h"] < early[coin]["runway_h"]
        assert late[coin]["share"] < 0.5 < 1.5 < away[coin]["share"]
        assert (plans[coin]["from"], plans[coin]["to"]) == ("binance", "upbit")  # nobody makes them, so they stay proposed
        assert Decimal(plans[coin]["missing"]) > Decimal(late[coin]["target"]) / 2
    desk.trade(120)
    after = desk.audited()["cycles"][opened:]
    assert sum(cycle["route"].endswith("binance>upbit") for cycle in after) < opened / 4


def test_a_played_person_carries_plans_out_and_what_arrives_is_matched(tmp_path: Path) -> None:
    desk = Premium(tmp_path, "auto", Decimal(0))
    desk.trade(600)
    desk.trade(300, enabled=False)  # what is under way arrives, and nothing runs short any more
    transfers = desk.ask("transfers", "list")
    assert {transfer["state"] for transfer in transfers} == {"ARRIVED"}
    assert {(one["asset"], one["from"], one["to"]) for one in transfers} == {
        *((coin, "binance", "upbit") for coin in COINS),
        ("USDT", "upbit", "binance"),  # what coins are bought with has gathered where they are sold
    }
    for one in transfers:
        assert one["left"] == one["qty"]
        assert Decimal(one["received"]) == Decimal(one["qty"]) - Decimal(one["fee"])
    for exchange in ("upbit", "binance"):
        stock = desk.stock(exchange)
        assert all(stock[asset]["share"] >= 0.5 for asset in (*COINS, "USDT") if Decimal(stock[asset]["target"]) > 0)
    ledger = desk.audited()
    assert ledger["breaches"] == []
    assert Decimal(ledger["pnl"]["rotation"]) < 0
    assert ledger["adjustments"] == []
    moved = sum(Decimal(flow["change"]) for flow in ledger["transfers"])
    assert moved == -sum(Decimal(one["fee"]) for one in transfers)
    sold = sum(
        Decimal(fill["qty"]) for fill in ledger["fills"] if (fill["exchange"], fill["base"], fill["side"]) == ("upbit", "XRP", "sell")
    )
    assert sold > 2 * Decimal(ledger["start_balances"]["upbit"]["XRP"]["free"])  # it traded on with what had come
    assert_venues_agree(desk.state)
