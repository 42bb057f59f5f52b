"""``arbtui stock`` and ``arbtui targets``: read from the journal, beside an engine or without one."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests import warm_start
from tests.cli.command import Here, in_shell

P = ("--profile", "upbit-binance")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of a minute of trading, on the virtual clock."""
    folder = tmp_path_factory.mktemp("state")
    run = in_shell(*P, "--headless", "--symbols", "3", "--max-runtime", "60", "--speed", "max", "--state-dir", str(folder))
    assert run.code == 0, run.err
    return folder


def _venue(rows: list[dict[str, object]], asset: str, exchange: str) -> dict[str, object]:
    row = next(row for row in rows if row["asset"] == asset)
    venues = row["venues"]
    assert isinstance(venues, list)
    found: dict[str, object] = next(venue for venue in venues if venue["exchange"] == exchange)
    return found


def test_stock_tells_every_place_against_its_target_and_agrees_with_the_ledger(arbtui: Here, state: Path) -> None:
    answer = arbtui("stock", *P, "--state-dir", str(state), "--json")
    assert (answer.code, answer.err) == (0, "")
    rows = json.loads(answer.out)
    ledger = json.loads(arbtui("ledger", *P, "--state-dir", str(state), "--json").out)
    for exchange, held in ledger["balances"].items():
        for asset, amounts in held.items():
            assert _venue(rows, asset, exchange)["total"] == amounts["free"]
    assert any(venue["out_per_hour"] > 0 for row in rows for venue in row["venues"])
    assert json.loads(arbtui("status", *P, "--state-dir", str(state), "--json").out)["stock"] == rows
    lines = arbtui("stock", *P, "--state-dir", str(state)).out.splitlines()
    assert len(lines) == sum(len(row["venues"]) for row in rows)


def test_a_target_is_set_by_typing_and_kept(arbtui: Here, state: Path) -> None:
    where = ("--state-dir", str(state))
    done = arbtui("targets", "set", "Upbit.xrp", "500", *P, *where, "--confirm", "upbit-binance", "--reason", "more to sell")
    assert (done.code, done.err) == (0, "")
    assert "-> 500" in done.out
    assert "nothing is traded" in done.out
    rows = json.loads(arbtui("targets", *P, *where, "--json").out)
    assert next(row["target"] for row in rows if (row["exchange"], row["asset"]) == ("upbit", "XRP")) == "500"
    ledger = json.loads(arbtui("ledger", *P, *where, "--json").out)
    assert [(row["target"], row["reason"]) for row in ledger["targets"]] == [("500", "more to sell")]
    again = in_shell(*P, "--headless", "--symbols", "3", "--max-runtime", "5", "--speed", "max", *where)
    assert again.code == 0, again.err
    assert _venue(json.loads(arbtui("stock", *P, *where, "--json").out), "XRP", "upbit")["target"] == "500"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("set",), "name a place and an amount"),
        (("set", "upbit", "5"), "name a place and an amount"),
        (("set", "upbit.XRP", "five"), "'five': not a number"),
        (("set", "upbit", "XRP", "5"), "such as: arbtui targets set upbit.XRP 5 --profile P"),
        (("set", "a", "place", "far", "away"), "name a place and an amount"),
        (("set", "upbit.XRP", "-1"), "-1: the value must not be negative"),
        (("set", "upbit.XRP", "inf"), "is no target"),
        (("set", "kraken.XRP", "5"), "no venue 'kraken'"),
        (("raise", "upbit.XRP", "5"), "there are list and set"),
        (("set", "upbit.XRP", "7", "--confirm", "other", "--reason", "x"), "type the profile's name"),
    ],
)
def test_bad_input_is_one_sentence(arbtui: Here, state: Path, given: tuple[str, ...], why: str) -> None:
    answer = arbtui("targets", *given, *P, "--state-dir", str(state))
    assert answer.code == 2
    assert why in answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("venue", "said"),
    [("foo", "no venue 'foo' in this journal; there are binance, upbit"), ("upbit", "upbit disputes no balance of BTC")],
)
def test_adjust_names_the_venues_where_there_is_none_of_that_name(arbtui: Here, state: Path, venue: str, said: str) -> None:
    answer = arbtui("adjust", venue, "BTC", *P, "--state-dir", str(state))
    assert (answer.code, answer.err) == (2, f"arbtui: {said}\n")


def test_the_list_of_targets_stands_in_columns(arbtui: Here, state: Path) -> None:
    lines = arbtui("targets", *P, "--state-dir", str(state)).out.splitlines()
    assert len(lines) > 4
    assert len({(line.index("  target "), line.index("  holds "), len(line)) for line in lines}) == 1


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_output_that_nobody_reads_ends_it_as_the_signal_would(state: Path, form: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = ["arbtui", "ledger", form, *P, "--state-dir", str(state)]
    with warm_start.popen(*command, stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE) as ledger:
        os.close(writer)
        assert ledger.stderr is not None
        assert (ledger.wait(60), ledger.stderr.read()) == (141, b"")


def test_output_that_nobody_reads_to_its_end_ends_it_as_the_signal_would(state: Path) -> None:
    command = ["arbtui", "ledger", "--json", *P, "--state-dir", str(state)]
    with warm_start.popen(*command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ledger:
        assert ledger.stdout is not None
        assert ledger.stderr is not None
        assert ledger.stdout.read(1) == b"{"  # the rest is more than a pipe holds
        ledger.stdout.close()
        assert (ledger.wait(60), ledger.stderr.read()) == (141, b"")


def test_a_running_engine_sets_it_itself(arbtui: Here, home: Path, tmp_path: Path) -> None:
    command = ["arbtui", *P, "--headless", "--symbols", "2", "--max-runtime", "120", "--state-dir", str(tmp_path)]
    with warm_start.popen(*command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as engine:
        try:
            assert engine.stderr is not None
            for line in engine.stderr:
                if "ARMED" in line:
                    break
            where = ("--state-dir", str(tmp_path))
            done = arbtui("targets", "set", "binance.BTC", "2", *P, *where, "--confirm", "upbit-binance", "--reason", "x")
            assert (done.code, done.err) == (0, "")
            give_up_at = time.monotonic() + 60
            while time.monotonic() < give_up_at:
                if _venue(json.loads(arbtui("stock", *P, *where, "--json").out), "BTC", "binance")["target"] == "2":
                    break
            else:
                pytest.fail("the target never came to stand in the journal")
        finally:
            engine.terminate()
            engine.wait(60)
