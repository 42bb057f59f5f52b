"""``arbtui guardian``: real processes. It kills what is lost, cancels what nobody else cancels, and leaves everything else alone."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from arbtui.model.halt import read_flag
from arbtui.sandbox.keys import DEFAULT_KEYS
from arbtui.settings.heartbeat import read_heartbeat
from arbtui.settings.key_file import KeyFile, key_file
from arbtui.settings.lock import holder
from tests.lifecycle.guarding import guarding
from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import run, running
from tests.lifecycle.standing import as_sent_before, ours, rest_order
from tests.lifecycle.state import State, assert_venues_agree
from tests.lifecycle.terminal import ENTER, console, text_of
from tests.lifecycle.test_live import await_cycles, count
from tests.lifecycle.waiting import until

SYMBOLS = ("--symbols", "10")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Patience of the least that a profile may set; 5 s in earnest."""
    monkeypatch.setenv("ARBTUI_GUARDIAN__HEARTBEAT_S", "2.0")


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch) as made:
        yield made


def where(desk: LiveDesk) -> tuple[str, ...]:
    return ("--profile", str(desk.profile), "--state-dir", str(desk.root))


def open_at_venues(desk: LiveDesk) -> set[str]:
    final = ("FILLED", "CANCELED", "CANCELLED", "EXPIRED", "REJECTED")
    return {order["client_order_id"] for order in desk.told("/orders") if order["state"] not in final}


def without_keys() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.endswith(("_KEY", "_SECRET"))}


class TestLost:
    @pytest.mark.parametrize("kind", ["c", "python"])
    def test_f53_an_engine_that_hangs_is_killed_and_one_that_cannot_even_confirm_is_ended(
        self, state: State, tmp_path: Path, kind: str
    ) -> None:
        marks = tmp_path / "marks"
        marks.mkdir()
        program = ("tests.lifecycle.stuck_child", kind, str(marks))
        with (
            running(*state.arguments(), *SYMBOLS, folder=tmp_path / "told", program=program) as engine,
            guarding(*state.arguments(), folder=tmp_path) as guardian,
        ):
            until(lambda: engine.alive() and (marks / "blocked").exists(), "the mishap")
            until(lambda: guardian.alive() and state.flag.exists(), "the flag")
            cause = read_flag(state.folder)
            assert cause is not None
            assert cause.source == "GUARDIAN"
            assert cause.reason.startswith("no heartbeat for ")
            if kind == "c":
                guardian.says("did not confirm, and was ended (SIGKILL)")
                assert engine.process.wait(10) == -signal.SIGKILL
            else:
                guardian.says("gate closed, its gate is closed")
                assert engine.alive()
                (marks / "release").touch()
                until(lambda: engine.alive() and state.last_run["state"].startswith("HALTED"), "HALTED")
                assert [row["source"] for row in state.ledger()["kills"]] == ["GUARDIAN"]

    def test_f51_a_stopped_engine_is_killed_and_goes_on_halted(self, state: State, tmp_path: Path) -> None:
        with (
            running(*state.arguments(), *SYMBOLS, folder=tmp_path / "told") as engine,
            guarding(*state.arguments(), folder=tmp_path) as guardian,
        ):
            until(lambda: engine.alive() and state.count("fill"), "a fill")
            engine.signal(signal.SIGSTOP)
            guardian.says("it is stopped, and cannot send")
            assert engine.alive()
            engine.signal(signal.SIGCONT)
            until(lambda: engine.alive() and state.last_run["state"].startswith("HALTED"), "HALTED")
            engine.signal(signal.SIGTERM)
            engine.ended()
        assert_venues_agree(state)
        assert [row["source"] for row in state.ledger()["kills"]] == ["GUARDIAN"]

    def test_f53_a_decider_that_is_stuck_while_the_loop_turns_is_no_heartbeat(self, state: State, tmp_path: Path) -> None:
        program = ("tests.lifecycle.stuck_decider_child", str(tmp_path / "stuck"))
        with (
            running(*state.arguments(), *SYMBOLS, folder=tmp_path / "told", program=program) as engine,
            guarding(*state.arguments(), folder=tmp_path) as guardian,
        ):
            until(lambda: engine.alive() and state.count("fill"), "a fill")
            (tmp_path / "stuck").touch()
            guardian.says("no heartbeat for ")
            guardian.says("its gate is closed")
            until(lambda: engine.alive() and state.last_run["state"].startswith("HALTED"), "the loop turns: the engine itself halts")


class TestLeftAlone:
    def test_a_run_a_quiet_end_and_a_restart(self, state: State, tmp_path: Path) -> None:
        with guarding(*state.arguments(), folder=tmp_path) as guardian:
            for number in ("1", "2"):
                with running(*state.arguments(), *SYMBOLS, folder=tmp_path / number) as engine:
                    until(lambda: engine.alive() and state.count("fill", f"run_id = 'r{number}'") > 0, "a fill")  # noqa: B023
                    assert guardian.facts()["watches"]
                    armed = f"an engine (pid {engine.pid}) ARMED"
                    until(lambda: guardian.alive() and armed in guardian.facts()["sees"], "the heartbeat after its start")  # noqa: B023
                    engine.signal(signal.SIGTERM)
                    engine.ended()
                until(lambda: guardian.alive() and guardian.facts()["sees"] == "no engine", "it has seen the end")
            assert not state.flag.exists()
            assert guardian.facts()["last"] is None

    def test_an_engine_that_dies_without_an_open_order_may_start_again(self, state: State, tmp_path: Path) -> None:
        with guarding(*state.arguments(), folder=tmp_path) as guardian:
            with running(*state.arguments(), *SYMBOLS, "--max-runtime", "600", folder=tmp_path / "1") as engine:
                until(lambda: engine.alive() and state.count("fill"), "a fill")
                paused = run("kill", *state.arguments(), "--depth", "paused")
                assert paused.code == 0, paused.err
                until(lambda: engine.alive() and not state.count("cycle", "state = 'OPEN'"), "no cycle is open")
                engine.signal(signal.SIGKILL)
                engine.ended()
            guardian.says("has died; no order was open")
            assert not state.flag.exists()

    def test_one_guardian_a_profile(self, state: State, tmp_path: Path) -> None:
        none = run("guardian", *state.arguments(), "--json")
        assert (none.code, json.loads(none.out)["watches"]) == (1, False)
        with guarding(*state.arguments(), folder=tmp_path) as guardian:
            second = run("guardian", *state.arguments())
            assert second.code == 4
            assert f"a guardian of {state.profile} watches already (process {guardian.process.pid})" in second.err
            assert run("guardian", *state.arguments(), "--status").code == 0
            told = json.loads(run("status", *state.arguments(), "--json").out)["guardian"]
            assert (told["watches"], told["pid"]) == (True, guardian.process.pid)
            guardian.process.send_signal(signal.SIGSTOP)
            assert json.loads(run("guardian", *state.arguments(), "--json").out)["pid"] == guardian.process.pid
            guardian.process.send_signal(signal.SIGCONT)

    def test_a_profile_that_is_none(self, home: Path) -> None:
        assert run("guardian", "--profile", "nonsuch").code == 2
        assert not (home / "state" / "arbtui" / "nonsuch").exists()


def ready(desk: LiveDesk, *client_ids: str) -> int:
    """A journal that holds orders of these ids: one that it did not hold, an engine would not let stand. How many cycles it has."""
    assert run(*desk.arguments("--headless", "--max-runtime", "1")).code in (0, 3)
    as_sent_before(desk.journal, *client_ids)
    return count(desk, "cycle", "closed_ms IS NOT NULL")


class TestOrders:
    @pytest.mark.parametrize("venue", ["upbit", "binance"])
    def test_an_engine_that_dies_with_an_open_order_is_killed_and_its_orders_are_cancelled(
        self, desk: LiveDesk, tmp_path: Path, venue: str
    ) -> None:
        before = ready(desk, ours())
        with guarding(*where(desk), folder=tmp_path) as guardian:
            assert guardian.facts()["holds_keys"]
            with running(*desk.arguments(), folder=tmp_path / "run") as engine:
                await_cycles(desk, engine, 1, since=before)
                rest_order(desk.profile, venue, "XRP", ours())
                desk.script(venue=venue, kind="late", ms=10_000, on="order", count=1000)
                under_way = f"state IN ('SENDING', 'UNKNOWN') AND exchange = '{venue}'"
                while True:
                    until(lambda: engine.alive() and count(desk, "order_", under_way), "an order under way")
                    engine.signal(signal.SIGSTOP)
                    if count(desk, "order_", under_way):  # still: it dies with it
                        break
                    engine.signal(signal.SIGCONT)
                assert open_at_venues(desk) == {ours()}, "one stands"
                engine.signal(signal.SIGKILL)
                engine.ended()
            guardian.says("has died with ")
            guardian.says("UPBIT ok, BINANCE ok")
            assert open_at_venues(desk) == set()
        cause = read_flag(desk.root / "desk")
        assert cause is not None
        assert cause.source == "GUARDIAN"

    def test_f51_a_stopped_engine_has_its_orders_cancelled_by_the_guardian(self, desk: LiveDesk, tmp_path: Path) -> None:
        before = ready(desk, ours(1), ours(2))
        with guarding(*where(desk), folder=tmp_path) as guardian, running(*desk.arguments(), folder=tmp_path / "run") as engine:
            await_cycles(desk, engine, 1, since=before)
            rest_order(desk.profile, "upbit", "XRP", ours(1))
            rest_order(desk.profile, "binance", "XRP", ours(2))
            rest_order(desk.profile, "binance", "BTC", "by-hand-1")
            engine.signal(signal.SIGSTOP)
            guardian.says("UPBIT ok, BINANCE ok, 1 foreign order left alone (BTCUSDT by-hand-1)")
            assert open_at_venues(desk) == {"by-hand-1"}
            sent = {order["client_order_id"] for order in desk.told("/orders")}
            engine.signal(signal.SIGCONT)
            until(lambda: engine.alive() and count(desk, "event", "type = 'StateChanged' AND payload LIKE '%HALTED%'"), "halted")
            assert {order["client_order_id"] for order in desk.told("/orders")} == sent, "nothing has left since"

    def test_a_flag_made_by_hand_while_no_engine_runs_is_dealt_with(self, desk: LiveDesk, tmp_path: Path) -> None:
        assert run(*desk.arguments("--headless", "--max-runtime", "1")).code in (0, 3)
        rest_order(desk.profile, "binance", "XRP", ours())
        with guarding(*where(desk), folder=tmp_path) as guardian:
            assert open_at_venues(desk) == {ours()}, "a guardian cancels nothing by itself"
            (desk.root / "desk" / "kill.flag").touch()
            guardian.says("killed by unknown")
            guardian.says("UPBIT ok, BINANCE ok")
        assert open_at_venues(desk) == set()

    def test_a_kill_without_keys_has_the_guardian_cancel(self, desk: LiveDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert run(*desk.arguments("--headless", "--max-runtime", "1")).code in (0, 3)
        rest_order(desk.profile, "upbit", "XRP", ours())
        with guarding(*where(desk), folder=tmp_path) as guardian:
            for name in [name for name in os.environ if name.endswith(("_KEY", "_SECRET"))]:
                monkeypatch.delenv(name)
            killed = run("kill", *where(desk), "--json")
            told = json.loads(killed.out)
            assert all("not confirmed (no API keys of" in words for words in told["cancelled_here"])
            assert sorted(told["cancelled_by_guardian"]) == ["BINANCE ok", "UPBIT ok"]
            assert open_at_venues(desk) == set()
            assert guardian.facts()["holds_keys"]
            assert not any(key.secret in guardian.said for key in DEFAULT_KEYS.values())

    def test_a_guardian_without_keys_closes_the_gate_and_says_what_it_cannot(self, desk: LiveDesk, tmp_path: Path) -> None:
        with guarding(*where(desk), folder=tmp_path, env=without_keys()) as guardian:
            assert "holds no keys, so it can close the gate and cannot cancel" in guardian.said
            assert guardian.facts()["holds_keys"] is False
            with running(*desk.arguments(), folder=tmp_path / "run") as engine:
                await_cycles(desk, engine, 1)
                engine.signal(signal.SIGSTOP)
                guardian.says("orders: none was cancelled: no API keys of")
                assert (desk.root / "desk" / "kill.flag").exists()
                engine.signal(signal.SIGCONT)

    def test_an_engine_that_cancels_by_itself_is_left_to_it(self, desk: LiveDesk, tmp_path: Path) -> None:
        before = ready(desk, ours())
        with guarding(*where(desk), folder=tmp_path) as guardian, running(*desk.arguments(), folder=tmp_path / "run") as engine:
            await_cycles(desk, engine, 1, since=before)
            rest_order(desk.profile, "upbit", "XRP", ours())
            assert run("kill", *where(desk)).code == 0
            guardian.says("killed by CLI")
            guardian.says("the engine has settled its orders: UPBIT ok, BINANCE ok")
            assert open_at_venues(desk) == set()
            assert engine.alive()
            assert holder(desk.root / "desk") == engine.pid

            def is_halted() -> bool:  # told with the next beat
                beat = read_heartbeat(desk.root / "desk")
                return engine.alive() and beat is not None and beat.phase.startswith("HALTED")

            until(is_halted, "HALTED")

    def test_keys_of_the_encrypted_file_are_taken_by_a_typed_passphrase(
        self, desk: LiveDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert run(*desk.arguments("--headless", "--max-runtime", "1")).code in (0, 3)
        rest_order(desk.profile, "upbit", "XRP", ours(1))
        rest_order(desk.profile, "binance", "XRP", ours(2))
        KeyFile(key_file()).save({name: (key.key, key.secret) for name, key in DEFAULT_KEYS.items()}, SecretStr("correct horse"))
        for name in [name for name in os.environ if name.endswith(("_KEY", "_SECRET"))]:
            monkeypatch.delenv(name)
        with guarding(*where(desk), folder=tmp_path) as guardian:
            assert "is typed at a terminal, and there is none here" in guardian.said
            assert guardian.facts()["holds_keys"] is False
        with console("guardian", *where(desk)) as terminal:
            terminal.shows("the passphrase of")
            terminal.type(b"wrong" + ENTER)
            assert terminal.ended() == 2
            assert "wrong passphrase" in text_of(terminal.screen)
        with console("guardian", *where(desk)) as terminal:
            terminal.shows("the passphrase of")
            terminal.type(b"correct horse" + ENTER)
            terminal.shows("holds keys of upbit, binance")
            told = json.loads(run("guardian", *where(desk), "--json").out)
            assert told["keys"] == {name: f"file ({key_file()})" for name in ("upbit", "binance")}
            killed = json.loads(run("kill", *where(desk), "--json").out)
            assert sorted(killed["cancelled_by_guardian"]) == ["BINANCE ok", "UPBIT ok"]
            assert open_at_venues(desk) == set()
            terminal.signal(signal.SIGTERM)
            assert terminal.ended() == 128 + signal.SIGTERM
            shown = text_of(terminal.screen)
            assert "correct horse" not in shown
            assert not any(key.secret in shown for key in DEFAULT_KEYS.values())
