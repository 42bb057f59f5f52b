"""The journal is whose it says it is, and where it was: gone, older, another's or moved away while it was written, nothing goes on."""

import hashlib
import json
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from arbtui import __version__
from arbtui.journal.schema import USER_VERSION
from tests.conftest import REPOSITORY
from tests.lifecycle.programs import Running, run, running
from tests.lifecycle.state import State
from tests.lifecycle.waiting import until

FAST = ("--headless", "--speed", "max", "--symbols", "2", "--max-runtime", "5")


def _trades(engine: Running, state: State) -> bool:
    return engine.alive() and state.journal.exists() and state.count("fill") > 0


def test_f45_a_journal_that_is_moved_away_while_it_is_written_ends_the_run_and_comes_back_whole(state: State, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    with running(*state.arguments(), "--symbols", "5", "--headless", folder=tmp_path / "run") as engine:
        until(lambda: _trades(engine, state), "a fill")
        began = time.monotonic()
        state.journal.rename(elsewhere)
        ended = engine.ended()
        assert time.monotonic() - began < 20
    assert ended.code in (1, 3), ended.err  # with a cycle open, or without
    assert f"{state.journal} was moved, deleted or replaced while it was written: nothing more is written; put it back" in ended.err
    state.flag.unlink()  # a failed journal is a kill, and is told first
    for command in (("status", *state.arguments()), ("ledger", *state.arguments()), (*state.arguments(), *FAST)):
        refused = run(*command)
        assert refused.code == 2, refused
        assert f"{state.journal} has vanished" in refused.err
        assert "Traceback" not in refused.err
    elsewhere.rename(state.journal)
    verified = run("journal", "verify", *state.arguments())
    assert verified.code == 0, verified.err
    again = run(*state.arguments(), "--headless", "--symbols", "5", "--max-runtime", "1")
    assert again.code in (0, 3), again.err


def test_a_crash_is_followed_by_a_start_that_finds_its_tip_kept(state: State, tmp_path: Path) -> None:
    """The tip is some seconds old by then; the journal is ahead of it."""
    with running(*state.arguments(), "--symbols", "5", "--headless", folder=tmp_path / "run") as engine:
        until(lambda: _trades(engine, state), "a fill")
        engine.signal(signal.SIGKILL)
        engine.ended()
    tip = json.loads((state.journal.parent.parent / "sim.tip").read_text())["tip"]
    assert 0 < tip["seq"] <= state.rows("SELECT max(seq) AS seq FROM event")[0]["seq"]
    again = run(*state.arguments(), "--headless", "--symbols", "5", "--max-runtime", "1")
    assert again.code in (0, 3), again.err


def test_f46_yesterday_s_copy_is_refused_and_gone_on_with_when_a_person_says_so(state: State) -> None:
    assert run(*state.arguments(), *FAST).code == 0
    shutil.copytree(state.journal.parent, state.journal.parent.with_name("copy"))
    assert run(*state.arguments(), *FAST).code == 0
    shutil.rmtree(state.journal.parent)
    state.journal.parent.with_name("copy").rename(state.journal.parent)
    refused = run(*state.arguments(), *FAST)
    assert refused.code == 2
    assert "it is an older copy, or was cut off: put the right file back; to go on with this one, move" in refused.err
    status = run("status", *state.arguments(), "--json")
    assert status.code == 2
    assert "it is an older copy" in json.loads(status.out)["journal_error"]
    (state.journal.parent.parent / "sim.tip").unlink()
    assert run(*state.arguments(), *FAST).code == 0


def test_f45_a_copy_that_is_written_over_the_journal_while_it_is_written_halts_and_is_no_end_in_order(state: State, tmp_path: Path) -> None:
    """The file stays the same one, so nobody sees it go; what reads it finds that it is not what was written."""
    assert run(*state.arguments(), *FAST).code == 0
    old = tmp_path / "old.db"
    shutil.copyfile(state.journal, old)
    assert run(*state.arguments(), *FAST).code == 0
    before = state.rows("SELECT max(seq) AS seq FROM event")[0]["seq"]
    with running(*state.arguments(), "--symbols", "5", "--headless", folder=tmp_path / "run") as engine:
        until(lambda: engine.alive() and state.count("fill", f"seq > {before}") > 0, "a fill")
        with old.open("rb") as source, state.journal.open("r+b") as target:  # as cp does: into the file that is there
            shutil.copyfileobj(source, target)
            target.truncate()
        ended = engine.ended()
    assert ended.code in (1, 3), ended.err
    assert "Traceback" not in ended.err
    assert str(state.journal) in ended.err
    assert json.loads(state.flag.read_text())["source"] == "JOURNAL"
    assert "FAILED" in (state.folder / "heartbeat").read_text()


def test_f45_another_profile_s_journal_is_refused(state: State) -> None:
    assert run(*state.arguments(), *FAST).code == 0
    name = state.journal.parent.parent.name
    other = state.journal.parent.parent.with_name("other")
    shutil.move(state.journal.parent.parent, other)
    profile = other.parent / "mine.toml"
    shutil.copyfile(REPOSITORY / "profiles" / "upbit-binance.toml", profile)
    mine = other.rename(other.with_name("mine"))
    journal = mine / "sim" / "journal.db"
    with closing(sqlite3.connect(journal, isolation_level=None)) as db:  # a mark that any writer of ours would take away
        db.execute("PRAGMA journal_mode = DELETE")
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in (journal, *mine.glob("*.tip"))}
    refused = run("--profile", str(profile), "--state-dir", str(other.parent), *FAST)
    assert refused.code == 2, refused.err
    assert f"was written by profile {name} in mode sim, and this is profile mine in mode sim" in refused.err
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in before} == before, "nothing was written"
    assert not list(journal.parent.glob("journal.db-*"))


def test_a_run_says_which_program_it_was(state: State) -> None:
    assert run(*state.arguments(), *FAST).code == 0
    told = json.loads(run("status", *state.arguments(), "--json").out)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout.strip()
    if head:
        assert told["run"]["commit"] in (head, f"{head}+changes")
    assert told["run"]["lock_hash"] == hashlib.sha256((REPOSITORY / "requirements.lock").read_bytes()).hexdigest()
    assert (told["run"]["journal_format"], told["run"]["version"]) == (USER_VERSION, __version__)
    assert told["sqlite"]["version"] == sqlite3.sqlite_version
