"""The kill: from another shell or by one key, at once, latched, and only a person takes it back."""

import json
import re
import signal
import time
from pathlib import Path

from arbtui.model.halt import read_flag
from tests.lifecycle.profiles import slow_profile
from tests.lifecycle.programs import run, running
from tests.lifecycle.state import State, assert_saved, assert_venues_agree
from tests.lifecycle.terminal import CTRL_K, CTRL_Q, ENTER, ESCAPE, Terminal, console
from tests.lifecycle.waiting import until

SYMBOLS = ("--symbols", "10")
LONGEST_JOURNEY_MS, LONGEST_SLOW_JOURNEY_MS = 200, 2500


def trades(state: State) -> bool:
    return state.count("fill") > 0


def assert_nothing_sent_since(state: State, flag_ms: int, journey_ms: int = LONGEST_JOURNEY_MS) -> None:
    """No intent was committed after the flag stood; what was on its way then has arrived at the venue in its time."""
    killed = state.rows("SELECT seq, ts_ms FROM kill WHERE action = 'killed' ORDER BY seq DESC LIMIT 1")[0]
    assert killed["ts_ms"] - flag_ms < 1000, "the engine took longer than a second to see the flag"
    later = state.rows("SELECT ts_ms FROM event WHERE type = 'OrderIntended' AND (ts_ms > ? OR seq > ?)", flag_ms, killed["seq"])
    sent = state.rows("SELECT client_order_id FROM order_ WHERE state NOT IN ('ABANDONED') AND intended_ms > ?", flag_ms)
    assert sent == [], "an order was sent after the kill"
    # An intent that was being committed while the flag was written closes as ABANDONED: it never leaves.
    assert len(later) <= state.count("order_", f"state = 'ABANDONED' AND intended_ms >= {flag_ms}")
    before = {row["client_order_id"] for row in state.rows("SELECT client_order_id FROM order_ WHERE intended_ms <= ?", flag_ms)}
    late = state.rows("SELECT client_order_id FROM venue_order WHERE ts_ms > ?", flag_ms + journey_ms, path=state.venue)
    assert {row["client_order_id"] for row in late} <= before, "a busy machine makes the way longer, and sends nothing"


def test_kill_from_another_shell_halts_a_run_that_goes_on_to_its_end(state: State, tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    with running(*state.arguments(), *SYMBOLS, "--max-runtime", "6", "--json", str(summary), folder=tmp_path / "told") as engine:
        until(lambda: engine.alive() and trades(state), "a fill")
        killed = run("kill", *state.arguments())
        assert killed.code == 0, killed.err
        assert f"confirmed by the engine (pid {engine.pid}) in" in killed.out
        cause = read_flag(state.folder)
        assert cause is not None
        assert cause.source == "CLI"
        until(lambda: engine.alive() and state.last_run["state"].startswith("HALTED"), "HALTED")
        ended = engine.ended()
    states = assert_venues_agree(state)
    code = 3 if states["RESIDUAL"] else 0
    assert (ended.code, ended.out) == (code, "")
    told = json.loads(summary.read_text())
    assert told["stop_reason"] == "kill"
    assert told["runtime_s"] > 5.5, "a kill ends no process"
    assert_saved(state, "kill", code)
    assert_nothing_sent_since(state, cause.ts_ms)
    assert [row["source"] for row in state.ledger()["kills"]] == ["CLI"]


def test_a_latched_kill_keeps_headless_from_starting(state: State) -> None:
    killed = run("kill", *state.arguments())
    assert killed.code == 1
    assert f"no engine runs on {state.folder}" in killed.err
    assert state.flag.exists()
    for speed in ("real", "max"):
        refused = run(*state.arguments(), "--headless", "--max-runtime", "1", "--speed", speed)
        assert refused.code == 2
        assert "HALTED (killed by CLI)" in refused.err
        assert "press r, and type the profile's name and a reason" in refused.err
        assert not state.journal.exists()


def test_a_flag_that_somebody_deleted_is_no_rearming(state: State, tmp_path: Path) -> None:
    """The journal remembers the kill, so the gate is closed again and the flag stands again."""
    with running(*state.arguments(), *SYMBOLS, folder=tmp_path / "told") as engine:
        until(lambda: engine.alive() and trades(state), "a fill")
        assert run("kill", *state.arguments()).code == 0
        until(lambda: engine.alive() and state.last_run["state"].startswith("HALTED"), "HALTED")
        engine.signal(signal.SIGTERM)
        engine.ended()
    state.flag.unlink()
    refused = run(*state.arguments(), "--headless", "--max-runtime", "1")
    assert refused.code == 2
    assert "HALTED (killed by CLI)" in refused.err
    assert state.flag.exists()


def rearm(terminal: Terminal, name: str, reason: str) -> int:
    """Type what re-arming asks for; where the screen then was."""
    since = len(terminal.screen)
    terminal.type(b"r")
    terminal.shows("Type the profile's name", since=since)
    terminal.type(name.encode() + ENTER)
    since = len(terminal.screen)
    terminal.type(reason.encode() + ENTER)
    return since


def test_the_console_starts_halted_and_a_person_re_arms(state: State) -> None:
    assert run("kill", *state.arguments()).code == 1
    with console(*state.arguments(), *SYMBOLS) as terminal:
        terminal.shows("HALTED")
        until(lambda: terminal.read(0.05) and state.last_run["state"] == "HALTED", "HALTED in the journal")
        assert state.count("order_") == 0
        since = rearm(terminal, "upbit-binanc", "wrong name")
        terminal.shows("type the profile's name, upbit-binance", since=since)
        assert state.flag.exists()
        terminal.type(ESCAPE)
        terminal.turns()
        since = rearm(terminal, "upbit-binance", "the desk agreed")
        terminal.shows("[ARMED]", since=since)
        assert not state.flag.exists()
        until(lambda: terminal.read(0.05) and trades(state), "a fill")
        terminal.type(CTRL_Q * 2)
        code = terminal.ended()
        terminal.assert_restored()
    assert code == (3 if state.count("cycle", "state = 'RESIDUAL'") else 0)
    assert state.last_run["stop_reason"] == "operator"
    last = state.ledger()["kills"][-1]
    assert (last["action"], last["source"], last["reason"]) == ("rearmed", "operator", "the desk agreed")
    assert list(state.folder.glob("kill.flag.*")), "the flag is archived, not deleted"
    assert_venues_agree(state, audit=False)


def test_the_kill_key(state: State) -> None:
    with console(*state.arguments(), *SYMBOLS) as terminal:
        terminal.shows("[ARMED]")
        until(lambda: terminal.read(0.05) and trades(state), "a fill")
        before = time.time_ns() // 1_000_000
        terminal.type(b"/" + CTRL_K)  # an input has the focus
        until(lambda: terminal.read(0.02) and state.flag.exists(), "the flag")
        cause = read_flag(state.folder)
        assert cause is not None
        assert cause.source == "KEY"
        assert cause.ts_ms - before < 1000
        seen = len(terminal.screen)
        terminal.shows("HALTED", since=seen - 4000)
        until(lambda: terminal.read(0.05) and state.last_run["state"].startswith("HALTED"), "the end of the halt")
        terminal.type(CTRL_Q * 2)
        code = terminal.ended()
        terminal.assert_restored()
    states = assert_venues_agree(state, audit=False)
    assert code == (3 if states["RESIDUAL"] else 0)
    assert_saved(state, "kill", code)
    assert_nothing_sent_since(state, cause.ts_ms)
    assert state.flag.exists()
    refused = run(*state.arguments(), "--headless", "--max-runtime", "1")
    assert refused.code == 2
    assert "killed by KEY" in refused.err


def test_a_kill_between_two_legs_leaves_what_differs_and_that_outranks_a_signal(tmp_path: Path, state: State) -> None:
    """Legs that take seconds to arrive, and a kill between them."""
    profile = slow_profile(tmp_path)
    slow = State(state.root, profile.stem)
    arguments = ("--profile", str(profile), "--state-dir", str(state.root))
    with running(*arguments, "--symbols", "40", folder=tmp_path / "told") as engine:
        until(lambda: engine.alive() and slow.count("cycle", "state = 'OPEN'") >= 8, "eight open cycles")
        assert run("kill", *arguments).code == 0
        cause = read_flag(slow.folder)
        assert cause is not None
        until(lambda: engine.alive() and slow.last_run["state"].startswith("HALTED"), "the end of the halt")
        assert slow.last_run["state"] == "HALTED_DIRTY"
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    states = assert_venues_agree(slow)
    assert states["RESIDUAL"] > 0, f"legs that filled alike try nothing: {states}"
    assert ended.code == 3
    last = ended.err.splitlines()[-1]
    assert last.startswith(f"arbtui: run r1 of {slow.profile} sim ended by kill after ")
    assert re.search(r"; left: .*\d+ residuals? \(.*; kill latched$", last), last
    assert_saved(slow, "kill", 3)
    assert_nothing_sent_since(slow, cause.ts_ms, journey_ms=LONGEST_SLOW_JOURNEY_MS)
    assert {breach["kind"] for breach in slow.ledger()["breaches"]} >= {"KILL", "RESIDUAL"}


def test_a_residual_is_told_also_when_nobody_is_there_to_read_it(tmp_path: Path, state: State) -> None:
    """A terminal that is closed takes the last words with it, not the exit code."""
    profile = slow_profile(tmp_path)
    for number in range(5):  # legs that are under way may all fill alike, the more likely the later a busy machine looks
        slow = State(state.root / str(number), profile.stem)
        with console("--profile", str(profile), "--state-dir", str(slow.root), "--symbols", "40") as terminal:
            terminal.shows("[ARMED]")
            until(lambda slow=slow: terminal.read(0.05) and slow.count("cycle", "state = 'OPEN'") >= 8, "eight open cycles")  # type: ignore[misc]
            terminal.type(CTRL_K)
            until(lambda slow=slow: terminal.read(0.05) and slow.last_run["state"].startswith("HALTED"), "the end of the halt")  # type: ignore[misc]
            terminal.hang_up()
            code = terminal.ended(reading=False)
        if slow.count("cycle", "state = 'RESIDUAL'"):
            break
        assert code == 128 + signal.SIGHUP
    else:
        raise AssertionError("no kill left a residual")
    assert code == 3
    assert_saved(slow, "kill", 3)


def test_a_kill_is_latched_over_kill_nine(state: State, tmp_path: Path) -> None:
    with running(*state.arguments(), *SYMBOLS, folder=tmp_path / "told") as engine:
        until(lambda: engine.alive() and trades(state), "a fill")
        state.flag.write_text("by hand, with no word of why")
        engine.signal(signal.SIGKILL)
        engine.ended()
    refused = run(*state.arguments(), "--headless", "--max-runtime", "1")
    assert refused.code == 2
    assert "HALTED (killed by unknown)" in refused.err
    with console(*state.arguments(), *SYMBOLS) as terminal:
        terminal.shows("HALTED")
        until(lambda: terminal.read(0.05) and state.last_run["state"].startswith("HALTED"), "HALTED in the journal")
        terminal.type(CTRL_Q)
        terminal.ended()
    assert_venues_agree(state, audit=False)
