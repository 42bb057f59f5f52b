"""Live against the sandbox with as many symbols as a profile may ask for.

``python -m tests.proof live-thousand`` runs 1,000 for ten minutes and prints what they cost; the suite runs 60 for some seconds.
"""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import run
from tests.proof.steps import SECONDS

IN_PROOF = SECONDS in os.environ
SYMBOLS = 1000 if IN_PROOF else 60
RUN_S = float(os.environ.get(SECONDS, "8"))


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch, SYMBOLS) as made:
        yield made


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_every_symbol_is_streamed_and_priced(desk: LiveDesk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = tmp_path / "summary.json"
    ended = run(
        *desk.arguments("--symbols", str(SYMBOLS), "--headless", "--max-runtime", str(RUN_S), "--json", str(summary)),
        within=RUN_S + 600.0,
    )
    assert ended.code in (0, 3), ended.err
    figures = json.loads(summary.read_text())
    assert figures["symbols"] == SYMBOLS
    assert figures["routes"] == 2 * SYMBOLS
    assert figures["messages"]["malformed"] == {}
    assert figures["cycles"]["opened"] > 0
    assert figures["staleness_ms"]["p99"] is not None
    streamed = figures["messages"]["decoded"] + figures["messages"]["outside"] + sum(figures["messages"]["named"].values())
    assert streamed == figures["messages"]["read"]
    with closing(sqlite3.connect(f"file:{desk.journal}?mode=ro", uri=True)) as db:
        (marked,) = db.execute("SELECT count(*) FROM mark WHERE asset NOT IN ('KRW', 'USDT')").fetchone()
    assert marked == SYMBOLS  # a mark is made of a book: each symbol's books came
    desk.assert_agrees(tmp_path)
    with capsys.disabled():
        print(f"\nSYMBOLS {SYMBOLS}, {figures['runtime_s']:g} s: {figures['updates_per_s']:g} updates/s, cycles {figures['cycles']}")
        print(f"SYMBOLS CPU {figures['cpu_percent']} % of a core, memory {figures['rss_mb']} MB")
        print(f"SYMBOLS lag {figures['loop_lag_ms']} ms, staleness {figures['staleness_ms']} ms, decision {figures['decision_us']} us")
