"""One engine for one account of a venue on this machine, whatever its profile and state folder."""

import multiprocessing
import os
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

import pytest

from arbtui.model.errors import UsageError
from arbtui.settings.account_lock import AccountLocks, accounts_folder

ORIGIN = f"https://{uuid4().hex}.example"  # one name in the kernel for the machine, on which other tests run
KEY = "key SECRETLYTOLD"


def _hold(answer: Connection, origin: str) -> None:
    locks = AccountLocks("desk", Path("/elsewhere/desk"))
    locks.take("binance", origin, [KEY])
    answer.send(os.getpid())
    signal.pause()


def test_f56_the_second_engine_is_told_which_process_holds_the_account_and_a_dead_one_holds_nothing(home: Path) -> None:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_hold, args=(theirs, ORIGIN))
    process.start()
    try:
        pid = ours.recv()
        second = AccountLocks("other", home)
        with pytest.raises(UsageError) as refused:
            second.take("binance", ORIGIN, [KEY])
        words = str(refused.value)
        assert f"binance at {ORIGIN}: process {pid} (profile desk in /elsewhere/desk) trades on this account since 20" in words
        assert "SECRETLYTOLD" not in words
    finally:
        process.kill()
        process.join()
    second.take("binance", ORIGIN, [KEY])
    second.release()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the folder is the only lock")
def test_f56_an_environment_with_another_state_folder_is_no_other_machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a service and of a shell of one user."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_hold, args=(theirs, ORIGIN))
    process.start()
    try:
        pid = ours.recv()
        monkeypatch.setenv("XDG_STATE_HOME", str(home / "elsewhere"))
        monkeypatch.setenv("HOME", str(home / "nobody"))
        for _ in range(5):  # the third was told "another process": who asked before stood in a queue for two
            second = AccountLocks("other", home)
            with pytest.raises(UsageError, match=f"process {pid} of user {os.getuid()} trades on this account, with another state folder"):
                second.take("binance", ORIGIN, [KEY])
            second.release()
        second.take("binance", ORIGIN, ["key other"])
    finally:
        process.kill()
        process.join()
    second.take("binance", ORIGIN, [KEY])
    second.release()
    second.take("binance", ORIGIN, [KEY])
    second.release()


def test_f56_two_keys_of_one_account_meet_at_the_name_that_the_venue_gives_it(home: Path) -> None:
    first, second = AccountLocks("desk", home), AccountLocks("other", home)
    first.take("binance", ORIGIN, ["key one"])
    first.take("binance", ORIGIN, ["key one", "uid 7"])  # what is held already is kept
    second.take("binance", ORIGIN, ["key two"])
    with pytest.raises(UsageError, match="profile desk"):
        second.take("binance", ORIGIN, ["key two", "uid 7"])
    first.release()
    second.take("binance", ORIGIN, ["key two", "uid 7"])
    second.release()


def test_another_origin_or_venue_is_another_account_and_another_spelling_is_not(home: Path) -> None:
    first, second = AccountLocks("desk", home), AccountLocks("other", home)
    first.take("binance", "http://127.0.0.1:9102", ["uid 7"])
    second.take("binance", ORIGIN, ["uid 7"])
    second.take("upbit", "http://127.0.0.1:9102", ["uid 7"])
    for spelling in ("http://localhost:9102", "HTTP://127.0.0.1:9102/"):
        with pytest.raises(UsageError):
            second.take("binance", spelling, ["uid 7"])
    with pytest.raises(UsageError):
        first.take("binance", f"{ORIGIN.upper()}:443", ["uid 7"])
    first.release()
    second.release()


def test_neither_names_nor_contents_hold_a_key_and_nobody_else_may_read_them(home: Path) -> None:
    locks = AccountLocks("desk", home)
    locks.take("upbit", ORIGIN, [KEY])
    folder = accounts_folder()
    (file,) = folder.iterdir()
    assert "SECRETLYTOLD" not in file.name + file.read_text()
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    locks.release()


def test_a_folder_that_cannot_be_written_refuses(home: Path) -> None:
    accounts_folder().parent.mkdir(parents=True)
    accounts_folder().write_text("in its place")
    with pytest.raises(UsageError, match="a file stands in its place"):
        AccountLocks("desk", home).take("upbit", ORIGIN, [KEY])
