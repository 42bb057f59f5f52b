"""Keys come from three places in one order, are kept where nobody else can read them, and are shown by nothing."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as FailRing
from keyring.backends.null import Keyring as NullRing
from pydantic import SecretStr

from arbtui.exchanges.keys import VenueKeyHolder, VenueKeys, tail
from arbtui.model.errors import UsageError
from arbtui.monitoring.redact import redact
from arbtui.settings.key_file import KeyFile, key_file
from arbtui.settings.key_ring import OsKeyring
from arbtui.settings.venue_keys import key_holder, venue_keys
from tests.settings.rings import FileRing, PlaintextRing

PASS = SecretStr("correct horse")
KEY, SECRET = "k-0123456789abcdef", "s-0123456789abcdef"


@pytest.fixture(autouse=True)
def ring(home: Path) -> Iterator[FileRing]:
    before = keyring.get_keyring()
    made = FileRing()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def _told(keys: VenueKeys) -> tuple[str, str]:
    return keys.key.get_secret_value(), keys.secret.get_secret_value()


def _three(keys: VenueKeys) -> tuple[str, str, str]:
    return *_told(keys), keys.passphrase.get_secret_value()


class TestWhereTheyComeFrom:
    def test_the_environment_is_before_the_keyring_and_that_before_the_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        KeyFile(key_file()).save({"upbit": ("file-key-of-upbit", "file-secret")}, PASS)
        asked: list[str] = []

        def ask(what: str) -> SecretStr:
            asked.append(what)
            return PASS

        assert _told(venue_keys("upbit", live=False, ask=ask)) == ("file-key-of-upbit", "file-secret")
        assert len(asked) == 1
        OsKeyring().write("upbit", "ring-key-of-upbit", "ring-secret")
        assert _told(venue_keys("upbit", live=True)) == ("ring-key-of-upbit", "ring-secret")
        monkeypatch.setenv("ARBTUI_UPBIT_KEY", " env-key-of-upbit\n")
        monkeypatch.setenv("ARBTUI_UPBIT_SECRET", "env-secret")
        found = venue_keys("upbit", live=True)
        assert _told(found) == ("env-key-of-upbit", "env-secret")
        assert found.source == "environment (ARBTUI_UPBIT_KEY)"
        assert len(asked) == 1

    def test_none_says_how_to_give_them(self) -> None:
        with pytest.raises(UsageError, match=r"ARBTUI_BINANCE_KEY and ARBTUI_BINANCE_SECRET.*arbtui keys set binance"):
            venue_keys("binance", live=True)

    @pytest.mark.parametrize("missing", ["KEY", "SECRET"])
    def test_half_of_them_is_an_error_that_names_the_other_half(self, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
        there = {"KEY": "SECRET", "SECRET": "KEY"}[missing]
        monkeypatch.setenv(f"ARBTUI_UPBIT_{there}", "x" * 20)
        OsKeyring().write("upbit", KEY, SECRET)
        with pytest.raises(UsageError, match=f"ARBTUI_UPBIT_{there} is set and ARBTUI_UPBIT_{missing} is not"):
            venue_keys("upbit", live=True)

    @pytest.mark.parametrize("wrong", ["two words-canary", "line\nbreak-canary", "caf\N{LATIN SMALL LETTER E WITH ACUTE}-canary"])
    def test_what_no_key_is_is_refused_and_not_repeated(self, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
        monkeypatch.setenv("ARBTUI_UPBIT_KEY", KEY)
        monkeypatch.setenv("ARBTUI_UPBIT_SECRET", wrong)
        with pytest.raises(UsageError, match="ARBTUI_UPBIT_SECRET") as caught:
            venue_keys("upbit", live=True)
        assert "canary" not in str(caught.value)

    def test_live_refuses_the_file_and_says_why(self) -> None:
        KeyFile(key_file()).save({"upbit": (KEY, SECRET)}, PASS)
        with pytest.raises(UsageError, match="a kill from outside could not cancel your orders"):
            venue_keys("upbit", live=True, ask=lambda _: PASS)

    def test_a_file_without_anybody_to_ask_is_an_error(self) -> None:
        KeyFile(key_file()).save({"upbit": (KEY, SECRET)}, PASS)
        with pytest.raises(UsageError, match="no terminal"):
            venue_keys("upbit", live=False)

    def test_what_was_found_is_shown_by_nothing(self) -> None:
        OsKeyring().write("upbit", "ring-key-9182", "ring-secret-9182")
        found = venue_keys("upbit", live=True)
        assert "9182" not in f"{found!r} {found}" + redact("ring-key-9182 and ring-secret-9182")
        assert found.tail == "...9182"

    def test_of_a_short_key_nothing_is_shown(self) -> None:
        assert tail("elevenchars") == "..."
        assert tail("twelve_chars") == "...hars"


class TestTheKeyring:
    @pytest.mark.parametrize("backend", [FailRing, NullRing, PlaintextRing])
    def test_a_backend_that_fails_forgets_or_writes_plain_text_is_none(self, backend: Callable[[], KeyringBackend]) -> None:
        keyring.set_keyring(backend())
        assert OsKeyring().name == ""
        assert OsKeyring().read("upbit") is None
        with pytest.raises(UsageError, match="no keyring to trust"):
            OsKeyring().write("upbit", KEY, SECRET)
        assert not Path("~/.ring.json").expanduser().exists()

    def test_a_chain_never_falls_through_to_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make: Callable[[], KeyringBackend] = ChainerBackend
        monkeypatch.setattr(ChainerBackend, "backends", [PlaintextRing(), PlaintextRing()])
        keyring.set_keyring(make())
        assert OsKeyring().name == ""

    def test_a_locked_one_is_an_error_not_an_absence(self, ring: FileRing) -> None:
        OsKeyring().write("upbit", KEY, SECRET)
        ring.locked = True
        for attempt in (
            lambda: venue_keys("upbit", live=True),
            lambda: OsKeyring().write("upbit", KEY, SECRET),
            lambda: OsKeyring().remove("upbit"),
        ):
            with pytest.raises(UsageError, match="keyring"):
                attempt()

    def test_an_entry_of_somebody_else_is_told(self, ring: FileRing) -> None:
        ring.set_password("arbtui", "upbit", "canary")
        with pytest.raises(UsageError, match="not ours") as caught:
            venue_keys("upbit", live=True)
        assert "canary" not in str(caught.value)

    def test_removed_is_gone(self) -> None:
        OsKeyring().write("upbit", KEY, SECRET)
        OsKeyring().remove("upbit")
        assert OsKeyring().read("upbit") is None
        with pytest.raises(UsageError):
            OsKeyring().remove("upbit")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file with one key, as it was saved: to derive its key from the passphrase takes a third of a second each time."""
    path = tmp_path_factory.mktemp("sealed") / "keys.json"
    KeyFile(path).save({"upbit": (KEY, SECRET)}, PASS)
    return path.read_bytes()


@pytest.fixture
def stored(sealed: bytes, home: Path) -> KeyFile:
    """That file, where it belongs."""
    file = KeyFile(key_file())
    file.path.parent.mkdir(parents=True)
    file.path.write_bytes(sealed)
    file.path.chmod(0o600)
    return file


class TestTheFile:
    def test_it_holds_what_was_put_in_for_its_owner_alone_and_nothing_in_the_clear(self, home: Path) -> None:
        file = KeyFile(key_file())
        entries = {"upbit": (KEY, SECRET), "binance": ("another-key-123456", "another-secret")}
        file.save(entries, PASS)
        assert file.path.stat().st_mode & 0o777 == 0o600
        assert file.path.parent.stat().st_mode & 0o077 in (0, 0o055)
        text = file.path.read_text()
        for secret in (KEY, SECRET, "another-key", "another-secret", "correct horse"):
            assert secret not in text
            assert base64.b64encode(secret.encode()).decode().rstrip("=") not in text
        assert file.open(PASS) == entries
        assert file.venues() == {"binance": "...3456", "upbit": "...cdef"}
        assert [path.name for path in file.path.parent.iterdir()] == ["keys.json"]

    def test_the_same_keys_look_different_each_time(self) -> None:
        file = KeyFile(key_file())
        file.save({"upbit": (KEY, SECRET)}, PASS)
        first = json.loads(file.path.read_text())
        file.save({"upbit": (KEY, SECRET)}, PASS)
        second = json.loads(file.path.read_text())
        assert first["salt"] != second["salt"]
        assert first["data"] != second["data"]

    def test_the_last_entry_takes_the_file_with_it(self, stored: KeyFile) -> None:
        stored.save({}, PASS)
        assert not stored.path.exists()

    def test_a_wrong_passphrase_is_said_plainly(self, stored: KeyFile) -> None:
        with pytest.raises(UsageError, match="wrong passphrase, or a damaged file"):
            stored.open(SecretStr("battery staple"))

    def test_a_change_of_what_is_in_the_clear_is_noticed(self, stored: KeyFile) -> None:
        told = json.loads(stored.path.read_text())
        told["venues"] = {"binance": "...cdef"}
        stored.path.write_text(json.dumps(told))
        with pytest.raises(UsageError, match="damaged"):
            stored.open(PASS)

    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: "",
            lambda text: text[:40],
            lambda text: "[1, 2]",
            lambda text: "null",
            lambda text: text.replace('"format": 1', '"format": 2'),
            lambda text: text.replace('"venues": {', '"venues": {"a": 1, '),
            lambda text: json.dumps({**json.loads(text), "data": "!!"}),
            lambda text: json.dumps({**json.loads(text), "data": "AAAA"}),
            lambda text: json.dumps({**json.loads(text), "salt": 3}),
            lambda text: "[" * 100_000,
        ],
    )
    def test_a_damaged_file_is_an_error_never_a_traceback(self, stored: KeyFile, damage: object) -> None:
        assert callable(damage)
        stored.path.write_text(damage(stored.path.read_text()))
        with pytest.raises(UsageError, match=r"keys\.json"):
            stored.open(PASS)

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
    def test_one_that_others_may_read_is_refused(self, stored: KeyFile, mode: int) -> None:
        stored.path.chmod(mode)
        with pytest.raises(UsageError, match="chmod 600"):
            stored.venues()

    def test_a_link_is_not_followed(self, home: Path) -> None:
        file = KeyFile(key_file())
        file.path.parent.mkdir(parents=True)
        file.path.symlink_to("/etc/passwd")
        with pytest.raises(UsageError, match="cannot be read"):
            file.venues()


class TestOfThreeParts:
    """OKX's keys have a passphrase beside key and secret."""

    THREE = ("okx-key-of-1234567", "okx-secret-12345", "Okx-phrase_1!")

    def test_all_three_come_from_each_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        KeyFile(key_file()).save({"okx": ("file-key-of-okx-00", *self.THREE[1:]), "upbit": (KEY, SECRET)}, PASS)
        assert _three(venue_keys("okx", live=False, ask=lambda _: PASS)) == ("file-key-of-okx-00", *self.THREE[1:])
        OsKeyring().write("okx", "ring-key-of-okx-00", *self.THREE[1:])
        assert _three(venue_keys("okx", live=True)) == ("ring-key-of-okx-00", *self.THREE[1:])
        for part, text in zip(("KEY", "SECRET", "PASSPHRASE"), self.THREE, strict=True):
            monkeypatch.setenv(f"ARBTUI_OKX_{part}", f" {text}\n")
        assert _three(venue_keys("okx", live=True)) == self.THREE

    def test_what_is_missing_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(UsageError, match="ARBTUI_OKX_KEY, ARBTUI_OKX_SECRET and ARBTUI_OKX_PASSPHRASE"):
            venue_keys("okx", live=True)
        monkeypatch.setenv("ARBTUI_OKX_KEY", KEY)
        monkeypatch.setenv("ARBTUI_OKX_SECRET", SECRET)
        with pytest.raises(UsageError, match="ARBTUI_OKX_KEY is set and ARBTUI_OKX_PASSPHRASE is not: a venue needs all 3"):
            venue_keys("okx", live=True)

    def test_an_entry_without_its_passphrase_is_to_be_stored_anew(self) -> None:
        OsKeyring().write("okx", *self.THREE[:2])
        with pytest.raises(UsageError, match=r"has a key, secret and passphrase; store it anew \(arbtui keys set okx\)"):
            venue_keys("okx", live=True)

    def test_the_passphrase_is_shown_by_nothing(self) -> None:
        OsKeyring().write("okx", *self.THREE)
        found = venue_keys("okx", live=True)
        assert self.THREE[2] not in f"{found!r} {found}" + redact(f"it is {self.THREE[2]}.")
        assert "canary" not in redact(
            '{"OK-ACCESS-PASSPHRASE": "canary", "OK-ACCESS-SIGN": "canary"} {"passphrase":"canary","sign":"canary"}'
        )

    def test_a_new_passphrase_alone_is_a_new_key(self) -> None:
        OsKeyring().write("okx", *self.THREE)
        holder = key_holder("okx", live=True)
        assert not holder.reread()
        OsKeyring().write("okx", *self.THREE[:2], "Another-phrase_2")
        assert holder.reread()
        assert holder.current().passphrase.get_secret_value() == "Another-phrase_2"


class TestRotation:
    def test_new_keys_are_taken_once(self) -> None:
        OsKeyring().write("upbit", "first-key-000000", "first-secret")
        holder = key_holder("upbit", live=True)
        assert not holder.reread(), "nothing changed"
        OsKeyring().write("upbit", "second-key-00000", "second-secret")
        assert holder.reread()
        assert _told(holder.current())[0] == "second-key-00000"
        assert not holder.reread(), "a second refusal finds the same keys"

    def test_a_source_that_cannot_be_read_changes_nothing(self, ring: FileRing) -> None:
        OsKeyring().write("upbit", KEY, SECRET)
        holder = key_holder("upbit", live=True)
        ring.locked = True
        assert not holder.reread()
        assert _told(holder.current()) == (KEY, SECRET)

    def test_a_passphrase_is_asked_for_once(self) -> None:
        file = KeyFile(key_file())
        file.save({"upbit": (KEY, SECRET)}, PASS)
        asked: list[str] = []

        def ask(what: str) -> SecretStr:
            asked.append(what)
            return PASS

        holder = key_holder("upbit", live=False, ask=ask)
        file.save({"upbit": ("second-key-00000", SECRET)}, PASS)
        assert holder.reread()
        assert len(asked) == 1

    def test_no_keys_no_holder(self) -> None:
        with pytest.raises(UsageError):
            key_holder("upbit", live=True)
        with pytest.raises(UsageError):
            VenueKeyHolder(lambda: venue_keys("binance", live=True))
