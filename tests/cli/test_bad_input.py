"""Bad input ends with exit code 2 and one line that says what is wrong; nothing is started, nothing is left behind."""

from pathlib import Path

import pytest

from tests.cli.command import Here, in_shell
from tests.settings.shipped import LIST

P = ("--profile", "upbit-binance")
HEADLESS = (*P, "--headless")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), f"which profile? --profile NAME; there are: {LIST}"),
        (("--profile", "upbit-binanc"), "did you mean upbit-binance?"),
        (("--profile", "/bin/ls"), "no UTF-8"),
        (("--profile", "/tmp/"), "is a folder"),
        (("--profle", "x"), "No such option: --profle (Possible options: --profile)"),
        (("leger",), "No such command 'leger'. Did you mean 'ledger'?"),
        (
            ("routes", *P),
            "No such command 'routes': the console shows them (pane Routes), Telegram's /routes, and before a start arbtui check",
        ),
        (("xyz",), "No such command 'xyz'; there are: replay, record,"),
        ((*HEADLESS, "--symbols", "0"), "--symbols 0: expected a number from 1 to 1000, or assets such as BTC,ETH"),
        ((*HEADLESS, "--symbols", "-3"), "--symbols -3: expected"),
        ((*HEADLESS, "--symbols", "1001"), "--symbols 1001: expected"),
        ((*HEADLESS, "--symbols", "2.5"), "--symbols 2.5: expected"),
        ((*HEADLESS, "--symbols", ""), "--symbols '': '' is not an asset's code"),
        ((*HEADLESS, "--symbols", "BTC,,ETH"), "'' is not an asset's code"),
        ((*HEADLESS, "--symbols", "BTC;ETH"), "'BTC;ETH' is not an asset's code"),
        ((*HEADLESS, "--symbols", "BTC,btc"), "--symbols: universe.symbols: BTC is named twice"),
        ((*HEADLESS, "--max-runtime", "0"), "--max-runtime 0: expected seconds above 0"),
        ((*HEADLESS, "--max-runtime", "-1"), "--max-runtime -1: expected"),
        ((*HEADLESS, "--max-runtime", "nan"), "--max-runtime nan: expected"),
        ((*HEADLESS, "--max-runtime", "inf"), "--max-runtime inf: expected"),
        ((*HEADLESS, "--max-runtime", "soon"), "--max-runtime"),
        ((*HEADLESS, "--seed", "-1"), "--seed: simulator.seed = -1: expected a whole number from 0"),
        ((*HEADLESS, "--seed", "x"), "--seed"),
        ((*HEADLESS, "--speed", "fast"), "--speed 'fast': expected real or max"),
        ((*P, "--speed", "max"), "--speed max runs on a virtual clock, which no console can show; add --headless"),
        ((*HEADLESS, "--mode", "live"), "exchanges.upbit.urls leads to https://api.upbit.com, and its real_orders is false: mode live"),
        ((*HEADLESS, "--mode", "live", "--confirm", "upbit-binance"), "mode live reaches this machine only. docs/real-orders.md says"),
        ((*HEADLESS, "--mode", "paper", "--speed", "max"), "--speed max runs on a virtual clock; mode paper lives in real time"),
        ((*HEADLESS, "--confirm", "upbit-binance"), "--confirm arms mode live; this start is sim"),
        ((*HEADLESS, "--mode", "liv"), '--mode: mode "liv": expected sim, paper, live'),
        ((*HEADLESS, "--json", "/nowhere/x.json"), "--json /nowhere/x.json: cannot be written"),
        ((*HEADLESS, "--json", "/tmp"), "--json /tmp: name a file"),
        (P, "no terminal"),
        ((*P, "ledger"), "--profile belongs after the command: arbtui ledger --profile"),
        (("replay", *P), "Missing argument 'FILE...'"),
        (("replay", "/nowhere.gz", *P), "recording /nowhere.gz cannot be read (No such file or directory)"),
        (("replay", "/tmp", *P), "recording /tmp is a folder"),
        (("replay", "/bin/ls"), "which profile?"),
        (("replay", "/bin/ls", *P, "--speed", "0"), "--speed '0': expected max, or a factor above 0"),
        (("replay", "/bin/ls", *P, "--speed", "nan"), "--speed 'nan': expected max"),
        (("ledger",), "which profile?"),
        (("ledger", *P), "profile upbit-binance has no journal in "),
        (("ledger", "--profile", "upbit-binanc"), "did you mean upbit-binance?"),
        (("ledger", *P, "--mode", "simm"), "--mode 'simm': expected sim, paper, live"),
        (("ledger", *P, "--mode", "live"), "has no journal of mode live"),
        (("ledger", *P, "--json", "--csv"), "--json or --csv, not both"),
        (("status",), "which profile?"),
        (("status", "--profile", "upbit-binanc"), "holds no state of one; did you mean upbit-binance? There are: all-venues, "),
        (("status", "--profile", "zzz"), "no profile is named zzz, and "),
        (("status", "--profile", "/nowhere/p.toml"), "profile /nowhere/p.toml: no such file"),
        (("status", "--profile", ".."), "'..' gives no profile's name"),
        (("status", "--profile", ""), "which profile?"),
        (("status", *P, "--mode", "simm"), "--mode 'simm': expected sim, paper, live"),
        (("status", *P, "--mode", "live"), "profile upbit-binance has no journal of mode live ("),
        (("status", *P, "--state-dir", "/bin/ls"), "state folder /bin/ls is a file"),
        (("status", *P, "--state-dir", "/" + "x" * 300), "cannot be read (File name too long)"),
        (("status", *P, "--jsn"), "No such option: --jsn"),
        (("status", *P, "please"), "Got unexpected extra argument"),
        ((*P, "status"), "--profile belongs after the command: arbtui status --profile"),
        (("kill",), "arbtui kill --profile NAME [--state-dir DIR]"),
        (("kill", "--profile"), "kill: --profile lacks its value"),
        (("kill", "--profile="), "kill: --profile lacks its value"),
        (("kill", "--profile", "--json"), "kill: --profile lacks its value"),
        (("kill", *P, "--state-dir"), "kill: --state-dir lacks its value"),
        (("kill", "--profile", ".."), "'..' gives no profile's name"),
        (("kill", "--profile", "a b"), "'a b' gives no profile's name"),
        (("init", "a/b"), "give a name, not a path"),
        (("init", "a b"), "gives no profile's name"),
        (("init",), "Missing argument 'NAME'"),
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


def test_the_exit_code_reaches_the_shell(home: Path) -> None:
    answer = in_shell("--profile", "upbit-binance", "--symbols", "0")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "arbtui: --symbols 0: expected a number from 1 to 1000, or assets such as BTC,ETH\n"


def test_no_terminal_is_said(home: Path) -> None:
    answer = in_shell("--profile", "upbit-binance")
    assert answer.code == 2
    assert answer.err == "arbtui: no terminal: the console needs one for input and for standard error; to run without it, add --headless\n"


def test_our_own_mistake_ends_with_code_1_and_a_sentence(arbtui: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.settings.locations.all_profiles", lambda: 1 / 0)
    answer = arbtui("--profile", "x")
    assert answer.code == 1
    assert answer.err.endswith("arbtui: internal error: ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt, 130), (BrokenPipeError, 141)])
def test_interrupted_and_unread(home: Path, raised: type[BaseException], code: int) -> None:
    program = f"""
import sys
from arbtui.cli import main
from arbtui.settings import locations
def fail(): raise {raised.__name__}
locations.all_profiles = fail
sys.argv[1:] = ["--profile", "x"]
sys.exit(main())
"""
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
