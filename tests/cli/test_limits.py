"""``arbtui limits``: listed, lowered and raised, with an engine that runs and without one."""

import json
from pathlib import Path

import pytest

from tests.cli.command import Answer, in_shell

P = ("--profile", "upbit-binance")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder in which a short run has ended."""
    state = tmp_path_factory.mktemp("state")
    done = in_shell(*P, "--headless", "--symbols", "3", "--max-runtime", "10", "--seed", "7", "--speed", "max", "--state-dir", str(state))
    assert done.code == 0, done.err
    return state


def limits(state: Path, *arguments: str) -> Answer:
    return in_shell("limits", *arguments, *P, "--state-dir", str(state))


def row_of(state: Path, scope: str) -> dict[str, object]:
    (row,) = (row for row in json.loads(limits(state, "--json").out) if row["scope"] == scope)
    assert isinstance(row, dict)
    return row


def test_each_limit_is_listed_with_where_it_comes_from(ran: Path) -> None:
    assert row_of(ran, "global.max_open_cycles") == {
        "scope": "global.max_open_cycles", "unit": "", "stricter": "lower", "profile": 50.0, "journal": None, "holds": 50.0, "used": 0.0,
        "note": None, "by": None, "reason": None, "since": None,
    }  # fmt: skip
    text = limits(ran).out
    assert "no engine runs" in text
    assert "route.min_edge_bps" in text


def test_without_an_engine_it_is_lowered_at_once_and_raised_by_typing(ran: Path) -> None:
    done = limits(ran, "set", "symbol.xrp.order_value", "50", "--reason", "thin")
    assert (done.code, done.out) == (0, "symbol.XRP.order_value: 100 before, 50 holds now; journaled; it counts where XRP is traded\n")
    row = row_of(ran, "symbol.XRP.order_value")
    assert (row["profile"], row["journal"], row["holds"], row["reason"]) == (100.0, 50.0, 50.0, "thin")
    assert "profile 100, journal 50 by" in limits(ran).out
    assert "symbol.XRP.order_value 50 by" in " ".join(in_shell("status", *P, "--state-dir", str(ran)).out.split())
    refused = limits(ran, "set", "symbol.XRP.order_value", "60")
    assert (refused.code, row_of(ran, "symbol.XRP.order_value")["holds"]) == (2, 50.0)
    assert "--confirm NAME" in refused.err
    yes = ("--confirm", "upbit-binance", "--reason", "deeper")
    assert limits(ran, "set", "symbol.XRP.order_value", "60", *yes).code == 0
    assert row_of(ran, "symbol.XRP.order_value")["holds"] == 60.0
    run = in_shell(*P, "--headless", "--max-runtime", "5", "--speed", "max", "--seed", "7", "--symbols", "3", "--state-dir", str(ran))
    assert run.code == 0
    log = (ran / "upbit-binance" / "arbtui.log").read_text()
    assert "limit symbol.XRP.order_value: 60 (profile 100, journal 60, set by " in log, "both are shown at a start"
    assert limits(ran, "reset", "symbol.XRP.order_value", *yes).code == 0
    assert "symbol.XRP.order_value" not in limits(ran).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "global.max_los_day", "5"), "did you mean global.max_loss_day?"),
        (("set", "global.max_loss_day"), "limits set takes SCOPE VALUE"),
        (("reset", "global.max_loss_day", "5"), "limits reset takes SCOPE"),
        (("set", "global.max_loss_day", "much"), "'much' is no number"),
        (("set", "global.max_loss_day", "nan"), "a number is needed"),
        (("set", "global.max_loss_day", "-55.5"), "-55.5: the value must not be negative; nothing was changed"),
        (("set", "global.max_loss_day", "-.5"), "-.5: the value must not be negative; nothing was changed"),
        (("set", "global.max_loss_day", "5000"), "the profile allows 1000"),
        (("set", "exchange.binanc.max_in_flight_orders", "5"), "did you mean binance?"),
        (("set", "route.XRP:upbit>binanec.order_value", "5"), "did you mean route.XRP:upbit>binance?"),
        (("set", "route.XRP.order_value", "5"), "XRP is no route's id, such as XRP:upbit>binance"),
        (("set", "symbol.upbit:XRP.order_value", "5"), "such as symbol.XRP.order_value; nothing was changed"),
        (("reset", "global.max_loss_day"), "no value of its own"),
        (("raise", "global.max_loss_day", "5"), "there are list, set, reset"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_changes_nothing(ran: Path, arguments: tuple[str, ...], said: str) -> None:
    before = limits(ran, "--json").out
    done = limits(ran, *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert limits(ran, "--json").out == before


def test_a_profile_that_never_ran_has_no_journal_to_write_to(tmp_path: Path) -> None:
    done = limits(tmp_path, "set", "global.max_loss_day", "5")
    assert (done.code, "it has not run there yet" in done.err) == (2, True)
