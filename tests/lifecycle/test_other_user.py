"""State of another user, or on a disk without any room: each command ends in a sentence, and a kill that stopped nothing says so."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from arbtui.model.tip_file import tip_file
from arbtui.settings.state import latest_mode
from tests.lifecycle.programs import Ended
from tests.lifecycle.state import State
from tests.lifecycle.waiting import DEADLINE_S

#: For whom modes of files count: not for root as such.
_AS_ANY_USER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []

pytestmark = pytest.mark.skipif(bool(_AS_ANY_USER) and shutil.which("setpriv") is None, reason="root needs setpriv to be like any user")


def run_as_any_user(*arguments: str) -> Ended:
    command = [*_AS_ANY_USER, sys.executable, "-m", "arbtui", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S)
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("kill",), 1, "NOTHING WAS STOPPED: the flag {folder}/kill.flag could not be written (Permission denied)"),
        (("ledger",), 2, "Permission denied: run this as the user that the engine runs as"),
        (("journal", "verify"), 2, "Permission denied: run this as the user that the engine runs as"),
        (("adjust",), 2, "Permission denied: run this as the user that the engine runs as"),
        (("check",), 2, "Permission denied: run this as the user that the engine runs as"),
    ],
)
def test_a_folder_that_may_not_be_looked_into(state: State, command: tuple[str, ...], code: int, said: str) -> None:
    state.journal.parent.mkdir(parents=True)
    state.journal.touch()
    state.folder.chmod(0)
    try:
        ended = run_as_any_user(*command, *state.arguments())
    finally:
        state.folder.chmod(0o700)
    assert ended.code == code, ended.err
    assert said.format(folder=state.folder) in ended.err
    assert "Traceback" not in ended.err
    if command == ("kill",):
        assert "may not see whether an engine runs there" in ended.err
        assert "sudo -u '#" in ended.err
        assert "not known whether any stands" in ended.err


@pytest.mark.parametrize("command", [("status",), ("ledger",), ("--headless", "--symbols", "2", "--max-runtime", "1")])
def test_a_tip_that_may_not_be_read_is_not_taken_for_a_damaged_one(state: State, command: tuple[str, ...]) -> None:
    """As one that root has left by starting an engine once. Moved away, it would no longer tell of an older journal."""
    state.journal.parent.mkdir(parents=True)
    state.journal.write_bytes(b"x")
    tip = tip_file(state.journal)
    tip.touch()
    tip.chmod(0)
    ended = run_as_any_user(*command, *state.arguments())
    assert ended.code == 2, ended.err
    assert f"{tip}: Permission denied: it belongs to user {os.geteuid()}" in ended.err
    assert "run this as the user that the engine runs as, or mend its owner and mode" in ended.err
    assert "move sim.tip away" not in ended.err
    assert "Traceback" not in ended.err


def test_a_write_ahead_log_that_its_writer_takes_away_meanwhile(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that ends at that moment must not break a kill, which looks for the latest mode."""
    folder = home / "p" / "live"
    folder.mkdir(parents=True)
    (folder / "journal.db").write_bytes(b"x")
    log = folder / "journal.db-wal"
    log.write_bytes(b"x")
    stat = Path.stat

    def then_gone(path: Path) -> bool:
        found = os.path.exists(path)
        if path == log:
            log.unlink(missing_ok=True)
        return found

    def gone(path: Path, **options: bool) -> os.stat_result:
        if path == log:
            log.unlink(missing_ok=True)
        return stat(path, **options)

    monkeypatch.setattr(Path, "exists", then_gone)
    monkeypatch.setattr(Path, "stat", gone)
    assert latest_mode(home, "p") == "live"


def test_a_start_on_a_disk_without_any_room_names_the_lock(tmp_path: Path) -> None:
    script = f"""
        set -e
        mount -t tmpfs -o size=64k,mode=700 tmpfs {tmp_path}
        mkdir -m 700 {tmp_path}/upbit-binance
        head -c 1000000 /dev/zero > {tmp_path}/fill 2>/dev/null || true
        {sys.executable} -m arbtui --profile upbit-binance --state-dir {tmp_path} --headless --max-runtime 1 || echo code $?
    """
    done = subprocess.run(["unshare", "-rm", "bash", "-c", script], capture_output=True, text=True, timeout=DEADLINE_S)
    if "unshare" in done.stderr:
        pytest.skip(done.stderr)
    assert "code 2" in done.stdout, done.stderr
    assert "Traceback" not in done.stderr
    assert "standard output could not be written" not in done.stderr
    assert f"lock {tmp_path}/upbit-binance/lock cannot be written (No space left on device)" in done.stderr
