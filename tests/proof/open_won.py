"""Whether netting the won takes the exchange rate out of the result, and what that costs: the same markets with and without it."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import fmean, pvariance
from typing import Any

from arbtui.portfolio.ledger import read_ledger
from arbtui.runtime.session import run_session
from arbtui.settings.load import load_profile
from arbtui.settings.options import SessionOptions
from tests.proof.check import Options, Outcome, Progress, Verdict

#: How far the rate moves in a run, in bps.
DRIFT_BPS = 50.0
#: Least share of the variance that netting must take away, and how far its cost may be from the predicted one.
LEAST_CUT, COST_WITHIN = 0.80, 0.05
_PROFILE = "upbit-binance"
_SYMBOLS = ["ADA", "LINK", "SUI", "AVAX", "TRX"]
#: The market that is calibrated to recordings. Its coins seldom clear real costs, so one fee is left out and a cycle opens as soon as
#: the prices cross by some 3 bps: edges as small as real ones, where it is the rate that moves the result.
_MARKET: Mapping[str, Any] = {
    "universe": {"symbols": _SYMBOLS},
    "execution": {"min_edge_bps": -7.0},
    "exchanges": {"binance": {"taker_bps": 0.0}},
}
_NO_LIMIT = 1e9


@dataclass(frozen=True)
class Run:
    """One seed, with netting or without, and what came of it, in USDT."""

    seed: int
    netting: bool
    result: float  #: PnL less what the rate and the coins' prices did to stock: what trading brought, and what the rate did to open won
    fx_open: float
    open_won: float  #: at the end
    cycles: int
    nettings: int
    converted: float
    cost: float
    predicted: float  #: half a spread and the fee, as each trade was told when it was decided

    @property
    def key(self) -> tuple[int, bool]:
        """Which of all runs it is."""
        return self.seed, self.netting


def play(seed: int, netting: bool, seconds: float) -> Run:
    """Play ``seed`` for so many virtual seconds."""
    overrides = {
        **_MARKET,
        "mode": "sim",
        "netting": {"enabled": True} if netting else {"enabled": False, "max_open_fx": _NO_LIMIT},
        "simulator": {"scenario": "normal", "stock_value": 4000.0, "seed": seed, "rate_drift_bps": DRIFT_BPS * 3600.0 / seconds},
    }
    with tempfile.TemporaryDirectory() as folder:
        settings = load_profile(_PROFILE, overrides)
        code = run_session(SessionOptions(settings, Path(folder), headless=True, speed="max", max_runtime_s=seconds))
        if code not in (0, 3):
            raise RuntimeError(f"seed {seed}: exit code {code}")
        ledger = read_ledger(Path(folder) / _PROFILE / "sim" / "journal.db")
    return _run(seed, netting, ledger)


def _run(seed: int, netting: bool, ledger: Mapping[str, Any]) -> Run:
    pnl = {name: Decimal(part) for name, part in ledger["pnl"].items() if name != "currency"}
    (won,) = ledger["open_fx"]
    trades = [cycle for cycle in ledger["cycles"] if [leg["base"] for leg in cycle["legs"]] == ["USDT"]]
    value = {cycle["id"]: sum(Decimal(row["qty"]) for row in cycle["filled"]) for cycle in trades}
    return Run(
        seed,
        netting,
        float(pnl["total"] - pnl["fx_stock"] - _coins_revalued(ledger)),
        float(pnl["fx_open"]),
        float(won["value_usdt"]),
        len(ledger["cycles"]) - len(trades),
        len(trades),
        float(won["converted_usdt"]),
        float(won["cost_usdt"]),
        sum(-cycle["edge_bps"] / 1e4 * float(value[cycle["id"]]) for cycle in trades),
    )


def _coins_revalued(ledger: Mapping[str, Any]) -> Decimal:
    """What prices did to the coins that were there at first: their targets, which nothing has moved."""
    marks = ledger["equity"]["marks"]
    return sum(
        (
            (Decimal(held["free"]) + Decimal(held["locked"])) * (Decimal(marks[asset]["end"]) - Decimal(marks[asset]["start"]))
            for assets in ledger["start_balances"].values()
            for asset, held in assets.items()
            if asset in _SYMBOLS
        ),
        Decimal(0),
    )


@dataclass(frozen=True)
class OpenWon:
    """Every seed is played twice, and the results of the two ways compared."""

    name: str
    summary: str
    seeds: int
    seconds: float  #: virtual, of a run
    in_ci: bool = False

    def arguments(self, options: Options) -> Mapping[str, Any]:
        """The number of seeds, and how long each is played."""
        return {"seeds": options.sample or self.seeds, "seconds": self.seconds}

    def run(self, options: Options, workspace: Path, progress: Progress) -> Outcome:
        """Play what is not kept of an interrupted run yet."""
        kept = workspace / "runs.jsonl"
        done = {run.key: run for run in _read(kept)}
        wanted = [(seed, netting) for seed in range(1, (options.sample or self.seeds) + 1) for netting in (False, True)]
        left = [key for key in wanted if key not in done]
        progress(f"{len(left)} of {len(wanted)} runs of {self.seconds:g} s to play")
        with ProcessPoolExecutor(options.jobs) as pool, kept.open("a") as file:
            for run in pool.map(play, *zip(*((*key, self.seconds) for key in left), strict=True)) if left else ():
                done[run.key] = run
                file.write(json.dumps(run.__dict__) + "\n")
                file.flush()
                progress(f"seed {run.seed}, netting {'on' if run.netting else 'off'}: {run.result:+.2f}, of it open won {run.fx_open:+.2f}")
        return judge(self.name, [done[key] for key in wanted])


def judge(name: str, runs: Sequence[Run]) -> Outcome:
    """The verdict on the runs of all seeds."""
    off, on = ([run for run in runs if run.netting is netting] for netting in (False, True))
    variance = {"off": pvariance([run.result for run in off]), "on": pvariance([run.result for run in on])}
    cut = 1.0 - variance["on"] / variance["off"] if variance["off"] > 0.0 else 0.0
    cost, predicted, converted = (sum(getattr(run, what) for run in on) for what in ("cost", "predicted", "converted"))
    away = cost / predicted - 1.0 if predicted > 0.0 else 1.0
    lines = [f"{name}: {len(off)} seeds, {DRIFT_BPS:g} bps of drift, USDT      netting off   netting on"]
    for words, what in (
        ("mean result", "result"),
        ("mean of what the rate did to open won", "fx_open"),
        ("mean open won at the end", "open_won"),
        ("mean number of cycles", "cycles"),
        ("mean number of netting trades", "nettings"),
    ):
        before, after = (fmean(getattr(run, what) for run in some) for some in (off, on))
        lines.append(f"  {words:<44}{before:>13,.2f}{after:>13,.2f}")
    lines.append(f"  {'variance of the result':<44}{variance['off']:>13,.2f}{variance['on']:>13,.2f}   {cut:.1%} less")
    per_unit = cost / converted * 1e4 if converted > 0.0 else 0.0
    lines.append(f"  cost of netting {cost:,.2f} on {converted:,.0f} ({per_unit:.2f} bps), predicted {predicted:,.2f}: {away:+.1%}")
    fine = cut >= LEAST_CUT and abs(away) <= COST_WITHIN
    figures = {"variance": variance, "cut": cut, "cost": cost, "predicted": predicted, "converted": converted, "seeds": len(off)}
    return Outcome(Verdict.PASS if fine else Verdict.FAIL, figures, "\n".join(lines))


def _read(path: Path) -> list[Run]:
    """The runs that an interrupted check has kept; a line that was cut off is none."""
    runs = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            runs.append(Run(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return runs
