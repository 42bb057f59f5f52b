"""Replies: cut between lines, within Telegram's length, whatever stands in them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arbtui.monitoring.config import COMMAND_NAMES
from arbtui.monitoring.replies import HELP, LONGEST, cut, health, help_text, state_lines
from tests.console.demo import DemoModel
from tests.monitoring.bot_api import LONGEST_TEXT
from tests.monitoring.test_telegram_commands import HEADER


def units(text: str) -> int:
    """UTF-16 units, as Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def test_a_short_reply_is_one_message() -> None:
    assert cut("a\nb\n") == ["a\nb"]


def test_a_long_one_is_cut_between_lines_and_nothing_is_lost() -> None:
    lines = [f"{number:04d} {'비트코인 프리미엄 ' * 3}" for number in range(300)]
    parts = cut("\n".join(lines))
    assert len(parts) > 1
    assert "\n".join(parts).split("\n") == lines
    assert all(units(part) <= LONGEST < LONGEST_TEXT for part in parts)


def test_one_that_would_be_many_messages_ends_and_says_so() -> None:
    parts = cut("\n".join("x" * 100 for _ in range(1000)))
    assert len(parts) == 4
    assert parts[-1].endswith("left out: see the console")


@example("00 00", 2)  # a piece of blanks among more pieces than messages
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(min_value=2, max_value=50))
def test_no_message_is_empty_or_too_long(text: str, longest: int) -> None:
    parts = cut(text, longest)
    assert all(part.strip() for part in parts)
    assert all(units(part) <= longest for part in parts[:3])


def test_help_names_each_command_that_there_is_and_no_other() -> None:
    assert list(HELP) == list(COMMAND_NAMES)
    told = help_text({"kill"})
    assert [line.split()[0] for line in told.splitlines()] == ["/kill", "Re-arming"]


@pytest.mark.parametrize(("mode", "is_watched", "said"), [("SIM", True, None), ("LIVE", True, "watches"), ("LIVE", False, "NONE")])
def test_a_guardian_is_told_of_where_one_is_looked_for(mode: str, is_watched: bool, said: str | None) -> None:
    """In sim nobody looks for one: that it watches would be an invention."""
    header = replace(HEADER, mode=mode, is_watched=is_watched)
    told = health(header, DemoModel().gauges(), (), 0, 0, lambda ms: datetime.fromtimestamp(ms / 1000, UTC))
    assert [line.split()[-1] for line in told.splitlines() if line.startswith("guardian")] == ([] if said is None else [said])


@pytest.mark.parametrize(
    ("state", "idle", "slow", "said"),
    [
        ("ARMED", "", "", "ARMED, epoch 2"),
        ("ARMED", "", "4 of 12 cycles given up", "ARMED, TOO SLOW: 4 of 12 cycles given up, epoch 2"),
        ("ARMED", "the journal failed", "4 of 12 cycles given up", "ARMED, NOT TRADING: the journal failed, epoch 2"),
        ("PAUSED", "", "4 of 12 cycles given up", "PAUSED, epoch 2"),
    ],
)
def test_an_armed_engine_tells_what_keeps_it_from_trading_as_it_should(state: str, idle: str, slow: str, said: str) -> None:
    header = replace(HEADER, state=state, idle=idle, slow=slow)
    assert state_lines(header, 2, lambda ms: datetime.fromtimestamp(ms / 1000, UTC)) == f"desk SIM: {said}"
