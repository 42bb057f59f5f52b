"""Killed at any moment, the journal holds everything that it had called durable, and nothing by halves."""

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from arbtui.journal.state import load
from arbtui.portfolio.ledger import read_ledger
from tests.journal.crash_child import commit_for_ever, trade_for_ever
from tests.portfolio.auditing import disagreements

ROUNDS = 50
Start = Callable[..., tuple[BaseProcess, Connection]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a child from a clean process (this one has threads) and ends those that are left."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.journal.crash_child"])
    children: list[BaseProcess] = []

    def begin(target: Callable[..., None], *arguments: Any) -> tuple[BaseProcess, Connection]:
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=target, args=(*arguments, theirs))
        child.start()
        theirs.close()
        children.append(child)
        return child, ours

    yield begin
    for child in children:
        child.kill()
        child.join()
        child.close()


def drain(pipe: Connection) -> list[int]:
    told = []
    try:
        while True:
            told.append(pipe.recv())
    except EOFError:
        pipe.close()
    return told


@pytest.mark.parametrize("door", ["aio", "sync"])
def test_fifty_kills_lose_no_acknowledged_commit_and_tear_none(tmp_path: Path, start: Start, door: str) -> None:
    path = tmp_path / "journal.db"
    acknowledged: set[int] = set()
    for round_number in range(ROUNDS):
        child, pipe = start(commit_for_ever, path, door)
        for _ in range(1 + round_number * 7 % 30):
            acknowledged.add(pipe.recv())
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        acknowledged.update(drain(pipe))
        with closing(sqlite3.connect(path)) as db:
            rows = db.execute("SELECT seq, json_extract(payload, '$.asset') FROM event ORDER BY seq").fetchall()
        assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
        assets = {seq: asset for seq, asset in rows}
        for number in acknowledged:
            assert (assets.get(number), assets.get(number + 1)) == (str(number), f"{number}+")
        whole = [seq for seq, asset in rows if asset and asset.endswith("+")]
        assert [seq + 1 for seq, asset in rows if asset and asset.isdigit()] == whole
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_ledger_read_beside_a_writer_is_of_one_moment(tmp_path: Path, start: Start) -> None:
    """Fills, orders and balances of different moments could not agree to the last digit."""
    path = tmp_path / "journal.db"
    _, pipe = start(trade_for_ever, path, "r1")
    for _ in range(10):
        number = pipe.recv()
        ledger = read_ledger(path)
        assert len(ledger["fills"]) >= 2 * (number + 1)
        assert disagreements(ledger) == []


def test_a_ledger_reads_while_the_writer_is_frozen_and_after_it_was_killed(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "journal.db"
    child, pipe = start(trade_for_ever, path, "r1")
    assert pipe.recv() == 0
    assert child.pid is not None
    os.kill(child.pid, signal.SIGSTOP)
    frozen = read_ledger(path)
    assert disagreements(frozen) == []
    child.kill()
    child.join()
    last = drain(pipe)[-1:] or [0]
    assert (tmp_path / "journal.db-wal").stat().st_size > 0
    dead = read_ledger(path)
    assert len(dead["fills"]) >= max(2 * (last[0] + 1), len(frozen["fills"]))
    assert disagreements(dead) == []
    assert load(path).last_run is not None


def test_the_next_run_goes_on_where_a_killed_one_stopped(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "journal.db"
    child, pipe = start(trade_for_ever, path, "r1")
    assert pipe.recv() == 0
    child.kill()
    child.join()
    drain(pipe)
    before = load(path)
    assert before.last_run is not None
    assert before.last_run.ended_ms is None
    assert not before.last_run.ended_clean
    _, pipe = start(trade_for_ever, path, "r2")
    assert pipe.recv() == 0
    after = load(path)
    assert after.salt == before.salt
    assert after.seq > before.seq
    assert after.runs == 2
