"""The heartbeat's file: what an engine says by it, and what nobody may read into it."""

import os
from pathlib import Path

import pytest

from arbtui.model.errors import UsageError
from arbtui.settings.heartbeat import ENDED, FAILED, HEARTBEAT_NAME, STARTING, STOPPING, Beat, Heartbeat, read_heartbeat
from arbtui.settings.process import process_facts


def beat(folder: Path) -> Beat:
    found = read_heartbeat(folder)
    assert found is not None
    return found


def test_a_run_from_its_start_to_its_end(tmp_path: Path) -> None:
    with Heartbeat(tmp_path) as heartbeat:
        assert beat(tmp_path) == Beat(os.getpid(), process_facts(os.getpid()).started or "-", 0, STARTING)
        assert not beat(tmp_path).is_owed
        heartbeat.beat(7, "ARMED")
        assert (beat(tmp_path).count, beat(tmp_path).is_owed) == (7, True)
        heartbeat.beat(8, "HALTED_DIRTY")
        assert (beat(tmp_path).phase, beat(tmp_path).is_owed) == ("HALTED_DIRTY", False)
        heartbeat.stopping()
        heartbeat.beat(9, "ARMED")
        assert beat(tmp_path).phase == STOPPING, "a beat that comes while it stops does not take that back"
    assert beat(tmp_path).phase == ENDED
    assert beat(tmp_path).is_end
    assert (tmp_path / HEARTBEAT_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("phase", ["DISARMED", "RECOVERING", "HALTING", "HALTED"])
def test_who_cannot_send_owes_nothing(tmp_path: Path, phase: str) -> None:
    with Heartbeat(tmp_path) as heartbeat:
        heartbeat.beat(1, phase)
        assert not beat(tmp_path).is_owed


def test_what_broke_is_no_end_in_order(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Heartbeat(tmp_path):
        raise RuntimeError("a defect")
    assert beat(tmp_path).phase == FAILED
    with Heartbeat(tmp_path) as heartbeat:
        heartbeat.has_failed = True
    assert beat(tmp_path).phase == FAILED
    with pytest.raises(UsageError), Heartbeat(tmp_path):
        raise UsageError("a start that is refused")
    assert beat(tmp_path).phase == ENDED


@pytest.mark.parametrize("content", [b"", b"1 2", b"a b c d", b"\xff 1 2 ARMED", b"1 - 2 ARMED more"])
def test_a_file_that_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / HEARTBEAT_NAME).write_bytes(content)
    assert read_heartbeat(tmp_path) is None


def test_no_place_for_it_stops_no_run(tmp_path: Path) -> None:
    (tmp_path / HEARTBEAT_NAME).mkdir()
    with Heartbeat(tmp_path) as heartbeat:
        heartbeat.beat(1, "ARMED")
    assert read_heartbeat(tmp_path) is None


def test_outside_of_its_block_it_writes_nothing(tmp_path: Path) -> None:
    Heartbeat(tmp_path).beat(1, "ARMED")
    assert read_heartbeat(tmp_path) is None
