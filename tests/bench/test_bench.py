"""What the bench prints can be trusted: our side decides as a slow oracle does, a difference voids a row, the harness runs."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.model.market import Market
from tests.bench import side_by_side
from tests.bench.ours import Ours
from tests.bench.side_by_side import MODES, OURS, PEER, PEER_PYTHON, REPOSITORY, Child, Side, difference
from tests.bench.table import COLUMNS, Row, as_markdown, as_text, spread
from tests.bench.workload import (
    DOLLAR,
    LOT_DECIMALS,
    MIN_EDGE_BPS,
    ORDER_VALUE,
    PRICE_DECIMALS,
    RATE,
    RATE_FEE,
    WON,
    Decision,
    Rows,
    Update,
    Workload,
)
from tests.routes import oracle

UPDATES, SYMBOLS = 1000, 10
ENOUGH = Decimal(10) ** 12


class NaiveBooks:
    """Every book as a dictionary, and both directions of an asset asked of the oracle after every update."""

    def __init__(self, mode: str, markets: Sequence[tuple[Market, Market]]) -> None:
        self.mode = mode
        self.markets = markets
        self.sides: dict[tuple[int, int], tuple[dict[int, int], dict[int, int]]] = {}

    def take(self, update: Update, *, whole: bool) -> None:
        sides = ({}, {}) if whole else self.sides[update.symbol, update.venue]
        for side, rows in zip(sides, (update.bids, update.asks), strict=True):
            for ticks, lots in rows:
                side[ticks] = lots
                if not lots:
                    del side[ticks]
        self.sides[update.symbol, update.venue] = sides

    def decided(self, seq: int, symbol: int) -> Iterator[Decision]:
        for sell in (WON, DOLLAR):
            question = self._question(symbol, sell)
            answer = oracle.answer(question)
            if answer is not None:
                edge = oracle.edge_bps(question, answer.buy_qty, answer.sell_qty)
                yield Decision(seq, symbol, sell, float(edge), float(answer.sell_qty))

    def _question(self, symbol: int, sell: int) -> oracle.Question:
        buy = 1 - sell
        fee = 1 + Decimal(str(RATE_FEE))
        value = Decimal(ORDER_VALUE[self.mode])
        return oracle.Question(
            buy=self.markets[symbol][buy],
            sell=self.markets[symbol][sell],
            asks=self._levels(sorted(self.sides[symbol, buy][1].items()), buy),
            bids=self._levels(sorted(self.sides[symbol, sell][0].items(), reverse=True), sell),
            rate=RATE * (1 - Decimal(str(RATE_FEE))) if sell == DOLLAR else 1 / (RATE * fee),
            least_edge_bps=Decimal(MIN_EDGE_BPS),
            value=value * RATE if buy == WON else value,
            unit=Decimal(RATE if buy == WON else 1),
            stock=ENOUGH,
            cash=ENOUGH,
        )

    def _levels(self, rows: Rows, venue: int) -> list[tuple[Decimal, Decimal]]:
        return [(Decimal(t).scaleb(-PRICE_DECIMALS[venue]), Decimal(q).scaleb(-LOT_DECIMALS)) for t, q in rows]


@pytest.mark.parametrize("mode", MODES)
def test_our_side_decides_as_a_slow_oracle_does(mode: str) -> None:
    workload = Workload(mode, SYMBOLS, seed=7)
    ours = Ours(workload)
    listed = ours.universe.markets
    naive = NaiveBooks(mode, list(zip(listed[:SYMBOLS], listed[SYMBOLS:], strict=True)))
    for update in workload.opening():
        naive.take(update, whole=True)
    ours.opening(workload)
    updates = workload.updates(UPDATES)
    expected: list[Decision] = []
    for seq, update in enumerate(updates):
        naive.take(update, whole=mode in ("top", "wire") or workload.sends_whole(update.venue))
        expected += naive.decided(seq, update.symbol)
    ours.play(ours.prepare(updates))
    found = ours.decisions()
    assert difference(found, expected) == ""
    assert len(found) > 3
    lot = 10.0**-LOT_DECIMALS
    assert all(abs(mine.qty - theirs.qty) <= lot for mine, theirs in zip(found, expected, strict=True))


def test_one_seed_is_one_market_and_another_is_another() -> None:
    assert Workload("diff", 5, 1).updates(50) == Workload("diff", 5, 1).updates(50)
    assert Workload("diff", 5, 1).updates(50) != Workload("diff", 5, 2).updates(50)


DECIDED = [Decision(3, 0, WON, 4.5, 300.0), Decision(9, 1, DOLLAR, 3.2, 120.0)]


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (DECIDED, ""),
        ([DECIDED[0], DECIDED[1]._replace(edge_bps=3.2009)], ""),
        ([DECIDED[0], DECIDED[1]._replace(edge_bps=3.2011)], "update 9: edge"),
        ([DECIDED[0], DECIDED[1]._replace(edge_bps=float("nan"))], "update 9: edge"),
        ([DECIDED[0], DECIDED[1]._replace(venue=WON)], "ours says [9, 1, 1], the peer [9, 1, 0]"),
        (DECIDED[:1], "2 decisions here, 1 there"),
    ],
)
def test_a_difference_is_found(other: list[Decision], says: str) -> None:
    assert difference(DECIDED, other).startswith(says)
    assert bool(difference(DECIDED, other)) is bool(says)


def test_two_that_decide_nothing_are_not_equal() -> None:
    assert difference([], []) == "nobody decided anything"


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as process:
        yield process


def test_a_row_whose_decisions_differ_is_void_however_fast(sleeper: "subprocess.Popen[str]") -> None:
    equal = [list(decision) for decision in DECIDED]
    sides = {name: Child(sleeper, [us], list(equal)) for name, us in (("ours", 1.0), ("peer", 50.0), ("idle", 1.0))}
    assert side_by_side.row("g", "w", 10.0, sides).met is True
    sides["ours"].cpu_us = [6.0]
    assert side_by_side.row("g", "w", 10.0, sides).met is False  # 8.3x
    sides["ours"].cpu_us, sides["peer"].decisions = [1.0], equal[:1]
    void = side_by_side.row("g", "w", 10.0, sides)
    assert void.met is False
    assert void.figure.startswith("VOID: 2 decisions here, 1 there")


if PEER_PYTHON.exists():  # `make bench` makes it, and voids each row whose decisions differ; here nothing more is promised

    @pytest.mark.parametrize("mode", MODES)
    def test_the_peer_decides_the_same(mode: str) -> None:
        sides = side_by_side.play({"ours": Side(OURS), "peer": Side(PEER)}, mode, SYMBOLS, 2, 1000)
        assert difference(sides["ours"].decisions, sides["peer"].decisions) == ""


def test_a_table_is_in_line_and_nothing_of_a_cell_is_lost() -> None:
    long = " ".join(f"word{n}" for n in range(40))
    rows = [Row("a", "first", "1", long), Row("a", "second | third", "2", "how", ">= 3x", False), Row("b", "fourth", "3", "x", "y", True)]
    lines = as_text(rows).splitlines()
    starts = [lines[1].index("-", 0)] + [match.end() for match in re.finditer("  (?=-)", lines[1])]
    assert len(starts) == len(COLUMNS)
    assert [lines[0][at:].split("  ")[0].strip() for at in starts] == list(COLUMNS)
    assert all(line[at - 2 : at].strip() == "" for line in lines for at in starts[1:])
    assert all(word in as_text(rows) for word in long.split())
    assert next(line[starts[0] : starts[1]].strip() for line in lines[2:]) == "a"
    assert lines[-1].rstrip().endswith("yes")
    assert "second \\| third" in as_markdown(rows)
    assert len({line.count(" | ") for line in as_markdown(rows).splitlines() if not line.startswith("|--")}) == 1
    assert spread([3.0, 1.0, 2.0], 1, "x") == "2.0x (1.0..3.0)"


@pytest.mark.slow
def test_the_whole_bench_runs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--json", str(tmp_path / "b.json"), "--markdown", str(tmp_path / "b.md")]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "b.json").read_text())
    groups = {row["group"] for row in told["rows"]}
    assert {"beside nautilus_trader", "where it goes", "one update", "start", "import", "loop lag", "kill"} <= groups
    assert all(row["figure"] and row["how"] and (row["goal"] or row["met"] is None) for row in told["rows"])
    assert not any("VOID" in row["figure"] for row in told["rows"])
    assert "QUICK: the figures mean nothing" in done.stdout
    assert all(row["what"] in (tmp_path / "b.md").read_text() for row in told["rows"])


def test_the_peers_lock_holds_versions_and_hashes_and_nothing_else() -> None:
    lines = (REPOSITORY / "tests" / "bench" / "nautilus.lock").read_text().splitlines()
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]* \\|    --hash=sha256:[0-9a-f]{64}( \\)?|", line), line
    assert any(line.startswith("nautilus-trader==") for line in lines)
