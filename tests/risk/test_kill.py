import asyncio
import os
import threading
from pathlib import Path

import pytest

from arbtui.model.clock import SystemClock
from arbtui.model.halt import FLAG_NAME, Halt, HaltCause, read_flag, write_flag
from arbtui.risk.kill_switch import KillSwitch


def test_a_kill_closes_in_memory_and_on_disk_and_keeps_its_first_cause(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    assert not halt.is_closed
    assert halt.close("KEY", "seen something", 5)
    assert not halt.close("CLI", "me too", 6)
    assert (halt.cause, halt.epoch, halt.flag_written) == (HaltCause("KEY", "seen something", 5), 1, True)
    assert Halt(tmp_path).cause == halt.cause  # latched over restarts
    assert (tmp_path / FLAG_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"\x00\xff rubbish", b"[]", b"{}", b'{"source": 1, "reason": null, "ts_ms": "x"}', b"null"])
def test_a_flag_made_by_hand_counts_whatever_it_says(tmp_path: Path, content: bytes) -> None:
    halt = Halt(tmp_path)
    (tmp_path / FLAG_NAME).write_bytes(content)
    assert halt.flag_stands()
    assert halt.is_closed
    assert halt.epoch == 1
    assert read_flag(tmp_path) is not None
    assert not write_flag(tmp_path, "CLI", "late")
    assert (tmp_path / FLAG_NAME).read_bytes() == content


def test_a_flag_that_is_a_folder_counts_too(tmp_path: Path) -> None:
    (tmp_path / FLAG_NAME).mkdir()
    assert Halt(tmp_path).is_closed


def test_a_folder_that_cannot_be_written_does_not_keep_the_gate_open(tmp_path: Path) -> None:
    halt = Halt(tmp_path / "profile")
    (tmp_path / "profile").write_text("not a folder")
    assert halt.close("KEY")
    assert halt.is_closed
    assert not halt.flag_written  # which the screen must say


def test_a_folder_that_cannot_be_read_closes_the_gate(tmp_path: Path) -> None:
    (tmp_path / "profile").write_text("not a folder")
    assert Halt(tmp_path / "profile").is_closed


def test_rearming_archives_the_flag_and_keeps_the_epoch(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    halt.close("KEY", "x", 5)
    body = (tmp_path / FLAG_NAME).read_bytes()
    halt.rearm()
    assert (halt.is_closed, halt.flag_stands(), halt.epoch, halt.flag_written) == (False, False, 1, False)
    (archived,) = tmp_path.glob(f"{FLAG_NAME}.*")
    assert archived.read_bytes() == body
    assert halt.close("KEY")
    assert halt.epoch == 2


def test_a_flag_that_cannot_be_taken_away_keeps_the_gate_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halt = Halt(tmp_path)
    halt.close("KEY", "x", 5)
    before = halt.cause

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError):
        halt.rearm()
    assert halt.cause is before


def test_a_kill_in_the_midst_of_rearming_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halt = Halt(tmp_path)
    halt.close("KEY", "first", 5)
    rename = Path.rename

    def kill_meanwhile(self: Path, target: Path) -> Path:
        thread = threading.Thread(target=halt.close, args=("KEY", "second", 6))
        thread.start()
        thread.join()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", kill_meanwhile)
    halt.rearm()
    assert halt.cause == HaltCause("KEY", "second", 6)
    assert halt.epoch == 2
    assert read_flag(tmp_path) == HaltCause("KEY", "second", 6)  # and it outlives the process


def test_f64_kills_from_everywhere_a_hundred_times_are_one_kill(tmp_path: Path) -> None:
    async def main() -> None:
        told: list[int] = []
        halt = Halt(tmp_path)
        switch = KillSwitch(halt, SystemClock(), lambda: told.append(halt.epoch))
        switch.attach(asyncio.get_running_loop())
        first = threading.Thread(target=switch.kill, args=("KEY", "thread"))
        first.start()
        first.join()
        assert halt.is_closed  # at once, before the loop has had a turn
        assert told == []
        threads = [threading.Thread(target=switch.kill, args=(source,)) for source in ("KEY", "SIGNAL", "GUARD", "CLI") * 25]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        for _ in range(100):
            assert not switch.kill("GUARD")
            assert switch.look()
        await asyncio.sleep(0)
        assert told == [1]
        assert (halt.epoch, halt.cause and halt.cause.reason) == (1, "thread")

    asyncio.run(main())


def test_f64_a_signal_while_a_flag_is_being_read_raises_no_second_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process has made the flag; in the midst of reading it comes its signal, and the key from its own thread."""
    halt, whole, came = Halt(tmp_path), read_flag, list[bool]()

    def read_and_hear(folder: Path) -> HaltCause | None:
        found = whole(folder)
        if not came:
            came.append(True)
            halt.flag_stands()
            thread = threading.Thread(target=halt.close, args=("KEY",))
            thread.start()
            thread.join()
            halt.close("CLI", "SIGUSR1")
        return found

    monkeypatch.setattr("arbtui.model.halt.read_flag", read_and_hear)
    write_flag(tmp_path, "CLI", "arbtui kill", 5)
    assert halt.flag_stands()
    assert came, "it was heard in the midst of it"
    assert halt.epoch == 1
    assert halt.kills == 3, "each one is counted, so that nobody re-arms without having seen it"
    assert halt.cause == HaltCause("CLI", "arbtui kill", 5)


def test_a_flag_from_outside_is_told_once_and_each_new_kill_again(tmp_path: Path) -> None:
    async def main() -> None:
        told: list[int] = []
        halt = Halt(tmp_path)
        switch = KillSwitch(halt, SystemClock(), lambda: told.append(halt.epoch))
        switch.attach(asyncio.get_running_loop())
        assert not switch.look()
        os.close(os.open(tmp_path / FLAG_NAME, os.O_CREAT))
        assert switch.look()
        assert switch.look()
        assert told == [1]
        switch.rearm()
        assert not switch.look()
        switch.kill("KEY")
        await asyncio.sleep(0)
        assert told == [1, 2]

    asyncio.run(main())


def test_a_halt_found_at_the_start_was_told_by_whoever_made_it(tmp_path: Path) -> None:
    write_flag(tmp_path, "CLI", "before", 1)
    told: list[int] = []
    switch = KillSwitch(Halt(tmp_path), SystemClock(), lambda: told.append(1))
    assert switch.look()
    assert told == []


def test_a_kill_after_the_loop_has_gone_still_closes_the_gate(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    switch = KillSwitch(halt, SystemClock(), lambda: None)
    loop = asyncio.new_event_loop()
    switch.attach(loop)
    loop.close()
    assert switch.kill("KEY")
    assert read_flag(tmp_path) is not None
