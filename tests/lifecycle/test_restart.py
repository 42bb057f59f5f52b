"""Stop and start again: everything is where it was, also with more or fewer symbols than before."""

import json
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

from arbtui.portfolio.restore import restore
from tests.lifecycle.programs import Running, run, running
from tests.lifecycle.state import State, assert_saved, assert_venues_agree
from tests.lifecycle.waiting import until

HEADLESS = ("--headless", "--json", "-")


def snapshot(state: State) -> dict[str, Any]:
    """The newest stored snapshot."""
    rows = state.rows("SELECT payload FROM snapshot ORDER BY snapshot_no DESC LIMIT 1")
    return dict(json.loads(rows[0]["payload"]))


def run_until_filled(state: State, folder: Path, symbols: str, bases: set[str] | None = None) -> None:
    """Trade ``symbols`` until one of ``bases`` (any, if not given) has filled; then stop as a person would."""

    def filled(engine: Running) -> bool:
        return engine.alive() and any(bases is None or row["base"] in bases for row in state.rows("SELECT base FROM fill"))

    with running(*state.arguments(), "--symbols", symbols, folder=folder) as engine:
        until(lambda: filled(engine), "a fill")
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    assert ended.code in (0, 128 + signal.SIGTERM), ended.err


def test_what_was_there_is_there(state: State, tmp_path: Path) -> None:
    arguments = (*state.arguments(), "--symbols", "10", *HEADLESS)
    run_until_filled(state, tmp_path / "first", "10")
    before, prices = state.ledger(), snapshot(state)["simulator"]["assets"]
    assert before["fills"]
    again = run(*arguments, "--max-runtime", "0.2")
    assert again.code == 0, again.err
    after = state.ledger()
    for what in ("fills", "orders", "cycles", "breaches", "kills"):
        assert after[what][: len(before[what])] == before[what]
    assert after["start_balances"] == before["start_balances"]
    news = after["fills"][len(before["fills"]) :]
    assert Decimal(after["pnl"]["fees"]) >= Decimal(before["pnl"]["fees"])
    if not news:
        assert after["balances"] == before["balances"]
        for part in ("trading", "fees", "rotation"):  # what is open of the won, and its stock, move with the rate
            assert after["pnl"][part] == before["pnl"][part], part
    assert_venues_agree(state)
    for asset, (log_mid, *_) in snapshot(state)["simulator"]["assets"].items():
        assert abs(log_mid - prices[asset][0]) < 0.005, f"{asset} jumped"
    own = [price for asset, price in prices.items() if asset in snapshot(state)["simulator"]["assets"]]
    assert len(own) == 10


def test_more_symbols_than_before_have_stock_too(state: State, tmp_path: Path) -> None:
    assert run(*state.arguments(), "--symbols", "BTC,ETH", *HEADLESS, "--max-runtime", "0.3").code == 0
    before = state.ledger()["balances"]
    run_until_filled(state, tmp_path / "second", "BTC,ETH,XRP,SOL", {"XRP", "SOL"})
    ledger = state.ledger()
    for exchange in ("upbit", "binance"):
        assert "XRP" not in before[exchange]
        for asset in ("XRP", "SOL"):
            assert Decimal(ledger["balances"][exchange][asset]["free"]) > 0
    grants = {(row["exchange"], row["asset"]) for row in ledger["adjustments"]}
    assert grants == {(exchange, asset) for exchange in ("upbit", "binance") for asset in ("XRP", "SOL")}
    traded = {fill["base"] for fill in ledger["fills"]}
    assert traded & {"XRP", "SOL"}
    assert_venues_agree(state, adjusted=True)


def filled_and_unknown(state: State) -> bool:
    """Whether both legs of a cycle that pays its fee in the coin are filled at the venues, and the journal knows of neither."""
    sending = {row["client_order_id"]: row["cycle_id"] for row in state.rows("SELECT * FROM order_ WHERE state = 'SENDING'")}
    legs: dict[str, set[tuple[str, str]]] = {}
    for fill in state.rows("SELECT * FROM venue_fill", path=state.venue):
        if fill["client_order_id"] in sending:
            legs.setdefault(sending[fill["client_order_id"]], set()).add((fill["exchange"], fill["side"]))
    return {("binance", "buy"), ("upbit", "sell")} in legs.values()


def trade_until_filled_and_unknown(state: State, folder: Path, *symbols: str) -> None:
    def seen(engine: Running) -> bool:
        return engine.alive() and filled_and_unknown(state)

    with running(*state.arguments(), "--symbols", ",".join(symbols), folder=folder) as engine:
        until(lambda: seen(engine), "a filled cycle whose answers are on their way")
        engine.signal(signal.SIGKILL)
        engine.ended()


def test_fewer_symbols_than_before_still_resolve_what_was_open(state: State, tmp_path: Path) -> None:
    """The dust of a fee taken in the coin is dust also when that market is not traded any more."""
    trade_until_filled_and_unknown(state, tmp_path / "killed", "BTC", "ETH", "XRP", "SOL", "DOGE", "ADA", "AVAX", "LINK", "TRX")
    left = restore(state.journal)[1]
    assert left.open_cycles
    assert left.open_orders
    ended = run(*state.arguments(), "--symbols", "BTC", *HEADLESS, "--max-runtime", "0.5")
    assert ended.code in (0, 3), ended.err
    states = assert_venues_agree(state)
    assert states["HEDGED"] > 0
    assert (ended.code == 3) == (states["RESIDUAL"] > 0)
    assert_saved(state, "max_runtime", ended.code)
