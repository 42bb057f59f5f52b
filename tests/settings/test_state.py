"""State lives where it is told to, belongs to the operator alone, and one engine holds it."""

import fcntl
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from arbtui.model.errors import AlreadyRunning, UsageError
from arbtui.settings.lock import FileLock, ProfileLock, guardian_lock, holder, is_held, supervisor_lock
from arbtui.settings.state import keep_private, latest_mode, make_private, mode_folder, profile_name, state_root

#: Takes the lock of the folder given, says so, and holds it until its standard input ends.
HOLD = """
import pathlib, sys
from arbtui.settings.lock import ProfileLock
ProfileLock(pathlib.Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_flag_then_environment_then_platform(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state_root() == home / "state" / "arbtui"
    monkeypatch.setenv("ARBTUI_STATE_DIR", "~/elsewhere")
    assert state_root() == home / "elsewhere"
    monkeypatch.chdir(home)
    assert state_root("here") == home / "here"
    assert state_root(home / "x" / ".." / "y") == home / "y"


@pytest.mark.parametrize(
    ("given", "name"), [("upbit-binance", "upbit-binance"), ("/a/b/mine.toml", "mine"), ("mine.toml", "mine"), ("./a.b.toml", "a.b")]
)
def test_a_profiles_name_is_its_stem(given: str, name: str) -> None:
    assert profile_name(given) == name


@pytest.mark.parametrize("given", ["", ".", "..", "../..", ".hidden", "a\nb", "-x", "/", "naïve", "x" * 65])
def test_what_is_no_folders_name_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="gives no profile's name"):
        profile_name(given)


def test_folders_and_files_are_the_operators_alone(home: Path) -> None:
    keep_private()
    folder = make_private(mode_folder(home / "new" / "root", "p", "sim"))
    (folder / "journal.db").write_text("")
    assert permissions(folder / "journal.db") == 0o600
    for made in (folder, folder.parent, folder.parent.parent, folder.parent.parent.parent):
        assert permissions(made) == 0o700


def test_folders_are_private_whatever_the_umask(home: Path) -> None:
    os.umask(0o000)
    folder = make_private(home / "a" / "b")
    assert (permissions(folder), permissions(folder.parent)) == (0o700, 0o700)
    assert list(folder.iterdir()) == []


def test_a_file_in_a_folders_place(home: Path) -> None:
    (home / "taken").write_text("")
    with pytest.raises(UsageError, match="a file stands in its place"):
        make_private(home / "taken")
    with pytest.raises(UsageError, match=r"cannot be written.*choose another with --state-dir"):
        make_private(home / "taken" / "below")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that not even root can write")
def test_a_folder_that_takes_no_files(home: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        make_private(Path("/proc/self"))


def test_the_latest_mode_is_that_of_the_journal_written_last(home: Path) -> None:
    assert latest_mode(home, "p") is None
    for mode, time in (("sim", 100), ("paper", 200), ("live", 50)):
        journal = make_private(mode_folder(home, "p", mode)) / "journal.db"
        journal.write_text("")
        os.utime(journal, (time, time))
    assert latest_mode(home, "p") == "paper"
    wal = mode_folder(home, "p", "sim") / "journal.db-wal"
    wal.write_text("")
    os.utime(wal, (300, 300))
    assert latest_mode(home, "p") == "paper", "an empty log is what a reader leaves"
    wal.write_text("frames")
    os.utime(wal, (300, 300))
    assert latest_mode(home, "p") == "sim"


def test_one_engine_holds_the_lock(home: Path) -> None:
    assert not is_held(home)
    with ProfileLock(home):
        assert holder(home) == os.getpid()
        with pytest.raises(AlreadyRunning, match=f"already running as process {os.getpid()} .*another --state-dir"):
            ProfileLock(home).acquire()
    assert holder(home) is None
    with ProfileLock(home):
        assert is_held(home)


def test_f56_a_lock_s_file_that_somebody_takes_away_frees_nothing(home: Path) -> None:
    """A hand that clears a "stale" lock must not start a second engine on one journal."""
    with ProfileLock(home):
        (home / "lock").unlink()
        assert is_held(home)
        assert holder(home) == 0
        with pytest.raises(AlreadyRunning):
            ProfileLock(home).acquire()
    assert not is_held(home)
    with ProfileLock(home):
        assert holder(home) == os.getpid()


def test_whoever_only_looks_keeps_no_engine_from_starting(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ProfileLock(home):
        pass
    looking = os.open(home / "lock", os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    waits: list[float] = []

    def gone(seconds: float) -> None:
        if not waits:
            os.close(looking)
        waits.append(seconds)

    monkeypatch.setattr("arbtui.settings.lock.time.sleep", gone)
    with ProfileLock(home):
        assert holder(home) == os.getpid()
    assert len(waits) == 1


def test_a_lock_that_was_given_back_names_nobody(home: Path) -> None:
    with ProfileLock(home):
        pass
    assert (home / "lock").read_bytes() == b""


def test_the_lock_ends_with_its_process(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert holder(home) == child.pid
        child.kill()
    assert holder(home) is None


@pytest.mark.parametrize(
    ("made", "refusal"),
    [
        (ProfileLock, "is already running as process"),
        (guardian_lock, "watches already"),
        (supervisor_lock, "is supervised already"),
        (lambda folder: FileLock(folder / "lock", lambda: AlreadyRunning("it is taken"), "a word"), "it is taken"),
    ],
)
def test_every_lock_is_of_one_kind(home: Path, made: Callable[[Path], FileLock], refusal: str) -> None:
    with made(home) as held:
        with pytest.raises(AlreadyRunning, match=refusal):
            made(home).acquire()
        assert held.path.read_bytes()
        assert held.path.stat().st_mode & 0o777 == 0o600
        held.path.write_text("what a process leaves that dies")
    assert held.path.read_bytes() == b""
    held.path.write_text("12 34 ab\n")
    with made(home) as again:
        assert again.before == b"12 34 ab\n"


def test_a_lock_that_cannot_be_made(home: Path) -> None:
    with pytest.raises(UsageError, match=r"lock .* cannot be written"):
        ProfileLock(home / "absent").acquire()


def test_a_lock_without_a_pid_is_held_all_the_same(home: Path) -> None:
    with ProfileLock(home):
        (home / "lock").write_text("?")
        assert holder(home) == 0
