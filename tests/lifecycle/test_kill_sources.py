"""A kill from every source in a flood of market data, with orders of ours open: one epoch, nothing leaves after it, all are cancelled.

The sandbox is the witness: what it was sent, what stands there. ``python -m tests.proof kill-sources`` asks for 10,000 messages a second in
the engine; the suite for as many as a busy machine brings in any case. ``-s`` shows the times.
"""

import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from arbtui.model.halt import read_flag
from arbtui.model.scoped_halts import Depth
from tests import warm_start
from tests.lifecycle.flood import Counts, flooded
from tests.lifecycle.guarding import guarding
from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import run
from tests.lifecycle.standing import as_sent_before, ours, rest_order
from tests.lifecycle.terminal import CTRL_K, Terminal, console
from tests.lifecycle.test_guardian import open_at_venues, where
from tests.lifecycle.test_live import count
from tests.lifecycle.waiting import until
from tests.monitoring.bot_api import TOKEN, BotApi, bot_api, message
from tests.proof.steps import MESSAGES

IS_PROOF = MESSAGES in os.environ
#: Messages a second in the engine.
WANTED = int(os.environ.get(MESSAGES, "1000"))
USER = 42
SOURCES = {"key": "KEY", "cli": "CLI", "guardian": "GUARDIAN", "signal": "CLI", "file": "unknown", "telegram": "TELEGRAM", "all": None}
#: Under a proof every source, and every pair of depth and scope; in the suite some of each.
PAIRS = [(depth, scope) for depth in Depth for scope in ("exchange.upbit", "symbol.XRP", "route.XRP:upbit>binance")]
FEW = [(Depth.HALTED, "symbol.XRP"), (Depth.REDUCING, "route.XRP:upbit>binance")]
STANDING = {ours(1): ("upbit", "XRP"), ours(2): ("binance", "XRP"), ours(3): ("binance", "BTC")}
FOREIGN = "by-hand-1"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def bot() -> Iterator[BotApi]:
    with bot_api() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, bot: BotApi) -> Iterator[LiveDesk]:
    monkeypatch.setenv("ARBTUI_TELEGRAM_TOKEN", TOKEN)
    for key, value in (("ENABLED", "true"), ("CHAT_IDS", f"[{USER}]"), ("USER_IDS", f"[{USER}]"), ("BASE_URL", f'"{bot.url}"')):
        monkeypatch.setenv(f"ARBTUI_TELEGRAM__{key}", value)
    monkeypatch.setenv("ARBTUI_GUARDIAN__HEARTBEAT_S", "2.0")
    with live_desk(tmp_path, monkeypatch) as made:
        yield made


@dataclass
class Engine:
    """The console of an engine that trades at ``desk``, its screen read all the while."""

    desk: LiveDesk
    terminal: Terminal
    counts: Counts
    bot: BotApi

    @property
    def flag(self) -> Path:
        return self.desk.root / "desk" / "kill.flag"

    def alive(self) -> bool:
        assert self.terminal.process.poll() is None, f"ended with {self.terminal.process.returncode}"
        return True

    def rows(self, sql: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.desk.journal}?mode=ro", uri=True)) as db:
            return db.execute(sql, values).fetchall()

    def until(self, look: Callable[[], object], what: str) -> None:
        until(lambda: self.alive() and look(), what)


@contextmanager
def engine(desk: LiveDesk, bot: BotApi, folder: Path) -> Iterator[Engine]:
    """It has closed a cycle, Telegram has told of its start, and one order of ours stands at each venue, one of another beside them."""
    counts = Counts(folder / "counts")
    done = threading.Event()
    assert run(*desk.arguments("--headless", "--max-runtime", "1")).code in (0, 3)
    as_sent_before(desk.journal, *STANDING, assets={client_id: asset for client_id, (_, asset) in STANDING.items()})
    before = count(desk, "cycle", "closed_ms IS NOT NULL")
    with console(*desk.arguments(), program=("tests.lifecycle.counting_child", str(counts.file))) as terminal:

        def drain() -> None:
            while not done.is_set():
                terminal.read(0.05)

        reader = threading.Thread(target=drain, daemon=True)
        reader.start()
        try:
            made = Engine(desk, terminal, counts, bot)
            made.until(lambda: count(desk, "cycle", "closed_ms IS NOT NULL") > before, "a cycle")
            made.until(lambda: any("STARTED" in text for text in bot.texts(USER)), "told of the start")
            for client_id, (venue, asset) in STANDING.items():
                rest_order(desk.profile, venue, asset, client_id)
            rest_order(desk.profile, "binance", "BTC", FOREIGN)
            yield made
        finally:
            done.set()
            reader.join()


def kill_from(source: str, one: Engine) -> list["subprocess.Popen[bytes]"]:
    """Kill by ``source``, or by all at once; the commands that were begun."""
    begun = []
    if source in ("cli", "all"):
        command = ("arbtui", "kill", *where(one.desk), "--json")
        begun.append(warm_start.popen(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    if source in ("telegram", "all"):
        one.bot.pending.append(message(1, "/kill", user=USER))
    if source in ("signal", "all"):
        one.terminal.signal(signal.SIGUSR1)
    if source in ("key", "all"):
        one.terminal.type(b"/xrp" + CTRL_K)  # an input has the focus
    if source in ("file", "all"):
        one.flag.touch()
    if source == "guardian":
        one.terminal.signal(signal.SIGSTOP)
    return begun


@pytest.mark.parametrize("source", SOURCES if IS_PROOF else ("key", "guardian", "all"))
def test_f60_f64_a_kill_in_a_flood_is_one_epoch_and_leaves_nothing_of_ours_standing(
    source: str, desk: LiveDesk, bot: BotApi, tmp_path: Path
) -> None:
    watch = guarding(*where(desk), folder=tmp_path) if source in ("guardian", "all") else nullcontext()
    with watch, engine(desk, bot, tmp_path) as one, flooded(desk, one.counts, WANTED) as rate:
        assert open_at_venues(desk) >= {*STANDING, FOREIGN}, "orders are open"
        came, began = one.counts.now(), time.monotonic()
        begun = kill_from(source, one)
        one.until(lambda: one.flag.exists() and one.flag.stat().st_size + (source in ("file", "all")), "the flag")
        flag_s = time.monotonic() - began
        until(lambda: open_at_venues(desk) <= {FOREIGN}, "all of ours are cancelled")
        cleared_s = time.monotonic() - began
        if source == "guardian":
            one.terminal.signal(signal.SIGCONT)
        one.until(lambda: count(desk, "event", "type = 'StateChanged' AND payload LIKE '%\"HALTED%'"), "HALTED")
        halted_s = time.monotonic() - began
        assert one.counts.now() > came, "messages went on coming"
        for command in begun:
            command.wait(60)
        cause = read_flag(desk.root / "desk")
        assert cause is not None
        assert SOURCES[source] in (None, cause.source)
        seen = {order["client_order_id"] for order in desk.told("/orders")}
        killed = one.rows("SELECT ts_ms, payload FROM event WHERE type = 'Killed'")
        assert len(killed) == 1, killed
        assert json.loads(killed[0][1])["epoch"] == 1
    # The witness: everything that a venue has seen was intended before the kill, and nothing has come since it was told.
    late = desk.told("/orders")
    assert {order["client_order_id"] for order in late} == seen
    with closing(sqlite3.connect(f"file:{desk.journal}?mode=ro", uri=True)) as db:
        intended = dict(db.execute("SELECT client_order_id, intended_ms FROM order_").fetchall())
    known_ms = killed[0][0] if cause.source == "unknown" else cause.ts_ms
    for order in late:
        if order["client_order_id"] not in (*STANDING, FOREIGN):
            assert intended[order["client_order_id"]] <= known_ms, order
    assert open_at_venues(desk) == {FOREIGN}
    status = json.loads(run("status", *where(desk), "--json").out)
    assert status["open_orders"] == []
    print(
        f"\nKILL {source}: {rate:.0f} messages/s in the engine; flag after {flag_s * 1000:.0f} ms, our orders cancelled after "
        f"{cleared_s * 1000:.0f} ms, HALTED after {halted_s * 1000:.0f} ms"
    )


@pytest.mark.parametrize(("depth", "scope"), PAIRS if IS_PROOF else FEW)
def test_a_halt_of_a_part_in_a_flood_stops_what_it_covers_and_nothing_else(
    depth: Depth, scope: str, desk: LiveDesk, bot: BotApi, tmp_path: Path
) -> None:
    meant = {
        "exchange.upbit": {ours(1)},
        "symbol.XRP": {ours(1), ours(2)},
        "route.XRP:upbit>binance": {ours(1), ours(2)},
    }[scope]
    with engine(desk, bot, tmp_path) as one:
        with flooded(desk, one.counts, WANTED) as rate:
            assert open_at_venues(desk) >= {*STANDING, FOREIGN}, "orders are open"
            began = time.monotonic()
            told = json.loads(run("kill", *where(desk), "--scope", scope, "--depth", depth.value, "--json").out)
            assert told["confirmed"], told
            confirmed_s = time.monotonic() - began
            (last,) = one.rows("SELECT max(seq) FROM event")[0]
            if depth is Depth.HALTED:
                one.until(lambda: not open_at_venues(desk) & meant, "what it covers is cancelled")
            cleared_s = time.monotonic() - began
        if scope != "exchange.upbit":  # between two venues nothing is left to trade without one of them
            beside = "o.base != 'XRP'"
            sql = "SELECT count(*) FROM order_ o JOIN event e ON e.seq = o.seq WHERE e.seq > ? AND "
            one.until(lambda: one.rows(sql + beside, last)[0][0], "the rest trades on")
        assert open_at_venues(desk) >= ({*STANDING, FOREIGN} - meant if depth is Depth.HALTED else {*STANDING, FOREIGN})
        covered = {
            "exchange.upbit": "cycle.route LIKE '%upbit%'",
            "symbol.XRP": "o.base = 'XRP'",
            "route.XRP:upbit>binance": "cycle.route = 'XRP:upbit>binance'",
        }[scope]
        after = one.rows(
            f"SELECT o.purpose, o.state, o.exchange FROM order_ o JOIN cycle USING (cycle_id) WHERE o.seq > ? AND {covered}", last
        )
        assert [row for row in after if row[0] == "entry" and row[1] != "ABANDONED"] == [], "nothing opens"
        if depth is Depth.HALTED:
            sent = [row for row in after if row[1] != "ABANDONED" and (scope != "exchange.upbit" or row[2] == "upbit")]
            assert sent == [], "nothing is sent"
        assert not one.flag.exists()
    print(
        f"\nHALT {scope} {depth}: {rate:.0f} messages/s in the engine; confirmed after {confirmed_s * 1000:.0f} ms"
        f"{f', cancelled after {cleared_s * 1000:.0f} ms' if depth is Depth.HALTED else ''}"
    )
