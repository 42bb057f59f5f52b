"""``arbtui kill --scope`` where no engine runs: it cancels what falls under the scope, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import run
from tests.lifecycle.standing import ours, rest_order
from tests.lifecycle.test_guardian import open_at_venues, where

#: Client ids of what stands: where, and of which asset.
STANDING = {ours(1): ("upbit", "XRP"), ours(2): ("binance", "XRP"), ours(3): ("binance", "BTC"), ours(4): ("upbit", "BTC")}


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch) as made:
        yield made


def test_orders_of_the_scope_alone_are_cancelled(desk: LiveDesk) -> None:
    assert run(*desk.arguments("--headless", "--max-runtime", "1")).code in (0, 3)
    for client_id, (venue, asset) in STANDING.items():
        rest_order(desk.profile, venue, asset, client_id)
    rest_order(desk.profile, "binance", "XRP", "by-hand-1")
    assert open_at_venues(desk) == {*STANDING, "by-hand-1"}

    paused = run("kill", *where(desk), "--scope", "exchange.upbit", "--depth", "reducing", "--json")
    assert (paused.code, json.loads(paused.out)["cancelled_here"]) == (1, None)
    assert open_at_venues(desk) == {*STANDING, "by-hand-1"}, "what is less than HALTED cancels nothing"

    symbol = run("kill", *where(desk), "--scope", "symbol.BTC")
    assert symbol.code == 1, "no engine runs"
    assert "orders of desk in symbol.BTC, cancelled from here: UPBIT ok, BINANCE ok" in symbol.err
    assert open_at_venues(desk) == {ours(1), ours(2), "by-hand-1"}

    elsewhere = json.loads(run("kill", *where(desk), "--scope", "route.SOL:upbit>binance", "--json").out)
    assert sorted(elsewhere["cancelled_here"]) == ["BINANCE ok", "UPBIT ok"]
    assert open_at_venues(desk) == {ours(1), ours(2), "by-hand-1"}

    exchange = json.loads(run("kill", *where(desk), "--scope", "exchange.upbit", "--json").out)
    assert exchange["cancelled_here"] == ["UPBIT ok"]
    assert open_at_venues(desk) == {ours(2), "by-hand-1"}

    route = json.loads(run("kill", *where(desk), "--scope", "route.XRP:upbit>binance", "--json").out)
    assert sorted(route["cancelled_here"]) == ["BINANCE ok, 1 foreign order left alone (XRPUSDT by-hand-1)", "UPBIT ok"]
    assert open_at_venues(desk) == {"by-hand-1"}
