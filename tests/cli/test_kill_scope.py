"""``arbtui kill --scope`` and ``arbtui rearm --scope``, with an engine that answers, one that does not, and none."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arbtui.cli.kill import kill
from arbtui.model.halt import read_flag
from arbtui.model.scoped_halts import Depth, ScopedHalt, read_halts, write_halt
from arbtui.settings.lock import ProfileLock
from arbtui.settings.requests import pending
from arbtui.settings.state import make_private
from tests.cli.command import Here, in_shell

UPBIT = ("--profile", "p", "--scope", "exchange.upbit")


@pytest.fixture
def folder(home: Path) -> Path:
    """The state folder of the profile ``p``."""
    return make_private(home / "state" / "arbtui" / "p")


@contextmanager
def engine(folder: Path, refusal: str | None = None) -> Iterator[list[dict[str, object]]]:
    """What an engine does with requests, in a thread: it holds the lock and answers each; the list of what it was asked."""
    asked: list[dict[str, object]] = []
    done = threading.Event()

    def serve() -> None:
        while not done.wait(0.01):
            for request, answer in pending(folder):
                asked.append(request)
                answer({"refusal": refusal})

    with ProfileLock(folder):
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield asked
        finally:
            done.set()
            thread.join()


def standing(folder: Path) -> list[tuple[str, Depth, str]]:
    return [(halt.scope, halt.depth, halt.reason) for halt in read_halts(folder)[0]]


def test_a_running_engine_confirms(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(folder) as asked:
        assert kill([*UPBIT, "--depth", "reducing", "--reason", "wallet closed"]) == 0
    assert standing(folder) == [("exchange.upbit", Depth.REDUCING, "wallet closed")]
    assert asked == [{"verb": "scope_seen", "scope": "exchange.upbit"}]
    told = capsys.readouterr().out
    assert told.startswith("arbtui: exchange.upbit of p is REDUCING, confirmed by the engine")
    assert "arbtui rearm --profile p --scope exchange.upbit" in told
    assert read_flag(folder) is None, "no kill of everything"


def test_without_a_depth_nothing_is_sent_there(folder: Path) -> None:
    kill([*UPBIT])
    assert standing(folder) == [("exchange.upbit", Depth.HALTED, "")]


@pytest.mark.parametrize("more", [["--scope", "global"], ["--scope", "global", "--depth", "halted"], ["--depth=HALTED"]])
def test_global_halted_is_the_kill(folder: Path, more: list[str]) -> None:
    kill(["--profile", "p", *more])
    assert read_flag(folder) is not None
    assert standing(folder) == []


def test_a_depth_without_a_scope_is_global(folder: Path) -> None:
    kill(["--profile", "p", "--depth", "paused"])
    assert standing(folder) == [("global", Depth.PAUSED, "")]
    assert read_flag(folder) is None


def test_without_an_engine_it_stands_for_the_next_start(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kill([*UPBIT, "--json"]) == 1
    told = capsys.readouterr()
    assert f"no engine runs on {folder}: p will start so" in told.err
    facts = json.loads(told.out)
    assert (facts["written"], facts["running"], facts["confirmed"], facts["depth"]) == (True, False, False, "HALTED")
    assert Path(facts["file"]).is_file()


def test_an_engine_that_trades_nothing_of_it_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(folder, "nothing that it trades falls under exchange.upbitt; did you mean exchange.upbit?"):
        assert kill(["--profile", "p", "--scope", "exchange.upbitt"]) == 1
    assert "holds back nothing: nothing that it trades falls under exchange.upbitt; did you mean" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("exchange.upbti", "the profile has no exchange upbti, but binance, upbit; did you mean exchange.upbit?"),
        ("wallet.upbti:XRP", "did you mean wallet.upbit:XRP?"),
        ("symbol.upbti:XRP", "did you mean symbol.upbit:XRP?"),
        ("route.XRP:upbit>binanec", "did you mean route.XRP:upbit>binance?"),
        ("route.XRP:upbit", "XRP:upbit is no route's id, such as XRP:upbit>binance; did you mean symbol.upbit:XRP?"),
    ],
)
def test_without_an_engine_a_scope_that_names_nothing_of_the_profile_stands_and_is_told(
    home: Path, scope: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kill(["--profile", "upbit-binance", "--scope", scope, "--json"]) == 1
    told = capsys.readouterr()
    assert f"{scope} of upbit-binance is HALTED, but will hold back nothing: " in told.err
    assert said in told.err
    assert "will start so" not in told.err
    facts = json.loads(told.out)
    assert facts["written"]
    assert said in facts["why"]
    assert Path(facts["file"]).is_file()


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("exchange.upbit", "upbit-binance will start so; "),
        ("wallet.upbit", "upbit-binance will start so; "),
        ("route.XRP:upbit>chain>binance", "upbit-binance will start so; "),
        ("route.XRP:binance/USDT>BTC,upbit/BTC>KRW", "upbit-binance will start so; "),
        ("symbol.NOPE", "upbit-binance will start so if it trades NOPE; "),
    ],
)
def test_in_doubt_nothing_is_said_against_a_scope(home: Path, scope: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert kill(["--profile", "upbit-binance", "--scope", scope]) == 1
    assert said in capsys.readouterr().err


def test_a_profile_that_cannot_be_read_stops_no_halt(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / "broken.toml"
    path.write_text("what is this")
    assert kill(["--profile", str(path), "--scope", "exchange.upbti"]) == 1
    assert "broken will start so" in capsys.readouterr().err
    assert standing(home / "state" / "arbtui" / "broken") == [("exchange.upbti", Depth.HALTED, "")]


def test_an_engine_that_does_not_answer(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.cli.kill_scope._CONFIRM_S", 0.05)
    with ProfileLock(folder):
        assert kill([*UPBIT]) == 0
    assert "the engine has not confirmed: no answer within 0.05 s. It looks before every order" in capsys.readouterr().out
    assert standing(folder) == [("exchange.upbit", Depth.HALTED, "")]
    assert list(pending(folder)) == [], "a request that nobody answered is taken back"


def test_a_deeper_halt_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kill([*UPBIT, "--reason", "first"])
    kill([*UPBIT, "--depth", "paused", "--json"])
    assert standing(folder) == [("exchange.upbit", Depth.HALTED, "first")]
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (facts["written"], facts["depth"], facts["reason"]) == (False, "HALTED", "first")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scope", "upbit"], "scope 'upbit': expected global, exchange.NAME"),
        (["--scope", "exchange.upbit", "--depth", "slow"], "depth 'slow': expected paused, reducing or halted"),
        (["--scope"], "kill: --scope lacks its value"),
        (["--scope", "exchange.upbit", "--depth"], "kill: --depth lacks its value"),
    ],
)
def test_what_is_wrong_writes_nothing(folder: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert kill(["--profile", "p", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "halt.d").write_text("")
    assert kill([*UPBIT]) == 1
    assert "nothing was halted" in capsys.readouterr().err


def test_from_another_shell(folder: Path) -> None:
    done = in_shell("kill", "--profile", "p", "--scope", "route.XRP:upbit>binance", "--depth", "paused", "--reason", "thin book")
    assert done.code == 1, "no engine runs"
    assert standing(folder) == [("route.XRP:upbit>binance", Depth.PAUSED, "thin book")]
    (path,) = (folder / "halt.d").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_heavy_is_imported(folder: Path) -> None:
    program = """
import sys
from arbtui.cli import main
sys.argv[1:] = ["kill", "--profile", "p", "--scope", "exchange.upbit"]
main()
heavy = {"typer", "click", "pydantic", "textual", "rich", "ccxt", "asyncio", "sqlite3", "aiosqlite", "msgspec", "tomllib"}
sys.exit(", ".join(sorted(heavy & set(sys.modules))) or 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert standing(folder) == [("exchange.upbit", Depth.HALTED, "")]


class TestRearm:
    @pytest.fixture
    def halted(self, folder: Path) -> Path:
        write_halt(folder, ScopedHalt("exchange.upbit", Depth.REDUCING, "CLI", "ann", "wallet", 1))
        return folder

    def test_takes_the_file_away_and_archives_it(self, arbtui: Here, halted: Path) -> None:
        done = arbtui("rearm", *UPBIT, "--confirm", "p", "--reason", "it is open again")
        assert (done.code, done.err) == (0, "")
        assert "take away: upbit REDUCING since" in done.out
        assert standing(halted) == []
        assert len(list((halted / "halt.d" / "old").iterdir())) == 1

    def test_an_engine_that_runs_does_it(self, arbtui: Here, halted: Path) -> None:
        with engine(halted) as asked:
            assert arbtui("rearm", *UPBIT, "--confirm", "p", "--reason", "open").code == 0
        (request,) = asked
        assert (request["verb"], request["scope"], request["confirm"], request["reason"]) == ("rearm_scope", "exchange.upbit", "p", "open")
        assert standing(halted) != [], "only the engine takes it away"

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            (("--confirm", "q", "--reason", "open"), "type the profile's name, p; nothing was changed"),
            (("--confirm", "p", "--reason", " "), "a reason is needed"),
            ((), "confirmed by typing at a terminal, or with --confirm NAME --reason TEXT"),
        ],
    )
    def test_without_name_or_reason_it_stands(self, arbtui: Here, halted: Path, more: tuple[str, ...], said: str) -> None:
        done = arbtui("rearm", *UPBIT, *more)
        assert done.code == 2
        assert said in done.err
        assert standing(halted) == [("exchange.upbit", Depth.REDUCING, "wallet")]

    def test_a_scope_that_does_not_stand(self, arbtui: Here, halted: Path) -> None:
        done = arbtui("rearm", "--profile", "p", "--scope", "symbol.XRP", "--confirm", "p", "--reason", "open")
        assert done.code == 2
        assert "no halt of symbol.XRP stands" in done.err
        assert "standing: exchange.upbit" in done.err

    def test_a_file_that_nobody_understands(self, arbtui: Here, halted: Path) -> None:
        (halted / "halt.d" / "notes.txt").write_text("?")
        (halted / "halt.d" / "symbol.XRP.json").write_text("?")
        for name in ("notes.txt", "symbol.XRP"):
            assert arbtui("rearm", "--profile", "p", "--scope", name, "--confirm", "p", "--reason", "mine").code == 0
        assert standing(halted) == [("exchange.upbit", Depth.REDUCING, "wallet")]


def test_status_shows_what_stands(arbtui: Here, folder: Path) -> None:
    write_halt(folder, ScopedHalt("exchange.upbit", Depth.REDUCING, "CLI", "ann", "wallet", 1_700_000_000_000))
    told = arbtui("status", "--profile", "p").out
    assert "upbit REDUCING since 2023-11-14 22:13:20Z by ann (CLI): wallet" in " ".join(told.split())
    (row,) = json.loads(arbtui("status", "--profile", "p", "--json").out)["halts"]
    assert (row["scope"], row["depth"], row["by"], row["reason"]) == ("exchange.upbit", "REDUCING", "ann", "wallet")
