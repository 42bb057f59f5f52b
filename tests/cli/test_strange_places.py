"""Places that are none: a user who does not exist, and pipes that nobody reads or writes. A sentence, and nobody waits."""

import os
from pathlib import Path

import pytest

from tests.cli.command import in_shell

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
