"""State that is not the operator's alone: folders that others may write, and links and pipes where files belong. Nothing starts on it."""

import json
import os
import signal
from pathlib import Path

import pytest

from arbtui.cli import run as command_line
from tests.lifecycle.programs import Ended, run, running
from tests.lifecycle.state import State
from tests.lifecycle.waiting import until

ARGUMENTS = ("--profile", "upbit-binance", "--headless", "--symbols", "2", "--max-runtime", "0.5")
PROFILE_FILES = ("lock", "kill.flag", "arbtui.log", "kill.ack", "assets.json", "quarantined.json", "sim")
MODE_FILES = ("journal.db", "journal.db-wal", "journal.db-shm", "venue.db", "venue.db-wal")


def start(state: State, *more: str) -> Ended:
    return run(*ARGUMENTS, "--state-dir", str(state.root), *more)


def assert_refused(ended: Ended, *said: str) -> None:
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1), ended.err
    for words in said:
        assert words in ended.err


def place_of(state: State, name: str) -> Path:
    (state.folder / "sim").mkdir(parents=True, mode=0o700)
    for folder in (state.root, state.folder):
        folder.chmod(0o700)
    if name == "sim":
        (state.folder / "sim").rmdir()
    return state.folder / (name if name in PROFILE_FILES else f"sim/{name}")


def checked(state: State, capsys: pytest.CaptureFixture[str]) -> str:
    assert command_line.run(["check", "--profile", "upbit-binance", "--state-dir", str(state.root)]) == 2
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "leads"),
    [
        *((name, "to a file") for name in (*PROFILE_FILES, *MODE_FILES)),
        *((name, "nowhere") for name in ("kill.flag", "journal.db", "lock")),
    ],
)
def test_a_link_in_place_of_a_file(state: State, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, leads: str) -> None:
    place, target = place_of(state, name), tmp_path / "precious"
    if leads != "nowhere":
        target.write_text("precious")
    place.symlink_to(target)
    assert_refused(start(state), str(place), "is a symbolic link")
    assert place.is_symlink()
    assert not target.exists() if leads == "nowhere" else target.read_text() == "precious"
    assert f"state    {place} is a symbolic link" in checked(state, capsys)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        *(("start", name) for name in ("lock", "kill.flag", "arbtui.log", "journal.db")),
        *(("kill", name) for name in ("lock", "kill.flag", "kill.ack")),
        *(("status", name) for name in ("lock", "kill.flag", "journal.db")),
        *(("check", name) for name in ("kill.flag", "assets.json", "quarantined.json")),
        ("assets", "assets.json"),
        ("ledger", "journal.db"),
    ],
)
def test_a_pipe_in_place_of_a_file_keeps_nobody_waiting(state: State, command: str, name: str) -> None:
    place = place_of(state, name)
    os.mkfifo(place, 0o600)
    if command == "start":
        assert_refused(start(state), str(place), "is no ordinary file or folder")
        return
    ended = run(command, "--profile", "upbit-binance", "--state-dir", str(state.root))
    assert ended.code in (0, 1, 2)
    assert "Traceback" not in ended.err
    if command == "kill" and name != "kill.flag":
        assert (state.folder / "kill.flag").is_file()


@pytest.mark.parametrize(
    ("which", "mode"), [("root", 0o1777), ("root", 0o770), ("profile", 0o707), ("mode", 0o777), ("a folder below", 0o720)]
)
def test_a_folder_that_others_may_write(state: State, capsys: pytest.CaptureFixture[str], which: str, mode: int) -> None:
    place_of(state, "journal.db")
    below = state.folder / "sim" / "backups"
    below.mkdir(mode=0o700)
    folder = {"root": state.root, "profile": state.folder, "mode": state.folder / "sim", "a folder below": below}[which]
    folder.chmod(mode)
    assert_refused(start(state), f"{folder} can be written by others (mode {mode:04o})", f"chmod go-w {folder}")
    assert sorted(path.name for path in state.folder.iterdir()) == ["sim"]
    assert f"{folder} can be written by others" in checked(state, capsys)
    sign = run("assets", "sign", "ZZZ", "--reason", "x", "--profile", "upbit-binance", "--state-dir", str(state.root))
    assert_refused(sign, f"{folder} can be written by others")
    folder.chmod(0o700)
    assert start(state).code == 0


@pytest.mark.parametrize("name", ["assets.json", "lock", "arbtui.log"])
def test_a_file_that_others_may_write(state: State, name: str) -> None:
    place = place_of(state, name)
    place.write_text("[]")
    place.chmod(0o666)
    assert_refused(start(state), f"{place} can be written by others (mode 0666)")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("which", ["root", "profile", "journal.db"])
def test_what_belongs_to_somebody_else(state: State, which: str) -> None:
    journal = place_of(state, "journal.db")
    journal.touch(0o600)
    place = {"root": state.root, "profile": state.folder, "journal.db": journal}[which]
    os.chown(place, 12_345, 12_345)
    assert_refused(start(state), f"{place} belongs to user 12345")


def test_a_folder_that_is_a_link(state: State, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    state.root.mkdir(mode=0o700)
    state.folder.symlink_to(tmp_path / "elsewhere")
    assert_refused(start(state), str(state.folder), "is a symbolic link")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_root_may_be_reached_over_a_link(state: State, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(mode=0o700)
    state.root.symlink_to(tmp_path / "disk")
    assert start(state).code == 0


def test_a_flag_made_by_hand_halts_whatever_its_mode(state: State) -> None:
    flag = place_of(state, "kill.flag")
    flag.touch()
    flag.chmod(0o666)
    assert_refused(start(state), "is HALTED (killed by unknown)")


@pytest.mark.parametrize("command", ["status", "kill", "check"])
def test_a_dangling_flag_is_a_flag(state: State, command: str) -> None:
    flag = place_of(state, "kill.flag")
    flag.symlink_to(state.root / "nowhere")
    ended = run(command, "--profile", "upbit-binance", "--state-dir", str(state.root), "--json")
    told = json.loads(ended.out)
    if command == "status":
        assert told["kill"]["latched"]
    elif command == "kill":
        assert (told["source"], told["written"]) == ("unknown", False)
    else:
        assert "kill" in [problem["area"] for problem in told["problems"]]
    assert not (state.root / "nowhere").exists()


def test_a_dangling_flag_stops_an_engine_that_runs(state: State, tmp_path: Path) -> None:
    arguments = ("--profile", "upbit-binance", "--symbols", "2", "--state-dir", str(state.root))
    with running(*arguments, folder=tmp_path / "out") as engine:
        until(lambda: engine.alive() and (state.folder / "kill.ack").exists() and _ran(state), "the engine")
        (state.folder / "kill.flag").symlink_to(tmp_path / "nowhere")

        def halted() -> bool:
            status = run("status", "--profile", "upbit-binance", "--state-dir", str(state.root), "--json")
            return engine.alive() and json.loads(status.out)["state"].startswith("HALT")

        until(halted, "the halt")
        engine.signal(signal.SIGTERM)
        engine.ended()


def _ran(state: State) -> bool:
    status = run("status", "--profile", "upbit-binance", "--state-dir", str(state.root), "--json")
    return status.code == 0 and json.loads(status.out)["state"] == "ARMED"


def test_the_sandbox_too(tmp_path: Path) -> None:
    folder = tmp_path / "venue"
    folder.mkdir(mode=0o700)
    (folder / "lock").symlink_to(tmp_path / "precious")
    ended = run("sandbox", "--port", "0", "--symbols", "2", "--state-dir", str(folder))
    assert_refused(ended, f"{folder / 'lock'} is a symbolic link")
    assert not (tmp_path / "precious").exists()
