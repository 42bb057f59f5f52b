"""``arbtui status``: tells what is there, reads only, and goes on without what cannot be read."""

import asyncio
import json
import os
import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.journal.events import (
    BreachRecorded,
    BreachRepeated,
    CycleEnded,
    CycleOpened,
    FillRecorded,
    NoticeActed,
    NoticeRead,
    NoticeStep,
    OrderIntended,
    RunStarted,
)
from arbtui.journal.journal import Journal
from arbtui.model.clock import SystemClock
from arbtui.model.errors import UsageError
from arbtui.model.halt import Halt, write_flag
from arbtui.model.order import Purpose, Side, TimeInForce
from arbtui.model.scoped_halts import Depth, ScopedHalt, write_halt
from arbtui.portfolio.projections import ProjectingPortfolio
from arbtui.portfolio.restore import restore
from arbtui.risk.config import default_limits
from arbtui.settings.kill_signal import KillSignal
from arbtui.settings.lock import ProfileLock
from arbtui.settings.state import chosen_mode, make_private, mode_folder, state_root
from tests.cli.command import Here, in_shell
from tests.portfolio.telling import fill_of

P = ("--profile", "upbit-binance")
SENT = OrderIntended(
    "o1", "c0", 0, 1, Purpose.ENTRY, "upbit", "KRW-BTC", "BTC", "KRW", Side.BUY, Decimal(1), Decimal(1000), TimeInForce.IOC, 0
)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of a minute of trading, on the virtual clock."""
    folder = tmp_path_factory.mktemp("state")
    run = in_shell(*P, "--headless", "--symbols", "3", "--max-runtime", "60", "--speed", "max", "--state-dir", str(folder))
    assert run.code == 0, run.err
    return folder


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """All but SQLite's shared index, which readers register in, and an empty log, which it makes for the first of them."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith("-shm")]
    stats = {str(path): path.stat() for path in paths}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items() if stat.st_size or not name.endswith("-wal")}


def test_a_run_that_ended(arbtui: Here, state: Path) -> None:
    answer = arbtui("status", *P, "--state-dir", str(state), "--json")
    assert (answer.code, answer.err) == (0, "")
    told = json.loads(answer.out)
    assert (told["profile"], told["mode"], told["folder"]) == ("upbit-binance", "sim", str(state / "upbit-binance"))
    assert (told["running"], told["pid"], told["state"], told["wedged"]) == (False, None, "STOPPED", False)
    assert (told["run"]["id"], told["run"]["stop_reason"], told["run"]["exit_code"]) == ("r1", "max_runtime", 0)
    ledger = json.loads(arbtui("ledger", *P, "--state-dir", str(state), "--json").out)
    assert told["pnl"]["all"] == ledger["pnl"]
    assert told["pnl"]["day"] == "2026-01-01"
    # The day begins with the run's first prices, the ledger with the first of each asset, which may be a fill's before them.
    assert told["pnl"]["today"]["trading"] == ledger["pnl"]["trading"]
    assert told["cycles"]["HEDGED"] == len([cycle for cycle in ledger["cycles"] if cycle["state"] == "HEDGED"]) > 0
    assert (told["open_cycles"], told["residual_cycles"], told["journal_error"]) == ([], [], None)
    assert told["snapshot_interval_s"] == 5.0


def test_the_page_says_the_same(arbtui: Here, state: Path) -> None:
    page = arbtui("status", *P, "--state-dir", str(state)).out
    told = json.loads(arbtui("status", *P, "--state-dir", str(state), "--json").out)
    assert re.search(r"^engine +STOPPED: none runs *$", page, re.MULTILINE)
    assert str(state / "upbit-binance") in "".join(page.split())
    assert re.search(rf"^PnL 2026-01-01 +{re.escape(told['pnl']['today']['total'])} USDT \(trading ", page, re.MULTILINE)
    assert re.search(r"^kill +none *$", page, re.MULTILINE)
    assert re.search(rf"^cycles +{told['cycles']['HEDGED']} HEDGED", page, re.MULTILINE)


def test_it_reads_only(arbtui: Here, state: Path) -> None:
    before = files(state)
    arbtui("status", *P, "--state-dir", str(state))
    assert files(state) == before


def test_a_profile_that_has_never_run(arbtui: Here, home: Path) -> None:
    answer = arbtui("status", *P)
    assert answer.code == 0
    assert re.search(r"^engine +NEW: none runs", answer.out, re.MULTILINE)
    assert json.loads(arbtui("status", *P, "--json").out)["pnl"] is None
    assert list(home.iterdir()) == []


def test_state_outlives_its_profile(arbtui: Here, home: Path) -> None:
    write_flag(home / "state" / "arbtui" / "gone", "CLI", "arbtui kill", 5)
    told = json.loads(arbtui("status", "--profile", "gone", "--json").out)
    assert (told["state"], told["kill"]["latched"], told["kill"]["source"]) == ("NEW", True, "CLI")
    assert "did you mean gone?" in arbtui("status", "--profile", "gonne").err


def test_what_holds_it_back_is_told_with_the_command_that_ends_it(arbtui: Here, home: Path) -> None:
    folder = home / "state" / "arbtui" / "gone"
    write_flag(folder, "KEY", "", 5)
    write_halt(folder, ScopedHalt("symbol.XRP", Depth.HALTED, "CLI", "ann", "", 5))
    page = " ".join(arbtui("status", "--profile", "gone").out.split())
    assert "until it is re-armed: key r in the console, or arbtui rearm --profile gone" in page
    assert "arbtui rearm --profile gone --scope symbol.XRP ends it" in page


def test_while_an_engine_starts(arbtui: Here, home: Path) -> None:
    folder = make_private(home / "state" / "arbtui" / "upbit-binance")
    (make_private(folder / "sim") / "journal.db").touch()
    with ProfileLock(folder):
        told = json.loads(arbtui("status", *P, "--json").out)
        page = arbtui("status", *P).out
    assert (told["running"], told["pid"], told["state"], told["wedged"]) == (True, os.getpid(), "STARTING", False)
    assert f"STARTING, runs as pid {os.getpid()} since {told['since']}" in " ".join(page.split())


def test_an_engine_that_never_got_anywhere(arbtui: Here, home: Path) -> None:
    folder = make_private(home / "state" / "arbtui" / "upbit-binance")
    with ProfileLock(folder):
        os.utime(folder / "lock", (1_000_000, 1_000_000))
        answer = arbtui("status", *P)
    assert answer.code == 0
    assert "wedged? it has stored no snapshot, one is due every 5 s" in answer.out


def test_a_journal_that_cannot_be_read_leaves_lock_and_flag(arbtui: Here, home: Path) -> None:
    journal = make_private(mode_folder(state_root(), "upbit-binance", "sim")) / "journal.db"
    journal.write_text("this is no database at all, and long enough to be taken for one" * 20)
    write_flag(journal.parent.parent, "KEY", "seen something", 5)
    answer = arbtui("status", *P, "--json")
    assert answer.code == 2
    told = json.loads(answer.out)
    assert told["kill"]["latched"] is True
    assert str(journal) in told["journal_error"]
    assert answer.err.count("\n") == 1
    assert str(journal) in answer.err
    page = arbtui("status", *P)
    assert page.code == 2
    assert "LATCHED by KEY at 1970-01-01T00:00:00.005Z: seen something." in " ".join(page.out.split())


def test_what_a_flag_says_cannot_write_to_the_terminal(arbtui: Here, home: Path) -> None:
    write_flag(home / "state" / "arbtui" / "p", "\x1b]0;title\x07", "[bold]\x1b[2J\r\n", 5)
    page = arbtui("status", "--profile", "p").out
    assert "\x1b" not in page
    assert "\x07" not in page
    assert "[bold]" in page


def test_after_a_kill(arbtui: Here, home: Path) -> None:
    """The two commands agree, one file between them."""
    folder = make_private(home / "state" / "arbtui" / "p")
    with ProfileLock(folder), KillSignal(folder, Halt(folder)):
        assert arbtui("kill", "--profile", "p").code == 0
        told = json.loads(arbtui("status", "--profile", "p", "--json").out)
    assert (told["running"], told["kill"]["latched"], told["kill"]["source"]) == (True, True, "CLI")


def test_a_page_shows_the_newest_breaches_and_how_many_more(arbtui: Here, home: Path) -> None:
    path = make_private(mode_folder(state_root(), "p", "sim")) / "journal.db"

    async def write() -> None:
        journal = await Journal.open(path, clock=SystemClock(), door="sync", salt="s")
        await journal.commit(RunStarted("r1", "p", "sim", 1, "", "", {}, "ARMED"))
        await journal.commit(*(BreachRecorded(f"b{n}", "WARN", "LOSSES", f"route-{n}", "x", "paused") for n in range(12)))
        await journal.commit(BreachRepeated("b11", 999, 1_767_225_600_000), BreachRepeated("b11", 1, 1_767_225_601_000))
        await journal.close()

    asyncio.run(write())
    page = arbtui("status", "--profile", "p").out
    assert re.search(r"^breaches 12 +WARN .* LOSSES route-11: x", page, re.MULTILINE)
    assert "route-11: x (and 1,000 times more, the last 2026-01-01T00:00:01.000Z)" in " ".join(page.split())
    assert "route-2:" in page
    assert "route-1:" not in page
    assert re.search(r"^ +and 2 more: --json *$", page, re.MULTILINE)
    breaches = json.loads(arbtui("status", "--profile", "p", "--json").out)["breaches"]
    assert len(breaches) == 12
    assert [row["repeats"] for row in breaches] == [*[0] * 11, 1000]
    assert breaches[-1]["last"] == "2026-01-01T00:00:01.000Z"


def test_notices_are_told_with_what_was_done_and_what_is_to_come(arbtui: Here, home: Path) -> None:
    """``home`` has a journal of an engine that does not run."""
    steps = NoticeStep("hold", "symbol.XRP", 0, "REDUCING"), NoticeStep("hold", "symbol.XRP", 4_072_140_000_000, "HALTED")
    read = NoticeRead(
        "upbit:7", "upbit", "엑스알피(XRP) 거래지원 종료", "https://u/7", "d", 1, ("delisting",), ("XRP",), 4_072_143_600_000, None, steps
    )

    async def write() -> None:
        path = make_private(mode_folder(state_root(), "upbit-binance", "sim")) / "journal.db"
        journal = await Journal.open(path, clock=SystemClock(), door="sync", salt="s")
        await journal.commit(RunStarted("r1", "p", "sim", 1, "", "", {}, "ARMED"))
        await journal.commit(read, NoticeActed("upbit:7", steps[0].key, "XRP REDUCING"))
        await journal.close()

    asyncio.run(write())
    (told,) = json.loads(arbtui("status", *P, "--json").out)["notices"]
    assert (told["id"], told["kinds"], told["coins"], told["url"]) == ("upbit:7", ["delisting"], ["XRP"], "https://u/7")
    assert (told["at"], told["until"], told["next"], told["done"], told["standing"]) == (
        "2099-01-15T07:00:00.000Z", None, "XRP HALTED", ["XRP REDUCING"], [],
    )  # fmt: skip
    assert told["due_s"] > 1e9
    page = arbtui("status", *P).out
    assert "notices" in page
    assert "XRP HALTED in" in page


class TestOtherModes:
    """A simulated run must not hide what live has left."""

    @pytest.fixture
    def two(self, home: Path) -> Path:
        """A live journal with an order and two cycles in the air and one residual, and a later simulated one with nothing."""
        for mode, left in (("live", True), ("sim", False)):
            asyncio.run(self._write(make_private(mode_folder(state_root(), "p", mode)) / "journal.db", mode, left))
        for mode, time in (("live", 100), ("sim", 200)):
            self._written(mode, time)
        return mode_folder(state_root(), "p", "live")

    @staticmethod
    async def _write(path: Path, mode: str, left: bool) -> None:
        journal = await Journal.open(path, clock=SystemClock(), door="sync", salt="s")
        journal.fold = ProjectingPortfolio(restore(path)[1])
        await journal.commit(RunStarted("r1", "p", mode, 1, "", "", {}, "ARMED"))
        if left:
            await journal.commit(*(CycleOpened(f"c{n}", "r", "BTC", 5.0, 1.0, (), (), 1) for n in range(3)))
            bought = fill_of("binance", Side.BUY, Decimal(1), Decimal(2), "t1", base="BTC")
            await journal.commit(SENT, FillRecorded(bought, "c2", 0, "stream", 1, {}), CycleEnded("c2", 2, "stuck"))
        await journal.close()

    @staticmethod
    def _written(mode: str, time: int) -> None:
        for path in mode_folder(state_root(), "p", mode).glob("journal.db*"):
            os.utime(path, (time, time))

    def test_are_told_in_one_line(self, arbtui: Here, two: Path) -> None:
        answer = arbtui("status", "--profile", "p", "--json")
        told = json.loads(answer.out)
        assert told["mode"] == "sim"
        assert told["other_modes"] == [
            {"mode": "live", "last_run": "r1", "open_cycles": 2, "residual_cycles": 1, "open_orders": 1, "error": None, "later": False}
        ]
        said = "live has 1 residual cycle not acknowledged, 2 cycles open, 1 order not settled: --mode live"
        assert said in " ".join(arbtui("status", "--profile", "p").out.split())
        assert said in arbtui("ledger", "--profile", "p").out
        assert arbtui("ledger", "--profile", "p", "--json").err == ""

    def test_a_later_run_is_told_and_an_older_one_with_nothing_is_not(self, arbtui: Here, two: Path) -> None:
        page = " ".join(arbtui("status", "--profile", "p", "--mode", "live").out.split())
        assert "sim has a later run (r1): --mode sim" in page
        self._written("sim", 50)
        page = arbtui("status", "--profile", "p", "--mode", "live").out
        assert "other modes" not in page

    def test_one_that_cannot_be_read_is_told_and_hides_nothing(self, arbtui: Here, two: Path) -> None:
        (two / "journal.db").write_text("this is no database at all, and long enough to be taken for one" * 20)
        self._written("live", 100)
        answer = arbtui("status", "--profile", "p")
        assert answer.code == 0
        assert "the journal of live cannot be read: --mode live" in " ".join(answer.out.split())


def test_the_limits_are_those_of_the_mode_shown(arbtui: Here, state: Path) -> None:
    told = json.loads(arbtui("status", *P, "--state-dir", str(state), "--json").out)
    assert told["limits"] == {
        "set": "paper",
        "currency": "USDT",
        **default_limits("paper"),
        "netting": {"band": 500.0, "max_open_fx": 1000.0},
    }
    page = " ".join(arbtui("status", *P, "--state-dir", str(state)).out.split())
    assert "limits paper set: max_unhedged 2000 USDT, max_loss_day 1000 USDT, max_open_cycles 50" in page


def test_a_simulated_run_does_not_stand_in_for_a_journal_of_live_that_has_vanished(arbtui: Here, state: Path, tmp_path: Path) -> None:
    """Only its tip is left: what was open in live is known to nobody, and the pages would show the simulator's stock."""
    shutil.copytree(state, tmp_path / "state")
    place = (*P, "--state-dir", str(tmp_path / "state"))
    tip = tmp_path / "state" / "upbit-binance" / "live.tip"
    shutil.copyfile(tip.with_name("sim.tip"), tip)
    for command in (("ledger",), ("adjust",), ("positions",), ("stock",), ("rearm",)):
        refused = arbtui(*command, *place)
        assert (refused.code, refused.out) == (2, "")
        assert "live/journal.db has vanished" in refused.err
        assert "--mode sim" in refused.err
    told = arbtui("status", *place, "--json")
    assert told.code == 2
    assert (json.loads(told.out)["mode"], json.loads(told.out)["run"]) == ("live", None)
    assert "live/journal.db has vanished" in told.err
    assert arbtui("ledger", *place, "--mode", "sim").code == 0
    assert "nothing to re-arm" in arbtui("rearm", *place, "--mode", "sim").err
    write_halt(tip.parent, ScopedHalt("exchange.upbit", Depth.PAUSED, "CLI", "ann", "", 1))
    typed = ("--scope", "exchange.upbit", "--confirm", "upbit-binance", "--reason", "over")
    refused = arbtui("rearm", *place, *typed, "--mode", "paper")
    assert (refused.code, "no journal of mode paper" in refused.err) == (2, True)
    assert not (tip.parent / "paper").exists()
    assert arbtui("rearm", *place, *typed, "--mode", "sim").code == 0


def test_a_simulator_s_journal_that_has_vanished_keeps_nobody_from_live(tmp_path: Path) -> None:
    (tmp_path / "p" / "live").mkdir(parents=True)
    (tmp_path / "p" / "live" / "journal.db").write_bytes(b"x")
    (tmp_path / "p" / "sim.tip").write_bytes(b"x")
    assert chosen_mode(tmp_path, "p") == "live"
    with pytest.raises(UsageError, match=r"sim/journal.db has vanished"):
        chosen_mode(tmp_path, "p", "sim")


def test_help_names_it(arbtui: Here) -> None:
    assert "status" in arbtui("--help").out
