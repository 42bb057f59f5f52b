"""Profiles made to be slow or to break: one sentence, at once. Time is CPU time, so a busy machine cannot fail a good program."""

import resource
import time
from pathlib import Path

import pytest

from arbtui.cli import run as command_line
from arbtui.model.errors import UsageError
from arbtui.settings.complaints import line_of_each_key
from arbtui.settings.load import load_profile, read_text
from arbtui.settings.locations import shipped_profiles
from arbtui.settings.structure import odd_text, odd_value
from tests.cli.command import Answer, in_shell

VENUES = "[exchanges.upbit]\n[exchanges.binance]\n"
BOMBS = {
    "a number of 5,000 digits": VENUES + "[execution]\norder_value = " + "9" * 5000,
    "a hexadecimal number": VENUES + "[execution]\norder_value = 0x" + "f" * 9000,
    "an integer beyond 64 bits": VENUES + "[execution]\nmax_attempts = " + "9" * 30,
    "a float beyond all bounds": VENUES + "[execution]\norder_value = " + "9" * 5000 + ".0",
    "an exponent": VENUES + "[execution]\norder_value = 1e" + "9" * 5000,
    "tables 3,000 deep": VENUES + "[" + ".".join("a" * 3000) + "]\nx = 1\n",
    "tables 30 deep": VENUES + "[" + ".".join("a" * 30) + "]\nx = 1\n",
    "a dotted key 40,000 deep": VENUES + ".".join("a" * 40_000) + " = 1\n",
    "dotted keys on every line": VENUES + "\n".join(".".join([f"k{n}", *"b" * 36]) + " = 1" for n in range(1200)),
    "inline tables 3,000 deep": VENUES + "x = " + "{a=" * 3000 + "1" + "}" * 3000,
    "lists 3,000 deep": VENUES + "x = " + "[" * 3000 + "]" * 3000,
    "lists 20 deep": VENUES + "x = " + "[" * 20 + "]" * 20,
    "a header of spaces": VENUES + "[" + " " * 90_000 + "\n",
    "headers of spaces": VENUES + ("[a" + " " * 3000 + "x\n") * 30,
    "a key of spaces": VENUES + "a" + " " * 90_000 + "\n",
    "a key of spaces and letters": VENUES + "a " * 45_000 + "\n",
    "80,000 unknown keys": VENUES + "".join(f"k{n:05} = 1\n" for n in range(80_000)),
    "8,000 unknown keys": VENUES + "".join(f"k{n:05} = 1\n" for n in range(8_000)),
    "3,000 unknown keys": VENUES + "[execution]\n" + "".join(f"order_valu{n:05} = 1\n" for n in range(3_000)),
    "3,000 secrets": VENUES + "".join(f"api_key_{n:05} = 'x'\n" for n in range(3_000)),
    "500 tables": VENUES + "".join(f"[risk.t{n}]\n" for n in range(500)),
    "500 venues": VENUES + "".join(f"[exchanges.x{n}]\n" for n in range(500)),
    "a list of 20,000 symbols": VENUES + "[universe]\nsymbols = [" + ",".join(f"'S{n}'" for n in range(12_000)) + "]",
    "1,900 unknown symbols": VENUES + "[universe]\nsymbols = [" + ",".join(f"'BTC{n}'" for n in range(1_900)) + "]",
    "one key of 90,000 letters": VENUES + "k" * 90_000 + " = 1\n",
    "one text of 90,000 letters": VENUES + "[telegram]\nbase_url = 'https://" + "x" * 90_000 + "'\n",
    "one text of 1,900 letters": VENUES + "[telegram]\nbase_url = 'x" + "y" * 1_900 + "'\n",
    "a table for a value": VENUES + "execution = {" + ",".join(f"a{n}=1" for n in range(3_000)) + "}\n",
}


def _own_seconds(arguments: list[str], *, cold: bool = False) -> tuple[Answer, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = in_shell(*arguments, cold=cold)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime - before.ru_utime


@pytest.fixture(scope="module")
def usual_s() -> float:
    """CPU seconds of loading a good profile, and all that the program imports for it."""
    return _own_seconds(["check", "--profile", "upbit-binance"], cold=True)[1]


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_a_start_ends_in_a_sentence_at_once(home: Path, usual_s: float, text: str) -> None:
    path = home / "bomb.toml"
    path.write_text(text)
    done, seconds = _own_seconds(["--profile", str(path), "--headless", "--state-dir", str(home / "state")])
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert len(done.err) < 700
    assert seconds < 2 * usual_s + 1.0  # of CPU, beside the imports; a busy machine makes both dearer


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_check_tells_no_more_than_a_screen(home: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    path = home / "bomb.toml"
    path.write_text(text)
    fine = home / "fine.toml"
    fine.write_text("[exchanges.upbit]\n[exchanges.binance]\n")
    command_line.run(["check", "--profile", str(fine), "--state-dir", str(home / "state")])  # what it imports costs once
    capsys.readouterr()
    started = time.process_time()
    assert command_line.run(["check", "--profile", str(path), "--state-dir", str(home / "state")]) == 2
    assert time.process_time() - started < 1.0
    told = capsys.readouterr()
    assert told.err == ""
    assert max(len(line) for line in told.out.splitlines()) < 700
    assert len(told.out.splitlines()) < 60


@pytest.mark.parametrize(
    "value",
    ["9" * 5000, "0x" + "f" * 5000, "[" * 3000 + "]" * 3000, "{a=" * 3000 + "1" + "}" * 3000, "a." * 3000, "x" * 90_000, "1e9999"],
    ids=["digits", "hexadecimal", "lists", "tables", "dots", "text", "exponent"],
)
def test_the_environment_too(home: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ARBTUI_EXECUTION__ORDER_VALUE", value)
    arguments = ["--profile", "upbit-binance", "--headless", "--state-dir", str(home / "state")]
    done, seconds = _own_seconds(arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "ARBTUI_EXECUTION__ORDER_VALUE in the environment: execution.order_value" in done.err
    assert len(done.err) < 700
    assert seconds < 1.0


@pytest.mark.parametrize("flag", ["--seed", "--max-runtime", "--symbols"])
def test_flags_too(home: Path, flag: str) -> None:
    for value in ("9" * 5000, "A," * 20_000, ",".join(f"S{n}" for n in range(15_000))):
        done, seconds = _own_seconds(["--profile", "upbit-binance", "--headless", flag, value, "--state-dir", str(home / "state")])
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), value[:10]
        assert len(done.err) < 700
        assert seconds < 1.0


def test_the_shipped_profiles_are_far_from_every_bound() -> None:
    for path in shipped_profiles().glob("*.toml"):
        text = read_text(path)
        assert odd_text(text) == ""
        assert len(text) < 50_000
        load_profile(str(path))


@pytest.mark.parametrize("depth", [7, 9])
def test_how_deep(depth: int) -> None:
    value: object = 1
    for _ in range(depth):
        value = {"a": value}
    assert ("nested" in odd_value(value)) is (depth > 8)


def test_lines_are_found_in_time_that_grows_with_the_text() -> None:
    def seconds(spaces: int) -> float:
        text = ("[a" + " " * spaces + "x\n" + "b" + " c" * spaces + "\n") * 3
        started = time.process_time()
        for _ in range(20):
            line_of_each_key(text)
        return time.process_time() - started

    small, large = seconds(2_000), seconds(20_000)
    assert large < 60 * max(small, 0.002)  # 10 times the text; a cubic search would take 1,000 times as long


def test_a_number_is_named() -> None:
    assert "digits" in odd_value({"a": 10**30})
    assert odd_value({"a": 2**63, "b": [1, 2.5, True, "x"]}) == ""
    with pytest.raises(UsageError):
        load_profile("/dev/null")
