"""``arbtui load-test``: wrong input is refused before anything starts; a signal ends it with its child."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.cli.command import Here
from tests.lifecycle.waiting import until

P = ("load-test", "--profile", "upbit-binance")
WHOLE = (*P, "--duration", "2", "--report", "out")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("load-test",), "which profile?"),
        (("load-test", "--profile", "upbit-binanc"), "how long? --duration S"),
        (("load-test", "--profile", "upbit-binanc", "--duration", "2", "--report", "out"), "did you mean upbit-binance?"),
        ((*WHOLE, "--symbols", "0"), "--symbols '0': '0' is not a number from 1 to 1000; expected numbers such as 10,20,50"),
        ((*WHOLE, "--symbols", "1001"), "'1001' is not a number"),
        ((*WHOLE, "--symbols", "-5"), "'-5' is not a number"),
        ((*WHOLE, "--symbols", "2.5"), "'2.5' is not a number"),
        ((*WHOLE, "--symbols", "10,x"), "--symbols '10,x': 'x' is not a number"),
        ((*WHOLE, "--symbols", "10,,20"), "'' is not a number"),
        ((*WHOLE, "--symbols", ""), "--symbols '': '' is not a number"),
        ((*WHOLE, "--symbols", "BTC,ETH"), "'BTC' is not a number"),
        ((*WHOLE, "--symbols", "10,20,10"), "10 is named twice"),
        ((*P, "--report", "out"), "how long? --duration S, for each number of symbols"),
        ((*P, "--report", "out", "--duration", "0"), "--duration 0: expected seconds from 1 to 86400"),
        ((*P, "--report", "out", "--duration", "-3"), "--duration -3: expected"),
        ((*P, "--report", "out", "--duration", "nan"), "--duration nan: expected"),
        ((*P, "--report", "out", "--duration", "inf"), "--duration inf: expected"),
        ((*P, "--report", "out", "--duration", "long"), "--duration"),
        ((*P, "--duration", "2"), "where to? --report DIR"),
        ((*WHOLE, "--soak", "2"), "--duration and --soak: give one of them"),
        ((*P, "--soak", "0"), "--soak 0: expected seconds from 1 to 86400"),
        ((*P, "--soak", "2", "--json", ""), "--json '': name a file, or - for standard output"),
        ((*P, "--duration", "2", "--report", ""), "where to? --report DIR"),
        ((*P, "--duration", "2", "--report", "/proc/nowhere"), "--report /proc/nowhere: cannot be written"),
        ((*P, "--duration", "2", "--report", "/dev/null"), "--report /dev/null: a file stands there; name a folder"),
        ((*P, "--duration", "2", "--report", "/dev/null/x"), "--report /dev/null/x: cannot be written"),
        (("load-test", "--profile", "binance-spot-perp", "--duration", "2", "--report", "out"), "the simulator plays upbit and binance"),
        ((*P, "--speed", "max"), "No such option: --speed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_one_line_and_exit_code_2(arbtui: Here, home: Path, arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    answer = arbtui(*arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith("arbtui: ")
    assert answer.err.count("\n") == 1
    assert said in answer.err
    assert list(home.iterdir()) == []


def test_a_state_folder_of_an_earlier_test_is_refused(arbtui: Here, home: Path, tmp_path: Path) -> None:
    (tmp_path / "state" / "3").mkdir(parents=True)
    arguments = ("--symbols", "3", "--duration", "2", "--report", str(tmp_path / "out"), "--state-dir", str(tmp_path / "state"))
    answer = arbtui(*P, *arguments)
    assert answer.code == 2
    assert "an earlier load test left 3 there" in answer.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_its_child(home: Path, tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "arbtui", *P, "--symbols", "2", "--duration", "600", "--report", str(tmp_path / "out")]
    process = subprocess.Popen(
        [*command, "--state-dir", str(tmp_path / "state")], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        journal = tmp_path / "state" / "2" / "real" / "state" / "upbit-binance" / "sim" / "journal.db"
        until(journal.exists, "the child opens its journal")
        (child,) = psutil.Process(process.pid).children()
        process.send_signal(number)
        assert process.wait(60) == 128 + number
        assert not child.is_running()
        said = process.stderr.read() if process.stderr else ""
        assert f"arbtui: load test interrupted by {number.name}; nothing is reported" in said
        assert list((tmp_path / "out").iterdir()) == []
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()
