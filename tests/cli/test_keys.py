"""``arbtui keys``: lists without secrets, stores only what was typed at a terminal, and says which place is used."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as FailRing
from pydantic import SecretStr

from arbtui.exchanges.venues import VENUES
from arbtui.settings.key_file import KeyFile, key_file
from arbtui.settings.key_ring import OsKeyring
from tests.cli.command import Here
from tests.settings.rings import FileRing


@pytest.fixture(autouse=True)
def _no_ring(home: Path) -> Iterator[None]:
    before, none = keyring.get_keyring(), cast(Callable[[], KeyringBackend], FailRing)
    keyring.set_keyring(none())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def ring(_no_ring: None) -> FileRing:
    made = FileRing()
    keyring.set_keyring(made)
    return made


def test_a_list_of_nothing(arbtui: Here) -> None:
    rows = json.loads(arbtui("keys", "list", "--json").out)
    assert [(row["exchange"], row["source"]) for row in rows] == [(name, None) for name in VENUES]


def test_a_list_shows_every_place_and_which_one_is_used(arbtui: Here, ring: FileRing, monkeypatch: pytest.MonkeyPatch) -> None:
    KeyFile(key_file()).save({"upbit": ("file-key-of-1111", "file-secret-canary")}, SecretStr("p"))
    OsKeyring().write("upbit", "ring-key-of-2222", "ring-secret-canary")
    monkeypatch.setenv("ARBTUI_UPBIT_KEY", "env-key-of--3333")
    monkeypatch.setenv("ARBTUI_UPBIT_SECRET", "env-secret-canary")
    answer = arbtui("keys", "list", "--json")
    rows = [row for row in json.loads(answer.out) if row["exchange"] == "upbit"]
    assert [(row["key"], row["source"].split()[0], row["used"]) for row in rows] == [
        ("...3333", "environment", True),
        ("...2222", "keyring", False),
        ("...1111", "file", False),
    ]
    text = arbtui("keys", "list").out
    assert text.count("not used") == 2  # the keyring is behind the environment; nothing reads the file
    assert "canary" not in answer.out + text
    assert "key-of" not in answer.out + text


def test_a_place_that_cannot_be_read_is_told_and_the_others_are_listed(arbtui: Here, ring: FileRing) -> None:
    OsKeyring().write("upbit", "ring-key-of-2222", "s")
    key_file().parent.mkdir(parents=True)
    key_file().write_text("{}")
    key_file().chmod(0o600)
    ring.locked = True
    answer = arbtui("keys", "list")
    assert answer.code == 0
    assert "unlock it" in answer.out
    assert "damaged" in answer.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("set", "kraken"), "there are: upbit, binance, binanceusdm"),
        (("set", "upbit", "--store", "env"), "expected keyring or file"),
        (("set", "upbit"), "no keyring to trust"),
        (("set", "upbit"), "set ARBTUI_UPBIT_KEY and ARBTUI_UPBIT_SECRET in the environment"),
        (("remove", "upbit"), "no keyring to trust"),
        (("remove", "upbit", "--store", "file"), "has no keys of upbit"),
        ((), "keys list"),
    ],
)
def test_what_cannot_be_done_is_said(arbtui: Here, arguments: tuple[str, ...], complaint: str) -> None:
    answer = arbtui("keys", *arguments)
    assert answer.code == 2
    assert complaint in answer.err


def test_without_a_terminal_nothing_is_read(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "arbtui", "keys", "set", "upbit", "--store", "file"],
        input="key\nsecret\n", capture_output=True, text=True, timeout=60, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "typed at a terminal" in done.stderr
    assert not key_file().exists()


def test_that_live_refuses_the_file_is_said_before_anything_is_asked(arbtui: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def ask(what: str) -> SecretStr:
        told.append(what)
        return SecretStr("typed-in-0123456789")

    monkeypatch.setattr("arbtui.settings.prompt.ask_secret", ask)
    monkeypatch.setattr("arbtui.cli.keys.say", told.append)
    assert arbtui("keys", "set", "upbit", "--store", "file").code == 0
    assert "live refuses keys from" in told[0]
    assert "only arbtui guardian takes them" in told[0]
    assert "ARBTUI_UPBIT_KEY and ARBTUI_UPBIT_SECRET" in told[0]
    assert told[1] == "API key of upbit"
    assert dict(KeyFile(key_file()).venues()) == {"upbit": "...6789"}


def test_a_venue_s_passphrase_is_asked_for_and_stored(arbtui: Here, ring: FileRing, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(what: str) -> SecretStr:
        asked.append(what)
        return SecretStr(f"typed-{len(asked)}-canary")

    monkeypatch.setattr("arbtui.settings.prompt.ask_secret", ask)
    answer = arbtui("keys", "set", "OKX")
    assert answer.code == 0
    assert asked == ["API key of okx", "secret of okx", "passphrase of okx"]
    assert OsKeyring().read("okx") == ("typed-1-canary", "typed-2-canary", "typed-3-canary")
    listed = arbtui("keys", "list")
    assert "typed" not in listed.out + listed.err + answer.out + answer.err
    assert [row["key"] for row in json.loads(arbtui("keys", "list", "--json").out) if row["exchange"] == "okx"] == ["...nary"]
    assert arbtui("keys", "remove", "okx").code == 0
    assert OsKeyring().read("okx") is None


def test_a_machine_without_a_keyring_is_not_sent_to_the_file_that_live_refuses(arbtui: Here) -> None:
    assert "--store file" not in arbtui("keys", "set", "upbit").err
    assert "from which only arbtui guardian takes keys" in " ".join(arbtui("keys", "set", "--help").out.split())


def test_keys_that_only_the_file_has_are_not_called_used(arbtui: Here) -> None:
    KeyFile(key_file()).save({"upbit": ("file-key-of-1111", "file-secret-canary")}, SecretStr("p"))
    assert "(not used: live refuses it, a guardian takes it)" in arbtui("keys", "list").out
    assert [row["used"] for row in json.loads(arbtui("keys", "list", "--json").out) if row["exchange"] == "upbit"] == [False]


def test_removed_from_the_keyring(arbtui: Here, ring: FileRing) -> None:
    OsKeyring().write("upbit", "ring-key-of-2222", "s")
    answer = arbtui("keys", "remove", "upbit")
    assert answer.code == 0
    assert "revoke" in answer.out
    assert OsKeyring().read("upbit") is None
    assert "has no keys" in arbtui("keys", "remove", "upbit").err


class TestCheck:
    def test_half_a_key_and_a_damaged_file_are_problems(self, arbtui: Here, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ARBTUI_UPBIT_KEY", "x" * 20)
        key_file().parent.mkdir(parents=True)
        key_file().write_text("{}")
        key_file().chmod(0o600)
        answer = arbtui("check", "--profile", "upbit-binance", "--json")
        problems = [problem["problem"] for problem in json.loads(answer.out)["problems"] if problem["area"] == "keys"]
        assert len(problems) == 2
        assert "ARBTUI_UPBIT_SECRET is not" in problems[0]
        assert "damaged" in problems[1]

    def test_in_live_none_at_all_are_problems_too(self, arbtui: Here, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ARBTUI_MODE", "live")
        answer = arbtui("check", "--profile", "upbit-binance", "--json")
        problems = [problem["problem"] for problem in json.loads(answer.out)["problems"] if problem["area"] == "keys"]
        assert [text.partition(":")[0] for text in problems] == ["no API keys of upbit", "no API keys of binance"]
