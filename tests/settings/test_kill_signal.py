"""The kill signal: heard between two bytecodes, answered in a file, harmless before and after."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from arbtui.model.halt import Halt, HaltCause, write_flag
from arbtui.settings.kill_signal import ACK_NAME, KillSignal, ask
from arbtui.settings.lock import ProfileLock
from arbtui.settings.process import ProcessFacts, process_facts

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel tells nothing here")


def hear() -> None:
    os.kill(os.getpid(), signal.SIGUSR1)


def answers(folder: Path) -> int:
    return int((folder / ACK_NAME).read_text().split()[2])


def test_the_handler_closes_the_gate_in_the_midst_of_python(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    with KillSignal(tmp_path, halt):
        assert answers(tmp_path) == 0
        hear()
        assert halt.is_closed
        assert halt.cause is not None
        assert (halt.cause.source, halt.cause.reason) == ("CLI", "SIGUSR1")
        assert answers(tmp_path) == 1
    assert Halt(tmp_path).cause == halt.cause  # latched, by a flag of its own


def test_the_cause_is_the_flags(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    with KillSignal(tmp_path, halt):
        write_flag(tmp_path, "CLI", "arbtui kill", 5)
        hear()
    assert halt.cause == HaltCause("CLI", "arbtui kill", 5)
    assert halt.epoch == 1


def test_a_second_signal_is_answered_and_counted_and_changes_nothing_else(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    with KillSignal(tmp_path, halt):
        hear()
        first, kills = halt.cause, halt.kills
        hear()
        assert halt.kills > kills, "so that nobody re-arms without having seen it"
        assert answers(tmp_path) == 2
    assert (halt.cause, halt.epoch) == (first, 1)


def test_a_signal_in_the_midst_of_rearming_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``arbtui kill`` found the old flag and wrote none of its own; the re-arming takes that one away."""
    halt = Halt(tmp_path)
    halt.close("KEY", "first", 5)
    rename = Path.rename

    def heard_meanwhile(self: Path, target: Path) -> Path:
        renamed = rename(self, target)
        hear()
        return renamed

    monkeypatch.setattr(Path, "rename", heard_meanwhile)
    with KillSignal(tmp_path, halt):
        halt.rearm()
    assert halt.is_closed
    assert Halt(tmp_path).is_closed, "and outlives the process"


def test_before_and_after_it_ends_nothing(tmp_path: Path) -> None:
    with KillSignal(tmp_path, Halt(tmp_path)):
        assert (tmp_path / ACK_NAME).stat().st_mode & 0o777 == 0o600
    hear()  # one that was under way when the run ended
    assert not (tmp_path / ACK_NAME).exists()


def test_without_a_place_for_the_answer_the_gate_closes_all_the_same(tmp_path: Path) -> None:
    (tmp_path / ACK_NAME).mkdir()
    halt = Halt(tmp_path)
    with KillSignal(tmp_path, halt):
        hear()
    assert halt.is_closed


@pytest.mark.parametrize("content", ["", "?", "0000000001 1", "a b c", "\xff 1 2", "0000000001 1 0000000000\n"])
def test_an_answer_file_that_says_nothing_confirms_nothing(tmp_path: Path, content: str) -> None:
    with ProfileLock(tmp_path):
        (tmp_path / ACK_NAME).write_text(content, encoding="latin-1")
        answer = ask(tmp_path, within_s=0.01)
    assert answer is not None
    assert not answer.confirmed
    assert "does not listen" in answer.why


def test_nobody_there(tmp_path: Path) -> None:
    assert ask(tmp_path) is None
    assert ask(tmp_path / "absent") is None


def test_a_lock_without_a_pid(tmp_path: Path) -> None:
    with ProfileLock(tmp_path):
        (tmp_path / "lock").write_text("?")
        answer = ask(tmp_path, within_s=0.01)
    assert answer is not None
    assert (answer.pid, answer.confirmed) == (0, False)


@LINUX
def test_what_the_kernel_tells() -> None:
    assert process_facts(os.getpid()).state == "R"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        born = process_facts(child.pid).started
        assert int(born) >= int(process_facts(os.getpid()).started)
        child.send_signal(signal.SIGSTOP)
        os.waitpid(child.pid, os.WUNTRACED)
        assert process_facts(child.pid) == ProcessFacts("T", born)
        child.kill()
    assert process_facts(child.pid) == ProcessFacts()
