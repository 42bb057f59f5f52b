"""The summary that scripts read: every key of docs/interface.md, of the right kind, and nothing else on standard output."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from arbtui.routes.rules import SHAPES
from tests.lifecycle.programs import run
from tests.lifecycle.state import State
from tests.lifecycle.test_bad_input import IN_ORDER, own

NUMBER, COUNT, TEXT = (int, float), (int,), (str,)
MAYBE = (int, float, type(None))
LAGS = tuple(f"{what}.{part}" for what in ("loop_lag_ms", "staleness_ms") for part in ("p50", "p99", "max"))
TURNS = ("count", "longest_ms", "longest_at_s", "over_10_ms", "stalls", "longest_cpu_wait_ms", "cpu_wait_percent")

KEYS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("profile", "mode", "stop_reason", "pnl.currency"), TEXT),
    **dict.fromkeys(("seed", "symbols", "markets", "routes", "updates", "evaluations", "opportunities", "orders", "fills"), COUNT),
    **dict.fromkeys(("cycles.opened", "cycles.hedged", "cycles.unwound", "cycles.residual", "samples", "journal.events"), COUNT),
    **dict.fromkeys(("runtime_s", "drain_s", "updates_per_s", "engine.us_per_update", "engine.cpu_percent"), NUMBER),
    "max_runtime_s": MAYBE,
    "bare_timer_late_ms": MAYBE,
    **dict.fromkeys(("decision_us.p50", "decision_us.p99", "decision_us.max"), NUMBER),
    **dict.fromkeys(LAGS, NUMBER),
    **dict.fromkeys(("fills_per_symbol.min", "fills_per_symbol.median", "fills_per_symbol.max"), NUMBER),
    **dict.fromkeys(("pnl.total", "pnl.trading", "pnl.fees", "pnl.fx_open", "pnl.fx_stock", "pnl.inventory"), NUMBER),
    **dict.fromkeys(("pnl.rotation", "pnl.adjustments"), NUMBER),
    **dict.fromkeys(("simulator.cpu_percent", "simulator.rss_mb", "cpu_percent.avg", "cpu_percent.max"), NUMBER),
    **dict.fromkeys(("rss_mb.baseline", "rss_mb.avg", "rss_mb.max", "journal.commit_ms.p50", "journal.commit_ms.p99"), NUMBER),
    **dict.fromkeys(("denials", "fills_per_exchange", "fills_by_symbol", "messages.named", "messages.malformed"), (dict,)),
    **dict.fromkeys(("messages.read", "messages.decoded", "messages.outside", "gaps"), COUNT),
    **dict.fromkeys(("simulator.messages", "simulator.skipped_s"), MAYBE),
    **dict.fromkeys((f"{what}_by_shape.{shape}" for what in ("routes", "cycles") for shape in SHAPES), COUNT),
    "loop_turns": (dict, type(None)),
    "wall_s": NUMBER,
    "resources": (list,),
    "top_routes": (list,),
    "levels.columns": (list,),
    "levels.rows": (list,),
}
REPLAY_KEYS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("top_check.places", "top_check.equal"), COUNT),
}


def value_at(told: dict[str, Any], path: str) -> Any:
    value: Any = told
    for name in path.split("."):
        assert isinstance(value, dict), path
        assert name in value, f"{path} is missing"
        value = value[name]
    return value


def assert_keys(told: dict[str, Any], keys: dict[str, tuple[type, ...]]) -> None:
    for path, kinds in keys.items():
        value = value_at(told, path)
        assert isinstance(value, kinds), f"{path} is {value!r}"
        assert not isinstance(value, bool)


@pytest.mark.parametrize("speed", ["real", "max"])
def test_a_session_tells_every_key(state: State, speed: str) -> None:
    ended = run(*state.arguments(), "--headless", "--symbols", "5", "--seed", "7", "--max-runtime", "1.5", "--speed", speed, "--json", "-")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    virtual: dict[str, tuple[type, ...]] = dict.fromkeys(LAGS, MAYBE) if speed == "max" else {}  # nothing is late in virtual time
    assert_keys(told, KEYS | virtual)
    assert (told["profile"], told["mode"], told["seed"], told["stop_reason"]) == ("upbit-binance", "sim", 7, "max_runtime")
    assert len(told["top_routes"]) == 10
    for route in told["top_routes"]:
        falls, capacity = route["waterfall_bps"], route["capacity"]
        assert abs(falls["gross"] + sum(bps for _, bps in falls["steps"]) - falls["net"]) < 1e-4
        assert [point["value"] for point in capacity["points"]] == [size for size in capacity["sizes"] if size <= capacity["end"]["value"]]
        assert {factor["name"] for factor in route["health"]["factors"]} == {
            *("spread", "volume", "latency", "flow", "survival", "realised", "runway")
        }
    assert (told["symbols"], told["markets"], told["routes"], told["max_runtime_s"]) == (5, 11, 10, 1.5)
    assert told["routes_by_shape"] == {**dict.fromkeys(SHAPES, 0), "two_leg": 10}
    cycles = told["cycles_by_shape"]
    assert cycles == {**dict.fromkeys(SHAPES, 0), "two_leg": cycles["two_leg"]}
    assert cycles["two_leg"] <= told["cycles"]["opened"]  # what nets the open won has no shape
    assert list(told["fills_per_exchange"]) == ["upbit", "binance"]
    assert told["fills"] == sum(told["fills_per_exchange"].values()) == state.count("fill")
    assert told["updates"] > 0
    assert told["messages"]["read"] == told["simulator"]["messages"] == told["updates"]
    assert (sum(told["fills_by_symbol"].values()), len(told["fills_by_symbol"])) == (told["fills"], 5)
    assert len(told["resources"]) == told["samples"]
    *before, last = ended.err.splitlines()
    assert before == ([] if speed == "max" else ["arbtui: ARMED: run r1 of upbit-binance, 10 routes; Ctrl+C stops it"])
    assert last == ending_of(told, "r1", "nothing left open")
    if speed == "max":
        assert told["runtime_s"] == 1.5
        assert told["loop_turns"] is None
    else:
        assert sorted(told["loop_turns"]) == sorted(TURNS)
        assert told["samples"] >= 21
        assert told["wall_s"] > told["runtime_s"]


def test_a_replay_tells_its_own_keys_too(home: Path) -> None:
    path = home / "recording"
    path.write_bytes(own(*IN_ORDER))
    ended = run("replay", str(path), "--profile", "upbit-binance", "--speed", "max", "--json", "-")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert_keys(told, KEYS | REPLAY_KEYS | dict.fromkeys(LAGS, MAYBE))
    assert (told["mode"], told["stop_reason"], told["max_runtime_s"]) == ("paper", "end_of_data", None)
    assert told["messages"]["read"] == told["messages"]["decoded"] == len(IN_ORDER)
    replayed, ending = ended.err.splitlines()
    assert replayed.startswith("arbtui: replayed binance: ")
    assert ending == ending_of(told, "r1", "nothing left open")


def test_a_run_without_json_ends_with_a_line_too(state: State) -> None:
    ended = run(*state.arguments(), "--headless", "--symbols", "1", "--max-runtime", "6", "--speed", "max")
    assert (ended.code, ended.out) == (0, "")
    said = r"arbtui: run r1 of upbit-binance sim ended by max_runtime after 6\.0 s; cycles: 1 hedged, 0 unwound, 0 residual; "
    assert re.fullmatch(said + r"2 fills; PnL [+-]\d+\.\d{4} USDT; nothing left open\n", ended.err), ended.err


@pytest.mark.parametrize("speed", ["real", "max"])
def test_a_size_that_can_never_trade_is_told_at_the_start(state: State, monkeypatch: pytest.MonkeyPatch, speed: str) -> None:
    monkeypatch.setenv("ARBTUI_EXECUTION__ORDER_VALUE", "0.5")
    arguments = ("--headless", "--symbols", "2", "--max-runtime", "1", "--speed", speed, "--json", "-")
    ended = run(*state.arguments(), *arguments)
    assert json.loads(ended.out)["cycles"]["opened"] == 0
    assert ended.err.splitlines()[0].startswith("arbtui: warning: execution.order_value 0.5 USDT is not above the least order of upbit")
    assert "WARNING arbtui: execution.order_value 0.5 USDT is not above" in state.log
    assert (
        "INFO arbtui: limits: paper set (play money): max_unhedged 2000 USDT, max_loss_day 1000 USDT, max_loss_hour 500 USDT, " in state.log
    )


def ending_of(told: dict[str, Any], run_id: str, left: str) -> str:
    """The line that a run leaves on standard error, from its summary."""
    ended = told["cycles"]
    named = ["hedged", "unwound", "residual", *(state for state in ("abandoned", "missed") if ended[state])]
    cycles = ", ".join(f"{ended[state]} {state}" for state in named)
    return (
        f"arbtui: run {run_id} of {told['profile']} {told['mode']} ended by {told['stop_reason']} after {told['runtime_s']:,.1f} s; "
        f"cycles: {cycles}; {told['fills']} fills; PnL {told['pnl']['total']:+,.4f} {told['pnl']['currency']}; {left}"
    )


def test_a_recorded_venue_replays_whole(home: Path, shared_data: Path) -> None:
    recording = shared_data / "cryptofeed" / "UPBIT.jsonl.gz"
    ended = run("replay", str(recording), "--profile", "upbit-binance", "--speed", "max", "--json", "-", "--state-dir", str(home / "state"))
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert_keys(told, KEYS | REPLAY_KEYS | dict.fromkeys(LAGS, MAYBE))
    assert set(told["messages"]["named"]) & {"orderbook", "trade"} == set()
    assert told["messages"]["read"] == told["messages"]["decoded"] + sum(told["messages"]["named"].values())
    assert told["gaps"] == 0


def test_max_runtime_is_exact(home: Path) -> None:
    """To 5 ms; the best of three runs, since other processes of this machine may hold ours for longer than that."""
    off = []
    for number in range(3):
        state = State(home / f"state{number}")
        told = json.loads(run(*state.arguments(), "--headless", "--symbols", "5", "--max-runtime", "3", "--json", "-").out)
        off.append(abs(told["runtime_s"] - 3) * 1000)
        if off[-1] <= 5:
            break
    assert min(off) <= 5, f"{off} ms"
