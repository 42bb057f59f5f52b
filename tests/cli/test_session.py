"""A session from the shell to its ledger: what was traded can be read in every form, by run, and while nothing runs."""

import csv
import io
import json
import os
import sqlite3
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.journal.events import Adjusted, BalanceOpened, Mark, MarksTaken
from arbtui.model.clock import iso_in, zone_of
from arbtui.settings.state import make_private, mode_folder, state_root
from tests.cli.command import Answer, in_shell
from tests.journal.recorded import record
from tests.portfolio.auditing import audit, disagreements

P = ("--profile", "upbit-binance")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of two minutes of trading three assets, on the virtual clock."""
    folder = tmp_path_factory.mktemp("state")
    run = in_shell(*P, "--headless", "--symbols", "3", "--max-runtime", "120", "--seed", "7", "--speed", "max", "--state-dir", str(folder))
    assert run.code == 0, run.err
    return folder


def ledger(state: Path, *arguments: str) -> Answer:
    return in_shell("ledger", *P, "--state-dir", str(state), *arguments)


def test_the_forms_of_a_ledger_agree(state: Path) -> None:
    answer = ledger(state, "--json")
    assert (answer.code, answer.err) == (0, "")
    told = json.loads(answer.out)
    assert len(told["fills"]) > 0
    rows = list(csv.DictReader(io.StringIO(ledger(state, "--csv").out)))
    assert [row["trade_id"] for row in rows] == [fill["trade_id"] for fill in told["fills"]]
    assert told["timezone"] == "Asia/Seoul"
    assert {row["ts_event"][-6:] for row in rows} == {"+09:00"}
    moments = [tuple(datetime.fromisoformat(row[name]) for name in ("ts_event", "ts_init")) for row in rows]
    assert moments == [tuple(datetime.fromisoformat(fill[name]) for name in ("ts_event", "ts_init")) for fill in told["fills"]]
    page = ledger(state).out
    assert page.startswith("upbit-binance sim\n")
    assert f"fills {len(told['fills'])} " in page
    assert told["balances"]["upbit"]["KRW"]["free"] in page


def test_episodes_on_request(state: Path) -> None:
    told = json.loads(ledger(state, "--json", "--episodes").out)
    episodes = told["episodes"]
    assert {name: value for name, value in told.items() if name != "episodes"} == json.loads(ledger(state, "--json").out)
    from_gaps = [cycle for cycle in told["cycles"] if cycle["route"].count(">")]  # what is netted has no gap
    assert sum(one["cycles"] for one in episodes) == len(from_gaps) > 0
    for one in episodes:
        assert one["start"] <= one["end"]
        assert (one["gate"] == "") == (one["cycles"] > 0)
        assert list(one["would_fill"]) == ["50", "100", "200", "500"]
    rows = list(csv.DictReader(io.StringIO(ledger(state, "--csv", "--episodes").out)))
    seoul = zone_of("Asia/Seoul")
    assert [(row["route"], row["start"], row["end"], row["gate"]) for row in rows] == [
        (one["route"], iso_in(one["start"], seoul), iso_in(one["end"], seoul), one["gate"]) for one in episodes
    ]
    assert [row["would_fill_500"] for row in rows] == [{True: "1", False: "0", None: ""}[one["would_fill"]["500"]] for one in episodes]
    taken = sum(one["cycles"] > 0 for one in episodes)
    assert f"episodes {len(episodes)}   taken {taken} " in ledger(state, "--episodes").out
    moment = episodes[len(episodes) // 2]["start"]
    assert json.loads(ledger(state, "--json", "--episodes", "--since", moment).out)["episodes"] == [
        one for one in episodes if one["start"] >= moment
    ]
    answer = ledger(state, "--episodes", "--run", "no-such-run")
    assert (answer.code, answer.out) == (2, "")


def test_denials_on_request(state: Path) -> None:
    told = json.loads(ledger(state, "--json", "--denials").out)
    denials = told["denials"]
    total = [one for one in denials if one["route"] is None]
    assert denials[: len(total)] == total != []
    assert {one["reason"] for one in total} >= {"COOLDOWN", "ROUTE_BUSY"}
    for one in total:
        of_routes = [row for row in denials if row["route"] is not None and row["reason"] == one["reason"]]
        assert sum(row["day"]["times"] for row in of_routes) == one["day"]["times"]
        assert sum(row["day"]["seconds"] for row in of_routes) == pytest.approx(one["day"]["seconds"], abs=0.1)
        assert one["minute"]["times"] <= one["hour"]["times"] <= one["day"]["times"]
    rows = list(csv.DictReader(io.StringIO(ledger(state, "--csv", "--denials").out)))
    assert [(row["route"] or None, row["reason"], int(row["day_times"])) for row in rows] == [
        (one["route"], one["reason"], one["day"]["times"]) for one in denials
    ]
    assert "COOLDOWN" in ledger(state, "--denials").out
    assert ledger(state, "--csv", "--denials", "--episodes").code == 2
    place = ("--profile", "upbit-binance", "--state-dir", str(state))
    assert [one["reason"] for one in json.loads(in_shell("status", *place, "--json").out)["denials"]] == [one["reason"] for one in total]
    assert "why not" in in_shell("status", *place).out


def test_one_seed_sees_the_same_episodes_again(state: Path, tmp_path: Path) -> None:
    run = in_shell(
        *P, "--headless", "--symbols", "3", "--max-runtime", "120", "--seed", "7", "--speed", "max", "--state-dir", str(tmp_path)
    )
    assert run.code == 0, run.err
    first, second = (json.loads(ledger(folder, "--json", "--episodes").out)["episodes"] for folder in (state, tmp_path))
    assert first == second != []


def test_a_journal_from_before_there_were_episodes_has_none(tmp_path: Path) -> None:
    folder = make_private(mode_folder(tmp_path, "p", "sim"))
    record(folder / "journal.db", [BalanceOpened("upbit", "KRW", Decimal(5))])
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        db.execute("DROP TABLE episode")
    place = ("--profile", "p", "--state-dir", str(tmp_path), "--episodes")
    assert json.loads(in_shell("ledger", *place, "--json").out)["episodes"] == []
    assert "episodes none" in in_shell("ledger", *place).out


def test_one_run(state: Path) -> None:
    whole = json.loads(ledger(state, "--json").out)
    (run,) = {fill["run_id"] for fill in whole["fills"]}
    assert json.loads(ledger(state, "--json", "--run", run).out)["fills"] == whole["fills"]
    answer = ledger(state, "--json", "--run", "no-such-run")
    assert answer.code == 2
    assert answer.err.startswith("arbtui: ")


def test_since_a_moment(state: Path) -> None:
    whole = json.loads(ledger(state, "--json").out)
    assert whole["since"] is None
    moment = whole["fills"][len(whole["fills"]) // 2]["ts_init"]
    later = json.loads(ledger(state, "--json", "--since", moment).out)
    assert later["since"] == moment
    assert later["fills"] == [fill for fill in whole["fills"] if fill["ts_init"] >= moment]
    assert 0 < len(later["fills"]) < len(whole["fills"])
    assert {fill["client_order_id"] for fill in later["fills"]} <= {order["client_order_id"] for order in later["orders"]}
    # A cycle is listed where it was opened; what it did after the moment is in fills, balances and profit.
    opened = [cycle["id"] for cycle in whole["cycles"] if cycle["opened"] >= moment]
    assert [cycle["id"] for cycle in later["cycles"] if cycle["id"] in opened] == opened
    assert 0 < len(later["cycles"]) < len(whole["cycles"])
    earlier = json.loads(ledger(state, "--json", "--until", moment).out)
    assert earlier["until"] == moment
    assert later["balances"] == whole["balances"]
    assert earlier["start_balances"] == whole["start_balances"]
    for part in (earlier, later):
        assert disagreements(part) == []
        code, said = audit(part)
        assert code == 0, said
    assert len(ledger(state, "--csv", "--since", moment).out.splitlines()) == len(later["fills"]) + 1
    page = ledger(state, "--since", moment).out
    assert f"since {moment}" in page
    assert f"fills {len(later['fills'])} " in page


def test_since_some_time_ago_by_the_journals_own_clock(state: Path) -> None:
    whole = json.loads(ledger(state, "--json").out)
    assert json.loads(ledger(state, "--json", "--since", "30d").out)["fills"] == whole["fills"]
    path = state / "upbit-binance" / "sim" / "journal.db"
    os.utime(path)  # as if it had been written this moment
    later = json.loads(ledger(state, "--json", "--since", "60s").out)
    assert 0 < len(later["fills"]) < len(whole["fills"])


def test_a_since_that_is_no_time(state: Path) -> None:
    for wrong in ("60", "soon", "-5m", "5w", "2026-13-01"):
        answer = ledger(state, f"--since={wrong}")
        assert answer.code == 2
        assert f"--since {wrong!r}: expected 60s, 5m, 1h, 2d, or a time such as" in answer.err
        answer = ledger(state, f"--until={wrong}")
        assert answer.code == 2
        assert f"--until {wrong!r}: expected" in answer.err


def test_check_finds_no_fault_in_its_journal(state: Path) -> None:
    answer = in_shell("check", *P, "--state-dir", str(state), "--json")
    assert json.loads(answer.out)["problems"] == []
    assert answer.code == 0


def test_state_is_the_operators_alone(state: Path) -> None:
    made = list((state / "upbit-binance").rglob("*"))
    assert {path.name for path in made} >= {"sim", "journal.db", "venue.db", "lock"}
    assert {oct(path.stat().st_mode & 0o777) for path in made if path.is_dir()} == {"0o700"}
    assert {oct(path.stat().st_mode & 0o777) for path in made if path.is_file()} == {"0o600"}


def test_sums_keep_more_digits_than_decimals_own_28(home: Path) -> None:
    path = make_private(mode_folder(state_root(), "p", "sim")) / "journal.db"
    held, more = Decimal("123456789012345.000000000000000001"), Decimal("0.000000000000000002")
    priced = MarksTaken("start", "2026-01-01", {"X": Mark(Decimal(1), "a:X", 0)})
    record(path, [BalanceOpened("a", "X", held)], [priced, Adjusted("a", "X", more, "", "operator")])
    told = json.loads(in_shell("ledger", "--profile", "p", "--json").out)
    assert told["balances"]["a"]["X"]["free"] == "123456789012345.000000000000000003"
