"""Bad input, each in a process of its own: one clear line and the code, never a traceback, and nothing that stood there is lost."""

import gzip
import json
import shlex
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.lifecycle.places import in_namespace, program, read_only
from tests.lifecycle.programs import Ended, run, running
from tests.lifecycle.state import State
from tests.lifecycle.terminal import CTRL_K, CTRL_Q, console
from tests.lifecycle.waiting import until

SHORT = ("--headless", "--symbols", "5", "--max-runtime", "0.3")


def assert_refused(ended: Ended, *said: str, code: int = 2) -> None:
    """One line that says what is wrong, and nothing on standard output."""
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert ended.err.startswith("arbtui: ")
    assert ended.err.count("\n") == 1, ended.err
    for words in said:
        assert words in ended.err


def everything_in(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` that holds anything, by name; SQLite's index of a log is nobody's data."""
    found = sorted(folder.rglob("*"))
    data = [path for path in found if path.is_file() and path.stat().st_size and not path.name.endswith("-shm")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in data}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--profile", "upbit-binanc"), "did you mean upbit-binance?"),
        (("--profile", "no/such/profile.toml"), "no/such/profile.toml"),
        (("--profile", "."), "'.' gives no profile's name"),
        (
            ("--profile", "upbit-binance", "--symbols", "BTC,BTCX"),
            "--symbols: BTCX is not among the 1000 simulated symbols; the nearest is BTC",
        ),
        (("--profile", "upbit-binance", "--symbols", "0"), "--symbols 0: expected a number from 1 to 1000"),
        (("--profile", "upbit-binance", "--symbols", "-1"), "--symbols -1: expected a number from 1 to 1000"),
        (("--profile", "upbit-binance", "--symbols", "1001"), "--symbols 1001: expected a number from 1 to 1000"),
        (("--profile", "upbit-binance", "--symbols", ""), "--symbols ''"),
        (("--profile", "upbit-binance", "--max-runtime", "0"), "--max-runtime 0: expected seconds above 0"),
        (("--profile", "upbit-binance", "--max-runtime", "-1"), "--max-runtime -1: expected seconds above 0"),
        (("--profile", "upbit-binance", "--max-runtime", "nan"), "--max-runtime nan: expected seconds above 0"),
        (("--profile", "upbit-binance", "--speed", "banana"), "--speed 'banana': expected real or max"),
        (("--profile", "upbit-binance", "--mode", "live"), "mode live reaches this machine only"),
        (("--profile", "binance-spot-perp"), "not binanceusdm"),
        (("--profile", "upbit-binance", "--json", "missing/summary.json"), "--json missing/summary.json: cannot be written"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, tuple) else "",
)
def test_arguments(state: State, arguments: tuple[str, ...], said: str) -> None:
    assert_refused(run(*arguments, "--headless", "--state-dir", str(state.root)), said)
    assert not state.root.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[exchanges.upbit]\n[exchanges.binance]\n[execution]\norder_valu = 1\n", "did you mean execution.order_value?"),
        ("[exchanges.upbit]\n[exchanges.binance]\n[execution]\norder_value = 'much'\n", "execution.order_value"),
        ("[exchanges.upbit]\n[exchanges.binance]\n[notices]\nlanguage = 'ko'\n", "notices"),
        (
            '[exchanges.upbit]\n[exchanges.binance]\n[universe]\nsymbols = ["BTC", "BTCX"]\n',
            "odd.toml:4: universe.symbols: BTCX is not among the 1000 simulated symbols; the nearest is BTC",
        ),
        ("[exchanges.upbit\n", "odd.toml"),
        ("", "odd.toml"),
    ],
    ids=["unknown key", "wrong type", "not built", "unknown symbol", "not TOML", "empty"],
)
def test_profiles(home: Path, text: str, said: str) -> None:
    path = home / "odd.toml"
    path.write_text(text)
    assert_refused(run("--profile", str(path), "--headless", "--max-runtime", "1", "--state-dir", str(home / "state")), said)
    assert path.read_text() == text


def test_the_console_needs_real_time_and_a_terminal(state: State) -> None:
    assert_refused(run(*state.arguments(), "--speed", "max"), "add --headless")
    assert_refused(run(*state.arguments()), "no terminal", "--headless")
    assert not state.root.exists()


TRADE = '{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"61837.64","q":"0.1","T":1,"m":true,"M":true}}'


def own(*times: int, exchange: str = "binance") -> bytes:
    """A recording in our own format, with a trade at each of ``times``."""
    lines = [json.dumps({"t": "header", "format": "arbtui-1", "exchanges": [exchange]})]
    lines += [json.dumps({"ts": time, "ex": exchange, "d": TRADE}) for time in times]
    return "".join(f"{line}\n" for line in lines).encode()


START = 1_723_161_253_937_085_768
IN_ORDER = [START + number * 1_000_000 for number in range(6000)]


@pytest.mark.parametrize(
    ("content", "profile", "said"),
    [
        (gzip.compress(own(*IN_ORDER))[:-4000], "upbit-binance", "truncated: the gzip data ends early"),
        (b"PK\x03\x04 this is something else", "upbit-binance", "not a recording"),
        (own(*IN_ORDER, START - 10**9), "upbit-binance", "out of order: line 6002"),
        (own(*IN_ORDER[:9], exchange="kraken"), "upbit-binance", "unknown venue: no decoder for kraken"),
        (own(*IN_ORDER[:9], exchange="upbit"), "binance-spot-perp", "the profile has no [exchanges.upbit]"),
        (b"", "upbit-binance", "is empty, not a recording"),
        (gzip.compress(b""), "upbit-binance", "is empty, not a recording"),
        (None, "upbit-binance", "is a folder"),
    ],
    ids=["truncated", "not gzip", "out of order", "unknown venue", "not in the profile", "empty", "empty gzip", "folder"],
)
def test_recordings(home: Path, content: bytes | None, profile: str, said: str) -> None:
    path = home / "recording.gz"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    assert_refused(run("replay", str(path), "--profile", profile, "--speed", "max", "--state-dir", str(home / "state")), str(path), said)
    assert content is None or path.read_bytes() == content
    journal = home / "state" / profile / "paper" / "journal.db"
    if journal.exists():
        assert run("ledger", "--profile", profile, "--json", "--state-dir", str(home / "state")).code == 0


def test_a_damaged_recording_is_consumed_as_far_as_it_is_whole(home: Path) -> None:
    path = home / "recording.gz"
    path.write_bytes(own(*IN_ORDER, START - 10**9))
    ended = run("replay", str(path), "--profile", "upbit-binance", "--speed", "max", "--json", "-")
    assert ended.code == 2
    told = json.loads(ended.out)
    assert (told["stop_reason"], told["messages"]["decoded"]) == ("error", len(IN_ORDER))


@pytest.mark.parametrize(
    ("message", "kind"), [("b'quoted as Python does", "json"), ('{"e":"depthUpdate"}', "depthUpdate"), ("[]", "unknown")]
)
def test_a_replay_that_could_read_less_than_it_should_says_so_and_exits_2(home: Path, message: str, kind: str) -> None:
    path = home / "recording"
    path.write_bytes(own(*IN_ORDER[:9]) + json.dumps({"ts": IN_ORDER[9], "ex": "binance", "d": message}).encode() + b"\n")
    ended = run("replay", str(path), "--profile", "upbit-binance", "--speed", "max", "--json", "-")
    assert ended.code == 2
    assert "1 of 10 messages could not be decoded" in ended.err
    assert kind in ended.err
    told = json.loads(ended.out)["messages"]
    assert (told["read"], told["decoded"], sum(told["malformed"].values())) == (10, 9, 1)


def test_a_replay_says_what_became_of_every_message(home: Path) -> None:
    path = home / "recording"
    path.write_bytes(own(*IN_ORDER[:9]) + json.dumps({"ts": IN_ORDER[9], "ex": "binance", "d": '{"e":"kline"}'}).encode() + b"\n")
    ended = run("replay", str(path), "--profile", "upbit-binance", "--speed", "max")
    assert ended.code == 0
    assert "replayed binance: 10 messages, 9 decoded (" in ended.err
    assert "1 of types that are not used (kline 1)" in ended.err


def test_a_recording_that_is_not_there(home: Path) -> None:
    assert_refused(run("replay", str(home / "none.gz"), "--profile", "upbit-binance"), "none.gz cannot be read (No such file or directory)")


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder that has been traded in."""
    state = State(tmp_path_factory.mktemp("history"))
    ended = run(*state.arguments(), "--headless", "--symbols", "5", "--max-runtime", "10", "--speed", "max")
    assert ended.code == 0, ended.err
    assert state.count("fill") > 0
    return state.root


@pytest.fixture
def traded(state: State, history: Path) -> State:
    """A copy of it."""
    shutil.copytree(history, state.root)
    return state


def database(application_id: int, user_version: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.unlink()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA application_id = {application_id}")
            connection.execute(f"PRAGMA user_version = {user_version}")
            connection.execute("CREATE TABLE precious (content)")

    return make


def rubbish(path: Path) -> None:
    path.write_text("no database, but long enough to be taken for one " * 100)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "precious").write_text("")


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


def truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(0)


@pytest.mark.parametrize("name", ["journal.db", "venue.db"])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (rubbish, "it is not an SQLite database"),
        (database(0x12345678, 1), "belongs to another program"),
        (database(0, 0), "belongs to another program"),
        (database(0x41524254, 99), "written by a newer version (format 99"),
        (folder, "a directory stands where a database should be"),
        (truncate, "is missing or empty, but"),
        (Path.unlink, "is missing or empty, but"),
        (damage, "it is damaged"),
    ],
    ids=["rubbish", "another program's", "nobody's", "newer", "folder", "zero bytes", "gone", "damaged"],
)
def test_databases(traded: State, name: str, spoil: Callable[[Path], None], said: str) -> None:
    path = traded.folder / "sim" / name
    if said.startswith("written") and name == "venue.db":
        spoil = database(0x41525656, 99)
    if spoil in (truncate, Path.unlink) and name == "journal.db":
        said = "has vanished"  # its tip tells that it was there
    spoil(path)
    before = everything_in(traded.folder / "sim")
    for speed in ("real", "max") if spoil in (folder, truncate) else ("real",):  # each opens the files in its own way
        assert_refused(run(*traded.arguments(), *SHORT, "--speed", speed), str(path), said)
    after = everything_in(traded.folder / "sim")
    for file in before:
        if file.startswith(name):  # SQLite counts in a page that is whole how often it was opened for writing
            whole_page = 4096 if spoil is damage else 0
            assert after[file][whole_page:] == before[file][whole_page:], "what stood there was changed"
    if name == "venue.db":
        assert run("ledger", *traded.arguments(), "--json").code == 0


def test_a_state_folder_whose_place_is_taken(home: Path) -> None:
    (home / "taken").write_text("precious")
    ended = run("--profile", "upbit-binance", *SHORT, "--state-dir", str(home / "taken"))
    assert_refused(ended, str(home / "taken"), "--state-dir")
    assert (home / "taken").read_text() == "precious"


READS = (
    ("ledger",),
    ("positions",),
    ("limits",),
    ("stock",),
    ("targets",),
    ("transfers",),
    ("adjust",),
    ("journal",),
    ("disarm",),
    ("rearm",),
)


@pytest.mark.parametrize("taken", ["", "sim"], ids=["profile", "mode"])
@pytest.mark.parametrize("command", [*READS, SHORT], ids=lambda words: words[0])
def test_a_file_in_place_of_a_folder_is_told_by_every_command(state: State, taken: str, command: tuple[str, ...]) -> None:
    """It was said that the profile had not run there yet, and ``check`` found no problem."""
    place = state.folder / taken
    place.parent.mkdir(parents=True)
    place.write_text("mine")
    assert_refused(run(*command, *state.arguments()), f"state folder {place}: a file stands in its place; move it away")
    assert place.read_text() == "mine"


@pytest.mark.parametrize("taken", ["", "sim"], ids=["profile", "mode"])
def test_a_file_in_place_of_a_folder_is_told_by_status_and_check(state: State, taken: str) -> None:
    place = state.folder / taken
    place.parent.mkdir(parents=True)
    place.write_text("mine")
    said = f"state folder {place}: a file stands in its place; move it away"
    status = run("status", *state.arguments(), "--json")
    assert (status.code, said in json.loads(status.out)["journal_error"]) == (2, True)
    check = run("check", *state.arguments(), "--json")
    assert check.code == 2
    assert any(said in row["problem"] for row in json.loads(check.out)["problems"])


@pytest.mark.parametrize("command", [*READS, ("rearm", "--scope", "symbol.XRP"), ("guardian", "--status")], ids=" ".join)
def test_a_name_that_no_profile_has_is_told_by_every_command(state: State, command: tuple[str, ...]) -> None:
    """``rearm`` said that no kill stands, whatever stood for the profile that was meant."""
    ended = run(*command, "--profile", "upbit-binanc", "--state-dir", str(state.root))
    assert_refused(ended, "no profile is named upbit-binanc; did you mean upbit-binance?")


_INTERRUPTED = """
import os, signal, sys
from decimal import Decimal
from pathlib import Path
from arbtui.cli.stopped_journal import commit_events
from arbtui.journal.events import TargetSet
from arbtui.journal.journal import Journal

usual = Journal.open

def opening(*given, **options):
    os.kill(os.getpid(), signal.SIGINT)
    return usual(*given, **options)

Journal.open = opening
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started with
try:
    commit_events(Path(sys.argv[1]), lambda _: (TargetSet("upbit", "XRP", Decimal(5), Decimal(0), "ann", "why"),))
    print("not interrupted")
except KeyboardInterrupt:
    pass
"""


def test_what_a_command_journals_is_done_whole_before_an_interrupt_counts(traded: State, tmp_path: Path) -> None:
    """It left the journal's thread behind, with a traceback, and nobody knew whether it was journaled."""
    (script := tmp_path / "interrupted.py").write_text(_INTERRUPTED)
    ended = run(str(traded.journal), program=script)
    assert (ended.code, ended.out, ended.err) == (0, "", "arbtui: done, and journaled, before the interrupt\n")
    targets = json.loads(run("targets", *traded.arguments(), "--json").out)
    assert [row["target"] for row in targets if (row["exchange"], row["asset"]) == ("upbit", "XRP")] == ["5"]
    assert run("journal", "verify", *traded.arguments()).code == 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("init", "mine"), "mine.toml cannot be written (Not a directory): mend that folder, or name another with XDG_CONFIG_HOME"),
        (("sandbox", "--state-dir", "HOME/taken"), "it cannot be created (File exists); name a folder"),
        (
            ("record", "--profile", "upbit-binance", "--duration", "1", "-o", "HOME/none/x"),
            "none/x cannot be written (No such file or directory); name a file in a folder that is there",
        ),
        (
            ("sandbox", "--profile", "upbit-binance", "--port", "0", "--symbols", "2", "--write", "HOME/taken/x.toml"),
            "taken/x.toml: it cannot be written (Not a directory); name a file in a folder that is there",
        ),
    ],
    ids=["init", "sandbox", "record", "sandbox write"],
)
def test_a_place_that_cannot_be_written_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], said: str
) -> None:
    (home / "taken").write_text("mine")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "taken"))
    assert_refused(run(*(word.replace("HOME", str(home)) for word in command)), said)
    assert (home / "taken").read_text() == "mine"


def test_a_file_in_place_of_the_halts_holds_everything_and_says_so(traded: State) -> None:
    """``rearm --scope global`` said that no halt of global stands, and that global stands."""
    halts = traded.folder / "halt.d"
    halts.write_text("mine")
    refused = run("rearm", "--scope", "global", "--confirm", "upbit-binance", "--reason", "x", *traded.arguments())
    assert_refused(
        refused, f"{halts}: it cannot be read (Not a directory); nothing opens until it can: mend it, or move away what stands there"
    )
    assert halts.read_text() == "mine"


def test_a_lock_that_cannot_be_written_says_what_to_do(traded: State) -> None:
    lock = traded.folder / "lock"
    lock.unlink()
    lock.mkdir()
    assert_refused(
        run(*traded.arguments(), *SHORT),
        f"lock {lock} cannot be written (Is a directory): mend its owner and mode, or move away what stands there, or name another",
    )


def test_a_log_whose_place_is_taken(state: State) -> None:
    (state.folder / "arbtui.log").mkdir(parents=True)
    assert_refused(run(*state.arguments(), *SHORT), f"log {state.folder / 'arbtui.log'} cannot be written")


def test_a_state_folder_that_is_read_only(traded: State) -> None:
    before = everything_in(traded.root)
    ended = read_only(traded.root, *traded.arguments(), *SHORT)
    assert_refused(ended, str(traded.folder), "cannot be written (Read-only file system)")
    ledger = read_only(traded.root, "ledger", *traded.arguments(), "--json")
    assert ledger.code == 0, ledger.err
    assert json.loads(ledger.out)["fills"]
    killed = read_only(traded.root, "kill", *traded.arguments())
    assert killed.code == 1
    assert "could not be written (Read-only file system)" in killed.err
    assert everything_in(traded.root) == before


def test_what_was_written_can_be_read_while_the_disk_is_full(state: State) -> None:
    """SQLite makes a file beside a journal for whoever reads it, which has no room then: the operator could not see what had happened."""
    ended = run(*state.arguments(), *SHORT)
    assert ended.code == 0, ended.err
    place, aside = shlex.quote(str(state.root)), shlex.quote(f"{state.root}-aside")
    shutil.copytree(state.root, f"{state.root}-aside")
    full = (
        f"mount -t tmpfs -o size=4m,mode=0700 none {place} && cp -a {aside}/. {place}/ && rm -f {place}/*/*/*-shm"
        f" && ! dd if=/dev/zero of={place}/fill bs=4k 2>/dev/null"
    )
    for command in (("status",), ("ledger",), ("journal", "verify"), ("positions",)):
        done = in_namespace(f"{full} && {program(*command, *state.arguments())}")
        assert (done.code, done.err) == (0, ""), command


def test_a_summary_that_cannot_be_written(state: State, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    ended = read_only(tmp_path / "kept", *state.arguments(), *SHORT, "--json", str(tmp_path / "kept" / "summary.json"))
    assert_refused(ended, "--json", "cannot be written (Read-only file system)")
    assert not state.journal.exists()


def test_f56_two_starts_of_one_profile(state: State, tmp_path: Path) -> None:
    with running(*state.arguments(), "--symbols", "5", folder=tmp_path / "first") as engine:
        until(lambda: engine.alive() and state.count("run"), "a run")
        assert_refused(run(*state.arguments(), *SHORT), f"upbit-binance is already running as process {engine.pid}", code=4)
        with console(*state.arguments()) as terminal:
            assert terminal.ended() == 4
            assert b"already running" in terminal.screen
            assert b"\x1b[?1049h" not in terminal.screen
        engine.alive()
    assert state.count("run") == 1


def test_a_terminal_that_does_not_know_its_size_is_taken_for_80x24(state: State) -> None:
    """A pty that nobody sized: the layout must not go back and forth between two fallbacks for ever."""
    with console(*state.arguments(), "--symbols", "5", "--max-runtime", "2", size=(0, 0)) as terminal:
        terminal.shows("^K KILL")
        assert terminal.ended() == 0
    assert len(terminal.screen) < 1_000_000, "it was painted over and over"
    assert state.last_run["stop_reason"] == "max_runtime"


def test_a_tiny_terminal_shows_the_state_and_can_kill(state: State) -> None:
    with console(*state.arguments(), "--symbols", "5", size=(40, 10)) as terminal:
        terminal.shows("SIM ARMED")
        terminal.shows("^K KILL")
        terminal.type(CTRL_K)
        until(lambda: terminal.read(0.05) and state.flag.exists(), "the flag")
        terminal.shows("SIM HALTED")
        terminal.type(CTRL_Q * 2)
        assert terminal.ended() in (0, 3)
        terminal.assert_restored()
    assert state.last_run["stop_reason"] == "kill"
