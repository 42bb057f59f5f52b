"""``arbtui kill`` closes the gate with nothing but a name, a folder and the standard library."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from arbtui.cli import main
from arbtui.cli.kill import kill
from arbtui.model.halt import Halt, read_flag, write_flag
from arbtui.settings.kill_signal import KillSignal
from arbtui.settings.lock import ProfileLock
from arbtui.settings.state import make_private
from tests.cli.command import Here, in_shell


@pytest.fixture
def folder(home: Path) -> Path:
    """The state folder of the profile ``p``."""
    return make_private(home / "state" / "arbtui" / "p")


@pytest.fixture(autouse=True)
def _no_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine of these tests hears the signal, and answers no request."""
    monkeypatch.setattr("arbtui.cli.kill._DETAIL_S", 0.05)


@contextmanager
def engine(folder: Path) -> Iterator[Halt]:
    """What an engine does for a kill, in this process: it holds the lock, and hears the signal."""
    halt = Halt(folder)
    with ProfileLock(folder), KillSignal(folder, halt):
        yield halt


@contextmanager
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Standard output is a pipe that nobody reads any more, as after ``| head``."""
    reads, writes = os.pipe()
    os.close(reads)
    muted = os.open(os.devnull, os.O_WRONLY)
    monkeypatch.setattr("arbtui.settings.output.mute_standard_output", lambda: os.dup2(muted, writes))
    with os.fdopen(writes, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        yield
    os.close(muted)


@pytest.mark.parametrize("scope", [(), ("--scope", "symbol.XRP")])
def test_orders_are_cancelled_although_nobody_reads_what_it_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch, scope: tuple[str, ...]
) -> None:
    """The gate is told before the orders are cancelled: that nobody heard it was the end of the command."""
    cancelled: list[str] = []

    def with_orders(done: Any, *_: Any) -> Any:
        cancelled.append(done.name)
        return done

    monkeypatch.setattr("arbtui.cli.kill._with_orders", with_orders)
    monkeypatch.setattr("arbtui.cli.kill_scope.ScopeDone.with_orders", with_orders)
    with engine(folder) as halt, nobody_reads(monkeypatch):
        assert kill(["--profile", "p", *scope]) == 0
        assert halt.is_closed is not bool(scope)
    assert cancelled == ["p"]


@pytest.mark.parametrize("arguments", [("--json",), ("--help",), ()])
def test_what_nobody_reads_is_no_error(folder: Path, arguments: tuple[str, ...]) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "arbtui", "kill", "--profile", "p", *arguments]
    done = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, text=True)
    os.close(writes)
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if "--help" in arguments else 1)
    assert (read_flag(folder) is None) is ("--help" in arguments)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file on which no byte has room")
def test_an_answer_that_cannot_be_written_is_told_and_the_code_is_the_kills(folder: Path) -> None:
    command = [sys.executable, "-m", "arbtui", "kill", "--profile", "p", "--json"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "nothing was stopped: no engine runs on" in done.stderr
    assert "standard output could not be written (No space left on device)" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupted_kill_says_what_stands(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("arbtui.cli.kill._with_orders", interrupted)
    assert kill(["--profile", "p"]) == 130
    assert read_flag(folder) is not None
    assert "interrupted: a flag that was written stands (arbtui status tells); orders may not be cancelled" in capsys.readouterr().err


def test_a_defect_of_the_kill_is_told_without_secrets(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("signature=0123456789abcdef0123456789abcdef")

    monkeypatch.setattr("arbtui.cli.kill._with_orders", broken)
    monkeypatch.setattr(sys, "argv", ["arbtui", "kill", "--profile", "p"])
    assert main() == 1
    told = capsys.readouterr().err
    assert "internal error: ValueError" in told
    assert "0123456789abcdef" not in told


def test_a_running_engines_gate_is_closed_and_it_confirms(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(folder) as halt:
        assert kill(["--profile", "p"]) == 0
        assert halt.is_closed, "closed in memory, without a look at the disk"
    told = capsys.readouterr()
    said = rf"arbtui: gate of p closed, confirmed by the engine \(pid {os.getpid()}\) in \d+ ms\. Open legs stay as they are; .*\n"
    assert re.fullmatch(said, told.out)
    assert told.err == ""
    cause = read_flag(folder)
    assert cause is not None
    assert cause.source == "CLI"


def test_without_an_engine_the_flag_stands_and_the_folder_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kill(["--profile", "p"]) == 1
    told = capsys.readouterr()
    assert f"no engine runs on {folder}" in told.err
    assert "p will start halted" in told.err
    assert read_flag(folder) is not None


class TestAMistypedName:
    """It is an error, nothing is created for it, and what still runs is said first."""

    @pytest.fixture
    def desk(self, home: Path) -> Iterator[Path]:
        """The folder of ``upbit-binance``, which runs."""
        folder = make_private(home / "state" / "arbtui" / "upbit-binance")
        with engine(folder):
            yield folder

    @pytest.mark.parametrize("typed", ["upbit-binanc", "Upbit-Binance", "upbit_binance"])
    @pytest.mark.parametrize("more", [[], ["--json"], ["--scope", "exchange.upbit"]])
    def test_like_one_that_runs(self, desk: Path, capsys: pytest.CaptureFixture[str], typed: str, more: list[str]) -> None:
        assert kill(["--profile", typed, *more]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith(f"arbtui: NOTHING WAS STOPPED, upbit-binance STILL RUNS: no profile is named {typed}; did you mean")
        assert f"arbtui kill --profile upbit-binance --state-dir {desk.parent} (running there: upbit-binance)" in told.err
        assert told.err.count("\n") == 1
        assert [one.name for one in desk.parent.iterdir()] == ["upbit-binance"], "nothing is created"
        assert read_flag(desk) is None

    def test_like_one_that_has_state_or_a_profile(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        make_private(folder.parent / "my-desk")
        for typed, meant in (("mydesk", "my-desk"), ("upbit-binanze", "upbit-binance")):
            assert kill(["--profile", typed]) == 2
            assert (
                f"no profile is named {typed}, and {folder.parent} holds no state of one; did you mean {meant}?" in capsys.readouterr().err
            )
        assert sorted(one.name for one in folder.parent.iterdir()) == ["my-desk", "p"]

    def test_unlike_anything(self, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert kill(["--profile", "q"]) == 2
        assert "running there: upbit-binance" in capsys.readouterr().err
        assert not (desk.parent / "q").exists()

    def test_the_path_of_a_profile_that_exists_is_taken(self, home: Path) -> None:
        (home / "new.toml").write_text("")
        assert kill(["--profile", str(home / "new.toml")]) == 1
        assert read_flag(home / "state" / "arbtui" / "new") is not None

    def test_a_profile_that_has_never_run_there_but_resembles_one_that_does(self, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Known by its folder, which is no run; its flag is written, and what runs is named first."""
        make_private(desk.parent / "upbit-binance2")
        assert kill(["--profile", "upbit-binance2", "--json"]) == 1
        told = capsys.readouterr()
        assert told.err.startswith("arbtui: NOTHING WAS STOPPED, upbit-binance STILL RUNS")
        facts = json.loads(told.out)
        assert (facts["running"], facts["written"], facts["did_you_mean"]) == (False, True, "upbit-binance")

    def test_a_name_that_has_run_is_no_mistake(self, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
        other = make_private(desk.parent / "upbit-binance2")
        with ProfileLock(other):
            pass
        assert kill(["--profile", "upbit-binance2"]) == 1
        assert "no engine runs on" in capsys.readouterr().err
        assert read_flag(other) is not None


class TestWithoutAName:
    def test_the_one_engine_that_runs_is_meant(self, folder: Path) -> None:
        make_private(folder.parent / "idle")
        with engine(folder) as halt:
            assert kill([]) == 0
            assert halt.is_closed
        assert read_flag(folder.parent / "idle") is None

    def test_two_that_run_are_named_and_none_is_stopped(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        other = make_private(folder.parent / "q")
        with ProfileLock(folder), ProfileLock(other):
            assert kill([]) == 2
        assert "which profile? p, q run in" in capsys.readouterr().err
        assert (read_flag(folder), read_flag(other)) == (None, None)

    def test_all_of_them(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        other, idle = make_private(folder.parent / "q"), make_private(folder.parent / "idle")
        with engine(folder) as halt, ProfileLock(other):
            assert kill(["--all", "--json", "--reason", "enough"]) == 0
            assert halt.is_closed
        facts = json.loads(capsys.readouterr().out)
        assert [(row["profile"], row["confirmed"]) for row in facts] == [("p", True), ("q", False)]
        flags = [read_flag(one) for one in (folder, other)]
        assert [flag and flag.reason for flag in flags] == ["enough", "enough"]
        assert read_flag(idle) is None

    def test_all_of_none(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert kill(["--all"]) == 1
        assert "no engine runs in" in capsys.readouterr().err
        assert read_flag(folder) is None

    def test_all_and_one(self, folder: Path) -> None:
        assert kill(["--all", "--profile", "p"]) == 2
        assert read_flag(folder) is None


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_never_kills(folder: Path, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(folder) as halt:
        assert kill(["--profile", "p", word]) == 0
        assert not halt.is_closed
    assert read_flag(folder) is None
    assert capsys.readouterr().out.startswith("Usage: arbtui kill")


def test_a_second_kill_keeps_the_first_cause(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_flag(folder, "KEY", "by hand", 5)
    with engine(folder):
        assert kill(["--profile", "p"]) == 0
    assert "closed already, by KEY" in capsys.readouterr().out
    cause = read_flag(folder)
    assert cause is not None
    assert (cause.source, cause.ts_ms) == ("KEY", 5)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--profile", "p"],
        ["--profile=p"],
        ["p"],
        ["--profile", "/nowhere/p.toml"],
        ["--json", "--profile", "p"],
        ["--profile", "p", "--now", "-x", "please"],
    ],
    ids=" ".join,
)
def test_ways_to_say_it(folder: Path, arguments: list[str]) -> None:
    kill(arguments)
    assert read_flag(folder) is not None


def test_what_it_does_not_know_is_told_not_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(folder):
        assert kill(["--profile", "p", "--now"]) == 0
    assert capsys.readouterr().err == "arbtui: kill took no notice of --now\n"


@pytest.mark.parametrize("place", [["--state-dir", "{}"], ["--state-dir={}"]])
def test_the_state_folder_by_flag(home: Path, place: list[str]) -> None:
    make_private(home / "other" / "p")
    kill(["--profile", "p", *(part.format(home / "other") for part in place)])
    assert read_flag(home / "other" / "p") is not None
    assert (home / "other" / "p").stat().st_mode & 0o777 == 0o700
    assert (home / "other" / "p" / "kill.flag").stat().st_mode & 0o777 == 0o600


def test_the_state_folder_by_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARBTUI_STATE_DIR", str(home / "other"))
    make_private(home / "other" / "p")
    kill(["--profile", "p"])
    assert read_flag(home / "other" / "p") is not None


def test_json_of_a_confirmed_kill(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(folder):
        assert kill(["--profile", "p", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert 0 < told.pop("confirm_ms") < 1000
    assert told == {
        "profile": "p",
        "folder": str(folder),
        "flag": str(folder / "kill.flag"),
        "written": True,
        "error": None,
        "source": "CLI",
        "running": True,
        "pid": os.getpid(),
        "confirmed": True,
        "process_state": None,
        "why": None,
        "detail": None,
        "cancelled_here": None,
        "cancelled_by_guardian": None,
        "running_there": [],
        "did_you_mean": None,
    }


def test_json_without_an_engine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kill(["--profile", "p", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["written"], told["running"], told["pid"], told["confirmed"], told["confirm_ms"]) == (True, False, None, False, None)


def test_an_engine_that_does_not_listen_is_not_signalled_and_not_confirmed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another version, or one in the midst of its start: the signal would end it."""
    with ProfileLock(folder):
        assert kill(["--profile", "p"]) == 0
        told = capsys.readouterr().out
        assert kill(["--profile", "p", "--json"]) == 0
    assert f"flag of p written; the engine (pid {os.getpid()}) has not confirmed within 1 s: it does not listen" in told
    assert "It cannot send while it does not run, and looks at the flag before every order" in told
    facts = json.loads(capsys.readouterr().out)
    assert (facts["running"], facts["confirmed"], facts["written"]) == (True, False, False)
    assert "does not listen" in facts["why"]
    assert Halt(folder).is_closed


def test_a_number_that_now_belongs_to_another_process_is_not_signalled(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What an engine that was killed left behind, and a bystander who was given its number."""
    mortal = "import signal; signal.signal(signal.SIGUSR1, signal.SIG_DFL); print(flush=True); input()"
    command = [sys.executable, "-c", mortal]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as bystander, ProfileLock(folder):
        assert bystander.stdout is not None
        bystander.stdout.readline()
        (folder / "lock").write_text(f"{bystander.pid}\n")
        (folder / "kill.ack").write_text(f"{bystander.pid:010d} 1 0000000000\n")
        assert kill(["--profile", "p"]) == 0
        assert bystander.poll() is None
        bystander.communicate(b"\n")
    assert bystander.returncode == 0, "SIGUSR1 would have ended it"
    assert "has not confirmed" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--profile"], ["--profile", "--json"], ["--profile="], ["--profile", ".."], ["--json"]])
def test_no_name_is_wrong_usage(home: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert kill(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(home.iterdir()) == []


def test_a_flag_that_cannot_be_written_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "taken").write_text("")
    assert kill(["--profile", "p", "--state-dir", str(home / "taken")]) == 1
    assert "could not be written" in capsys.readouterr().err


def test_a_flag_that_cannot_be_written_keeps_no_gate_open(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("arbtui.cli.kill.write_flag", full)
    monkeypatch.setattr("arbtui.model.halt.write_flag", full)
    with engine(folder) as halt:
        assert kill(["--profile", "p", "--json"]) == 1
        assert halt.is_closed
        assert halt.cause is not None
        assert halt.cause.source == "CLI"
        assert not halt.flag_written
    told = capsys.readouterr()
    assert f"(No space left on device), but the engine (pid {os.getpid()}) confirms that its gate is closed" in told.err
    facts = json.loads(told.out)
    assert (facts["written"], facts["error"], facts["confirmed"]) == (False, "No space left on device", True)
    with ProfileLock(folder):
        assert kill(["--profile", "p"]) == 1
    assert (
        f"has not confirmed: it does not listen (just starting, another version, or in another container); press ^K in its console, "
        f"or end it: kill -9 {os.getpid()}" in capsys.readouterr().err
    )


def test_the_flag_before_the_command_is_heard_too(arbtui: Here, folder: Path) -> None:
    with engine(folder):
        assert arbtui("--profile", "p", "kill").code == 0
    assert read_flag(folder) is not None


def test_from_another_shell(folder: Path) -> None:
    with engine(folder) as halt:
        answer = in_shell("kill", "--profile", "p")
        assert halt.is_closed
    assert answer.code == 0
    assert f"confirmed by the engine (pid {os.getpid()})" in answer.out
    assert read_flag(folder) is not None


def test_nothing_heavy_is_imported(folder: Path) -> None:
    program = """
import sys
from arbtui.cli import main
sys.argv[1:] = ["kill", "--profile", "p"]
main()
heavy = {"typer", "click", "pydantic", "pydantic_settings", "textual", "rich", "ccxt"}
heavy |= {"asyncio", "sqlite3", "aiosqlite", "msgspec", "tomllib", "logging"}
sys.exit(", ".join(sorted(heavy & set(sys.modules))) or 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert read_flag(folder) is not None


def test_help(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kill(["--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: arbtui kill [--profile")
