"""A disk that fills up while trading: the gate closes, nothing is sent without its intent, and what was written can be read."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from arbtui.model.halt import read_flag
from tests.lifecycle.places import in_namespace, program
from tests.lifecycle.programs import Ended, run
from tests.lifecycle.state import State, assert_venues_agree
from tests.lifecycle.waiting import DEADLINE_S

ARGUMENTS = ("--headless", "--symbols", "10", "--max-runtime", "60")

#: Nothing is stopped in time by the limit of free disk.
_TO_THE_LAST_BYTE = {"ARBTUI_RISK__GLOBAL__MIN_FREE_DISK_MB": "0"}


def on_a_small_disk(state: State, kept: Path) -> Ended:
    """On a file system of its own that fills up; everything is copied to ``kept`` before that one goes away."""
    place = shlex.quote(str(state.root))
    state.root.mkdir()
    return in_namespace(
        f"mount -t tmpfs -o size=1500k,mode=0700 none {place} && {program(*state.arguments(), *ARGUMENTS)};"
        f" code=$?; cp -a {place}/. {shlex.quote(str(kept))}; exit $code"
    )


def with_small_files(state: State, kept: Path) -> Ended:
    """No file may grow beyond 700 KiB."""
    command = f"ulimit -f 700; exec {program(*state.arguments(), *ARGUMENTS)}"
    done = subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S)
    shutil.copytree(state.root, kept, dirs_exist_ok=True)
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("fill_up", [on_a_small_disk, with_small_files])
def test_f42_a_full_disk_stops_trading_and_nothing_is_lost(
    state: State, tmp_path: Path, fill_up: Callable[[State, Path], Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in _TO_THE_LAST_BYTE.items():
        monkeypatch.setenv(name, value)
    kept = State(tmp_path / "kept")
    kept.root.mkdir()
    ended = fill_up(state, kept.root)
    assert ended.code in (1, 3), ended
    assert ended.out == ""
    assert "free space or repair the disk, then start again" in ended.err
    assert "Traceback" not in ended.err
    assert "CRITICAL arbtui: the journal failed, the gate is closed" in kept.log
    cause = read_flag(kept.folder)
    assert cause is not None, "the halt must outlive the process"

    readable = run("ledger", *kept.arguments(), "--json")
    assert readable.code == 0, readable.err
    assert json.loads(readable.out)["fills"]
    intended = {row["client_order_id"] for row in kept.rows("SELECT client_order_id FROM order_")}
    sent = {row["client_order_id"] for row in kept.rows("SELECT client_order_id FROM venue_order", path=kept.venue)}
    assert sent <= intended, "an order was sent without its intent"
    last = kept.rows("SELECT max(ts_ms) AS ts FROM event")[0]["ts"]
    assert kept.rows("SELECT * FROM venue_order WHERE ts_ms > ?", last + 2000, path=kept.venue) == []

    refused = run(*kept.arguments(), "--headless", "--symbols", "10", "--max-runtime", "0.3")
    assert refused.code == 2
    assert "HALTED" in refused.err
    kept.flag.unlink()  # stands for the person who re-arms
    again = run(*kept.arguments(), "--headless", "--symbols", "10", "--max-runtime", "0.3")
    assert again.code in (0, 3), again.err
    states = assert_venues_agree(kept)
    assert (again.code == 3) == (states["RESIDUAL"] > 0)
