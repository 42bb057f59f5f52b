"""Stories hold their invariants; one seed is one story to the byte; what breaks an invariant is found, shortened and told."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from arbtui.execution.order_cache import TrackedOrder
from arbtui.execution.tracker import OrderTracker
from arbtui.monitoring.alert import Alert
from arbtui.monitoring.alert_queue import AlertQueue
from arbtui.runtime.simulate.faults import CRASHES, Fault, FaultKind, draw
from arbtui.runtime.simulate.play import Played, StoryOptions, play
from arbtui.runtime.simulate.shrink import shrink
from tests.cli.command import Here, in_shell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # virtual minutes, which a busy machine draws out

ALL = StoryOptions(1, 1.0, 5, tuple(FaultKind))


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_story_of_faults_and_crashes_breaks_nothing(seed: int) -> None:
    played = play(replace(ALL, seed=seed))
    assert played.broken is None, "\n".join(played.story)
    assert played.starts > 1
    assert played.fills > 20
    assert len(played.checked) > 20


@pytest.mark.parametrize("kind", [*CRASHES, FaultKind.STOP, FaultKind.KILL, FaultKind.KILL_OUTSIDE])
def test_every_way_to_end_happens_and_is_survived(kind: FaultKind) -> None:
    played = play(replace(ALL, minutes=0.7, kinds=(kind,)))
    assert played.broken is None, "\n".join(played.story)
    assert played.fired == {str(kind): 1}
    assert (played.starts, played.crashes) == ((3, 1) if kind in CRASHES else (3 if kind is FaultKind.STOP else 2, 0))


def _journal(root: Path, seed: int) -> str:
    lives = sorted((root / f"seed-{seed}").glob("life-*"), key=lambda life: int(life.name.removeprefix("life-")))
    assert len(lives) > 1, "it crashed"
    return hashlib.sha256((lives[-1] / "live" / "journal.db").read_bytes()).hexdigest()


def test_one_seed_gives_one_journal_to_the_byte_in_any_process(home: Path) -> None:
    wanted = ("simulate", "--seed", "6", "--minutes", "1", "--state-dir")
    for name, is_cold in (("a", False), ("b", True)):
        ended = in_shell(*wanted, str(home / name), cold=is_cold)
        assert ended.code == 0, ended.out + ended.err
    assert _journal(home / "a", 6) == _journal(home / "b", 6)
    refused = in_shell(*wanted, str(home / "a"))
    assert refused.code == 2
    assert "is not empty" in refused.err


def test_what_breaks_an_invariant_is_told_as_a_short_story_with_the_command_that_repeats_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program that sends an order again, past its own gate, when its answer does not come."""

    async def resolve(self: OrderTracker, followed: TrackedOrder) -> None:
        await self._adapters[followed.order.market.exchange].place(followed.order, lambda: None)

    monkeypatch.setattr(OrderTracker, "resolve", resolve)
    here = Here(capsys)
    answer = here("simulate", "--seed", "1", "--minutes", "0.7", "--faults", "request-lost,report-late,stream-cut")
    assert answer.code == 1
    assert "seed 1 breaks: I1 no client id is sent twice" in answer.out
    assert "faults: 1 " not in answer.out.partition("breaks")[2], "one order that is lost is enough"
    (again,) = [line for line in answer.out.splitlines() if line.startswith("again: ")]
    assert again.startswith("again: arbtui simulate --profile upbit-binance --seed 1 --minutes 0.7 --symbols 5 --faults ")
    repeated = here(*again.removeprefix("again: arbtui ").split())
    assert repeated.code == 1
    story = answer.out[answer.out.index("seed 1 breaks: ") : answer.out.index("again: ")]
    assert story in repeated.out
    assert 3 < len(story.splitlines()) < 60


@pytest.mark.parametrize("forgets", [False, True])
def test_an_alert_that_is_marked_as_sent_and_was_not_is_found(monkeypatch: pytest.MonkeyPatch, forgets: bool) -> None:
    """A kill is told; one that is done with its alerts before it has sent them loses them."""

    async def deliver(self: AlertQueue, alerts: list[Alert]) -> None:
        self._done(alerts, "")

    if forgets:
        monkeypatch.setattr(AlertQueue, "_deliver", deliver)
    played = play(StoryOptions(2, 0.7, 5, (FaultKind.KILL,)))
    assert played.checked["a CRITICAL alert arrives at least once"] > 0
    assert (played.broken or ("",))[0] == ("a CRITICAL alert arrives at least once" if forgets else "")


def _broken_where(needed: set[int]) -> tuple[list[tuple[int, ...]], object]:
    tried: list[tuple[int, ...]] = []

    def again(options: StoryOptions) -> Played:
        assert options.only is not None
        tried.append(options.only)
        return _played(options.only, "I3" if needed <= set(options.only) else None)

    return tried, again


def _played(numbers: tuple[int, ...], broken: str | None) -> Played:
    drawn = [Fault(number, FaultKind.OUTAGE, float(number), "upbit", 1.0, 1, 1.0) for number in numbers]
    return Played(1, drawn, {}, list(numbers), {}, 1, 0, 0, 0, 1.0, 1.0, 1.0, "", None if broken is None else (broken, "seen"))


@pytest.mark.parametrize("needed", [set(), {3}, {2, 7}, {1, 2, 3, 4, 5, 6, 7, 8}])
def test_faults_are_left_out_while_the_same_invariant_breaks(needed: set[int]) -> None:
    tried, again = _broken_where(needed)
    whole = _played(tuple(range(1, 9)), "I3")
    shortest = shrink(ALL, whole, again)  # type: ignore[arg-type]
    assert {fault.number for fault in shortest.drawn} == needed
    assert len(tried) <= 60


def test_leaving_a_kind_out_moves_no_other_fault() -> None:
    every = {fault.number: fault for fault in draw(4, 180.0, ("upbit", "binance"), tuple(FaultKind))}
    assert len(every) > 25
    again = {fault.number: fault for fault in draw(4, 180.0, ("upbit", "binance"), tuple(FaultKind))}
    assert every == again
    assert draw(4, 180.0, ("upbit", "binance"), ()) == []
    assert draw(5, 180.0, ("upbit", "binance"), tuple(FaultKind)) != list(every.values())
