"""The commands that read and write no market: profiles, init, locate, check, ledger."""

import json
import sqlite3
import sys
from pathlib import Path

import pytest

from arbtui.cli import main
from arbtui.risk.config import default_limits
from arbtui.routes.rules import SHAPES
from arbtui.settings.state import make_private, mode_folder, state_root
from tests.cli.command import Here
from tests.settings.shipped import NAMES

MINE = "[exchanges.upbit]\n[exchanges.binance]\n"


def test_profiles(arbtui: Here) -> None:
    answer = arbtui("profiles")
    assert answer.code == 0
    assert [line.split()[:2] for line in answer.out.splitlines()] == [[name, "shipped"] for name in NAMES]
    assert [row["name"] for row in json.loads(arbtui("profiles", "--json").out)] == NAMES


def test_init_writes_a_profile_that_works(arbtui: Here) -> None:
    answer = arbtui("init", "mine")
    assert answer.code == 0
    path = Path(answer.out.splitlines()[0])
    assert path.stat().st_mode & 0o777 == 0o600
    assert "# " in path.read_text()
    assert arbtui("check", "--profile", "mine").code == 0
    assert "mine" in arbtui("profiles").out


def test_init_never_writes_over_another(arbtui: Here) -> None:
    path = Path(json.loads(arbtui("init", "mine", "--json").out)["path"])
    path.write_text("precious")
    answer = arbtui("init", "mine")
    assert answer.code == 2
    assert "is not overwritten" in answer.err
    assert path.read_text() == "precious"


def test_init_where_nothing_can_be_written(arbtui: Here, home: Path) -> None:
    (home / "config").write_text("")
    answer = arbtui("init", "mine")
    assert answer.code == 2
    assert "cannot be written" in answer.err


def test_init_hides_no_shipped_profile(arbtui: Here, home: Path) -> None:
    answer = arbtui("init", "upbit-binance")
    assert (answer.code, answer.out) == (2, "")
    assert "a shipped profile has that name" in answer.err
    assert "choose another, such as my-upbit-binance" in answer.err
    assert not (home / "config").exists()


def test_locate(arbtui: Here, home: Path) -> None:
    places = json.loads(arbtui("locate", "--json").out)
    assert places["state"] == str(home / "state" / "arbtui")
    assert places["profiles"] == str(home / "config" / "arbtui" / "profiles")
    assert (Path(places["shipped_profiles"]) / "upbit-binance.toml").is_file()
    assert arbtui("locate", "--state-dir", "/x").out.splitlines()[-1].split() == ["state", "/x"]


def test_locate_one_profile(arbtui: Here, home: Path) -> None:
    places = json.loads(arbtui("locate", "--profile", "upbit-binance", "--json").out)
    folder = home / "state" / "arbtui" / "upbit-binance"
    assert places["profile"] == str(Path(places["shipped_profiles"]) / "upbit-binance.toml")
    assert (places["profile_state"], places["log"]) == (str(folder), str(folder / "arbtui.log"))
    assert (places["kill_flag"], places["live_journal"]) == (str(folder / "kill.flag"), str(folder / "live" / "journal.db"))
    assert f"live journal      {folder}/live/journal.db\n" in arbtui("locate", "--profile", "upbit-binance").out
    assert not folder.exists()
    answer = arbtui("locate", "--profile", "upbit-binanc")
    assert answer.code == 2
    assert "did you mean upbit-binance?" in answer.err
    make_private(home / "state" / "arbtui" / "gone")
    assert json.loads(arbtui("locate", "--profile", "gone", "--json").out)["profile"] is None


def test_version(arbtui: Here) -> None:
    assert arbtui("--version").out == "arbtui 0.1.0\n"


def test_help_names_every_command(arbtui: Here) -> None:
    page = arbtui("--help").out
    assert all(command in page for command in ("replay", "ledger", "kill", "profiles", "init", "locate", "check"))


class TestCheck:
    @pytest.mark.parametrize("name", ["upbit-binance", "binance-spot-perp"])
    def test_shipped_profiles_have_no_problem(self, arbtui: Here, name: str) -> None:
        answer = arbtui("check", "--profile", name, "--json")
        assert answer.code == 0
        told = json.loads(answer.out)
        assert told.pop("limits") == {
            "set": "paper",
            "currency": "USDT",
            **default_limits("paper"),
            "netting": {"band": 500.0, "max_open_fx": 1000.0},
        }
        assert told.pop("guardian")["watches"] is False
        assert bool(told.pop("rate")) is (name == "upbit-binance")  # the other one needs no rate
        pairs = [["upbit", "binance"]] if name == "upbit-binance" else [["binance", "binanceusdm"]]
        assert told.pop("desk") == {"currency": "USDT", "pairs": pairs}
        routes = told.pop("routes")
        if name == "upbit-binance":
            assert routes["by_shape"] == {**dict.fromkeys(SHAPES, 0), "two_leg": 40}
            others = [{"what": shape, "reason": "not in universe.shapes"} for shape in SHAPES if shape != "two_leg"]
            assert routes["left_out"] == others
        else:
            assert routes is None  # the simulator does not play it
        assert told.pop("alerts") == {"at_once": [], "unacknowledged": []}
        assert told == {"profile": name, "ok": True, "problems": [], "quarantined": [], "venues": {}, "real_orders": []}

    def test_changes_nothing(self, arbtui: Here, home: Path) -> None:
        arbtui("check", "--profile", "upbit-binance")
        assert list(home.iterdir()) == []

    def test_tells_every_problem_of_every_area(self, arbtui: Here, home: Path) -> None:
        path = home / "mine.toml"
        path.write_text("[execution]\norder_value = -1\ncoldown_ms = 3\n" + MINE)
        journal = make_private(mode_folder(state_root(), "mine", "sim")) / "journal.db"
        journal.write_text("this is no database at all, and long enough to be taken for one" * 20)
        answer = arbtui("check", "--profile", str(path), "--json")
        assert answer.code == 2
        told = json.loads(answer.out)
        assert told["ok"] is False
        assert [problem["area"] for problem in told["problems"]] == ["profile", "profile", "journal"]
        assert "cooldown_ms" in told["problems"][1]["problem"]
        assert str(journal) in told["problems"][2]["problem"]
        assert "3 problems" in arbtui("check", "--profile", str(path)).out

    def test_a_newer_journal(self, arbtui: Here, home: Path) -> None:
        journal = make_private(mode_folder(state_root(), "upbit-binance", "sim")) / "journal.db"
        connection = sqlite3.connect(journal)
        connection.execute("PRAGMA application_id = 0x41524254")
        connection.execute("PRAGMA user_version = 9999")
        connection.execute("CREATE TABLE t (x)")
        connection.close()
        answer = arbtui("check", "--profile", "upbit-binance")
        assert answer.code == 2
        assert answer.out.startswith("journal")

    def test_a_file_in_the_state_folders_place(self, arbtui: Here, home: Path) -> None:
        (home / "taken").write_text("")
        answer = arbtui("check", "--profile", "upbit-binance", "--state-dir", str(home / "taken"))
        assert answer.code == 2
        assert "is a file, not a folder" in answer.out

    def test_assets_that_the_simulator_does_not_have(self, arbtui: Here, home: Path) -> None:
        path = home / "mine.toml"
        path.write_text('[universe]\nsymbols = ["BTC", "BTCC", "ETHH"]\n' + MINE)
        answer = arbtui("check", "--profile", str(path))
        assert answer.code == 2
        assert f"{path}:2: universe.symbols: BTCC is not among" in answer.out
        assert "ETHH is not among" in answer.out

    @pytest.mark.parametrize(
        ("told", "said"),
        [
            (
                "order_value = 0.5",
                "order_value 0.5 USDT is not above the least order of upbit (5,000 KRW, about 3.6 USDT) and of binance (5 USDT)",
            ),
            ("order_value = 5", "order_value 5 USDT is not above the least order of binance (5 USDT): nothing will open"),
            ("order_value = 2500", "risk.global.max_unhedged 2000 is under execution.order_value 2500: nothing will open"),
        ],
    )
    def test_a_size_that_nothing_can_let_pass(self, arbtui: Here, home: Path, told: str, said: str) -> None:
        path = home / "mine.toml"
        path.write_text(f"[execution]\n{told}\n" + MINE)
        answer = arbtui("check", "--profile", str(path))
        assert answer.code == 2
        assert said in answer.out

    def test_the_limits_that_hold_are_told_with_their_set(self, arbtui: Here, home: Path) -> None:
        path = home / "mine.toml"
        path.write_text("[risk.global]\nmax_open_cycles = 7\n" + MINE)
        page = arbtui("check", "--profile", str(path)).out
        assert "limits   paper set (play money): max_unhedged 2000 USDT, max_loss_day 1000 USDT," in page
        assert page.splitlines()[-2].endswith("max_open_cycles")
        assert "; set otherwise: max_open_cycles" in " ".join(page.split())

    def test_a_profile_that_is_not_there(self, arbtui: Here) -> None:
        answer = arbtui("check", "--profile", "upbit-binanc")
        assert answer.code == 2
        assert "did you mean upbit-binance?" in answer.out


class TestLedger:
    @pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
    def test_a_journal_that_is_none(self, arbtui: Here, home: Path, form: list[str]) -> None:
        journal = make_private(mode_folder(state_root(), "p", "sim")) / "journal.db"
        journal.write_text("this is no database at all, and long enough to be taken for one" * 20)
        answer = arbtui("ledger", "--profile", "p", *form)
        assert answer.code == 2
        assert answer.out == ""
        assert str(journal) in answer.err
        assert answer.err.count("\n") == 1


@pytest.mark.parametrize("command", ["kill", "status"])
def test_an_interrupt_while_it_imports_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("arbtui.cli.kill.kill", interrupted)
    monkeypatch.setattr("arbtui.cli.run.run", interrupted)
    monkeypatch.setattr(sys, "argv", ["arbtui", command])
    assert main() == 130
    assert capsys.readouterr() == ("", "arbtui: interrupted\n")
