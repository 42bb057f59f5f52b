"""F40, F48: an engine that is killed at a named point, in live against the sandbox, and the start after it.

``python -m tests.proof kill-points`` does it for 50 seeds a point, the suite for one.
"""

import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lifecycle.failpoints import POINTS, START_POINTS
from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import Ended, run, running
from tests.lifecycle.test_live import count
from tests.proof.steps import SEEDS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

_PROGRAM = "tests.lifecycle.failpoints"
_OPEN = "state IN ('PLANNED', 'SENDING', 'ACCEPTED', 'PARTIALLY_FILLED', 'UNKNOWN')"
#: A point is met for the first time up to so often before it kills.
#: The proof that an order is not there takes longer than one start.
_STARTS = 20
_MOST = 6


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch, 3) as made:
        yield made


def killed(desk: LiveDesk, folder: Path, point: str, number: int, before: tuple[str, ...] = ()) -> None:
    """Run until the point kills it: by itself no engine ends so."""
    with running(*desk.arguments(), folder=folder, program=(_PROGRAM, point, str(number), "KILL"), before=before) as engine:
        ended = engine.ended()
    assert ended.code == -signal.SIGKILL, f"{point}, {number}: not met: {ended}"


def started(desk: LiveDesk, folder: Path, seconds: str = "1") -> Ended:
    """A start that lives on for a moment, and ends in order; again, where a venue may still list an order that it does not know yet."""
    for number in range(_STARTS):
        place = folder / str(number)
        with running(*desk.arguments("--max-runtime", seconds), folder=place, program=(_PROGRAM, "none", "0", "KILL")) as engine:
            ended = engine.ended()
        if "of an earlier run not resolved" not in ended.err:
            break
    return ended


def assert_nothing_lost(desk: LiveDesk, tmp_path: Path, ended: Ended) -> None:
    """Everything is resolved, journal and venue agree, no id was used twice, and the file is whole."""
    assert ended.code in (0, 3), ended.err
    assert count(desk, "cycle", "state = 'OPEN'") == count(desk, "order_", _OPEN) == 0
    ids = [(order["exchange"], order["client_order_id"]) for order in desk.told("/orders")]
    assert len(ids) == len(set(ids)), "a client order id was used twice"
    intents = {order["client_order_id"] for order in desk.ledger()["orders"]}
    assert {one for _, one in ids} <= intents, "an order was sent without its intent"
    desk.assert_agrees(tmp_path)
    verified = run("journal", "verify", "--profile", str(desk.profile), "--state-dir", str(desk.root))
    assert verified.code == 0, verified


#: What the suite tries of the points; `kill-points` of `make proof` tries them all.
SHARE = (
    "intent, inside its transaction",
    "before the send",
    "after the send",
    "fill, before its commit",
    "fill, after its commit",
    "snapshot, inside its transaction",
    "tip, before it replaces the old one",
)


def seeds() -> range:
    return range(int(os.environ.get(SEEDS, "1")))


@pytest.mark.parametrize("point", POINTS if SEEDS in os.environ else SHARE)
def test_f40_killed_at_a_point_nothing_is_lost_and_nothing_sent_twice(
    point: str, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARBTUI_JOURNAL__SNAPSHOT_INTERVAL_S", "1")
    for seed in seeds():
        number = random.Random(f"{point} {seed}").randint(1, _MOST)
        folder = tmp_path / str(seed)
        folder.mkdir()
        with live_desk(folder, monkeypatch, 3) as desk:
            killed(desk, folder / "killed", point, number)
            assert_nothing_lost(desk, folder, started(desk, folder / "again"))
        shutil.rmtree(folder)
    print(f"\nKILLED {point}: {len(seeds())} seeds")


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize(
    ("file", "call", "first"), [("journal.db", "pwrite64", 20), ("journal.db-wal", "pwrite64", 100), ("journal.db-wal", "fdatasync", 20)]
)
def test_f40_killed_in_a_system_call_of_a_checkpoint_or_a_commit(
    file: str, call: str, first: int, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The main file is written by checkpoints only; the kernel kills before the call is done."""
    for seed in seeds():
        number = random.Random(f"{file} {call} {seed}").randint(first, 4 * first)
        folder = tmp_path / str(seed)
        folder.mkdir()
        with live_desk(folder, monkeypatch, 3) as desk:
            assert started(desk, folder / "before").code in (0, 3)
            place = desk.journal.with_name(file)
            inject = ("strace", "-f", "-q", "-o", str(folder / "calls"), "-P", str(place), "-e", f"trace={call}")
            killed(desk, folder / "killed", "none", 0, (*inject, "-e", f"inject={call}:signal=KILL:when={number}"))
            assert "killed by SIGKILL" in (folder / "calls").read_text()
            assert_nothing_lost(desk, folder, started(desk, folder / "again"))
        shutil.rmtree(folder)
    print(f"\nKILLED {call} of {file}: {len(seeds())} seeds")


def test_f48_five_crashes_in_a_recovery_send_no_order_and_book_each_fill_once(desk: LiveDesk, tmp_path: Path) -> None:
    """What a first crash left is taken up by five starts that die in it, each at another step, and by a sixth that does not."""
    while not _unbooked(desk):
        killed(desk, tmp_path / "killed", "after the send", 1)
    sent = desk.told("/orders")
    runs = count(desk, "run")
    steps = [f"start, {name}" for name in START_POINTS]
    steps += ["fill, inside its transaction", "fill, after its commit", "end of a cycle, inside its transaction"]
    for number, point in enumerate(steps):
        killed(desk, tmp_path / f"start-{number}", point, 1)
    assert desk.told("/orders") == sent, "a recovery sends nothing"
    assert count(desk, "run") > runs
    assert count(desk, "fill", "source = 'recovery'") > 0
    assert_nothing_lost(desk, tmp_path, started(desk, tmp_path / "whole"))


def _unbooked(desk: LiveDesk) -> int:
    """How many fills the venues have that the journal has not."""
    return len(desk.told("/ledger")) - (count(desk, "fill") if desk.journal.exists() else 0)
