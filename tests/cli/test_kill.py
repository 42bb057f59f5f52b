"""``arbtui kill`` closes the gate with nothing but a name, a folder and the standard library."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from arbtui.cli.kill import kill
from arbtui.model.halt import Halt, read_flag, write_flag
from arbtui.settings.lock import ProfileLock
from arbtui.settings.state import make_private
from tests.cli.command import Here, in_shell


@pytest.fixture
def folder(home: Path) -> Path:
    """The state folder of the profile ``p``."""
    return make_private(home / "state" / "arbtui" / "p")


def test_a_running_engines_gate_is_closed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    halt = Halt(folder)
    with ProfileLock(folder):
        assert not halt.flag_stands()
        assert kill(["--profile", "p"]) == 0
    assert halt.flag_stands()
    told = capsys.readouterr()
    assert f"the gate of p (process {os.getpid()}) is closed" in told.out
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


def test_a_mistyped_name_is_told_what_does_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ProfileLock(folder):
        assert kill(["--profile", "q"]) == 1
    assert "running there: p" in capsys.readouterr().err
    assert read_flag(folder) is None


def test_a_second_kill_keeps_the_first_cause(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_flag(folder, "KEY", "by hand", 5)
    with ProfileLock(folder):
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
    with ProfileLock(folder):
        assert kill(["--profile", "p", "--now"]) == 0
    assert capsys.readouterr().err == "arbtui: kill took no notice of --now\n"


@pytest.mark.parametrize("place", [["--state-dir", "{}"], ["--state-dir={}"]])
def test_the_state_folder_by_flag(home: Path, place: list[str]) -> None:
    kill(["--profile", "p", *(part.format(home / "other") for part in place)])
    assert read_flag(home / "other" / "p") is not None
    assert (home / "other" / "p").stat().st_mode & 0o777 == 0o700
    assert (home / "other" / "p" / "kill.flag").stat().st_mode & 0o777 == 0o600


def test_the_state_folder_by_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARBTUI_STATE_DIR", str(home / "other"))
    kill(["--profile", "p"])
    assert read_flag(home / "other" / "p") is not None


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ProfileLock(folder):
        assert kill(["--profile", "p", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "profile": "p",
        "folder": str(folder),
        "flag": str(folder / "kill.flag"),
        "written": True,
        "source": "CLI",
        "running": True,
        "pid": os.getpid(),
    }


@pytest.mark.parametrize("arguments", [[], ["--profile"], ["--profile", "--json"], ["--profile="], ["--profile", ".."], ["--json"]])
def test_no_name_is_wrong_usage(home: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert kill(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(home.iterdir()) == []


def test_a_flag_that_cannot_be_written_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "taken").write_text("")
    assert kill(["--profile", "p", "--state-dir", str(home / "taken")]) == 1
    assert "could not be written" in capsys.readouterr().err


def test_the_flag_before_the_command_is_heard_too(arbtui: Here, folder: Path) -> None:
    with ProfileLock(folder):
        assert arbtui("--profile", "p", "kill").code == 0
    assert read_flag(folder) is not None


def test_from_another_shell(folder: Path) -> None:
    with ProfileLock(folder):
        answer = in_shell("kill", "--profile", "p")
    assert answer.code == 0
    assert "is closed" in answer.out
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
    assert capsys.readouterr().out.startswith("Usage: arbtui kill --profile")
