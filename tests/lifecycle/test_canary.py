"""No key and no secret that the program was told is in anything that it leaves: output, log, journal, summary, files."""

from pathlib import Path

import pytest

from tests.lifecycle.canary import Canary
from tests.lifecycle.programs import run
from tests.lifecycle.state import State
from tests.lifecycle.terminal import console, text_of

P = ("--profile", "upbit-binance")
VENUES = [Canary("upbit"), Canary("binance")]


@pytest.fixture
def told(state: State, monkeypatch: pytest.MonkeyPatch) -> State:
    for canary in VENUES:
        for name, value in canary.environment().items():
            monkeypatch.setenv(name, value)
    return state


@pytest.mark.parametrize(
    "command",
    [
        (*P, "--headless", "--symbols", "3", "--max-runtime", "30", "--speed", "max", "--json", "-"),
        (*P, "--headless", "--symbols", "2", "--max-runtime", "1", "--json", "-"),
        (*P, "--mode", "live", "--headless"),
        ("check", *P),
        ("check", *P, "--json"),
        ("check", "--profile", "nowhere"),
        ("status", *P, "--json"),
        ("ledger", *P, "--json"),
        ("keys", "list"),
        ("keys", "list", "--json"),
        ("keys", "set", "upbit", "--secret", "x"),
        ("locate",),
        ("profiles", "--json"),
        ("kill", *P),
    ],
    ids=" ".join,
)
def test_f77_from_the_environment(told: State, home: Path, command: tuple[str, ...]) -> None:
    ended = run(*command, *(() if command[0] in ("keys", "profiles") else ("--state-dir", str(told.root))))
    assert "Traceback" not in ended.err
    for canary in VENUES:
        assert canary.found((ended.out, ended.err), (home,)) == []


def test_f77_a_half_set_key_is_told_without_it(told: State, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARBTUI_UPBIT_SECRET")
    ended = run("check", *P)
    assert ended.code == 2
    assert "ARBTUI_UPBIT_KEY is set and ARBTUI_UPBIT_SECRET is not" in ended.out
    assert VENUES[0].found((ended.out, ended.err), (home,)) == []


def test_f77_typed_into_the_key_file(home: Path, state: State) -> None:
    """The whole way at a terminal: nothing typed is echoed, the file holds it sealed, the list shows four characters."""
    canary, passphrase = Canary("binance"), "canary-passphrase-0192837465"
    with console("keys", "set", "binance", "--store", "file") as terminal:
        for prompt, typed in (
            ("API key of binance", canary.key),
            ("secret of binance", canary.secret),
            ("new passphrase", passphrase),
            ("once more", passphrase),
        ):
            terminal.shows(prompt)
            terminal.type(typed.encode() + b"\r")
        assert terminal.ended() == 0
        screen = text_of(terminal.screen)
    assert "stored in" in screen
    listed = run("keys", "list")
    assert listed.code == 0
    assert f"...{canary.key[-4:]}" in listed.out
    assert canary.found((screen, listed.out, listed.err), (home,)) == []
    assert Canary("binance", passphrase, passphrase).found((screen, listed.out), (home,)) == []


def test_f77_two_passphrases_that_differ_store_nothing(home: Path) -> None:
    with console("keys", "set", "upbit", "--store", "file") as terminal:
        for prompt, typed in (("API key", "k" * 20), ("secret of", "s" * 20), ("new passphrase", "one"), ("once more", "two")):
            terminal.shows(prompt)
            terminal.type(typed.encode() + b"\r")
        assert terminal.ended() == 2
        assert "differ" in text_of(terminal.screen)
    assert not (home / "config" / "arbtui" / "keys.json").exists()


def test_the_helper_finds_what_it_looks_for(tmp_path: Path) -> None:
    canary = Canary()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "journal.db").write_bytes(b"\x00" + canary.secret.encode() + b"\x00")
    (tmp_path / "clean").write_text(canary.key[-4:])
    assert canary.found((f"sent {canary.key}",), (tmp_path,)) == [f"output: 'sent {canary.key}'", str(tmp_path / "deep" / "journal.db")]
