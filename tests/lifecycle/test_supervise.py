"""``arbtui supervise`` over the real engine: killed and started anew, ended in order, killed for good, and told of when it stays down."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from arbtui.journal.outbox import load_outbox
from arbtui.runtime.supervisor.post import tell_down
from arbtui.settings.load import load_profile
from arbtui.settings.lock import ProfileLock, holder
from tests import warm_start
from tests.lifecycle.live import live_desk
from tests.lifecycle.profiles import TELEGRAM_ON, changed_profile
from tests.lifecycle.programs import run
from tests.lifecycle.state import State
from tests.lifecycle.waiting import DEADLINE_S, until
from tests.monitoring.bot_api import TOKEN, BotApi, bot_api

USER = 42


@dataclass
class Supervised:
    """A supervisor that runs, and its engine's folder."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    err: Path

    def engine(self, but: int = 0) -> int:
        """The engine's pid, once one trades that is not ``but``."""

        def trades() -> int:
            assert self.process.poll() is None, self.err.read_text()
            pid = holder(self.folder) or 0
            return pid if pid != but and f"ARMED: run r{self.runs}" in self.err.read_text() else 0

        return until(trades, "an engine trades")

    @property
    def runs(self) -> int:
        return self.err.read_text().count("started again in ") + 1

    def ended(self) -> int:
        return self.process.wait(DEADLINE_S)


@contextmanager
def supervised(state: Path, folder: Path, *more: str) -> Iterator[Supervised]:
    folder.mkdir(parents=True, exist_ok=True)
    err = folder / "supervisor.err"
    given = more if "--profile" in more else ("--profile", "upbit-binance", "--symbols", "2", *more)
    command = ["supervise", *given, "--state-dir", str(state)]
    with err.open("wb") as file:
        process = warm_start.popen("arbtui", *command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    made = Supervised(process, state / ("desk" if "--profile" in more else "upbit-binance"), err)
    try:
        yield made
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(DEADLINE_S)


def test_an_engine_that_is_shot_is_started_again_and_one_that_is_told_to_end_is_not(state: State, tmp_path: Path) -> None:
    with supervised(tmp_path / "state", tmp_path) as one:
        first = one.engine()
        os.kill(first, signal.SIGKILL)
        second = one.engine(but=first)
        refused = run("supervise", "--profile", "upbit-binance", "--state-dir", str(tmp_path / "state"))
        assert refused.code == 4
        assert f"upbit-binance is supervised already (process {one.process.pid})" in refused.err
        one.process.send_signal(signal.SIGTERM)
        assert one.ended() == 128 + signal.SIGTERM
        assert holder(one.folder) is None
        assert "the engine has died (SIGKILL); started again in 1 s" in one.err.read_text()
        assert second != first


def _dead_with_its_supervisor_stopped(one: Supervised) -> None:
    """The engine is shot, and nobody has seen it yet."""
    pid = one.engine()
    os.kill(one.process.pid, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    until(lambda: holder(one.folder) is None, "its lock is free")


def test_a_restart_waits_for_a_command_that_journals(state: State, tmp_path: Path) -> None:
    """``adjust`` or ``rearm`` holds the lock for a moment: that must not leave the engine down for good."""
    with supervised(tmp_path / "state", tmp_path) as one:
        _dead_with_its_supervisor_stopped(one)
        with ProfileLock(one.folder):
            os.kill(one.process.pid, signal.SIGCONT)
            waits = f"a command holds its lock (process {os.getpid()}); waiting up to 60 s for it"
            until(lambda: one.process.poll() is not None or waits in one.err.read_text(), "it waits")
        one.engine()
        one.process.send_signal(signal.SIGTERM)
        assert one.ended() == 128 + signal.SIGTERM
        (log,) = one.folder.glob("arbtui.log")
        assert f"waited for a command that held the profile's lock (process {os.getpid()})" in log.read_text()


def test_a_restart_that_waits_for_a_command_ends_when_it_is_told_to(state: State, tmp_path: Path) -> None:
    with supervised(tmp_path / "state", tmp_path) as one:
        _dead_with_its_supervisor_stopped(one)
        with ProfileLock(one.folder):
            os.kill(one.process.pid, signal.SIGCONT)
            until(lambda: one.process.poll() is not None or "a command holds its lock" in one.err.read_text(), "it waits")
            one.process.send_signal(signal.SIGTERM)
            assert one.ended() == 128 + signal.SIGTERM
            assert "Traceback" not in one.err.read_text()


def test_a_restart_beside_another_engine_gives_up(state: State, tmp_path: Path) -> None:
    with supervised(tmp_path / "state", tmp_path) as one:
        _dead_with_its_supervisor_stopped(one)
        command = ["--profile", "upbit-binance", "--symbols", "2", "--headless", "--state-dir", str(tmp_path / "state")]
        with (tmp_path / "other.err").open("wb") as err:
            other = warm_start.popen("arbtui", *command, stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        try:
            until(lambda: "ARMED: run r2" in (tmp_path / "other.err").read_text(), "another engine trades")
            os.kill(one.process.pid, signal.SIGCONT)
            assert one.ended() == 4
            said = one.err.read_text()
            assert f"upbit-binance is already running as process {other.pid}" in said
            assert "its restart was refused (exit code 4" in said
            assert "waiting up to" not in said
        finally:
            other.send_signal(signal.SIGTERM)
            assert other.wait(DEADLINE_S) in (3, 128 + signal.SIGTERM)


def test_a_kill_is_not_undone_by_a_restart(state: State, tmp_path: Path) -> None:
    with supervised(tmp_path / "state", tmp_path) as one:
        pid = one.engine()
        assert run("kill", "--profile", "upbit-binance", "--state-dir", str(tmp_path / "state")).code == 0
        os.kill(pid, signal.SIGKILL)
        assert one.ended() == 128 + signal.SIGKILL
        assert "is not started again: upbit-binance is killed by CLI" in one.err.read_text()
    status = json.loads(run("status", "--profile", "upbit-binance", "--state-dir", str(tmp_path / "state"), "--json").out)
    assert [row["kind"] for row in status["breaches"]].count("ENGINE_DOWN") == 1


def test_a_profile_that_is_none_and_a_name_that_is_wrong_are_refused_at_once(state: State) -> None:
    assert run("supervise", "--profile", "nonsuch").code == 2
    assert run("supervise", "--profile", "upbit-binance", "--symbols", "0").code == 2


def test_a_restart_and_a_start_of_the_machine_wait_for_a_venue_that_does_not_answer(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that dies in a venue's outage would else stay down, with its cycles half done."""
    monkeypatch.setenv("ARBTUI_FAILOVER__RESUME", "always")
    with live_desk(tmp_path, monkeypatch, symbols=3) as desk:
        given = ("--profile", str(desk.profile), "--mode", "live")
        with supervised(desk.root, tmp_path / "first", *given, "--confirm", "desk") as one:
            pid = one.engine()
            desk.script(venue="binance", kind="crash", seconds=15)
            os.kill(pid, signal.SIGKILL)
            until(lambda: "; asked again in 1 s" in one.err.read_text(), "it waits")
            one.engine(but=pid)
            assert "cannot be reached" in one.err.read_text()
            status = json.loads(run("status", "--profile", str(desk.profile), "--state-dir", str(desk.root), "--json").out)
            assert [step["ok"] for step in status["start"]["steps"] if step["name"] == "venues"] == [True]
            one.process.send_signal(signal.SIGTERM)
            assert one.ended() in (3, 128 + signal.SIGTERM)
        desk.script(venue="upbit", kind="crash", seconds=20)
        with supervised(desk.root, tmp_path / "second", *given) as one:
            until(lambda: "; asked again in 16 s" in one.err.read_text(), "it waits, and has told so")
            told = json.loads(run("status", "--profile", str(desk.profile), "--state-dir", str(desk.root), "--json").out)
            (step,) = [step for step in told["start"]["steps"] if step["name"] == "venues"]
            assert not step["ok"]
            assert "asked again in" in step["result"]
            one.process.send_signal(signal.SIGTERM)
            assert one.ended() == 128 + signal.SIGTERM
        with supervised(desk.root, tmp_path / "third", *given) as one:
            until(lambda: "ARMED: run r" in one.err.read_text(), "it is armed")
            one.process.send_signal(signal.SIGTERM)
            assert one.ended() in (3, 128 + signal.SIGTERM)
        ledger = json.loads(run("ledger", "--profile", str(desk.profile), "--state-dir", str(desk.root), "--json").out)
        (waited,) = [breach for breach in ledger["breaches"] if breach["kind"] == "START_WAITS"]
        assert waited["severity"] == "CRIT"
        assert waited["acknowledged_by"] == "recovered"


def test_a_start_that_waits_for_its_venues_ends_at_once_when_it_is_told_to(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live_desk(tmp_path, monkeypatch, symbols=3) as desk:
        desk.script(venue="binance", kind="crash", seconds=60)
        with supervised(desk.root, tmp_path / "run", "--profile", str(desk.profile), "--mode", "live") as one:
            until(lambda: "; asked again in 4 s" in one.err.read_text(), "it waits")
            one.process.send_signal(signal.SIGTERM)
            assert one.ended() == 128 + signal.SIGTERM
            assert "stopped before trading began" in one.err.read_text()


@pytest.fixture
def server() -> Iterator[BotApi]:
    with bot_api() as running_server:
        yield running_server


@pytest.mark.parametrize("journal", ["there", "damaged", "none"])
def test_that_an_engine_stays_down_reaches_the_operator(
    home: Path, monkeypatch: pytest.MonkeyPatch, server: BotApi, tmp_path: Path, journal: str
) -> None:
    monkeypatch.setenv("ARBTUI_TELEGRAM_TOKEN", TOKEN)
    profile = changed_profile(
        home,
        "desk",
        ("symbols = ", "symbols = 2"),
        TELEGRAM_ON,
        ("chat_ids", f"chat_ids = [{USER}]"),
        ("base_url", f'base_url = "{server.url}"'),
    )
    root = tmp_path / "state"
    path = root / "desk" / "sim" / "journal.db"
    if journal != "none":
        ended = run("--profile", str(profile), "--state-dir", str(root), "--headless", "--max-runtime", "1")
        assert ended.code in (0, 3), ended.err
    else:
        (root / "desk").mkdir(parents=True)
    if journal == "damaged":
        path.write_bytes(b"no journal" * 1000)
    tell_down(load_profile(str(profile), {}), root, "it was restarted 5 times")
    (told,) = [text for text in server.texts(USER) if "ENGINE_DOWN" in text]
    assert "CRITICAL" in told
    assert "it was restarted 5 times" in told
    if journal == "there":
        assert load_outbox(path).alerts == []
