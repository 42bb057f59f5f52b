"""Places that are none: a user who does not exist, and pipes that nobody reads or writes. A sentence, and nobody waits."""

import os
from pathlib import Path

import pytest

from tests.cli.command import Here, in_shell

P = ("--profile", "upbit-binance")
HEADLESS = (*P, "--headless", "--symbols", "2", "--max-runtime", "0.2")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--profile", "~nobody-of-that-name/x.toml", "--headless"),
        ("check", "--profile", "~nobody-of-that-name/x.toml"),
        ("kill", *P, "--state-dir", "~nobody-of-that-name/x"),
        ("replay", "~nobody-of-that-name/x", *P),
        ("replay", "pipe", *P),
        (*HEADLESS, "--json", "pipe"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_sentence_and_nobody_waits(home: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    monkeypatch.chdir(home)
    os.mkfifo("pipe")
    answer = in_shell(*arguments)
    assert answer.code in (1, 2)
    assert "Traceback" not in answer.err
    assert "internal error" not in answer.err


@pytest.mark.parametrize(
    "command",
    [
        *(
            "ledger",
            "status",
            "stock",
            "positions",
            "adjust",
            "orders",
            "limits",
            "transfers",
            "targets",
            "rearm",
            "rearm --scope global",
            "journal",
        ),
        *("guardian --status", "simulate --seeds 1"),
    ],
)
def test_a_state_folder_that_is_a_file_is_said_to_be_one(arbtui: Here, home: Path, command: str) -> None:
    path = home / "notes.txt"
    path.write_text("")
    answer = arbtui(*command.split(), *P, "--state-dir", str(path))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"arbtui: state folder {path} is a file; name the folder with --state-dir\n"
